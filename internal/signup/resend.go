package signup

import (
	"context"

	"rollway/internal/db"
	"rollway/internal/limit"
	"rollway/internal/mail"
)

// Resend sends the mail of a sign-up again, with the same link while that is good and a new one afterwards, also after too
// many wrong ones. Of a handle that belongs to no sign-up, or to a confirmed one, it says nothing and does nothing.
//
// Faults: NotFound (validation_unknown) for a handle that is none; TooMany.
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
