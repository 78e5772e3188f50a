package directory

import (
	"context"
	"slices"

	"rollway/internal/access"
	"rollway/internal/db"
	"rollway/internal/fault"
	"rollway/internal/id"
)

// Suspend stops a person: from the next request on, nothing that acts for them works, on this node at once and on others
// within two seconds. Suspending twice is no error and leaves no second trace. It needs the scope people:write.
//
// Errors: Forbidden, Invalid (unknown_reference), NotFound (person_unknown), Conflict (person_pending).
func (d *Directory) Suspend(ctx context.Context, caller access.Caller, ref string) (Person, error) {
	return d.turn(ctx, caller, ref, WasSuspended)
}

// Resume undoes Suspend. Errors as for it; a person who holds an admin right is resumed by an administrator only
// (Forbidden, person_protected).
func (d *Directory) Resume(ctx context.Context, caller access.Caller, ref string) (Person, error) {
	return d.turn(ctx, caller, ref, WasResumed)
}

func (d *Directory) turn(ctx context.Context, caller access.Caller, ref string, to Outcome) (Person, error) {
	var p Person
	err := d.retry(ctx, func(tx *db.Tx) (err error) {
		p, err = d.turnTx(ctx, tx, caller, ref, to)
		return err
	})
	return p, err
}

// SuspendTx is [Directory.Suspend] within a transaction of the caller's. A race surfaces as db.ErrUnique.
func (d *Directory) SuspendTx(ctx context.Context, tx *db.Tx, caller access.Caller, ref string) (Person, error) {
	return d.turnTx(ctx, tx, caller, ref, WasSuspended)
}

// ResumeTx is [Directory.Resume] within a transaction of the caller's. A race surfaces as db.ErrUnique.
func (d *Directory) ResumeTx(ctx context.Context, tx *db.Tx, caller access.Caller, ref string) (Person, error) {
	return d.turnTx(ctx, tx, caller, ref, WasResumed)
}

func (d *Directory) turnTx(ctx context.Context, tx *db.Tx, caller access.Caller, ref string, to Outcome) (Person, error) {
	if err := caller.Require(access.PeopleWrite); err != nil {
		return Person{}, err
	}
	r, err := parseReference(ref)
	if err != nil {
		return Person{}, err
	}
	p, err := named(ctx, tx, caller.Org, r)
	switch {
	case err != nil:
		return Person{}, err
	case p == nil:
		return Person{}, r.unknown()
	case p.State == Pending:
		return Person{}, fault.New(fault.Conflict, "person_pending", "This person has not confirmed their sign-up yet.")
	case to == WasResumed && p.Privileged && !caller.Scopes.Has(access.Admin):
		return Person{}, fault.New(fault.Forbidden, "person_protected", "This caller may not resume this person.")
	}
	state := Active
	if to == WasSuspended {
		state = Suspended
	}
	if p.State == state {
		return p.Person, nil
	}
	p.State = state
	return p.Person, d.put(ctx, tx, caller, p, &Decision{Source: ByAdmin, Outcome: to})
}

// put writes a person's state with the decision that changed it, and tells all who keep copies.
func (d *Directory) put(ctx context.Context, tx *db.Tx, caller access.Caller, p *record, decision *Decision) error {
	p.Updated = tx.Now()
	if err := tx.Defer(ctx, `UPDATE people SET state = ?, updated = ?, version = ? WHERE org_id = ? AND id = ?`, string(p.State), p.Updated, p.version+1, caller.Org, p.ID); err != nil {
		return err
	}
	if p.State == Suspended {
		if err := tx.Defer(ctx, `UPDATE people SET suspended = ?, suspensions = suspensions + 1 WHERE org_id = ? AND id = ?`, p.Updated, caller.Org, p.ID); err != nil {
			return err
		}
	}
	decision.Caller, decision.Note, decision.Times = caller.Name, caller.Note, 1
	if err := decision.record(ctx, tx, caller.Org, p.ID, p.version+1); err != nil {
		return err
	}
	if err := decision.audit(ctx, tx, caller, p.ID); err != nil {
		return err
	}
	return d.changes.Announce(ctx, tx, access.Change{Org: caller.Org, Kind: access.PersonChanged, Subject: p.ID})
}

// ConfirmTx makes a pending person active, in the transaction that uses up their confirmation. The attributes named in
// verified count as vouched for from now on: the person holds the values of unique ones. It needs the scope signup.
//
// Errors: Forbidden; NotFound (person_unknown); Conflict (person_not_pending; value_taken when somebody else holds a value
// by now). A race surfaces as db.ErrUnique, at the latest from the commit.
func (d *Directory) ConfirmTx(ctx context.Context, tx *db.Tx, caller access.Caller, who id.PersonID, verified []string) (Person, error) {
	if err := caller.Require(access.Signup); err != nil {
		return Person{}, err
	}
	if err := tx.Share(ctx, declareLock(caller.Org)); err != nil {
		return Person{}, err
	}
	p, err := named(ctx, tx, caller.Org, reference{text: who.String(), person: who})
	switch {
	case err != nil:
		return Person{}, err
	case p == nil:
		return Person{}, reference{text: who.String()}.unknown()
	case p.State != Pending:
		return Person{}, fault.New(fault.Conflict, "person_not_pending", "This person is confirmed already.")
	}
	hold, err := vouch(ctx, tx, p, verified)
	if err != nil {
		return Person{}, err
	}
	p.State = Active
	if err := rehold(ctx, tx, caller.Org, p.ID, nil, hold); err != nil {
		return Person{}, err
	}
	for name := range p.trusted {
		if p.trusted[name] {
			if err := tx.Defer(ctx, `UPDATE person_attributes SET trusted = ? WHERE org_id = ? AND person_id = ? AND name = ?`, true, caller.Org, p.ID, name); err != nil {
				return Person{}, err
			}
		}
	}
	return p.Person, d.put(ctx, tx, caller, p, &Decision{Source: BySignup, Outcome: WasConfirmed})
}

// vouch marks the verified attributes of a record and returns the unique values they make the person hold. A value that
// somebody else holds is a conflict.
func vouch(ctx context.Context, tx *db.Tx, p *record, verified []string) ([]uniqueValue, error) {
	unique := map[string]bool{}
	err := tx.Each(ctx, `SELECT folded FROM attributes WHERE org_id = ? AND is_unique = ?`, []any{p.Org, true}, func(r *db.Rows) error {
		var folded string
		err := r.Scan(&folded)
		unique[folded] = true
		return err
	})
	if err != nil {
		return nil, err
	}
	var hold []uniqueValue
	for name, value := range p.Attributes {
		folded := fold(name)
		p.trusted[name] = p.trusted[name] || slices.ContainsFunc(verified, func(v string) bool { return fold(v) == folded })
		if !unique[folded] || !p.trusted[name] || longer(value.text, MaxUniqueValue) {
			continue
		}
		v := uniqueValue{folded, normalize(folded, value.text)}
		var n int
		if err := tx.Row(ctx, `SELECT count(*) FROM unique_values WHERE org_id = ? AND attribute = ? AND value = ?`, p.Org, v.attribute, v.value).Scan(&n); err != nil {
			return nil, err
		}
		if n > 0 {
			return nil, valueTaken([]string{name}, true)
		}
		hold = append(hold, v)
	}
	return hold, nil
}
