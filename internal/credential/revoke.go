package credential

import (
	"context"
	"errors"
	"time"

	"rollway/internal/access"
	"rollway/internal/db"
	"rollway/internal/fault"
	"rollway/internal/id"
	"rollway/xapi"
)

// listLimit is the most credentials a list holds.
const listLimit = 1000

// List returns the credentials of one agent, newest first, also those that are over. A service account sees those it minted,
// an administrator all.
//
// Faults: Forbidden without the scope credentials:mint, NotFound (actor_unknown).
func (v *Vault) List(ctx context.Context, c access.Caller, agent xapi.IFI) (list []Credential, err error) {
	if err := c.Require(access.CredentialsMint); err != nil {
		return nil, err
	}
	err = v.db.Read(ctx, func(tx *db.Tx) error {
		var person id.PersonID
		err := tx.Row(ctx, "SELECT person_id FROM agents WHERE org_id = ? AND ifi = ?", c.Org, agent.Key()).Scan(&person)
		if errors.Is(err, db.ErrNoRows) {
			return actorUnknown(agent)
		}
		if err == nil {
			list, err = readList(ctx, tx, c, person, " AND c.agent = ?", agent.Key())
		}
		return err
	})
	return list, err
}

// ListOfPerson is List for all agents of a person. An unknown person has none.
func (v *Vault) ListOfPerson(ctx context.Context, c access.Caller, person id.PersonID) (list []Credential, err error) {
	if err := c.Require(access.CredentialsMint); err != nil {
		return nil, err
	}
	err = v.db.Read(ctx, func(tx *db.Tx) error {
		list, err = readList(ctx, tx, c, person, "")
		return err
	})
	return list, err
}

func readList(ctx context.Context, tx *db.Tx, c access.Caller, person id.PersonID, where string, args ...any) ([]Credential, error) {
	args = append([]any{c.Org, person}, args...)
	if !c.Scopes.Has(access.Admin) {
		where, args = where+" AND c.minted_by = ?", append(args, c.ServiceAccount)
	}
	list := []Credential{}
	err := tx.Each(ctx, rowsOfPerson+where+" ORDER BY c.id DESC LIMIT ?", append(args, listLimit), func(r *db.Rows) error {
		var used time.Time
		found, err := scanRow(r, &used)
		found.LastUsed = used
		if found.Revoked.IsZero() && found.ended() {
			found.Revoked = found.suspended
		}
		list = append(list, found.Credential)
		return err
	})
	return list, err
}

// Revoke ends a credential and the launches opened with it, at once and for ever. Revoking it again does nothing. A service
// account can end what it minted, an administrator everything, the operator without an organization that of any.
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
		c := c
		if c.Org == 0 && c.RequireOperator() == nil {
			c.Org = org
		}
		var mintedBy id.ServiceAccountID
		var stored string
		here := org != 0 && org == c.Org // 0 where the name is unknown
		if here {
			if err := tx.Row(ctx, "SELECT minted_by, username FROM credentials WHERE org_id = ? AND id = ?", org, which).Scan(&mintedBy, &stored); err != nil {
				return err
			}
		}
		own := !mintedBy.IsZero() && mintedBy == c.ServiceAccount
		if !here || stored != username || !own && !c.Scopes.Has(access.Admin) {
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

// EndLaunchesTx ends what a person launched from sessions of theirs, in the transaction that ends the sessions on purpose. One
// that is merely over by time ends nothing: somebody may well learn for longer.
func (v *Vault) EndLaunchesTx(ctx context.Context, tx *db.Tx, org id.OrgID, person id.PersonID, sessions []id.SigninID) error {
	var over []id.CredentialID
	for _, session := range sessions {
		err := tx.Each(ctx, "UPDATE credentials SET revoked = ? WHERE org_id = ? AND person_id = ? AND signin_id = ? AND revoked IS NULL RETURNING id",
			[]any{v.now(), org, person, session}, func(r *db.Rows) error {
				var c id.CredentialID
				err := r.Scan(&c)
				over = append(over, c)
				return err
			})
		if err != nil {
			return err
		}
	}
	for _, c := range over {
		if err := v.changes.Announce(ctx, tx, access.Change{Org: org, Kind: access.CredentialChanged, Subject: c}); err != nil {
			return err
		}
	}
	return nil
}
