package db

import (
	"context"
	"errors"
	"runtime"
	"slices"
	"sync"
	"time"

	"rollway/internal/fault"
)

// Group gathers what many callers want written at the same time and writes it in few transactions, which is what makes
// durable single writes fast. While one batch is being made durable the next one gathers; none waits for more to come. Who
// comes when nothing is going on writes without waking somebody else, which takes longer than many a write.
//
// On PostgreSQL several transactions may be under way. Each costs both sides as much as several items do, so that another one
// begins only for much that waits, or when those under way take long.
type Group[T any] struct {
	db      *DB
	alone   bool // SQLite: each item is a transaction function of its own, its writer gathers them
	rows    func(T) int
	write   func(ctx context.Context, tx *Tx, items []T) error
	writers int // the most transactions at a time
	most    int // rows of several items
	stop    chan struct{}

	mu      sync.Mutex
	busy    int // transactions under way
	late    int // those of them that take long
	waiting []*member[T]
	much    int // rows of waiting
	closed  bool
}

type member[T any] struct {
	ctx  context.Context
	item T
	rows int
	err  error
	done chan struct{}
}

const (
	groupCap  = 100                  // items in one transaction, at most
	groupMuch = 64                   // rows that wait, for another transaction to begin
	groupLong = 3 * time.Millisecond // that one takes, for another to begin

	// The most rows of several items in one transaction. On PostgreSQL more of them cost more each; on SQLite it is the commit
	// that costs.
	groupRows, groupRowsLite = 100, 1000
)

// NewGroup starts a group whose write function stores several items in one transaction, so many rows for each. It may run more
// than once for the same items: after an error each is tried alone, so that one bad item fails only itself, unless it is the
// database that is not there.
func NewGroup[T any](d *DB, rows int, write func(ctx context.Context, tx *Tx, items []T) error) *Group[T] {
	g := NewGathered(d, func(T) int { return rows }, write)
	g.alone = d.engine == SQLite
	return g
}

// NewGathered is [NewGroup] for items that are cheaper together than one by one on SQLite too, and of which few fail: there
// as well one transaction function then stores many. rows tells how many an item has.
func NewGathered[T any](d *DB, rows func(T) int, write func(ctx context.Context, tx *Tx, items []T) error) *Group[T] {
	g := &Group[T]{db: d, rows: rows, write: write, writers: d.writers, most: groupRows, stop: make(chan struct{})}
	if d.engine == SQLite {
		g.writers, g.most = 1, groupRowsLite
	}
	return g
}

// Do writes the item and returns when it is durable.
func (g *Group[T]) Do(ctx context.Context, item T) error {
	if g.alone {
		return g.db.Write(ctx, func(tx *Tx) error { return g.write(ctx, tx, []T{item}) })
	}
	m := &member[T]{ctx: ctx, item: item, rows: g.rows(item), done: make(chan struct{})}
	lead, err := g.join(m)
	if err != nil {
		return err
	}
	if lead {
		runtime.Gosched() // for those who are about to come
		g.lead()
	}
	select {
	case <-m.done:
		return m.err
	case <-g.stop:
	}
	select {
	case <-m.done:
		return m.err
	default:
		return fault.New(fault.Unavailable, "stopping", "The server is stopping; send this again.")
	}
}

// join has the member wait, and tells whether a transaction is to begin.
func (g *Group[T]) join(m *member[T]) (begins bool, err error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.closed {
		return false, errClosed
	}
	g.waiting = append(g.waiting, m)
	g.much += m.rows
	return g.begins(), nil
}

// begins takes a writer for those who wait, if one is free and they should not wait for one that is busy.
func (g *Group[T]) begins() bool {
	if g.busy == g.writers || g.busy > g.late && g.much < groupMuch {
		return false
	}
	g.busy++
	return true
}

// lead writes a batch, and has the others written by somebody else.
func (g *Group[T]) lead() {
	batch := g.next()
	if batch == nil {
		return
	}
	g.commit(batch)
	if more := g.next(); more != nil {
		go g.run(more)
	}
}

func (g *Group[T]) run(batch []*member[T]) {
	for ; batch != nil; batch = g.next() {
		g.commit(batch)
	}
}

// next takes the next batch, or gives the writer back.
func (g *Group[T]) next() []*member[T] {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.closed || len(g.waiting) == 0 {
		g.busy--
		return nil
	}
	n, rows := 0, 0
	for n < min(len(g.waiting), groupCap) && (n == 0 || rows+g.waiting[n].rows <= g.most) {
		rows += g.waiting[n].rows
		n++
	}
	batch := slices.Clone(g.waiting[:n])
	g.waiting = slices.Delete(g.waiting, 0, n)
	g.much -= rows
	return batch
}

// Close ends the group. Items that were not acknowledged may or may not have been written.
func (g *Group[T]) Close() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.closed = true
	close(g.stop)
}

// commit writes a batch and tells its members. Of one that panics nobody knows what was written.
func (g *Group[T]) commit(batch []*member[T]) {
	if g.writers > 1 {
		defer g.watch()()
	}
	defer func() {
		p := recover()
		for _, m := range batch {
			if p != nil {
				m.err = panicked(p)
			}
			close(m.done)
		}
	}()
	g.try(batch)
}

// watch begins another transaction when this one takes long and somebody waits. It returns what ends it.
func (g *Group[T]) watch() (end func()) {
	long, over := false, false
	timer := time.AfterFunc(groupLong, func() {
		g.mu.Lock()
		if over {
			g.mu.Unlock()
			return
		}
		long = true
		g.late++
		begins := len(g.waiting) > 0 && g.begins()
		g.mu.Unlock()
		if begins {
			g.lead()
		}
	})
	return func() {
		timer.Stop()
		g.mu.Lock()
		defer g.mu.Unlock()
		if over = true; long {
			g.late--
		}
	}
}

// try writes the items of those who still want it.
func (g *Group[T]) try(batch []*member[T]) {
	live := batch[:0:0]
	for _, m := range batch {
		if m.err = m.ctx.Err(); m.err == nil {
			live = append(live, m)
		}
	}
	if len(live) == 0 {
		return
	}
	err := g.attempt(live)
	if err == nil {
		return
	}
	// A database that cannot be reached is to be waited for by none of them one after the other.
	together := len(live) == 1 || fault.Is(err, fault.Unavailable)
	for _, m := range live {
		if m.err = err; !together {
			m.err = g.attempt([]*member[T]{m})
		}
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
