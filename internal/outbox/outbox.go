package outbox

import (
	"context"
	"math/rand/v2"
	"sync"
	"time"

	"rollway/internal/db"
	"rollway/internal/id"
)

// Queue is the queue of a database. Its exported fields may be changed before it is used.
type Queue struct {
	Poll  time.Duration  // how often jobs that other processes put, and those that became due, are looked for
	Lease time.Duration  // how long a job of a dead process waits; a living one renews its leases
	Grace time.Duration  // how long work may go on after Work was told to stop
	Rand  func() float64 // in [0, 1)

	db     *db.DB
	mu     sync.Mutex
	wakers map[string]chan struct{} // by kind
}

// New returns the queue of a migrated database.
func New(d *db.DB) *Queue {
	return &Queue{Poll: time.Second, Lease: 15 * time.Second, Grace: 10 * time.Second, Rand: rand.Float64, db: d, wakers: map[string]chan struct{}{}}
}

// Message is a job to be put.
type Message struct {
	Org     id.OrgID
	Kind    string
	Lane    string        // jobs of one lane are worked in order, one at a time; empty for one that waits for no other
	Payload []byte        // what the worker needs to know; never a secret in clear
	After   time.Duration // from now, by the database's clock
}

// Put adds a job, which is worked once the transaction is durable: at once when this process works its kind.
func (q *Queue) Put(ctx context.Context, tx *db.Tx, m Message) error {
	if m.Payload == nil {
		m.Payload = []byte{}
	}
	if m.Lane != "" { // so that the order of numbers is that of commits
		if err := tx.Lock(ctx, laneLock(m.Org, m.Kind, m.Lane)); err != nil {
			return err
		}
	}
	tx.AfterCommit(func() { q.wake(m.Kind) })
	clock := tx.Engine.Clock()
	return tx.Defer(ctx, "INSERT INTO outbox_jobs (org_id, kind, lane, payload, due, attempts, error, created) VALUES (?, ?, ?, ?, "+clock+" + ?, 0, '', "+clock+")",
		int64(m.Org), m.Kind, m.Lane, m.Payload, m.After.Microseconds())
}

// Wake has the waiting jobs of a lane worked now, dead letters too; the next failure waits as briefly as a first one.
func (q *Queue) Wake(ctx context.Context, tx *db.Tx, org id.OrgID, kind, lane string) error {
	tx.AfterCommit(func() { q.wake(kind) })
	return tx.Defer(ctx, "UPDATE outbox_jobs SET due = "+tx.Engine.Clock()+", attempts = 0 WHERE org_id = ? AND kind = ? AND lane = ? AND "+atRest(tx.Engine),
		int64(org), kind, lane)
}

// Retry has one job worked now, a dead letter too; false when there is none that waits.
func (q *Queue) Retry(ctx context.Context, tx *db.Tx, org id.OrgID, kind string, number int64) (bool, error) {
	tx.AfterCommit(func() { q.wake(kind) })
	n, err := tx.Exec(ctx, "UPDATE outbox_jobs SET due = "+tx.Engine.Clock()+", attempts = 0 WHERE org_id = ? AND kind = ? AND number = ? AND "+atRest(tx.Engine),
		int64(org), kind, number)
	return n > 0, err
}

// Drop removes the jobs of a lane. Work under way goes on, but what it would write at its end is not written.
func (q *Queue) Drop(ctx context.Context, tx *db.Tx, org id.OrgID, kind, lane string) error {
	return tx.Defer(ctx, "DELETE FROM outbox_jobs WHERE org_id = ? AND kind = ? AND lane = ?", int64(org), kind, lane)
}

// Bury removes the dead letters of a kind that were put longer ago than so.
func (q *Queue) Bury(ctx context.Context, kind string, age time.Duration) error {
	return q.db.Write(ctx, func(tx *db.Tx) error {
		return tx.Defer(ctx, "DELETE FROM outbox_jobs WHERE kind = ? AND due IS NULL AND created < "+tx.Engine.Clock()+" - ?", kind, age.Microseconds())
	})
}

// atRest is the condition that nobody works the job.
func atRest(e db.Engine) string { return "(due IS NULL OR lease IS NULL OR due <= " + e.Clock() + ")" }

// Listed is a job as it is shown.
type Listed struct {
	Job
	Created   time.Time
	Attempted time.Time // when the last attempt began; zero when there was none
	Due       time.Time // when it may be worked; zero for a dead letter
	Leased    bool      // it is being worked, or its worker has died; Due is when that is assumed
	Error     string    // of the last attempt, for people; at most 500 bytes, without secrets
}

// Dead tells whether the job is a dead letter.
func (l Listed) Dead() bool { return l.Due.IsZero() }

// List returns jobs of a kind with a number greater than after, in order, at most limit of them. No organization is any, and
// an empty lane is any lane.
func (q *Queue) List(ctx context.Context, org id.OrgID, kind, lane string, after int64, limit int) (jobs []Listed, err error) {
	where, args := "", []any{kind, after}
	if org != 0 {
		where, args = " AND org_id = ?", append(args, int64(org))
	}
	if lane != "" {
		where, args = where+" AND lane = ?", append(args, lane)
	}
	err = q.db.Read(ctx, func(tx *db.Tx) error {
		jobs = nil
		text := "SELECT org_id, number, lane, payload, attempts, created, attempted, due, lease, error FROM outbox_jobs WHERE kind = ? AND number > ?" + where + " ORDER BY number LIMIT ?"
		return tx.Each(ctx, text, append(args, limit), func(r *db.Rows) error {
			l := Listed{Job: Job{Kind: kind}}
			var lease leaseID
			err := r.Scan(&l.Org, &l.Number, &l.Lane, &l.Payload, &l.Attempt, &l.Created, &l.Attempted, &l.Due, &lease, &l.Error)
			l.Leased = !lease.IsZero()
			jobs = append(jobs, l)
			return err
		})
	})
	return jobs, err
}

// waker yields when a job of the kind has been put by this process.
func (q *Queue) waker(kind string) chan struct{} {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.wakers[kind] == nil {
		q.wakers[kind] = make(chan struct{}, 1)
	}
	return q.wakers[kind]
}

func (q *Queue) wake(kind string) {
	select {
	case q.waker(kind) <- struct{}{}:
	default: // it is awake
	}
}
