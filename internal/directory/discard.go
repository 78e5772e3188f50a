package directory

import (
	"context"

	"rollway/internal/access"
	"rollway/internal/db"
	"rollway/internal/fault"
	"rollway/internal/id"
)

// DiscardTx removes a person who never confirmed their sign-up, with all that is known of them. It needs the scope signup.
//
// Errors: Forbidden; Conflict (person_not_pending) for anybody else, NotFound (person_unknown).
func (d *Directory) DiscardTx(ctx context.Context, tx *db.Tx, caller access.Caller, who id.PersonID) error {
	if err := caller.Require(access.Signup); err != nil {
		return err
	}
	p, err := named(ctx, tx, caller.Org, reference{text: who.String(), person: who})
	switch {
	case err != nil:
		return err
	case p == nil:
		return reference{text: who.String()}.unknown()
	case p.State != Pending:
		return fault.New(fault.Conflict, "person_not_pending", "This person is confirmed already.")
	}
	for _, text := range []string{
		`DELETE FROM decision_subjects WHERE org_id = ? AND decision_id IN (SELECT d.id FROM decisions d WHERE d.org_id = decision_subjects.org_id AND d.person_id = ?)`,
		`DELETE FROM decisions WHERE org_id = ? AND person_id = ?`,
		`DELETE FROM group_members WHERE org_id = ? AND person_id = ?`,
		`DELETE FROM unique_values WHERE org_id = ? AND person_id = ?`,
		`DELETE FROM person_attributes WHERE org_id = ? AND person_id = ?`,
		`DELETE FROM links WHERE org_id = ? AND person_id = ?`,
		`DELETE FROM agents WHERE org_id = ? AND person_id = ?`,
		`DELETE FROM people WHERE org_id = ? AND id = ?`,
	} {
		if err := tx.Defer(ctx, text, caller.Org, who); err != nil {
			return err
		}
	}
	return access.Audit(ctx, tx, caller, "person.discard", "person "+who.String(), nil)
}

// DissolveTx removes an organization that has no people, as one is left that was made for somebody who never confirmed
// their sign-up. Its audit trail stays. It needs the scope signup. False: it has people.
func (d *Directory) DissolveTx(ctx context.Context, tx *db.Tx, caller access.Caller) (bool, error) {
	if err := caller.Require(access.Signup); err != nil {
		return false, err
	}
	if caller.Org == id.DefaultOrg {
		return false, fault.New(fault.Forbidden, "organization_default", "The organization that every installation starts with stays.")
	}
	n, err := tx.Exec(ctx, `DELETE FROM organizations WHERE id = ? AND NOT EXISTS (SELECT 1 FROM people p WHERE p.org_id = organizations.id)`, caller.Org)
	if err != nil || n == 0 {
		return false, err
	}
	for _, table := range []string{"groups", "attributes"} {
		if err := tx.Defer(ctx, `DELETE FROM `+table+` WHERE org_id = ?`, caller.Org); err != nil {
			return false, err
		}
	}
	return true, access.Audit(ctx, tx, caller, "organization.dissolve", "organization", nil)
}

// ReserveNumberTx uses up a person's number without a person, so that an answer which must not tell whether somebody was
// made carries a number like any other.
func (d *Directory) ReserveNumberTx(ctx context.Context, tx *db.Tx) (number int64, err error) {
	text := `SELECT nextval(pg_get_serial_sequence('people', 'number'))`
	if tx.Engine == db.SQLite {
		text = `INSERT INTO people (org_id, id, name, state, source, version, created, updated) VALUES (0, X'00', '', '', '', 0, 0, 0) RETURNING number`
	}
	if err := tx.Row(ctx, text).Scan(&number); err != nil || tx.Engine == db.PostgreSQL {
		return number, err
	}
	return number, tx.Defer(ctx, `DELETE FROM people WHERE org_id = 0`) // AUTOINCREMENT never gives a number twice
}

// ReserveOrganizationTx uses up the numbers of an organization and its default group in the same way.
func (d *Directory) ReserveOrganizationTx(ctx context.Context, tx *db.Tx) error {
	if tx.Engine == db.PostgreSQL {
		var ignored int64
		return tx.Row(ctx, `SELECT nextval(pg_get_serial_sequence('organizations', 'id')) + nextval(pg_get_serial_sequence('groups', 'number'))`).Scan(&ignored)
	}
	for _, text := range []string{
		`INSERT INTO organizations (slug, name, created) VALUES ('', '', 0)`,
		`DELETE FROM organizations WHERE slug = ''`,
		`INSERT INTO groups (org_id, id, name, is_default, created) VALUES (0, X'00', '', 0, 0)`,
		`DELETE FROM groups WHERE org_id = 0`,
	} {
		if err := tx.Defer(ctx, text); err != nil {
			return err
		}
	}
	return nil
}

// PersonTx returns a person by id, whatever their state. The error is NotFound (person_unknown) when there is none.
func (d *Directory) PersonTx(ctx context.Context, tx *db.Tx, org id.OrgID, who id.PersonID) (Person, error) {
	p, err := named(ctx, tx, org, reference{text: who.String(), person: who})
	if err != nil {
		return Person{}, err
	}
	if p == nil {
		return Person{}, reference{text: who.String()}.unknown()
	}
	return p.Person, nil
}

// HolderTx returns who holds a value of the unique attribute Email in an organization: the zero PersonID when nobody does.
func (d *Directory) HolderTx(ctx context.Context, tx *db.Tx, org id.OrgID, email string) (who id.PersonID, err error) {
	err = tx.Each(ctx, `SELECT person_id FROM unique_values WHERE org_id = ? AND attribute = 'email' AND value = ?`, []any{org, normalize("email", email)}, func(r *db.Rows) error {
		return r.Scan(&who)
	})
	return who, err
}
