package db

import (
	"context"
	"errors"
	"slices"
	"sync"

	"rollway/internal/fault"
)

// Group gathers what many callers want written at the same time and writes it in few transactions, which is what makes
// durable single writes fast. While one batch is being made durable the next one gathers; there is no timer. Who comes when
// nothing is going on writes on its own, since waking somebody else takes longer than many a write.
type Group[T any] struct {
	db      *DB
	alone   bool // SQLite: each item is a transaction function of its own, its writer gathers them
	write   func(ctx context.Context, tx *Tx, items []T) error
	writers int // the most transactions at a time
	stop    chan struct{}

	mu      sync.Mutex
	busy    int          // transactions under way
	waiting []*member[T] // only while all writers are busy
	closed  bool
}

type member[T any] struct {
	ctx  context.Context
	item T
	err  error
	done chan struct{}
}

// groupCap is the most items in one transaction.
const groupCap = 100

// NewGroup starts a group whose write function stores several items in one transaction. It may run more than once for the
// same items: after an error each is tried alone, so that one bad item fails only itself.
func NewGroup[T any](d *DB, write func(ctx context.Context, tx *Tx, items []T) error) *Group[T] {
	g := NewGathered(d, write)
	g.alone = d.engine == SQLite
	return g
}

// NewGathered is [NewGroup] for items that are cheaper together than one by one on SQLite too, and of which few fail: there
// as well one transaction function then stores many.
func NewGathered[T any](d *DB, write func(ctx context.Context, tx *Tx, items []T) error) *Group[T] {
	g := &Group[T]{db: d, write: write, writers: d.writers, stop: make(chan struct{})}
	if d.engine == SQLite {
		g.writers = 1
	}
	return g
}

// Do writes the item and returns when it is durable.
func (g *Group[T]) Do(ctx context.Context, item T) error {
	if g.alone {
		return g.db.Write(ctx, func(tx *Tx) error { return g.write(ctx, tx, []T{item}) })
	}
	m := &member[T]{ctx: ctx, item: item}
	g.mu.Lock()
	switch {
	case g.closed:
		g.mu.Unlock()
		return errClosed
	case g.busy < g.writers:
		g.busy++
		g.mu.Unlock()
		g.commit([]*member[T]{m})
		if batch := g.next(); batch != nil {
			go g.run(batch)
		}
		return m.err
	}
	m.done = make(chan struct{})
	g.waiting = append(g.waiting, m)
	g.mu.Unlock()
	select {
	case <-m.done:
		return m.err
	case <-g.stop:
		return fault.New(fault.Unavailable, "stopping", "The server is stopping; send this again.")
	}
}

// Close ends the group. Items that were not acknowledged may or may not have been written.
func (g *Group[T]) Close() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.closed = true
	close(g.stop)
}

// next takes the next batch, or ends a writer's turn.
func (g *Group[T]) next() []*member[T] {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.closed || len(g.waiting) == 0 {
		g.busy--
		return nil
	}
	n := min(len(g.waiting), groupCap)
	batch := slices.Clone(g.waiting[:n])
	g.waiting = slices.Delete(g.waiting, 0, n)
	return batch
}

func (g *Group[T]) run(batch []*member[T]) {
	for ; batch != nil; batch = g.next() {
		g.commit(batch)
		for _, m := range batch {
			close(m.done)
		}
	}
}

func (g *Group[T]) commit(batch []*member[T]) {
	live := batch[:0:0]
	for _, m := range batch {
		if m.err = m.ctx.Err(); m.err == nil {
			live = append(live, m)
		}
	}
	if len(live) == 0 || g.attempt(live) == nil {
		return
	}
	for _, m := range live {
		m.err = g.attempt([]*member[T]{m})
	}
}

func (g *Group[T]) attempt(batch []*member[T]) error {
	items := make([]T, len(batch))
	for i, m := range batch {
		items[i] = m.item
	}
	ctx := context.WithoutCancel(batch[0].ctx) // one caller's cancellation is not the others'
	err := g.db.Write(ctx, func(tx *Tx) error { return g.write(ctx, tx, items) })
	if err != nil && len(batch) > 1 && errors.Is(err, context.Canceled) {
		return errClosed
	}
	return err
}
