package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"
)

// useCase is one of the thirteen by which record stores are compared, one release with the last.
type useCase struct {
	engine, title string
	size          int
	alone, beside tally // beside writers: reads only
}

const (
	caseConns  = 16
	besidePace = 100 * time.Millisecond // of a writer with batches of 50
)

// readCases are the six that read.
func (s *site) readCases(ctx context.Context) error {
	for _, q := range []question{
		{title: "newest page", path: newest},
		{title: "by agent", path: byAgent},
		{title: "by verb", path: byVerb},
		{title: "by activity", path: byActivity},
		{title: "by related agent", path: byInstructor},
		{title: "by related activity", path: byCourse},
	} {
		l := s.world.asks(q, "", s.store, s.store)
		l.conns = caseConns
		alone, err := s.drive(ctx, l)
		if err != nil {
			return fmt.Errorf("%s: %w", q.title, err)
		}
		beside, err := s.besideWriters(ctx, l)
		if err != nil {
			return fmt.Errorf("%s beside writers: %w", q.title, err)
		}
		s.noteCase(useCase{engine: s.engine, title: "read, " + q.title, size: s.store, alone: alone, beside: beside})
	}
	return nil
}

// besideWriters drives a load while two connections write 1,000 statements a second.
func (s *site) besideWriters(ctx context.Context, l load) (tally, error) {
	writes := s.world.writes(floorEach, usual)
	writes.conns, writes.pace = 2, besidePace
	stop := make(chan struct{})
	next := writes.next
	writes.next = func(conn int) func() []byte {
		request := next(conn)
		return func() []byte {
			select {
			case <-stop:
				return nil
			default:
				return request()
			}
		}
	}
	written := make(chan error, 1)
	go func() {
		_, err := drive(ctx, s.world.address, writes, span{warm: time.Hour})
		written <- err
	}()
	t, err := s.drive(ctx, l)
	close(stop)
	return t, errors.Join(err, <-written)
}

// writeCases are the six that write one, ten or a hundred statements a request, few things or nearly always new ones, and
// that of Groups.
func (s *site) writeCases(ctx context.Context) error {
	for _, c := range []struct {
		title string
		each  int
		of    func(*maker) drawn
	}{
		{"single, low variability", 1, narrow}, {"single, high variability", 1, wide},
		{"10 a request, low variability", 10, narrow}, {"10 a request, high variability", 10, wide},
		{"100 a request, low variability", 100, narrow}, {"100 a request, high variability", 100, wide},
		{"single, Group of five as actor", 1, team},
	} {
		l := s.world.writes(c.each, c.of)
		l.conns, l.tolerant = caseConns, true
		t, err := s.drive(ctx, l)
		if err != nil {
			return fmt.Errorf("%s: %w", c.title, err)
		}
		t.PerSecond *= float64(c.each)
		s.noteCase(useCase{engine: s.engine, title: "write, " + c.title, size: s.store, alone: t})
	}
	return nil
}

func (s *site) noteCase(c useCase) {
	s.cases = append(s.cases, c)
	s.say("%-9s cases      %s: %s, p50 %s, p99 %s; others %.2f", s.engine, c.title, perSecond(c.alone.PerSecond), milli(c.alone.P50), milli(c.alone.P99), c.alone.Others)
}

// printCases writes the use cases, each time the same thirteen.
func (b *bench) printCases(w io.Writer) {
	if len(b.cases) == 0 {
		return
	}
	lines := [][]string{{"engine", "use case", "statements held", "rate", "p50", "p99", "wrong answers", "beside writers", "p50", "p99"}}
	for _, c := range b.cases {
		line := []string{c.engine, c.title, thousands(c.size), perSecond(c.alone.PerSecond), milli(c.alone.P50), milli(c.alone.P99), thousands(c.alone.Wrong), "", "", ""}
		if c.beside.Counted > 0 {
			copy(line[7:], []string{perSecond(c.beside.PerSecond), milli(c.beside.P50), milli(c.beside.P99)})
		}
		lines = append(lines, line)
	}
	fmt.Fprintf(w, "\nThe thirteen use cases, %d connections; statements or pages a second; writers beside: %d statements a second\n\n", caseConns, int(2*floorEach/besidePace.Seconds()))
	b.printTable(w, lines)
}
