package signup

import (
	"context"
	"time"

	"rollway/internal/access"
	"rollway/internal/db"
	"rollway/internal/fault"
)

// List returns sign-ups of all organizations with a number greater than after, in order. Fault: Forbidden for anybody but
// the operator.
func (s *Signup) List(ctx context.Context, c access.Caller, after int64, limit int) (list []Listed, err error) {
	if err := c.RequireOperator(); err != nil {
		return nil, err
	}
	err = s.db.Read(ctx, func(tx *db.Tx) error {
		rows, err := find(ctx, tx, "number > ? AND state <> ? ORDER BY number LIMIT ?", after, string(known), limit)
		list = nil
		for _, r := range rows {
			list = append(list, r.Listed)
		}
		return err
	})
	return list, err
}

// Approve lets in who waits for the operator. Whoever was there before is sent a link to choose a password. Faults:
// Forbidden; NotFound (signup_unknown); Conflict (signup_not_waiting; address_taken when the address got an account
// meanwhile, or is no longer that of whom it was).
func (s *Signup) Approve(ctx context.Context, c access.Caller, number int64) error {
	return s.operate(ctx, c, number, "signup.approve", func(tx *db.Tx, r *row) error {
		if r.State != Approval {
			return fault.New(fault.Conflict, "signup_not_waiting", "This sign-up does not wait for approval: it is %s.", r.State)
		}
		_, err := s.complete(ctx, tx, r, false) // it was confirmed some time ago: the organization may have got to know them since
		return err
	})
}

// Delete removes a sign-up that is not confirmed, with its person and organization. Faults: Forbidden; NotFound
// (signup_unknown); Conflict (signup_confirmed).
func (s *Signup) Delete(ctx context.Context, c access.Caller, number int64) error {
	return s.operate(ctx, c, number, "signup.delete", func(tx *db.Tx, r *row) error {
		if r.State != Waiting && r.State != Approval {
			return fault.New(fault.Conflict, "signup_confirmed", "This sign-up is confirmed. Suspend the person instead: rollway person suspend %s", r.Person)
		}
		return s.discard(ctx, tx, r)
	})
}

// ResendTo sends the mail of a sign-up again. Faults: Forbidden; NotFound (signup_unknown); Conflict (signup_confirmed);
// TooMany.
func (s *Signup) ResendTo(ctx context.Context, c access.Caller, number int64) error {
	return s.operate(ctx, c, number, "signup.resend", func(tx *db.Tx, r *row) error {
		if r.State != Waiting {
			return fault.New(fault.Conflict, "signup_confirmed", "This sign-up is confirmed already.")
		}
		return s.resend(ctx, tx, r)
	})
}

// Extend makes a trial so much longer, from now if it is over, and opens the organization again if it was closed. It
// returns the new end. Faults: Forbidden; NotFound (signup_unknown); Conflict (signup_not_confirmed, signup_no_trial).
func (s *Signup) Extend(ctx context.Context, c access.Caller, number int64, by time.Duration) (ends time.Time, err error) {
	err = s.operate(ctx, c, number, "signup.extend", func(tx *db.Tx, r *row) error {
		switch {
		case r.State != Confirmed && r.State != Ended:
			return fault.New(fault.Conflict, "signup_not_confirmed", "This sign-up has no trial yet: it is not confirmed.")
		case r.TrialEnds.IsZero():
			return fault.New(fault.Conflict, "signup_no_trial", "This sign-up has no trial that could be extended: it never ends.")
		}
		ends = tx.Now()
		if r.TrialEnds.After(ends) {
			ends = r.TrialEnds
		}
		ends = ends.Add(by)
		if r.State == Ended {
			if err := s.reopen(ctx, tx, r); err != nil {
				return err
			}
		}
		return tx.Defer(ctx, "UPDATE signups SET state = ?, trial_ends = ?, reminded = 0 WHERE number = ?", string(Confirmed), ends, number)
	})
	return ends, err
}

func (s *Signup) operate(ctx context.Context, c access.Caller, number int64, action string, do func(*db.Tx, *row) error) error {
	if err := c.RequireOperator(); err != nil {
		return err
	}
	return s.db.Write(ctx, func(tx *db.Tx) error {
		r, err := byNumber(ctx, tx, number)
		if err != nil {
			return err
		}
		if r == nil || r.State == known {
			return fault.New(fault.NotFound, "signup_unknown", "There is no sign-up %d.", number)
		}
		if err := do(tx, r); err != nil {
			return err
		}
		c := c
		c.Org = r.Org
		return access.Audit(ctx, tx, c, action, "person "+r.Person.String(), nil)
	})
}
