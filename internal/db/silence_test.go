package db_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"rollway/internal/db"
	"rollway/internal/db/dbtest"
	"rollway/internal/fault"
)

// A network that swallows everything holds up those who write for no longer than the limit, and one that is back is used at
// once. What takes its time, and who has nothing to say, is left alone.
func TestASilentDatabaseIsGivenUp(t *testing.T) {
	t.Parallel()
	const limit = 600 * time.Millisecond
	n, address := dbtest.Through(t, dbtest.URL(t, db.PostgreSQL))
	d := dbtest.Connect(t, db.Options{URL: address, Silence: limit})
	t.Cleanup(n.Down) // before the pool is closed, which says goodbye on each
	table(t, d)
	ctx := t.Context()
	g := db.NewGroup(d, 1, func(ctx context.Context, tx *db.Tx, names []string) error {
		for _, name := range names {
			if err := tx.Defer(ctx, "INSERT INTO things (id, name) VALUES (gen_random_uuid(), ?)", name); err != nil {
				return err
			}
		}
		return nil
	})
	defer g.Close()
	write := func(what string, want error) {
		t.Helper()
		begun := time.Now()
		var all sync.WaitGroup
		for i := range 40 {
			all.Go(func() {
				err := g.Do(ctx, fmt.Sprint(what, i))
				if want == nil && err != nil || want != nil && !fault.Is(err, fault.Unavailable) {
					t.Errorf("%s: %v", what, err)
				}
			})
		}
		all.Wait()
		if took := time.Since(begun); took > 10*limit {
			t.Errorf("%s: took %v", what, took)
		}
	}
	sleep := func(ctx context.Context, d2 time.Duration) error {
		return d.Read(ctx, func(tx *db.Tx) error {
			_, err := tx.Exec(ctx, "SELECT pg_sleep(?)", d2.Seconds())
			return err
		})
	}

	write("before ", nil)
	if err := sleep(ctx, limit/2); err != nil {
		t.Errorf("slow, but within the limit: %v", err)
	}
	time.Sleep(limit * 3 / 2)
	write("after a pause ", nil)

	n.Silent.Store(true)
	write("swallowed ", fault.New(fault.Unavailable, "", ""))
	n.Silent.Store(false)
	write("back ", nil)

	// A caller's own limit counts as before.
	short, cancel := context.WithTimeout(ctx, limit/6)
	defer cancel()
	begun := time.Now()
	if err := sleep(short, limit/2); !errors.Is(err, context.DeadlineExceeded) || time.Since(begun) > limit/3 {
		t.Errorf("a caller's limit: %v after %v", err, time.Since(begun))
	}
	write("in the end ", nil)
	if got := count(t, d); got != 4*40 {
		t.Errorf("%d rows, want %d", got, 4*40)
	}
}
