package signup

import (
	"context"
	"crypto/rand"
	"strings"

	"rollway/internal/access"
	"rollway/internal/db"
	"rollway/internal/directory"
	"rollway/internal/fault"
	"rollway/internal/id"
	"rollway/internal/limit"
	"rollway/internal/mail"
)

// beginTx uses up the challenge and makes what a sign-up makes, or nothing but a mail for an address that has an account.
func (s *Signup) beginTx(ctx context.Context, tx *db.Tx, n *newcomer) error {
	if err := tx.Lock(ctx, "signup "+string(n.hash)); err != nil { // two of one address see each other
		return err
	}
	if err := s.consumeChallenge(ctx, tx, n.Request); err != nil {
		return err
	}
	taken, claimed, err := s.taken(ctx, tx, n)
	if err != nil {
		return err
	}
	if taken && s.Settings.Reveal {
		return fault.New(fault.Conflict, "address_taken", "There is an account for this address already.")
	}
	if err := s.limits.TakeTx(ctx, tx, append(s.mailTries(n.folded), s.tokenTries(n.Token)...)...); err != nil {
		return err
	}
	if taken {
		return s.pretend(ctx, tx, n)
	}
	return s.make(ctx, tx, n, claimed)
}

func (s *Signup) mailTries(folded string) []limit.Try {
	return []limit.Try{{Rule: s.Settings.Mails, Subject: folded}, {Rule: s.Settings.AllMails, Subject: "all"}}
}

func (s *Signup) tokenTries(token id.TokenID) []limit.Try {
	if token.IsZero() {
		return nil
	}
	return []limit.Try{{Rule: s.Settings.PerToken, Subject: token.String()}}
}

// taken tells whether an address has an account, or belongs to somebody of the organization to be joined who may not get
// one this way. claimed is who of that organization is to get the account once the address is proven.
func (s *Signup) taken(ctx context.Context, tx *db.Tx, n *newcomer) (taken bool, claimed id.PersonID, err error) {
	if _, taken, err = s.signin.FindTx(ctx, tx, n.folded); err != nil || taken || s.Settings.Join == 0 {
		return taken, claimed, err
	}
	claimed, err = s.directory.HolderTx(ctx, tx, s.Settings.Join, n.folded)
	if err != nil || claimed.IsZero() {
		return false, claimed, err
	}
	free, err := s.claimable(ctx, tx, s.Settings.Join, claimed)
	return !free, claimed, err
}

// claimable tells whether somebody who was there before may get a login by signing up: whoever is active, has no rights and
// does not sign in with another address.
func (s *Signup) claimable(ctx context.Context, tx *db.Tx, org id.OrgID, person id.PersonID) (bool, error) {
	p, err := s.directory.PersonTx(ctx, tx, org, person)
	if err != nil || p.State != directory.Active || p.Privileged {
		return false, err
	}
	_, err = s.signin.OfTx(ctx, tx, org, person)
	if fault.Is(err, fault.NotFound) {
		return true, nil
	}
	return false, err
}

// pretend answers for an address that has an account as if it had none, now and whenever its maker comes back: with the
// code, for another mail, to sign in. It uses up the numbers that others get to see.
func (s *Signup) pretend(ctx context.Context, tx *db.Tx, n *newcomer) error {
	if s.Settings.Join == 0 {
		if err := s.directory.ReserveOrganizationTx(ctx, tx); err != nil {
			return err
		}
	}
	person, err := s.directory.ReserveNumberTx(ctx, tx)
	if err != nil {
		return err
	}
	r := row{hash: n.hash, phc: n.phc, nonce: newNonce(), token: n.Token, claimed: true}
	r.Listed = Listed{Org: id.DefaultOrg, Person: id.New[id.PersonID](), State: known, Address: n.address, Lang: n.Lang, Via: n.Via}
	if err := insertRow(ctx, tx, &r, tx.Now().Add(s.Settings.Delay)); err != nil {
		return err
	}
	n.begun = Begun{Person: person, Handle: s.handle(r.Number)}
	return s.send(ctx, tx, r)
}

// make makes the organization, the person, the sign-up and its mail.
func (s *Signup) make(ctx context.Context, tx *db.Tx, n *newcomer, claimed id.PersonID) error {
	r := row{hash: n.hash, phc: n.phc, nonce: newNonce(), token: n.Token}
	r.Listed = Listed{Org: s.Settings.Join, Person: claimed, State: Waiting, Address: n.address, Name: n.Name, Lang: n.Lang, Newsletter: n.Newsletter, Via: n.Via}
	r.own, r.claimed = r.Org == 0, !claimed.IsZero()
	if r.own {
		o, err := s.directory.FoundTx(ctx, tx, system(id.DefaultOrg), "s-"+strings.ToLower(rand.Text()[:16]), r.Address, s.Settings.Group)
		if err != nil {
			return err
		}
		r.Org = o.ID
	}
	person, err := s.person(ctx, tx, n, &r)
	if err != nil {
		return err
	}
	if err := insertRow(ctx, tx, &r, tx.Now().Add(s.Settings.Delay)); err != nil {
		return err
	}
	if err := access.Audit(ctx, tx, system(r.Org), "signup.begin", "person "+r.Person.String(), map[string]any{"via": string(r.Via), "newsletter": r.Newsletter}); err != nil {
		return err
	}
	n.begun = Begun{Person: person, Handle: s.handle(r.Number)}
	return s.send(ctx, tx, r)
}

// person makes the pending person, or takes the number of one who was there.
func (s *Signup) person(ctx context.Context, tx *db.Tx, n *newcomer, r *row) (number int64, err error) {
	if r.claimed {
		return s.directory.ReserveNumberTx(ctx, tx)
	}
	claims := directory.Claims{Source: directory.BySignup, Pending: true, Name: n.Name, Attributes: map[string]directory.Value{"Email": directory.Text(r.Address)}}
	for name, text := range map[string]string{"FirstName": n.First, "LastName": n.Last} {
		if text != "" {
			claims.Attributes[name] = directory.Text(text)
		}
	}
	res, err := s.directory.ProvisionTx(ctx, tx, system(r.Org), claims)
	if err != nil {
		return 0, err
	}
	if err := tx.Flush(ctx); err != nil { // which tells the number
		return 0, err
	}
	r.Person = res.Person.ID
	return res.Person.Number, nil
}

// send sends the mail of a sign-up.
func (s *Signup) send(ctx context.Context, tx *db.Tx, r row) error {
	if r.State == known {
		return s.mail.PutTx(ctx, tx, mail.Message{Org: r.Org, To: r.Address, Lang: r.Lang, Kind: mail.Known, Data: mail.Data{Link: s.public + "/login", Reset: s.public + "/password"}})
	}
	return s.mail.PutTx(ctx, tx, mail.Message{Org: r.Org, To: r.Address, Lang: r.Lang, Kind: mail.Confirm, Data: mail.Data{
		Name: r.Name, Link: s.Settings.link(s.public, r.Number, s.linkToken(&r)), Code: s.code(&r), Expires: r.Expires,
	}})
}
