package lrs_test

import (
	"fmt"
	"testing"
	"time"

	"rollway/internal/db"
	"rollway/internal/db/dbtest"
	"rollway/internal/lrs"
)

// What was last said of an activity holds, also when a node said the same before another said something else.
func TestDefinitionsOnTwoNodes(t *testing.T) {
	t.Parallel()
	d := dbtest.Open(t, db.PostgreSQL)
	late := time.Duration(0)
	one, err := lrs.Open(t.Context(), lrs.Config{DB: d, HomePage: "https://rollway.example/", Now: func() time.Time { return time.Now().Add(late) }})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(one.Close)
	two, c := open(t, d), system()
	define := func(s *lrs.Store, name string) {
		t.Helper()
		mustPost(t, s, c, statement{actor: "ann", verb: "did", object: course, definition: fmt.Sprintf(`{"name":{"en":%q}}`, name)})
		want := fmt.Sprintf(`{"objectType":"Activity","id":%q,"definition":{"name":{"en":%q}}}`, course, name)
		if got, err := two.Activity(t.Context(), c, course); err != nil || string(got) != want {
			t.Errorf("%s, %v, want %s", got, err, want)
		}
	}
	define(one, "Old")
	define(two, "New")
	late = 2 * time.Minute // until then a node may take it for known
	define(one, "Old")
}
