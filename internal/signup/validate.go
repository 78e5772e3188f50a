package signup

import (
	"context"
	"net/netip"
	"time"

	"rollway/internal/access"
	"rollway/internal/db"
	"rollway/internal/directory"
	"rollway/internal/fault"
	"rollway/internal/id"
	"rollway/internal/limit"
	"rollway/internal/mail"
)

// Validated is what a confirmation did.
type Validated struct {
	Person  id.PersonID
	Org     id.OrgID
	Already bool // it was confirmed before; nothing was done now
	Waits   bool // for the operator
}

// Peek tells whether a number and token would confirm a sign-up now, without doing it, and whom. Faults as for
// [Signup.Validate].
func (s *Signup) Peek(ctx context.Context, number int64, token string, from netip.Addr) (Listed, error) {
	var found Listed
	_, err := s.confirm(ctx, from, number, token, s.validationToken, func(_ *db.Tx, r *row) (Validated, error) {
		found = r.Listed
		return Validated{}, nil
	})
	return found, err
}

// Validate confirms a sign-up by the number and token of its mail: the person is active from now on and may sign in. A
// second time it says so and does nothing.
//
// Faults: NotFound (validation_unknown) for a number that there is not; Invalid (validation_invalid) for a wrong token,
// also after ten wrong ones; Gone (validation_expired); Conflict (address_taken) when the address got an account meanwhile;
// TooMany.
func (s *Signup) Validate(ctx context.Context, number int64, token string, from netip.Addr) (Validated, error) {
	return s.confirm(ctx, from, number, token, s.validationToken, s.accept(ctx))
}

// ValidateCode is [Signup.Validate] by the handle that [Signup.Begin] answered and the six digits of the mail. Of a handle
// that belongs to no sign-up it says what it says of a wrong code.
func (s *Signup) ValidateCode(ctx context.Context, handle, code string, from netip.Addr) (Validated, error) {
	number, ok := s.parseHandle(handle)
	if !ok {
		return Validated{}, errUnknown()
	}
	v, err := s.confirm(ctx, from, number, code, s.validationCode, s.accept(ctx))
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

func (s *Signup) accept(ctx context.Context) func(*db.Tx, *row) (Validated, error) {
	return func(tx *db.Tx, r *row) (Validated, error) {
		v := Validated{Person: r.Person, Org: r.Org, Already: true, Waits: r.State == Approval}
		if r.State != Waiting {
			return v, nil
		}
		if v.Already = false; s.Settings.Approval {
			v.Waits = true
			return v, tx.Defer(ctx, "UPDATE signups SET state = ? WHERE number = ?", string(Approval), r.Number)
		}
		err := s.complete(ctx, tx, r)
		v.Person = r.Person
		return v, err
	}
}

// confirm finds the sign-up, compares what the mail carries, and goes on with then. Wrong ones are counted, at the sign-up
// and for the address group they come from.
func (s *Signup) confirm(ctx context.Context, from netip.Addr, number int64, given string, carries func(int64, []byte) string, then func(*db.Tx, *row) (Validated, error)) (v Validated, err error) {
	guess := limit.Try{Rule: s.Settings.Guesses, Subject: limit.AddressGroup(from)}
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
		case r.State == known || !same(given, carries(r.Number, r.nonce)):
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

// complete lets a person in who proved their address: they become active, get their login and, of an organization of their
// own, the right to administer it; others who wait for the same address are discarded.
func (s *Signup) complete(ctx context.Context, tx *db.Tx, r *row) error {
	folded, err := mail.Fold(r.Address)
	if err != nil {
		return err
	}
	if err := tx.Lock(ctx, "signup "+string(r.hash)); err != nil {
		return err
	}
	if _, taken, err := s.signin.FindTx(ctx, tx, folded); err != nil || taken {
		return taking(err)
	}
	if err := s.activate(ctx, tx, r, folded); err != nil {
		return err
	}
	if err := s.signin.EnrolTx(ctx, tx, r.Org, r.Person, folded, r.phc); err != nil {
		return err
	}
	now := tx.Now()
	if r.TrialEnds = (time.Time{}); r.own && s.Settings.Trial > 0 {
		r.TrialEnds = now.Add(s.Settings.Trial)
	}
	if err := tx.Defer(ctx, "UPDATE signups SET state = ?, person_id = ?, claimed = ?, password = '', confirmed = ?, trial_ends = ? WHERE number = ?",
		string(Confirmed), r.Person, r.claimed, now, r.TrialEnds, r.Number); err != nil {
		return err
	}
	welcome := s.welcome(r)
	if r.Newsletter {
		if welcome.Unsubscribe, err = s.subscribe(ctx, tx, r, now); err != nil {
			return err
		}
	}
	rivals, err := find(ctx, tx, "address_hash = ? AND state IN (?, ?) AND number <> ?", r.hash, string(Waiting), string(Approval), r.Number)
	if err != nil {
		return err
	}
	for i := range rivals {
		if err := s.discard(ctx, tx, &rivals[i]); err != nil {
			return err
		}
	}
	if err := access.Audit(ctx, tx, system(r.Org), "signup.confirm", "person "+r.Person.String(), nil); err != nil {
		return err
	}
	return s.mail.PutTx(ctx, tx, mail.Message{Org: r.Org, To: r.Address, Lang: r.Lang, Kind: mail.Welcome, Data: welcome})
}

func (s *Signup) welcome(r *row) mail.Data {
	d := mail.Data{Name: r.Name, Link: s.public + "/login"}
	if !r.TrialEnds.IsZero() {
		d.Days = int(s.Settings.Trial.Hours() / 24)
	}
	return d
}

func taking(err error) error {
	if err != nil {
		return err
	}
	return fault.New(fault.Conflict, "address_taken", "There is an account for this address already. Sign in, or ask for a new password.")
}

// activate makes the person active. Somebody whom the organization got to know meanwhile under the same address is that
// person.
func (s *Signup) activate(ctx context.Context, tx *db.Tx, r *row, folded string) error {
	holder, err := s.directory.HolderTx(ctx, tx, r.Org, folded)
	if err != nil {
		return err
	}
	if !holder.IsZero() && holder != r.Person && !r.claimed {
		if err := s.directory.DiscardTx(ctx, tx, system(r.Org), r.Person); err != nil {
			return err
		}
		r.Person, r.claimed = holder, true
	}
	if r.claimed {
		p, err := s.directory.PersonTx(ctx, tx, r.Org, r.Person)
		if err != nil || p.State != directory.Active || p.Privileged {
			return taking(err)
		}
		return nil
	}
	if _, err := s.directory.ConfirmTx(ctx, tx, system(r.Org), r.Person, []string{"Email"}); err != nil {
		return err
	}
	if !r.own {
		return nil
	}
	return access.Grant(ctx, tx, s.changes, system(r.Org), r.Person, access.Admin)
}

// discard removes a sign-up that was never confirmed, with its person and organization.
func (s *Signup) discard(ctx context.Context, tx *db.Tx, r *row) error {
	if !r.claimed {
		if err := s.directory.DiscardTx(ctx, tx, system(r.Org), r.Person); err != nil {
			return err
		}
	}
	if r.own {
		dissolved, err := s.directory.DissolveTx(ctx, tx, system(r.Org))
		if err == nil && dissolved {
			err = s.mail.DropTx(ctx, tx, r.Org)
		}
		if err != nil {
			return err
		}
	}
	return tx.Defer(ctx, "DELETE FROM signups WHERE number = ?", r.Number)
}

// Resend sends the mail of a sign-up again, with the same link while that is good and a new one afterwards, also after too
// many wrong ones. Of a handle that
// belongs to no sign-up, or to a confirmed one, it says nothing and does nothing. Faults: NotFound for a handle that is none;
// TooMany.
func (s *Signup) Resend(ctx context.Context, handle string) error {
	number, ok := s.parseHandle(handle)
	if !ok {
		return errUnknown()
	}
	return s.db.Write(ctx, func(tx *db.Tx) error {
		r, err := byNumber(ctx, tx, number)
		if err != nil || r == nil || r.State != Waiting && r.State != known {
			if err == nil { // counted alike, or the count would tell
				err = s.limits.TakeTx(ctx, tx, limit.Try{Rule: s.Settings.Mails, Subject: handle})
			}
			return err
		}
		return s.resend(ctx, tx, r)
	})
}

func (s *Signup) resend(ctx context.Context, tx *db.Tx, r *row) error {
	folded, err := mail.Fold(r.Address)
	if err != nil {
		return err
	}
	if err := s.limits.TakeTx(ctx, tx, s.mailTries(folded)...); err != nil {
		return err
	}
	if now := tx.Now(); !r.Expires.After(now) || r.tries >= maxTries {
		r.nonce, r.Expires = newNonce(), now.Add(s.Settings.Delay)
		if err := tx.Defer(ctx, "UPDATE signups SET nonce = ?, expires = ?, tries = 0 WHERE number = ?", r.nonce, r.Expires, r.Number); err != nil {
			return err
		}
	}
	return s.send(ctx, tx, *r)
}

// Pending returns the stored password of the newest sign-up of an address that waits, so that signing in can tell its maker,
// and only them, why it fails; of an address that has an account, that of the newest that pretends to wait. Empty when there
// is none.
func (s *Signup) Pending(ctx context.Context, folded string) (phc string, err error) {
	err = s.db.Read(ctx, func(tx *db.Tx) error {
		phc = ""
		return tx.Each(ctx, "SELECT password FROM signups WHERE address_hash = ? AND state IN (?, ?, ?) ORDER BY number DESC LIMIT 1",
			[]any{s.addressHash(folded), string(Waiting), string(Approval), string(known)}, func(r *db.Rows) error { return r.Scan(&phc) })
	})
	return phc, err
}
