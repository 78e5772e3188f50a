package mail

import (
	"context"
	"crypto/x509"
	"fmt"
	"net/url"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"rollway/internal/access"
	"rollway/internal/db"
	"rollway/internal/fault"
	"rollway/internal/id"
	"rollway/internal/outbox"
)

// Config says how mail leaves. The zero value lets it wait.
type Config struct {
	URL       string // smtp://USER:PASSWORD@HOST:PORT, smtps://…, file:DIR; none or empty: it waits
	From      string // the sender's address; no-reply at the public host when empty
	FromName  string // the sender's name, also in the texts; the public host when empty
	PublicURL string // where people reach this installation

	roots *x509.CertPool // whose certificates are believed; the machine's when nil
}

// Kind names a message; its words stand in the catalogues.
type Kind string

// The kinds. In brackets what of [Data] they need; the rest they show when it is there.
const (
	Confirm Kind = "confirm" // somebody signed up with this address: confirm it (Link, Expires; Code)
	Known   Kind = "known"   // somebody signed up with the address of an account (Link to sign in; Reset)
	Welcome Kind = "welcome" // the address is confirmed, the trial begins if there is one (Link; Days of the trial)
	Remind  Kind = "remind"  // the trial ends soon (Link, Days that are left)
	Ended   Kind = "ended"   // the trial is over (Link, Days until what was done is deleted, if given)
	Reset   Kind = "reset"   // a new password was asked for (Link, Expires)
	Changed Kind = "changed" // the password was changed (Link to a new one, in case it was somebody else)
	works   Kind = "test"    // does mail leave at all
)

// Data is what a message shows.
type Data struct {
	Name        string    // whom it greets; left out if it does not look like a name
	Link        string    // where its button leads, http or https
	Code        string    // to be typed instead
	Days        int       // see the kinds
	Expires     time.Time // of link and code; afterwards the message is not sent any more
	Reset       string    // where a new password is chosen
	Unsubscribe string    // ends the newsletter by one POST (RFC 8058)
}

// Message is one to be sent.
type Message struct {
	Org  id.OrgID
	To   string // see ParseAddress
	Lang string // see [Language]
	Kind Kind
	Data Data
}

const (
	kind    = "mail" // in the outbox
	maxLink = 900    // a header's line holds 998 (RFC 5322 section 2.1.1)
	maxCode = 32
)

// Office sends messages. It is safe for use by many goroutines.
type Office struct {
	sealer
	db     *db.DB
	queue  *outbox.Queue
	sender sender
	out    transport // nil: mail waits
	first  time.Duration
	cap    time.Duration
}

// New returns the office of an installation. Fault: Invalid for settings that cannot be.
func New(d *db.DB, q *outbox.Queue, key access.Key, cfg Config) (*Office, error) {
	s, err := newSealer(key)
	if err != nil {
		return nil, err
	}
	from, out, err := cfg.read()
	if err != nil {
		return nil, err
	}
	return &Office{sealer: s, db: d, queue: q, sender: from, out: out, first: firstWait, cap: longestWait}, nil
}

// Sends tells whether mail leaves; otherwise it waits.
func (o *Office) Sends() bool { return o.out != nil }

// PutTx adds a message, which leaves once the transaction is durable. Faults: Invalid for an address that is none.
func (o *Office) PutTx(ctx context.Context, tx *db.Tx, m Message) error {
	l, err := o.letterOf(m, tx.Now())
	if err != nil {
		return err
	}
	sealed, err := o.seal(l)
	if err != nil {
		return err
	}
	return o.queue.Put(ctx, tx, outbox.Message{Org: m.Org, Kind: kind, Payload: sealed})
}

// DropTx takes back what waits to be sent for an organization, in the transaction that dissolves it.
func (o *Office) DropTx(ctx context.Context, tx *db.Tx, org id.OrgID) error {
	return o.queue.Drop(ctx, tx, org, kind, "")
}

type letterKind struct{}

// letterOf checks a message. What is wrong with anything but the address is the fault of the code that made it.
func (o *Office) letterOf(m Message, at time.Time) (letter, error) {
	var err error
	if m.To, err = ParseAddress(m.To); err != nil {
		return letter{}, err
	}
	m.Lang = Language(m.Lang)
	if _, ok := catalogues()[m.Lang].Letters[m.Kind]; !ok {
		return letter{}, fmt.Errorf("mail: there is no kind %q", m.Kind)
	}
	d := m.Data
	needsLink := m.Kind != works && m.Kind != Ended
	needsEnd := m.Kind == Confirm || m.Kind == Reset
	switch {
	case needsLink && d.Link == "", needsEnd && d.Expires.IsZero(), m.Kind == Remind && d.Days < 1, d.Days < 0:
		return letter{}, fmt.Errorf("mail: %s lacks a link, its end or a number of days", m.Kind)
	case d.Reset != "" && m.Kind != Known, d.Code != "" && m.Kind != Confirm, len(d.Code) > maxCode, strings.ContainsFunc(d.Code, func(r rune) bool { return !isAlnum(r) }):
		return letter{}, fmt.Errorf("mail: %s has no such code or link", m.Kind)
	}
	for _, link := range []string{d.Link, d.Reset, d.Unsubscribe} {
		if link != "" && !IsLink(link) {
			return letter{}, fmt.Errorf("mail: a link of %s is none", m.Kind)
		}
	}
	return letter{Message: m, ID: id.NewRandom[id.Of[letterKind]]().String() + "@" + hostName(o.sender.host), At: at}, nil
}

// IsLink tells whether a text is an absolute address of the web, of the characters of RFC 3986 only, that fits into a header.
func IsLink(s string) bool {
	u, err := url.Parse(s)
	return err == nil && len(s) <= maxLink && (u.Scheme == "https" || u.Scheme == "http") && u.Host != "" && u.User == nil &&
		!strings.ContainsFunc(s, func(r rune) bool { return !isAlnum(r) && !strings.ContainsRune("-._~:/?#[]@!$&'()*+,;=%", r) })
}

// greetable is a name as a greeting shows it; empty for anything that could be somebody's message instead of a name, since
// people who sign up choose it and others may get it.
func greetable(name string) string {
	name = strings.Join(strings.Fields(name), " ")
	if utf8.RuneCountInString(name) > 40 {
		return ""
	}
	for i, r := range name {
		dot := r == '.' && (i+1 == len(name) || name[i+1] == ' ')
		if !unicode.IsLetter(r) && !unicode.IsMark(r) && !dot && !strings.ContainsRune(" -'’", r) {
			return ""
		}
	}
	return name
}

// sender is who messages come from.
type sender struct {
	address string
	name    string // may be empty
	host    string // of the public URL
	url     string
}

// site is what the texts call this installation.
func (s sender) site() string {
	if s.name != "" {
		return s.name
	}
	return s.host
}

// read checks the settings and makes of them who sends and by what. Its faults repeat no password.
func (c Config) read() (sender, transport, error) {
	public, err := url.Parse(c.PublicURL)
	if err != nil {
		return sender{}, nil, fault.New(fault.Invalid, "mail_public_url", "The public URL is none.")
	}
	s := sender{name: c.FromName, host: public.Hostname(), url: c.PublicURL}
	if len(s.name) > 100 || !utf8.ValidString(s.name) || strings.TrimSpace(s.name) != s.name || strings.ContainsFunc(s.name, func(r rune) bool { return !unicode.IsPrint(r) }) {
		return s, nil, fault.New(fault.Invalid, "mail_from_name", "--mail-from-name is a name of at most 100 bytes without control characters and without blanks around it.")
	}
	out, err := c.transport(s.host)
	if err != nil {
		return s, nil, err
	}
	if c.From != "" {
		if s.address, err = ParseAddress(c.From); err != nil {
			return s, nil, fault.New(fault.Invalid, "mail_from", "--mail-from is no e-mail address. %s", fault.Of(err).Message)
		}
		return s, out, nil
	}
	if s.address, err = ParseAddress("no-reply@" + s.host); err != nil {
		if _, servers := out.(*server); servers {
			return s, nil, fault.New(fault.Invalid, "mail_from", "--mail-from is needed: the address that mail comes from. One at %s would not be an e-mail address.", s.host)
		}
		s.address = "no-reply@rollway.invalid" // read from files only
	}
	return s, out, nil
}
