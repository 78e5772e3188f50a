package db

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// batchCap is the most transactions that share one commit.
const batchCap = 200

var errClosed = errors.New("db: closed")

// job is one transaction waiting for the writer.
type job struct {
	ctx  context.Context
	fn   func(*Tx) error
	now  func() time.Time
	tx   *Tx
	err  error
	done chan struct{}
}

func (l *lite) write(ctx context.Context, now func() time.Time, fn func(*Tx) error) error {
	j := &job{ctx: ctx, fn: fn, now: now, done: make(chan struct{})}
	l.closing.RLock()
	if l.closed {
		l.closing.RUnlock()
		return errClosed
	}
	l.jobs <- j // the writer drains the channel until every sender has left
	l.closing.RUnlock()
	<-j.done
	if j.err == nil {
		j.tx.committed()
	}
	return j.err
}

// run is the writer: it takes what is waiting, runs it in one transaction and acknowledges after the commit. There is no
// timer: under load the next batch gathers while this one is being made durable.
func (l *lite) run(c *liteConn) {
	batch := make([]*job, 0, batchCap)
	for {
		select {
		case j := <-l.jobs:
			batch = append(batch[:0], j)
		case <-l.stop:
			select {
			case j := <-l.jobs:
				batch = append(batch[:0], j)
			default:
				if err := c.close(); err != nil && !errors.Is(err, context.Canceled) {
					return // closing a connection whose work is durable; nothing is lost
				}
				return
			}
		}
	drain:
		for len(batch) < batchCap {
			select {
			case j := <-l.jobs:
				batch = append(batch, j)
			default:
				break drain
			}
		}
		l.batch.Lock()
		l.commit(c, batch)
		l.batch.Unlock()
		l.unmoved.Store(true)
		for _, j := range batch {
			close(j.done)
		}
	}
}

// commit runs a batch without savepoints first, since nearly every transaction succeeds. One that fails after it changed
// something spoils the batch: then all of it is rolled back and run again with a savepoint each.
func (l *lite) commit(c *liteConn, batch []*job) {
	spoiled, err := l.attempt(c, batch, false)
	if spoiled {
		_, err = l.attempt(c, batch, true)
	}
	if err != nil {
		for _, j := range batch {
			if j.err == nil {
				j.err = err
			}
		}
	}
}

func (l *lite) attempt(c *liteConn, batch []*job, savepoints bool) (spoiled bool, err error) {
	ctx := context.Background()
	t := &liteTx{c: c, steady: true}
	if _, err := t.exec(ctx, "BEGIN IMMEDIATE", nil); err != nil {
		return false, mapError(err)
	}
	for _, j := range batch {
		if j.err = j.ctx.Err(); j.err != nil {
			continue
		}
		if savepoints {
			err = l.runInSavepoint(ctx, t, j)
		} else {
			spoiled = j.run(t)
		}
		if spoiled || err != nil {
			_, back := t.exec(ctx, "ROLLBACK", nil)
			return spoiled, errors.Join(err, mapError(back))
		}
	}
	if _, err := t.exec(ctx, "COMMIT", nil); err != nil {
		// SQLite may or may not have ended the transaction; when it has, the second error says so in the log.
		_, back := t.exec(ctx, "ROLLBACK", nil)
		return false, errors.Join(fmt.Errorf("commit: %w", mapError(err)), back)
	}
	return false, nil
}

// run calls the transaction function and reports whether it failed after changing something.
func (j *job) run(t *liteTx) (spoiled bool) {
	before := t.changed
	j.tx = &Tx{Engine: SQLite, s: t, now: j.now, write: true}
	j.err = guard(j.tx, j.fn)
	if j.err == nil && j.tx.open {
		j.err = errRowsOpen
	}
	return j.err != nil && t.changed != before
}

func (l *lite) runInSavepoint(ctx context.Context, t *liteTx, j *job) error {
	if _, err := t.exec(ctx, "SAVEPOINT one", nil); err != nil {
		return mapError(err)
	}
	if j.run(t); j.err != nil {
		if _, err := t.exec(ctx, "ROLLBACK TO one", nil); err != nil {
			return mapError(err)
		}
	}
	_, err := t.exec(ctx, "RELEASE one", nil)
	return mapError(err)
}
