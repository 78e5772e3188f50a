package directory

import (
	"context"

	"rollway/internal/access"
	"rollway/internal/db"
)

// Organizations lists all organizations in the order they were made, with how many people each has. Only the operator of
// the installation may (else Forbidden).
func (d *Directory) Organizations(ctx context.Context, caller access.Caller) ([]Organization, error) {
	return d.organizations(ctx, caller, "")
}

// The conditions under which an organization o has a person whom a reference names, and has decided about whom it names.
const (
	knows = `WHERE EXISTS (SELECT 1 FROM people WHERE org_id = o.id AND id = ?)
		OR EXISTS (SELECT 1 FROM unique_values WHERE org_id = o.id AND attribute = 'email' AND value = ?)
		OR EXISTS (SELECT 1 FROM agents WHERE org_id = o.id AND ifi = ?)`
	decided = knows + `
		OR EXISTS (SELECT 1 FROM decisions WHERE org_id = o.id AND person_id = ?)
		OR EXISTS (SELECT 1 FROM decision_subjects WHERE org_id = o.id AND subject IN (?, ?, ?))`
)

// Knowing lists the organizations that know a person by ref, which is as for [Directory.Get], as [Directory.Organizations]
// does.
//
// Errors: Forbidden, Invalid (unknown_reference).
func (d *Directory) Knowing(ctx context.Context, caller access.Caller, ref string) ([]Organization, error) {
	r, err := parseReference(ref)
	if err != nil {
		return nil, err
	}
	return d.organizations(ctx, caller, knows, r.person, r.mail, r.ifi)
}

// Deciding is Knowing with the organizations that know nobody by ref and have something to tell by [Directory.Why].
func (d *Directory) Deciding(ctx context.Context, caller access.Caller, ref string) ([]Organization, error) {
	r, err := parseReference(ref)
	if err != nil {
		return nil, err
	}
	return d.organizations(ctx, caller, decided, append([]any{r.person, r.mail, r.ifi, r.person}, r.subjects(r.person)...)...)
}

func (d *Directory) organizations(ctx context.Context, caller access.Caller, where string, args ...any) (list []Organization, err error) {
	if err := caller.RequireOperator(); err != nil {
		return nil, err
	}
	err = d.db.Read(ctx, func(tx *db.Tx) error {
		list = nil
		return tx.Each(ctx, `SELECT o.id, o.slug, o.name, o.created, (SELECT count(*) FROM people p WHERE p.org_id = o.id) FROM organizations o `+where+` ORDER BY o.id`, args,
			func(r *db.Rows) error {
				var o Organization
				err := r.Scan(&o.ID, &o.Slug, &o.Name, &o.Created, &o.People)
				list = append(list, o)
				return err
			})
	})
	return list, err
}
