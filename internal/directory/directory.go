package directory

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"rollway/internal/access"
	"rollway/internal/db"
	"rollway/internal/fault"
	"rollway/internal/id"
	"rollway/xapi"
)

// Directory is the people of all organizations.
type Directory struct {
	db        *db.DB
	changes   *access.Changes
	publicURL string
	hints     sync.Map // hint → true: attributes seen to be unique
}

// hint remembers a unique attribute, so that claims that carry it can wait for each other instead of clashing. It is never
// relied upon.
type hint struct {
	org    id.OrgID
	folded string
}

// New returns the directory. publicURL is the home page of the accounts that are made for people whose source has no agent
// for them; only an administrator may bring in others on it.
func New(d *db.DB, changes *access.Changes, publicURL string) *Directory {
	return &Directory{db: d, changes: changes, publicURL: publicURL}
}

// Result is what the gate decided.
type Result struct {
	Person    Person // as decided, with attributes
	Primary   xapi.Agent
	Submitted xapi.Agent // the agent of the claims; zero when they had none
	Outcome   Outcome
	Decision  id.EntryID // zero when nothing was written
}

// Provision is the gate: it finds the person the claims speak of, creates or updates them and keeps the reasons.
//
// Errors: Invalid (invalid_claims, invalid_attributes, too_many_attributes, attribute_twice, unique_value_too_long,
// no_identifier, too_many_agents), Forbidden (scope_missing, home_page_forbidden, person_protected), NotFound
// (person_unknown), Conflict (identity_conflict, value_taken, person_pending), Unavailable. Forbidden and Conflict are
// kept in the trace.
func (d *Directory) Provision(ctx context.Context, caller access.Caller, c Claims) (Result, error) {
	r, err := d.request(caller, c)
	if err != nil {
		return Result{}, err
	}
	var res *Result
	var refused error
	var waitFor []string
	err = d.retry(ctx, func(tx *db.Tx) error {
		err := d.lock(ctx, tx, r, waitFor)
		if err != nil {
			return err
		}
		f, err := find(ctx, tx, r)
		if err != nil {
			return err
		}
		waitFor = d.learn(r, f)
		res, refused, err = settle(ctx, tx, r, f)
		return err
	})
	if err = errors.Join(err, refused); err != nil {
		return Result{}, err
	}
	return *res, nil
}

// ProvisionTx is Provision within a transaction of the caller's, for claims in bulk. A Forbidden or Conflict fault has its
// trace in the transaction: a caller who goes on with the next claims and commits keeps it. A race with another transaction
// surfaces as db.ErrUnique, at the latest from the commit; the transaction is then to be run again. The number of a new
// person is known after a flush. It waits for nobody but a running declaration.
func (d *Directory) ProvisionTx(ctx context.Context, tx *db.Tx, caller access.Caller, c Claims) (*Result, error) {
	r, err := d.request(caller, c)
	if err != nil {
		return nil, err
	}
	if err := tx.Share(ctx, declareLock(r.caller.Org)); err != nil { // a lock for each row would be too many
		return nil, err
	}
	f, err := find(ctx, tx, r)
	if err != nil {
		return nil, err
	}
	d.learn(r, f)
	res, refused, err := settle(ctx, tx, r, f)
	if err = errors.Join(err, refused); err != nil {
		return nil, err
	}
	return res, nil
}

func (d *Directory) request(caller access.Caller, c Claims) (*request, error) {
	r, err := check(caller, c)
	if err != nil {
		return nil, err
	}
	r.own = d.publicURL
	if r.ifi == "" {
		made, err := xapi.ParseAccount(d.publicURL, id.NewRandom[id.PersonID]().String())
		if err != nil {
			return nil, fmt.Errorf("the public URL %q: %w", d.publicURL, err)
		}
		r.made = xapi.Agent{IFI: made}
	}
	return r, nil
}

const tries = 20

// retry runs a transaction again when it lost a race for a unique index.
func (d *Directory) retry(ctx context.Context, fn func(*db.Tx) error) error {
	for try := range tries {
		err := d.db.Write(ctx, fn)
		if !errors.Is(err, db.ErrUnique) {
			return err
		}
		select {
		case <-time.After(time.Duration(rand.IntN(5*(try+1))+1) * time.Millisecond):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return fault.New(fault.Unavailable, "busy", "Others are changing the same person at this moment. Send this again in a few seconds.")
}

// lock makes claims wait for others about the same identifier, link or unique value, and for a running declaration.
func (d *Directory) lock(ctx context.Context, tx *db.Tx, r *request, more []string) error {
	org := r.caller.Org
	if err := tx.Share(ctx, declareLock(org)); err != nil {
		return err
	}
	keys := append([]string(nil), more...)
	if r.ifi != "" {
		keys = append(keys, fmt.Sprintf("directory %d agent %s", org, r.ifi))
	}
	if r.Link.Key != "" {
		keys = append(keys, fmt.Sprintf("directory %d link %s %s", org, r.Link.Space, r.Link.Key))
	}
	for _, a := range r.attributes {
		if _, ok := d.hints.Load(hint{org, a.folded}); ok && a.norm != "" {
			keys = append(keys, fmt.Sprintf("directory %d value %s %s", org, a.folded, a.norm))
		}
	}
	return tx.Lock(ctx, keys...)
}

func declareLock(org id.OrgID) string { return fmt.Sprintf("directory %d attributes", org) }

// learn remembers which attributes are unique, and returns locks on the people found, for another try.
func (d *Directory) learn(r *request, f *found) (waitFor []string) {
	for folded, a := range f.declared {
		if a.Unique {
			d.hints.LoadOrStore(hint{r.caller.Org, folded}, true)
		}
	}
	for _, o := range f.owners {
		waitFor = append(waitFor, fmt.Sprintf("directory %d person %s", r.caller.Org, o.person))
	}
	return waitFor
}

// settle decides and writes. refused is the answer to claims that are not followed: of a Forbidden or Conflict fault the
// trace is written, and nothing else.
func settle(ctx context.Context, tx *db.Tx, r *request, f *found) (res *Result, refused, err error) {
	p, candidates, no := match(r, f)
	var d *plan
	if no == nil {
		if d, no, refused = draft(r, f, p); refused != nil {
			return nil, refused, nil // nothing was decided
		}
	}
	decision := r.decision()
	decision.Found = candidates
	switch {
	case no == nil:
	case no.Kind == fault.NotFound:
		return nil, no, nil
	default:
		decision.Outcome, decision.Code, decision.Reason = Rejected, no.Code, no.Message
		return nil, no, decision.recordRefusal(ctx, tx, r.caller.Org, subjects(r, f, candidates))
	}
	res = &Result{Person: d.after, Primary: d.after.Primary(), Outcome: d.outcome}
	if r.ifi != "" {
		res.Submitted = xapi.Agent{Name: d.after.Name, IFI: r.Agent.IFI}
	}
	if d.outcome == Unchanged {
		return res, nil, nil
	}
	return res, nil, enact(ctx, tx, r, d, decision, res)
}

// enact writes the plan, its decision and the audit entry.
func enact(ctx context.Context, tx *db.Tx, r *request, d *plan, decision *Decision, res *Result) error {
	if err := d.write(ctx, tx, r, &res.Person); err != nil {
		return err
	}
	decision.Outcome, decision.Changes, decision.Answer = d.outcome, d.changes, res.Primary.IFI.Key()
	version := int64(1)
	if d.before != nil {
		version = d.before.version + 1
		decision.Joined = d.agent.Key()
	}
	past := make([]subject, len(d.release)) // so that who asks for an old address learns what became of it
	for i, v := range d.release {
		past[i] = valueSubject(v)
	}
	if err := decision.record(ctx, tx, r.caller.Org, res.Person.ID, version, past...); err != nil {
		return err
	}
	res.Decision = decision.ID
	return decision.audit(ctx, tx, r.caller, res.Person.ID)
}

// subjects are what a refusal is found by: the people who clashed, and everything that was submitted to find them by.
func subjects(r *request, f *found, candidates []Found) (out []subject) {
	for _, c := range candidates {
		out = append(out, subject(c.Person))
	}
	if r.ifi != "" {
		out = append(out, identifierSubject(r.ifi))
	}
	if r.Link.Key != "" {
		out = append(out, linkSubject(r.Link))
	}
	for _, a := range r.attributes {
		if f.unique(a) && a.norm != "" {
			out = append(out, valueSubject(uniqueValue{a.folded, a.norm}))
		}
	}
	return out
}
