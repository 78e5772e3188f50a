package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strconv"
	"sync"
	"time"
)

// A modest load: two connections with 100 questions a second each.
const (
	modestConns = 2
	modestPace  = 10 * time.Millisecond
	different   = 2000 // statements that questions are like, so that most were asked before

	mostLatency = 10 * time.Millisecond // 99th percentile of a page
	mostRatio   = 3                     // of that, without what HTTP alone takes, to the floor's
	mostGrowth  = 1.5
)

// latency is how long a question took: medians of the rounds.
type latency struct{ p50, p99 time.Duration }

func (l latency) String() string {
	return fmt.Sprintf("%s, %s", milliseconds(l.p50), milliseconds(l.p99))
}

// growth is the latency of each question at a size of the store.
type growth struct {
	size int
	took []latency
}

// times collects the rounds of one question.
type times struct {
	p50, p99 []time.Duration
	others   []float64
}

func (t *times) add(got tally) {
	t.p50, t.p99, t.others = append(t.p50, got.P50), append(t.p99, got.P99), append(t.others, got.Others)
}

func (t *times) latency() latency { return latency{median(t.p50), median(t.p99)} }

// latencies measures each question at a modest load, in turns with the same question sent straight to the engine, and then
// what HTTP alone takes for an answer of that length.
func (s *site) latencies(ctx context.Context, size int) (g growth, err error) {
	g.size = size
	for _, q := range questions {
		var ours, floors times
		var engineRows float64
		rows := &counted{}
		for range s.rounds {
			t, _, err := calmly(s, func() (tally, float64, error) {
				l := s.world.asks(q, "", size, different)
				l.conns, l.seen = modestConns, rows.seen
				if _, err := drive(ctx, s.world.address, l, span{warm: s.warm}); err != nil {
					return tally{}, 0, err
				}
				l.pace = modestPace
				t, err := s.drive(ctx, l)
				return t, t.Others, err
			})
			if err != nil {
				return g, err
			}
			ours.add(t)
			if t, _, err = calmly(s, func() (t tally, others float64, err error) {
				t, engineRows, err = s.askFloor(ctx, q, size)
				return t, t.Others, err
			}); err != nil {
				return g, err
			}
			floors.add(t)
		}
		plain, err := s.bareHTTP(ctx, rows.size(), modestConns, modestPace)
		if err != nil {
			return g, err
		}
		bare := latency{plain.P50, plain.P99}
		took, floor := ours.latency(), floors.latency()
		g.took = append(g.took, took)
		ratio := func(a, b time.Duration) float64 { return float64(a) / float64(max(b, 1)) }
		r := result{engine: s.engine, title: fmt.Sprintf("Latency %s (%s; the engine: %.3g) of %s statements; HTTP alone %s", q.title, rows, engineRows, thousands(size), bare),
			p50: milliseconds(took.p50), p99: milliseconds(took.p99), floor: floor.String(), others: fmt.Sprintf("%.2f", median(ours.others)),
			ratio: fmt.Sprintf("%.2f, %.2f", ratio(took.p50, floor.p50), ratio(took.p99, floor.p99))}
		r.judge(took.p99 <= mostLatency && took.p99 <= mostRatio*floor.p99+bare.p99, fmt.Sprintf("p99 ≤ %v and ≤ %d × floor and HTTP alone", mostLatency, mostRatio))
		s.results = append(s.results, r)
		s.say("%-9s latency    %s: %s; floor %s; HTTP alone %s", s.engine, q.title, took, floor, bare)
	}
	return g, nil
}

// askFloor asks the engine as often as the product is asked, and returns how many rows an answer has.
func (s *site) askFloor(ctx context.Context, q question, size int) (t tally, rows float64, err error) {
	took, counts, errs := make([][]time.Duration, modestConns), make([]int, modestConns), make([]error, modestConns)
	meter := meterOf(s.server.pid(), s.database)
	if err := meter.begin(); err != nil {
		return t, 0, err
	}
	start := time.Now()
	var work sync.WaitGroup
	for i := range modestConns {
		ask, done, err := s.floor.asker(ctx, i, q.sql)
		if err != nil {
			return t, 0, err
		}
		m := newMaker(i, 1)
		work.Go(func() {
			plan := schedule{due: start.Add(time.Duration(i) * modestPace / modestConns)}
			for time.Since(start) < s.warm+s.seconds && errs[i] == nil {
				args := q.args(q.draw(m, size, different))
				sent := plan.wait()
				n := 0
				if errs[i] = ask(args, func([]byte) { n++ }); sent.Sub(start) >= s.warm {
					plan.pace = modestPace
					took[i] = append(took[i], time.Since(sent))
					counts[i] += n
				}
			}
			errs[i] = errors.Join(errs[i], done())
		})
	}
	work.Wait()
	if err := errors.Join(append(errs, meter.end())...); err != nil {
		return t, 0, fmt.Errorf("floor %s: %w", q.title, err)
	}
	all := slices.Concat(took...)
	slices.Sort(all)
	for _, n := range counts {
		rows += float64(n)
	}
	return tally{P50: percentile(all, 50), P99: percentile(all, 99), Others: meter.others}, rows / float64(max(len(all), 1)), nil
}

// bareHTTP has so many bytes answered by a handler that has them in memory; pace 0 is as fast as it goes.
func (s *site) bareHTTP(ctx context.Context, size, conns int, pace time.Duration) (t tally, err error) {
	p, err := spawn(ctx, filepath.Join(s.dir, "bare.log"), "bare")
	if err != nil {
		return t, err
	}
	request := get(p.address, "/bytes/"+strconv.Itoa(size))
	l := load{name: "bare", want: 200, conns: conns, pace: pace, next: func(int) func() []byte { return func() []byte { return request } }}
	meter := meterOf(p.pid(), "")
	t, err = drive(ctx, p.address, l, span{s.warm, s.seconds, meter.begin, meter.end})
	t.Others = meter.others
	return t, errors.Join(err, p.end())
}

// growth compares the latencies at the largest size with those at the smallest.
func (s *site) growth(grown []growth) {
	if len(grown) < 2 {
		return
	}
	first, last := grown[0], grown[len(grown)-1]
	for i, q := range questions {
		ratio := float64(last.took[i].p99) / float64(first.took[i].p99)
		r := result{engine: s.engine, title: fmt.Sprintf("Growth of the latency %s from %s to %s statements (p50, p99); floor: the smaller", q.title, thousands(first.size), thousands(last.size)),
			p50: milliseconds(last.took[i].p50), p99: milliseconds(last.took[i].p99), floor: first.took[i].String(),
			ratio: fmt.Sprintf("%.2f, %.2f", float64(last.took[i].p50)/float64(first.took[i].p50), ratio)}
		r.judge(ratio <= mostGrowth, fmt.Sprintf("p99 ≤ %.1f ×", mostGrowth))
		s.results = append(s.results, r)
	}
}
