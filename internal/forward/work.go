package forward

import (
	"context"
	"errors"
	"iter"
	"net/http"
	"net/url"
	"time"

	"rollway/internal/db"
	"rollway/internal/fault"
	"rollway/internal/id"
	"rollway/internal/lrs"
	"rollway/internal/outbox"
	"rollway/xapi"
)

const (
	receiversAtOnce = 8
	longestWait     = 5 * time.Minute
	attemptFor      = 20 * time.Second // after which an attempt that sends one by one keeps what it has done
	againAtOnce     = 100              // refusals that one attempt sends again
)

// Work sends until ctx ends. Trouble with receivers is kept with their forwards; report gets what is wrong here.
func (f *Forwards) Work(ctx context.Context, report func(error)) {
	f.Outbox.Work(ctx, outbox.Kind{Name: kind, Handle: f.attempt, Ready: f.ready, At: receiversAtOnce, First: time.Second, Cap: longestWait}, report)
}

// load reads what a job is about; false when the forward is not there any more or paused.
func (f *Forwards) load(ctx context.Context, j outbox.Job) (fw Forward, secret []byte, ok bool, err error) {
	which, err := id.Parse[id.ForwardID](j.Lane)
	if err != nil {
		return Forward{}, nil, false, err
	}
	err = f.DB.Read(ctx, func(tx *db.Tx) error {
		fw, secret, ok, err = one(ctx, tx, j.Org, which)
		return err
	})
	return fw, secret, ok, err
}

// ready tells whether there is anything to send. It remembers up to where there is not.
func (f *Forwards) ready(ctx context.Context, j outbox.Job) (bool, error) {
	fw, _, ok, err := f.load(ctx, j)
	if err != nil || !ok {
		return true, err
	}
	again, err := f.toSendAgain(ctx, j.Org, fw.ID, 1)
	if err != nil || len(again) > 0 {
		return true, err
	}
	through, err := f.Records.ConsistentThrough(ctx)
	if err != nil {
		return false, err
	}
	f.mu.Lock()
	from := max(fw.place, f.nothing[fw.ID])
	f.mu.Unlock()
	found, _, err := f.Records.After(ctx, reader(j.Org, fw), fw.Filter.query(1), from, lrs.At(through))
	if err != nil || len(found) > 0 {
		return len(found) > 0, err
	}
	f.mu.Lock()
	f.nothing[fw.ID] = max(from, lrs.At(through))
	f.mu.Unlock()
	return false, nil
}

func (f *Forwards) toSendAgain(ctx context.Context, org id.OrgID, fw id.ForwardID, limit int) (list []Refusal, err error) {
	err = f.DB.Read(ctx, func(tx *db.Tx) error {
		list, err = refusals(ctx, tx, org, fw, againText, limit)
		return err
	})
	return list, err
}

// attempt is one run of a forward's job: what was refused and is to be sent again, else the next batch.
func (f *Forwards) attempt(ctx context.Context, j outbox.Job) (outbox.Result, error) {
	fw, sealed, ok, err := f.load(ctx, j)
	if err != nil || !ok {
		return outbox.Result{}, err
	}
	if u, err := url.Parse(fw.Endpoint); err != nil || isOwn(u, f.Own) {
		return outbox.Result{}, fault.New(fault.Invalid, "endpoint_own", "The endpoint is this installation itself by now: its statements would go round in a circle.")
	}
	secret, err := f.open(j.Org, fw, sealed)
	if err != nil {
		return outbox.Result{}, err
	}
	a := &attempt{Forwards: f, to: f.send.to(fw, secret), org: j.Org, began: time.Now(), top: fw.place, progress: progress{place: fw.place}}
	err = a.undoubted(a.run(ctx))
	return outbox.Result{Again: true, Wait: a.wait, Also: func(ctx context.Context, tx *db.Tx) error {
		return a.progress.write(ctx, tx, j.Org, fw.ID)
	}}, err
}

// attempt is an attempt under way.
type attempt struct {
	*Forwards
	to       receiver
	org      id.OrgID
	began    time.Time
	ahead                 // of those after the place
	top      lrs.Position // the greatest of those that are settled
	progress progress
	doubts
	wait time.Duration // that the receiver asks for
}

func (a *attempt) run(ctx context.Context) error {
	if did, err := a.again(ctx); did || err != nil {
		return err
	}
	through, err := a.Records.ConsistentThrough(ctx)
	if err != nil {
		return err
	}
	c, q := reader(a.org, a.to.Forward), a.to.Filter.query(batchStatements)
	found, more, err := a.Records.After(ctx, c, q, a.to.place, lrs.At(through))
	if err != nil {
		return err
	}
	var stop func()
	a.pull, stop = iter.Pull2(a.Records.WithEarlier(ctx, c, q, found))
	defer stop()
	for {
		if err := a.fill(); err != nil {
			return err
		}
		if len(a.rest) == 0 || a.late() {
			break
		}
		if err := a.next(ctx, a.rest); err != nil {
			return err
		}
	}
	if !more && len(a.rest) == 0 {
		a.progress.place = max(a.progress.place, lrs.At(through))
	}
	return nil
}

// next sends the next batch of statements. One that cannot be sent is noted as refused.
func (a *attempt) next(ctx context.Context, found []lrs.Statement) error {
	b, why := nextBatch(found)
	if why == nil && b.attached {
		why = a.withData(ctx, &b)
		if why != nil && why != errNoData {
			return why
		}
	}
	if why == nil {
		if why = a.deliver(ctx, b); !errors.Is(why, errData) {
			return why
		}
	}
	a.refuse(b.statements[0], 0, "Not sent: "+why.Error()+".")
	return nil
}

// late tells that the attempt should end here and the rest come with the next one. Doubts are resolved first, for the next one
// would begin with them anew.
func (a *attempt) late() bool {
	return time.Since(a.began) > attemptFor && len(a.doubted) == 0 && (len(a.rest) == 0 || a.rest[0].Position() > a.top)
}

// pass is called when a statement is settled. The place moves on once those found late, which stand behind the one they
// point at and have earlier positions, are settled too.
func (a *attempt) pass() {
	if len(a.rest) == 0 {
		return // one that was refused before
	}
	a.top = max(a.top, a.shift().Position())
	if len(a.rest) == 0 || a.rest[0].Position() > a.top {
		a.progress.place = a.top
	}
}

// deliver sends a batch, and one by one when the receiver will not take it whole.
func (a *attempt) deliver(ctx context.Context, b batch) error {
	said, err := a.to.post(ctx, b)
	switch {
	case err != nil:
		return err
	case said.taken():
		for range b.statements {
			a.pass()
		}
		a.progress.sent += len(b.statements)
		a.resolve()
		return nil
	case !said.final() && !said.doubtful():
		a.wait = said.after
		return said.trouble("")
	case len(b.statements) == 1:
		return a.judge(ctx, b, said)
	}
	for _, st := range b.statements {
		if a.late() {
			return nil
		}
		if err := a.deliver(ctx, batch{line: b.line, statements: []lrs.Statement{st}}); err != nil {
			return err
		}
	}
	return nil
}

// judge decides on a single statement that is not taken. Some receivers answer 409 to one they have already.
func (a *attempt) judge(ctx context.Context, b batch, said answer) error {
	st := b.statements[0]
	if said.doubtful() && len(a.rest) > 0 { // not one that was refused before
		return a.doubt(st, said)
	}
	if said.status == http.StatusConflict {
		there, err := a.to.has(ctx, st.ID, b.line)
		switch {
		case err != nil:
			return err
		case there.status == http.StatusOK:
			if equal, err := xapi.Equal(st.JSON, there.text); err == nil && equal {
				a.pass()
				a.progress.sent++
				return nil
			}
		case there.status >= 500 || there.status == http.StatusTooManyRequests:
			a.wait = there.after
			return there.trouble("")
		}
	}
	a.refuse(st, said.status, said.said())
	return nil
}

func (a *attempt) refuse(st lrs.Statement, status int, why string) {
	a.pass()
	a.progress.refused = append(a.progress.refused, Refusal{Statement: st.ID, Status: status, Answer: why})
}

// again sends what was refused and is to be sent again, each by itself.
func (a *attempt) again(ctx context.Context) (bool, error) {
	list, err := a.toSendAgain(ctx, a.org, a.to.ID, againAtOnce)
	if err != nil || len(list) == 0 {
		return false, err
	}
	for _, r := range list {
		if a.late() {
			break
		}
		st, err := a.statement(ctx, r.Statement)
		if fault.Is(err, fault.NotFound) {
			a.progress.settled = append(a.progress.settled, r.Statement)
			continue
		}
		if err != nil {
			return true, err
		}
		refused := len(a.progress.refused)
		if err := a.next(ctx, []lrs.Statement{st}); err != nil {
			return true, err
		}
		if len(a.progress.refused) == refused {
			a.progress.settled = append(a.progress.settled, st.ID)
		}
	}
	return true, nil
}

// statement reads one by its id, voided or not.
func (a *attempt) statement(ctx context.Context, sid id.StatementID) (lrs.Statement, error) {
	c := reader(a.org, a.to.Forward)
	st, err := a.Records.Get(ctx, c, sid, false)
	if fault.Is(err, fault.NotFound) {
		st, err = a.Records.Get(ctx, c, sid, true)
	}
	return st, err
}
