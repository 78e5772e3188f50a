package credential

import (
	"context"
	"fmt"
	"os"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"pgregory.net/rapid"

	"rollway/internal/access"
	"rollway/internal/db"
	"rollway/internal/db/dbtest"
	"rollway/internal/fault"
	"rollway/internal/fault/faulttest"
	"rollway/internal/id"
)

func TestExpiryHoldsFromMemory(t *testing.T) {
	eachRig(t, func(t *testing.T, r *rig) {
		m := r.mint(t, r.person(t, "active"))
		r.expect(t, "fresh", m, "")
		r.pass(time.Until(m.Expires) - time.Second)
		r.expect(t, "a second before", m, "")
		r.pass(time.Second)
		r.expect(t, "at its expiry", m, "credential_expired")
		r.expect(t, "with a wrong secret", Result{Username: m.Username, Password: "wrong"}, "credential_invalid")
	})
}

func TestSuspensionHoldsAtOnceAndEndsAtOnce(t *testing.T) {
	eachRig(t, func(t *testing.T, r *rig) {
		p := r.person(t, "active")
		for range 3 {
			m := r.mint(t, p)
			c := r.launch(t, p, m.ID)
			r.expect(t, "active", m, "")
			r.expectChild(t, "active", c, "")
			r.setState(t, p, "suspended")
			r.expect(t, "suspended", m, "person_suspended")
			r.expectChild(t, "suspended", c, "person_suspended")
			r.expect(t, "suspended, wrong secret", Result{Username: m.Username, Password: "wrong"}, "credential_invalid")
			r.setState(t, p, "active")
			r.expect(t, "resumed", m, "credential_revoked")
			r.expectChild(t, "resumed", c, "credential_revoked")
		}
	})
}

func TestMintWorksAtOnceAfterItWasTriedTooEarly(t *testing.T) {
	eachRig(t, func(t *testing.T, r *rig) {
		p := r.person(t, "active")
		for i := range 20 {
			m := Result{Username: unique("early"), Password: fmt.Sprintf("password-%08d", i)}
			r.expect(t, "before", m, "credential_invalid")
			if _, err := r.Mint(t.Context(), r.lms, Request{Username: m.Username, Password: m.Password, Agent: p.agent}); err != nil {
				t.Fatal(err)
			}
			r.expect(t, "after", m, "")
		}
	})
}

func TestChildEndsWithItsParentsRevocationButNotItsExpiry(t *testing.T) {
	eachRig(t, func(t *testing.T, r *rig) {
		p := r.person(t, "active")
		m, other := r.mint(t, p), r.mint(t, p)
		a, b, alone := r.launch(t, p, m.ID), r.launch(t, p, other.ID), r.launch(t, p, id.CredentialID{})
		caller, err := r.Authenticate(t.Context(), a.Header(), false)
		if err != nil || caller.Bound.Registration != a.Registration || caller.Bound.Activity != a.Activity || caller.Bound.Agent != p.agent || caller.Scopes != access.Learner {
			t.Fatalf("got %+v, %v", caller.Bound, err)
		}
		r.pass(2 * time.Hour)
		r.expect(t, "parent", m, "credential_expired")
		for _, c := range []*Child{a, b, alone} {
			r.expectChild(t, "after the parent's expiry", c, "")
		}
		if err := r.Revoke(t.Context(), r.lms, m.Username); err != nil {
			t.Fatal(err)
		}
		r.expectChild(t, "after the parent's revocation", a, "credential_revoked")
		r.expectChild(t, "another's child", b, "")
		r.expectChild(t, "a child without a parent", alone, "")
		if err := r.Revoke(t.Context(), r.boss, alone.Username); err != nil {
			t.Fatal(err)
		}
		r.expectChild(t, "itself revoked", alone, "credential_revoked")
		if got := faulttest.Code(t, r.Alive(t.Context(), 1, id.New[id.CredentialID]())); got != "credential_invalid" {
			t.Fatalf("an unknown one is %q", got)
		}
		if got := faulttest.Code(t, r.Alive(t.Context(), 2, b.ID)); got != "credential_invalid" {
			t.Fatalf("another organization's is %q", got)
		}
	})
}

func TestRevokingAnAccountEndsWhatItMinted(t *testing.T) {
	eachRig(t, func(t *testing.T, r *rig) {
		p, leaked := r.person(t, "active"), r.account(t, access.CredentialsMint)
		m, err := r.Mint(t.Context(), leaked, Request{Agent: p.agent})
		if err != nil {
			t.Fatal(err)
		}
		late, err := r.Mint(t.Context(), leaked, Request{Agent: p.agent})
		if err != nil {
			t.Fatal(err)
		}
		other := r.mint(t, p)
		child, others := r.launch(t, p, m.ID), r.launch(t, p, other.ID)
		r.expect(t, "before", m, "")
		r.expectChild(t, "before", child, "")
		if err := r.accounts.Revoke(t.Context(), r.boss, leaked.ServiceAccount); err != nil {
			t.Fatal(err)
		}
		r.expect(t, "from memory", m, "credential_revoked")
		r.expect(t, "from the database", late, "credential_revoked")
		r.expectChild(t, "its child", child, "credential_revoked")
		r.expect(t, "another's", other, "")
		r.expectChild(t, "another's child", others, "")
		list, err := r.ListOfPerson(t.Context(), r.boss, p.id)
		if err != nil || len(list) != 5 || list[0].Revoked != (time.Time{}) || list[1].Revoked.IsZero() || list[1].MintedBy != leaked.ServiceAccount {
			t.Fatalf("%+v, %v", list, err)
		}
	})
}

func TestChildLivesOnWhileItIsUsed(t *testing.T) {
	eachRig(t, func(t *testing.T, r *rig) {
		p := r.person(t, "active")
		used, idle := r.launch(t, p, id.CredentialID{}), r.launch(t, p, id.CredentialID{})
		restart := func() *rig { // loses what is in memory; uses are written at the end of Run
			ctx, stop := context.WithCancel(t.Context())
			stop()
			r.Run(ctx, func(err error) { t.Error(err) })
			again := newRigWith(t, r.db, r.key)
			again.clock = r.clock
			again.Now = r.Now
			return again
		}
		hours := 0
		for ; hours < 30; hours += 3 {
			r.expectChild(t, fmt.Sprint("after ", hours, " h"), used, "")
			r.pass(3 * time.Hour)
			if hours == 24 {
				r = restart()
			}
		}
		r.expectChild(t, "never used, after 30 h", idle, "credential_expired")
		r.expectChild(t, "used, after 30 h", used, "")
		r = restart()
		r.pass(4*time.Hour - time.Second)
		r.expectChild(t, "within its idle time, after a restart", used, "")
		r.pass(4 * time.Hour)
		r.expectChild(t, "idle for 4 h", used, "credential_expired")
		third := r.launch(t, p, id.CredentialID{})
		for range 7*8 - 1 {
			r.pass(3 * time.Hour)
			r.expectChild(t, "in use", third, "")
		}
		r.pass(3 * time.Hour)
		r.expectChild(t, "in use for a week", third, "credential_expired")
		list, err := r.ListOfPerson(t.Context(), r.boss, p.id)
		if err != nil || len(list) != 3 || list[2].LastUsed.IsZero() || !list[1].LastUsed.IsZero() {
			t.Fatalf("%+v, %v", list, err)
		}
	})
}

// TestRevokedIsRefusedOnTheNextRequest has others present the credential all the while, so that each round tries to get an
// answer from before the revocation remembered after it.
func TestRevokedIsRefusedOnTheNextRequest(t *testing.T) {
	eachRig(t, func(t *testing.T, r *rig) {
		p := r.person(t, "active")
		race(t, rounds(1000), r, func() (*Child, func()) {
			m := r.mint(t, p)
			return &Child{Username: m.Username, Secret: m.Password}, func() {
				if err := r.Revoke(t.Context(), r.lms, m.Username); err != nil {
					t.Fatal(err)
				}
			}
		}, "credential_revoked")
	})
}

func TestSuspendedIsRefusedOnTheNextRequest(t *testing.T) {
	eachRig(t, func(t *testing.T, r *rig) {
		race(t, rounds(200), r, func() (*Child, func()) {
			p := r.person(t, "active")
			c := r.launch(t, p, id.CredentialID{})
			return c, func() { r.setState(t, p, "suspended") }
		}, "person_suspended")
	})
}

// rounds are all of them with ROLLWAY_LONG=1; else fewer, since each is durable on the disk.
func rounds(all int) int {
	switch {
	case os.Getenv("ROLLWAY_LONG") != "":
		return all
	case testing.Short():
		return all / 20
	}
	return all * 3 / 10
}

func race(t *testing.T, rounds int, r *rig, begin func() (*Child, func()), want string) {
	for round := range rounds {
		c, end := begin()
		header := c.Header()
		var over atomic.Bool
		var others sync.WaitGroup
		for range 2 {
			others.Go(func() {
				for !over.Load() {
					if _, err := r.Authenticate(t.Context(), header, false); err != nil && fault.Of(err).Code != want {
						t.Errorf("round %d: %v", round, err)
						return
					}
					time.Sleep(10 * time.Microsecond) // leaves the processor to the revocation
				}
			})
		}
		if round%2 == 0 { // else the first answers are still on their way
			if got := r.try(t, c.Username, c.Secret); got != "" {
				t.Errorf("round %d: before: %q", round, got)
			}
		}
		end()
		for range 3 {
			if got := r.try(t, c.Username, c.Secret); got != want {
				t.Errorf("round %d: after: %q", round, got)
			}
		}
		over.Store(true)
		others.Wait()
		if t.Failed() {
			return
		}
	}
}

// TestRevocationReachesOtherProcesses has two vaults on one database, as two processes have.
func TestRevocationReachesOtherProcesses(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		key := access.NewKey()
		here, there := newRigWith(t, d, key), newRigWith(t, d, key)
		ctx, stop := context.WithCancel(t.Context())
		var poll sync.WaitGroup
		poll.Go(func() { there.changes.Poll(ctx, func(err error) { t.Error(err) }) })
		defer poll.Wait()
		defer stop()
		p := here.person(t, "active")
		m := here.mint(t, p)
		c := here.launch(t, p, m.ID)
		there.expect(t, "before", m, "")
		there.expectChild(t, "before", c, "")
		if err := here.Revoke(t.Context(), here.lms, m.Username); err != nil {
			t.Fatal(err)
		}
		until := time.Now().Add(2 * time.Second)
		for there.try(t, m.Username, m.Password) == "" || there.try(t, c.Username, c.Secret) == "" {
			if time.Now().After(until) {
				t.Fatal("the other process still accepts it after 2 s")
			}
			time.Sleep(20 * time.Millisecond)
		}
	})
}

// model is what should be true of a credential.
type model struct {
	username, secret string
	id               id.CredentialID
	person           int
	parent           *model
	created, expires time.Time
	revoked, launch  bool
	ended            bool // by a suspension
}

// TestCredentialsBehaveAsTheModel mints, launches, revokes, suspends, resumes and lets time pass in any order; after each
// step every credential must be accepted or refused as the model says.
func TestCredentialsBehaveAsTheModel(t *testing.T) {
	eachRig(t, func(t *testing.T, r *rig) {
		rapid.Check(t, func(rt *rapid.T) {
			people := []human{r.person(t, "active"), r.person(t, "active")}
			state := []string{"active", "active"}
			var all []*model
			with := func(do func(*rapid.T, *model)) func(*rapid.T) { // any credential, once there is one
				return func(rt *rapid.T) {
					if len(all) > 0 {
						do(rt, rapid.SampledFrom(all).Draw(rt, "credential"))
					}
				}
			}
			rt.Repeat(map[string]func(*rapid.T){
				"mint": func(rt *rapid.T) {
					who := rapid.IntRange(0, 1).Draw(rt, "person")
					ttl := time.Duration(rapid.IntRange(1, 180).Draw(rt, "minutes")) * time.Minute
					m, err := r.Mint(t.Context(), r.lms, Request{Agent: people[who].agent, TTL: ttl})
					if want := map[string]string{"active": "", "suspended": "person_suspended"}[state[who]]; faulttest.Code(t, err) != want {
						rt.Fatalf("mint: %v, want %q", err, want)
					}
					if err == nil {
						all = append(all, &model{username: m.Username, secret: m.Password, id: m.ID, person: who, expires: m.Expires})
					}
				},
				"launch": with(func(rt *rapid.T, parent *model) {
					if parent.launch {
						return // it launches nothing
					}
					before := r.now()
					c := r.launch(t, people[parent.person], parent.id)
					all = append(all, &model{username: c.Username, secret: c.Secret, id: c.ID, person: parent.person, parent: parent, launch: true,
						created: before, expires: before.Add(24 * time.Hour)})
				}),
				"revoke": with(func(rt *rapid.T, m *model) {
					m.revoked = true
					if err := r.Revoke(t.Context(), r.boss, m.username); err != nil {
						rt.Fatal(err)
					}
				}),
				"change state": func(rt *rapid.T) {
					who := rapid.IntRange(0, 1).Draw(rt, "person")
					state[who] = rapid.SampledFrom([]string{"active", "suspended"}).Draw(rt, "state")
					r.setState(t, people[who], state[who])
					for _, m := range all {
						m.ended = m.ended || m.person == who && state[who] == "suspended"
					}
				},
				"wait": func(rt *rapid.T) {
					r.pass(time.Duration(rapid.IntRange(1, 23*60).Draw(rt, "minutes"))*time.Minute + 30*time.Second)
				},
				"write uses": func(*rapid.T) {
					if err := r.writeUses(t.Context(), true); err != nil {
						t.Fatal(err)
					}
				},
				"guess": with(func(rt *rapid.T, m *model) {
					if r.try(t, m.username, m.secret+"x") != "credential_invalid" {
						rt.Fatal("a wrong secret is told apart")
					}
				}),
				"forget": func(*rapid.T) {
					r.known.Hear(access.Change{Kind: access.PersonChanged, Subject: people[0].id})
					r.known.Hear(access.Change{Kind: access.PersonChanged, Subject: people[1].id})
				},
				"": func(rt *rapid.T) {
					for _, m := range all {
						m.check(rt, t, r, state[m.person])
					}
				},
			})
		})
	})
}

func (m *model) check(rt *rapid.T, t *testing.T, r *rig, state string) {
	now := r.now()
	want := ""
	switch {
	case m.revoked || m.parent != nil && m.parent.revoked:
		want = "credential_revoked"
	case !m.expires.After(now):
		want = "credential_expired"
	case state != "active":
		want = "person_" + state
	case m.ended:
		want = "credential_revoked"
	case m.launch:
		m.expires = later(m.expires, earlier(now.Add(4*time.Hour), m.created.Add(7*24*time.Hour)))
	}
	if got := r.try(t, m.username, m.secret); got != want {
		rt.Fatalf("launch %v: got %q, want %q (expires in %v)", m.launch, got, want, m.expires.Sub(now))
	}
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

func earlier(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}
