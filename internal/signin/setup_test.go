package signin

import (
	"fmt"
	"net/netip"
	"sync/atomic"
	"testing"
	"time"

	"rollway/internal/access"
	"rollway/internal/db"
	"rollway/internal/db/dbtest"
	"rollway/internal/fault/faulttest"
	"rollway/internal/id"
	"rollway/internal/limit"
	"rollway/internal/mail"
	"rollway/internal/outbox"
)

// rig is a Signin with what it needs around it.
type rig struct {
	*Signin
	db      *db.DB
	changes *access.Changes
	boss    access.Caller
	clock   *atomic.Int64 // microseconds added to the time
	asked   atomic.Value  // the token of the last link
}

func newRig(t testing.TB, d *db.DB) *rig { return newRigWith(t, d, access.NewKey()) }

func newRigWith(t testing.TB, d *db.DB, key access.Key) *rig {
	t.Helper()
	changes := access.NewChanges(d)
	r := &rig{db: d, changes: changes, boss: access.CommandLine(id.DefaultOrg), clock: new(atomic.Int64)}
	now := func() time.Time { return time.Now().Add(time.Duration(r.clock.Load()) * time.Microsecond) }
	ledger := limit.New(d, func(text string) []byte { return key.Hash("limit", text) })
	ledger.Now = now
	office, err := mail.New(d, outbox.New(d), key, mail.Config{PublicURL: "https://learn.example"})
	if err != nil {
		t.Fatal(err)
	}
	r.Signin = New(d, key, changes, ledger, office, "https://learn.example")
	r.Now = now
	link := r.ResetLink
	r.ResetLink = func(token string) string {
		r.asked.Store(token)
		return link(token)
	}
	r.Site = "Example Academy"
	cheap(r.Passwords)
	return r
}

func (r *rig) pass(d time.Duration) { r.clock.Add(d.Microseconds()) }

func eachRig(t *testing.T, fn func(t *testing.T, r *rig)) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) { fn(t, newRig(t, d)) })
}

// human is a person with a login.
type human struct {
	id                id.PersonID
	address, password string
}

const goodWord = "seven quiet herons"

var count atomic.Int64

func (r *rig) person(t testing.TB, state string) human {
	t.Helper()
	h := human{id.New[id.PersonID](), fmt.Sprintf("ada%d@example.com", count.Add(1)), goodWord}
	phc, err := r.Passwords.Hash(t.Context(), h.password)
	if err != nil {
		t.Fatal(err)
	}
	r.write(t, func(tx *db.Tx) error {
		if _, err := tx.Exec(t.Context(), "INSERT INTO people (org_id, id, name, state, source, version, created, updated) VALUES (1, ?, 'Ada Lovelace', ?, 'signup', 1, 0, 0)", h.id, state); err != nil {
			return err
		}
		return r.EnrolTx(t.Context(), tx, id.DefaultOrg, h.id, h.address, phc)
	})
	return h
}

func (r *rig) write(t testing.TB, fn func(tx *db.Tx) error) {
	t.Helper()
	if err := r.db.Write(t.Context(), fn); err != nil {
		t.Fatal(err)
	}
}

func (r *rig) setState(t testing.TB, h human, state string) {
	t.Helper()
	r.write(t, func(tx *db.Tx) error {
		if _, err := tx.Exec(t.Context(), "UPDATE people SET state = ? WHERE org_id = 1 AND id = ?", state, h.id); err != nil {
			return err
		}
		if state == "suspended" {
			if _, err := tx.Exec(t.Context(), "UPDATE people SET suspended = ?, suspensions = suspensions + 1 WHERE org_id = 1 AND id = ?", r.now(), h.id); err != nil {
				return err
			}
		}
		return r.changes.Announce(t.Context(), tx, access.Change{Org: 1, Kind: access.PersonChanged, Subject: h.id})
	})
}

var laptop = Device{Addr: netip.MustParseAddr("192.0.2.7"), Agent: "Mozilla/5.0 (X11; Linux x86_64) Firefox/140.0"}

func from(addr string) Device { return Device{Addr: netip.MustParseAddr(addr)} }

func (r *rig) signIn(t testing.TB, h human, kind Kind, from Device) (Session, string) {
	t.Helper()
	s, token, err := r.SignIn(t.Context(), kind, h.address, h.password, from)
	if err != nil {
		t.Fatal(err)
	}
	return s, token
}

// try presents a token and returns the code of the fault, or "".
func (r *rig) try(t testing.TB, token string) string {
	t.Helper()
	_, _, err := r.Authenticate(t.Context(), token)
	return faulttest.Code(t, err)
}

func (r *rig) expect(t testing.TB, what, token, want string) {
	t.Helper()
	if got := r.try(t, token); got != want {
		t.Fatalf("%s: got %q, want %q", what, got, want)
	}
}

func wantCode(t testing.TB, what string, err error, want string) {
	t.Helper()
	if got := faulttest.Code(t, err); got != want {
		t.Fatalf("%s: got %q (%v), want %q", what, got, err, want)
	}
}
