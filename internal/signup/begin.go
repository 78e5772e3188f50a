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
	known, claimed, err := s.known(ctx, tx, n)
	if err != nil {
		return err
	}
	if known && s.Settings.Reveal {
		return fault.New(fault.Conflict, "address_taken", "There is an account for this address already.")
	}
	if err := s.limits.TakeTx(ctx, tx, s.mailTries(n.folded)...); err != nil {
		return err
	}
	if known {
		return s.pretend(ctx, tx, n)
	}
	return s.make(ctx, tx, n, claimed)
}

func (s *Signup) mailTries(folded string) []limit.Try {
	return []limit.Try{{Rule: s.Settings.Mails, Subject: folded}, {Rule: s.Settings.AllMails, Subject: "all"}}
}

// known tells whether an address has an account, or belongs to somebody of the organization to be joined who may not get
// one this way. claimed is who of that organization is to get the account once the address is proven.
func (s *Signup) known(ctx context.Context, tx *db.Tx, n *newcomer) (known bool, claimed id.PersonID, err error) {
	if _, known, err = s.signin.FindTx(ctx, tx, n.folded); err != nil || known || s.Settings.Join == 0 {
		return known, claimed, err
	}
	claimed, err = s.directory.HolderTx(ctx, tx, s.Settings.Join, n.folded)
	if err != nil || claimed.IsZero() {
		return false, claimed, err
	}
	p, err := s.directory.PersonTx(ctx, tx, s.Settings.Join, claimed)
	return p.State != directory.Active || p.Privileged, claimed, err
}

// pretend answers for an address that has an account as if it had none.
func (s *Signup) pretend(ctx context.Context, tx *db.Tx, n *newcomer) error {
	person, err := s.directory.ReserveNumberTx(ctx, tx)
	if err != nil {
		return err
	}
	number, err := reserveNumber(ctx, tx)
	if err != nil {
		return err
	}
	n.begun = Begun{Person: person, Handle: s.handle(number)}
	return s.mail.PutTx(ctx, tx, mail.Message{Org: id.DefaultOrg, To: n.address, Lang: n.Lang, Kind: mail.Known, Data: mail.Data{Link: s.public + "/login", Reset: s.public + "/password"}})
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
	return s.sendValidation(ctx, tx, r)
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

func (s *Signup) sendValidation(ctx context.Context, tx *db.Tx, r row) error {
	return s.mail.PutTx(ctx, tx, mail.Message{Org: r.Org, To: r.Address, Lang: r.Lang, Kind: mail.Confirm, Data: mail.Data{
		Name: r.Name, Link: s.Settings.link(s.public, r.Number, s.validationToken(r.Number, r.nonce)), Code: s.validationCode(r.Number, r.nonce), Expires: r.Expires,
	}})
}
