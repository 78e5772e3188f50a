package signin

import (
	"cmp"
	"context"
	"strings"
	"time"

	"rollway/internal/db"
	"rollway/internal/fault"
	"rollway/internal/limit"
	"rollway/internal/mail"
)

// errBad is the same for an unknown address and a wrong password.
var errBad = fault.New(fault.Unauthenticated, "bad_login", "The address or the password is not right.")

var errNotValidated = fault.New(fault.Forbidden, "not_validated", "Confirm your sign-up first: follow the link in the message that was sent to you.")

// SignIn begins a session for whoever has the address and the password; the token is shown this once. The session that the
// device had before ends. Wrong ones are counted for the address and the address group together and for the address group,
// never for the address alone, so that nobody can lock somebody else out. An unknown address gets the same answer after the
// same work as a wrong password.
//
// Faults: Unauthenticated (bad_login), TooMany ([limit.Exceeded]), Unavailable (sign_in_busy); with the right password Forbidden
// (not_validated for somebody who has not confirmed their sign-up, person_suspended).
func (s *Signin) SignIn(ctx context.Context, kind Kind, address, password string, from Device) (Session, string, error) {
	folded, err := mail.Fold(address)
	if err != nil {
		folded = strings.ToLower(address) // nobody's; it counts and takes its time like any other
	}
	var l login
	err = s.db.Read(ctx, func(tx *db.Tx) (err error) {
		l, err = s.readLogin(ctx, tx, folded)
		return err
	})
	if err == nil && s.Pending != nil {
		l.waiting, err = s.Pending(ctx, folded)
	}
	if err != nil {
		return Session{}, "", err
	}
	renewed, err := s.check(ctx, l, folded, password, from)
	if err != nil {
		return Session{}, "", err
	}
	switch l.state {
	case "active":
	case "pending":
		return Session{}, "", errNotValidated
	default:
		return Session{}, "", person{state: l.state}.fault()
	}
	var out Session
	var token string
	err = s.db.Write(ctx, func(tx *db.Tx) (err error) {
		// Unless it was changed meanwhile: who changes it waits for this, and ends the session.
		n, err := tx.Exec(ctx, "UPDATE logins SET password = ? WHERE org_id = ? AND person_id = ? AND password = ?", cmp.Or(renewed, l.password), l.Org, l.Person, l.password)
		if err == nil && n == 0 {
			err = errBad
		}
		if err != nil {
			return err
		}
		out, token, err = s.BeginTx(ctx, tx, l.Org, l.Person, kind, from)
		return err
	})
	return out, token, err
}

// check compares a password with a login's, or with one that nobody has, and counts a wrong one. renewed is a new hash of
// the right password when the stored one is out of date.
//
// Looking at the limit, hashing and counting happen in one turn on a core, so that whoever tries many at once gets no more
// than the limit and one for each core.
func (s *Signin) check(ctx context.Context, l login, folded, password string, from Device) (renewed string, err error) {
	stored := l.password
	if stored == "" {
		stored = s.Passwords.dummy()
	}
	if len(password) > 4*Longest || !readable(password) {
		password = "" // which is nobody's
	}
	tries := s.failures(l, folded, from)
	if err := s.ledger.Check(ctx, tries...); err != nil { // without taking up a place in the queue
		return "", err
	}
	err = s.Passwords.turn(ctx, func() error {
		if err := s.ledger.Check(ctx, tries...); err != nil {
			return err
		}
		right, stale, err := s.Passwords.verify(stored, password)
		if err != nil {
			return err
		}
		if !right { // the same work whether or not somebody has the address or waits for it
			if right, _, err = s.Passwords.verify(cmp.Or(l.waiting, s.Passwords.dummy()), password); err != nil {
				return err
			}
			if right {
				return errNotValidated
			}
		}
		if !right {
			if err := s.ledger.Take(ctx, tries...); err != nil {
				return err
			}
			return errBad
		}
		if stale {
			renewed = s.Passwords.renew(password)
		}
		return nil
	})
	return renewed, err
}

// failures are what a wrong password counts for. A new password starts anew: whoever has got it by mail need not wait.
func (s *Signin) failures(l login, folded string, from Device) []limit.Try {
	group := limit.AddressGroup(from.Addr)
	since := time.Time{}
	if !l.Person.IsZero() {
		since = l.Changed
	}
	return []limit.Try{
		{Rule: s.Rules.Failures, Subject: group + " " + since.Format(time.RFC3339Nano) + " " + folded},
		{Rule: s.Rules.FailuresGroup, Subject: group},
	}
}
