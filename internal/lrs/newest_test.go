package lrs_test

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"testing"

	"rollway/internal/access"
	"rollway/internal/db"
	"rollway/internal/db/dbtest"
	"rollway/internal/fault"
	"rollway/internal/id"
	"rollway/internal/lrs"
)

// newest finds by the query what Newest should: the last statement that says it itself.
func newest(t *testing.T, s *lrs.Store, c access.Caller, q lrs.Query) *lrs.Statement {
	t.Helper()
	page, err := s.Find(t.Context(), c, q)
	if err != nil {
		t.Fatal(err)
	}
	for _, st := range page.Statements {
		if !bytes.Contains(st.JSON, []byte(`"objectType":"StatementRef"`)) {
			return &st
		}
	}
	return nil
}

// The ends of trails are what one query for each of them finds, whether statements are remembered, indexed, or both; what
// was voided, what others said and what points at a statement of a trail is none of it.
func TestNewest(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s, c := open(t, d), system()
		r := rand.New(rand.NewPCG(3, 4))
		var trails []lrs.Trail
		var registrations []string
		for n := range 8 {
			reg := id.New[id.RegistrationID]()
			registrations = append(registrations, reg.String())
			trails = append(trails, lrs.Trail{Registration: reg, Agent: mbox(fmt.Sprint("a", n%2)), Activity: fmt.Sprintf("https://example.org/o%d", n)})
		}
		said := []string{verbs + "v0", verbs + "v1", verbs + "never"}
		var ids []string
		for round := range 6 {
			var batch []statement
			for range 60 {
				n := r.IntN(7) // nobody says anything in the eighth
				st := statement{id: newID(), actor: fmt.Sprint("a", n%2), verb: fmt.Sprint("v", r.IntN(4)), object: fmt.Sprintf("https://example.org/o%d", n), registration: registrations[n]}
				switch kind := r.IntN(12); {
				case kind == 0:
					st.actor = "a9"
				case kind < 5:
					st.object += "/page"
				case kind < 7 && len(ids) > 0:
					st.object, st.ref = "", ids[r.IntN(len(ids))]
				case kind == 7 && len(ids) > 0:
					st = voids(newID(), ids[len(ids)-1-r.IntN(min(len(ids), 20))])
				}
				if st.verb == fmt.Sprint("v", 1) && n == 3 { // one that is sought for long
					st.object = "https://example.org/o3/page"
				}
				batch, ids = append(batch, st), append(ids, st.id)
			}
			mustPost(t, s, c, batch...)
			if round%2 == 1 {
				if err := s.Index(t.Context()); err != nil {
					t.Fatal(err)
				}
			}
			got, err := s.Newest(t.Context(), c, trails, said...)
			if err != nil || len(got) != len(trails) {
				t.Fatalf("%d of %d, %v", len(got), len(trails), err)
			}
			for i, trail := range trails {
				for v, verb := range said {
					want := newest(t, s, c, lrs.Query{Registration: trail.Registration, Agent: trail.Agent, Activity: trail.Activity, Verb: verb})
					if have := got[i].Said[v]; (have == nil) != (want == nil) || have != nil && (have.ID != want.ID || !bytes.Equal(have.JSON, want.JSON) || !have.Stored.Equal(want.Stored)) {
						t.Errorf("round %d, trail %d, %s: got %+v, want %+v", round, i, verb, have, want)
					}
				}
			}
			if got[7].Stored.IsZero() != true || got[0].Stored.IsZero() {
				t.Errorf("stored %v and %v", got[7].Stored, got[0].Stored)
			}
		}
		weaker := c
		weaker.Scopes = access.StatementsReadMine
		_, err := s.Newest(t.Context(), weaker, trails)
		wantFault(t, err, fault.Forbidden)
	})
}
