package access_test

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"rollway/internal/access"
	"rollway/internal/db"
	"rollway/internal/db/dbtest"
	"rollway/internal/fault"
	"rollway/internal/id"
)

func TestScopesReadBackAndImply(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := access.Scope(rapid.Uint64Range(0, uint64(access.All)<<1-1).Draw(t, "scopes"))
		back, err := access.ParseScope(s.String())
		if err != nil || back != s {
			t.Fatalf("%v came back as %v, %v", s, back, err)
		}
		if !s.Has(s) || s.Full().Full() != s.Full() || s.Has(access.Admin) != (s&access.Admin != 0) {
			t.Fatalf("%v implies %v", s, s.Full())
		}
	})
	for wide, narrow := range map[access.Scope]access.Scope{
		access.Admin:          access.SCIM | access.All | access.CredentialsUnbound,
		access.All:            access.AllRead | access.StatementsWrite | access.State,
		access.AllRead:        access.StatementsRead,
		access.StatementsRead: access.StatementsReadMine,
	} {
		if !wide.Has(narrow) || narrow.Has(wide) {
			t.Errorf("%v does not just imply %v", wide, narrow)
		}
	}
	if access.All.Has(access.PeopleRead) {
		t.Error("the record store's all reaches people")
	}
	if _, err := access.ParseScope("people:read, root"); !fault.Is(err, fault.Invalid) || !strings.Contains(err.Error(), `"root"`) {
		t.Errorf("an unknown scope is answered %v", err)
	}
}

// A caller that somebody forgot to fill in is nobody, and only the command line and the server itself are the operator.
func TestForgottenCallerIsNobody(t *testing.T) {
	t.Parallel()
	var forgotten access.Caller
	switch forgotten.Kind {
	case access.System, access.ServiceAccount, access.Credential, access.Person:
		t.Error("the zero kind is one of a caller")
	}
	forgotten.Scopes = access.Admin
	if err := forgotten.Require(access.PeopleRead); !fault.Is(err, fault.Forbidden) {
		t.Errorf("a caller of no kind may: %v", err)
	}
	operator := access.CommandLine(id.DefaultOrg)
	if err := operator.RequireOperator(); err != nil {
		t.Error(err)
	}
	weak := operator
	weak.Scopes = access.All
	account := operator
	account.Kind = access.ServiceAccount
	for name, c := range map[string]access.Caller{"forgotten": forgotten, "without the right": weak, "a service account": account,
		"an owner": access.SignedIn(id.DefaultOrg, id.New[id.PersonID](), id.SigninID{}, access.Admin)} {
		if err := c.RequireOperator(); !fault.Is(err, fault.Forbidden) {
			t.Errorf("%s is taken for the operator: %v", name, err)
		}
	}
}

func TestGrants(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		changes := access.NewChanges(d)
		var heard []access.Change
		changes.Listen(func(c access.Change) { heard = append(heard, c) })
		boss, person := access.CommandLine(id.DefaultOrg), id.New[id.PersonID]()
		do := func(fn func(tx *db.Tx) error) error { return d.Write(t.Context(), fn) }
		holds := func() (yes bool) {
			t.Helper()
			if err := d.Read(t.Context(), func(tx *db.Tx) (err error) {
				yes, err = access.HoldsGrant(t.Context(), tx, id.DefaultOrg, person)
				return err
			}); err != nil {
				t.Fatal(err)
			}
			return yes
		}
		for range 2 {
			if err := do(func(tx *db.Tx) error { return access.Grant(t.Context(), tx, changes, boss, person, access.Admin) }); err != nil {
				t.Fatal(err)
			}
		}
		if !holds() || len(heard) != 1 || heard[0] != (access.Change{Org: id.DefaultOrg, Kind: access.PersonChanged, Subject: person}) {
			t.Fatalf("holds %v, heard %v", holds(), heard)
		}
		weak := access.Caller{Org: id.DefaultOrg, Kind: access.ServiceAccount, Scopes: access.PeopleWrite}
		if err := do(func(tx *db.Tx) error { return access.RevokeGrant(t.Context(), tx, changes, weak, person, access.Admin) }); !fault.Is(err, fault.Forbidden) {
			t.Fatalf("taken by one who may not: %v", err)
		}
		if err := do(func(tx *db.Tx) error {
			return access.Grant(t.Context(), tx, changes, boss, person, access.Admin|access.SCIM)
		}); !fault.Is(err, fault.Invalid) {
			t.Fatalf("two at once: %v", err)
		}
		for range 2 {
			if err := do(func(tx *db.Tx) error { return access.RevokeGrant(t.Context(), tx, changes, boss, person, access.Admin) }); err != nil {
				t.Fatal(err)
			}
		}
		if holds() || len(heard) != 2 {
			t.Fatalf("holds %v, heard %v", holds(), heard)
		}
		lines, err := access.Trail(t.Context(), d, boss, id.EntryID{}, 10)
		if err != nil || len(lines) != 2 || lines[0].Action != "grant.take" || lines[1].Action != "grant.give" || lines[1].Detail != `{"scope":"admin"}` {
			t.Fatalf("the trail says %+v, %v", lines, err)
		}
		if older, err := access.Trail(t.Context(), d, boss, lines[0].ID, 10); err != nil || len(older) != 1 || older[0] != lines[1] {
			t.Fatalf("before the last: %+v, %v", older, err)
		}
	})
}

func TestAuditKeepsWhatCallersSayOfThemselves(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		c := access.CommandLine(id.DefaultOrg)
		c.Note = "nightly run"
		detail := map[string]any{"b": 1, "a": "x"}
		err := d.Write(t.Context(), func(tx *db.Tx) error { return access.Audit(t.Context(), tx, c, "test.do", "thing 1", detail) })
		if err != nil {
			t.Fatal(err)
		}
		lines, err := access.Trail(t.Context(), d, c, id.EntryID{}, 1)
		if err != nil || len(lines) != 1 || lines[0].Detail != `{"a":"x","b":1,"note":"nightly run"}` || lines[0].Caller != "command line" || len(detail) != 2 {
			t.Fatalf("%+v, %v", lines, err)
		}
	})
}

// TestChangesReachOtherProcesses has two databases open on the same data, as two processes have. One of them is on a machine
// whose clock is wrong.
func TestChangesReachOtherProcesses(t *testing.T) {
	dbtest.EachEngine(t, func(t *testing.T, e db.Engine) {
		url := dbtest.URL(t, e)
		open := func(ahead time.Duration) *db.DB {
			return dbtest.Connect(t, db.Options{URL: url, Conns: 3, Now: func() time.Time { return time.Now().Add(ahead) }})
		}
		here, there := open(-10*time.Minute), open(0)
		heard := make(chan access.Change, 100)
		listening := access.NewChanges(there)
		listening.Listen(func(c access.Change) { heard <- c })
		ctx, stop := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() {
			defer close(done)
			listening.Poll(ctx, func(err error) { t.Error(err) })
		}()
		announcing := access.NewChanges(here)
		var sent []access.Change
		for range 3 {
			ch := access.Change{Org: 7, Kind: access.CredentialChanged, Subject: id.New[id.CredentialID]()}
			sent = append(sent, ch)
			if err := here.Write(t.Context(), func(tx *db.Tx) error { return announcing.Announce(t.Context(), tx, ch) }); err != nil {
				t.Fatal(err)
			}
		}
		for range sent {
			select {
			case ch := <-heard:
				if !slices.Contains(sent, ch) {
					t.Fatalf("heard %v, which nobody said", ch)
				}
			case <-time.After(2 * time.Second):
				t.Fatal("nothing heard for 2 s")
			}
		}
		time.Sleep(1500 * time.Millisecond) // another poll
		stop()
		<-done
		if n := len(heard); n != 0 {
			t.Fatalf("%d changes were told twice", n)
		}
	})
}
