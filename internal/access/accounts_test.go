package access_test

import (
	"strings"
	"testing"
	"time"

	"rollway/internal/access"
	"rollway/internal/db"
	"rollway/internal/db/dbtest"
	"rollway/internal/fault"
	"rollway/internal/id"
)

var boss = access.CommandLine(id.DefaultOrg)

func accountsOf(d *db.DB) *access.Accounts {
	return access.NewAccounts(d, access.NewKey(), access.NewChanges(d))
}

func create(t *testing.T, a *access.Accounts, r access.Request) access.Issued {
	t.Helper()
	if r.Name == "" {
		r.Name = "lms"
	}
	if r.Scopes == 0 {
		r.Scopes = access.PeopleWrite
	}
	i, err := a.Create(t.Context(), boss, r)
	if err != nil {
		t.Fatal(err)
	}
	return i
}

// works reports whether a pair verifies and fails the test on anything but a plain yes or no.
func works(t *testing.T, a *access.Accounts, i access.Issued) bool {
	t.Helper()
	_, err := a.Verify(t.Context(), i.Key, i.Secret)
	if err != nil && !fault.Is(err, fault.Unauthenticated) {
		t.Fatal(err)
	}
	return err == nil
}

func TestServiceAccountVerifies(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		a := accountsOf(d)
		made := create(t, a, access.Request{Name: "lms", Scopes: access.PeopleWrite | access.CredentialsMint, HomePages: []string{"https://lms.example/"}, Expires: time.Hour})
		v, err := a.Verify(t.Context(), made.Key, made.Secret)
		if err != nil {
			t.Fatal(err)
		}
		c := v.Caller
		if c.Org != id.DefaultOrg || c.Kind != access.ServiceAccount || c.Name != "service account lms" || c.ServiceAccount != made.ID ||
			c.Scopes != access.PeopleWrite|access.CredentialsMint || len(c.HomePages) != 1 || !v.Expires.Equal(made.Expires) || made.Expires.Sub(made.Created) != time.Hour {
			t.Fatalf("got %+v", v)
		}
		key, secret, ok := access.SplitToken(made.Token)
		if !ok || key != made.Key || secret != made.Secret || !access.IsKey(key) {
			t.Fatalf("the token %s stands for %s and %s", made.Token, key, secret)
		}
		other := create(t, a, access.Request{})
		refused := map[string]string{}
		for name, p := range map[string][2]string{
			"unknown key": {"rwk_ABCDEFGHIJKLMNOPQRSTUVWXYZ", made.Secret}, "wrong secret": {made.Key, other.Secret},
			"no secret": {made.Key, ""}, "no key": {"", made.Secret}, "secret with a tail": {made.Key, made.Secret + "x"},
		} {
			_, err := a.Verify(t.Context(), p[0], p[1])
			if !fault.Is(err, fault.Unauthenticated) {
				t.Fatalf("%s: %v", name, err)
			}
			refused[err.Error()] = name
		}
		if len(refused) != 1 {
			t.Fatalf("refusals differ: %v", refused)
		}
		list, err := a.List(t.Context(), boss)
		if err != nil || len(list) != 2 || list[0].ID != made.ID || !list[0].Created.Equal(made.Created) || list[0].HomePages[0] != "https://lms.example/" || !list[0].LastUsed.IsZero() {
			t.Fatalf("list: %+v, %v", list, err)
		}
	})
}

func TestServiceAccountExpires(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		a := accountsOf(d)
		made := create(t, a, access.Request{Expires: 50 * time.Millisecond})
		time.Sleep(time.Until(made.Expires) + time.Millisecond)
		if works(t, a, made) {
			t.Fatal("it works after its expiry")
		}
		if _, err := a.Rotate(t.Context(), boss, made.ID, 0); !fault.Is(err, fault.Conflict) {
			t.Fatalf("rotated: %v", err)
		}
	})
}

func TestRotationKeepsTwoLivePairs(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		a := accountsOf(d)
		pairs := []access.Issued{create(t, a, access.Request{Expires: time.Hour})}
		rotate := func(grace time.Duration) {
			t.Helper()
			i, err := a.Rotate(t.Context(), boss, pairs[0].ID, grace)
			if err != nil {
				t.Fatal(err)
			}
			pairs = append(pairs, i)
		}
		shown := func(want string) {
			t.Helper()
			list, err := a.List(t.Context(), boss)
			if err != nil || len(list) != 1 || list[0].Key != want {
				t.Fatalf("%+v, %v, want the key %q", list, err, want)
			}
		}
		expect := func(want string) {
			t.Helper()
			got := ""
			for _, p := range pairs {
				if works(t, a, p) {
					got += "1"
				} else {
					got += "0"
				}
			}
			if got != want {
				t.Fatalf("pairs that work: %s, want %s", got, want)
			}
		}
		expect("1")
		rotate(access.Grace)
		expect("11")
		rotate(access.Grace)
		expect("011")
		shown(pairs[2].Key)
		rotate(0)
		expect("0001")
		shown(pairs[3].Key)
		if v, err := a.Verify(t.Context(), pairs[3].Key, pairs[3].Secret); err != nil || !v.Expires.Equal(pairs[0].Expires) {
			t.Fatalf("the account now ends at %v, %v", v.Expires, err)
		}
		for range 2 {
			if err := a.Revoke(t.Context(), boss, pairs[0].ID); err != nil {
				t.Fatal(err)
			}
		}
		expect("0000")
		shown("")
		if _, err := a.Rotate(t.Context(), boss, pairs[0].ID, 0); !fault.Is(err, fault.Conflict) {
			t.Fatalf("a revoked account was rotated: %v", err)
		}
		if err := a.Revoke(t.Context(), boss, id.New[id.ServiceAccountID]()); !fault.Is(err, fault.NotFound) {
			t.Fatalf("revoked an unknown one: %v", err)
		}
		lines, err := access.Trail(t.Context(), d, boss, id.EntryID{}, 10)
		if err != nil || len(lines) != 5 || lines[0].Action != "service_account.revoke" {
			t.Fatalf("%d lines: %+v, %v", len(lines), lines, err)
		}
		for _, l := range lines {
			for _, p := range pairs {
				if strings.Contains(l.Detail, p.Secret[4:]) {
					t.Fatalf("a secret is in the trail: %+v", l)
				}
			}
		}
	})
}

func TestServiceAccountsBelongToOneOrganization(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		a := accountsOf(d)
		made := create(t, a, access.Request{})
		stranger := access.CommandLine(2)
		if list, err := a.List(t.Context(), stranger); err != nil || len(list) != 0 {
			t.Fatalf("another organization sees %v, %v", list, err)
		}
		if err := a.Revoke(t.Context(), stranger, made.ID); !fault.Is(err, fault.NotFound) {
			t.Fatalf("another organization revoked it: %v", err)
		}
		weak := access.Caller{Org: id.DefaultOrg, Kind: access.ServiceAccount, Scopes: access.All | access.PeopleWrite}
		_, create := a.Create(t.Context(), weak, access.Request{Name: "x", Scopes: access.All})
		_, rotate := a.Rotate(t.Context(), weak, made.ID, 0)
		_, list := a.List(t.Context(), weak)
		for what, err := range map[string]error{"create": create, "rotate": rotate, "list": list, "revoke": a.Revoke(t.Context(), weak, made.ID)} {
			if !fault.Is(err, fault.Forbidden) {
				t.Errorf("%s without the scope: %v", what, err)
			}
		}
	})
}

func TestCreateRefuses(t *testing.T) {
	a := accountsOf(dbtest.Open(t, db.SQLite))
	good := access.Request{Name: "x", Scopes: access.SCIM}
	for name, spoil := range map[string]func(*access.Request){
		"no name":          func(r *access.Request) { r.Name = " " },
		"long name":        func(r *access.Request) { r.Name = strings.Repeat("x", 101) },
		"line in name":     func(r *access.Request) { r.Name = "a\nb" },
		"not UTF-8":        func(r *access.Request) { r.Name = "a\xff" },
		"no scopes":        func(r *access.Request) { r.Scopes = 0 },
		"past":             func(r *access.Request) { r.Expires = -1 },
		"relative prefix":  func(r *access.Request) { r.HomePages = []string{"/lms"} },
		"no host":          func(r *access.Request) { r.HomePages = []string{"https:///lms"} },
		"user in prefix":   func(r *access.Request) { r.HomePages = []string{"https://a@lms.example"} },
		"query in prefix":  func(r *access.Request) { r.HomePages = []string{"https://lms.example/?x"} },
		"too many":         func(r *access.Request) { r.HomePages = make([]string, 101) },
		"one bad of three": func(r *access.Request) { r.HomePages = []string{"https://a.example", "", "https://b.example"} },
	} {
		r := good
		spoil(&r)
		if _, err := a.Create(t.Context(), boss, r); !fault.Is(err, fault.Invalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestNoteUse(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		a := accountsOf(d)
		made := create(t, a, access.Request{})
		at := time.UnixMicro(1_700_000_000_000_000).UTC()
		for _, when := range []time.Time{at.Add(-time.Hour), at, at.Add(-time.Minute)} {
			if err := a.NoteUse(t.Context(), []access.Use{{Org: id.DefaultOrg, Account: made.ID, At: when}}); err != nil {
				t.Fatal(err)
			}
		}
		if list, err := a.List(t.Context(), boss); err != nil || !list[0].LastUsed.Equal(at) {
			t.Fatalf("last used %v, %v", list[0].LastUsed, err)
		}
	})
}

func FuzzSplitToken(f *testing.F) {
	f.Add("rwt_" + strings.Repeat("A", 78))
	f.Add("rwt_")
	f.Fuzz(func(t *testing.T, token string) {
		key, secret, ok := access.SplitToken(token)
		if ok && (!access.IsKey(key) || "rwt_"+key[4:]+secret[4:] != token) {
			t.Fatalf("%q became %q and %q", token, key, secret)
		}
	})
}
