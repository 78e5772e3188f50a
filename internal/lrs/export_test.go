package lrs

import (
	"context"
	"time"

	"rollway/internal/db"
)

// HoldCommits makes the Store's statements wait in their transaction, after they were written and before they are
// committed. Call it before anything is put.
func (s *Store) HoldCommits(wait func() time.Duration) {
	s.puts.Close()
	s.puts = db.NewGathered(s.db, func(ctx context.Context, tx *db.Tx, items []*put) error {
		err := s.write(ctx, tx, items)
		if err == nil {
			err = tx.Flush(ctx)
		}
		time.Sleep(wait())
		return err
	})
}

// Leave takes a guest off the list.
func (s *Store) Leave(ctx context.Context) error { return s.leave(ctx) }

// Evict takes all guests off the list, as if each had been silent for long.
func (s *Store) Evict(ctx context.Context) error {
	return s.db.Write(ctx, func(tx *db.Tx) error { return tx.Defer(ctx, "DELETE FROM statement_guests") })
}

// Guests counts those on the list.
func (s *Store) Guests(ctx context.Context) (n int, err error) {
	err = s.db.Read(ctx, func(tx *db.Tx) error {
		return tx.Row(ctx, "SELECT count(*) FROM statement_guests").Scan(&n)
	})
	return n, err
}
