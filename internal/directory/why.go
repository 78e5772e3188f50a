package directory

import (
	"context"
	"fmt"
	"slices"

	"github.com/go-json-experiment/json"

	"rollway/internal/access"
	"rollway/internal/db"
	"rollway/internal/id"
)

// Trace is what was decided about a person, or about an identifier or address that nobody has.
type Trace struct {
	Ref       string     // as asked
	Person    *Person    // nil when nobody is known by it
	Decisions []Decision // oldest first
	Earlier   bool       // there are older ones, which are left out
}

// traceLength is the most decisions in a trace.
const traceLength = 200

// decisionsOf finds the decisions of a person, and those about the people, identifiers and values with these subjects.
const decisionsOf = `SELECT d.id, d.person_id, d.at, d.last, d.times, d.detail FROM decisions d
	WHERE d.org_id = ? AND d.id IN (
		SELECT m.id FROM decisions m WHERE m.org_id = ? AND m.person_id = ?
		UNION SELECT s.decision_id FROM decision_subjects s WHERE s.org_id = ? AND s.subject IN (?, ?, ?))
	ORDER BY d.last DESC, d.id DESC LIMIT ?`

// Why tells how a person came to be as they are, or why nobody is known by ref, which is as for [Directory.Get]. It needs
// the scope people:read; who lacks the scope admin does not see the values of attributes and names.
//
// Errors: Forbidden, Invalid (unknown_reference). A person id or identifier that was never seen has a trace without
// decisions.
func (d *Directory) Why(ctx context.Context, caller access.Caller, ref string) (Trace, error) {
	if err := caller.Require(access.PeopleRead); err != nil {
		return Trace{}, err
	}
	r, err := parseReference(ref)
	if err != nil {
		return Trace{}, err
	}
	var t Trace
	err = d.db.Read(ctx, func(tx *db.Tx) error {
		t = Trace{Ref: r.text}
		p, err := named(ctx, tx, caller.Org, r)
		if err != nil {
			return err
		}
		who := r.person
		if p != nil {
			t.Person, who = &p.Person, p.ID
		}
		args := append([]any{caller.Org, caller.Org, who, caller.Org}, r.subjects(who)...)
		return tx.Each(ctx, decisionsOf, append(args, traceLength+1), func(rows *db.Rows) error { return t.add(rows) })
	})
	if err != nil {
		return Trace{}, err
	}
	if t.Earlier = len(t.Decisions) > traceLength; t.Earlier {
		t.Decisions = t.Decisions[:traceLength]
	}
	slices.Reverse(t.Decisions)
	if !caller.Scopes.Has(access.Admin) {
		for i := range t.Decisions {
			t.Decisions[i].withhold()
		}
	}
	return t, nil
}

// subjects are the three that decisions about who, and about whom else the reference may name, are found by.
func (r reference) subjects(who id.PersonID) []any {
	person, agent, mail := subject(who), identifierSubject(r.ifi), valueSubject(uniqueValue{"email", r.mail})
	return []any{person[:], agent[:], mail[:]}
}

func (t *Trace) add(rows *db.Rows) error {
	var d Decision
	var text string
	if err := rows.Scan(&d.ID, &d.Person, &d.At, &d.Last, &d.Times, &text); err != nil {
		return err
	}
	if err := json.Unmarshal([]byte(text), &d); err != nil {
		return fmt.Errorf("decision %v: %w", d.ID, err)
	}
	t.Decisions = append(t.Decisions, d)
	return nil
}
