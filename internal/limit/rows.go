package limit

import (
	"context"
	"slices"

	"rollway/internal/chore"
	"rollway/internal/db"
)

var (
	lookup = db.NewLookup("SELECT l.subject, l.times FROM @ a JOIN limits l ON l.subject = a.subject", db.Column{Name: "subject", Type: "bytea"})
	upsert = db.NewBulk("limits", "ON CONFLICT (subject) DO UPDATE SET times = excluded.times, ends = excluded.ends",
		db.Column{Name: "subject", Type: "bytea"}, db.Column{Name: "times", Type: "bytea"}, db.Column{Name: "ends", Type: "bigint"})
)

func lockNames(asked []*count) []string {
	names := make([]string, len(asked))
	for i, c := range asked {
		names[i] = lockName(c.key)
	}
	return names
}

func lockName(key []byte) string { return "limit " + string(key) }

// read fills in what is kept.
func read(ctx context.Context, tx *db.Tx, asked []*count) error {
	rows := make([][]any, len(asked))
	for i, c := range asked {
		c.times = nil
		rows[i] = []any{c.key}
	}
	err := lookup.Ask(ctx, tx, rows, func(r *db.Rows) error {
		var key, kept []byte
		if err := r.Scan(&key, &kept); err != nil {
			return err
		}
		at, found := slices.BinarySearchFunc(asked, key, func(c *count, key []byte) int { return slices.Compare(c.key, key) })
		if !found {
			return nil
		}
		var err error
		asked[at].times, err = timesOf(kept)
		return err
	})
	if err != nil {
		return err
	}
	return tx.Flush(ctx)
}

func write(ctx context.Context, tx *db.Tx, asked []*count) error {
	rows := make([][]any, len(asked))
	for i, c := range asked {
		rows[i] = []any{c.key, c.times.bytes(), c.rule.ends(c.times)}
	}
	return upsert.Insert(ctx, tx, rows)
}

// Run sweeps now and then until ctx ends. It reports each error and goes on.
func (l *Ledger) Run(ctx context.Context, report func(error)) {
	chore.Every(ctx, l.Every, func(ctx context.Context) error {
		for {
			if n, err := l.Sweep(ctx); err != nil || n < sweepCap {
				return err
			}
		}
	}, report)
}

// sweepCap is the most rows that one sweep deletes.
const sweepCap = 200

// Sweep deletes some of what no rule needs any more and tells how many rows it looked at.
func (l *Ledger) Sweep(ctx context.Context) (int, error) {
	now := l.Now().UnixMicro()
	var keys [][]byte
	err := l.db.Read(ctx, func(tx *db.Tx) error {
		keys = nil
		return tx.Each(ctx, "SELECT subject FROM limits WHERE ends <= ? ORDER BY ends LIMIT ?", []any{now, sweepCap}, func(r *db.Rows) error {
			var key []byte
			err := r.Scan(&key)
			keys = append(keys, key)
			return err
		})
	})
	if err != nil || len(keys) == 0 {
		return 0, err
	}
	names := make([]string, len(keys))
	for i, key := range keys {
		names[i] = lockName(key)
	}
	return len(keys), l.db.Write(ctx, func(tx *db.Tx) error {
		if err := tx.Lock(ctx, names...); err != nil { // in the order in which takes lock them
			return err
		}
		for _, key := range keys {
			if err := tx.Defer(ctx, "DELETE FROM limits WHERE subject = ? AND ends <= ?", key, now); err != nil {
				return err
			}
		}
		return nil
	})
}
