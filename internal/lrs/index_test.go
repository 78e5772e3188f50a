package lrs_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"rollway/internal/db"
	"rollway/internal/db/dbtest"
	"rollway/internal/id"
	"rollway/internal/lrs"
	"rollway/xapi"
)

// TestTheIndexAndTheMemoryAnswerAlike asks one store that remembers everything, and others that wrote their index after
// every so many statements, and one that was opened anew, for the same things.
func TestTheIndexAndTheMemoryAnswerAlike(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		c := system()
		s := open(t, d)
		queries := someQueries(t)
		if testing.Short() { // the first asks for everything
			queries = queries[:len(queries)/4]
		}
		compare := func(name string, want [][]id.StatementID) [][]id.StatementID {
			t.Helper()
			got := make([][]id.StatementID, len(queries))
			for i, q := range queries {
				got[i] = find(t, s, c, q)
				if want != nil && !slices.Equal(got[i], want[i]) {
					t.Errorf("%s: query %+v finds %d statements, want %d", name, q, len(got[i]), len(want[i]))
				}
			}
			return got
		}
		r := rand.New(rand.NewPCG(1, 2))
		var ids []string
		for n := range 12 {
			body := "["
			for i := range 40 {
				st := statement{id: id.New[id.StatementID]().String(), actor: fmt.Sprint("a", r.IntN(4)), verb: fmt.Sprint("v", r.IntN(3)), object: fmt.Sprintf("https://example.org/o%d", r.IntN(5)), parent: fmt.Sprintf("https://example.org/o%d", r.IntN(9))}
				if len(ids) > 0 && r.IntN(10) == 0 {
					st.object, st.parent, st.ref = "", "", ids[r.IntN(len(ids))]
				}
				if i > 0 {
					body += ","
				}
				body += st.String()
				ids = append(ids, st.id)
			}
			if _, err := s.Put(t.Context(), c, xapi.V1, id.StatementID{}, []byte(body+"]")); err != nil {
				t.Fatal(err)
			}
			if n%3 != 2 { // some are remembered when others are in the index
				continue
			}
			want := compare("remembered", nil)
			if len(want[0]) != len(ids) {
				t.Fatalf("%d statements are found of %d", len(want[0]), len(ids))
			}
			if n == 8 { // killed while it wrote the index
				if err := s.IndexPartly(t.Context()); err != nil {
					t.Fatal(err)
				}
				compare("half indexed", want)
				s = open(t, d)
				compare("opened anew", want)
				continue
			}
			if err := s.Index(t.Context()); err != nil {
				t.Fatal(err)
			}
			if left := s.Remembered(); left > 40 { // on PostgreSQL what was stored in this millisecond is not settled
				t.Errorf("%d statements are still remembered", left)
			}
			compare("indexed", want)
		}
	})
}

func someQueries(t *testing.T) []lrs.Query {
	t.Helper()
	queries := []lrs.Query{{Ascending: true}}
	for _, up := range []bool{false, true} {
		for n := range 4 {
			agent, verb, object := mbox(fmt.Sprint("a", n)), fmt.Sprint(verbs, "v", n%3), fmt.Sprintf("https://example.org/o%d", n)
			for _, limit := range []int{7, 1000} {
				queries = append(queries, lrs.Query{Agent: agent, Ascending: up, Limit: limit}, lrs.Query{Verb: verb, Ascending: up, Limit: limit},
					lrs.Query{Agent: agent, Verb: verb, Ascending: up, Limit: limit}, lrs.Query{Agent: agent, Activity: object, Ascending: up, Limit: limit},
					lrs.Query{Verb: verb, Activity: object, RelatedActivities: true, Ascending: up, Limit: limit},
					lrs.Query{Agent: agent, RelatedAgents: true, Verb: verb, Activity: object, RelatedActivities: true, Ascending: up, Limit: limit})
			}
		}
	}
	return queries
}

// Nodes that write the index after each other find all of it, also when one of them did not know of the other's or outlived
// its lease.
func TestNodesWriteTheIndexInTurn(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		one, two, c := open(t, d), open(t, d), system()
		var want []id.StatementID
		put := func(n int) {
			t.Helper()
			want = append(want, mustPost(t, one, c, slices.Repeat([]statement{simple("")}, n)...)...)
		}
		remember := func(s *lrs.Store) { // on PostgreSQL a query is not enough to have all that is stored remembered
			t.Helper()
			settle(t, s)
			find(t, s, c, lrs.Query{Verb: verbs + "did", Limit: 1000})
		}
		check := func(when string) {
			t.Helper()
			for _, s := range []*lrs.Store{one, two, open(t, d)} {
				for _, up := range []bool{true, false} {
					q := lrs.Query{Verb: verbs + "did", Ascending: up, Limit: 100}
					got := find(t, s, c, q)
					if !up {
						slices.Reverse(got)
					}
					if !slices.Equal(got, want) {
						t.Errorf("%s: %d statements are found of %d", when, len(got), len(want))
					}
				}
			}
		}
		index := func(err error) {
			t.Helper()
			if err != nil {
				t.Fatal(err)
			}
		}
		put(500)
		remember(one)
		remember(two)
		index(one.Index(t.Context()))
		put(100)
		remember(one)
		remember(two)
		index(two.IndexUnaware(t.Context()))
		put(600)
		remember(one)
		remember(two)
		index(one.IndexUnaware(t.Context()))
		check("unaware")
		index(one.Index(t.Context()))
		index(two.Index(t.Context()))
		put(600)
		remember(one)
		remember(two)
		err := one.IndexSlowly(t.Context(), func() {
			index(two.Index(t.Context()))
			put(900)
			remember(two)
			index(two.Index(t.Context()))
		})
		if err == nil {
			t.Error("a node wrote on after its lease")
		}
		check("outlived")
	})
}

func TestVerifyFindsADamagedIndex(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s, c := open(t, d), operator()
		mustPost(t, s, c, simple(newID()), simple(newID()))
		for stored, through := time.Now(), (time.Time{}); !through.After(stored); { // on PostgreSQL it takes a moment until they are settled
			var err error
			if through, err = s.ConsistentThrough(t.Context()); err == nil {
				err = s.Index(t.Context())
			}
			if err != nil {
				t.Fatal(err)
			}
		}
		findings := func() (n int) {
			t.Helper()
			if _, err := s.Verify(t.Context(), c, true, func(lrs.Finding) { n++ }); err != nil {
				t.Fatal(err)
			}
			return n
		}
		if n := findings(); n != 0 {
			t.Fatalf("%d findings in a sound store", n)
		}
		if err := s.Unindex(t.Context(), c.Org); err != nil {
			t.Fatal(err)
		}
		if n := findings(); n != 2 {
			t.Errorf("%d findings without the index, want one for each of 2 statements", n)
		}
	})
}
