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
