package signin

import (
	"context"
	"errors"
	"time"

	"rollway/internal/access"
	"rollway/internal/db"
	"rollway/internal/fault"
	"rollway/internal/id"
	"rollway/internal/limit"
	"rollway/internal/mail"
)

// resetLife is how long a link to a new password can be opened.
const resetLife = time.Hour

func (s *Signin) resetHash(token string) []byte { return s.key.Hash("reset", token) }

// AskReset sends a link to a new password to whoever signs in with the address, if anybody does. The answer and the work are
// the same for an address that nobody has, or whose person is not active.
//
// Faults: Invalid (bad_address), TooMany ([limit.Exceeded]), counted for the address and for the address group.
func (s *Signin) AskReset(ctx context.Context, address string, from Device) error {
	folded, err := mail.Fold(address)
	if err != nil {
		return err
	}
	tries := []limit.Try{{Rule: s.Rules.Resets, Subject: folded}, {Rule: s.Rules.ResetsGroup, Subject: limit.AddressGroup(from.Addr)}}
	token := newToken()
	return s.db.Write(ctx, func(tx *db.Tx) error {
		if err := s.ledger.TakeTx(ctx, tx, tries...); err != nil {
			return err
		}
		l, err := s.readLogin(ctx, tx, folded)
		if err != nil {
			return err
		}
		if l.state != "active" {
			l = login{}
		}
		// Also for nobody: that takes the time of a commit.
		if err := s.sendReset(ctx, tx, l, token, from.Lang); err != nil || l.Person.IsZero() {
			return err
		}
		return access.Audit(ctx, tx, access.SignedIn(l.Org, l.Person, id.SigninID{}, 0), "password.ask_reset", "person "+l.Person.String(), map[string]any{"from": limit.AddressGroup(from.Addr)})
	})
}

// sendReset makes a link to a new password and sends it to whoever has the login; of nobody's nothing is sent.
func (s *Signin) sendReset(ctx context.Context, tx *db.Tx, l login, token, lang string) error {
	expires := s.now().Add(resetLife)
	if err := tx.Defer(ctx, "INSERT INTO signin_resets (token_hash, org_id, person_id, expires) VALUES (?, ?, ?, ?)", s.resetHash(token), l.Org, l.Person, expires); err != nil || l.Person.IsZero() {
		return err
	}
	return s.office.PutTx(ctx, tx, mail.Message{Org: l.Org, To: l.Address, Lang: lang, Kind: mail.Reset,
		Data: mail.Data{Name: l.name, Link: s.ResetLink(token), Expires: expires}})
}

// InviteTx gives a person a login as [Signin.EnrolTx] does, but no password yet: a link to choose one is sent to the address,
// and others can be asked for. The caller writes the audit entry. Faults as for EnrolTx.
func (s *Signin) InviteTx(ctx context.Context, tx *db.Tx, org id.OrgID, person id.PersonID, address, lang string) error {
	if err := s.EnrolTx(ctx, tx, org, person, address, s.Passwords.dummy()); err != nil {
		return err
	}
	l, err := readLoginOf(ctx, tx, org, person)
	if err != nil {
		return err
	}
	return s.sendReset(ctx, tx, l, newToken(), lang)
}

// ResetRequest is a new password for whoever got the link.
type ResetRequest struct {
	Token    string
	Address  string // of the login, where the dialect asks for it; empty where the token alone decides
	Password string
	Policy   *Policy // nil: the usual one
}

var errResetGone = fault.New(fault.Gone, "reset_gone", "This link was used, or is older than an hour. Ask for another.")

// CheckReset tells whether a link can still be used. Fault: Gone (reset_gone).
func (s *Signin) CheckReset(ctx context.Context, token string) error {
	_, err := s.readReset(ctx, ResetRequest{Token: token})
	return err
}

// Reset uses a link up: it stores the new password, ends all sessions of the person and tells them by mail. The place it is
// used at is known from then on. A password that is refused leaves the link as it is.
//
// Faults: Gone (reset_gone) for a link that is unknown, used, too old or of another address alike; those of [Policy.Check];
// Unavailable.
func (s *Signin) Reset(ctx context.Context, r ResetRequest, from Device) error {
	l, err := s.readReset(ctx, r)
	if err != nil {
		return err
	}
	policy := s.Policy
	if r.Policy != nil {
		policy = *r.Policy
	}
	if err := policy.Check(r.Password, l.Address, l.name, s.Site); err != nil {
		return err
	}
	phc, err := s.Passwords.Hash(ctx, r.Password)
	if err != nil {
		return err
	}
	return s.db.Write(ctx, func(tx *db.Tx) error {
		n, err := tx.Exec(ctx, "DELETE FROM signin_resets WHERE token_hash = ? AND expires > ?", s.resetHash(r.Token), s.now())
		if err != nil {
			return err
		}
		if n == 0 {
			return errResetGone
		}
		if err := s.setPassword(ctx, tx, l, phc, "", id.SigninID{}); err != nil {
			return err
		}
		if err := s.knowPlace(ctx, tx, l.Org, l.Person, from); err != nil {
			return err
		}
		if err := access.Audit(ctx, tx, access.SignedIn(l.Org, l.Person, id.SigninID{}, 0), "password.reset", "person "+l.Person.String(), nil); err != nil {
			return err
		}
		return s.tellChanged(ctx, tx, l, from)
	})
}

// tellChanged tells a person that their password was changed, in case it was somebody else.
func (s *Signin) tellChanged(ctx context.Context, tx *db.Tx, l login, from Device) error {
	return s.office.PutTx(ctx, tx, mail.Message{Org: l.Org, To: l.Address, Lang: from.Lang, Kind: mail.Changed, Data: mail.Data{Name: l.name, Link: s.AskLink}})
}

// readReset returns the login that a link is for. Fault: Gone (reset_gone).
func (s *Signin) readReset(ctx context.Context, r ResetRequest) (l login, err error) {
	if len(r.Token) != tokenLen {
		return login{}, errResetGone
	}
	err = s.db.Read(ctx, func(tx *db.Tx) error {
		return tx.Row(ctx, `SELECT `+loginColumns+` FROM signin_resets r JOIN logins l ON l.org_id = r.org_id AND l.person_id = r.person_id
 JOIN people p ON p.org_id = l.org_id AND p.id = l.person_id WHERE r.token_hash = ? AND r.expires > ?`, s.resetHash(r.Token), s.now()).Scan(l.targets()...)
	})
	if errors.Is(err, db.ErrNoRows) {
		return login{}, errResetGone
	}
	if err != nil || r.Address == "" {
		return l, err
	}
	given, err := mail.Fold(r.Address)
	if err != nil {
		return login{}, err
	}
	if kept, err := mail.Fold(l.Address); err != nil || kept != given {
		return login{}, errResetGone
	}
	return l, nil
}
