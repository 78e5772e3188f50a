package db_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"rollway/internal/db"
	"rollway/internal/db/dbtest"
	"rollway/internal/db/schema"
	"rollway/internal/fault"
	"rollway/internal/id"
)

func table(t *testing.T, d *db.DB) {
	t.Helper()
	err := d.Write(t.Context(), func(tx *db.Tx) error {
		_, err := tx.Exec(t.Context(), schema.Expand("CREATE TABLE things (id uuid PRIMARY KEY, name text UNIQUE, at bigint, raw bytea, n bigint, ok boolean) STRICT", tx.Engine == db.PostgreSQL))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

func count(t *testing.T, d *db.DB) (n int) {
	t.Helper()
	err := d.Read(t.Context(), func(tx *db.Tx) error {
		return tx.Row(t.Context(), "SELECT count(*) FROM things").Scan(&n)
	})
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func TestValuesComeBackAsTheyWent(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		ctx := t.Context()
		table(t, d)
		who, at := id.New[id.PersonID](), time.Date(2026, 11, 22, 1, 2, 3, 456789000, time.UTC)
		err := d.Write(ctx, func(tx *db.Tx) error {
			if err := tx.Defer(ctx, "INSERT INTO things (id, name, at, raw, n, ok) VALUES (?, ?, ?, ?, ?, ?)", who, "it's?", at, []byte{0, 1}, 7, true); err != nil {
				return err
			}
			_, err := tx.Exec(ctx, "INSERT INTO things (id, name, at, ok) VALUES (?, ?, ?, ?)", id.New[id.PersonID](), nil, time.Time{}, false)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		err = d.Snapshot(ctx, func(tx *db.Tx) error {
			var gotID id.PersonID
			var name string
			var gotAt time.Time
			var raw []byte
			var n int64
			var ok bool
			if err := tx.Row(ctx, "SELECT id, name, at, raw, n, ok FROM things WHERE id = ? AND name = 'it''s?'", who).Scan(&gotID, &name, &gotAt, &raw, &n, &ok); err != nil {
				return err
			}
			if gotID != who || name != "it's?" || !gotAt.Equal(at) || string(raw) != "\x00\x01" || n != 7 || !ok {
				t.Errorf("got %v %q %v %x %d %v", gotID, name, gotAt, raw, n, ok)
			}
			if err := tx.Row(ctx, "SELECT at FROM things WHERE name IS NULL").Scan(&gotAt); err != nil || !gotAt.IsZero() {
				t.Errorf("NULL time: %v, %v", gotAt, err)
			}
			if err := tx.Row(ctx, "SELECT at FROM things WHERE n = 8").Scan(&gotAt); !errors.Is(err, db.ErrNoRows) {
				t.Errorf("no rows: %v", err)
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	})
}

func TestAFailedTransactionLeavesNothingAndSpoilsNoOther(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		table(t, d)
		boom := errors.New("boom")
		var wg sync.WaitGroup
		for i := range 200 {
			wg.Go(func() {
				var hooks int
				err := d.Write(t.Context(), func(tx *db.Tx) error {
					tx.AfterCommit(func() { hooks++ })
					for k := range 3 {
						if _, err := tx.Exec(t.Context(), "INSERT INTO things (id, name) VALUES (?, ?)", id.New[id.PersonID](), fmt.Sprint(i, "-", k)); err != nil {
							return err
						}
						switch {
						case i%5 == 0 && k == 1:
							return boom
						case i%17 == 1 && k == 2:
							panic("at the disco")
						}
					}
					return nil
				})
				switch {
				case i%5 == 0 && (!errors.Is(err, boom) || hooks != 0):
					t.Errorf("%d: %v, %d hooks", i, err, hooks)
				case i%5 != 0 && i%17 == 1 && !fault.Is(err, fault.Internal):
					t.Errorf("%d: %v", i, err)
				case i%5 != 0 && i%17 != 1 && (err != nil || hooks != 1):
					t.Errorf("%d: %v, %d hooks", i, err, hooks)
				}
			})
		}
		wg.Wait()
		want := 0
		for i := range 200 {
			if i%5 != 0 && i%17 != 1 {
				want += 3
			}
		}
		if got := count(t, d); got != want {
			t.Fatalf("%d rows, want %d", got, want)
		}
	})
}

func TestUniqueIsOneErrorOnBothEngines(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		table(t, d)
		insert := func(deferred bool) error {
			return d.Write(t.Context(), func(tx *db.Tx) error {
				if deferred {
					return tx.Defer(t.Context(), "INSERT INTO things (id, name) VALUES (?, 'x')", id.New[id.PersonID]())
				}
				_, err := tx.Exec(t.Context(), "INSERT INTO things (id, name) VALUES (?, 'x')", id.New[id.PersonID]())
				return err
			})
		}
		if err := insert(false); err != nil {
			t.Fatal(err)
		}
		for _, deferred := range []bool{false, true} {
			if err := insert(deferred); !errors.Is(err, db.ErrUnique) {
				t.Errorf("deferred %v: %v", deferred, err)
			}
		}
		if n := count(t, d); n != 1 {
			t.Errorf("%d rows", n)
		}
	})
}

func TestCancelledCallersDoNotHarmOthers(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		table(t, d)
		var wg sync.WaitGroup
		for i := range 100 {
			wg.Go(func() {
				ctx, cancel := context.WithTimeout(t.Context(), time.Duration(i%4)*time.Millisecond+time.Microsecond)
				defer cancel()
				if i%2 == 0 {
					ctx = t.Context()
				}
				err := d.Write(ctx, func(tx *db.Tx) error {
					_, err := tx.Exec(ctx, "INSERT INTO things (id, name) VALUES (?, ?)", id.New[id.PersonID](), fmt.Sprint(i))
					return err
				})
				if i%2 == 0 && err != nil {
					t.Errorf("%d: %v", i, err)
				}
			})
		}
		wg.Wait()
		if n := count(t, d); n < 50 {
			t.Errorf("%d rows", n)
		}
	})
}

func TestLockSerializes(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		table(t, d)
		var wg sync.WaitGroup
		for i := range 40 {
			wg.Go(func() {
				err := d.Write(t.Context(), func(tx *db.Tx) error {
					keys := []string{"a", "b"}
					if i%2 == 0 {
						keys = []string{"b", "a"}
					}
					if err := tx.Lock(t.Context(), keys...); err != nil {
						return err
					}
					var n int
					if err := tx.Row(t.Context(), "SELECT count(*) FROM things").Scan(&n); err != nil {
						return err
					}
					if n > 0 {
						return nil
					}
					_, err := tx.Exec(t.Context(), "INSERT INTO things (id) VALUES (?)", id.New[id.PersonID]())
					return err
				})
				if err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		if n := count(t, d); n != 1 {
			t.Errorf("%d rows, want 1", n)
		}
	})
}

func TestAskAnswersAfterFlush(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		table(t, d)
		ctx := t.Context()
		err := d.Write(ctx, func(tx *db.Tx) error {
			got := map[int]int{}
			for i := range 5 {
				if err := tx.Defer(ctx, "INSERT INTO things (id, n) VALUES (?, ?)", id.New[id.PersonID](), i); err != nil {
					return err
				}
				if err := tx.Ask(ctx, "SELECT n FROM things WHERE n <= ?", []any{i}, func(r *db.Rows) error {
					var n int
					got[i]++
					return r.Scan(&n)
				}); err != nil {
					return err
				}
			}
			if err := tx.Flush(ctx); err != nil {
				return err
			}
			for i := range 5 {
				if got[i] != i+1 {
					t.Errorf("question %d had %d rows", i, got[i])
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	})
}

func TestMigrateResumesAndRefusesWhatItDoesNotKnow(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		ctx := t.Context()
		if applied, err := d.Migrate(ctx); err != nil || len(applied) != 0 {
			t.Fatalf("a second run applied %v, %v", applied, err)
		}
		if err := d.Ready(ctx); err != nil {
			t.Fatal(err)
		}
		set := func(query string, args ...any) {
			t.Helper()
			if err := d.Write(ctx, func(tx *db.Tx) error { _, err := tx.Exec(ctx, query, args...); return err }); err != nil {
				t.Fatal(err)
			}
		}
		last := len(schema.Steps())
		set("INSERT INTO schema_steps (number, name, checksum, applied) VALUES (?, 'future', ?, 1)", last+1, []byte{1})
		if _, err := d.Migrate(ctx); err == nil || !strings.Contains(err.Error(), "newer") {
			t.Errorf("a newer schema: %v", err)
		}
		set("DELETE FROM schema_steps WHERE number > ?", last)
		set("UPDATE schema_steps SET checksum = ? WHERE number = 1", []byte{1})
		if err := d.Ready(ctx); err == nil || !strings.Contains(err.Error(), "different build") {
			t.Errorf("another schema: %v", err)
		}
	})
}

func TestReadersSeeOneStateInASnapshot(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		table(t, d)
		ctx := t.Context()
		err := d.Snapshot(ctx, func(tx *db.Tx) error {
			var before, after int
			if err := tx.Row(ctx, "SELECT count(*) FROM things").Scan(&before); err != nil {
				return err
			}
			if err := d.Write(ctx, func(w *db.Tx) error {
				_, err := w.Exec(ctx, "INSERT INTO things (id) VALUES (?)", id.New[id.PersonID]())
				return err
			}); err != nil {
				return err
			}
			if err := tx.Row(ctx, "SELECT count(*) FROM things").Scan(&after); err != nil {
				return err
			}
			if before != after {
				t.Errorf("saw %d, then %d", before, after)
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	})
}

// What takes too long on PostgreSQL, or waits too long for what others hold, may be tried again later.
func TestTimeLimitsAreUnavailable(t *testing.T) {
	t.Parallel()
	d := dbtest.Open(t, db.PostgreSQL)
	table(t, d)
	ctx := t.Context()
	limited := func(name string, then func(tx *db.Tx) error) error {
		return d.Write(ctx, func(tx *db.Tx) error {
			if _, err := tx.Exec(ctx, "SELECT set_config(?, '50ms', true)", name); err != nil {
				return err
			}
			return then(tx)
		})
	}
	exec := func(query string) func(*db.Tx) error {
		return func(tx *db.Tx) error {
			_, err := tx.Exec(ctx, query)
			return err
		}
	}
	locked, release := make(chan struct{}), make(chan struct{})
	held := make(chan error, 1)
	go func() {
		held <- d.Write(ctx, func(tx *db.Tx) error {
			defer close(locked)
			if _, err := tx.Exec(ctx, "LOCK TABLE things"); err != nil {
				return err
			}
			locked <- struct{}{}
			<-release
			return nil
		})
	}()
	<-locked
	for name, then := range map[string]func(*db.Tx) error{
		"statement_timeout": exec("SELECT pg_sleep(20)"),
		"lock_timeout":      exec("INSERT INTO things (id) VALUES (gen_random_uuid())"),
		"idle_in_transaction_session_timeout": func(tx *db.Tx) error {
			time.Sleep(500 * time.Millisecond)
			return exec("SELECT 1")(tx)
		},
	} {
		if err := limited(name, then); !fault.Is(err, fault.Unavailable) {
			t.Errorf("%s: %v", name, err)
		}
	}
	close(release)
	if err := <-held; err != nil {
		t.Error(err)
	}
}

// Bytes that were scanned are the caller's, whatever is read after them.
func TestBytesOutliveTheirRow(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		ctx := t.Context()
		table(t, d)
		err := d.Write(ctx, func(tx *db.Tx) error {
			for i := range 100 {
				if _, err := tx.Exec(ctx, "INSERT INTO things (id, n, raw) VALUES (?, ?, ?)", id.New[id.PersonID](), i, bytes.Repeat([]byte{byte(i)}, 10*i)); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		var all [100][]byte
		err = d.Read(ctx, func(tx *db.Tx) error {
			err := tx.Each(ctx, "SELECT n, raw FROM things ORDER BY n", nil, func(r *db.Rows) error {
				var n int
				var raw []byte
				err := r.Scan(&n, &raw)
				all[n] = raw
				return err
			})
			if err != nil {
				return err
			}
			var other []byte
			return tx.Row(ctx, "SELECT raw FROM things WHERE n = 99").Scan(&other)
		})
		if err != nil {
			t.Fatal(err)
		}
		for i, raw := range all {
			if !bytes.Equal(raw, bytes.Repeat([]byte{byte(i)}, 10*i)) {
				t.Errorf("%d: %v", i, raw)
			}
		}
	})
}
