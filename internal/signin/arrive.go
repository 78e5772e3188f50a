package signin

import (
	"context"

	"rollway/internal/access"
	"rollway/internal/db"
	"rollway/internal/fault"
)

// Arrive begins a browser session for the person whom a launch credential acts for, as another system brings them to our own
// pages. The session ends when the credential is revoked, not when it expires, and when the person gets an admin right: whoever minted the credential would
// have it too.
//
// Faults: Forbidden (launch_not_a_learner for a caller that is no such credential, launch_elsewhere for one of a launch,
// person_privileged, person_suspended, person_pending).
func (s *Signin) Arrive(ctx context.Context, c access.Caller, from Device) (out Session, token string, err error) {
	if c.Kind != access.Credential || c.Bound == nil {
		return Session{}, "", fault.New(fault.Forbidden, "launch_not_a_learner", "Only a credential minted for a person signs them in; %s is not one. Mint one with POST /api/auth/basic.", c.Name)
	}
	if !c.Bound.Registration.IsZero() || c.Bound.Activity != "" {
		return Session{}, "", fault.New(fault.Forbidden, "launch_elsewhere", "This credential belongs to one launch and opens nothing else.")
	}
	err = s.db.Write(ctx, func(tx *db.Tx) error {
		if privileged, err := access.HoldsGrant(ctx, tx, c.Org, c.Bound.Person); err != nil || privileged {
			if err == nil {
				err = fault.New(fault.Forbidden, "person_privileged", "This person holds an admin right and signs in with their own password.")
			}
			return err
		}
		if out, token, err = s.BeginTx(ctx, tx, c.Org, c.Bound.Person, Browser, from); err != nil {
			return err
		}
		return tx.Defer(ctx, "UPDATE signin_sessions SET credential_id = ? WHERE org_id = ? AND id = ?", c.Credential, c.Org, out.ID)
	})
	return out, token, err
}
