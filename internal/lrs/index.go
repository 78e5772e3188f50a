package lrs

import (
	"cmp"
	"context"
	"math"
	"slices"
	"time"

	"rollway/internal/db"
	"rollway/internal/id"
)

const (
	indexFrom  = 16_384 // statements that are remembered before they are written to the index together
	indexEvery = 250 * time.Millisecond
	indexParts = 64          // transactions that this is spread over, so that others do not wait for it long
	partRows   = 256         // but no fewer rows in one
	indexLease = time.Minute // how long one node does it alone
)

// Run writes the index of what has been stored, many statements at a time, until ctx ends. It reports each error and goes
// on: what is not in the index yet is found all the same, and remembered in memory.
func (s *Store) Run(ctx context.Context, report func(error)) {
	tick := time.NewTicker(indexEvery)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			if err := s.index(ctx, indexFrom); err != nil && ctx.Err() == nil {
				report(err)
			}
		case <-ctx.Done():
			return
		}
	}
}

// index reads on, and writes the index when at least so many statements are not in it.
func (s *Store) index(ctx context.Context, from int) error {
	until, err := s.settled(ctx)
	if err != nil {
		return err
	}
	var indexed int64
	err = s.db.Read(ctx, func(tx *db.Tx) error {
		if err := s.tail.readOn(ctx, tx, until); err != nil {
			return err
		}
		return tx.Row(ctx, "SELECT indexed FROM statement_index").Scan(&indexed) // another node may have written it
	})
	if err != nil {
		return err
	}
	s.tail.forget(indexed)
	if s.tail.count() < max(from, 1) {
		return nil
	}
	rows, through := s.tail.rows()
	return s.writeIndex(ctx, rows, through)
}

// settled is a position up to which nothing can come any more. On SQLite every snapshot is settled: positions are given out
// by the transaction that commits them, one at a time.
func (s *Store) settled(ctx context.Context) (int64, error) {
	if s.db.Engine() == db.SQLite {
		return math.MaxInt64, nil
	}
	t, err := s.ConsistentThrough(ctx)
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
	defer t.mu.RUnlock()
	rows = make([]blockRow, 0, len(t.lists))
	for at, list := range t.lists {
		for block := range slices.Chunk(list, blockLen) {
			rows = append(rows, blockRow{at.org, at.key, block[0], block})
		}
	}
	slices.SortFunc(rows, func(a, b blockRow) int {
		return cmp.Or(cmp.Compare(a.org, b.org), cmp.Compare(a.key, b.key), cmp.Compare(a.first, b.first))
	})
	return rows, t.through
}

// A node that was thought dead may write blocks of the same statements once more. They begin alike, so that the longer one
// holds all of the shorter.
var insertBlocks = db.NewBulk("statement_postings", "ON CONFLICT (org_id, key, first) DO UPDATE SET more = excluded.more WHERE length(excluded.more) > length(statement_postings.more)",
	db.Column{Name: "org_id", Type: "bigint"}, db.Column{Name: "key", Type: "bigint"}, db.Column{Name: "first", Type: "bigint"}, db.Column{Name: "more", Type: "bytea"})

// writeIndex writes rows, then up to which position they reach, unless another node is at it.
func (s *Store) writeIndex(ctx context.Context, rows []blockRow, through int64) error {
	mine := false
	err := s.db.Write(ctx, func(tx *db.Tx) (err error) {
		mine, err = s.lease(ctx, tx, "busy_until < "+s.db.Engine().Clock())
		return err
	})
	if err != nil || !mine {
		return err
	}
	for part := range slices.Chunk(rows, max(partRows, len(rows)/indexParts)) {
		if err := s.writeBlocks(ctx, part); err != nil {
			return err
		}
	}
	err = s.db.Write(ctx, func(tx *db.Tx) error {
		return tx.Defer(ctx, "UPDATE statement_index SET busy_until = 0, indexed = CASE WHEN indexed < ? THEN ? ELSE indexed END", through, through)
	})
	if err == nil {
		s.tail.forget(through)
	}
	return err
}

// lease takes or prolongs the lease if the condition holds.
func (s *Store) lease(ctx context.Context, tx *db.Tx, free string) (bool, error) {
	n, err := tx.Exec(ctx, "UPDATE statement_index SET busy_until = "+s.db.Engine().Clock()+" + ? WHERE "+free, indexLease.Microseconds())
	return n > 0, err
}

func (s *Store) writeBlocks(ctx context.Context, rows []blockRow) error {
	values := make([][]any, len(rows))
	for i, r := range rows {
		values[i] = []any{int64(r.org), r.key, r.first, appendBlock(make([]byte, 0, 6*len(r.positions)), r.positions)}
	}
	return s.db.Write(ctx, func(tx *db.Tx) error {
		if err := insertBlocks.Insert(ctx, tx, values); err != nil {
			return err
		}
		_, err := s.lease(ctx, tx, "true")
		return err
	})
}
