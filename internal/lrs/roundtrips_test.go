package lrs_test

import (
	"fmt"
	"math"
	"testing"

	"rollway/internal/db"
	"rollway/internal/db/dbtest"
	"rollway/internal/lrs"
	"rollway/xapi"
)

// What is stored on PostgreSQL takes one round trip, however many statements come together, and two where what is there must
// be looked at first.
func TestRoundTrips(t *testing.T) {
	t.Parallel()
	network, address := dbtest.Through(t, dbtest.URL(t, db.PostgreSQL))
	s, c := open(t, dbtest.Connect(t, db.Options{URL: address, Conns: 1})), system()
	many := func(one func() statement) func(int) {
		return func(int) {
			sts := make([]statement, 300)
			for i := range sts {
				sts[i] = one()
			}
			mustPost(t, s, c, sts...)
		}
	}
	for _, test := range []struct {
		what string
		want int
		do   func(round int)
	}{
		{"a new statement", 1, func(int) { mustPost(t, s, c, simple("")) }},
		{"a batch of new statements", 1, many(func() statement { return simple("") })},
		{"a batch of new statements that bring their ids", 1, many(func() statement { return simple(newID()) })},
		{"a batch that says something new of activities", 2, func(round int) {
			var sts []statement
			for i := range 2 {
				sts = append(sts, statement{actor: "ann", verb: "did", object: fmt.Sprint(course, "/", i), definition: fmt.Sprintf(`{"name":{"en":"Round %d"}}`, round)}, simple(newID()))
			}
			mustPost(t, s, c, sts...)
		}},
		{"a document", 2, func(round int) {
			if err := s.PutDocument(t.Context(), c, xapi.V1, keys()["state"], jsonDoc(fmt.Sprint(round)), lrs.Precondition{}); err != nil {
				t.Fatal(err)
			}
		}},
	} {
		least := math.MaxInt
		for round := range 5 { // at first its SQL is prepared; and a connection that was idle for a second is tried before it is used
			before := network.RoundTrips()
			test.do(round)
			least = min(least, network.RoundTrips()-before)
		}
		if least != test.want {
			t.Errorf("%s: %d round trips, want %d", test.what, least, test.want)
		}
	}
}
