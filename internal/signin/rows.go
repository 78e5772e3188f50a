package signin

import (
	"context"
	"errors"
	"time"

	"rollway/internal/access"
	"rollway/internal/db"
	"rollway/internal/fault"
	"rollway/internal/id"
)

// person is what decides whether somebody may be signed in.
type person struct {
	state       string
	suspensions int64
}

func readPerson(ctx context.Context, tx *db.Tx, org id.OrgID, who id.PersonID) (p person, err error) {
	err = tx.Row(ctx, "SELECT state, suspensions FROM people WHERE org_id = ? AND id = ?", org, who).Scan(&p.state, &p.suspensions)
	if errors.Is(err, db.ErrNoRows) {
		err = fault.New(fault.NotFound, "person_unknown", "There is no such person.")
	}
	return p, err
}

// fault says why somebody is not let in.
func (p person) fault() error {
	switch p.state {
	case "active":
		return nil
	case "pending":
		return fault.New(fault.Forbidden, "person_pending", "This person has not confirmed the sign-up yet.")
	}
	return fault.New(fault.Forbidden, "person_suspended", "This person's access is switched off.")
}

// row is a session with all that decides whether it is good.
type row struct {
	Session
	most        time.Time // it ends then, however much it is used
	suspensions int64     // of the person when it began
	now         person    // as they are
	rights      access.Scope
	credential  id.CredentialID     // that the session began with, if it did
	account     id.ServiceAccountID // that minted it
	revoked     time.Time           // either of them
}

const sessionColumns = `s.org_id, s.id, s.person_id, s.kind, s.agent, s.address_group, s.created, s.seen, s.expires, s.person_suspensions, coalesce(p.state, ''), coalesce(p.suspensions, 0),
 s.credential_id, c.minted_by, coalesce(c.revoked, a.revoked)`

const sessionJoins = ` LEFT JOIN people p ON p.org_id = s.org_id AND p.id = s.person_id LEFT JOIN credentials c ON c.org_id = s.org_id AND c.id = s.credential_id
 LEFT JOIN service_accounts a ON a.org_id = c.org_id AND a.id = c.minted_by`

func (r *row) targets() []any {
	return []any{&r.Org, &r.ID, &r.Person, (*string)(&r.Kind), &r.Agent, &r.Group, &r.Created, &r.Session.Seen, &r.most, &r.suspensions, &r.now.state, &r.now.suspensions,
		&r.credential, &r.account, &r.revoked}
}

// readToken returns the session of a token with the rights of its person, or a zero one.
func readToken(ctx context.Context, tx *db.Tx, hash []byte) (found row, err error) {
	err = tx.Each(ctx, `SELECT `+sessionColumns+`, coalesce(g.scope, '') FROM signin_tokens t JOIN signin_sessions s ON s.org_id = t.org_id AND s.id = t.session_id`+sessionJoins+`
 LEFT JOIN grants g ON g.org_id = s.org_id AND g.person_id = s.person_id WHERE t.token_hash = ?`, []any{hash}, func(r *db.Rows) error {
		var scope string
		if err := r.Scan(append(found.targets(), &scope)...); err != nil || scope == "" {
			return err
		}
		right, err := access.ParseScope(scope)
		found.rights |= right
		return err
	})
	return found, err
}

func eachSession(ctx context.Context, tx *db.Tx, where string, args []any, fn func(row)) error {
	query := `SELECT ` + sessionColumns + ` FROM signin_sessions s` + sessionJoins + ` WHERE ` + where
	return tx.Each(ctx, query, args, func(r *db.Rows) error {
		var found row
		err := r.Scan(found.targets()...)
		fn(found)
		return err
	})
}

func insertSession(ctx context.Context, tx *db.Tx, s Session, tokenHash []byte, suspensions int64, most time.Time) error {
	if err := tx.Defer(ctx, "INSERT INTO signin_tokens (token_hash, org_id, session_id) VALUES (?, ?, ?)", tokenHash, s.Org, s.ID); err != nil {
		return err
	}
	return tx.Defer(ctx, `INSERT INTO signin_sessions (org_id, id, person_id, person_suspensions, kind, token_hash, agent, address_group, created, seen, expires)
 VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`, s.Org, s.ID, s.Person, suspensions, string(s.Kind), tokenHash, s.Agent, s.Group, s.Created, s.Seen, most)
}

func sessionOf(ctx context.Context, tx *db.Tx, tokenHash []byte) (org id.OrgID, session id.SigninID, err error) {
	err = tx.Row(ctx, "SELECT org_id, session_id FROM signin_tokens WHERE token_hash = ?", tokenHash).Scan(&org, &session)
	if errors.Is(err, db.ErrNoRows) {
		err = nil
	}
	return org, session, err
}

// ended is a session that was deleted.
type ended struct {
	id     id.SigninID
	person id.PersonID
	token  []byte
}

// deleteSessions deletes sessions with their tokens; the condition is on columns of signin_sessions.
func deleteSessions(ctx context.Context, tx *db.Tx, org id.OrgID, where string, args []any) (gone []ended, err error) {
	err = tx.Each(ctx, "DELETE FROM signin_sessions WHERE org_id = ? AND "+where+" RETURNING id, person_id, token_hash", append([]any{org}, args...), func(r *db.Rows) error {
		var e ended
		err := r.Scan(&e.id, &e.person, &e.token)
		gone = append(gone, e)
		return err
	})
	if err != nil {
		return nil, err
	}
	for _, e := range gone {
		if err := tx.Defer(ctx, "DELETE FROM signin_tokens WHERE token_hash = ?", e.token); err != nil {
			return nil, err
		}
	}
	return gone, nil
}
