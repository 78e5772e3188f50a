package outbox

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"pgregory.net/rapid"

	"rollway/internal/db"
	"rollway/internal/db/dbtest"
	"rollway/internal/id"
)

// modelJob is what a job should be like. Times are minutes of a clock that only jumps.
type modelJob struct {
	number   int64
	lane     string
	due      int
	dead     bool
	lease    leaseID
	attempts int
}

// model is the queue as it should be, beside the real one.
type model struct {
	w       *worker
	now     int
	jobs    []*modelJob // not done, in order
	put     int
	done    []int64
	history []held // every lease ever, also of the dead
}

type held struct {
	job   Job
	lease leaseID
}

const (
	modelLease = 10
	modelLimit = 2
)

var modelKinds atomic.Int64

// The queue does what a simple model of it does: when workers die between lease and end, end late, fail, and the clock
// jumps either way. Nothing is lost, nothing is worked by two at once within a lease, lanes keep their order.
func TestModel(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		rapid.Check(t, func(rt *rapid.T) {
			q := New(d)
			q.Lease, q.Rand = modelLease*time.Minute, func() float64 { return 1 }
			m := &model{w: &worker{Queue: q, Kind: Kind{Name: fmt.Sprint("model", modelKinds.Add(1)), Limit: modelLimit, First: time.Minute, Cap: 4 * time.Minute}}}
			rt.Repeat(map[string]func(*rapid.T){
				"put": m.doPut, "take": m.take, "end": m.end, "jump": m.jump, "retry": m.retry, "": m.check,
			})
			m.drain(rt)
		})
	})
}

func (m *model) write(t *rapid.T, fn func(tx *db.Tx) error) {
	if err := m.w.db.Write(context.Background(), fn); err != nil {
		t.Fatal(err)
	}
}

func (m *model) doPut(t *rapid.T) {
	msg := Message{Org: id.DefaultOrg, Kind: m.w.Name, Lane: rapid.SampledFrom([]string{"", "a", "a"}).Draw(t, "lane"), After: time.Duration(rapid.IntRange(0, 2).Draw(t, "after")) * time.Minute}
	var number int64
	m.write(t, func(tx *db.Tx) error {
		if err := m.w.Put(context.Background(), tx, msg); err != nil {
			return err
		}
		return tx.Row(context.Background(), "SELECT max(number) FROM outbox_jobs WHERE kind = ?", m.w.Name).Scan(&number)
	})
	m.put++
	m.jobs = append(m.jobs, &modelJob{number: number, lane: msg.Lane, due: m.now + int(msg.After/time.Minute)})
}

// mayWork tells whether a job is due and the first of its lane.
func (m *model) mayWork(j *modelJob) bool {
	if j.dead || j.due > m.now {
		return false
	}
	for _, o := range m.jobs {
		if o == j || o.lane != j.lane || o.lane == "" || o.dead {
			continue
		}
		if o.number < j.number || (!o.lease.IsZero() && o.due > m.now) {
			return false
		}
	}
	return true
}

func (m *model) take(t *rapid.T) {
	if len(m.jobs) > 0 {
		m.takeOne(t, rapid.SampledFrom(m.jobs).Draw(t, "job"))
	}
}

func (m *model) takeOne(t *rapid.T, j *modelJob) {
	lease := id.New[leaseID]()
	real := Job{Org: id.DefaultOrg, Kind: m.w.Name, Number: j.number, Lane: j.lane}
	took, err := m.w.take(context.Background(), &real, lease)
	if err != nil {
		t.Fatal(err)
	}
	if want := m.mayWork(j); took != want {
		t.Fatalf("job %d taken: %v, want %v", j.number, took, want)
	}
	if !took {
		return
	}
	j.attempts++
	j.due, j.lease = m.now+modelLease, lease
	if real.Attempt != j.attempts {
		t.Fatalf("attempt %d, want %d", real.Attempt, j.attempts)
	}
	m.history = append(m.history, held{real, lease})
}

// end ends the work of some lease, perhaps one that is over: then nothing of it is kept.
func (m *model) end(t *rapid.T) {
	if len(m.history) > 0 {
		m.endOne(t, rapid.SampledFrom(m.history).Draw(t, "lease"), rapid.SampledFrom([]string{"done", "again", "failed", "failed"}).Draw(t, "how"))
	}
}

func (m *model) endOne(t *rapid.T, h held, how string) {
	also := false
	res, failed := Result{Also: func(context.Context, *db.Tx) error { also = true; return nil }}, error(nil)
	switch how {
	case "again":
		res.Again, res.Wait = true, 3*time.Minute
	case "failed":
		failed = errors.New("no")
	}
	err := m.w.settle(context.Background(), h.job, h.lease, res, failed)
	i := slices.IndexFunc(m.jobs, func(j *modelJob) bool { return j.lease == h.lease })
	if i < 0 {
		if !errors.Is(err, errLost) || also {
			t.Fatalf("a lost lease ends with %v, also %v", err, also)
		}
		return
	}
	if err != nil || !also {
		t.Fatalf("a held lease ends with %v, also %v", err, also)
	}
	j := m.jobs[i]
	j.lease = leaseID{}
	switch {
	case how == "done":
		m.jobs = slices.Delete(m.jobs, i, i+1)
		m.done = append(m.done, j.number)
	case how == "again":
		j.due, j.attempts = m.now+3, 0
	case h.job.Attempt >= modelLimit:
		j.dead = true
	default:
		j.due = m.now + min(1<<(h.job.Attempt-1), 4)
	}
}

func (m *model) jump(t *rapid.T) { m.jumpBy(t, rapid.IntRange(-3, modelLease+2).Draw(t, "minutes")) }

// jumpBy moves the clock, which is as good as moving all times the other way.
func (m *model) jumpBy(t *rapid.T, minutes int) {
	m.now += minutes
	m.write(t, func(tx *db.Tx) error {
		_, err := tx.Exec(context.Background(), "UPDATE outbox_jobs SET due = due - ? WHERE kind = ?", (time.Duration(minutes) * time.Minute).Microseconds(), m.w.Name)
		return err
	})
}

func (m *model) retry(t *rapid.T) {
	if len(m.jobs) == 0 {
		return
	}
	j := rapid.SampledFrom(m.jobs).Draw(t, "job")
	want := j.dead || j.lease.IsZero() || j.due <= m.now
	m.write(t, func(tx *db.Tx) error {
		ok, err := m.w.Retry(context.Background(), tx, id.DefaultOrg, m.w.Name, j.number)
		if ok != want {
			t.Fatalf("retried: %v, want %v", ok, want)
		}
		return err
	})
	if want {
		j.due, j.dead, j.attempts = m.now, false, 0
	}
}

func (m *model) check(t *rapid.T) {
	real, err := m.w.List(context.Background(), id.DefaultOrg, m.w.Name, "", 0, 1000)
	if err != nil {
		t.Fatal(err)
	}
	if len(real) != len(m.jobs) || m.put != len(m.jobs)+len(m.done) {
		t.Fatalf("%d jobs, want %d; %d put, %d done", len(real), len(m.jobs), m.put, len(m.done))
	}
	for i, r := range real {
		j := m.jobs[i]
		if r.Number != j.number || r.Lane != j.lane || r.Dead() != j.dead || r.Leased != !j.lease.IsZero() || r.Attempt != j.attempts {
			t.Fatalf("job is %+v, want %+v", r, *j)
		}
	}
}

// drain works everything that is left: nothing may be stuck.
func (m *model) drain(t *rapid.T) {
	for round := 0; len(m.jobs) > 0; round++ {
		if round > 1000 {
			t.Fatalf("%d jobs are stuck", len(m.jobs))
		}
		m.jumpBy(t, modelLease+1)
		for _, j := range slices.Clone(m.jobs) {
			if j.dead {
				m.write(t, func(tx *db.Tx) error {
					_, err := m.w.Retry(context.Background(), tx, id.DefaultOrg, m.w.Name, j.number)
					return err
				})
				j.due, j.dead, j.attempts = m.now, false, 0
			}
		}
		for _, j := range slices.Clone(m.jobs) {
			if m.mayWork(j) {
				m.takeOne(t, j)
				m.endOne(t, m.history[len(m.history)-1], "done")
			}
		}
	}
	m.check(t)
}

// A dead letter that is tried again waits for the one of its lane that is being worked, though its number is lower.
func TestRetriedDeadLetterWaitsForItsLane(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := &worker{Queue: New(d), Kind: Kind{Name: "lane", Limit: 1, First: time.Hour, Cap: time.Hour}}
		var numbers []int64
		err := d.Write(t.Context(), func(tx *db.Tx) error {
			for range 2 {
				if err := w.Put(t.Context(), tx, Message{Org: id.DefaultOrg, Kind: "lane", Lane: "a"}); err != nil {
					return err
				}
			}
			numbers = nil
			return tx.Each(t.Context(), "SELECT number FROM outbox_jobs ORDER BY number", nil, func(r *db.Rows) error {
				var n int64
				err := r.Scan(&n)
				numbers = append(numbers, n)
				return err
			})
		})
		if err != nil {
			t.Fatal(err)
		}
		take := func(n int64, want bool) (Job, leaseID) {
			t.Helper()
			j, lease := Job{Org: id.DefaultOrg, Kind: "lane", Number: n, Lane: "a"}, id.New[leaseID]()
			if took, err := w.take(t.Context(), &j, lease); took != want || err != nil {
				t.Fatalf("job %d taken: %v, %v", n, took, err)
			}
			return j, lease
		}
		settle := func(j Job, lease leaseID, failed error) {
			t.Helper()
			if err := w.settle(t.Context(), j, lease, Result{}, failed); err != nil {
				t.Fatal(err)
			}
		}
		take(numbers[1], false)
		j, lease := take(numbers[0], true)
		settle(j, lease, errors.New("no"))
		j, lease = take(numbers[1], true)
		err = d.Write(t.Context(), func(tx *db.Tx) error {
			ok, err := w.Retry(t.Context(), tx, id.DefaultOrg, "lane", numbers[0])
			if !ok {
				t.Error("not retried")
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		take(numbers[0], false)
		settle(j, lease, nil)
		take(numbers[0], true)
	})
}
