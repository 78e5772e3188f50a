package signin

import (
	"context"
	"testing"

	"rollway/internal/access"
	"rollway/internal/credential"
	"rollway/internal/db"
	"rollway/internal/directory"
	"rollway/internal/fault"
	"rollway/internal/id"
	"rollway/xapi"
)

// A credential minted for a person signs them in, without any right, until it or the account that minted it is revoked.
func TestArrive(t *testing.T) {
	t.Parallel()
	eachRig(t, func(t *testing.T, r *rig) {
		key := r.key
		accounts := access.NewAccounts(r.db, key, r.changes)
		vault := credential.New(r.db, key, accounts, r.changes)
		t.Cleanup(vault.Close)
		people := directory.New(r.db, r.changes, "https://learn.example")
		account := func() access.Caller {
			i, err := accounts.Create(t.Context(), r.boss, access.Request{Name: "lms", Scopes: access.PeopleWrite | access.CredentialsMint})
			if err != nil {
				t.Fatal(err)
			}
			v, err := accounts.Verify(t.Context(), i.Key, i.Secret)
			if err != nil {
				t.Fatal(err)
			}
			return v.Caller
		}
		lms := account()
		ifi, err := xapi.ParseAccount("https://lms.example", "ada")
		if err != nil {
			t.Fatal(err)
		}
		made, err := people.Provision(t.Context(), lms, directory.Claims{Source: directory.ByAPI, Name: "Ada", Agent: xapi.Agent{IFI: ifi}})
		if err != nil {
			t.Fatal(err)
		}
		mint := func(by access.Caller) (access.Caller, string) {
			t.Helper()
			m, err := vault.Mint(t.Context(), by, credential.Request{Agent: made.Primary})
			if err != nil {
				t.Fatal(err)
			}
			header := credential.Child{Username: m.Username, Secret: m.Password}
			c, err := vault.Authenticate(t.Context(), header.Header(), false)
			if err != nil {
				t.Fatal(err)
			}
			return c, m.Username
		}
		arrive := func(c access.Caller) string {
			t.Helper()
			_, token, err := r.Arrive(t.Context(), c, Device{Agent: "browser"})
			if err != nil {
				t.Fatal(err)
			}
			for range 2 {
				got, _, err := r.Authenticate(t.Context(), token)
				if err != nil || got.Kind != access.Person || got.Person != made.Person.ID || got.Scopes != 0 {
					t.Fatalf("%+v %v", got, err)
				}
			}
			return token
		}
		over := func(token string) {
			t.Helper()
			_, _, err := r.Authenticate(t.Context(), token)
			wantFault(t, err, fault.Unauthenticated, "session_invalid")
		}
		c, username := mint(lms)
		token := arrive(c)
		if err := vault.Revoke(t.Context(), lms, username); err != nil {
			t.Fatal(err)
		}
		over(token)

		other := account()
		c, _ = mint(other)
		token = arrive(c)
		if err := accounts.Revoke(t.Context(), r.boss, other.ServiceAccount); err != nil {
			t.Fatal(err)
		}
		over(token)

		c, _ = mint(lms)
		token = arrive(c)
		r.write(t, func(tx *db.Tx) error {
			return access.Grant(t.Context(), tx, r.changes, r.boss, made.Person.ID, access.Admin)
		})
		over(token)
		_, _, err = r.Arrive(t.Context(), c, Device{})
		wantFault(t, err, fault.Forbidden, "person_privileged")
		_, _, err = r.Arrive(t.Context(), lms, Device{})
		wantFault(t, err, fault.Forbidden, "launch_not_a_learner")
		c.Bound.Registration = id.NewRandom[id.RegistrationID]()
		_, _, err = r.Arrive(t.Context(), c, Device{})
		wantFault(t, err, fault.Forbidden, "launch_elsewhere")
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
			wantFault(t, err, c.kind, c.code)
		}
		r.signIn(t, ada, Browser, laptop)
	})
}
