package signin

import (
	"context"

	"rollway/internal/access"
	"rollway/internal/db"
	"rollway/internal/fault"
)

// Arrive lets the person in whom a launch credential acts for, as another system brings them to our own pages. Whoever else is
// signed in with the device stays so unless the answer to that is sure. The person's own session, if the device has one, goes
// on: as it is when it began with their password, and as long as a new one would when it began with a credential. Otherwise a
// session begins, of the kind [Launched]. It ends when the credential is revoked, not when it expires, and when the person
// gets an admin right: whoever minted the credential would have it too.
//
// Faults: Conflict (signed_in_as_another); Forbidden (launch_not_a_learner for a caller that is no such credential,
// launch_elsewhere for one of a launch, person_privileged, person_suspended, person_pending).
func (s *Signin) Arrive(ctx context.Context, c access.Caller, from Device, sure bool) (out Session, token string, err error) {
	if c.Kind != access.Credential || c.Bound == nil {
		return Session{}, "", fault.New(fault.Forbidden, "launch_not_a_learner", "Only a credential minted for a person signs them in; %s is not one. Mint one with POST /api/auth/basic.", c.Name)
	}
	if !c.Bound.Registration.IsZero() || c.Bound.Activity != "" {
		return Session{}, "", fault.New(fault.Forbidden, "launch_elsewhere", "This credential belongs to one launch and opens nothing else.")
	}
	_, before, err := s.Authenticate(ctx, from.Before)
	if err != nil && !fault.Is(err, fault.Unauthenticated) && !fault.Is(err, fault.Forbidden) {
		return Session{}, "", err
	}
	there := err == nil && before.Kind != Dialect
	switch own := before.Org == c.Org && before.Person == c.Bound.Person; {
	case there && !own && !sure:
		return Session{}, "", fault.New(fault.Conflict, "signed_in_as_another", "Somebody else is signed in with this browser.")
	case there && own && before.Kind == Browser:
		return before, from.Before, nil
	}
	err = s.db.Write(ctx, func(tx *db.Tx) error {
		if privileged, err := access.HoldsGrant(ctx, tx, c.Org, c.Bound.Person); err != nil || privileged {
			if err == nil {
				err = fault.New(fault.Forbidden, "person_privileged", "This person holds an admin right and signs in with their own password.")
			}
			return err
		}
		if there && before.Person == c.Bound.Person {
			if out, err = s.prolong(ctx, tx, c, before); err != nil || !out.ID.IsZero() {
				token = from.Before
				return err
			}
		}
		if out, token, err = s.BeginTx(ctx, tx, c.Org, c.Bound.Person, Launched, from); err != nil {
			return err
		}
		return tx.Defer(ctx, "UPDATE signin_sessions SET credential_id = ? WHERE org_id = ? AND id = ?", c.Credential, c.Org, out.ID)
	})
	return out, token, err
}

// prolong makes a session that began with a credential one that began now with another, so that what was launched from it goes
// on. It returns a zero session when it has ended meanwhile.
func (s *Signin) prolong(ctx context.Context, tx *db.Tx, c access.Caller, before Session) (Session, error) {
	now := s.now()
	most := now.Add(s.Lives[Launched].Most)
	n, err := tx.Exec(ctx, "UPDATE signin_sessions SET credential_id = ?, seen = ?, expires = ? WHERE org_id = ? AND id = ?", c.Credential, now, most, c.Org, before.ID)
	if err != nil || n == 0 {
		return Session{}, err
	}
	if err := s.changes.Announce(ctx, tx, access.Change{Org: c.Org, Kind: access.SigninChanged, Subject: before.ID}); err != nil {
		return Session{}, err
	}
	before.Seen, before.Expires = now, s.end(Launched, now, most)
	return before, access.Audit(ctx, tx, access.SignedIn(c.Org, c.Bound.Person, before.ID, 0), "signin.prolong", "session "+before.ID.String(), map[string]any{"credential": c.Credential.String()})
}
