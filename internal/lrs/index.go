package lrs

import (
	"cmp"
	"context"
	"errors"
	"math"
	"slices"
	"time"

	"rollway/internal/chore"
	"rollway/internal/db"
	"rollway/internal/id"
)

const (
	indexFrom    = 65_536 // statements that are remembered before they are written to the index together: the more, the fewer rows they become
	indexEvery   = 250 * time.Millisecond
	indexBehind  = 2 * indexFrom // from so many on it is written without a rest
	partRows     = 1024          // rows of it in a transaction
	partRowsLite = 64            // where others wait for that
	partRest     = 12            // times as long as the last took is left to others before the next, at most: see rest
	indexLease   = time.Minute   // how long one node does it alone
)

// Run writes the index of what has been stored, many statements at a time, until ctx ends. It reports each error and goes
// on: what is not in the index yet is found all the same, and remembered in memory.
func (s *Store) Run(ctx context.Context, report func(error)) {
	chore.Every(ctx, indexEvery, func(ctx context.Context) error { return s.index(ctx, indexFrom) }, report)
}

// index reads on, and writes the index when at least so many statements are not in it.
func (s *Store) index(ctx context.Context, from int) error {
	if err := s.catchUp(ctx); err != nil || s.tail.count() < max(from, 1) {
		return err
	}
	return s.writeIndex(ctx)
}

// catchUp remembers what has come, and forgets what is in the index, which another node may have written.
func (s *Store) catchUp(ctx context.Context) error {
	until, err := s.settled(ctx)
	if err != nil {
		return err
	}
	var indexed int64
	err = s.db.Read(ctx, func(tx *db.Tx) error {
		if err := s.tail.readOn(ctx, tx, until); err != nil {
			return err
		}
		return tx.Row(ctx, "SELECT indexed FROM statement_index").Scan(&indexed)
	})
	if err == nil {
		s.tail.forget(indexed)
	}
	return err
}

// settled is a position up to which nothing can come any more. On SQLite every snapshot is settled: positions are given out
// by the transaction that commits them, one at a time.
func (s *Store) settled(ctx context.Context) (int64, error) {
	if s.db.Engine() == db.SQLite {
		return math.MaxInt64, nil
	}
	t, err := s.through(ctx)
	return int64(At(t)), err
}

// blockRow is a row of the index.
type blockRow struct {
	org        id.OrgID
	key, first int64
	positions  []int64
}

// rows makes the index of all that is remembered, in order of its primary key.
func (t *tail) rows() (rows []blockRow, through int64) {
	t.mu.RLock()
	rows, through = make([]blockRow, 0, len(t.lists)), t.through
	for at, list := range t.lists {
		for block := range slices.Chunk(list, blockLen) {
			rows = append(rows, blockRow{at.org, at.key, block[0], block})
		}
	}
	t.mu.RUnlock()
	slices.SortFunc(rows, func(a, b blockRow) int {
		return cmp.Or(cmp.Compare(a.org, b.org), cmp.Compare(a.key, b.key), cmp.Compare(a.first, b.first))
	})
	return rows, through
}

// What a node wrote that was killed before it was done is written again: the blocks begin alike, and are as long or longer.
var insertBlocks = db.NewBulk("statement_postings", "ON CONFLICT (org_id, key, first) DO UPDATE SET more = excluded.more",
	db.Column{Name: "org_id", Type: "bigint"}, db.Column{Name: "key", Type: "bigint"}, db.Column{Name: "first", Type: "bigint"}, db.Column{Name: "more", Type: "bytea"})

// writeIndex writes all that is remembered, then up to which position that is, unless another node is at it or was.
func (s *Store) writeIndex(ctx context.Context) error {
	var lease int64
	err := s.db.Write(ctx, func(tx *db.Tx) (err error) {
		lease, err = s.lease(ctx, tx, "busy_until < "+s.db.Engine().Clock()+" AND indexed = ?", s.tail.base())
		return err
	})
	if err != nil || lease == 0 {
		return err
	}
	if err := s.catchUp(ctx); err != nil { // so that this reaches as far as what a node wrote that was killed
		return err
	}
	rows, through := s.tail.rows()
	most := partRows
	if s.db.Engine() == db.SQLite {
		most = partRowsLite
	}
	for part := range slices.Chunk(rows, most) {
		begun := time.Now()
		if lease, err = s.writeBlocks(ctx, part, lease); err != nil {
			return err
		}
		if err := s.rest(ctx, time.Since(begun)); err != nil {
			return err
		}
	}
	err = s.db.Write(ctx, func(tx *db.Tx) error {
		n, err := tx.Exec(ctx, "UPDATE statement_index SET busy_until = 0, indexed = ? WHERE busy_until = ?", through, lease)
		if err == nil && n == 0 {
			err = errOutlived
		}
		return err
	})
	if err == nil {
		s.tail.forget(through)
	}
	return err
}

// rest leaves the database to others after a part that took so long. The index of indexFrom statements is spread over about
// the time in which as many come, until so much has come that it must be written.
func (s *Store) rest(ctx context.Context, took time.Duration) error {
	if err := s.catchUp(ctx); err != nil {
		return err
	}
	ahead := min(float64(indexBehind-s.tail.count())/(indexBehind-indexFrom), 1)
	if ahead <= 0 {
		return nil
	}
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(min(time.Duration(partRest*ahead*float64(took)), indexEvery)):
		return nil
	}
}

var errOutlived = errors.New("lrs: this process took longer than its lease of the index, which another may have taken over")

// lease takes or prolongs the lease if the condition holds. It returns its end, which names it; 0 if it does not hold.
func (s *Store) lease(ctx context.Context, tx *db.Tx, free string, arg int64) (end int64, err error) {
	text := "UPDATE statement_index SET busy_until = " + s.db.Engine().Clock() + " + ? WHERE " + free + " RETURNING busy_until"
	err = tx.Row(ctx, text, indexLease.Microseconds(), arg).Scan(&end)
	if errors.Is(err, db.ErrNoRows) {
		err = nil
	}
	return end, err
}

// writeBlocks writes rows and prolongs the lease. It keeps nothing when the lease is another's by now: blocks of two nodes
// that began at different positions would hide each other's.
func (s *Store) writeBlocks(ctx context.Context, rows []blockRow, lease int64) (prolonged int64, err error) {
	values := make([][]any, len(rows))
	for i, r := range rows {
		values[i] = []any{int64(r.org), r.key, r.first, appendBlock(make([]byte, 0, 6*len(r.positions)), r.positions)}
	}
	err = s.db.Write(ctx, func(tx *db.Tx) error {
		if err := insertBlocks.Insert(ctx, tx, values); err != nil {
			return err
		}
		prolonged, err = s.lease(ctx, tx, "busy_until = ?", lease)
		if err == nil && prolonged == 0 {
			err = errOutlived
		}
		return err
	})
	return prolonged, err
}
