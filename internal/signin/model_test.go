package signin

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"rollway/internal/access"
	"rollway/internal/db"
	"rollway/internal/fault/faulttest"
	"rollway/internal/id"
)

// held is what should be true of a session.
type held struct {
	Session
	token string
	who   int
	seen  time.Time
	over  bool // by a suspension
}

func (h *held) want(state string, now time.Time) string {
	switch {
	case h.gone(now):
		return "session_invalid"
	case state == "suspended":
		return "person_suspended"
	case h.over:
		return "session_invalid"
	}
	return ""
}

// gone is for what was ended on purpose or by time.
func (h *held) gone(now time.Time) bool {
	life := lives[h.Kind]
	return h.Session.ID.IsZero() || !now.Before(h.seen.Add(life.Idle)) || !now.Before(h.Created.Add(life.Most))
}

// TestSessionsBehaveAsTheModel signs in, uses, ends, suspends, resumes, grants, sweeps and lets time pass in any order; each
// session must be accepted or refused as the model says, whether it is remembered or read.
func TestSessionsBehaveAsTheModel(t *testing.T) {
	t.Parallel()
	eachRig(t, func(t *testing.T, r *rig) {
		rapid.Check(t, func(rt *rapid.T) {
			people := []human{r.person(t, "active"), r.person(t, "active")}
			state, rights := []string{"active", "active"}, []access.Scope{0, 0}
			var all []*held
			now := func() time.Time { return time.UnixMicro(r.clock.Load()) }
			who := func(rt *rapid.T) int { return rapid.IntRange(0, 1).Draw(rt, "who") }
			check := func(h *held) {
				c, s, err := r.Authenticate(t.Context(), h.token)
				want := h.want(state[h.who], now())
				if got := faulttest.Code(t, err); got != want {
					rt.Fatalf("%s session of %d (%s, over %v, %v old, seen %v ago): got %q, want %q", h.Kind, h.who, state[h.who], h.over, now().Sub(h.Created), now().Sub(h.seen), got, want)
				}
				if err == nil {
					h.seen = now()
					if c.Person != people[h.who].id || c.Scopes != rights[h.who] || s.ID != h.ID || s.Kind != h.Kind {
						rt.Fatalf("caller %+v of session %+v", c, s)
					}
				}
			}
			end := func(match func(*held) bool) (n int) {
				for _, h := range all {
					if !h.ID.IsZero() && match(h) {
						if h.want("active", now()) == "" {
							n++
						}
						h.ID = id.SigninID{}
					}
				}
				return n
			}
			rt.Repeat(map[string]func(*rapid.T){
				"sign in": func(rt *rapid.T) {
					n := who(rt)
					kind := rapid.SampledFrom([]Kind{Browser, Dialect}).Draw(rt, "kind")
					device := laptop
					if len(all) > 0 && rapid.Bool().Draw(rt, "again") {
						device.Before = rapid.SampledFrom(all).Draw(rt, "before").token
					}
					s, token, err := r.SignIn(t.Context(), kind, people[n].address, people[n].password, device)
					if state[n] != "active" {
						wantCode(t, "suspended", err, "person_suspended")
						return
					}
					if err != nil {
						t.Fatal(err)
					}
					end(func(h *held) bool { return h.token == device.Before })
					s.Created = now()
					all = append(all, &held{Session: s, token: token, who: n, seen: now()})
				},
				"use": func(rt *rapid.T) {
					if len(all) > 0 {
						check(rapid.SampledFrom(all).Draw(rt, "session"))
					}
				},
				"end": func(rt *rapid.T) {
					if len(all) == 0 {
						return
					}
					h := rapid.SampledFrom(all).Draw(rt, "session")
					err := r.End(t.Context(), r.boss, h.ID)
					if faulttest.Code(t, err) == "" != (!h.ID.IsZero()) && !h.gone(now()) {
						rt.Fatal(err)
					}
					end(func(o *held) bool { return o == h })
				},
				"end all": func(rt *rapid.T) {
					n := who(rt)
					if _, err := r.EndAll(t.Context(), r.boss, people[n].id); err != nil {
						t.Fatal(err)
					}
					end(func(h *held) bool { return h.who == n })
				},
				"suspend": func(rt *rapid.T) {
					n := who(rt)
					r.setState(t, people[n], "suspended")
					state[n] = "suspended"
					for _, h := range all {
						h.over = h.over || h.who == n
					}
				},
				"resume": func(rt *rapid.T) {
					n := who(rt)
					r.setState(t, people[n], "active")
					state[n] = "active"
				},
				"rights": func(rt *rapid.T) {
					n := who(rt)
					r.write(t, func(tx *db.Tx) error {
						if rights[n] == 0 {
							return access.Grant(t.Context(), tx, r.changes, r.boss, people[n].id, access.PeopleRead)
						}
						return access.RevokeGrant(t.Context(), tx, r.changes, r.boss, people[n].id, access.PeopleRead)
					})
					rights[n] ^= access.PeopleRead
				},
				"wait": func(rt *rapid.T) {
					unit := rapid.SampledFrom([]time.Duration{time.Minute, time.Hour, 5 * time.Hour, 4 * 24 * time.Hour}).Draw(rt, "unit")
					r.pass(time.Duration(rapid.IntRange(1, 5).Draw(rt, "many"))*unit + 30*time.Second)
				},
				"write": func(*rapid.T) {
					if err := r.writeSeen(t.Context()); err != nil {
						t.Fatal(err)
					}
				},
				"sweep": func(*rapid.T) {
					if err := r.Sweep(t.Context()); err != nil {
						t.Fatal(err)
					}
					for _, h := range all {
						life := lives[h.Kind]
						if now().After(h.seen.Add(life.Idle+keepOver)) || now().After(h.Created.Add(life.Most+keepOver)) {
							h.ID = id.SigninID{}
						}
					}
				},
				"forget": func(*rapid.T) {
					for _, h := range people {
						r.known.Hear(access.Change{Kind: access.PersonChanged, Subject: h.id})
					}
				},
				"": func(rt *rapid.T) {
					for _, h := range all {
						if rapid.IntRange(0, 3).Draw(rt, "look") == 0 {
							check(h)
						}
					}
				},
			})
		})
	})
}
