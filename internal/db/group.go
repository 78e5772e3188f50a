package db

import (
	"context"
	"errors"

	"rollway/internal/fault"
)

// Group gathers what many callers want written at the same time and writes it in few transactions, which is what makes
// durable single writes fast. While one batch is being made durable the next one gathers; there is no timer.
type Group[T any] struct {
	db    *DB
	alone bool // SQLite: each item is a transaction function of its own, its writer gathers them
	write func(ctx context.Context, tx *Tx, items []T) error
	items chan *member[T]
	stop  chan struct{}
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
	g := newGroup(d, write)
	if g.alone = d.engine == SQLite; !g.alone {
		g.start(d.writers)
	}
	return g
}

// NewGathered is [NewGroup] for items that are cheaper together than one by one on SQLite too, and of which few fail: there
// as well one transaction function then stores many.
func NewGathered[T any](d *DB, write func(ctx context.Context, tx *Tx, items []T) error) *Group[T] {
	g := newGroup(d, write)
	if d.engine == SQLite {
		g.start(1)
	} else {
		g.start(d.writers)
	}
	return g
}

func newGroup[T any](d *DB, write func(ctx context.Context, tx *Tx, items []T) error) *Group[T] {
	return &Group[T]{db: d, write: write, items: make(chan *member[T], groupCap), stop: make(chan struct{})}
}

func (g *Group[T]) start(writers int) {
	for range writers {
		go g.run()
	}
}

// Do writes the item and returns when it is durable.
func (g *Group[T]) Do(ctx context.Context, item T) error {
	if g.alone {
		return g.db.Write(ctx, func(tx *Tx) error { return g.write(ctx, tx, []T{item}) })
	}
	m := &member[T]{ctx: ctx, item: item, done: make(chan struct{})}
	select {
	case g.items <- m:
	case <-g.stop:
		return errClosed
	case <-ctx.Done():
		return ctx.Err()
	}
	select {
	case <-m.done:
		return m.err
	case <-g.stop:
		return fault.New(fault.Unavailable, "stopping", "The server is stopping; send this again.")
	}
}

// Close ends the group. Items that were not acknowledged may or may not have been written.
func (g *Group[T]) Close() { close(g.stop) }

func (g *Group[T]) run() {
	batch := make([]*member[T], 0, groupCap)
	for {
		select {
		case m := <-g.items:
			batch = append(batch[:0], m)
		case <-g.stop:
			return
		}
	drain:
		for len(batch) < groupCap {
			select {
			case m := <-g.items:
				batch = append(batch, m)
			default:
				break drain
			}
		}
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
