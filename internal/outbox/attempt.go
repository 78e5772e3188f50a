package outbox

import (
	"context"
	"fmt"
	"runtime/debug"
	"time"

	"rollway/internal/db"
	"rollway/internal/id"
)

// one leases a job, has it handled and writes down what came of it. It is false when somebody else was first.
func (w *worker) one(ctx, hands context.Context, j Job) (bool, error) {
	asked := time.Now()
	lease := id.New[leaseID]()
	took, err := w.take(ctx, &j, lease)
	if err != nil || !took {
		return false, err
	}
	hands, stop := context.WithCancel(hands)
	defer stop()
	renewed := make(chan struct{})
	go func() {
		defer close(renewed)
		w.renew(hands, stop, j, lease, asked)
	}()
	var res Result
	if w.Limit > 0 && j.Attempt > w.Limit { // each of its attempts took the process with it
		err = errDied
	} else {
		res, err = w.handle(hands, j)
	}
	broken := err != nil && hands.Err() != nil && ctx.Err() != nil
	stop()
	<-renewed
	if broken {
		return true, w.end(context.WithoutCancel(ctx), j, lease, "due = "+w.db.Engine().Clock()+", attempts = attempts - 1", nil, res.Also)
	}
	return true, w.settle(context.WithoutCancel(ctx), j, lease, res, err)
}

// take leases the job if it is still due and the first of its lane.
func (w *worker) take(ctx context.Context, j *Job, lease leaseID) (took bool, err error) {
	err = w.db.Write(ctx, func(tx *db.Tx) error {
		took = false
		if j.Lane != "" {
			if err := tx.Lock(ctx, laneLock(j.Org, w.Name, j.Lane)); err != nil {
				return err
			}
		}
		skip := ""
		if tx.Engine == db.PostgreSQL {
			skip = " FOR UPDATE SKIP LOCKED"
		}
		clock := tx.Engine.Clock()
		text := "UPDATE outbox_jobs SET due = " + clock + " + ?, lease = ?, attempts = attempts + 1, attempted = " + clock +
			" WHERE org_id = ? AND number IN (SELECT j.number FROM outbox_jobs j WHERE j.org_id = ? AND j.number = ? AND " + first(tx.Engine) + skip + ") RETURNING attempts"
		return tx.Each(ctx, text, []any{w.Lease.Microseconds(), lease, int64(j.Org), int64(j.Org), j.Number}, func(r *db.Rows) error {
			took = true
			return r.Scan(&j.Attempt)
		})
	})
	return took, err
}

// renew keeps the lease while ctx lasts. When that fails for so long that the lease may have ended, it stops the work.
func (w *worker) renew(ctx context.Context, stop func(), j Job, lease leaseID, asked time.Time) {
	tick := time.NewTicker(w.Lease / 4)
	defer tick.Stop()
	end := time.AfterFunc(time.Until(asked.Add(w.Lease*9/10)), stop)
	defer func() { end.Stop() }()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		asked := time.Now()
		lost := false
		err := w.db.Write(ctx, func(tx *db.Tx) error {
			n, err := tx.Exec(ctx, "UPDATE outbox_jobs SET due = "+tx.Engine.Clock()+" + ? WHERE org_id = ? AND number = ? AND lease = ? AND due > "+tx.Engine.Clock(),
				w.Lease.Microseconds(), int64(j.Org), j.Number, lease)
			lost = n == 0
			return err
		})
		switch {
		case err != nil && ctx.Err() == nil:
			w.report(fmt.Errorf("renew the lease of %s job %d: %w", w.Name, j.Number, err))
		case lost && err == nil:
			stop()
		case err == nil && end.Stop():
			end = time.AfterFunc(time.Until(asked.Add(w.Lease*9/10)), stop)
		}
	}
}

// handle calls the handler; a panic is its failure.
func (w *worker) handle(ctx context.Context, j Job) (res Result, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v", p)
			w.report(fmt.Errorf("%s job %d: panic: %v\n%s", w.Name, j.Number, p, debug.Stack()))
		}
	}()
	return w.Handle(ctx, j)
}

// settle writes down what came of an attempt.
func (w *worker) settle(ctx context.Context, j Job, lease leaseID, res Result, failed error) error {
	clock := w.db.Engine().Clock()
	switch {
	case failed == nil && !res.Again:
		return w.end(ctx, j, lease, "", nil, res.Also)
	case failed == nil:
		return w.end(ctx, j, lease, "due = "+clock+" + ?, attempts = 0, error = ''", []any{res.Wait.Microseconds()}, res.Also)
	case res.Final, w.Limit > 0 && j.Attempt >= w.Limit:
		return w.end(ctx, j, lease, "due = NULL, error = ?", []any{textOf(failed)}, res.Also)
	}
	wait := max(w.wait(j.Attempt), res.Wait)
	return w.end(ctx, j, lease, "due = "+clock+" + ?, error = ?", []any{wait.Microseconds(), textOf(failed)}, res.Also)
}

// wait is how long a job waits after a failed attempt.
func (w *worker) wait(attempt int) time.Duration {
	d := w.First
	for range attempt - 1 {
		if d *= 2; d >= w.Cap {
			d = w.Cap
			break
		}
	}
	return d/2 + time.Duration(w.Rand()*float64(d/2))
}

// end gives the lease back and sets the columns, or deletes the job when there are none to set.
func (w *worker) end(ctx context.Context, j Job, lease leaseID, set string, args []any, also func(context.Context, *db.Tx) error) error {
	text := "DELETE FROM outbox_jobs"
	if set != "" {
		text = "UPDATE outbox_jobs SET lease = NULL, " + set
	}
	args = append(args, int64(j.Org), j.Number, lease)
	return w.db.Write(ctx, func(tx *db.Tx) error {
		n, err := tx.Exec(ctx, text+" WHERE org_id = ? AND number = ? AND lease = ?", append([]any(nil), args...)...)
		if err != nil {
			return err
		}
		if n == 0 {
			return errLost
		}
		if also == nil {
			return nil
		}
		return also(ctx, tx)
	})
}
