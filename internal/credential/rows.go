package credential

import (
	"context"
	"crypto/hmac"
	"errors"
	"strings"
	"time"
	"unicode"

	"github.com/go-json-experiment/json"
	"golang.org/x/text/unicode/norm"

	"rollway/internal/access"
	"rollway/internal/db"
	"rollway/internal/fault"
	"rollway/internal/id"
	"rollway/xapi"
)

// row is a credential with all that decides whether it is good. Revoked is also when its parent was, or the account that
// minted either.
type row struct {
	Credential
	org         id.OrgID
	personState string
	suspended   time.Time // when the person's suspension ended it; zero when none did
	account     account   // that minted it, of an unbound one
}

type account struct {
	scopes    access.Scope
	homePages []string
	expires   time.Time
}

// Each column costs, since this is read for every credential that is not in memory.
const (
	rowColumns = `c.org_id, c.id, c.kind, c.username, c.person_id, c.agent, c.agent_name, c.registration_id, c.activity, c.parent_id,
 coalesce(c.minted_by, u.minted_by), c.scopes, c.created, c.expires, coalesce(c.revoked, u.revoked, s.revoked), coalesce(p.state, ''),
 CASE WHEN p.suspensions > c.person_suspensions THEN p.suspended END`
	rowJoins = `
 LEFT JOIN people p ON p.org_id = c.org_id AND p.id = c.person_id
 LEFT JOIN credentials u ON u.org_id = c.org_id AND u.id = c.parent_id
 LEFT JOIN service_accounts s ON s.org_id = c.org_id AND s.id = coalesce(c.minted_by, u.minted_by)`
	rowByName = `SELECT ` + rowColumns + `, n.secret_hash FROM credential_names n
 JOIN credentials c ON c.org_id = n.org_id AND c.id = n.credential_id` + rowJoins + ` WHERE n.name_hash = ?`
	rowByID      = `SELECT ` + rowColumns + ` FROM credentials c` + rowJoins + ` WHERE c.org_id = ? AND c.id = ?`
	rowsOfPerson = `SELECT ` + rowColumns + `, c.last_used FROM credentials c` + rowJoins + ` WHERE c.org_id = ? AND c.person_id = ?`
	minterOf     = `SELECT scopes, home_pages, expires FROM service_accounts WHERE org_id = ? AND id = ?`
)

func scanRow(r *db.Rows, more ...any) (c row, err error) {
	var agent string
	var scopes int64
	err = r.Scan(append([]any{&c.org, &c.ID, (*string)(&c.Kind), &c.Username, &c.Person, &agent, &c.Agent.Name, &c.Registration, &c.Activity, &c.Parent, &c.MintedBy,
		&scopes, &c.Created, &c.Expires, &c.Revoked, &c.personState, &c.suspended}, more...)...)
	c.Scopes = access.Scope(scopes)
	if err == nil && agent != "" {
		c.Agent.IFI, err = xapi.ParseKey(agent)
	}
	return c, err
}

// read finds the one row of a query, or a zero one.
func (v *Vault) read(ctx context.Context, query string, args []any, more ...any) (c row, err error) {
	err = v.db.Read(ctx, func(tx *db.Tx) error {
		err := tx.Each(ctx, query, args, func(r *db.Rows) error {
			c, err = scanRow(r, more...)
			return err
		})
		if err != nil || c.Kind != Unbound || c.MintedBy.IsZero() {
			return err
		}
		var scopes int64
		var pages string
		if err = tx.Row(ctx, minterOf, c.org, c.MintedBy).Scan(&scopes, &pages, &c.account.expires); err != nil {
			return err
		}
		c.account.scopes = access.Scope(scopes)
		return json.Unmarshal([]byte(pages), &c.account.homePages)
	})
	return c, err
}

// readByName finds the credential of a user name and secret. Fault: Unauthenticated, the same for an unknown name and a
// wrong secret; both cost the same.
func (v *Vault) readByName(ctx context.Context, p pair) (row, error) {
	secret := v.secretHash(p.username, p.secret)
	stored := make([]byte, len(secret))
	c, err := v.read(ctx, rowByName, []any{v.nameHash(p.username)}, &stored)
	if err != nil {
		return row{}, err
	}
	if equal := hmac.Equal(stored, secret); !equal || c.ID.IsZero() {
		return row{}, access.Unverified()
	}
	return c, nil
}

func (v *Vault) readByID(ctx context.Context, org id.OrgID, want id.CredentialID) (row, error) {
	c, err := v.read(ctx, rowByID, []any{org, want})
	if err == nil && c.ID.IsZero() {
		err = access.Unverified()
	}
	return c, err
}

// nameHash is the same for user names that differ by case or composition alone: people take them for one, so only one of
// them is ever given out.
func (v *Vault) nameHash(username string) []byte {
	return v.key.Hash("username", norm.NFC.String(strings.Map(unicode.ToLower, norm.NFC.String(username))))
}

// secretHash covers the user name too, so that a row's secret cannot be moved to another row and the name has to be spelled
// as it was given out.
func (v *Vault) secretHash(username, secret string) []byte {
	return v.key.Hash("secret", username, secret)
}

// until is when it expires: an unbound one not after the account that minted it.
func (c row) until() time.Time {
	if a := c.account.expires; c.Kind == Unbound && !a.IsZero() && a.Before(c.Expires) {
		return a
	}
	return c.Expires
}

// judge says why a credential whose secret is right is not good now.
func (c row) judge(now time.Time) error {
	switch until := c.until(); {
	case !c.Revoked.IsZero():
		return fault.New(fault.Unauthenticated, "credential_revoked", "This credential was revoked at %s.", c.Revoked.Format(time.RFC3339))
	case !until.After(now):
		return fault.New(fault.Unauthenticated, "credential_expired", "This credential expired at %s.", until.Format(time.RFC3339))
	case c.Kind == Unbound:
		return nil
	}
	if err := personFault(c.personState); err != nil {
		return err
	}
	if c.ended() {
		return fault.New(fault.Unauthenticated, "credential_revoked", "This credential ended when its person was suspended at %s.", c.suspended.Format(time.RFC3339))
	}
	return nil
}

// ended reports whether the person was suspended since it was made: that ends it for good, also when they are resumed.
// Suspensions are counted, since the clocks of two machines may differ.
func (c row) ended() bool { return !c.suspended.IsZero() }

// personFault says why nothing may be done for a person in this state.
func personFault(state string) error {
	switch state {
	case "active":
		return nil
	case "pending":
		return fault.New(fault.Forbidden, "person_pending", "This person has not confirmed the sign-up yet.")
	case "suspended":
		return fault.New(fault.Forbidden, "person_suspended", "This person is suspended.")
	}
	return fault.New(fault.Forbidden, "person_inactive", "This person is not active.")
}

func (c row) caller() access.Caller {
	out := access.Caller{Org: c.org, Kind: access.Credential, Name: "credential " + c.Username, Scopes: c.Scopes, Credential: c.ID}
	if c.Kind != Unbound {
		out.Bound = &access.Bound{Person: c.Person, Agent: c.Agent, Registration: c.Registration, Activity: c.Activity}
	} else if !c.MintedBy.IsZero() {
		out.Scopes = out.Scopes.Full() & c.account.scopes.Full()
		out.HomePages = c.account.homePages
	}
	return out
}

var (
	insertCredentials = db.NewBulk("credentials", "",
		db.Column{Name: "org_id", Type: "bigint"}, db.Column{Name: "id", Type: "uuid"}, db.Column{Name: "kind", Type: "text"},
		db.Column{Name: "username", Type: "text"}, db.Column{Name: "person_id", Type: "uuid"}, db.Column{Name: "agent", Type: "text"},
		db.Column{Name: "agent_name", Type: "text"}, db.Column{Name: "registration_id", Type: "uuid"}, db.Column{Name: "activity", Type: "text"},
		db.Column{Name: "parent_id", Type: "uuid"}, db.Column{Name: "signin_id", Type: "uuid"}, db.Column{Name: "minted_by", Type: "uuid"}, db.Column{Name: "scopes", Type: "bigint"},
		db.Column{Name: "created", Type: "bigint"}, db.Column{Name: "expires", Type: "bigint"}, db.Column{Name: "person_suspensions", Type: "bigint"})
	insertNames = db.NewBulk("credential_names", "",
		db.Column{Name: "name_hash", Type: "bytea"}, db.Column{Name: "org_id", Type: "bigint"}, db.Column{Name: "credential_id", Type: "uuid"},
		db.Column{Name: "secret_hash", Type: "bytea"})
)

func (c *Credential) values(org id.OrgID, suspensions int64) []any {
	return []any{int64(org), c.ID, string(c.Kind), c.Username, c.Person, c.Agent.IFI.Key(), c.Agent.Name, c.Registration, c.Activity,
		c.Parent, c.signin, c.MintedBy, int64(c.Scopes), c.Created, c.Expires, suspensions}
}

// idOfName returns the credential that has a user name, in whatever case, or zero.
func (v *Vault) idOfName(ctx context.Context, tx *db.Tx, username string) (org id.OrgID, c id.CredentialID, err error) {
	err = tx.Row(ctx, "SELECT org_id, credential_id FROM credential_names WHERE name_hash = ?", v.nameHash(username)).Scan(&org, &c)
	if errors.Is(err, db.ErrNoRows) {
		err = nil
	}
	return org, c, err
}

func updateUses(ctx context.Context, tx *db.Tx, list []credentialUse) error {
	const seen = "UPDATE credentials SET last_used = ? WHERE org_id = ? AND id = ? AND (last_used IS NULL OR last_used < ?)"
	const moved = "UPDATE credentials SET expires = ? WHERE org_id = ? AND id = ? AND expires < ?"
	for _, u := range list {
		if err := tx.Defer(ctx, seen, u.at, u.org, u.id, u.at); err != nil {
			return err
		}
		if u.expires.IsZero() {
			continue
		}
		if err := tx.Defer(ctx, moved, u.expires, u.org, u.id, u.expires); err != nil {
			return err
		}
	}
	return nil
}
