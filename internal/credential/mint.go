package credential

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"rollway/internal/access"
	"rollway/internal/db"
	"rollway/internal/fault"
	"rollway/internal/id"
	"rollway/xapi"
)

// Request asks for a credential.
type Request struct {
	Username string // 8 to 255 bytes, never used before in whatever case; made here when it and Password are empty
	Password string // 16 to 255 bytes
	TTL      time.Duration
	Agent    xapi.Agent   // any agent of an active person; zero for an unbound credential
	Scopes   access.Scope // of an unbound one; zero for all it can have
}

// Result is a credential that was minted.
type Result struct {
	ID       id.CredentialID
	Username string
	Password string // only when it was made here; shown this once
	Expires  time.Time
}

const (
	userTag     = "rwu_" // of user names made here
	minUsername = 8
	minPassword = 16
	maxText     = 255
)

// Mint makes a credential that acts for one agent, with the rights of a learner on that agent's records. It stays bound to
// the agent given, whichever of the person's agents that is. Without an agent, and with the scope credentials:unbound, it
// acts for the caller, with rights the caller has, and may neither mint nor administer. The agent's name is not kept.
//
// What a service account minted ends, with the launches opened with it, when that account is revoked: a leaked key is the
// usual reason to revoke one.
//
// Faults: Forbidden (scope_missing, person_suspended, person_pending, person_privileged), Invalid (username, password, ttl,
// actor_missing), NotFound (actor_unknown), Conflict (username_taken).
func (v *Vault) Mint(ctx context.Context, c access.Caller, r Request) (Result, error) {
	if err := c.Require(access.CredentialsMint); err != nil {
		return Result{}, err
	}
	m, err := v.prepare(c, r)
	if err != nil {
		return Result{}, err
	}
	if err := v.group.Do(ctx, m); err != nil {
		if !errors.Is(err, db.ErrUnique) {
			return Result{}, err
		}
		m.err = v.taken(ctx, m)
	}
	if m.err != nil {
		return Result{}, m.err
	}
	out := Result{ID: m.ID, Username: m.Username, Expires: m.Expires}
	if r.Password == "" {
		out.Password = m.password
	}
	return out, nil
}

// minting is a credential on its way through the group of writers.
type minting struct {
	Credential
	caller               access.Caller
	password             string
	suspensions          int64 // of the person so far
	nameHash, secretHash []byte
	entry                access.Entry
	err                  error // what is wrong with this one alone
}

func (v *Vault) prepare(c access.Caller, r Request) (*minting, error) {
	ttl := r.TTL
	if ttl == 0 {
		ttl = v.Limits.TTL
	}
	if ttl < v.Limits.MinTTL || ttl > v.Limits.MaxTTL {
		return nil, fault.New(fault.Invalid, "ttl", "A credential lives from %v to %v; %v is not in between.", v.Limits.MinTTL, v.Limits.MaxTTL, ttl)
	}
	r.Agent.Name = "" // whatever length it has: people are greeted by their own name
	now := v.now()
	m := &minting{caller: c, password: r.Password, Credential: Credential{ID: id.New[id.CredentialID](), Kind: Minted, Username: r.Username,
		Agent: r.Agent, MintedBy: c.ServiceAccount, Scopes: access.Learner, Created: now, Expires: now.Add(ttl)}}
	if r.Username == "" && r.Password == "" {
		m.Username, m.password = newPair()
	} else if err := checkPair(r.Username, r.Password); err != nil {
		return nil, err
	}
	if r.Agent.IFI.IsZero() {
		m.Kind, m.Agent = Unbound, xapi.Agent{}
		var err error
		if m.Scopes, err = unboundScopes(c, r.Scopes); err != nil {
			return nil, err
		}
	}
	m.nameHash, m.secretHash = v.nameHash(m.Username), v.secretHash(m.Username, m.password)
	var err error
	m.entry, err = access.NewEntry(c, "credential.mint", "credential "+m.Username, map[string]any{
		"agent": m.Agent.IFI.Key(), "expires": m.Expires.Format(time.RFC3339)})
	return m, err
}

func newPair() (username, password string) { return userTag + rand.Text(), rand.Text() + rand.Text() }

func checkPair(username, password string) error {
	bad := func(member, format string, args ...any) error {
		f := fault.New(fault.Invalid, member, format, args...)
		return f.With(fault.Field{Name: "/" + member, Message: f.Message})
	}
	switch {
	case username == "" || password == "":
		return bad("username", "Give both a user name and a password, or neither: then both are made for you.")
	case len(username) < minUsername || len(username) > maxText:
		return bad("username", "A user name has %d to %d bytes; this one has %d.", minUsername, maxText, len(username))
	case strings.ContainsRune(username, ':') || !plain(username):
		return bad("username", "A user name holds no colon and no control characters.")
	case access.IsKey(username):
		return bad("username", "User names that begin like the key of a service account are reserved.")
	case len(password) < minPassword:
		return bad("password", "A password has at least %d bytes; this one has %d. Use a long random value, or leave user name and password out and have both made for you.", minPassword, len(password))
	case len(password) > maxText:
		return bad("password", "A password has at most %d bytes; this one has %d.", maxText, len(password))
	case !plain(password):
		return bad("password", "A password holds no control characters.")
	}
	return nil
}

func plain(s string) bool { return utf8.ValidString(s) && !strings.ContainsFunc(s, unicode.IsControl) }

// unboundScopes are the rights of a credential that acts for its minter: none that the minter lacks, and none that would
// let it make more credentials or administer.
func unboundScopes(c access.Caller, want access.Scope) (access.Scope, error) {
	if !c.Scopes.Has(access.CredentialsUnbound) {
		return 0, fault.New(fault.Invalid, "actor_missing", "Say which agent the credential is for (data.actor). One for no agent needs the scope %s.", access.CredentialsUnbound)
	}
	may := c.Scopes.Full() &^ (access.Admin | access.CredentialsMint | access.CredentialsUnbound)
	if want == 0 {
		want = may
	}
	if extra := want.Full() &^ may; extra != 0 {
		return 0, fault.New(fault.Forbidden, "scope_exceeded", "A credential cannot have the scope %s: %s does not have it or may not hand it on.", extra, c.Name)
	}
	if want == 0 {
		return 0, fault.New(fault.Invalid, "scopes_empty", "%s has no scope that such a credential could have.", c.Name)
	}
	return want, nil
}

// taken decides what a user name that is already there means: this very credential, written by an attempt whose
// acknowledgement was lost, or another's.
func (v *Vault) taken(ctx context.Context, m *minting) error {
	return v.db.Read(ctx, func(tx *db.Tx) error {
		_, owner, err := v.idOfName(ctx, tx, m.Username)
		if err == nil && owner != m.ID {
			return usernameTaken()
		}
		return err
	})
}

func usernameTaken() error {
	return fault.New(fault.Conflict, "username_taken", "This user name was used before. Each credential needs a new one, even after the old one expired or was revoked.")
}

// Child is a credential for one launch. Fill in what it is for, call Make, and hand it to [Vault.MintChildren].
type Child struct {
	Org          id.OrgID
	Person       id.PersonID
	Agent        xapi.Agent
	Registration id.RegistrationID
	Activity     string
	Parent       id.CredentialID     // that the launch was opened with, or that began the session; zero when it was another thing
	Signin       id.SigninID         // the session of the person that it was opened from, likewise
	MintedBy     id.ServiceAccountID // whose ticket the launch was opened with; zero when it was another thing
	Scopes       access.Scope        // zero: a learner's
	Suspensions  int64               // of the person, as the launch's transaction found them (people.suspensions)

	ID       id.CredentialID // from here on set by Make
	Username string
	Secret   string
}

// Make gives the child its identifier, user name and secret.
func (c *Child) Make() {
	c.ID = id.New[id.CredentialID]()
	c.Username, c.Secret = newPair()
	if c.Scopes == 0 {
		c.Scopes = access.Learner
	}
}

// Header is the value of the Authorization header for the child.
func (c *Child) Header() string {
	return "Basic " + base64.StdEncoding.EncodeToString([]byte(c.Username+":"+c.Secret))
}

// MintChildren writes children in the transaction of their launches, without a round trip of its own. The launch has made
// sure that each person may launch.
func (v *Vault) MintChildren(ctx context.Context, tx *db.Tx, children []*Child) error {
	now := v.now()
	names, rows := make([][]any, len(children)), make([][]any, len(children))
	for i, c := range children {
		row := Credential{ID: c.ID, Kind: Launch, Username: c.Username, Person: c.Person, Agent: c.Agent, Registration: c.Registration, Activity: c.Activity,
			Parent: c.Parent, signin: c.Signin, MintedBy: c.MintedBy, Scopes: c.Scopes, Created: now, Expires: now.Add(v.Limits.LaunchTTL)}
		rows[i] = row.values(c.Org, c.Suspensions)
		names[i] = []any{v.nameHash(c.Username), int64(c.Org), c.ID, v.secretHash(c.Username, c.Secret)}
	}
	if err := insertNames.Insert(ctx, tx, names); err != nil {
		return err
	}
	return insertCredentials.Insert(ctx, tx, rows)
}
