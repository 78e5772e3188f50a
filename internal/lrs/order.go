package lrs

import (
	"container/list"
	"context"
	"sync"
	"time"

	"rollway/internal/db"
)

// A position (pos) is a statement's place in the order of the store: the millisecond of stored, then 20 bits that tell
// apart the statements of one millisecond.
const (
	tieBits   = 20
	blockBits = 10 // PostgreSQL: of these, which transaction of the millisecond, then which statement of it
)

func storedAt(pos int64) time.Time { return time.UnixMilli(pos >> tieBits).UTC() }

// order gives out positions and knows up to which millisecond nothing can come any more. See DESIGN.md.
type order struct {
	mu      sync.Mutex
	last    int64     // SQLite: the greatest position given out
	floor   int64     // PostgreSQL: a millisecond that all stamps of this process must be after
	covered int64     // the greatest millisecond that ConsistentThrough has answered
	open    list.List // SQLite: the first positions of writes that are not durable yet, ascending

	settled time.Time // when the last write of this process was over

	asking sync.Mutex // held by who finds a new answer
	answer time.Time  // the last one
	at     time.Time  // when somebody began to find it
}

func (s *Store) openOrder(ctx context.Context) error {
	return s.db.Read(ctx, func(tx *db.Tx) error {
		err := tx.Row(ctx, "SELECT coalesce(max((SELECT max(s.pos) FROM statements s WHERE s.org_id = o.id)), 0) FROM organizations o").Scan(&s.order.last)
		s.order.floor = s.order.last >> tieBits
		return err
	})
}

// stamp is where the positions of one transaction come from.
type stamp struct {
	first int64
	block bool
}

// at is the position of the transaction's statement i.
func (t stamp) at(i int) int64 {
	if !t.block {
		return t.first + int64(i)
	}
	return t.first + int64(i>>blockBits)<<tieBits + int64(i&(1<<blockBits-1))
}

// stampLite gives out n positions: now, but after all given out and covered before, by another process too, whose greatest
// is last. They are in o.open until the put is settled.
func (o *order) stampLite(now time.Time, last int64, n int, p *put) stamp {
	o.mu.Lock()
	defer o.mu.Unlock()
	first := max(now.UnixMilli(), o.covered+1) << tieBits
	first = max(first, o.last+1, last+1)
	o.last = first + int64(n) - 1
	p.stamps = append(p.stamps, o.open.PushBack(first))
	return stamp{first: first}
}

// settle is told when a write is over, whatever became of it.
func (o *order) settle(p *put) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.settled = time.Now()
	for _, e := range p.stamps {
		o.open.Remove(e)
	}
}

// lockStamp takes the lock that tells readers of a transaction on PostgreSQL which will ask for the time in a later statement.
const lockStamp = "pg_advisory_xact_lock_shared(floor(extract(epoch FROM clock_timestamp()) * 1000000)::bigint)"

// askStamp asks, once that lock is taken, for the time and a block of positions; the stamp is set at the next flush.
func (o *order) askStamp(ctx context.Context, tx *db.Tx, t *stamp) error {
	return tx.Ask(ctx, "SELECT floor(extract(epoch FROM clock_timestamp()) * 1000)::bigint, nextval('statement_blocks')", nil, func(r *db.Rows) error {
		var ms, block int64
		if err := r.Scan(&ms, &block); err != nil {
			return err
		}
		o.mu.Lock()
		defer o.mu.Unlock()
		if ms <= o.floor { // the clock went back: a millisecond for each transaction until it has caught up
			o.floor++
			ms = o.floor
		}
		*t = stamp{ms<<tieBits | block<<blockBits, true}
		return nil
	})
}

// How long an answer of PostgreSQL is used again: nothing is wrong with an old one, it only lags.
const (
	answerFor   = 50 * time.Millisecond  // when this process has not written since
	answerAfter = 5 * time.Millisecond   // when it has
	answerStill = 250 * time.Millisecond // while a newer one is being looked for
	answerAlong = time.Second            // where it only goes along, on SQLite as well
)

// ConsistentThrough is the time up to which (inclusive) every statement is to be seen by a query that starts after this
// call: later ones are stored at a later millisecond. It is what X-Experience-API-Consistent-Through says (Communication
// 2.1), on every node that shares the database. On PostgreSQL it lags by up to 250 ms.
func (s *Store) ConsistentThrough(ctx context.Context) (time.Time, error) {
	if s.db.Engine() == db.SQLite {
		return s.liteThrough(ctx, false)
	}
	if t, age, _ := s.order.latest(); age < answerStill {
		s.refresh()
		return t, nil
	}
	return s.through(ctx)
}

// ThroughAlong is ConsistentThrough with a lag of up to a second more, which costs next to nothing: for answers to what is no
// query, which nobody goes on from.
func (s *Store) ThroughAlong(ctx context.Context) (time.Time, error) {
	if t, age, _ := s.order.latest(); age < answerAlong {
		return t, nil
	}
	return s.ConsistentThrough(ctx)
}

// through is ConsistentThrough without that lag, for what takes longer anyway and should come to its end: it covers all that
// this process has stored.
func (s *Store) through(ctx context.Context) (time.Time, error) {
	o := &s.order
	time.Sleep(o.unsettled())
	if s.db.Engine() == db.SQLite {
		return s.liteThrough(ctx, true)
	}
	o.asking.Lock()
	defer o.asking.Unlock()
	if t, age, covers := o.latest(); age < answerFor && covers {
		return t, nil
	}
	return s.askThrough(ctx)
}

// latest is the last answer, and whether it covers all that this process has stored.
func (o *order) latest() (answer time.Time, age time.Duration, covers bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.answer, time.Since(o.at), o.at.Sub(o.settled) >= time.Millisecond
}

// unsettled is how long it takes until the millisecond is over in which this process stored something last: no answer before
// covers that.
func (o *order) unsettled() time.Duration {
	o.mu.Lock()
	defer o.mu.Unlock()
	return time.Millisecond - time.Since(o.settled)
}

// askThrough finds a new answer. The caller holds o.asking.
func (s *Store) askThrough(ctx context.Context) (time.Time, error) {
	o := &s.order
	at := time.Now()
	ms, err := s.oldestWrite(ctx)
	if err != nil {
		return time.Time{}, err
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	o.answer, o.at = o.cover(ms), at
	return o.answer, nil
}

// refresh has a new answer found, and what has been stored until then remembered, while requests go on with the last. When
// that fails, the last answer is given up: who asks next has to wait for one, and is told why there is none.
func (s *Store) refresh() {
	o := &s.order
	if !o.asking.TryLock() {
		return
	}
	if _, age, covers := o.latest(); age < answerAfter || age < answerFor && covers {
		o.asking.Unlock()
		return
	}
	go func() {
		ctx := context.Background()
		through, err := s.askThrough(ctx)
		o.asking.Unlock()
		if err == nil {
			err = s.db.Read(ctx, func(tx *db.Tx) error { return s.tail.readOn(ctx, tx, int64(At(through))) })
		}
		if err != nil {
			o.mu.Lock()
			o.at = time.Time{}
			o.mu.Unlock()
		}
	}()
}

// cover answers for everything before the millisecond, and sees to it that nothing is stamped so any more.
func (o *order) cover(ms int64) time.Time {
	o.covered = max(o.covered, ms-1)
	o.floor = max(o.floor, o.covered)
	return time.UnixMilli(o.covered).UTC()
}

// oldestWrite is the millisecond in which the oldest write under way may have been stamped, or now. The clock is read
// before the locks: a transaction that is not among them yet will be stamped later.
func (s *Store) oldestWrite(ctx context.Context) (ms int64, err error) {
	err = s.db.Read(ctx, func(tx *db.Tx) error {
		read := func(dest *int64) func(*db.Rows) error {
			return func(r *db.Rows) error { return r.Scan(dest) }
		}
		var now, lock int64
		if err := tx.Ask(ctx, "SELECT floor(extract(epoch FROM clock_timestamp()) * 1000000)::bigint", nil, read(&now)); err != nil {
			return err
		}
		// Other shared locks of the house have keys that are hashes: none that looks like a time of these days.
		const locks = `SELECT coalesce(min(key), 9223372036854775807) FROM (
			SELECT classid::bigint << 32 | objid::bigint AS key FROM pg_locks
			WHERE locktype = 'advisory' AND objsubid = 1 AND mode = 'ShareLock'
			AND database = (SELECT oid FROM pg_database WHERE datname = current_database())) k
			WHERE key > (extract(epoch FROM clock_timestamp()) * 1000000)::bigint - 3600000000 AND key < (extract(epoch FROM clock_timestamp()) * 1000000)::bigint + 3600000000`
		if err := tx.Ask(ctx, locks, nil, read(&lock)); err != nil {
			return err
		}
		if err := tx.Flush(ctx); err != nil {
			return err
		}
		ms = min(now, lock) / 1000
		return nil
	})
	return ms, err
}
