package lrs_test

import (
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"rollway/internal/access"
	"rollway/internal/db"
	"rollway/internal/db/dbtest"
	"rollway/internal/id"
	"rollway/internal/lrs"
)

// However often the clock goes back between two requests: nothing is stored at a time that has been answered for, the answer
// does not go back, what comes is stored, and a follower misses none of it.
func TestClockGoesBack(t *testing.T) {
	t.Parallel()
	dbtest.EachEngine(t, func(t *testing.T, e db.Engine) {
		s, turn := openWithClock(t, e)
		f := clockFollower{Store: s, c: system(), got: map[id.StatementID]bool{}}
		known := simple(newID())
		f.put(t, known)
		for _, back := range []time.Duration{3 * time.Second, 500 * time.Millisecond, time.Minute, 3 * time.Hour} {
			f.catchUp(t)
			turn(-back)
			f.put(t, simple(""))
			f.put(t, simple(""), simple(newID()), simple(""))
			f.follow(t)
			f.put(t, known, simple("")) // one that is known keeps them from going straight in
			f.put(t, simple(""))
			f.put(t, statement{actor: "ann", verb: "did", ref: f.put(t, simple(""))[0].String()})
			turn(-back / 2)
			f.put(t, simple(""))
			f.follow(t)
			f.put(t, simple(""), simple(""))
			turn(0)
		}
		f.catchUp(t)
		f.follow(t)
		for _, sid := range f.stored {
			if !f.got[sid] {
				t.Errorf("the follower missed %v", sid)
			}
		}
	})
}

// openWithClock opens a store whose clock, on PostgreSQL the database's, is wrong by what turn was given last.
func openWithClock(t *testing.T, e db.Engine) (s *lrs.Store, turn func(time.Duration)) {
	t.Helper()
	address, wrong := dbtest.URL(t, e), new(atomic.Int64)
	turn = func(by time.Duration) { wrong.Store(int64(by)) }
	if e == db.PostgreSQL {
		address = dbtest.With(t, address, "search_path", "public,wrong,pg_catalog") // the last comes first unless it is named
	}
	d := dbtest.Connect(t, db.Options{URL: address, Conns: 8})
	if e == db.PostgreSQL {
		turn = turnDatabase(t, d)
	}
	s, err := lrs.Open(t.Context(), lrs.Config{DB: d, HomePage: "https://rollway.example", Quota: -1, Now: func() time.Time {
		return time.Now().Add(time.Duration(wrong.Load()))
	}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s, turn
}

// turnDatabase puts a clock in front of the database's own.
func turnDatabase(t *testing.T, d *db.DB) (turn func(time.Duration)) {
	t.Helper()
	exec := func(text string, args ...any) {
		t.Helper()
		if err := d.Write(t.Context(), func(tx *db.Tx) error { return tx.Defer(t.Context(), text, args...) }); err != nil {
			t.Fatal(err)
		}
	}
	exec("CREATE SCHEMA wrong")
	exec("CREATE TABLE wrong.clock AS SELECT interval '-1 hour' AS by")
	exec("CREATE FUNCTION wrong.clock_timestamp() RETURNS timestamptz LANGUAGE sql AS 'SELECT pg_catalog.clock_timestamp() + by FROM wrong.clock'")
	turn = func(by time.Duration) { exec("UPDATE wrong.clock SET by = make_interval(secs => ?)", by.Seconds()) }
	var late bool
	err := d.Read(t.Context(), func(tx *db.Tx) error {
		return tx.Row(t.Context(), "SELECT clock_timestamp() < pg_catalog.clock_timestamp() - interval '59 minutes'").Scan(&late)
	})
	if err != nil || !late {
		t.Fatalf("the database's clock is not wrong: %v", err)
	}
	turn(0)
	return turn
}

// clockFollower stores, and follows what is stored.
type clockFollower struct {
	*lrs.Store
	c      access.Caller
	told   time.Time // up to when everything is there
	last   time.Time // stored
	stored []id.StatementID
	got    map[id.StatementID]bool
}

// put stores statements and looks when the new ones are said to be stored.
func (f *clockFollower) put(t *testing.T, sts ...statement) []id.StatementID {
	t.Helper()
	ids := mustPost(t, f.Store, f.c, sts...)
	for _, sid := range ids {
		if slices.Contains(f.stored, sid) {
			continue
		}
		st, err := f.Get(t.Context(), f.c, sid, false)
		if err != nil {
			t.Fatal(err)
		}
		if !st.Stored.After(f.told) || st.Stored.Before(f.last) {
			t.Errorf("stored at %v, after what was stored at %v, though everything up to %v was answered for", st.Stored, f.last, f.told)
		}
		f.last, f.stored = st.Stored, append(f.stored, sid)
	}
	return ids
}

func (f *clockFollower) follow(t *testing.T) {
	t.Helper()
	through, err := f.ConsistentThrough(t.Context())
	if err != nil || through.Before(f.told) {
		t.Fatalf("the answer went from %v to %v, %v", f.told, through, err)
	}
	for _, sid := range find(t, f.Store, f.c, lrs.Query{Since: f.told, Ascending: true}) {
		f.got[sid] = true
	}
	f.told = through
}

// catchUp follows until everything is answered for.
func (f *clockFollower) catchUp(t *testing.T) {
	t.Helper()
	for end := time.Now().Add(10 * time.Second); !f.told.After(f.last); f.follow(t) {
		if time.Now().After(end) {
			t.Fatalf("the answer is %v, but something was stored at %v", f.told, f.last)
		}
		time.Sleep(time.Millisecond)
	}
}
