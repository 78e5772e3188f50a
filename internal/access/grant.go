package access

import (
	"context"

	"rollway/internal/db"
	"rollway/internal/fault"
	"rollway/internal/id"
)

// Grant gives a person of the caller's organization an admin right: exactly one scope. Granting it again does nothing. The
// caller makes sure that the person exists. From then on no service account mints for them or launches as them. Credentials
// minted before go on working: they reach that person's own records and nothing of the right. Faults: Forbidden without the scope admin, Invalid.
func Grant(ctx context.Context, tx *db.Tx, changes *Changes, c Caller, person id.PersonID, s Scope) error {
	return changeGrant(ctx, tx, changes, c, person, s, "grant.give",
		"INSERT INTO grants (created, org_id, person_id, scope) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING", tx.Now())
}

// RevokeGrant takes a right away. Taking it again does nothing. Faults as with Grant.
func RevokeGrant(ctx context.Context, tx *db.Tx, changes *Changes, c Caller, person id.PersonID, s Scope) error {
	return changeGrant(ctx, tx, changes, c, person, s, "grant.take", "DELETE FROM grants WHERE org_id = ? AND person_id = ? AND scope = ?")
}

func changeGrant(ctx context.Context, tx *db.Tx, changes *Changes, c Caller, person id.PersonID, s Scope, action, query string, args ...any) error {
	if err := c.Require(Admin); err != nil {
		return err
	}
	names := s.Names()
	if len(names) != 1 {
		return fault.New(fault.Invalid, "grant_scope", "A grant is for exactly one scope.")
	}
	n, err := tx.Exec(ctx, query, append(args, c.Org, person, names[0])...)
	if err != nil || n == 0 {
		return err
	}
	if err := changes.Announce(ctx, tx, Change{c.Org, PersonChanged, person}); err != nil {
		return err
	}
	return Audit(ctx, tx, c, action, "person "+person.String(), map[string]any{"scope": names[0]})
}

// Grants returns the rights a person holds; zero for nearly everybody.
func Grants(ctx context.Context, tx *db.Tx, org id.OrgID, person id.PersonID) (s Scope, err error) {
	err = tx.Each(ctx, "SELECT scope FROM grants WHERE org_id = ? AND person_id = ?", []any{org, person}, func(r *db.Rows) error {
		var name string
		if err := r.Scan(&name); err != nil {
			return err
		}
		one, err := ParseScope(name)
		s |= one
		return err
	})
	return s, err
}

// HoldsGrant reports whether a person holds any right.
func HoldsGrant(ctx context.Context, tx *db.Tx, org id.OrgID, person id.PersonID) (bool, error) {
	s, err := Grants(ctx, tx, org, person)
	return s != 0, err
}
