package lrs_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"rollway/internal/access"
	"rollway/internal/db"
	"rollway/internal/db/dbtest"
	"rollway/internal/fault"
	"rollway/internal/id"
	"rollway/internal/lrs"
	"rollway/xapi"
)

// A follower that keeps its place is given everything a query selects, voided statements too, whatever points at what and
// whichever comes first; nothing but statements that were found late has an earlier position than the one before.
func TestAfterMissesNothing(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s *lrs.Store) {
		for round := range 15 {
			r := rand.New(rand.NewPCG(7, uint64(round)))
			c := system()
			q := lrs.Query{Verb: verbs + "wanted", Limit: 1 + r.IntN(4)}
			var sts []statement
			var ids []string
			for range 12 {
				ids = append(ids, newID())
			}
			for i, sid := range ids {
				st := statement{id: sid, actor: "ann", verb: []string{"wanted", "other"}[r.IntN(2)], object: "https://example.org/course"}
				switch r.IntN(4) {
				case 0:
					st.ref = ids[r.IntN(len(ids))]
				case 1:
					st.ref, st.verb = ids[r.IntN(len(ids))], string(xapi.VerbVoided)
				}
				if st.ref == ids[i] {
					st.ref, st.verb = "", "wanted"
				}
				sts = append(sts, st)
			}
			r.Shuffle(len(sts), func(i, j int) { sts[i], sts[j] = sts[j], sts[i] })
			got, at := map[id.StatementID]bool{}, lrs.Position(0)
			poll := func() {
				at = followed(t, s, c, q, at, got)
			}
			for _, st := range sts {
				mustPost(t, s, c, st)
				if r.IntN(3) == 0 {
					poll()
				}
			}
			poll()
			all := map[id.StatementID]bool{}
			followed(t, s, c, lrs.Query{Verb: q.Verb}, 0, all)
			if len(got) != len(all) {
				t.Fatalf("round %d: followed %d statements of %d:\n%s", round, len(got), len(all), batch(sts...))
			}
			page, err := s.Find(t.Context(), c, lrs.Query{Verb: q.Verb})
			if err != nil {
				t.Fatal(err)
			}
			for _, st := range page.Statements {
				if !got[st.ID] {
					t.Errorf("round %d: %s was not followed", round, st.ID)
				}
			}
		}
	})
}

// followed reads on from a position to where the store is consistent now.
func followed(t *testing.T, s *lrs.Store, c access.Caller, q lrs.Query, at lrs.Position, got map[id.StatementID]bool) lrs.Position {
	t.Helper()
	began := time.Now()
	through, err := s.ConsistentThrough(t.Context())
	for err == nil && through.Before(began) {
		time.Sleep(time.Millisecond)
		through, err = s.ConsistentThrough(t.Context())
	}
	for more := true; more; {
		var found []lrs.Statement
		if err == nil {
			found, more, err = s.After(t.Context(), c, q, at, lrs.At(through))
		}
		if err != nil {
			t.Fatal(err)
		}
		for st, err := range s.WithEarlier(t.Context(), c, q, found) {
			if err != nil {
				t.Fatal(err)
			}
			if got[st.ID] && st.Position() > at {
				t.Errorf("%s comes again", st.ID)
			}
			got[st.ID] = true
			at = max(at, st.Position())
		}
	}
	return lrs.At(through)
}

func TestAfterNeedsTheRightToReadAll(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s *lrs.Store) {
		c := system()
		c.Scopes = access.StatementsReadMine
		if _, _, err := s.After(t.Context(), c, lrs.Query{}, 0, 1<<60); !fault.Is(err, fault.Forbidden) {
			t.Error(err)
		}
	})
}

func TestAfterKeepsVoidedOnesInPlace(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s *lrs.Store) {
		c := system()
		one, two, three := newID(), newID(), newID()
		mustPost(t, s, c, simple(one), simple(two), voids(three, one))
		for name, q := range map[string]lrs.Query{"all": {}, "by activity": {Activity: "https://example.org/course"}} {
			found, more, err := s.After(t.Context(), c, q, 0, 1<<62)
			if err != nil || more {
				t.Fatal(more, err)
			}
			var ids []string
			for _, st := range found {
				ids = append(ids, st.ID.String())
			}
			if !slices.Equal(ids, []string{one, two, three}) {
				t.Errorf("%s: %s", name, fmt.Sprint(ids))
			}
		}
	})
}

// Thousands of statements that came before the one they point at, and thousands that point at one of these, are read few at a
// time, each once and behind what it points at; a follower may stop anywhere.
func TestAfterWithManyPointers(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		direct, indirect := 1500, 700
		if testing.Short() { // more than are read at once, still
			direct, indirect = 300, 150
		}
		s, c, root, middle := open(t, d), system(), newID(), newID()
		points := func(sid, at string) statement {
			return statement{id: sid, actor: "ann", verb: "other", ref: at, extra: `,"result":{"response":"` + strings.Repeat("r", 300) + `"}`}
		}
		post := func(n int, at string) {
			for n > 0 {
				var sts []statement
				for range min(n, 500) {
					sts = append(sts, points(newID(), at))
				}
				mustPost(t, s, c, sts...)
				n -= len(sts)
			}
		}
		post(direct, root)
		mustPost(t, s, c, points(middle, root))
		post(indirect, middle)
		target := simple(root)
		target.verb = "wanted"
		mustPost(t, s, c, target)
		q := lrs.Query{Verb: verbs + "wanted"}
		st, err := s.Get(t.Context(), c, parse(t, root), false)
		if err != nil {
			t.Fatal(err)
		}
		found, more, err := s.After(t.Context(), c, q, st.Position()-1, lrs.End) // the place is behind the others
		if err != nil || more || len(found) != 1 {
			t.Fatal(len(found), more, err)
		}
		got, last, passedMiddle := map[id.StatementID]bool{}, lrs.Position(0), false
		for st, err := range s.WithEarlier(t.Context(), c, q, found) {
			switch {
			case err != nil:
				t.Fatal(err)
			case got[st.ID]:
				t.Fatalf("%s comes twice", st.ID)
			case len(got) > 0 && st.Position() <= last:
				t.Fatalf("%s is out of order", st.ID)
			}
			if len(got) > 0 {
				last = st.Position()
			}
			got[st.ID] = true
			passedMiddle = passedMiddle || st.ID.String() == middle
		}
		if len(got) != 1+direct+1+indirect || !passedMiddle {
			t.Errorf("%d statements", len(got))
		}
		n := 0
		for range s.WithEarlier(t.Context(), c, q, found) {
			if n++; n == direct {
				break
			}
		}
		if n != direct {
			t.Errorf("%d before the end", n)
		}
	})
}
