package signup

import (
	"context"
	"net/netip"
	"time"

	"rollway/internal/db"
	"rollway/internal/fault"
	"rollway/internal/id"
	"rollway/internal/limit"
)

// Validated is what a confirmation did.
type Validated struct {
	Person    id.PersonID
	Org       id.OrgID
	Address   string    // that was confirmed, with which they sign in
	Already   bool      // it was confirmed before; nothing was done now
	Waits     bool      // for the operator
	Chooses   bool      // the password, by a mail that was just sent: the person was there before
	TrialEnds time.Time // zero: never, or not begun
}

// Peek tells whether a number and token would confirm a sign-up now, without doing it, and whom. Faults as for
// [Signup.Validate].
func (s *Signup) Peek(ctx context.Context, number int64, token string, from netip.Addr) (Listed, error) {
	found, err := s.look(ctx, number, token, from)
	return found.Listed, err
}

func (s *Signup) look(ctx context.Context, number int64, token string, from netip.Addr) (found row, err error) {
	_, err = s.confirm(ctx, from, number, token, s.linkToken, func(_ *db.Tx, r *row) (Validated, error) {
		found = *r
		return Validated{}, nil
	})
	return found, err
}

// Validate confirms a sign-up by the number and token of its mail, as a dashboard does: the person is active from now on and
// may sign in with the password of the sign-up, unless they were there before. A second time it says so and does nothing.
//
// Faults: NotFound (validation_unknown) for a number that there is not; Invalid (validation_invalid) for a wrong token,
// also after ten wrong ones; Gone (validation_expired); Conflict (address_taken) when the address got an account meanwhile, or
// is no longer that of whom it was; TooMany.
func (s *Signup) Validate(ctx context.Context, number int64, token string, from netip.Addr) (Validated, error) {
	return s.confirm(ctx, from, number, token, s.linkToken, s.accept(ctx, false, ""))
}

// Proof is what somebody shows who confirms a sign-up on our page. The token shows that the address is theirs, and the rest
// that the password is.
type Proof struct {
	Number int64
	Token  string // of the link in the mail
	From   netip.Addr

	Handle   string // of the browser that signed up; with the right one no password is asked for
	Password string // the one chosen with the sign-up
	New      bool   // or, in its place, one that is chosen now
}

// Began tells whether a handle is that of a sign-up.
func (s *Signup) Began(handle string, number int64) bool {
	n, ok := s.parseHandle(handle)
	return ok && n == number
}

// Confirm is [Signup.Validate] by whoever shows, besides, that the password is theirs: somebody else may have signed up with
// the address. A new password takes the place of the other, and nobody gets news who does not know that one.
//
// Faults: those of Validate; Invalid (signup_password) for a wrong password, which counts as a wrong token does for the
// address group; those of [signin.Policy.Check]; Unavailable.
func (s *Signup) Confirm(ctx context.Context, p Proof) (Validated, error) {
	r, err := s.look(ctx, p.Number, p.Token, p.From)
	if err != nil {
		return Validated{}, err
	}
	chosen := ""
	switch {
	case r.State != Waiting || s.Began(p.Handle, p.Number):
	case p.New:
		if err = s.signin.Policy.Check(p.Password, r.Address, r.Name, s.signin.Site); err == nil {
			chosen, err = s.signin.Passwords.Hash(ctx, p.Password)
		}
	default:
		err = s.recognize(ctx, &r, p)
	}
	if err != nil {
		return Validated{}, err
	}
	return s.confirm(ctx, p.From, p.Number, p.Token, s.linkToken, s.accept(ctx, true, chosen))
}

// recognize refuses a password that is not the one of a sign-up.
func (s *Signup) recognize(ctx context.Context, r *row, p Proof) error {
	right, err := s.signin.Passwords.Fits(ctx, r.phc, p.Password)
	if err != nil || right {
		return err
	}
	if err := s.limits.Take(ctx, s.guess(p.From)); err != nil {
		return err
	}
	return fault.New(fault.Invalid, "signup_password", "This is not the password that was chosen with this sign-up.")
}

// ValidateCode is [Signup.Validate] by the handle that [Signup.Begin] answered and the six digits of the mail. Of a handle
// that belongs to no sign-up it says what it says of a wrong code. Six digits can be guessed, so that they are none to
// somebody who was there before: neither does the mail have them, nor are they taken.
func (s *Signup) ValidateCode(ctx context.Context, handle, code string, from netip.Addr) (Validated, error) {
	number, ok := s.parseHandle(handle)
	if !ok {
		return Validated{}, errUnknown()
	}
	v, err := s.confirm(ctx, from, number, code, s.code, s.accept(ctx, false, ""))
	if fault.Is(err, fault.NotFound) {
		return v, errWrong()
	}
	return v, err
}

func errUnknown() error {
	return fault.New(fault.NotFound, "validation_unknown", "There is no such sign-up. Its link may be incomplete, or it expired long ago: sign up again.")
}

func errWrong() error {
	return fault.New(fault.Invalid, "validation_invalid", "This is not what the mail says. Look for the newest mail, or have it sent again.")
}

func errExpired() error {
	return fault.New(fault.Gone, "validation_expired", "The link in the mail has expired. Have it sent again.")
}

// accept confirms a sign-up. vouched tells that the password is known to be that of whoever got the mail; chosen, if there
// is one, is stored in place of the password of the sign-up, because it was chosen just now.
func (s *Signup) accept(ctx context.Context, vouched bool, chosen string) func(*db.Tx, *row) (Validated, error) {
	return func(tx *db.Tx, r *row) (Validated, error) {
		v := Validated{Person: r.Person, Org: r.Org, Address: r.Address, Already: r.State != Waiting, Waits: r.State == Approval, TrialEnds: r.TrialEnds}
		if v.Already {
			return v, nil
		}
		if chosen != "" {
			r.phc, r.Newsletter = chosen, false
		}
		if s.Settings.Approval {
			v.Waits = true
			return v, tx.Defer(ctx, "UPDATE signups SET state = ?, password = ?, newsletter = ? WHERE number = ?", string(Approval), r.phc, r.Newsletter, r.Number)
		}
		return s.complete(ctx, tx, r, vouched)
	}
}

// guess is what a wrong token, code or password counts for.
func (s *Signup) guess(from netip.Addr) limit.Try {
	return limit.Try{Rule: s.Settings.Guesses, Subject: limit.AddressGroup(from)}
}

// confirm finds the sign-up, compares what the mail carries, and goes on with then. Wrong ones are counted, at the sign-up
// and for the address group they come from.
func (s *Signup) confirm(ctx context.Context, from netip.Addr, number int64, given string, carries func(*row) string, then func(*db.Tx, *row) (Validated, error)) (v Validated, err error) {
	guess := s.guess(from)
	if err := s.limits.Check(ctx, guess); err != nil {
		return v, err
	}
	var refused error
	err = s.db.Write(ctx, func(tx *db.Tx) error {
		v, refused = Validated{}, nil
		r, err := byNumber(ctx, tx, number)
		if err != nil {
			return err
		}
		switch {
		case r == nil:
			refused = errUnknown()
			return s.limits.TakeTx(ctx, tx, guess)
		case r.tries >= maxTries:
			refused = errWrong()
			return s.limits.TakeTx(ctx, tx, guess)
		case !carried(given, carries(r)):
			refused = errWrong()
			if err := tx.Defer(ctx, "UPDATE signups SET tries = tries + 1 WHERE number = ?", number); err != nil {
				return err
			}
			return s.limits.TakeTx(ctx, tx, guess)
		case r.State == Waiting && !r.Expires.After(tx.Now()):
			refused = errExpired()
		default:
			v, err = then(tx, r)
			return err
		}
		return nil
	})
	if err == nil {
		err = refused
	}
	return v, err
}
