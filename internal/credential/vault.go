package credential

import (
	"time"

	"rollway/internal/access"
	"rollway/internal/db"
	"rollway/internal/id"
	"rollway/xapi"
)

// Options are the vault's limits. A zero field takes its default.
type Options struct {
	TTL       time.Duration // of a minted credential when none is asked for; 60 minutes
	MinTTL    time.Duration // 1 minute
	MaxTTL    time.Duration // 7 days
	LaunchTTL time.Duration // a launch's credential lives this long, 24 hours,
	Idle      time.Duration // or until this long after its last use, 4 hours,
	LaunchMax time.Duration // but never longer than this, 7 days
	Remember  int           // how many verified headers are kept in memory; 65,536
	Now       func() time.Time
}

func (o Options) withDefaults() Options {
	for _, d := range []struct {
		field *time.Duration
		value time.Duration
	}{
		{&o.TTL, time.Hour}, {&o.MinTTL, time.Minute}, {&o.MaxTTL, 7 * 24 * time.Hour},
		{&o.LaunchTTL, 24 * time.Hour}, {&o.Idle, 4 * time.Hour}, {&o.LaunchMax, 7 * 24 * time.Hour},
	} {
		if *d.field == 0 {
			*d.field = d.value
		}
	}
	if o.Remember == 0 {
		o.Remember = 1 << 16
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	return o
}

// Vault mints, checks and ends credentials. Make one with New; Close it when done.
type Vault struct {
	db       *db.DB
	key      access.Key
	accounts *access.Accounts
	changes  *access.Changes
	o        Options
	group    *db.Group[*minting]
	known    *memory
	uses     uses
}

// New returns the vault of a database whose secrets are hashed under the key. It listens to the changes.
func New(d *db.DB, key access.Key, accounts *access.Accounts, changes *access.Changes, o Options) *Vault {
	v := &Vault{db: d, key: key, accounts: accounts, changes: changes, o: o.withDefaults()}
	v.known = newMemory(v.o.Remember)
	v.group = db.NewGroup(d, v.writeMinted)
	changes.Listen(v.known.hear)
	return v
}

// Close ends the vault's writers.
func (v *Vault) Close() { v.group.Close() }

// Key is a key of its own for another purpose of the house, derived from the one secrets are hashed under.
func (v *Vault) Key(purpose string) []byte { return v.key.Hash("derived key", purpose) }

// Hash is what a secret of another room is stored as.
func (v *Vault) Hash(purpose string, secret []byte) []byte {
	return v.key.Hash("other secret", purpose, string(secret))
}

func (v *Vault) now() time.Time { return v.o.Now().UTC().Truncate(time.Microsecond) }

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
	MintedBy     id.ServiceAccountID // zero when no service account did
	Scopes       access.Scope
	Created      time.Time
	Expires      time.Time
	Revoked      time.Time // zero while it is not; a launch's ends with its parent
	LastUsed     time.Time // to a few minutes; zero when never
}
