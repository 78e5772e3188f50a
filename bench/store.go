package main

import (
	"bytes"
	"context"
	"fmt"
	"sync/atomic"
	"time"
)

// reading measures a store that holds many statements: at each size the latency of questions, at the last one all else.
func (s *site) reading(ctx context.Context) error {
	return s.serving(ctx, func(ctx context.Context) error {
		var grown []growth
		var next atomic.Uint64
		held := 0
		for _, size := range s.sizes {
			if err := s.fill(ctx, held, size, &next); err != nil {
				return fmt.Errorf("filling: %w", err)
			}
			held = size
			if !s.wants("latency") {
				continue
			}
			g, err := s.latencies(ctx, size)
			if err != nil {
				return err
			}
			grown = append(grown, g)
			if err := s.peak("a store filled to " + thousands(size) + " statements and asked for them"); err != nil {
				return err
			}
		}
		s.growth(grown)
		if len(grown) == 0 {
			if err := s.peak("filling a store to " + thousands(held) + " statements"); err != nil {
				return err
			}
		}
		for _, m := range []struct {
			name, memory string
			run          func(context.Context) error
		}{
			{"reads", "reading as fast as it goes", s.reads}, {"pages", "", s.pages}, {"cases", "the use cases that read", s.readCases},
			{"soak", "the soak", s.soaked}, {"cases", "the use cases that write", s.writeCases},
		} {
			if !s.wants(m.name) {
				continue
			}
			if err := m.run(ctx); err != nil {
				return fmt.Errorf("%s: %w", m.name, err)
			}
			if m.memory != "" {
				if err := s.peak(m.memory); err != nil {
					return err
				}
			}
		}
		return nil
	})
}

// fill brings the store to a size by way of the product's own door, and the floor's tables to the same statements.
func (s *site) fill(ctx context.Context, from, to int, next *atomic.Uint64) error {
	start := time.Now()
	t, err := drive(ctx, s.world.address, s.world.filling(from, to), span{warm: 24 * time.Hour})
	if err != nil {
		return err
	}
	took := time.Since(start)
	if batches := (to - from + fillBatch - 1) / fillBatch; t.All != batches {
		return fmt.Errorf("%d of %d batches", t.All, batches)
	}
	r := result{engine: s.engine, title: fmt.Sprintf("Filling the store from %s to %s statements, %d a request, %d connections", thousands(from), thousands(to), fillBatch, fillConns), ours: perSecond(float64(to-from) / took.Seconds())}
	s.results = append(s.results, r)
	s.say("%-9s store      %s statements, %s", s.engine, thousands(to), r.ours)
	if s.wants("latency") || s.wants("reads") {
		for next.Load() < uint64(to) {
			each := min(1000, to-int(next.Load()))
			if _, err := s.floor.run(ctx, storeItem(next), each, upTo((to-int(next.Load()))/each)); err != nil {
				return err
			}
		}
		if err := holds(ctx, s.floor, floorTable.name, to); err != nil {
			return err
		}
	}
	if err := holds(ctx, s.rows, floorTable.as, to); err != nil {
		return err
	}
	return s.settle(ctx)
}

// holds makes sure that a table has so many rows.
func holds(ctx context.Context, f floor, table string, want int) error {
	n, err := f.count(ctx, table)
	if err == nil && n != want {
		err = fmt.Errorf("%s has %d rows, not %d", table, n, want)
	}
	return err
}

// settle does what autovacuum does a minute after tables have grown, and waits until the product has nothing left to do.
func (s *site) settle(ctx context.Context) error {
	for _, f := range []floor{s.floor, s.rows} {
		if pg, ok := f.(*pgFloor); ok {
			if err := pg.analyze(ctx); err != nil {
				return err
			}
		}
	}
	select {
	case <-time.After(2 * time.Second):
	case <-ctx.Done():
	}
	return ctx.Err()
}

// countStatements counts the statements of an answer.
func countStatements(body []byte) int { return bytes.Count(body, []byte(`"stored":"`)) }

// counted counts the rows and bytes of the first answers of each connection. All of them would cost the server its time.
type counted struct{ answers, rows, bytes atomic.Int64 }

func (c *counted) seen(_ int, r reply) error {
	if c.answers.Load() < 1000 {
		c.answers.Add(1)
		c.rows.Add(int64(countStatements(r.body)))
		c.bytes.Add(int64(len(r.body)))
	}
	return nil
}

// size is the bytes of an answer.
func (c *counted) size() int { return int(c.bytes.Load() / max(c.answers.Load(), 1)) }

// mean is the rows of an answer.
func (c *counted) mean() float64 { return float64(c.rows.Load()) / float64(max(c.answers.Load(), 1)) }

// String tells how many rows an answer has.
func (c *counted) String() string {
	if c.rows.Load() == c.answers.Load() {
		return "1 row"
	}
	return fmt.Sprintf("%.3g rows", c.mean())
}
