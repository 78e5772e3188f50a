package directory

import (
	"cmp"
	"context"
	"slices"

	"rollway/internal/access"
	"rollway/internal/db"
	"rollway/internal/fault"
	"rollway/internal/id"
)

// isSelf reports whether a signed-in person asks about themselves, which needs no scope.
func isSelf(caller access.Caller, who id.PersonID) bool {
	return caller.Kind == access.Person && !who.IsZero() && caller.Person == who
}

// Numbered returns a page of the people whom the caller may see, with attributes, in the order of their numbers, and how
// many there are in all: with the scope people:read everybody of the organization, otherwise the signed-in person alone.
// Without either the error is Forbidden.
func (d *Directory) Numbered(ctx context.Context, caller access.Caller, first, count int) ([]Person, int, error) {
	return d.numbered(ctx, caller, "ORDER BY number LIMIT ? OFFSET ?", count, first)
}

// ByNumber returns a person whom the caller may see, by number, with attributes. For all other numbers the error is NotFound
// (person_unknown), whether there is somebody or not.
func (d *Directory) ByNumber(ctx context.Context, caller access.Caller, number int64) (Person, error) {
	found, _, err := d.numbered(ctx, caller, "AND number = ?", number)
	if err == nil && len(found) == 0 {
		err = fault.New(fault.NotFound, "person_unknown", "There is no person with the number %d.", number)
	}
	if err != nil {
		return Person{}, err
	}
	return found[0], nil
}

func (d *Directory) numbered(ctx context.Context, caller access.Caller, which string, more ...any) ([]Person, int, error) {
	where, args := "org_id = ?", []any{caller.Org}
	if !caller.Scopes.Has(access.PeopleRead) {
		if !isSelf(caller, caller.Person) {
			return nil, 0, caller.Require(access.PeopleRead)
		}
		where += " AND id = ?"
		args = append(args, caller.Person)
	}
	var found []Person
	var total int
	err := d.db.Snapshot(ctx, func(tx *db.Tx) error {
		found = nil
		var people []*record
		q := query{with: "WITH page(id) AS (SELECT id FROM people WHERE " + where + " " + which + ") ", ids: "SELECT id FROM page", org: caller.Org, attributes: true, args: append(args[:len(args):len(args)], more...)}
		if err := askPeople(ctx, tx, q, func(p *record) { people = append(people, p) }); err != nil {
			return err
		}
		if err := tx.Row(ctx, "SELECT count(*) FROM people WHERE "+where, args...).Scan(&total); err != nil { // after the questions before it
			return err
		}
		for _, p := range people {
			found = append(found, p.Person)
		}
		slices.SortFunc(found, func(a, b Person) int { return cmp.Compare(a.Number, b.Number) })
		return nil
	})
	return found, total, err
}

// Self returns the signed-in person, with attributes. Any other caller is Forbidden.
func (d *Directory) Self(ctx context.Context, caller access.Caller) (Person, error) {
	if !isSelf(caller, caller.Person) {
		return Person{}, fault.New(fault.Forbidden, "people_only", "Only somebody who is signed in can be asked who they are.")
	}
	caller.Scopes = 0
	found, _, err := d.Numbered(ctx, caller, 0, 1)
	if err == nil && len(found) == 0 {
		err = fault.New(fault.NotFound, "person_unknown", "There is nobody any more.")
	}
	if err != nil {
		return Person{}, err
	}
	return found[0], nil
}
