package signup

import (
	"context"
	"errors"
	"net/netip"
	"strings"
	"time"

	"rollway/internal/access"
	"rollway/internal/challenge"
	"rollway/internal/db"
	"rollway/internal/directory"
	"rollway/internal/fault"
	"rollway/internal/id"
	"rollway/internal/limit"
	"rollway/internal/mail"
	"rollway/internal/signin"
)

// Config is what sign-up stands on. All but Settings is required.
type Config struct {
	DB         *db.DB
	Key        access.Key
	Changes    *access.Changes
	Directory  *directory.Directory
	Challenges *challenge.Challenger
	Signin     *signin.Signin
	Mail       *mail.Office
	Limits     *limit.Ledger
	PublicURL  string // what links are built from
	Settings   Settings
}

// Signup is the sign-ups of an installation.
type Signup struct {
	Settings Settings

	db         *db.DB
	key        access.Key
	changes    *access.Changes
	directory  *directory.Directory
	challenges *challenge.Challenger
	signin     *signin.Signin
	mail       *mail.Office
	limits     *limit.Ledger
	public     string
}

// New returns sign-up. The error is about settings that contradict themselves.
func New(c Config) (*Signup, error) {
	c.Settings = c.Settings.WithDefaults()
	return &Signup{
		Settings: c.Settings, db: c.DB, key: c.Key, changes: c.Changes, directory: c.Directory, challenges: c.Challenges,
		signin: c.Signin, mail: c.Mail, limits: c.Limits, public: c.PublicURL,
	}, c.Settings.Check()
}

// State is how far a sign-up is.
type State string

// The states of a sign-up.
const (
	Waiting   State = "waiting"   // for its mail to be followed
	Approval  State = "approval"  // confirmed, and waiting for the operator
	Confirmed State = "confirmed" // the person may sign in
	Ended     State = "ended"     // the trial is over

	// known is one of an address that had an account: nobody can confirm it, and until it is forgotten it answers whoever
	// began it as one that waits does. It is listed nowhere.
	known State = "known"
)

// Request is what somebody who signs up says.
type Request struct {
	Via  Via
	From netip.Addr

	Token      id.TokenID // of the dialect's session; zero on our own page
	Email      string
	Name       string // what they are called, see [directory.ParseName]; empty for first and last name
	First      string // kept as attributes as well
	Last       string
	Password   string
	Newsletter bool
	Lang       string // see [mail.Language]

	Challenge int64 // its number
	Answer    string
	Work      string // proof of work instead of an answer

	Lenient bool // the compatibility switch of the dialect: short and common passwords are taken
}

// Via is the way somebody signs up.
type Via string

// The ways.
const (
	ByPortal Via = "portal"
	ByGLPI   Via = "glpi"
)

// Begun is what a sign-up answers. It looks the same whether anything was made or not.
type Begun struct {
	Person int64  // number of the person, or of nobody
	Handle string // names the sign-up in [Signup.Code] and [Signup.Resend]
}

// Begin signs somebody up: a pending person with, in [Settings] without Join, an organization of their own, and a mail that
// confirms it. Of an address that has an account already, nothing is made; its owner is told by mail.
//
// Faults, in the order they are looked for: Forbidden (signup_off); Invalid (password_…, from the password policy);
// Invalid (bad_address, domain_refused, invalid_name); TooMany; Invalid (challenge_missing, challenge_unknown,
// challenge_failed); with Reveal, Conflict (address_taken).
func (s *Signup) Begin(ctx context.Context, r Request) (Begun, error) {
	if s.Settings.Off {
		return Begun{}, fault.New(fault.Forbidden, "signup_off", "Nobody can sign up here at the moment.")
	}
	n, err := s.check(r)
	if err != nil {
		return Begun{}, err
	}
	if err := s.limits.Take(ctx, limit.Try{Rule: s.Settings.PerAddress, Subject: limit.AddressGroup(r.From)}); err != nil {
		return Begun{}, err
	}
	if err := s.limits.Check(ctx, s.tokenTries(r.Token)...); err != nil {
		return Begun{}, err
	}
	if err := s.checkChallenge(ctx, r); err != nil {
		return Begun{}, err
	}
	if n.phc, err = s.signin.Passwords.Hash(ctx, r.Password); err != nil { // the longest part, for known addresses too
		return Begun{}, err
	}
	err = s.db.Write(ctx, func(tx *db.Tx) error { return s.beginTx(ctx, tx, n) })
	return n.begun, err
}

// newcomer is a request that was checked.
type newcomer struct {
	Request
	address string // as mail is sent to it
	folded  string // as it is compared
	hash    []byte // of that
	phc     string
	begun   Begun
}

// check reports all that is wrong with a request, joined, in the order of the guide: who says one thing says the first.
func (s *Signup) check(r Request) (*newcomer, error) {
	policy := s.signin.Policy
	if r.Lenient {
		policy = signin.Policy{Min: signin.Lowest, Listed: true}
	}
	n := &newcomer{Request: r}
	n.Lang = mail.Language(r.Lang)
	if err := errors.Join(policy.Check(r.Password, r.Email, r.Name, r.First, r.Last, s.signin.Site), s.checkAddress(n), checkNames(n)); err != nil {
		return nil, err
	}
	n.hash = s.addressHash(n.folded)
	return n, nil
}

func (s *Signup) checkAddress(n *newcomer) (err error) {
	if n.address, err = mail.ParseAddress(n.Email); err != nil {
		return fault.Of(err).With(fault.Field{Name: "email", Message: "Correct it.", Value: n.Email})
	}
	if n.folded, err = mail.Fold(n.Email); err != nil {
		return err
	}
	return s.Settings.admits(mail.Domain(n.address))
}

func checkNames(n *newcomer) (err error) {
	if strings.TrimSpace(n.Name) == "" {
		n.Name = n.First + " " + n.Last
	}
	for _, text := range []*string{&n.First, &n.Last, &n.Name} {
		if *text, err = directory.ParseName(*text); err != nil {
			return fault.Of(err).With(fault.Field{Name: "name", Message: "It is too long or has control characters."})
		}
	}
	return nil
}

func (s *Signup) addressHash(folded string) []byte { return s.key.Hash("signup address", folded) }

func (s *Signup) checkChallenge(ctx context.Context, r Request) error {
	if r.Work != "" {
		return s.challenges.CheckWork(ctx, r.Work, tokenText(r.Token))
	}
	return s.challenges.Check(ctx, r.Challenge, r.Answer, tokenText(r.Token))
}

func (s *Signup) consumeChallenge(ctx context.Context, tx *db.Tx, r Request) error {
	if r.Work != "" {
		return s.challenges.ConsumeWorkTx(ctx, tx, r.Work, tokenText(r.Token))
	}
	return s.challenges.ConsumeTx(ctx, tx, r.Challenge, r.Answer, tokenText(r.Token))
}

func tokenText(t id.TokenID) string {
	if t.IsZero() {
		return ""
	}
	return t.String()
}

// system is who makes and discards what belongs to a sign-up.
func system(org id.OrgID) access.Caller {
	return access.Caller{Org: org, Kind: access.System, Name: "sign-up", Scopes: access.Signup | access.Admin}
}

// row is a sign-up as it is kept.
type row struct {
	Listed
	hash     []byte
	own      bool
	claimed  bool
	phc      string
	nonce    []byte
	tries    int64
	token    id.TokenID
	reminded int64
}

// Listed is a sign-up as it is shown.
type Listed struct {
	Number     int64
	Org        id.OrgID
	Person     id.PersonID
	State      State
	Address    string
	Name       string
	Lang       string
	Newsletter bool
	Via        Via
	Created    time.Time
	Expires    time.Time // of the mail's link
	Confirmed  time.Time // zero while it is not
	TrialEnds  time.Time // zero: never
}
