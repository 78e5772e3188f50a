package signup

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/go-json-experiment/json"

	"rollway/internal/db"
	"rollway/internal/fault"
	"rollway/internal/id"
	"rollway/internal/limit"
)

// Lives of a token's session.
const (
	sessionIdle = time.Hour
	sessionLife = 24 * time.Hour
	usedEvery   = time.Minute // how exactly last uses are kept
)

// TokenSession is an open session of a token.
type TokenSession struct {
	Org   id.OrgID
	Token id.TokenID
	Name  string // of the token
}

// OpenSession begins a session for whoever has the token's secret; origin is the Origin header of a browser's request, or
// empty. Everybody has the secret, so sessions are counted for the address group. Faults: Unauthenticated (token_invalid)
// for an unknown, revoked or expired one, while sign-up is off, and for another origin; TooMany.
func (s *Signup) OpenSession(ctx context.Context, secret, origin string, from netip.Addr) (session string, err error) {
	refused := fault.New(fault.Unauthenticated, "token_invalid", "The token is not valid: it is wrong, expired or revoked, or sign-up is off.")
	if s.Settings.Off {
		return "", refused
	}
	try := limit.Try{Rule: s.Settings.Sessions, Subject: limit.AddressGroup(from)}
	if err := s.limits.Check(ctx, try); err != nil {
		return "", err
	}
	var org id.OrgID
	var t Token
	var now time.Time
	err = s.db.Read(ctx, func(tx *db.Tx) error { // what is refused keeps nobody from writing
		org, t, now = 0, Token{}, tx.Now()
		return tx.Each(ctx, `SELECT t.org_id, t.id, t.name, t.origins, t.created, t.expires, t.revoked, t.last_used FROM signup_token_secrets x
			JOIN signup_tokens t ON t.org_id = x.org_id AND t.id = x.token_id WHERE x.token_hash = ? AND (x.expires IS NULL OR x.expires > ?)`,
			[]any{s.secretHash(secret), now}, func(r *db.Rows) error {
				var origins string
				if err := r.Scan(&org, &t.ID, &t.Name, &origins, &t.Created, &t.Expires, &t.Revoked, &t.LastUsed); err != nil {
					return err
				}
				return json.Unmarshal([]byte(origins), &t.Origins)
			})
	})
	switch {
	case err != nil:
		return "", err
	case t.ID.IsZero() || over(t, now):
		return "", refused
	case origin != "" && len(t.Origins) > 0 && !slices.Contains(t.Origins, strings.ToLower(origin)):
		return "", refused.With(fault.Field{Name: "Origin", Message: "This token is not for pages of this origin.", Value: origin})
	}
	raw := make([]byte, 20)
	rand.Read(raw)
	session = hex.EncodeToString(raw)
	return session, s.db.Write(ctx, func(tx *db.Tx) error { // of a token that is revoked meanwhile it is never good
		if err := s.limits.TakeTx(ctx, tx, try); err != nil {
			return err
		}
		if now.Sub(t.LastUsed) >= usedEvery {
			if err := tx.Defer(ctx, "UPDATE signup_tokens SET last_used = ? WHERE org_id = ? AND id = ?", now, org, t.ID); err != nil {
				return err
			}
		}
		return tx.Defer(ctx, "INSERT INTO signup_sessions (session_hash, org_id, token_id, created, seen) VALUES (?, ?, ?, ?, ?)", s.sessionHash(session), org, t.ID, now, now)
	})
}

func (s *Signup) sessionHash(session string) []byte { return s.key.Hash("signup session", session) }

// errNoSession is the fault for every session that is not open.
func errNoSession() error {
	return fault.New(fault.Unauthenticated, "session_invalid", "The session is not open: it is unknown, ended or expired.")
}

// Session finds an open session. Fault: Unauthenticated (session_invalid) for an unknown, ended or expired one.
func (s *Signup) Session(ctx context.Context, session string) (TokenSession, error) {
	var t TokenSession
	var seen, now time.Time
	hash := s.sessionHash(session)
	err := s.db.Read(ctx, func(tx *db.Tx) error {
		t, now = TokenSession{}, tx.Now()
		return tx.Each(ctx, `SELECT s.org_id, s.token_id, s.seen, t.name FROM signup_sessions s JOIN signup_tokens t ON t.org_id = s.org_id AND t.id = s.token_id
			WHERE s.session_hash = ? AND s.seen > ? AND s.created > ? AND t.revoked IS NULL AND (t.expires IS NULL OR t.expires > ?)`,
			[]any{hash, now.Add(-sessionIdle), now.Add(-sessionLife), now}, func(r *db.Rows) error { return r.Scan(&t.Org, &t.Token, &seen, &t.Name) })
	})
	if err != nil {
		return t, err
	}
	if t.Token.IsZero() || s.Settings.Off {
		return TokenSession{}, errNoSession()
	}
	if now.Sub(seen) >= usedEvery {
		err = s.db.Write(ctx, func(tx *db.Tx) error {
			return tx.Defer(ctx, "UPDATE signup_sessions SET seen = ? WHERE session_hash = ?", now, hash)
		})
	}
	return t, err
}

// CloseSession ends a session. Fault: Unauthenticated (session_invalid) for one that is not open.
func (s *Signup) CloseSession(ctx context.Context, session string) error {
	if _, err := s.Session(ctx, session); err != nil {
		return err
	}
	return s.db.Write(ctx, func(tx *db.Tx) error {
		n, err := tx.Exec(ctx, "DELETE FROM signup_sessions WHERE session_hash = ?", s.sessionHash(session))
		if err == nil && n == 0 {
			return errNoSession()
		}
		return err
	})
}
