package signin

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"strings"
	"unicode"
	"unicode/utf8"

	"rollway/internal/access"
	"rollway/internal/db"
	"rollway/internal/fault"
	"rollway/internal/id"
	"rollway/internal/limit"
)

// Tokens are 256 random bits in base64url.
const tokenLen = 43

func newToken() string {
	secret := make([]byte, 32)
	rand.Read(secret)
	return base64.RawURLEncoding.EncodeToString(secret)
}

func (s *Signin) tokenHash(token string) []byte { return s.key.Hash("session", token) }

// maxAgent is how much is kept of what a device says it is, in bytes.
const maxAgent = 160

// shorten keeps the printable beginning.
func shorten(agent string) string {
	agent = strings.ToValidUTF8(agent, "")
	agent = strings.Join(strings.FieldsFunc(agent, func(r rune) bool { return unicode.IsControl(r) || unicode.IsSpace(r) }), " ")
	if len(agent) <= maxAgent {
		return agent
	}
	cut := maxAgent - len("…")
	for !utf8.RuneStart(agent[cut]) {
		cut--
	}
	return agent[:cut] + "…"
}

// Begin signs a person in without a password, once it is known by other means who they are. The token is shown this once.
// The session that the device had before ends.
//
// Faults: NotFound (person_unknown), Forbidden (person_pending, person_suspended).
func (s *Signin) Begin(ctx context.Context, org id.OrgID, person id.PersonID, kind Kind, from Device) (Session, string, error) {
	var out Session
	var token string
	err := s.db.Write(ctx, func(tx *db.Tx) (err error) {
		out, token, err = s.BeginTx(ctx, tx, org, person, kind, from)
		return err
	})
	return out, token, err
}

// BeginTx is [Signin.Begin] within a transaction of the caller's.
func (s *Signin) BeginTx(ctx context.Context, tx *db.Tx, org id.OrgID, person id.PersonID, kind Kind, from Device) (Session, string, error) {
	p, err := readPerson(ctx, tx, org, person)
	if err != nil {
		return Session{}, "", err
	}
	if err := p.fault(); err != nil {
		return Session{}, "", err
	}
	if err := s.endBefore(ctx, tx, from.Before); err != nil {
		return Session{}, "", err
	}
	now, token := s.now(), newToken()
	out := Session{ID: id.New[id.SigninID](), Org: org, Person: person, Kind: kind, Agent: shorten(from.Agent), Group: limit.AddressGroup(from.Addr), Created: now, Seen: now}
	most := now.Add(s.Lives[kind].Most)
	out.Expires = s.end(kind, now, most)
	if err := insertSession(ctx, tx, out, s.tokenHash(token), p.suspensions, most); err != nil {
		return Session{}, "", err
	}
	tx.AfterCommit(s.known.Added)
	return out, token, access.Audit(ctx, tx, access.SignedIn(org, person, out.ID, 0), "signin.begin", "person "+person.String(), map[string]any{"session": out.ID.String(), "kind": string(kind)})
}

// endBefore ends the session that a device had until now, whoever it was signed in as.
func (s *Signin) endBefore(ctx context.Context, tx *db.Tx, token string) error {
	if len(token) != tokenLen {
		return nil
	}
	org, session, err := sessionOf(ctx, tx, s.tokenHash(token))
	if err != nil || session.IsZero() {
		return err
	}
	_, err = s.endTx(ctx, tx, org, "id = ?", session)
	return err
}

// List returns the sessions of a person that are alive, the latest first: the caller's own for the zero PersonID, those of
// somebody else for an administrator. Faults: Unauthenticated (session_missing) for a caller who is no person and names
// none, Forbidden.
func (s *Signin) List(ctx context.Context, c access.Caller, person id.PersonID) (list []Session, err error) {
	if person, err = whose(c, person); err != nil {
		return nil, err
	}
	now := s.now()
	err = s.db.Read(ctx, func(tx *db.Tx) error {
		list = []Session{}
		return eachSession(ctx, tx, "s.org_id = ? AND s.person_id = ? ORDER BY s.id DESC", []any{c.Org, person}, func(r row) {
			if s.settle(&r, now) == nil {
				list = append(list, r.Session)
			}
		})
	})
	return list, err
}

func whose(c access.Caller, person id.PersonID) (id.PersonID, error) {
	switch {
	case c.Kind == access.Person && (person.IsZero() || person == c.Person):
		return c.Person, nil
	case person.IsZero():
		return person, errMissing
	}
	return person, c.Require(access.Admin)
}

// End ends one session of the caller's own, or of anybody in the organization for an administrator, and with it what was
// launched from it. Fault: NotFound (session_unknown).
func (s *Signin) End(ctx context.Context, c access.Caller, session id.SigninID) error {
	where, args := "id = ?", []any{session}
	if !c.Scopes.Has(access.Admin) {
		where, args = "id = ? AND person_id = ?", []any{session, c.Person}
	}
	return s.db.Write(ctx, func(tx *db.Tx) error {
		n, err := s.endTx(ctx, tx, c.Org, where, args...)
		if err == nil && n == 0 {
			return fault.New(fault.NotFound, "session_unknown", "There is no such session; it may have ended by itself.")
		}
		if err != nil {
			return err
		}
		return access.Audit(ctx, tx, c, "signin.end", "session "+session.String(), nil)
	})
}

// SignOut ends the session of a token; one that is over already is no error.
func (s *Signin) SignOut(ctx context.Context, token string) error {
	if len(token) != tokenLen {
		return nil
	}
	return s.db.Write(ctx, func(tx *db.Tx) error {
		org, session, err := sessionOf(ctx, tx, s.tokenHash(token))
		if err != nil || session.IsZero() {
			return err
		}
		var who id.PersonID
		if err := tx.Row(ctx, "SELECT person_id FROM signin_sessions WHERE org_id = ? AND id = ?", org, session).Scan(&who); err != nil {
			return err
		}
		if _, err := s.endTx(ctx, tx, org, "id = ?", session); err != nil {
			return err
		}
		return access.Audit(ctx, tx, access.SignedIn(org, who, session, 0), "signin.end", "session "+session.String(), nil)
	})
}

// EndAll ends all sessions of a person, as End does: the caller's own but for the one they are in, when they name nobody;
// all of somebody for an administrator. It returns how many. Faults as with List.
func (s *Signin) EndAll(ctx context.Context, c access.Caller, person id.PersonID) (ended int, err error) {
	own := person.IsZero()
	if person, err = whose(c, person); err != nil {
		return 0, err
	}
	err = s.db.Write(ctx, func(tx *db.Tx) error {
		if own && !c.Signin.IsZero() {
			ended, err = s.endTx(ctx, tx, c.Org, "person_id = ? AND id <> ?", person, c.Signin)
		} else {
			ended, err = s.endTx(ctx, tx, c.Org, "person_id = ?", person)
		}
		if err != nil || ended == 0 {
			return err
		}
		return access.Audit(ctx, tx, c, "signin.end_all", "person "+person.String(), map[string]any{"sessions": ended})
	})
	return ended, err
}

// SessionLock names what whoever makes something that is to end with a session shares (db.Tx.Share) before it looks whether
// the session is there.
func SessionLock(session id.SigninID) string { return "signin " + session.String() }

// endTx ends the sessions of an organization that a condition chooses, and tells everybody.
func (s *Signin) endTx(ctx context.Context, tx *db.Tx, org id.OrgID, where string, args ...any) (int, error) {
	gone, err := deleteSessions(ctx, tx, org, where, args)
	if err != nil {
		return 0, err
	}
	locks := make([]string, len(gone))
	for i, g := range gone {
		locks[i] = SessionLock(g.id)
	}
	if err := tx.Lock(ctx, locks...); err != nil {
		return 0, err
	}
	for i := 0; i < len(gone); { // those of one person at a time
		var ids []id.SigninID
		person := gone[i].person
		for ; i < len(gone) && gone[i].person == person; i++ {
			ids = append(ids, gone[i].id)
			if err := s.changes.Announce(ctx, tx, access.Change{Org: org, Kind: access.SigninChanged, Subject: gone[i].id}); err != nil {
				return 0, err
			}
		}
		if s.Ended != nil {
			if err := s.Ended(ctx, tx, org, person, ids); err != nil {
				return 0, err
			}
		}
	}
	return len(gone), nil
}
