package credential

import (
	"time"

	"rollway/internal/access"
	"rollway/internal/db"
	"rollway/internal/id"
	"rollway/xapi"
)

// Limits are how long credentials live.
type Limits struct {
	TTL       time.Duration // of a minted credential when none is asked for
	MinTTL    time.Duration
	MaxTTL    time.Duration
	LaunchTTL time.Duration // a launch's credential lives this long,
	Idle      time.Duration // or until this long after its last use, whichever is later,
	LaunchMax time.Duration // but never longer than this
}

var defaults = Limits{TTL: time.Hour, MinTTL: time.Minute, MaxTTL: 7 * 24 * time.Hour,
	LaunchTTL: 24 * time.Hour, Idle: 4 * time.Hour, LaunchMax: 7 * 24 * time.Hour}

// remember is how many verified headers are kept in memory.
const remember = 1 << 16

// Vault mints, checks and ends credentials. Make one with New; Close it when done. Its exported fields may be changed before
// it is used.
type Vault struct {
	Limits Limits
	Now    func() time.Time

	db       *db.DB
	key      access.Key
	accounts *access.Accounts
	changes  *access.Changes
	group    *db.Group[*minting]
	known    *memory
	uses     uses
}

// mintedRows are those of one credential: itself and its name.
const mintedRows = 2

// New returns the vault of a database whose secrets are hashed under the key. It listens to the changes.
func New(d *db.DB, key access.Key, accounts *access.Accounts, changes *access.Changes) *Vault {
	v := &Vault{Limits: defaults, Now: time.Now, db: d, key: key, accounts: accounts, changes: changes, known: newMemory(remember)}
	v.group = db.NewGroup(d, mintedRows, v.writeMinted)
	changes.Listen(v.known.Hear)
	return v
}

// Close ends the vault's writers.
func (v *Vault) Close() { v.group.Close() }

func (v *Vault) now() time.Time { return v.Now().UTC().Truncate(time.Microsecond) }

// Kind is the kind of a credential.
type Kind string

// The kinds.
const (
	Minted  Kind = "minted"
	Unbound Kind = "unbound"
	Launch  Kind = "launch"
)

// Credential is a credential as it is shown: everything but the secret.
type Credential struct {
	ID           id.CredentialID
	Kind         Kind
	Username     string
	Person       id.PersonID // zero when unbound
	Agent        xapi.Agent  // zero when unbound
	Registration id.RegistrationID
	Activity     string
	Parent       id.CredentialID     // of a launch: the credential it was opened with, if any
	MintedBy     id.ServiceAccountID // of a launch: who minted the parent or made the ticket; zero when no service account did
	Scopes       access.Scope
	Created      time.Time
	Expires      time.Time
	Revoked      time.Time // zero while it is not; it ends with its parent and with the account that minted either
	LastUsed     time.Time // to a few minutes; zero when never

	signin id.SigninID // of a launch: the session of the person that it was opened from; only written
}
