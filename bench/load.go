package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// load is a kind of request and how it is to be answered. next makes the source of one connection's requests: each call
// returns a request, valid until the next call, or nil when there are no more.
type load struct {
	name string
	want int // status
	next func(conn int) func() []byte
	// pace is the least time between two requests of one connection.
	pace time.Duration
	// seen is told of each right answer; the request is the one that it answers.
	seen func(conn int, r reply) error
}

// tally is what came of a load.
type tally struct {
	PerSecond float64
	P50, P99  time.Duration
	All       int           // requests answered, with those before and after the measured time
	Counted   int           // requests answered in the measured time
	Others    float64       // processor cores that other work on the machine took meanwhile
	ServerCPU time.Duration // processor time of the server, PostgreSQL and the load
	DBCPU     time.Duration
	LoadCPU   time.Duration
}

// span is when a load is measured: from warm after its start, for long. The hooks are called at both ends.
type span struct {
	warm, long time.Duration
	begin, end func() error
}

// window is the measured time, shared with the connections; latencies of answers in it count.
type window struct {
	open   atomic.Bool
	stop   atomic.Bool
	ran    chan struct{} // closed when a connection ran out of requests
	once   sync.Once
	failed atomic.Pointer[error]
}

func (w *window) fail(err error) {
	w.failed.CompareAndSwap(nil, &err)
	w.empty()
}

func (w *window) empty() { w.once.Do(func() { close(w.ran) }) }

// drive sends requests over so many keep-alive connections, each sending its next as soon as its last is answered. A wrong
// answer ends it.
func drive(ctx context.Context, address string, conns int, l load, s span) (t tally, err error) {
	clients := make([]*client, conns)
	for i := range clients {
		if clients[i], err = dial(ctx, address); err != nil {
			return t, err
		}
		defer clients[i].close() // nothing is pending on it then
	}
	w := &window{ran: make(chan struct{})}
	took := make([][]time.Duration, conns)
	all := make([]int, conns)
	var work sync.WaitGroup
	for i, c := range clients {
		work.Go(func() { took[i], all[i] = c.loop(i, l, w) })
	}
	w.wait(ctx, s.warm)
	err = call(s.begin)
	start := time.Now()
	w.open.Store(true)
	w.wait(ctx, s.long)
	w.open.Store(false)
	long := time.Since(start)
	err = errors.Join(err, call(s.end))
	w.stop.Store(true)
	work.Wait()
	if failed := w.failed.Load(); failed != nil {
		err = errors.Join(err, fmt.Errorf("%s: %w", l.name, *failed))
	}
	merged := slices.Concat(took...)
	slices.Sort(merged)
	t = tally{PerSecond: float64(len(merged)) / long.Seconds(), P50: percentile(merged, 50), P99: percentile(merged, 99), Counted: len(merged)}
	for _, n := range all {
		t.All += n
	}
	return t, errors.Join(err, ctx.Err())
}

func call(fn func() error) error {
	if fn == nil {
		return nil
	}
	return fn()
}

func (w *window) wait(ctx context.Context, d time.Duration) {
	select {
	case <-time.After(d):
	case <-w.ran:
	case <-ctx.Done():
	}
}

func (c *client) loop(conn int, l load, w *window) (took []time.Duration, all int) {
	took = make([]time.Duration, 0, 1<<13)
	next := l.next(conn)
	if err := c.conn.SetDeadline(time.Now().Add(10 * time.Minute)); err != nil {
		w.fail(err)
		return nil, 0
	}
	for !w.stop.Load() {
		q := next()
		if q == nil {
			w.empty()
			return took, all
		}
		sent := time.Now()
		r, err := c.do(q)
		d := time.Since(sent)
		switch {
		case err != nil:
			w.fail(err)
			return took, all
		case r.status != l.want:
			w.fail(fmt.Errorf("got %.600s instead of %d to %.400q", r.head, l.want, q))
			return took, all
		case d > patience:
			w.fail(fmt.Errorf("an answer took %v", d))
			return took, all
		}
		all++
		if w.open.Load() {
			took = append(took, d)
		}
		if l.seen != nil {
			if err := l.seen(conn, r); err != nil {
				w.fail(err)
				return took, all
			}
		}
		if rest := l.pace - time.Since(sent); rest > 0 {
			time.Sleep(rest)
		}
	}
	return took, all
}

// percentile is the smallest of sorted values that p percent of them do not exceed (nearest rank).
func percentile(sorted []time.Duration, p int) time.Duration {
	if len(sorted) == 0 {
		return 0
	}
	rank := (len(sorted)*p + 99) / 100
	return sorted[max(rank, 1)-1]
}

// median of an even number of values is the lower of the middle two.
func median[T int | float64 | time.Duration](values []T) T {
	if len(values) == 0 {
		return 0
	}
	s := slices.Clone(values)
	slices.Sort(s)
	return s[(len(s)-1)/2]
}
