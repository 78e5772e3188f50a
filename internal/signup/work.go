package signup

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"rollway/internal/chore"
	"rollway/internal/db"
	"rollway/internal/id"
	"rollway/internal/mail"
)

const (
	workEvery = 10 * time.Minute
	workMost  = 200            // sign-ups in a round
	keepDead  = 24 * time.Hour // for which an expired sign-up can still be sent again
)

// Run does what falls due until the context ends: expired sign-ups go, trials are reminded of and end. Each piece is one
// transaction that looks again, so that several servers may do it.
func (s *Signup) Run(ctx context.Context, report func(error)) {
	chore.Every(ctx, workEvery, s.Work, report)
}

// Work does what is due now. What cannot be done is in the error, and keeps nothing else from being done.
func (s *Signup) Work(ctx context.Context) error {
	var errs []error
	for _, due := range []struct {
		which string
		args  func(now time.Time) []any
		do    func(context.Context, *db.Tx, *row) error
	}{
		{"state IN (?, ?) AND expires < ?", func(now time.Time) []any { return []any{string(Waiting), string(known), now.Add(-keepDead)} }, s.discard},
		{"trial_ends < ? AND state = ?", func(now time.Time) []any { return []any{now, string(Confirmed)} }, s.endTrial},
		{"trial_ends < ? AND state = ? AND reminded < 100", func(now time.Time) []any { return []any{now.Add(-afterEnd), string(Ended)} }, s.sayEnded},
	} {
		errs = append(errs, s.each(ctx, due.which, due.args, due.do))
	}
	for i, before := range slices.Backward(s.Settings.Remind) { // the last one that is due says enough
		args := func(now time.Time) []any { return []any{now.Add(before), string(Confirmed), i} }
		errs = append(errs, s.each(ctx, "trial_ends < ? AND state = ? AND reminded <= ?", args, s.remind(i, before)))
	}
	errs = append(errs, s.db.Write(ctx, func(tx *db.Tx) error {
		now := tx.Now()
		return tx.Defer(ctx, "DELETE FROM signup_sessions WHERE seen < ? OR created < ?", now.Add(-sessionIdle), now.Add(-sessionLife))
	}))
	return errors.Join(errs...)
}

const afterEnd = 5 * 24 * time.Hour // when people whose trial is over hear so once more

// each does a thing to every sign-up that it is due for, one transaction each.
func (s *Signup) each(ctx context.Context, which string, args func(time.Time) []any, do func(context.Context, *db.Tx, *row) error) error {
	var errs []error
	for last := int64(0); ; {
		var numbers []int64
		err := s.db.Read(ctx, func(tx *db.Tx) error {
			numbers = nil
			return tx.Each(ctx, "SELECT number FROM signups WHERE "+which+" AND number > ? ORDER BY number LIMIT ?", append(args(tx.Now()), last, workMost), func(r *db.Rows) error {
				var n int64
				err := r.Scan(&n)
				numbers = append(numbers, n)
				return err
			})
		})
		if err != nil {
			return errors.Join(append(errs, err)...)
		}
		for _, n := range numbers {
			last = n
			err := s.db.Write(ctx, func(tx *db.Tx) error {
				if r, err := byNumber(ctx, tx, n); r == nil || err != nil {
					return err
				}
				still, err := find(ctx, tx, which+" AND number = ?", append(args(tx.Now()), n)...)
				if err != nil || len(still) == 0 {
					return err
				}
				return do(ctx, tx, &still[0])
			})
			if err != nil {
				errs = append(errs, fmt.Errorf("sign-up %d: %w", n, err))
			}
			if ctx.Err() != nil {
				return errors.Join(errs...)
			}
		}
		if len(numbers) < workMost {
			return errors.Join(errs...)
		}
	}
}

// endTrial suspends everybody of the organization, which ends their sessions, credentials and launches; [Signup.Extend] is
// the way back.
func (s *Signup) endTrial(ctx context.Context, tx *db.Tx, r *row) error {
	err := s.turn(ctx, tx, "SELECT id FROM people WHERE org_id = ? AND state = 'active'", []any{r.Org}, func(who string) error {
		_, err := s.directory.SuspendTx(ctx, tx, system(r.Org), who)
		return err
	})
	if err != nil {
		return err
	}
	return tx.Defer(ctx, "UPDATE signups SET state = ? WHERE number = ?", string(Ended), r.Number)
}

// reopen resumes whom the end of the trial suspended.
func (s *Signup) reopen(ctx context.Context, tx *db.Tx, r *row) error {
	return s.turn(ctx, tx, "SELECT id FROM people WHERE org_id = ? AND state = 'suspended' AND suspended >= ?", []any{r.Org, r.TrialEnds}, func(who string) error {
		_, err := s.directory.ResumeTx(ctx, tx, system(r.Org), who)
		return err
	})
}

func (s *Signup) turn(ctx context.Context, tx *db.Tx, query string, args []any, turn func(who string) error) error {
	var people []id.PersonID
	err := tx.Each(ctx, query, args, func(r *db.Rows) error {
		var p id.PersonID
		err := r.Scan(&p)
		people = append(people, p)
		return err
	})
	for _, p := range people {
		if err == nil {
			err = turn(p.String())
		}
	}
	return err
}

// remind tells that a trial ends in so many days.
func (s *Signup) remind(nth int, before time.Duration) func(context.Context, *db.Tx, *row) error {
	return func(ctx context.Context, tx *db.Tx, r *row) error {
		if err := tx.Defer(ctx, "UPDATE signups SET reminded = ? WHERE number = ?", nth+1, r.Number); err != nil {
			return err
		}
		days := max(int(r.TrialEnds.Sub(tx.Now()).Hours()/24+0.5), 1) // the last hours are a day too
		return s.mail.PutTx(ctx, tx, mail.Message{Org: r.Org, To: r.Address, Lang: r.Lang, Kind: mail.Remind, Data: mail.Data{Name: r.Name, Days: days, Link: s.public + "/login"}})
	}
}

func (s *Signup) sayEnded(ctx context.Context, tx *db.Tx, r *row) error {
	if err := tx.Defer(ctx, "UPDATE signups SET reminded = 100 WHERE number = ?", r.Number); err != nil {
		return err
	}
	return s.mail.PutTx(ctx, tx, mail.Message{Org: r.Org, To: r.Address, Lang: r.Lang, Kind: mail.Ended, Data: mail.Data{Name: r.Name, Link: s.public}})
}
