package credential

import (
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"rollway/internal/access"
	"rollway/internal/db"
	"rollway/internal/db/dbtest"
	"rollway/internal/fault/faulttest"
	"rollway/internal/id"
	"rollway/xapi"
)

// rig is a vault with what it needs around it.
type rig struct {
	*Vault
	db       *db.DB
	accounts *access.Accounts
	changes  *access.Changes
	boss     access.Caller
	lms      access.Caller // a service account that may mint
	clock    *atomic.Int64 // microseconds added to the time
}

func newRig(t testing.TB, d *db.DB) *rig { return newRigWith(t, d, access.NewKey()) }

func newRigWith(t testing.TB, d *db.DB, key access.Key) *rig {
	t.Helper()
	changes := access.NewChanges(d)
	accounts := access.NewAccounts(d, key, changes)
	r := &rig{Vault: New(d, key, accounts, changes), db: d, accounts: accounts, changes: changes, boss: access.CommandLine(id.DefaultOrg), clock: new(atomic.Int64)}
	r.Now = func() time.Time { return time.Now().Add(time.Duration(r.clock.Load()) * time.Microsecond) }
	t.Cleanup(r.Close)
	r.lms = r.account(t, access.CredentialsMint)
	return r
}

func (r *rig) pass(d time.Duration) { r.clock.Add(d.Microseconds()) }

// account makes a service account and returns it as a caller.
func (r *rig) account(t testing.TB, s access.Scope) access.Caller {
	t.Helper()
	i, err := r.accounts.Create(t.Context(), r.boss, access.Request{Name: "lms", Scopes: s})
	if err != nil {
		t.Fatal(err)
	}
	v, err := r.accounts.Verify(t.Context(), i.Key, i.Secret)
	if err != nil {
		t.Fatal(err)
	}
	return v.Caller
}

func eachRig(t *testing.T, fn func(t *testing.T, r *rig)) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) { fn(t, newRig(t, d)) })
}

// human is a person with two agents.
type human struct {
	id            id.PersonID
	agent, second xapi.Agent
}

func (r *rig) person(t testing.TB, state string) human {
	t.Helper()
	p := human{id: id.New[id.PersonID]()}
	p.agent = agentNamed(p.id.String())
	p.second = agentNamed("second " + p.id.String())
	err := r.db.Write(t.Context(), func(tx *db.Tx) error {
		if _, err := tx.Exec(t.Context(), "INSERT INTO people (org_id, id, name, state, source, version, created, updated) VALUES (1, ?, 'Ada', ?, 'api', 1, 0, 0)", p.id, state); err != nil {
			return err
		}
		for i, a := range []xapi.Agent{p.agent, p.second} {
			if _, err := tx.Exec(t.Context(), "INSERT INTO agents (org_id, ifi, person_id, position, created) VALUES (1, ?, ?, ?, 0)", a.IFI.Key(), p.id, int64(i)); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func agentNamed(name string) xapi.Agent {
	return xapi.Agent{Name: "Ada", IFI: xapi.IFI{Kind: xapi.OnAccount, Account: xapi.Account{HomePage: "https://lms.example/", Name: name}}}
}

func (r *rig) setState(t testing.TB, p human, state string) {
	t.Helper()
	err := r.db.Write(t.Context(), func(tx *db.Tx) error {
		if _, err := tx.Exec(t.Context(), "UPDATE people SET state = ? WHERE org_id = 1 AND id = ?", state, p.id); err != nil {
			return err
		}
		if state == "suspended" {
			// By a machine whose clock is an hour behind.
			if _, err := tx.Exec(t.Context(), "UPDATE people SET suspended = ?, suspensions = suspensions + 1 WHERE org_id = 1 AND id = ?", r.now().Add(-time.Hour), p.id); err != nil {
				return err
			}
		}
		return r.changes.Announce(t.Context(), tx, access.Change{Org: 1, Kind: access.PersonChanged, Subject: p.id})
	})
	if err != nil {
		t.Fatal(err)
	}
}

func (r *rig) grant(t testing.TB, p human) {
	t.Helper()
	if err := r.db.Write(t.Context(), func(tx *db.Tx) error {
		return access.Grant(t.Context(), tx, r.changes, r.boss, p.id, access.PeopleRead)
	}); err != nil {
		t.Fatal(err)
	}
}

// mint mints for the person's first agent with a made pair.
func (r *rig) mint(t testing.TB, p human) Result {
	t.Helper()
	m, err := r.Mint(t.Context(), r.lms, Request{Agent: p.agent})
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func (r *rig) launch(t testing.TB, p human, parent id.CredentialID) *Child {
	t.Helper()
	c := &Child{Org: 1, Person: p.id, Agent: p.agent, Registration: id.NewRandom[id.RegistrationID](), Activity: "https://lms.example/course", Parent: parent}
	c.Make()
	err := r.db.Write(t.Context(), func(tx *db.Tx) error {
		if err := tx.Row(t.Context(), "SELECT suspensions FROM people WHERE org_id = 1 AND id = ?", p.id).Scan(&c.Suspensions); err != nil {
			return err
		}
		return r.MintChildren(t.Context(), tx, []*Child{c})
	})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// try presents a user name and secret as a header and returns the code of the fault, or "".
func (r *rig) try(t testing.TB, username, secret string) string {
	t.Helper()
	c := Child{Username: username, Secret: secret}
	_, err := r.Authenticate(t.Context(), c.Header(), false)
	return faulttest.Code(t, err)
}

func (r *rig) expect(t testing.TB, what string, m Result, want string) {
	t.Helper()
	if got := r.try(t, m.Username, m.Password); got != want {
		t.Fatalf("%s: got %q, want %q", what, got, want)
	}
}

func (r *rig) expectChild(t testing.TB, what string, c *Child, want string) {
	t.Helper()
	if got := r.try(t, c.Username, c.Secret); got != want {
		t.Fatalf("%s: got %q, want %q", what, got, want)
	}
	if got := faulttest.Code(t, r.Alive(t.Context(), c.Org, c.ID)); got != want {
		t.Fatalf("%s: alive says %q, want %q", what, got, want)
	}
}

func unique(prefix string) string { return fmt.Sprintf("%s-%s", prefix, id.New[id.RequestID]()) }
