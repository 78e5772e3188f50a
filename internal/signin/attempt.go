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
// device had before ends. Wrong ones are counted for the address and the address group together, for the address group, and for
// the address: too many of these close it, but never to a browser or a network that the person has signed in from before, so
// that nobody can lock somebody else out. An unknown address gets the same answer after the same work as a wrong password.
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
		if l, err = s.readLogin(ctx, tx, folded); err == nil {
			l.place, err = s.readPlace(ctx, tx, l.Org, l.Person, from)
		}
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
		if err := s.knowPlace(ctx, tx, l.Org, l.Person, from); err != nil {
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
// When too many have been wrong from everywhere, the password is right at places where the person has signed in before and
// nowhere else. That is found out as late as this, so that a wrong one looks the same everywhere.
//
// Looking at the limit, hashing and counting happen in one turn on a core, so that whoever tries many at once gets no more
// than the limit and one for each core.
func (s *Signin) check(ctx context.Context, l login, folded, password string, from Device) (renewed string, err error) {
	if len(password) > 4*Longest || !readable(password) {
		password = "" // which is nobody's
	}
	here := s.failures(l, folded, from)
	if err := s.ledger.Check(ctx, here...); err != nil { // without taking up a place in the queue
		return "", err
	}
	err = s.Passwords.turn(ctx, func() error {
		if err := s.ledger.Check(ctx, here...); err != nil {
			return err
		}
		everywhere, closed, err := s.everywhere(ctx, &l, folded)
		if err != nil {
			return err
		}
		right, stale, err := s.compare(l, password)
		if right && stale {
			renewed = s.Passwords.renew(password)
		}
		if right || err != nil {
			return err
		}
		if err := s.ledger.Take(ctx, append(here, everywhere...)...); err != nil {
			return err
		}
		return cmp.Or[error](closed, errBad)
	})
	return renewed, err
}

// compare reports whether a password is a login's, and fails with errNotValidated when it is that of a sign-up that waits. It
// is the same work for a wrong one whether or not somebody has the address or waits for it.
func (s *Signin) compare(l login, password string) (right, stale bool, err error) {
	right, stale, err = s.Passwords.verify(cmp.Or(l.password, s.Passwords.dummy()), password)
	if right || err != nil {
		return right, stale, err
	}
	waits, _, err := s.Passwords.verify(cmp.Or(l.waiting, s.Passwords.dummy()), password)
	if waits {
		err = errNotValidated
	}
	return false, false, err
}

// failures are what a wrong password counts for where it comes from.
func (s *Signin) failures(l login, folded string, from Device) []limit.Try {
	group := limit.AddressGroup(from.Addr)
	return []limit.Try{{Rule: s.Rules.Failures, Subject: group + " " + l.counted(folded)}, {Rule: s.Rules.FailuresGroup, Subject: group}}
}

// counted names what the wrong passwords for an address count for. A new password starts anew: whoever has got it by mail
// need not wait.
func (l login) counted(folded string) string {
	since := time.Time{}
	if !l.Person.IsZero() {
		since = l.Changed
	}
	return since.Format(time.RFC3339Nano) + " " + folded
}

// everywhere are what a wrong password counts for wherever it comes from: the account, and the place where the person is
// known, if it is one. When there were too many for the account, closed says so, and unless there is room for one more at the
// place, the login becomes one whose password nobody has.
func (s *Signin) everywhere(ctx context.Context, l *login, folded string) (tries []limit.Try, closed, err error) {
	account := limit.Try{Rule: s.Rules.FailuresAccount, Subject: l.counted(folded)}
	place := limit.Try{Rule: s.Rules.FailuresAccount, Subject: account.Subject + " at " + l.place}
	switch closed = s.ledger.Check(ctx, account); {
	case closed == nil:
		tries = append(tries, account)
	case !fault.Is(closed, fault.TooMany):
		return nil, nil, closed
	}
	known := l.place != ""
	if known {
		switch err := s.ledger.Check(ctx, place); {
		case err == nil:
			tries = append(tries, place)
		case fault.Is(err, fault.TooMany):
			known = false
		default:
			return nil, nil, err
		}
	}
	if closed != nil && !known {
		l.password, l.waiting = "", ""
	}
	return tries, closed, nil
}
