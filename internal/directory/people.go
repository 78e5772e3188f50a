package directory

import (
	"context"

	"rollway/internal/access"
	"rollway/internal/db"
	"rollway/internal/fault"
	"rollway/internal/id"
	"rollway/xapi"
)

// Get returns a person with attributes. ref is an id, an e-mail address (the value of Email, or else an mbox agent),
// homePage|name, or an identifier's key. It needs the scope people:read.
//
// Errors: Forbidden, Invalid (unknown_reference), NotFound (person_unknown).
func (d *Directory) Get(ctx context.Context, caller access.Caller, ref string) (Person, error) {
	if err := caller.Require(access.PeopleRead); err != nil {
		return Person{}, err
	}
	r, err := parseReference(ref)
	if err != nil {
		return Person{}, err
	}
	var p *record
	err = d.db.Read(ctx, func(tx *db.Tx) (err error) {
		p, err = named(ctx, tx, caller.Org, r)
		return err
	})
	if err != nil {
		return Person{}, err
	}
	if p == nil {
		return Person{}, r.unknown()
	}
	return p.Person, nil
}

// ListOptions choose a page of people.
type ListOptions struct {
	After id.PersonID // the last person of the page before
	Limit int         // 1 to 1000; 100 when 0
	State State       // only these, when set
}

// List returns people with attributes in the order they arrived; a page shorter than the limit is the last. It needs the
// scope people:read.
func (d *Directory) List(ctx context.Context, caller access.Caller, o ListOptions) ([]Person, error) {
	if err := caller.Require(access.PeopleRead); err != nil {
		return nil, err
	}
	if o.Limit == 0 {
		o.Limit = 100
	}
	if o.Limit < 0 || o.Limit > 1000 {
		return nil, fault.New(fault.Invalid, "invalid_limit", "A page has 1 to 1000 people.").With(fault.Field{Name: "limit", Message: "It is out of range."})
	}
	q := query{ids: "SELECT id FROM page", org: caller.Org, attributes: true, args: []any{caller.Org}}
	where := "org_id = ?"
	if !o.After.IsZero() {
		where += " AND id > ?"
		q.args = append(q.args, o.After)
	}
	if o.State != "" {
		where += " AND state = ?"
		q.args = append(q.args, string(o.State))
	}
	q.with = "WITH page(id) AS (SELECT id FROM people WHERE " + where + " ORDER BY id LIMIT ?) "
	q.args = append(q.args, o.Limit)
	var page []*record
	err := d.db.Snapshot(ctx, func(tx *db.Tx) error {
		page = nil
		if err := askPeople(ctx, tx, q, func(p *record) { page = append(page, p) }); err != nil {
			return err
		}
		return tx.Flush(ctx)
	})
	out := make([]Person, len(page))
	for i, p := range page {
		out[i] = p.Person
	}
	return out, err
}

// PersonOfAgent returns the person who owns an identifier, whatever their state, with all their agents and without
// attributes. The error is NotFound (actor_unknown) when nobody does.
func (d *Directory) PersonOfAgent(ctx context.Context, org id.OrgID, i xapi.IFI) (Person, error) {
	var p Person
	err := d.db.Read(ctx, func(tx *db.Tx) (err error) {
		p, err = d.PersonOfAgentTx(ctx, tx, org, i)
		return err
	})
	return p, err
}

// PersonOfAgentTx is PersonOfAgent within a transaction of the caller's.
func (d *Directory) PersonOfAgentTx(ctx context.Context, tx *db.Tx, org id.OrgID, i xapi.IFI) (Person, error) {
	var p *record
	q := query{args: []any{org, i.Key()}, with: "WITH owner(person_id) AS (SELECT person_id FROM agents WHERE org_id = ? AND ifi = ?) ", ids: "SELECT person_id FROM owner", org: org}
	err := askPeople(ctx, tx, q, func(found *record) { p = found })
	if err == nil {
		err = tx.Flush(ctx)
	}
	if err != nil {
		return Person{}, err
	}
	if p == nil {
		return Person{}, fault.New(fault.NotFound, "actor_unknown", "No person has this identifier. Send the person first.")
	}
	return p.Person, nil
}

// Set edits a known person by hand, through the gate: a blank name and absent attributes say nothing, null removes an
// attribute. It needs the scopes people:read and people:write; its errors are those of [Directory.Provision].
func (d *Directory) Set(ctx context.Context, caller access.Caller, ref, name string, attributes map[string]Value) (Result, error) {
	p, err := d.Get(ctx, caller, ref)
	if err != nil {
		return Result{}, err
	}
	return d.Provision(ctx, caller, Claims{Source: ByAdmin, Person: p.ID, Name: name, Attributes: attributes})
}
