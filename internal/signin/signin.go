package signin

import (
	"context"
	"net/netip"
	"time"

	"rollway/internal/access"
	"rollway/internal/db"
	"rollway/internal/id"
	"rollway/internal/limit"
	"rollway/internal/mail"
)

// Signin knows logins and sessions. Make one with New and Run it. Its exported fields may be changed before it is used.
type Signin struct {
	Passwords *Passwords
	Policy    Policy
	Site      string // the site's name, which no password is made of
	Lives     map[Kind]Life
	Rules     Rules
	Now       func() time.Time

	ResetLink func(token string) string // where a new password is chosen
	AskLink   string                    // where such a link is asked for

	// Pending returns the stored password of whoever waits to confirm that a folded address is theirs, and "" for nobody. So
	// they, and only they, learn why they cannot sign in yet. It knows those too who signed up with an address that has an
	// account: they learn the same.
	Pending func(ctx context.Context, folded string) (phc string, err error)

	// Ended is told which sessions of a person were ended on purpose, in the transaction that does so.
	Ended func(ctx context.Context, tx *db.Tx, org id.OrgID, person id.PersonID, sessions []id.SigninID) error

	db      *db.DB
	key     access.Key
	changes *access.Changes
	ledger  *limit.Ledger
	office  *mail.Office
	known   *access.Memory[*answer]
	seen    seen
}

// Kind is what a session is held by.
type Kind string

// The kinds of sessions.
const (
	Browser  Kind = "browser"  // a cookie
	Launched Kind = "launched" // a cookie as well, of somebody whom another system brought ([Signin.Arrive])
	Dialect  Kind = "dialect"  // the session token of the GLPI dialect
)

// Life is how long sessions of a kind live.
type Life struct {
	Idle time.Duration // after their last use
	Most time.Duration // however much they are used
}

var lives = map[Kind]Life{
	Browser:  {Idle: 14 * 24 * time.Hour, Most: 30 * 24 * time.Hour},
	Launched: {Idle: 4 * time.Hour, Most: 24 * time.Hour}, // as a launch lives: the next one begins another
	Dialect:  {Idle: time.Hour, Most: 24 * time.Hour},     // clients forget to end theirs
}

// Rules are how often things may be tried.
type Rules struct {
	Failures        limit.Rule // wrong passwords for one address from one address group
	FailuresGroup   limit.Rule // from one address group, for whatever address
	FailuresAccount limit.Rule // for one address from everywhere: then only places where its person has signed in before are let in
	Resets          limit.Rule // mails for one address
	ResetsGroup     limit.Rule // from one address group, for whatever address
}

var rules = Rules{
	Failures:        limit.Rule{Name: "sign-in", Windows: []limit.Window{{Max: 10, Per: 15 * time.Minute}, {Max: 50, Per: 24 * time.Hour}}},
	FailuresGroup:   limit.Rule{Name: "sign-in group", Windows: []limit.Window{{Max: 100, Per: 15 * time.Minute}, {Max: 1000, Per: 24 * time.Hour}}},
	FailuresAccount: limit.Rule{Name: "sign-in account", Windows: []limit.Window{{Max: 100, Per: 24 * time.Hour}}},
	Resets:          limit.Rule{Name: "reset", Windows: []limit.Window{{Max: 3, Per: time.Hour}, {Max: 10, Per: 24 * time.Hour}}},
	ResetsGroup:     limit.Rule{Name: "reset group", Windows: []limit.Window{{Max: 30, Per: time.Hour}, {Max: 100, Per: 24 * time.Hour}}},
}

// remember is how many sessions are kept in memory.
const remember = 1 << 14

// New returns the logins and sessions of a database whose secrets are hashed under the key. It listens to the changes. The
// links in messages begin with the public URL.
func New(d *db.DB, key access.Key, changes *access.Changes, ledger *limit.Ledger, office *mail.Office, publicURL string) *Signin {
	s := &Signin{Passwords: NewPasswords(key), Policy: Policy{Min: Usual}, Lives: lives, Rules: rules, Now: time.Now,
		AskLink: publicURL + "/password", ResetLink: func(token string) string { return publicURL + "/password/" + token },
		db: d, key: key, changes: changes, ledger: ledger, office: office,
		known: access.NewMemory[*answer](remember, access.SigninChanged, access.PersonChanged, access.CredentialChanged, access.ServiceAccountChanged)}
	changes.Listen(s.known.Hear)
	return s
}

func (s *Signin) now() time.Time { return s.Now().UTC().Truncate(time.Microsecond) }

// Device is where somebody signs in.
type Device struct {
	Addr    netip.Addr
	Agent   string // what it says it is: User-Agent
	Before  string // the token of the session that it had until now, which ends; "" for none
	Browser string // what it keeps of [NewBrowser]; "" for nothing
	Lang    string // of what is written to whoever uses it
}

// Session is one device that somebody is signed in on.
type Session struct {
	ID      id.SigninID
	Org     id.OrgID
	Person  id.PersonID
	Kind    Kind
	Agent   string // shortened
	Group   string // address group (limit.AddressGroup) it began from
	Created time.Time
	Seen    time.Time // last use, to some seconds
	Expires time.Time // when it ends unless it is used before, and at the latest
}
