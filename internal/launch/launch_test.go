package launch

import (
	"bytes"
	"context"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"rollway/internal/access"
	"rollway/internal/blob"
	"rollway/internal/content"
	"rollway/internal/content/sample"
	"rollway/internal/credential"
	"rollway/internal/db"
	"rollway/internal/db/dbtest"
	"rollway/internal/directory"
	"rollway/internal/fault"
	"rollway/internal/id"
	"rollway/internal/limit"
	"rollway/xapi"
)

// house is the rooms a launch needs, furnished with the sample course, a link and a service account.
type house struct {
	testing.TB
	db       *db.DB
	changes  *access.Changes
	people   *directory.Directory
	vault    *credential.Vault
	launcher *Launcher
	ledger   *limit.Ledger
	accounts *access.Accounts
	lms      access.Caller
}

const link = "https://elsewhere.example/course"

func furnished(t testing.TB, d *db.DB) *house {
	t.Helper()
	key := access.NewKey()
	h := &house{TB: t, db: d, changes: access.NewChanges(d)}
	blobs, err := blob.Open(t.TempDir())
	h.must(err)
	catalogue := content.NewCatalogue(d, blobs, h.changes)
	h.people = directory.New(d, h.changes, "http://localhost:8080")
	h.accounts = access.NewAccounts(d, key, h.changes)
	h.vault = credential.New(d, key, h.accounts, h.changes)
	h.launcher = New(d, key, catalogue, h.vault, Addresses{Public: "http://localhost:8080", Courseware: "http://localhost:8081"})
	h.ledger = limit.New(d, func(text string) []byte { return key.Hash("limit", text) })
	h.launcher.Ledger = h.ledger
	t.Cleanup(func() { h.launcher.Close(); h.vault.Close() })
	zip, err := sample.Zip()
	h.must(err)
	operator := access.CommandLine(id.DefaultOrg)
	_, err = catalogue.Add(t.Context(), operator, bytes.NewReader(zip), int64(len(zip)))
	h.must(err)
	_, err = catalogue.AddLink(t.Context(), operator, link, "https://elsewhere.example/start?x=1#top", "Elsewhere")
	h.must(err)
	h.lms = h.account("lms")
	return h
}

// account makes a service account and returns it as a caller.
func (h *house) account(name string) access.Caller {
	h.Helper()
	i, err := h.accounts.Create(h.Context(), access.CommandLine(id.DefaultOrg), access.Request{Name: name,
		Scopes: access.PeopleWrite | access.PeopleMatch | access.CredentialsMint | access.LaunchCreate})
	h.must(err)
	v, err := h.accounts.Verify(h.Context(), i.Key, i.Secret)
	h.must(err)
	return v.Caller
}

func (h *house) must(err error) {
	h.Helper()
	if err != nil {
		h.Fatal(err)
	}
}

// person provisions somebody and mints for them.
func (h *house) person(name string) (directory.Person, string) {
	h.Helper()
	ifi, err := xapi.ParseAccount("https://lms.example", name)
	h.must(err)
	decided, err := h.people.Provision(h.Context(), h.lms, directory.Claims{Source: directory.ByAPI, Name: name, Agent: xapi.Agent{IFI: ifi}})
	h.must(err)
	minted, err := h.vault.Mint(h.Context(), h.lms, credential.Request{Agent: decided.Primary})
	h.must(err)
	child := credential.Child{Username: minted.Username, Secret: minted.Password}
	return decided.Person, child.Header()
}

func (h *house) caller(header string) access.Caller {
	h.Helper()
	c, err := h.vault.Authenticate(h.Context(), header, false)
	h.must(err)
	return c
}

func (h *house) wants(err error, k fault.Kind, code string) {
	h.Helper()
	if f := fault.Of(err); err == nil || f.Kind != k || f.Code != code {
		h.Errorf("got %v (%s), want %v (%s)", err, f.Code, k, code)
	}
}

func (h *house) start(header string, r Request) Launch {
	h.Helper()
	l, err := h.launcher.Start(h.Context(), h.caller(header), r)
	h.must(err)
	return l
}

func each(t *testing.T, fn func(h *house)) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) { fn(furnished(t, d)) })
}

func TestALaunchSaysWhatContentNeeds(t *testing.T) {
	each(t, func(h *house) {
		person, header := h.person("ada")
		for _, activity := range []string{sample.ActivityID, link} {
			l := h.start(header, Request{Activity: activity})
			u, err := url.Parse(l.URL)
			h.must(err)
			q := u.Query()
			if strings.Contains(u.RawQuery, "+") {
				h.Errorf("a + stands in %s", u.RawQuery)
			}
			if q.Get("endpoint") != "http://localhost:8080/xapi/" || q.Get("activity_id") != activity || q.Get("registration") != l.Registration.String() {
				h.Errorf("parameters %v", q)
			}
			agent, err := xapi.ParseAgent([]byte(q.Get("actor")))
			h.must(err)
			if agent.IFI != person.Agents[0].IFI || agent.Name != "ada" {
				h.Errorf("actor %s", q.Get("actor"))
			}
			if q.Get("auth") == header {
				h.Error("the credential that was presented is handed on")
			}
			child := h.caller(q.Get("auth"))
			if b := child.Bound; b == nil || b.Person != person.ID || b.Registration != l.Registration || b.Activity != activity {
				h.Errorf("the child is bound to %+v", child.Bound)
			}
			_, err = h.launcher.Start(h.Context(), child, Request{Activity: activity})
			h.wants(err, fault.Forbidden, "launch_elsewhere")
		}
	})
}

func TestRegistrations(t *testing.T) {
	each(t, func(h *house) {
		adas, ada := h.person("ada")
		eves, eve := h.person("eve")
		first := h.start(ada, Request{Activity: sample.ActivityID})
		if again := h.start(ada, Request{Activity: sample.ActivityID}); again.Registration != first.Registration || again.Session == first.Session {
			h.Errorf("came back to %v, session %v", again.Registration, again.Session)
		}
		second := h.start(ada, Request{Activity: sample.ActivityID, NewAttempt: true})
		if second.Registration == first.Registration {
			h.Error("a new attempt kept the registration")
		}
		if latest := h.start(ada, Request{Activity: sample.ActivityID}); latest.Registration != second.Registration {
			h.Error("the latest registration is not the one resumed")
		}
		if named := h.start(ada, Request{Activity: sample.ActivityID, Registration: first.Registration}); named.Registration != first.Registration {
			h.Error("the named registration was not used")
		}
		own := id.NewRandom[id.RegistrationID]()
		if named := h.start(ada, Request{Activity: sample.ActivityID, Registration: own}); named.Registration != own {
			h.Error("a registration of the caller's making was not used")
		}
		for name, try := range map[string]Request{
			"somebody else's":  {Activity: sample.ActivityID, Registration: first.Registration},
			"another activity": {Activity: link, Registration: first.Registration},
		} {
			who, agent := eve, eves.Agents[0]
			if name == "another activity" {
				who, agent = ada, adas.Agents[0]
			}
			_, err := h.launcher.Start(h.Context(), h.caller(who), try)
			h.wants(err, fault.NotFound, "registration_unknown")
			_, err = h.launcher.Ticket(h.Context(), h.lms, h.people, agent, try)
			h.wants(err, fault.NotFound, "registration_unknown")
		}
		both := Request{Activity: sample.ActivityID, Registration: first.Registration, NewAttempt: true}
		_, err := h.launcher.Start(h.Context(), h.caller(ada), both)
		h.wants(err, fault.Conflict, "registration_and_new_attempt")
		_, err = h.launcher.Ticket(h.Context(), h.lms, h.people, adas.Agents[0], both)
		h.wants(err, fault.Conflict, "registration_and_new_attempt")
		for _, reg := range []id.RegistrationID{first.Registration, id.NewRandom[id.RegistrationID]()} {
			_, err = h.launcher.Ticket(h.Context(), h.lms, h.people, adas.Agents[0], Request{Activity: sample.ActivityID, Registration: reg})
			h.must(err)
		}
		_, err = h.launcher.Start(h.Context(), h.caller(ada), Request{Activity: "https://nowhere.example/"})
		h.wants(err, fault.NotFound, "activity_unknown")
	})
}

func TestTheAgentOfARegistrationStays(t *testing.T) {
	each(t, func(h *house) {
		person, header := h.person("ada")
		first := h.start(header, Request{Activity: sample.ActivityID})
		other, err := xapi.ParseMbox("mailto:ada@example.com")
		h.must(err)
		operator := access.CommandLine(id.DefaultOrg)
		_, err = h.people.Provision(h.Context(), operator, directory.Claims{Source: directory.ByAdmin, Person: person.ID, Agent: xapi.Agent{IFI: other}})
		h.must(err)
		minted, err := h.vault.Mint(h.Context(), h.lms, credential.Request{Agent: xapi.Agent{IFI: other}})
		h.must(err)
		l := h.start((&credential.Child{Username: minted.Username, Secret: minted.Password}).Header(), Request{Activity: sample.ActivityID})
		if l.Registration != first.Registration || !strings.Contains(l.URL, "lms.example") {
			h.Errorf("launched %s", l.URL)
		}
	})
}

func TestManyLaunchesAtOnceShareOneRegistration(t *testing.T) {
	each(t, func(h *house) {
		_, header := h.person("ada")
		c := h.caller(header)
		var mu sync.Mutex
		seen := map[id.RegistrationID]int{}
		var wg sync.WaitGroup
		for range 50 {
			wg.Go(func() {
				l, err := h.launcher.Start(h.Context(), c, Request{Activity: sample.ActivityID})
				if err != nil {
					h.Error(err)
				}
				mu.Lock()
				defer mu.Unlock()
				seen[l.Registration]++
			})
		}
		wg.Wait()
		if len(seen) != 1 {
			h.Errorf("%d registrations", len(seen))
		}
	})
}

func TestWhoMayNotLaunch(t *testing.T) {
	each(t, func(h *house) {
		_, err := h.launcher.Start(h.Context(), h.lms, Request{Activity: sample.ActivityID})
		h.wants(err, fault.Forbidden, "launch_not_a_learner")

		person, header := h.person("ada")
		before := h.caller(header)
		operator := access.CommandLine(id.DefaultOrg)
		_, err = h.people.Suspend(h.Context(), operator, person.ID.String())
		h.must(err)
		_, err = h.launcher.Start(h.Context(), before, Request{Activity: sample.ActivityID})
		h.wants(err, fault.Forbidden, "person_suspended")
		_, err = h.launcher.Ticket(h.Context(), h.lms, h.people, person.Agents[0], Request{Activity: sample.ActivityID})
		h.wants(err, fault.Forbidden, "person_suspended")
		_, err = h.people.Resume(h.Context(), operator, person.ID.String())
		h.must(err)
		_, header = h.person("ada")
		before = h.caller(header)
		l := h.start(header, Request{Activity: sample.ActivityID})
		u, err := url.Parse(l.URL)
		h.must(err)
		h.caller(u.Query().Get("auth")) // an earlier suspension does not end it

		h.must(h.db.Write(h.Context(), func(tx *db.Tx) error {
			return access.Grant(h.Context(), tx, h.changes, operator, person.ID, access.Admin)
		}))
		_, err = h.launcher.Start(h.Context(), before, Request{Activity: sample.ActivityID})
		h.wants(err, fault.Forbidden, "person_privileged")
		_, err = h.launcher.Ticket(h.Context(), h.lms, h.people, person.Agents[0], Request{Activity: sample.ActivityID})
		h.wants(err, fault.Forbidden, "person_privileged")
	})
}

func TestATicketLaunchesOnce(t *testing.T) {
	each(t, func(h *house) {
		person, _ := h.person("ada")
		ticket := func() string {
			t, err := h.launcher.Ticket(h.Context(), h.lms, h.people, person.Agents[0], Request{Activity: sample.ActivityID})
			h.must(err)
			_, secret, _ := strings.Cut(t.URL, "ticket=")
			return secret
		}
		one := ticket()
		var wg sync.WaitGroup
		var mu sync.Mutex
		launched := 0
		for range 50 {
			wg.Go(func() {
				l, err := h.launcher.Redeem(h.Context(), one)
				mu.Lock()
				defer mu.Unlock()
				if err == nil && l.URL != "" {
					launched++
				} else {
					h.wants(err, fault.Gone, "ticket_gone")
				}
			})
		}
		wg.Wait()
		if launched != 1 {
			h.Errorf("one ticket launched %d times", launched)
		}
		for _, bad := range []string{"", "x", strings.Repeat("A", 43), one + "A"} {
			_, err := h.launcher.Redeem(h.Context(), bad)
			h.wants(err, fault.Gone, "ticket_gone")
		}
		h.launcher.ticketTTL = -time.Second
		_, err := h.launcher.Redeem(h.Context(), ticket())
		h.wants(err, fault.Gone, "ticket_gone")
		without := h.lms
		without.Scopes &^= access.LaunchCreate
		_, err = h.launcher.Ticket(h.Context(), without, h.people, person.Agents[0], Request{Activity: sample.ActivityID})
		h.wants(err, fault.Forbidden, "scope_missing")
	})
}

func TestATicketAndItsLaunchEndWithTheAccountThatMadeIt(t *testing.T) {
	each(t, func(h *house) {
		person, _ := h.person("ada")
		ticket := func(by access.Caller) string {
			agent := person.Agents[0]
			agent.Name = strings.Repeat("Ada", 300_000) // is not kept
			t, err := h.launcher.Ticket(h.Context(), by, h.people, agent, Request{Activity: link})
			h.must(err)
			_, secret, _ := strings.Cut(t.URL, "ticket=")
			return secret
		}
		auth := func(secret string) string {
			l, err := h.launcher.Redeem(h.Context(), secret)
			h.must(err)
			u, err := url.Parse(l.URL)
			h.must(err)
			return u.Query().Get("auth")
		}
		leaked := h.account("leaked")
		open, over, others := ticket(leaked), auth(ticket(leaked)), auth(ticket(h.lms))
		var longest int
		h.must(h.db.Read(h.Context(), func(tx *db.Tx) error {
			return tx.Row(h.Context(), "SELECT max(length(agent)) FROM launch_tickets").Scan(&longest)
		}))
		if longest > 200 {
			h.Errorf("a ticket keeps an agent of %d characters", longest)
		}
		h.caller(over) // now it is remembered
		h.must(h.accounts.Revoke(h.Context(), access.CommandLine(id.DefaultOrg), leaked.ServiceAccount))
		_, err := h.vault.Authenticate(h.Context(), over, false)
		h.wants(err, fault.Unauthenticated, "credential_revoked")
		_, err = h.launcher.Redeem(h.Context(), open)
		h.wants(err, fault.Gone, "ticket_gone")
		h.caller(others)
		auth(ticket(h.lms))
	})
}

func TestPackageFilesStopWithTheLaunch(t *testing.T) {
	each(t, func(h *house) {
		operator := access.CommandLine(id.DefaultOrg)
		for name, end := range map[string]func(ctx context.Context, p directory.Person, username string) error{
			"revoke": func(ctx context.Context, _ directory.Person, username string) error {
				return h.vault.Revoke(ctx, operator, username)
			},
			"suspend": func(ctx context.Context, p directory.Person, _ string) error {
				_, err := h.people.Suspend(ctx, operator, p.ID.String())
				return err
			},
		} {
			person, header := h.person(name)
			l := h.start(header, Request{Activity: sample.ActivityID})
			u, err := url.Parse(l.URL)
			h.must(err)
			pkg, err := ParsePackageLabel(strings.SplitN(u.Hostname(), ".", 2)[0])
			h.must(err)
			token := strings.Split(u.Path, "/")[1]
			org, err := h.launcher.AuthorizeFile(h.Context(), pkg, token)
			if err != nil || org != id.DefaultOrg {
				h.Fatalf("%s: %v, %v", name, org, err)
			}
			_, err = h.launcher.AuthorizeFile(h.Context(), id.New[id.PackageID](), token)
			h.wants(err, fault.Gone, "launch_over")
			list, err := h.vault.ListOfPerson(h.Context(), operator, person.ID)
			h.must(err)
			username := ""
			for _, c := range list {
				if c.Kind == credential.Minted {
					username = c.Username
				}
			}
			h.must(end(h.Context(), person, username))
			_, err = h.launcher.AuthorizeFile(h.Context(), pkg, token)
			h.wants(err, fault.Gone, "launch_over")
			if _, err := h.vault.Authenticate(h.Context(), u.Query().Get("auth"), false); err == nil {
				h.Errorf("%s: the child credential goes on working", name)
			}
		}
	})
}
