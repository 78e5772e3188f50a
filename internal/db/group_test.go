package db_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"rollway/internal/db"
	"rollway/internal/db/dbtest"
	"rollway/internal/fault"
	"rollway/internal/id"
)

func TestGroupGathersAndOneBadItemFailsAlone(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		table(t, d)
		bulk := db.NewBulk("things", "", db.Column{Name: "id", Type: "uuid"}, db.Column{Name: "name", Type: "text"}, db.Column{Name: "at", Type: "bigint"}, db.Column{Name: "ok", Type: "boolean"}, db.Column{Name: "raw", Type: "bytea"})
		var most int
		var mu sync.Mutex
		g := db.NewGroup(d, 1, func(ctx context.Context, tx *db.Tx, names []string) error {
			mu.Lock()
			most = max(most, len(names))
			mu.Unlock()
			var rows [][]any
			for _, n := range names {
				rows = append(rows, []any{id.New[id.PersonID](), n, tx.Now(), true, []byte(n)})
			}
			return bulk.Insert(ctx, tx, rows)
		})
		defer g.Close()
		var wg sync.WaitGroup
		for i := range 300 {
			wg.Go(func() {
				name := fmt.Sprint(i)
				if i%100 == 7 {
					name = "same"
				}
				if err := g.Do(t.Context(), name); err != nil && !(name == "same" && errors.Is(err, db.ErrUnique)) {
					t.Errorf("%d: %v", i, err)
				}
			})
		}
		wg.Wait()
		if n := count(t, d); n != 298 {
			t.Errorf("%d rows, want 298", n)
		}
		if d.Engine() == db.PostgreSQL && most < 2 {
			t.Errorf("nothing was gathered")
		}
	})
}

// A transaction that does not end holds up nobody who comes after it, but on SQLite, where there is one at a time.
func TestGroupIsNotHeldUpByOne(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		if d.Engine() == db.SQLite {
			return
		}
		begun, release := make(chan struct{}), make(chan struct{})
		g := db.NewGroup(d, 1, func(ctx context.Context, tx *db.Tx, names []string) error {
			if names[0] == "stuck" {
				close(begun)
				<-release
			}
			return nil
		})
		defer g.Close()
		var stuck sync.WaitGroup
		stuck.Go(func() {
			if err := g.Do(t.Context(), "stuck"); err != nil {
				t.Error(err)
			}
		})
		<-begun
		var others sync.WaitGroup
		for i := range 20 {
			others.Go(func() {
				for range 5 {
					if err := g.Do(t.Context(), fmt.Sprint(i)); err != nil {
						t.Error(err)
					}
				}
			})
		}
		others.Wait()
		close(release)
		stuck.Wait()
	})
}

// What panics outside of the transaction function, where nothing catches it for the group, is told to all who are in it, and
// the group goes on.
func TestGroupOutlivesAPanic(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		g := db.NewGathered(d, func(string) int { return 1 }, func(_ context.Context, tx *db.Tx, names []string) error {
			if slices.Contains(names, "bad") {
				tx.AfterCommit(func() { panic("after the commit") })
			}
			return nil
		})
		defer g.Close()
		for range 5 {
			var all sync.WaitGroup
			for i := range 20 {
				all.Go(func() {
					if err := g.Do(t.Context(), fmt.Sprint(i)); err != nil && fault.Of(err).Kind != fault.Internal {
						t.Error(err)
					}
				})
			}
			if err := g.Do(t.Context(), "bad"); fault.Of(err).Kind != fault.Internal || !strings.Contains(err.Error(), "after the commit") {
				t.Error(err)
			}
			all.Wait()
		}
		if err := g.Do(t.Context(), "good"); err != nil {
			t.Error(err)
		}
	})
}

func TestGroupBoundsWhatItTakesAtOnce(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		const items = 50
		most := 100
		if d.Engine() == db.SQLite {
			most = 1000
		}
		var mu sync.Mutex
		var taken [][]int
		release := make(chan struct{})
		first := sync.OnceFunc(func() { <-release })
		g := db.NewGathered(d, func(rows int) int { return rows }, func(_ context.Context, _ *db.Tx, items []int) error {
			first()
			mu.Lock()
			defer mu.Unlock()
			taken = append(taken, slices.Clone(items))
			return nil
		})
		defer g.Close()
		var wg sync.WaitGroup
		for i := range items {
			wg.Go(func() {
				if err := g.Do(t.Context(), 1+i*i); err != nil { // up to more than a transaction takes
					t.Error(err)
				}
			})
		}
		time.Sleep(5 * time.Millisecond)
		close(release)
		wg.Wait()
		all, together := 0, false
		for _, rows := range taken {
			sum := 0
			for _, n := range rows {
				sum += n
			}
			if sum > most && len(rows) > 1 {
				t.Errorf("items of %v rows are written at once", rows)
			}
			all += len(rows)
			together = together || len(rows) > 1
		}
		if all != items || !together {
			t.Errorf("%d items were written, as %v", all, taken)
		}
	})
}
