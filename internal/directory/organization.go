package directory

import (
	"context"
	"errors"
	"regexp"
	"time"

	"rollway/internal/access"
	"rollway/internal/db"
	"rollway/internal/fault"
	"rollway/internal/id"
)

// Organization is a tenant.
type Organization struct {
	ID      id.OrgID
	Slug    string // as in {slug}.{base domain}
	Name    string
	Created time.Time
	People  int64 // how many it has; only where organizations are listed
}

// Organization returns the organization with a slug. The error is NotFound (organization_unknown) when there is none.
func (d *Directory) Organization(ctx context.Context, slug string) (Organization, error) {
	o := Organization{Slug: slug}
	err := d.db.Read(ctx, func(tx *db.Tx) error {
		return tx.Row(ctx, `SELECT id, name, created FROM organizations WHERE slug = ?`, slug).Scan(&o.ID, &o.Name, &o.Created)
	})
	if errors.Is(err, db.ErrNoRows) {
		return Organization{}, fault.New(fault.NotFound, "organization_unknown", "There is no organization %q.", clip(slug))
	}
	return o, err
}

var slugs = regexp.MustCompile(`^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$`)

// CreateOrganization makes an organization with what every one starts with: the unique attribute Email and a default
// group. Only the operator of the installation may.
//
// Errors: Forbidden; Invalid (invalid_slug); Conflict (slug_taken).
func (d *Directory) CreateOrganization(ctx context.Context, caller access.Caller, slug, name string) (Organization, error) {
	if err := caller.RequireOperator(); err != nil {
		return Organization{}, err
	}
	if !slugs.MatchString(slug) {
		return Organization{}, fault.New(fault.Invalid, "invalid_slug", "A slug is a label of a host name: 1 to 63 of a to z, 0 to 9 and hyphens, none of these at either end.")
	}
	var o Organization
	err := d.db.Write(ctx, func(tx *db.Tx) (err error) {
		o, err = establish(ctx, tx, caller, slug, name, "Everyone")
		return err
	})
	if errors.Is(err, db.ErrUnique) {
		return Organization{}, fault.New(fault.Conflict, "slug_taken", "There is an organization %q already.", slug)
	}
	return o, err
}

// FoundTx makes an organization for somebody who signs up, in the transaction that makes their person; group is the name of
// its default group. A slug that is taken surfaces as db.ErrUnique. Only the server itself may, with the scope signup.
func (d *Directory) FoundTx(ctx context.Context, tx *db.Tx, caller access.Caller, slug, name, group string) (Organization, error) {
	if caller.Kind != access.System {
		return Organization{}, fault.New(fault.Forbidden, "operator_only", "Only the operator of the installation makes organizations.")
	}
	if err := caller.Require(access.Signup); err != nil {
		return Organization{}, err
	}
	return establish(ctx, tx, caller, slug, name, group)
}

func establish(ctx context.Context, tx *db.Tx, caller access.Caller, slug, name, group string) (Organization, error) {
	o := Organization{Slug: slug, Name: clean(name), Created: tx.Now()}
	if err := tx.Row(ctx, `INSERT INTO organizations (slug, name, created) VALUES (?, ?, ?) RETURNING id`, o.Slug, o.Name, o.Created).Scan(&o.ID); err != nil {
		return o, err
	}
	if err := declareDefault(ctx, tx, o.ID, o.Created); err != nil {
		return o, err
	}
	if err := tx.Defer(ctx, `INSERT INTO groups (org_id, id, name, is_default, created) VALUES (?, ?, ?, ?, ?)`, o.ID, id.New[id.GroupID](), group, true, o.Created); err != nil {
		return o, err
	}
	return o, access.Audit(ctx, tx, access.Caller{Org: o.ID, Kind: caller.Kind, Name: caller.Name, Note: caller.Note}, "organization.create", "organization "+slug, nil)
}

// OrganizationByID returns an organization. The error is NotFound (organization_unknown) when there is none.
func (d *Directory) OrganizationByID(ctx context.Context, org id.OrgID) (Organization, error) {
	o := Organization{ID: org}
	err := d.db.Read(ctx, func(tx *db.Tx) error {
		return tx.Row(ctx, `SELECT slug, name, created FROM organizations WHERE id = ?`, org).Scan(&o.Slug, &o.Name, &o.Created)
	})
	if errors.Is(err, db.ErrNoRows) {
		return Organization{}, fault.New(fault.NotFound, "organization_unknown", "There is no such organization.")
	}
	return o, err
}

// Group is a named set of people of one organization.
type Group struct {
	ID      id.GroupID
	Number  int64 // for dialects whose ids are numbers; unique per installation
	Name    string
	Default bool // everybody of the organization becomes a member
}

// Groups lists the groups of a person; of the zero PersonID, all of the organization. It needs the scope people:read, but
// everybody sees their own.
func (d *Directory) Groups(ctx context.Context, caller access.Caller, who id.PersonID) ([]Group, error) {
	if !isSelf(caller, who) {
		if err := caller.Require(access.PeopleRead); err != nil {
			return nil, err
		}
	}
	text, args := `SELECT g.id, g.number, g.name, g.is_default FROM groups g WHERE g.org_id = ?`, []any{caller.Org}
	if !who.IsZero() {
		text += ` AND EXISTS (SELECT 1 FROM group_members m WHERE m.org_id = g.org_id AND m.group_id = g.id AND m.person_id = ?)`
		args = append(args, who)
	}
	var out []Group
	err := d.db.Read(ctx, func(tx *db.Tx) error {
		out = nil
		return tx.Each(ctx, text+` ORDER BY g.number`, args, func(r *db.Rows) error {
			var g Group
			err := r.Scan(&g.ID, &g.Number, &g.Name, &g.Default)
			out = append(out, g)
			return err
		})
	})
	return out, err
}
