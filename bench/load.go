package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// load is a kind of request and how it is to be answered. next makes the source of one connection's requests: each call
// returns a request, valid until the next call, or nil when there are no more.
type load struct {
	name  string
	want  int // status
	next  func(conn int) func() []byte
	conns int // keep-alive connections
	// pace is the least time from one request of a connection to its next. offered makes requests due that often, whether
	// the last was answered or not.
	pace    time.Duration
	offered bool
	// tolerant counts wrong answers; otherwise the first ends the load.
	tolerant bool
	// record is told when each right answer came and how long it took.
	record func(conn int, at time.Time, took time.Duration)
	// seen is told of each right answer; the request is the one that it answers.
	seen func(conn int, r reply) error
}

// tally is what came of a load.
type tally struct {
	PerSecond float64
	P50, P99  time.Duration
	All       int           // requests answered, with those before and after the measured time
	Counted   int           // requests answered in the measured time
	Wrong     int           // of all answers, not as they should be
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
func drive(ctx context.Context, address string, l load, s span) (t tally, err error) {
	clients := make([]*client, l.conns)
	for i := range clients {
		if clients[i], err = dial(ctx, address); err != nil {
			return t, err
		}
		defer clients[i].close() // nothing is pending on it then
	}
	w := &window{ran: make(chan struct{})}
	took := make([][]time.Duration, l.conns)
	all, wrong := make([]int, l.conns), make([]int, l.conns)
	var work sync.WaitGroup
	for i, c := range clients {
		work.Go(func() { took[i], all[i], wrong[i] = c.loop(i, l, w) })
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
	for i, n := range all {
		t.All += n
		t.Wrong += wrong[i]
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

func (c *client) loop(conn int, l load, w *window) (took []time.Duration, all, wrong int) {
	took = make([]time.Duration, 0, 1<<13)
	next := l.next(conn)
	plan := schedule{l.pace, l.offered, time.Now().Add(time.Duration(conn) * l.pace / time.Duration(l.conns))}
	for !w.stop.Load() {
		q := next()
		if q == nil {
			w.empty()
			return took, all, wrong
		}
		sent := plan.wait()
		r, err := c.do(q)
		now := time.Now()
		d := now.Sub(sent)
		all++
		if err == nil && r.status != l.want {
			if wrong++; l.tolerant {
				if wrong == 1 {
					fmt.Fprintf(os.Stderr, "%s: got %.600s %.600s instead of %d\n", l.name, r.head, r.body, l.want)
				}
				continue
			}
			err = fmt.Errorf("got %.600s instead of %d to %.400q", r.head, l.want, q)
		} else if err == nil && d > patience {
			err = fmt.Errorf("an answer took %v", d)
		}
		if err != nil {
			w.fail(err)
			return took, all, wrong
		}
		if w.open.Load() {
			took = append(took, d)
		}
		if l.record != nil {
			l.record(conn, now, d)
		}
		if l.seen != nil {
			if err := l.seen(conn, r); err != nil {
				w.fail(err)
				return took, all, wrong
			}
		}
	}
	return took, all, wrong
}

// schedule says when requests are to be sent.
type schedule struct {
	pace    time.Duration
	offered bool
	due     time.Time
}

// wait waits until the next request is due and returns the time that its answer's latency counts from. One that is offered
// and was due while the last was still being answered counts from when it was due, so that a pause counts for all that it
// held up; more than a second of that is not made up for.
func (s *schedule) wait() time.Time {
	now := time.Now()
	if s.pace == 0 {
		return now
	}
	if late := now.Sub(s.due); late > time.Second || late > 0 && !s.offered {
		s.due = now
	}
	from := s.due
	s.due = from.Add(s.pace)
	if rest := from.Sub(now); rest > 0 {
		time.Sleep(rest)
		from = time.Now()
	}
	return from
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
