package outbox

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"rollway/internal/db"
	"rollway/internal/id"
)

// Job is a job as its worker gets it.
type Job struct {
	Org     id.OrgID
	Kind    string
	Number  int64 // ascends with the order of putting within a lane
	Lane    string
	Payload []byte
	Attempt int // which one this is since the last success, from 1
}

// Kind says how jobs of a kind are worked. Name and Handle are required.
type Kind struct {
	Name   string
	Handle func(ctx context.Context, j Job) (Result, error)
	// Ready is asked before a job is leased. While it says no, the job stays due and nothing is written: this is for jobs
	// that come again and mostly find nothing to do. Nil for always.
	Ready func(ctx context.Context, j Job) (bool, error)
	// Limit is the number of attempts after which a job is a dead letter; 0 for never.
	Limit int
	// At is how many jobs this process works at a time; 4 when 0.
	At int
	// First and Cap are what a job waits after the first failure and at most: each failure doubles it, less up to half of it
	// by chance. A second and 15 minutes when 0.
	First, Cap time.Duration
}

// Result is what comes of a job.
type Result struct {
	// Again has the job come again after Wait, with no attempts counted; otherwise it is gone. After a failure it always
	// comes again or becomes a dead letter, and Wait is the least it waits.
	Again bool
	Wait  time.Duration
	// Final makes a job that failed a dead letter at once, whatever the kind's limit.
	Final bool
	// Also runs in the transaction that ends this attempt, of a failure too. It is not run, or what it did is not kept, when
	// the job is not this worker's any more.
	Also func(ctx context.Context, tx *db.Tx) error
}

const (
	workersAtOnce = 4
	firstWait     = time.Second
	longestWait   = 15 * time.Minute
	candidates    = 64 // jobs looked at in one go
)

var (
	errLost = errors.New("outbox: the job is another worker's by now, or was removed; what came of this attempt is not kept")
	errDied = errors.New("the last attempt ended without a result: its process died or lost the database")
)

type (
	leaseKind struct{}
	leaseID   = id.Of[leaseKind]
)

// worker works the jobs of one kind.
type worker struct {
	*Queue
	Kind
	report func(error)
	slots  chan struct{}
	group  sync.WaitGroup
	mine   sync.Map // numbers of jobs that this process is at
}

// Work works jobs of a kind until ctx ends and the work under way has ended too, which is given q.Grace. Handle gets a
// context that ends when the job's lease does. Failures of the queue itself are reported, those of jobs are kept with them.
func (q *Queue) Work(ctx context.Context, k Kind, report func(error)) {
	if k.At == 0 {
		k.At = workersAtOnce
	}
	if k.First == 0 {
		k.First = firstWait
	}
	if k.Cap == 0 {
		k.Cap = longestWait
	}
	w := &worker{Queue: q, Kind: k, report: report, slots: make(chan struct{}, k.At)}
	awake := q.waker(k.Name)
	tick := time.NewTicker(q.Poll)
	defer tick.Stop()
	hands, stop := context.WithCancel(context.WithoutCancel(ctx))
	defer stop()
	for {
		if err := w.look(ctx, hands); err != nil && ctx.Err() == nil {
			report(fmt.Errorf("look for %s jobs: %w", k.Name, err))
		}
		select {
		case <-ctx.Done():
			late := time.AfterFunc(q.Grace, stop)
			defer late.Stop()
			w.group.Wait()
			return
		case <-awake:
		case <-tick.C:
		}
	}
}

// look leases what is due and has it worked, as far as there are hands.
func (w *worker) look(ctx, hands context.Context) error {
	var due []Job
	err := w.db.Read(ctx, func(tx *db.Tx) error {
		due = due[:0]
		limit := ""
		if w.Ready == nil { // those that come again are all looked at, since most of them have nothing to do
			limit = fmt.Sprintf(" LIMIT %d", candidates)
		}
		return tx.Each(ctx, "SELECT j.org_id, j.number, j.lane, j.payload, j.attempts FROM outbox_jobs j WHERE j.kind = ? AND "+first(tx.Engine)+" ORDER BY j.due"+limit, []any{w.Name}, func(r *db.Rows) error {
			j := Job{Kind: w.Name}
			err := r.Scan(&j.Org, &j.Number, &j.Lane, &j.Payload, &j.Attempt)
			j.Attempt++
			due = append(due, j)
			return err
		})
	})
	if err != nil {
		return err
	}
	for _, j := range due {
		if _, busy := w.mine.Load(j.Number); busy {
			continue
		}
		if w.Ready != nil {
			if ready, err := w.Ready(ctx, j); ctx.Err() != nil {
				return ctx.Err()
			} else if err != nil {
				w.report(fmt.Errorf("look whether %s job %d is ready: %w", w.Name, j.Number, err))
				continue
			} else if !ready {
				continue
			}
		}
		select {
		case w.slots <- struct{}{}:
		case <-ctx.Done():
			return ctx.Err()
		}
		if ctx.Err() != nil {
			<-w.slots
			return ctx.Err()
		}
		w.mine.Store(j.Number, true)
		w.group.Go(func() {
			worked, err := w.one(ctx, hands, j)
			w.mine.Delete(j.Number)
			<-w.slots
			// A job that was removed, or went to another when its lease could not be renewed (which is reported), is no error.
			if err != nil && !errors.Is(err, errLost) && ctx.Err() == nil {
				w.report(fmt.Errorf("%s job %d: %w", w.Name, j.Number, err))
			}
			if worked {
				w.wake(w.Name) // there may be more, in its lane or beyond the candidates
			}
		})
	}
	return nil
}

// first is the condition that a job is due and the first of its lane.
func first(e db.Engine) string {
	return `j.due <= ` + e.Clock() + ` AND (j.lane = '' OR NOT EXISTS (SELECT 1 FROM outbox_jobs o
		WHERE o.org_id = j.org_id AND o.kind = j.kind AND o.lane = j.lane AND o.number <> j.number AND o.due IS NOT NULL
		AND (o.number < j.number OR (o.lease IS NOT NULL AND o.due > ` + e.Clock() + `))))`
}

func laneLock(org id.OrgID, kind, lane string) string {
	return fmt.Sprintf("outbox %d %s %s", org, kind, lane)
}
