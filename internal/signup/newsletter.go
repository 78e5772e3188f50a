package signup

import (
	"context"
	"strconv"
	"strings"
	"time"

	"rollway/internal/access"
	"rollway/internal/db"
	"rollway/internal/fault"
	"rollway/internal/id"
)

// Subscriber is somebody who asked for the newsletter and confirmed their address.
type Subscriber struct {
	Org         id.OrgID
	Person      id.PersonID
	Address     string
	Lang        string
	Via         Via
	Wording     string // version of the text they agreed to
	Asked       time.Time
	Confirmed   time.Time
	Unsubscribe string // address of the page that ends it
}

// subscribe notes that somebody wants the newsletter, and returns the address of the page that ends it.
func (s *Signup) subscribe(ctx context.Context, tx *db.Tx, r *row, now time.Time) (unsubscribe string, err error) {
	nonce := newNonce()
	err = tx.Defer(ctx, `INSERT INTO newsletter_consents (org_id, person_id, address, lang, via, wording, asked, confirmed, nonce) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT (org_id, person_id) DO UPDATE SET address = excluded.address, lang = excluded.lang, via = excluded.via, wording = excluded.wording, asked = excluded.asked,
		confirmed = excluded.confirmed, nonce = excluded.nonce, ended = NULL`,
		r.Org, r.Person, r.Address, r.Lang, string(r.Via), s.Settings.Wording, r.Created, now, nonce)
	return s.unsubscribeLink(r.Org, r.Person, nonce), err
}

func (s *Signup) unsubscribeLink(org id.OrgID, person id.PersonID, nonce []byte) string {
	return s.public + "/unsubscribe/" + s.unsubscribeToken(int64(org), person.String(), nonce)
}

// Subscribers yields who wants the newsletter, of all organizations, in no particular order. Fault: Forbidden for anybody
// but the operator.
func (s *Signup) Subscribers(ctx context.Context, c access.Caller, each func(Subscriber) error) error {
	if err := c.RequireOperator(); err != nil {
		return err
	}
	var list []Subscriber
	err := s.db.Read(ctx, func(tx *db.Tx) error {
		list = nil
		return tx.Each(ctx, "SELECT org_id, person_id, address, lang, via, wording, asked, confirmed, nonce FROM newsletter_consents WHERE ended IS NULL ORDER BY org_id, person_id", nil, func(r *db.Rows) error {
			var b Subscriber
			var via string
			var nonce []byte
			err := r.Scan(&b.Org, &b.Person, &b.Address, &b.Lang, &via, &b.Wording, &b.Asked, &b.Confirmed, &nonce)
			b.Via = Via(via)
			b.Unsubscribe = s.unsubscribeLink(b.Org, b.Person, nonce)
			list = append(list, b)
			return err
		})
	})
	if err != nil {
		return err
	}
	for _, b := range list {
		if err := each(b); err != nil {
			return err
		}
	}
	return nil
}

// Unsubscribe ends the newsletter of whom a token names (RFC 8058); a second time it does nothing. Fault: NotFound
// (unsubscribe_unknown).
func (s *Signup) Unsubscribe(ctx context.Context, token string) error {
	return s.db.Write(ctx, func(tx *db.Tx) error {
		org, person, err := s.subscriberOf(ctx, tx, token)
		if err != nil {
			return err
		}
		n, err := tx.Exec(ctx, "UPDATE newsletter_consents SET ended = ? WHERE org_id = ? AND person_id = ? AND ended IS NULL", tx.Now(), org, person)
		if err != nil || n == 0 {
			return err
		}
		return access.Audit(ctx, tx, system(org), "newsletter.unsubscribe", "person "+person.String(), nil)
	})
}

// Subscribed tells whether a token names somebody who gets the newsletter. Fault: NotFound (unsubscribe_unknown).
func (s *Signup) Subscribed(ctx context.Context, token string) (yes bool, err error) {
	err = s.db.Read(ctx, func(tx *db.Tx) error {
		org, person, err := s.subscriberOf(ctx, tx, token)
		if err != nil {
			return err
		}
		yes = false
		return tx.Each(ctx, "SELECT ended IS NULL FROM newsletter_consents WHERE org_id = ? AND person_id = ?", []any{org, person}, func(r *db.Rows) error { return r.Scan(&yes) })
	})
	return yes, err
}

func (s *Signup) subscriberOf(ctx context.Context, tx *db.Tx, token string) (org id.OrgID, person id.PersonID, err error) {
	unknown := fault.New(fault.NotFound, "unsubscribe_unknown", "This link names nobody. It may be incomplete.")
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		return 0, person, unknown
	}
	n, bad := strconv.ParseInt(parts[0], 10, 64)
	person, err = id.Parse[id.PersonID](parts[1])
	if bad != nil || err != nil {
		return 0, person, unknown
	}
	var nonce []byte
	err = tx.Each(ctx, "SELECT nonce FROM newsletter_consents WHERE org_id = ? AND person_id = ?", []any{n, person}, func(r *db.Rows) error { return r.Scan(&nonce) })
	if err != nil {
		return 0, person, err
	}
	if nonce == nil || !same(token, s.unsubscribeToken(n, person.String(), nonce)) {
		return 0, person, unknown
	}
	return id.OrgID(n), person, nil
}
