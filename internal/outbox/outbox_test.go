package outbox_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"rollway/internal/db"
	"rollway/internal/db/dbtest"
	"rollway/internal/fault"
	"rollway/internal/id"
	"rollway/internal/outbox"
)

func put(t testing.TB, d *db.DB, q *outbox.Queue, messages ...outbox.Message) {
	t.Helper()
	err := d.Write(context.Background(), func(tx *db.Tx) error {
		for _, m := range messages {
			m.Org = id.DefaultOrg
			if err := q.Put(context.Background(), tx, m); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// work starts a worker that ends with the test.
func work(t testing.TB, q *outbox.Queue, k outbox.Kind) (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	var group sync.WaitGroup
	group.Go(func() { q.Work(ctx, k, func(err error) { t.Error(err) }) })
	stop = func() { cancel(); group.Wait() }
	t.Cleanup(stop)
	return stop
}

func until(t testing.TB, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(20 * time.Second); !ok(); time.Sleep(2 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("not within 20 s: %s", what)
		}
	}
}

func list(t testing.TB, q *outbox.Queue, kind string) []outbox.Listed {
	t.Helper()
	jobs, err := q.List(context.Background(), id.DefaultOrg, kind, "", 0, 1000)
	if err != nil {
		t.Fatal(err)
	}
	return jobs
}

// Two processes work many lanes while jobs fail now and then: each lane stays in order, one job of it at a time, and what
// a job writes at its end is written once.
func TestTwoWorkersKeepLanes(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		const lanes, each = 5, 20
		var mu sync.Mutex
		busy, next, done := map[string]bool{}, map[string]int{}, atomic.Int64{}
		handle := func(_ context.Context, j outbox.Job) (outbox.Result, error) {
			mu.Lock()
			if want := fmt.Sprint(next[j.Lane]); busy[j.Lane] || string(j.Payload) != want {
				t.Errorf("lane %s: job %s begins while busy %v, want job %s", j.Lane, j.Payload, busy[j.Lane], want)
			}
			busy[j.Lane] = true
			mu.Unlock()
			time.Sleep(time.Duration(rand.IntN(2000)) * time.Microsecond)
			mu.Lock()
			defer mu.Unlock()
			busy[j.Lane] = false
			if rand.IntN(10) == 0 {
				return outbox.Result{}, errors.New("by chance")
			}
			next[j.Lane]++
			return outbox.Result{Also: func(ctx context.Context, tx *db.Tx) error {
				tx.AfterCommit(func() { done.Add(1) })
				return nil
			}}, nil
		}
		for range 2 {
			q := outbox.New(d)
			q.Poll = 20 * time.Millisecond
			work(t, q, outbox.Kind{Name: "lanes", Handle: handle, First: time.Millisecond, Cap: 5 * time.Millisecond})
		}
		q := outbox.New(d)
		for i := range each {
			for l := range lanes {
				put(t, d, q, outbox.Message{Kind: "lanes", Lane: fmt.Sprint("lane", l), Payload: []byte(fmt.Sprint(i))})
			}
		}
		until(t, "all jobs are done", func() bool { return done.Load() == lanes*each })
		if left := list(t, q, "lanes"); len(left) > 0 {
			t.Errorf("%d jobs are left", len(left))
		}
	})
}

// A job begins right after the commit that put it, not at the next poll; one that was rolled back never does.
func TestPutWakes(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		q := outbox.New(d)
		q.Poll = time.Hour
		got := make(chan string, 10)
		work(t, q, outbox.Kind{Name: "mail", Handle: func(_ context.Context, j outbox.Job) (outbox.Result, error) {
			got <- string(j.Payload)
			return outbox.Result{}, nil
		}})
		undone := errors.New("undone")
		err := d.Write(t.Context(), func(tx *db.Tx) error {
			return errors.Join(q.Put(t.Context(), tx, outbox.Message{Org: id.DefaultOrg, Kind: "mail", Payload: []byte("never")}), undone)
		})
		if !errors.Is(err, undone) {
			t.Fatal(err)
		}
		put(t, d, q, outbox.Message{Kind: "mail", Payload: []byte("one")})
		if s := <-got; s != "one" {
			t.Errorf("%s is worked", s)
		}
	})
}

func TestDeadLetter(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		q := outbox.New(d)
		q.Poll = 5 * time.Millisecond
		var tries, good atomic.Int64
		k := outbox.Kind{Name: "mail", Limit: 3, First: time.Millisecond, Handle: func(_ context.Context, j outbox.Job) (outbox.Result, error) {
			if string(j.Payload) == "bad" && tries.Add(1) <= 3 {
				return outbox.Result{}, fmt.Errorf("dial smtp://user:hunter2@mail.example/?key=hunter2\n%w", errors.New("Basic aHVudGVyMg=="))
			}
			good.Add(1)
			return outbox.Result{}, nil
		}}
		work(t, q, k)
		put(t, d, q, outbox.Message{Kind: "mail", Lane: "l", Payload: []byte("bad")}, outbox.Message{Kind: "mail", Lane: "l", Payload: []byte("good")})
		until(t, "the one behind a dead letter is worked", func() bool { return good.Load() == 1 && len(list(t, q, "mail")) == 1 })
		dead := list(t, q, "mail")
		if len(dead) != 1 || !dead[0].Dead() || dead[0].Attempt != 3 || tries.Load() != 3 {
			t.Fatalf("%+v after %d tries", dead, tries.Load())
		}
		if e := dead[0].Error; strings.Contains(e, "hunter2") || strings.Contains(e, "aHVu") || strings.Contains(e, "\n") || !strings.Contains(e, "mail.example") {
			t.Errorf("the error is %q", e)
		}
		err := d.Write(t.Context(), func(tx *db.Tx) error {
			ok, err := q.Retry(t.Context(), tx, id.DefaultOrg, "mail", dead[0].Number)
			if !ok {
				t.Error("not retried")
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		until(t, "it is worked after all", func() bool { return good.Load() == 2 && len(list(t, q, "mail")) == 0 })
	})
}

// A lease is renewed while the work lasts, so that nobody else begins it; what is left by a process that died is worked
// when its lease ends.
func TestLease(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		var at, begun atomic.Int64
		handle := func(ctx context.Context, j outbox.Job) (outbox.Result, error) {
			begun.Add(1)
			if at.Add(1) > 1 {
				t.Error("two are at it")
			}
			defer at.Add(-1)
			time.Sleep(5 * time.Second)
			return outbox.Result{}, ctx.Err()
		}
		for range 2 {
			q := outbox.New(d)
			q.Poll, q.Lease = 50*time.Millisecond, 3*time.Second // so long that a busy machine renews it in time
			work(t, q, outbox.Kind{Name: "long", Handle: handle})
		}
		q := outbox.New(d)
		put(t, d, q, outbox.Message{Kind: "long"})
		until(t, "it is done", func() bool { return len(list(t, q, "long")) == 0 })
		if begun.Load() != 1 {
			t.Errorf("begun %d times", begun.Load())
		}
		q.Poll = 10 * time.Millisecond
		began := time.Now()
		leave(t, d, q, "dead")
		done := make(chan time.Duration, 1)
		work(t, q, outbox.Kind{Name: "dead", Handle: func(context.Context, outbox.Job) (outbox.Result, error) {
			done <- time.Since(began)
			return outbox.Result{}, nil
		}})
		if after := <-done; after < 290*time.Millisecond {
			t.Errorf("worked after %v, before the lease ended", after)
		}
	})
}

// leave puts a job as a process leaves it that dies while it works it.
func leave(t testing.TB, d *db.DB, q *outbox.Queue, kind string) {
	t.Helper()
	put(t, d, q, outbox.Message{Kind: kind, After: 300 * time.Millisecond})
	err := d.Write(t.Context(), func(tx *db.Tx) error {
		_, err := tx.Exec(t.Context(), "UPDATE outbox_jobs SET lease = ?, attempts = 1 WHERE kind = ?", id.New[id.EntryID](), kind)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// A job that comes again is looked at every poll and leased only when it is ready: idle means no writes.
func TestIdleWritesNothing(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		q := outbox.New(d)
		q.Poll = 5 * time.Millisecond
		var asked, worked atomic.Int64
		var ready atomic.Bool
		work(t, q, outbox.Kind{Name: "again",
			Ready: func(context.Context, outbox.Job) (bool, error) { asked.Add(1); return ready.Load(), nil },
			Handle: func(context.Context, outbox.Job) (outbox.Result, error) {
				ready.Store(false)
				worked.Add(1)
				return outbox.Result{Again: true}, nil
			}})
		put(t, d, q, outbox.Message{Kind: "again", Lane: "x"})
		until(t, "it is looked at", func() bool { return asked.Load() > 5 })
		if j := list(t, q, "again"); len(j) != 1 || !j[0].Attempted.IsZero() || worked.Load() != 0 {
			t.Fatalf("%+v", j)
		}
		ready.Store(true)
		until(t, "it is worked", func() bool { return worked.Load() == 1 })
		seen := asked.Load()
		until(t, "it comes again", func() bool { return asked.Load() > seen+5 })
		if j := list(t, q, "again"); len(j) != 1 || j[0].Attempt != 0 || worked.Load() != 1 {
			t.Errorf("%+v", j)
		}
		err := d.Write(t.Context(), func(tx *db.Tx) error { return q.Drop(t.Context(), tx, id.DefaultOrg, "again", "x") })
		if err != nil || len(list(t, q, "again")) != 0 {
			t.Errorf("dropped: %v", err)
		}
	})
}

// Work that is told to stop finishes what it is at, or gives it back when it takes too long.
func TestStop(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		q := outbox.New(d)
		q.Grace = 300 * time.Millisecond
		begun := make(chan bool, 2)
		stop := work(t, q, outbox.Kind{Name: "stop", Handle: func(ctx context.Context, j outbox.Job) (outbox.Result, error) {
			begun <- true
			if string(j.Payload) == "quick" {
				time.Sleep(50 * time.Millisecond)
				return outbox.Result{}, ctx.Err()
			}
			<-ctx.Done()
			return outbox.Result{}, ctx.Err()
		}})
		put(t, d, q, outbox.Message{Kind: "stop", Payload: []byte("quick")}, outbox.Message{Kind: "stop", Payload: []byte("slow")})
		<-begun
		<-begun
		stop()
		left := list(t, q, "stop")
		if len(left) != 1 || string(left[0].Payload) != "slow" || left[0].Leased || left[0].Attempt != 0 || left[0].Error != "" {
			t.Errorf("left: %+v", left)
		}
	})
}

func TestFaultsAreKeptByTheirMessage(t *testing.T) {
	t.Parallel()
	d := dbtest.Open(t, db.SQLite)
	q := outbox.New(d)
	work(t, q, outbox.Kind{Name: "f", Handle: func(context.Context, outbox.Job) (outbox.Result, error) {
		return outbox.Result{Wait: time.Hour}, fault.New(fault.Unavailable, "down", "The receiver is down. %s", strings.Repeat("x", 600)).Because(errors.New("secret"))
	}})
	put(t, d, q, outbox.Message{Kind: "f"})
	until(t, "it failed", func() bool { return list(t, q, "f")[0].Error != "" })
	j := list(t, q, "f")[0]
	if !strings.HasPrefix(j.Error, "The receiver is down. xxx") || strings.Contains(j.Error, "secret") || len(j.Error) > 500 || time.Until(j.Due) < 50*time.Minute {
		t.Errorf("%+v", j)
	}
}

// What can never succeed is a dead letter after one attempt, and is worked again when it is retried.
func TestFinal(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		q := outbox.New(d)
		var tries atomic.Int64
		work(t, q, outbox.Kind{Name: "f", Handle: func(context.Context, outbox.Job) (outbox.Result, error) {
			return outbox.Result{Final: true}, fmt.Errorf("refused %d", tries.Add(1))
		}})
		put(t, d, q, outbox.Message{Kind: "f"})
		for i, want := range []string{"refused 1", "refused 2"} {
			until(t, want, func() bool { return list(t, q, "f")[0].Error == want })
			j := list(t, q, "f")[0]
			if !j.Dead() || j.Attempt != 1 || tries.Load() != int64(i+1) {
				t.Fatalf("%+v after %d tries", j, tries.Load())
			}
			err := d.Write(t.Context(), func(tx *db.Tx) error {
				_, err := q.Retry(t.Context(), tx, id.DefaultOrg, "f", j.Number)
				return err
			})
			if err != nil {
				t.Fatal(err)
			}
		}
	})
}

func TestPanicIsAFailure(t *testing.T) {
	t.Parallel()
	d := dbtest.Open(t, db.SQLite)
	q := outbox.New(d)
	ctx, cancel := context.WithCancel(t.Context())
	var reported atomic.Int64
	var group sync.WaitGroup
	group.Go(func() {
		q.Work(ctx, outbox.Kind{Name: "p", Handle: func(context.Context, outbox.Job) (outbox.Result, error) { panic("oh") }}, func(error) { reported.Add(1) })
	})
	put(t, d, q, outbox.Message{Kind: "p"})
	until(t, "it failed", func() bool { return list(t, q, "p")[0].Error == "panic: oh" })
	cancel()
	group.Wait()
	if reported.Load() != 1 {
		t.Errorf("reported %d times", reported.Load())
	}
}

// TestBury: of the dead letters of a kind the old ones go, and nothing that waits.
func TestBury(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		q := outbox.New(d)
		put(t, d, q, outbox.Message{Kind: "mail", Payload: []byte("dead")}, outbox.Message{Kind: "mail", Payload: []byte("waits")}, outbox.Message{Kind: "other", Payload: []byte("dead")})
		exec := func(text string) {
			t.Helper()
			if err := d.Write(t.Context(), func(tx *db.Tx) error { return tx.Defer(t.Context(), text) }); err != nil {
				t.Fatal(err)
			}
		}
		exec("UPDATE outbox_jobs SET due = NULL WHERE number <> 2")
		for left := 2; left >= 1; left-- {
			if err := q.Bury(t.Context(), "mail", time.Hour); err != nil {
				t.Fatal(err)
			}
			if n := len(list(t, q, "mail")); n != left {
				t.Errorf("%d of %d are left", n, left)
			}
			exec("UPDATE outbox_jobs SET created = 0")
		}
		if l := list(t, q, "mail"); len(l) != 1 || l[0].Dead() || len(list(t, q, "other")) != 1 {
			t.Errorf("%+v", l)
		}
	})
}
