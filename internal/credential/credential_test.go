package credential

import (
	"encoding/base64"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"rollway/internal/access"
	"rollway/internal/db"
	"rollway/internal/db/dbtest"
	"rollway/internal/fault"
	"rollway/internal/fault/faulttest"
	"rollway/internal/id"
	"rollway/xapi"
)

func TestMintedCredentialActsForItsAgent(t *testing.T) {
	eachRig(t, func(t *testing.T, r *rig) {
		p := r.person(t, "active")
		named := p.second
		named.Name, p.second.Name = strings.Repeat("Ada", 300_000), "" // the name is not kept
		m, err := r.Mint(t.Context(), r.lms, Request{Username: "RANDOM_KEY", Password: "RANDOM_SECRET_16", Agent: named})
		if err != nil {
			t.Fatal(err)
		}
		if m.Username != "RANDOM_KEY" || m.Password != "" || time.Until(m.Expires) > time.Hour || time.Until(m.Expires) < 59*time.Minute {
			t.Fatalf("got %+v", m)
		}
		want := access.Caller{Org: 1, Kind: access.Credential, Name: "credential RANDOM_KEY", Scopes: access.Learner, Credential: m.ID,
			Bound: &access.Bound{Person: p.id, Agent: p.second}}
		pair := base64.StdEncoding.EncodeToString([]byte("RANDOM_KEY:RANDOM_SECRET_16"))
		for range 2 { // from the database, then from memory
			for _, header := range []string{"Basic " + pair, "basic " + pair, "BASIC   " + pair} {
				c, err := r.Authenticate(t.Context(), header, false)
				if err != nil || !reflect.DeepEqual(c, want) {
					t.Fatalf("%s: got %+v %+v, %v", header, c, c.Bound, err)
				}
			}
			if c, err := r.AuthenticateBasic(t.Context(), "RANDOM_KEY", "RANDOM_SECRET_16"); err != nil || !reflect.DeepEqual(c, want) {
				t.Fatalf("got %+v, %v", c, err)
			}
		}
		lines, err := access.Trail(t.Context(), r.db, r.boss, id.EntryID{}, 1)
		if err != nil || lines[0].Action != "credential.mint" || lines[0].Caller != "service account lms" || strings.Contains(lines[0].Detail, "SECRET") {
			t.Fatalf("the trail says %+v, %v", lines, err)
		}
	})
}

func TestMintMakesAPair(t *testing.T) {
	eachRig(t, func(t *testing.T, r *rig) {
		p := r.person(t, "active")
		a, b := r.mint(t, p), r.mint(t, p)
		if a.Username == b.Username || a.Password == b.Password || len(a.Password) < 43 {
			t.Fatalf("made %+v and %+v", a, b)
		}
		r.expect(t, "first", a, "")
		r.expect(t, "second", b, "")
		r.expect(t, "mixed", Result{Username: a.Username, Password: b.Password}, "credential_invalid")
	})
}

func TestMintRefuses(t *testing.T) {
	eachRig(t, func(t *testing.T, r *rig) {
		p, suspended, pending, admin := r.person(t, "active"), r.person(t, "suspended"), r.person(t, "pending"), r.person(t, "active")
		r.grant(t, admin)
		all := r.account(t, access.Admin)
		for name, c := range map[string]struct {
			caller access.Caller
			spoil  func(*Request)
			kind   fault.Kind
			code   string
		}{
			"scope":                {access.Caller{Org: 1, Scopes: access.PeopleWrite | access.All}, func(*Request) {}, fault.Forbidden, "scope_missing"},
			"unknown agent":        {r.lms, func(q *Request) { q.Agent = agentNamed("nobody") }, fault.NotFound, "actor_unknown"},
			"another organization": {access.CommandLine(2), func(*Request) {}, fault.NotFound, "actor_unknown"},
			"suspended":            {r.lms, func(q *Request) { q.Agent = suspended.agent }, fault.Forbidden, "person_suspended"},
			"pending":              {r.lms, func(q *Request) { q.Agent = pending.agent }, fault.Forbidden, "person_pending"},
			"administrator":        {r.lms, func(q *Request) { q.Agent = admin.second }, fault.Forbidden, "person_privileged"},
			"administrator by all": {all, func(q *Request) { q.Agent = admin.agent }, fault.Forbidden, "person_privileged"},
			"no agent":             {r.lms, func(q *Request) { q.Agent = xapi.Agent{} }, fault.Invalid, "actor_missing"},
			"too short":            {r.lms, func(q *Request) { q.TTL = time.Minute - 1 }, fault.Invalid, "ttl"},
			"negative":             {r.lms, func(q *Request) { q.TTL = -time.Minute }, fault.Invalid, "ttl"},
			"too long":             {r.lms, func(q *Request) { q.TTL = 7*24*time.Hour + 1 }, fault.Invalid, "ttl"},
			"user name alone":      {r.lms, func(q *Request) { q.Password = "" }, fault.Invalid, "username"},
			"password alone":       {r.lms, func(q *Request) { q.Username = "" }, fault.Invalid, "username"},
			"reserved":             {r.lms, func(q *Request) { q.Username = "rwk_12345678" }, fault.Invalid, "username"},
			"the guide's password": {r.lms, func(q *Request) { q.Password = "RANDOM_SECRET" }, fault.Invalid, "password"},
		} {
			q := Request{Username: unique("user"), Password: "0123456789abcdef", Agent: p.agent}
			c.spoil(&q)
			_, err := r.Mint(t.Context(), c.caller, q)
			if !fault.Is(err, c.kind) || fault.Of(err).Code != c.code {
				t.Errorf("%s: %v (%s)", name, err, fault.Of(err).Code)
			}
			if got := r.try(t, q.Username, q.Password); got != "credential_invalid" {
				t.Errorf("%s: afterwards %q", name, got)
			}
		}
		for _, ttl := range []time.Duration{time.Minute, 7 * 24 * time.Hour} {
			if m, err := r.Mint(t.Context(), r.lms, Request{Agent: p.agent, TTL: ttl}); err != nil || m.Expires.Sub(r.now()) > ttl {
				t.Errorf("%v: %v %v", ttl, m, err)
			}
		}
	})
}

func TestCheckPair(t *testing.T) {
	long := strings.Repeat("x", 255)
	for _, c := range []struct {
		username, password, want string
	}{
		{"12345678", "0123456789abcdef", ""},
		{long, long, ""},
		{"Zoë Ünïcode", "pass:word with blanks", ""},
		{"1234567", long, "username"},
		{long + "x", long, "username"},
		{"with:colon", long, "username"},
		{"with\nline", long, "username"},
		{"with\x7fdelete", long, "username"},
		{"with\u0085next line", long, "username"},
		{"invalid\xff", long, "username"},
		{"12345678", "0123456789abcde", "password"},
		{"12345678", long + "x", "password"},
		{"12345678", "0123456789abcde\x00", "password"},
		{"12345678", "0123456789abcde\xff", "password"},
	} {
		if got := faulttest.Code(t, checkPair(c.username, c.password)); got != c.want {
			t.Errorf("%.20q, %.20q: %q, want %q", c.username, c.password, got, c.want)
		}
	}
}

func TestUsernameIsUsedOnceForEver(t *testing.T) {
	eachRig(t, func(t *testing.T, r *rig) {
		p := r.person(t, "active")
		q := Request{Username: "only-once", Password: "0123456789abcdef", Agent: p.agent, TTL: time.Minute}
		var won, lost int
		var mu sync.Mutex
		var all sync.WaitGroup
		for range 50 {
			all.Go(func() {
				_, err := r.Mint(t.Context(), r.lms, q)
				mu.Lock()
				defer mu.Unlock()
				switch {
				case err == nil:
					won++
				case fault.Is(err, fault.Conflict) && fault.Of(err).Code == "username_taken":
					lost++
				default:
					t.Error(err)
				}
			})
		}
		all.Wait()
		if won != 1 || lost != 49 {
			t.Fatalf("%d won, %d were told that the name is taken", won, lost)
		}
		again := func(when string) {
			t.Helper()
			if _, err := r.Mint(t.Context(), r.lms, q); !fault.Is(err, fault.Conflict) {
				t.Fatalf("%s: %v", when, err)
			}
		}
		r.pass(2 * time.Minute)
		again("after expiry")
		if err := r.Revoke(t.Context(), r.lms, q.Username); err != nil {
			t.Fatal(err)
		}
		again("after revocation")
		if _, err := r.Mint(t.Context(), r.boss, q); !fault.Is(err, fault.Conflict) {
			t.Fatalf("by another: %v", err)
		}
	})
}

func TestUserNamesThatDifferByCaseAreTaken(t *testing.T) {
	eachRig(t, func(t *testing.T, r *rig) {
		p := r.person(t, "active")
		q := Request{Username: "Zoë-Learner", Password: "0123456789abcdef", Agent: p.agent}
		m, err := r.Mint(t.Context(), r.lms, q)
		if err != nil {
			t.Fatal(err)
		}
		m.Password = q.Password
		for _, name := range []string{"zoë-learner", "ZOË-LEARNER", "Zoe\u0308-Learner"} {
			q.Username = name
			if _, err := r.Mint(t.Context(), r.lms, q); !fault.Is(err, fault.Conflict) {
				t.Errorf("%s: %v", name, err)
			}
			r.expect(t, name, Result{Username: name, Password: q.Password}, "credential_invalid")
			if err := r.Revoke(t.Context(), r.boss, name); !fault.Is(err, fault.NotFound) {
				t.Errorf("%s: %v", name, err)
			}
		}
		r.expect(t, "as given out", m, "")
	})
}

// TestManyMintsAtOnce has good and bad ones share transactions.
func TestManyMintsAtOnce(t *testing.T) {
	eachRig(t, func(t *testing.T, r *rig) {
		p, suspended := r.person(t, "active"), r.person(t, "suspended")
		var all sync.WaitGroup
		for i := range 300 {
			all.Go(func() {
				q, want := Request{Agent: p.agent}, ""
				switch i % 5 {
				case 1:
					q.Agent, want = suspended.agent, "person_suspended"
				case 2:
					q.Agent, want = agentNamed("nobody"), "actor_unknown"
				}
				m, err := r.Mint(t.Context(), r.lms, q)
				if got := faulttest.Code(t, err); got != want {
					t.Errorf("%d: %q, want %q", i, got, want)
				} else if want == "" {
					r.expect(t, "minted", m, "")
				}
			})
		}
		all.Wait()
		list, err := r.ListOfPerson(t.Context(), r.boss, p.id)
		if err != nil || len(list) != 180 {
			t.Fatalf("%d credentials, %v", len(list), err)
		}
	})
}

func TestUnboundCredentialActsForItsMinter(t *testing.T) {
	eachRig(t, func(t *testing.T, r *rig) {
		by := r.account(t, access.CredentialsMint|access.CredentialsUnbound|access.PeopleRead|access.AllRead)
		m, err := r.Mint(t.Context(), by, Request{})
		if err != nil {
			t.Fatal(err)
		}
		c, err := r.AuthenticateBasic(t.Context(), m.Username, m.Password)
		if err != nil || c.Bound != nil || c.Kind != access.Credential || !c.Scopes.Has(access.PeopleRead|access.AllRead) ||
			c.Scopes.Has(access.CredentialsMint) || c.Scopes.Has(access.CredentialsUnbound) || c.Scopes.Has(access.StatementsWrite) {
			t.Fatalf("got %+v, %v", c, err)
		}
		for name, s := range map[string]access.Scope{"not held": access.StatementsWrite, "not to be handed on": access.CredentialsMint, "wider": access.All, "admin": access.Admin} {
			if _, err := r.Mint(t.Context(), by, Request{Scopes: s}); !fault.Is(err, fault.Forbidden) {
				t.Errorf("%s: %v", name, err)
			}
		}
		boss := r.account(t, access.Admin)
		wide, err := r.Mint(t.Context(), boss, Request{})
		if err != nil {
			t.Fatal(err)
		}
		if c, err = r.AuthenticateBasic(t.Context(), wide.Username, wide.Password); err != nil || c.Scopes.Has(access.Admin) || !c.Scopes.Has(access.All|access.SCIM) {
			t.Fatalf("got %+v, %v", c, err)
		}
		narrow, err := r.Mint(t.Context(), by, Request{Scopes: access.StatementsRead})
		if err != nil {
			t.Fatal(err)
		}
		if c, err = r.AuthenticateBasic(t.Context(), narrow.Username, narrow.Password); err != nil || c.Scopes.Has(access.AllRead) || !c.Scopes.Has(access.StatementsRead) {
			t.Fatalf("got %+v, %v", c, err)
		}
		if _, err := r.Mint(t.Context(), r.account(t, access.CredentialsMint|access.CredentialsUnbound), Request{}); !fault.Is(err, fault.Invalid) {
			t.Fatalf("a credential for nothing: %v", err)
		}
		if err := r.accounts.Revoke(t.Context(), r.boss, by.ServiceAccount); err != nil {
			t.Fatal(err)
		}
		r.expect(t, "its minter is revoked", m, "credential_revoked")
		r.expect(t, "another's is not", wide, "")
	})
}

func TestUnboundCredentialIsBoundToItsMintersHomePages(t *testing.T) {
	eachRig(t, func(t *testing.T, r *rig) {
		pages := []string{"https://lms.example/a", "https://lms.example/b"}
		i, err := r.accounts.Create(t.Context(), r.boss, access.Request{Name: "bound", Scopes: access.Admin, HomePages: pages})
		if err != nil {
			t.Fatal(err)
		}
		by, err := r.AuthenticateBasic(t.Context(), i.Key, i.Secret)
		if err != nil {
			t.Fatal(err)
		}
		m, err := r.Mint(t.Context(), by, Request{})
		if err != nil {
			t.Fatal(err)
		}
		for range 2 { // from the database, then from memory
			c, err := r.AuthenticateBasic(t.Context(), m.Username, m.Password)
			if err != nil || !slices.Equal(c.HomePages, pages) || by.Scopes.Full()&c.Scopes != c.Scopes {
				t.Fatalf("got %+v, %v", c, err)
			}
		}
	})
}

func TestUnboundCredentialEndsWithItsMinter(t *testing.T) {
	eachRig(t, func(t *testing.T, r *rig) {
		i, err := r.accounts.Create(t.Context(), r.boss, access.Request{Name: "short", Scopes: access.Admin, Expires: time.Hour})
		if err != nil {
			t.Fatal(err)
		}
		by, err := r.AuthenticateBasic(t.Context(), i.Key, i.Secret)
		if err != nil {
			t.Fatal(err)
		}
		m, err := r.Mint(t.Context(), by, Request{TTL: 2 * time.Hour})
		if err != nil {
			t.Fatal(err)
		}
		r.expect(t, "before", m, "")
		r.pass(time.Hour)
		r.expect(t, "after the minter's expiry", m, "credential_expired")
	})
}

func TestServiceAccountAuthenticates(t *testing.T) {
	eachRig(t, func(t *testing.T, r *rig) {
		i, err := r.accounts.Create(t.Context(), r.boss, access.Request{Name: "hr", Scopes: access.PeopleWrite, Expires: time.Hour})
		if err != nil {
			t.Fatal(err)
		}
		basic := "Basic " + base64.StdEncoding.EncodeToString([]byte(i.Key+":"+i.Secret))
		carriers := []struct {
			header string
			api    bool
			want   string
		}{
			{basic, false, ""}, {basic, true, ""}, {"Bearer " + i.Token, false, ""}, {"bearer  " + i.Token, true, ""}, {i.Token, true, ""},
			{i.Token, false, "authorization_malformed"}, {"Bearer " + i.Token + "x", true, "credential_invalid"},
			{"Bearer " + i.Key, true, "credential_invalid"}, {"Digest " + i.Token, true, "authorization_malformed"},
		}
		check := func(over bool) {
			t.Helper()
			for range 2 {
				for _, c := range carriers {
					want := c.want
					if over && want == "" {
						want = "credential_invalid"
					}
					got, err := r.Authenticate(t.Context(), c.header, c.api)
					if faulttest.Code(t, err) != want || (want == "" && (got.ServiceAccount != i.ID || got.Kind != access.ServiceAccount || got.Scopes != access.PeopleWrite)) {
						t.Fatalf("%s (api %v): %+v, %v", c.header, c.api, got, err)
					}
				}
			}
		}
		check(false)
		if err := r.writeUses(t.Context(), false); err != nil {
			t.Fatal(err)
		}
		list, err := r.accounts.List(t.Context(), r.boss)
		if err != nil || time.Since(list[len(list)-1].LastUsed) > time.Minute {
			t.Fatalf("%+v, %v", list, err)
		}
		if err := r.accounts.Revoke(t.Context(), r.boss, i.ID); err != nil {
			t.Fatal(err)
		}
		check(true)
	})
}

func TestListAndRevokeAreForTheMinterAndAdministrators(t *testing.T) {
	eachRig(t, func(t *testing.T, r *rig) {
		p, other := r.person(t, "active"), r.account(t, access.CredentialsMint)
		mine := r.mint(t, p)
		second, err := r.Mint(t.Context(), r.lms, Request{Agent: p.second})
		if err != nil {
			t.Fatal(err)
		}
		theirs, err := r.Mint(t.Context(), other, Request{Agent: p.agent})
		if err != nil {
			t.Fatal(err)
		}
		child := r.launch(t, p, mine.ID)
		names := func(c access.Caller, agent xapi.IFI) string {
			t.Helper()
			list, err := r.ListOfPerson(t.Context(), c, p.id)
			if !agent.IsZero() {
				list, err = r.List(t.Context(), c, agent)
			}
			if err != nil {
				t.Fatal(err)
			}
			word := map[string]string{mine.Username: "mine", second.Username: "second", theirs.Username: "theirs", child.Username: "child"}
			var out []string
			for _, k := range list {
				out = append(out, word[k.Username])
			}
			return strings.Join(out, " ")
		}
		for got, want := range map[string]string{
			names(r.boss, xapi.IFI{}): "child theirs second mine", names(r.boss, p.agent.IFI): "child theirs mine",
			names(r.lms, xapi.IFI{}): "second mine", names(r.lms, p.agent.IFI): "mine", names(other, p.second.IFI): "",
		} {
			if got != want {
				t.Errorf("got %q, want %q", got, want)
			}
		}
		if _, err := r.List(t.Context(), r.lms, agentNamed("nobody").IFI); !fault.Is(err, fault.NotFound) {
			t.Errorf("of an unknown agent: %v", err)
		}
		weak := access.Caller{Org: 1, Scopes: access.PeopleRead}
		if _, err := r.List(t.Context(), weak, p.agent.IFI); !fault.Is(err, fault.Forbidden) {
			t.Errorf("without the scope: %v", err)
		}
		if err := r.Revoke(t.Context(), weak, mine.Username); !fault.Is(err, fault.Forbidden) {
			t.Errorf("without the scope: %v", err)
		}
		for name, c := range map[string]struct {
			by       access.Caller
			username string
		}{"unknown": {r.boss, "nobody-has-this"}, "another's": {r.lms, theirs.Username}, "a launch's": {r.lms, child.Username}, "another organization's": {access.CommandLine(2), mine.Username}} {
			if err := r.Revoke(t.Context(), c.by, c.username); !fault.Is(err, fault.NotFound) || fault.Of(err).Code != "credential_unknown" {
				t.Errorf("%s: %v", name, err)
			}
		}
		for range 2 {
			if err := r.Revoke(t.Context(), r.lms, mine.Username); err != nil {
				t.Fatal(err)
			}
		}
		if err := r.Revoke(t.Context(), r.boss, theirs.Username); err != nil {
			t.Fatal(err)
		}
		list, err := r.ListOfPerson(t.Context(), r.boss, p.id)
		if err != nil || list[0].Kind != Launch || list[0].Revoked.IsZero() || list[0].Parent != mine.ID || list[1].Revoked.IsZero() || !list[2].Revoked.IsZero() || list[3].MintedBy != r.lms.ServiceAccount {
			t.Fatalf("%+v, %v", list, err)
		}
		lines, err := access.Trail(t.Context(), r.db, r.boss, id.EntryID{}, 3)
		if err != nil || lines[0].Subject != "credential "+theirs.Username || lines[1].Subject != "credential "+mine.Username || lines[2].Action != "credential.mint" {
			t.Fatalf("%+v, %v", lines, err)
		}
	})
}

// TestSecretsAreNotInTheDatabase looks for them in every column of every table of this room's.
func TestSecretsAreNotInTheDatabase(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		r := newRig(t, d)
		p := r.person(t, "active")
		m := r.mint(t, p)
		c := r.launch(t, p, m.ID)
		i, err := r.accounts.Create(t.Context(), r.boss, access.Request{Name: "x", Scopes: access.SCIM})
		if err != nil {
			t.Fatal(err)
		}
		for _, table := range []string{"credentials", "credential_names", "service_accounts", "service_account_secrets", "audit_entries", "changes"} {
			for _, secret := range []string{m.Password, c.Secret, i.Secret[4:]} {
				if n := countText(t, d, table, secret); n != 0 {
					t.Errorf("%s holds a secret %d times", table, n)
				}
			}
		}
		if countText(t, d, "credentials", m.Username) != 1 {
			t.Error("the search finds nothing at all")
		}
	})
}

func countText(t *testing.T, d *db.DB, table, text string) (n int) {
	t.Helper()
	query := "SELECT count(*) FROM " + table + " x WHERE CAST(x AS text) LIKE ?"
	if d.Engine() == db.SQLite {
		var names []string
		if err := d.Read(t.Context(), func(tx *db.Tx) error {
			return tx.Each(t.Context(), "SELECT name FROM pragma_table_info('"+table+"')", nil, func(r *db.Rows) error {
				var name string
				err := r.Scan(&name)
				// Byte by byte: an identifier may hold a zero, which ends a text.
				names = append(names, "coalesce(instr(CAST("+name+" AS blob), CAST(?1 AS blob)), 0)")
				return err
			})
		}); err != nil {
			t.Fatal(err)
		}
		query = "SELECT count(*) FROM " + table + " WHERE " + strings.Join(names, " + ") + " > 0"
	} else {
		text = "%" + text + "%"
	}
	if err := d.Read(t.Context(), func(tx *db.Tx) error { return tx.Row(t.Context(), query, text).Scan(&n) }); err != nil {
		t.Fatal(err)
	}
	return n
}
