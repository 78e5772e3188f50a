package credential

import (
	"bytes"
	"context"
	"slices"
	"sync"
	"time"

	"rollway/internal/access"
	"rollway/internal/chore"
	"rollway/internal/db"
	"rollway/internal/id"
)

// uses gathers when credentials and service accounts were last used, to be written now and then and never on the way of a
// request.
type uses struct {
	sync.Mutex
	credentials map[id.CredentialID]use
	accounts    map[id.ServiceAccountID]use
	writing     map[id.CredentialID]use // those of credentials that are being written
}

type use struct {
	org     id.OrgID
	at      time.Time
	expires time.Time // to which the use moved the expiry of a launch's credential
}

const (
	noteEvery       = 10 * time.Second // how often the use of one header is noted
	writeEvery      = time.Minute      // how often uses of service accounts are written
	credentialsEach = 4                // and, every so many times, those of credentials
	writeChunk      = 500              // rows in one transaction, so that others are not kept waiting
)

// noteUse keeps the use of an answer for later and moves the expiry of a launch's credential on.
func (v *Vault) noteUse(a *answer, now time.Time) {
	at, last := now.UnixMicro(), a.noted.Load()
	if at-last < noteEvery.Microseconds() || !a.noted.CompareAndSwap(last, at) {
		return
	}
	u := use{org: a.caller.Org, at: now}
	if a.sliding {
		if until := min(at+v.Limits.Idle.Microseconds(), a.limit); until > a.expires.Load() {
			a.expires.Store(until)
		}
		u.expires = time.UnixMicro(a.expires.Load())
	}
	v.uses.Lock()
	defer v.uses.Unlock()
	if a.caller.Kind == access.ServiceAccount {
		put(&v.uses.accounts, a.caller.ServiceAccount, u)
	} else {
		put(&v.uses.credentials, a.caller.Credential, u)
	}
}

// expiry is to when a use that is not yet in the database moved a credential's expiry; zero when none did.
func (u *uses) expiry(c id.CredentialID) time.Time {
	u.Lock()
	defer u.Unlock()
	if here, ok := u.credentials[c]; ok {
		return here.expires
	}
	return u.writing[c].expires
}

func put[K comparable](m *map[K]use, k K, u use) {
	if *m == nil {
		*m = map[K]use{}
	}
	(*m)[k] = u
}

// Run writes when credentials and service accounts were last used, until ctx ends and then once more. It reports each error
// and goes on.
func (v *Vault) Run(ctx context.Context, report func(error)) {
	round := 0
	chore.Every(ctx, writeEvery, func(ctx context.Context) error {
		round++
		return v.writeUses(ctx, round%credentialsEach == 0)
	}, report)
	chore.Last(ctx, func(ctx context.Context) error { return v.writeUses(ctx, true) }, report)
}

// writeUses writes what was gathered. What cannot be written is tried again until more has been gathered and then dropped:
// it is of interest to people only, or comes again with the next use.
func (v *Vault) writeUses(ctx context.Context, credentials bool) error {
	v.uses.Lock()
	accounts := v.uses.accounts
	v.uses.accounts = nil
	if credentials {
		v.uses.writing, v.uses.credentials = v.uses.credentials, nil
	}
	creds := v.uses.writing
	v.uses.Unlock()
	if len(accounts) > 0 {
		list := make([]access.Use, 0, len(accounts))
		for a, u := range accounts {
			list = append(list, access.Use{Org: u.org, Account: a, At: u.at})
		}
		slices.SortFunc(list, func(a, b access.Use) int { return bytes.Compare(a.Account[:], b.Account[:]) })
		if err := v.accounts.NoteUse(ctx, list); err != nil {
			return err
		}
	}
	list := make([]credentialUse, 0, len(creds))
	for c, u := range creds {
		list = append(list, credentialUse{c, u})
	}
	slices.SortFunc(list, func(a, b credentialUse) int { return bytes.Compare(a.id[:], b.id[:]) }) // two processes must not lock each other out
	for len(list) > 0 {
		chunk := list[:min(writeChunk, len(list))]
		list = list[len(chunk):]
		if err := v.db.Write(ctx, func(tx *db.Tx) error { return updateUses(ctx, tx, chunk) }); err != nil {
			return err
		}
	}
	v.uses.Lock()
	v.uses.writing = nil
	v.uses.Unlock()
	return nil
}

type credentialUse struct {
	id id.CredentialID
	use
}
