package signup

import (
	"context"
	"time"

	"rollway/internal/access"
	"rollway/internal/db"
	"rollway/internal/fault"
	"rollway/internal/mail"
)

// complete lets a person in who proved their address: they become active, get their login and, of an organization of their
// own, the right to administer it; others who wait for the same address are discarded. The password of a person who was
// there before is only good when it is vouched for, see [Signup.accept]; otherwise they choose one by mail, and get no news.
func (s *Signup) complete(ctx context.Context, tx *db.Tx, r *row, vouched bool) (v Validated, err error) {
	folded, err := mail.Fold(r.Address)
	if err != nil {
		return v, err
	}
	if err := tx.Lock(ctx, "signup "+string(r.hash)); err != nil {
		return v, err
	}
	if _, taken, err := s.signin.FindTx(ctx, tx, folded); err != nil || taken {
		return v, taking(err)
	}
	if err := s.activate(ctx, tx, r, folded); err != nil {
		return v, err
	}
	chooses := r.claimed && !vouched
	r.Newsletter = r.Newsletter && !chooses
	now := tx.Now()
	if r.TrialEnds = (time.Time{}); r.own && s.Settings.Trial > 0 {
		r.TrialEnds = now.Add(s.Settings.Trial)
	}
	if err := tx.Defer(ctx, "UPDATE signups SET state = ?, person_id = ?, claimed = ?, password = '', newsletter = ?, confirmed = ?, trial_ends = ? WHERE number = ?",
		string(Confirmed), r.Person, r.claimed, r.Newsletter, now, r.TrialEnds, r.Number); err != nil {
		return v, err
	}
	if err := s.discardRivals(ctx, tx, r); err != nil {
		return v, err
	}
	if err := access.Audit(ctx, tx, system(r.Org), "signup.confirm", "person "+r.Person.String(), nil); err != nil {
		return v, err
	}
	v = Validated{Person: r.Person, Org: r.Org, Address: r.Address, Chooses: chooses, TrialEnds: r.TrialEnds}
	if chooses {
		return v, s.signin.InviteTx(ctx, tx, r.Org, r.Person, folded, r.Lang)
	}
	return v, s.enrol(ctx, tx, r, folded, now)
}

// enrol gives a person their login and welcomes them.
func (s *Signup) enrol(ctx context.Context, tx *db.Tx, r *row, folded string, now time.Time) error {
	if err := s.signin.EnrolTx(ctx, tx, r.Org, r.Person, folded, r.phc); err != nil {
		return err
	}
	welcome := mail.Data{Name: r.Name, Link: s.public + "/login"}
	if !r.TrialEnds.IsZero() {
		welcome.Days = int(s.Settings.Trial.Hours() / 24)
	}
	if r.Newsletter {
		var err error
		if welcome.Unsubscribe, err = s.subscribe(ctx, tx, r, now); err != nil {
			return err
		}
	}
	return s.mail.PutTx(ctx, tx, mail.Message{Org: r.Org, To: r.Address, Lang: r.Lang, Kind: mail.Welcome, Data: welcome})
}

// discardRivals removes whatever else waits for the address of a sign-up.
func (s *Signup) discardRivals(ctx context.Context, tx *db.Tx, r *row) error {
	rivals, err := find(ctx, tx, "address_hash = ? AND state IN (?, ?) AND number <> ?", r.hash, string(Waiting), string(Approval), r.Number)
	if err != nil {
		return err
	}
	for i := range rivals {
		if err := s.discard(ctx, tx, &rivals[i]); err != nil {
			return err
		}
	}
	return nil
}

func taking(err error) error {
	if err != nil {
		return err
	}
	return fault.New(fault.Conflict, "address_taken", "There is an account for this address already. Sign in, or ask for a new password.")
}

// activate makes the person active. Whom the organization knows by the address now is that person, whoever it was when the
// sign-up began: somebody who was tied to it only by mistake stays who they are.
func (s *Signup) activate(ctx context.Context, tx *db.Tx, r *row, folded string) error {
	holder, err := s.directory.HolderTx(ctx, tx, r.Org, folded)
	if err != nil {
		return err
	}
	if r.claimed && holder.IsZero() {
		return taking(nil)
	}
	if !holder.IsZero() && holder != r.Person {
		if !r.claimed {
			if err := s.directory.DiscardTx(ctx, tx, system(r.Org), r.Person); err != nil {
				return err
			}
		}
		r.Person, r.claimed = holder, true
	}
	if r.claimed {
		if free, err := s.claimable(ctx, tx, r.Org, r.Person); err != nil || !free {
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
