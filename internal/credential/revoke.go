package credential

import (
	"context"
	"errors"

	"rollway/internal/access"
	"rollway/internal/db"
	"rollway/internal/fault"
	"rollway/internal/id"
	"rollway/xapi"
)

// Filter says whose credentials List returns: a person's, or of those only one agent's. One of the two is set.
type Filter struct {
	Person id.PersonID
	Agent  xapi.IFI
	Limit  int // 0: 1,000
}

const listLimit = 1000

// List returns credentials, newest first, over ones too. A service account sees those it minted, an administrator all.
//
// Faults: Forbidden without the scope credentials:mint, NotFound (actor_unknown).
func (v *Vault) List(ctx context.Context, c access.Caller, f Filter) ([]Credential, error) {
	if err := c.Require(access.CredentialsMint); err != nil {
		return nil, err
	}
	if f.Limit == 0 {
		f.Limit = listLimit
	}
	list := []Credential{}
	err := v.db.Read(ctx, func(tx *db.Tx) error {
		person := f.Person
		if !f.Agent.IsZero() {
			err := tx.Row(ctx, "SELECT person_id FROM agents WHERE org_id = ? AND ifi = ?", c.Org, f.Agent.Key()).Scan(&person)
			if errors.Is(err, db.ErrNoRows) {
				return fault.New(fault.NotFound, "actor_unknown", "No person has the agent %s.", f.Agent)
			}
			if err != nil {
				return err
			}
		}
		where, args := "", []any{c.Org, person}
		if !f.Agent.IsZero() {
			where, args = where+" AND c.agent = ?", append(args, f.Agent.Key())
		}
		if !c.Scopes.Has(access.Admin) {
			where, args = where+" AND c.minted_by = ?", append(args, c.ServiceAccount)
		}
		return tx.Each(ctx, rowsOfPerson+where+" ORDER BY c.id DESC LIMIT ?", append(args, f.Limit), func(r *db.Rows) error {
			found, err := scanRow(r)
			found.Revoked = found.over()
			list = append(list, found.Credential)
			return err
		})
	})
	if err != nil {
		return nil, err
	}
	return list, nil
}

// Revoke ends a credential and the launches opened with it, at once and for ever. Revoking it again does nothing. A service
// account can end what it minted, an administrator everything.
//
// Faults: Forbidden without the scope credentials:mint, NotFound (credential_unknown), also for another's.
func (v *Vault) Revoke(ctx context.Context, c access.Caller, username string) error {
	if err := c.Require(access.CredentialsMint); err != nil {
		return err
	}
	return v.db.Write(ctx, func(tx *db.Tx) error {
		org, which, err := v.idOfName(ctx, tx, username)
		if err != nil {
			return err
		}
		var mintedBy id.ServiceAccountID
		if org == c.Org {
			if err := tx.Row(ctx, "SELECT minted_by FROM credentials WHERE org_id = ? AND id = ?", org, which).Scan(&mintedBy); err != nil {
				return err
			}
		}
		own := !mintedBy.IsZero() && mintedBy == c.ServiceAccount
		if org != c.Org || !own && !c.Scopes.Has(access.Admin) {
			return fault.New(fault.NotFound, "credential_unknown", "There is no credential with this user name.")
		}
		n, err := tx.Exec(ctx, "UPDATE credentials SET revoked = ? WHERE org_id = ? AND id = ? AND revoked IS NULL", v.now(), org, which)
		if err != nil || n == 0 {
			return err
		}
		if err := v.changes.Announce(ctx, tx, access.Change{Org: org, Kind: access.CredentialChanged, Subject: which}); err != nil {
			return err
		}
		return access.Audit(ctx, tx, c, "credential.revoke", "credential "+username, nil)
	})
}
