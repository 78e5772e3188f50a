package signin

import (
	"context"
	"strings"
	"testing"
	"time"

	"rollway/internal/access"
	"rollway/internal/db"
	"rollway/internal/db/dbtest"
	"rollway/internal/fault"
	"rollway/internal/id"
)

func TestSessionOfAPerson(t *testing.T) {
	t.Parallel()
	eachRig(t, func(t *testing.T, r *rig) {
		ada := r.person(t, "active")
		s, token := r.signIn(t, ada, Browser, laptop)
		c, again, err := r.Authenticate(t.Context(), token)
		if err != nil {
			t.Fatal(err)
		}
		if c.Kind != access.Person || c.Person != ada.id || c.Org != 1 || c.Scopes != 0 || c.Signin != s.ID || c.Bound != nil || c.Name != "person "+ada.id.String() {
			t.Errorf("caller %+v", c)
		}
		if again != s || s.Group != "192.0.2.7" || s.Agent != laptop.Agent || s.Kind != Browser || s.Expires.Sub(s.Created) != lives[Browser].Idle {
			t.Errorf("%+v\nis not\n%+v", again, s)
		}
		// Rights hold from the next request on, and no longer than they are granted.
		for _, step := range []struct {
			do   func(context.Context, *db.Tx, *access.Changes, access.Caller, id.PersonID, access.Scope) error
			want access.Scope
		}{{access.Grant, access.PeopleRead}, {access.RevokeGrant, 0}} {
			r.write(t, func(tx *db.Tx) error { return step.do(t.Context(), tx, r.changes, r.boss, ada.id, access.PeopleRead) })
			if c, _, err = r.Authenticate(t.Context(), token); err != nil || c.Scopes != step.want {
				t.Fatalf("rights %v, %v", c.Scopes, err)
			}
		}
		r.write(t, func(tx *db.Tx) error {
			if err := access.Grant(t.Context(), tx, r.changes, r.boss, ada.id, access.ContentWrite); err != nil {
				return err
			}
			return access.Grant(t.Context(), tx, r.changes, r.boss, ada.id, access.PeopleWrite)
		})
		if c, _, err = r.Authenticate(t.Context(), token); err != nil || c.Scopes != access.ContentWrite|access.PeopleWrite {
			t.Fatalf("rights %v, %v", c.Scopes, err)
		}
		r.expect(t, "none", "", "session_missing")
		r.expect(t, "another", newToken(), "session_invalid")
		r.expect(t, "a long one", strings.Repeat("x", 5000), "session_invalid")
	})
}

func TestTokensAreNotInTheDatabase(t *testing.T) {
	t.Parallel()
	eachRig(t, func(t *testing.T, r *rig) {
		_, token := r.signIn(t, r.person(t, "active"), Browser, laptop)
		err := r.db.Read(t.Context(), func(tx *db.Tx) error {
			return tx.Each(t.Context(), "SELECT token_hash FROM signin_tokens", nil, func(rows *db.Rows) error {
				var hash []byte
				err := rows.Scan(&hash)
				if len(hash) != 32 || strings.Contains(string(hash), token) {
					t.Error("a token is kept as it is")
				}
				return err
			})
		})
		if err != nil {
			t.Fatal(err)
		}
	})
}

func TestEnd(t *testing.T) {
	t.Parallel()
	eachRig(t, func(t *testing.T, r *rig) {
		ada, eve := r.person(t, "active"), r.person(t, "active")
		var told []id.SigninID
		r.Ended = func(_ context.Context, _ *db.Tx, _ id.OrgID, person id.PersonID, sessions []id.SigninID) error {
			if person != ada.id {
				t.Error("told of somebody else")
			}
			told = append([]id.SigninID{}, sessions...)
			return nil
		}
		first, one := r.signIn(t, ada, Browser, laptop)
		_, two := r.signIn(t, ada, Dialect, from("2001:db8:1:2:3::4"))
		third, three := r.signIn(t, ada, Browser, Device{})
		_, other := r.signIn(t, eve, Browser, laptop)
		me, _, err := r.Authenticate(t.Context(), one)
		if err != nil {
			t.Fatal(err)
		}
		her, _, err := r.Authenticate(t.Context(), other)
		if err != nil {
			t.Fatal(err)
		}
		list, err := r.List(t.Context(), me, id.PersonID{})
		if err != nil || len(list) != 3 || list[2] != first || list[1].Group != "2001:db8:1:2::/64" || list[1].Kind != Dialect {
			t.Fatalf("%+v, %v", list, err)
		}
		wantCode(t, "somebody else's list", listOf(t, r, her, ada.id), "scope_missing")
		wantCode(t, "a list without a person", listOf(t, r, r.boss, id.PersonID{}), "session_missing")
		wantCode(t, "an administrator's list", listOf(t, r, r.boss, ada.id), "")
		wantCode(t, "another's session", r.End(t.Context(), her, first.ID), "session_unknown")
		wantCode(t, "of another organization", r.End(t.Context(), access.CommandLine(2), first.ID), "session_unknown")
		wantCode(t, "one's own", r.End(t.Context(), me, third.ID), "")
		if len(told) != 1 || told[0] != third.ID {
			t.Errorf("told %v", told)
		}
		wantCode(t, "twice", r.End(t.Context(), me, third.ID), "session_unknown")
		r.expect(t, "ended", three, "session_invalid")
		r.expect(t, "another", two, "")
		if n, err := r.EndAll(t.Context(), me, id.PersonID{}); err != nil || n != 1 {
			t.Fatal(n, err)
		}
		r.expect(t, "one's own, when all others end", one, "")
		r.expect(t, "another, when all end", two, "session_invalid")
		if _, err := r.EndAll(t.Context(), her, ada.id); !fault.Is(err, fault.Forbidden) {
			t.Error(err)
		}
		if n, err := r.EndAll(t.Context(), r.boss, ada.id); err != nil || n != 1 {
			t.Fatal(n, err)
		}
		r.expect(t, "ended by an administrator", one, "session_invalid")
		r.expect(t, "somebody else's", other, "")
	})
}

func listOf(t *testing.T, r *rig, c access.Caller, person id.PersonID) error {
	_, err := r.List(t.Context(), c, person)
	return err
}

// TestRotation: whoever signs in gets a new token, and the one the browser had is over, whosever it was.
func TestRotation(t *testing.T) {
	t.Parallel()
	eachRig(t, func(t *testing.T, r *rig) {
		ada, eve := r.person(t, "active"), r.person(t, "active")
		_, planted := r.signIn(t, eve, Browser, laptop)
		device := laptop
		device.Before = planted
		_, token := r.signIn(t, ada, Browser, device)
		if token == planted {
			t.Fatal("the token is the same")
		}
		r.expect(t, "the planted one", planted, "session_invalid")
		r.expect(t, "the new one", token, "")
		device.Before = "not a token"
		r.signIn(t, ada, Browser, device)
		device.Before = newToken()
		r.signIn(t, ada, Browser, device)
		r.expect(t, "the one on another device", token, "")
		// A sign-in that fails ends nothing.
		device.Before = token
		_, _, err := r.SignIn(t.Context(), Browser, ada.address, "not it", device)
		wantCode(t, "wrong", err, "bad_login")
		r.expect(t, "after a failure", token, "")
	})
}

func TestStateOfThePerson(t *testing.T) {
	t.Parallel()
	eachRig(t, func(t *testing.T, r *rig) {
		ada := r.person(t, "active")
		_, token := r.signIn(t, ada, Browser, laptop)
		r.expect(t, "active", token, "")
		r.setState(t, ada, "suspended")
		r.expect(t, "suspended", token, "person_suspended")
		_, _, err := r.SignIn(t.Context(), Browser, ada.address, ada.password, laptop)
		wantCode(t, "suspended", err, "person_suspended")
		_, _, err = r.Begin(t.Context(), 1, ada.id, Browser, laptop)
		wantCode(t, "suspended", err, "person_suspended")
		r.setState(t, ada, "active")
		r.expect(t, "resumed", token, "session_invalid")
		_, token = r.signIn(t, ada, Browser, laptop)
		r.expect(t, "signed in anew", token, "")

		bob := r.person(t, "pending")
		_, _, err = r.SignIn(t.Context(), Browser, bob.address, bob.password, laptop)
		wantCode(t, "pending", err, "not_validated")
		_, _, err = r.SignIn(t.Context(), Browser, bob.address, "not it", laptop)
		wantCode(t, "pending and wrong", err, "bad_login")
		_, _, err = r.Begin(t.Context(), 1, bob.id, Browser, laptop)
		wantCode(t, "pending", err, "person_pending")
		_, _, err = r.Begin(t.Context(), 1, id.New[id.PersonID](), Browser, laptop)
		wantCode(t, "nobody", err, "person_unknown")
		r.setState(t, bob, "active")
		if _, token, err = r.Begin(t.Context(), 1, bob.id, Browser, laptop); err != nil {
			t.Fatal(err)
		}
		r.expect(t, "begun without a password", token, "")
	})
}

func TestExpiry(t *testing.T) {
	t.Parallel()
	eachRig(t, func(t *testing.T, r *rig) {
		ada := r.person(t, "active")
		_, idle := r.signIn(t, ada, Dialect, laptop)
		_, busy := r.signIn(t, ada, Dialect, laptop)
		r.pass(lives[Dialect].Idle - time.Minute)
		r.expect(t, "just before", busy, "")
		r.pass(2 * time.Minute)
		r.expect(t, "idle", idle, "session_invalid")
		for range 25 {
			r.expect(t, "used", busy, "")
			r.pass(50 * time.Minute)
			if r.clock.Load()%2 == 0 { // what is remembered and what is stored come to the same
				if err := r.writeSeen(t.Context()); err != nil {
					t.Fatal(err)
				}
				r.known.Hear(access.Change{Kind: access.PersonChanged, Subject: ada.id})
			}
		}
		r.pass(lives[Dialect].Most - 25*50*time.Minute)
		r.expect(t, "however much it is used", busy, "session_invalid")
		r.pass(3 * time.Hour)
		if err := r.Sweep(t.Context()); err != nil {
			t.Fatal(err)
		}
		for _, table := range []string{"signin_sessions", "signin_tokens"} {
			if n := r.rows(t, table); n != 0 {
				t.Errorf("%d rows are left in %s", n, table)
			}
		}
	})
}

// TestRunWritesLastUses, at the latest when it ends.
func TestRunWritesLastUses(t *testing.T) {
	t.Parallel()
	eachRig(t, func(t *testing.T, r *rig) {
		s, token := r.signIn(t, r.person(t, "active"), Browser, laptop)
		r.pass(time.Hour)
		r.expect(t, "used", token, "")
		ctx, stop := context.WithCancel(t.Context())
		stop()
		r.Run(ctx, func(err error) { t.Error(err) })
		var seen time.Time
		err := r.db.Read(t.Context(), func(tx *db.Tx) error {
			return tx.Row(t.Context(), "SELECT seen FROM signin_sessions WHERE org_id = 1 AND id = ?", s.ID).Scan(&seen)
		})
		if err != nil || seen.Sub(s.Created) < time.Hour {
			t.Errorf("seen %v after it began, %v", seen.Sub(s.Created), err)
		}
		if len(r.seen.at) != 0 {
			t.Error("what was written is kept")
		}
	})
}

func (r *rig) rows(t *testing.T, table string) (n int) {
	t.Helper()
	if err := r.db.Read(t.Context(), func(tx *db.Tx) error { return tx.Row(t.Context(), "SELECT count(*) FROM "+table).Scan(&n) }); err != nil {
		t.Fatal(err)
	}
	return n
}

// TestTwoProcesses: an end and a suspension hold at once where they happen and within two seconds elsewhere; a use that one
// process knows of is known to the other once it is written.
func TestTwoProcesses(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		key := access.NewKey()
		here, there := newRigWith(t, d, key), newRigWith(t, d, key)
		ctx, stop := context.WithCancel(t.Context())
		defer stop()
		go there.changes.Poll(ctx, func(err error) { t.Error(err) })
		ada, bob := here.person(t, "active"), here.person(t, "active")
		s, token := here.signIn(t, ada, Browser, laptop)
		_, other := here.signIn(t, bob, Browser, laptop)
		for _, r := range []*rig{here, there} {
			r.expect(t, "signed in", token, "")
			r.expect(t, "signed in", other, "")
		}
		if err := here.End(t.Context(), here.boss, s.ID); err != nil {
			t.Fatal(err)
		}
		here.setState(t, bob, "suspended")
		here.expect(t, "ended", token, "session_invalid")
		here.expect(t, "suspended", other, "person_suspended")
		until := time.Now().Add(2 * time.Second)
		for there.try(t, token) == "" || there.try(t, other) == "" {
			if time.Now().After(until) {
				t.Fatal("the other process still accepts it after 2 s")
			}
			time.Sleep(20 * time.Millisecond)
		}
	})
}

func TestShorten(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"":                          "",
		"curl/8.1":                  "curl/8.1",
		"a\r\nSet-Cookie: b\x00\tc": "a Set-Cookie: b c",
		"\xff\xfebad":               "bad",
		strings.Repeat("ü", 200):    strings.Repeat("ü", 78) + "…",
	} {
		if got := shorten(text); got != want || len(got) > maxAgent {
			t.Errorf("%q: %q", text, got)
		}
	}
}
