package signin

import (
	"context"
	"slices"
	"testing"
	"time"

	"rollway/internal/access"
	"rollway/internal/credential"
	"rollway/internal/db"
	"rollway/internal/db/schema"
	"rollway/internal/directory"
	"rollway/internal/fault"
	"rollway/internal/fault/faulttest"
	"rollway/internal/id"
	"rollway/xapi"
)

// arrivals are people whom other systems bring.
type arrivals struct {
	*rig
	*testing.T
	accounts *access.Accounts
	vault    *credential.Vault
	people   *directory.Directory
}

func eachArrivals(t *testing.T, fn func(a *arrivals)) {
	eachRig(t, func(t *testing.T, r *rig) {
		accounts := access.NewAccounts(r.db, r.key, r.changes)
		a := &arrivals{r, t, accounts, credential.New(r.db, r.key, accounts, r.changes), directory.New(r.db, r.changes, "https://learn.example")}
		a.vault.Now = r.Now
		t.Cleanup(a.vault.Close)
		fn(a)
	})
}

// lms is another system.
func (a *arrivals) lms() access.Caller {
	a.Helper()
	i, err := a.accounts.Create(a.Context(), a.boss, access.Request{Name: "lms", Scopes: access.PeopleWrite | access.CredentialsMint})
	if err != nil {
		a.Fatal(err)
	}
	v, err := a.accounts.Verify(a.Context(), i.Key, i.Secret)
	if err != nil {
		a.Fatal(err)
	}
	return v.Caller
}

// learner is somebody whom a system knows.
func (a *arrivals) learner(lms access.Caller, name string) directory.Result {
	a.Helper()
	ifi, err := xapi.ParseAccount("https://lms.example", name)
	if err != nil {
		a.Fatal(err)
	}
	made, err := a.people.Provision(a.Context(), lms, directory.Claims{Source: directory.ByAPI, Name: name, Agent: xapi.Agent{IFI: ifi}})
	if err != nil {
		a.Fatal(err)
	}
	return made
}

// mint makes a credential for a learner, as it is presented.
func (a *arrivals) mint(by access.Caller, who directory.Result) (c access.Caller, username string) {
	a.Helper()
	m, err := a.vault.Mint(a.Context(), by, credential.Request{Agent: who.Primary})
	if err != nil {
		a.Fatal(err)
	}
	header := credential.Child{Username: m.Username, Secret: m.Password}
	c, err = a.vault.Authenticate(a.Context(), header.Header(), false)
	if err != nil {
		a.Fatal(err)
	}
	return c, m.Username
}

// arrive brings a browser that has a session already, or none.
func (a *arrivals) arrive(c access.Caller, before string) (Session, string) {
	a.Helper()
	s, token, err := a.Arrive(a.Context(), c, Device{Agent: "browser", Before: before}, false)
	if err != nil {
		a.Fatal(err)
	}
	for range 2 {
		got, _, err := a.Authenticate(a.Context(), token)
		if err != nil || got.Kind != access.Person || got.Person != c.Bound.Person || got.Scopes != 0 || got.Signin != s.ID {
			a.Fatalf("%+v %v", got, err)
		}
	}
	return s, token
}

func (a *arrivals) revoke(by access.Caller, username string) {
	a.Helper()
	if err := a.vault.Revoke(a.Context(), by, username); err != nil {
		a.Fatal(err)
	}
}

// A credential minted for a person signs them in, without any right, until it or the account that minted it is revoked.
func TestArrive(t *testing.T) {
	t.Parallel()
	eachArrivals(t, func(a *arrivals) {
		lms, other := a.lms(), a.lms()
		ada := a.learner(lms, "ada")
		c, username := a.mint(lms, ada)
		_, token := a.arrive(c, "")
		a.revoke(lms, username)
		a.expect(a.T, "revoked", token, "session_invalid")

		c, _ = a.mint(other, ada)
		_, token = a.arrive(c, "")
		if err := a.accounts.Revoke(a.Context(), a.boss, other.ServiceAccount); err != nil {
			a.Fatal(err)
		}
		a.expect(a.T, "minted by nobody any more", token, "session_invalid")

		c, _ = a.mint(lms, ada)
		_, token = a.arrive(c, "")
		a.write(a.T, func(tx *db.Tx) error {
			return access.Grant(a.Context(), tx, a.changes, a.boss, ada.Person.ID, access.Admin)
		})
		a.expect(a.T, "of an administrator", token, "session_invalid")
		_, _, err := a.Arrive(a.Context(), c, Device{}, false)
		faulttest.Want(a.T, err, fault.Forbidden, "person_privileged")
		_, _, err = a.Arrive(a.Context(), lms, Device{}, false)
		faulttest.Want(a.T, err, fault.Forbidden, "launch_not_a_learner")
		c.Bound.Registration = id.NewRandom[id.RegistrationID]()
		_, _, err = a.Arrive(a.Context(), c, Device{}, false)
		faulttest.Want(a.T, err, fault.Forbidden, "launch_elsewhere")
	})
}

// What began with a credential lives as long as a launch, whatever the credential does, and begins anew with each arrival.
func TestArrivalsEnd(t *testing.T) {
	t.Parallel()
	eachArrivals(t, func(a *arrivals) {
		lms := a.lms()
		ada := a.learner(lms, "ada")
		c, first := a.mint(lms, ada)
		s, token := a.arrive(c, "")
		if s.Kind != Launched || s.Expires.Sub(s.Created) != 4*time.Hour {
			a.Errorf("%+v", s)
		}
		for range 7 {
			a.pass(3 * time.Hour)
			a.expect(a.T, "in use, with a credential that expired long ago", token, "")
		}
		c, _ = a.mint(lms, ada)
		again, same := a.arrive(c, token)
		if same != token || again.ID != s.ID || again.Expires.Sub(s.Created) < 24*time.Hour {
			a.Errorf("the person's own session does not go on: %+v", again)
		}
		a.revoke(lms, first)
		a.expect(a.T, "with another credential by now", token, "")
		for range 7 {
			a.pass(3 * time.Hour)
			a.expect(a.T, "in use", token, "")
		}
		a.pass(3 * time.Hour)
		a.expect(a.T, "a day after the last arrival", token, "session_invalid")
		if _, next := a.arrive(c, token); next == token {
			a.Error("a session that is over goes on")
		}
	})
}

// Sessions that launches began before there was a kind for them are of that kind and end as such, and passwords' are not.
func TestOlderArrivals(t *testing.T) {
	t.Parallel()
	eachArrivals(t, func(a *arrivals) {
		lms := a.lms()
		c, _ := a.mint(lms, a.learner(lms, "ada"))
		launched, _ := a.arrive(c, "")
		own, _ := a.signIn(a.T, a.person(a.T, "active"), Browser, laptop)
		steps := schema.Steps()
		a.write(a.T, func(tx *db.Tx) error {
			texts := []string{"UPDATE signin_sessions SET kind = 'browser', expires = created + 2592000000000"} // 30 days
			for _, name := range []string{"launched_sessions", "launched_ends"} {
				i := slices.IndexFunc(steps, func(s schema.Step) bool { return s.Name == name })
				texts = append(texts, schema.Split(schema.Expand(steps[i].SQL, tx.Engine == db.PostgreSQL))...)
			}
			for _, text := range texts {
				if err := tx.Defer(a.Context(), text); err != nil {
					return err
				}
			}
			return nil
		})
		for _, s := range []Session{launched, own} {
			list, err := a.List(a.Context(), access.SignedIn(s.Org, s.Person, s.ID, 0), s.Person)
			if err != nil || len(list) != 1 || list[0].ID != s.ID || list[0].Kind != s.Kind {
				a.Errorf("%+v became %+v, %v", s, list, err)
			}
			var most time.Time
			a.write(a.T, func(tx *db.Tx) error {
				return tx.Row(a.Context(), "SELECT expires FROM signin_sessions WHERE org_id = ? AND id = ?", s.Org, s.ID).Scan(&most)
			})
			if got := most.Sub(s.Created); got != lives[s.Kind].Most {
				a.Errorf("a session of the kind %s lives %v at the most", s.Kind, got)
			}
		}
	})
}

// Nobody becomes somebody else because they followed a link.
func TestArriveAsSomebodyElse(t *testing.T) {
	t.Parallel()
	eachArrivals(t, func(a *arrivals) {
		lms := a.lms()
		ada, _ := a.mint(lms, a.learner(lms, "ada"))
		mallory, _ := a.mint(lms, a.learner(lms, "mallory"))
		own := a.person(a.T, "active")
		_, password := a.signIn(a.T, own, Browser, laptop)
		_, launched := a.arrive(ada, "")
		for _, before := range []string{password, launched} {
			_, token, err := a.Arrive(a.Context(), mallory, Device{Before: before}, false)
			faulttest.Want(a.T, err, fault.Conflict, "signed_in_as_another")
			a.expect(a.T, "who was there", before, "")
			if token != "" {
				a.Error("there is a token")
			}
			s, token, err := a.Arrive(a.Context(), mallory, Device{Before: before}, true)
			if err != nil || s.Person != mallory.Bound.Person {
				a.Fatal(s, err)
			}
			a.expect(a.T, "who was there", before, "session_invalid")
			a.expect(a.T, "who came", token, "")
		}

		// Their own session, begun with their password, stays what it is.
		_, password = a.signIn(a.T, own, Browser, laptop)
		c := ada
		bound := *ada.Bound
		bound.Person = own.id
		c.Bound = &bound
		s, token := a.arrive(c, password)
		if token != password || s.Kind != Browser {
			a.Errorf("%+v", s)
		}
	})
}

// Whoever waits to confirm learns so with the right password only.
func TestSignInBeforeConfirming(t *testing.T) {
	t.Parallel()
	eachRig(t, func(t *testing.T, r *rig) {
		const begun = "the words of whoever signed up"
		phc, err := r.Passwords.Hash(t.Context(), begun)
		if err != nil {
			t.Fatal(err)
		}
		ada := r.person(t, "active")
		r.Pending = func(_ context.Context, folded string) (string, error) {
			if folded == "new@example.com" || folded == ada.address {
				return phc, nil
			}
			return "", nil
		}
		for _, c := range []struct {
			address, password string
			kind              fault.Kind
			code              string
		}{
			{"New@Example.com", begun, fault.Forbidden, "not_validated"},
			{"new@example.com", "another word altogether", fault.Unauthenticated, "bad_login"},
			{"nobody@example.com", begun, fault.Unauthenticated, "bad_login"},
			{ada.address, begun, fault.Forbidden, "not_validated"}, // somebody else signed up with her address
			{ada.address, "another word altogether", fault.Unauthenticated, "bad_login"},
		} {
			_, _, err := r.SignIn(t.Context(), Browser, c.address, c.password, Device{})
			faulttest.Want(t, err, c.kind, c.code)
		}
		r.signIn(t, ada, Browser, laptop)
	})
}
