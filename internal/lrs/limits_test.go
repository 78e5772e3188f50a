package lrs_test

import (
	"fmt"
	"strings"
	"testing"

	"rollway/internal/access"
	"rollway/internal/db"
	"rollway/internal/db/dbtest"
	"rollway/internal/fault"
	"rollway/internal/id"
	"rollway/internal/lrs"
	"rollway/xapi"
)

// crowded is a statement that mentions n activities besides its object.
func crowded(sid string, n int) statement {
	var others []string
	for i := range n {
		others = append(others, fmt.Sprintf(`{"id":"https://example.org/other/%d"}`, i))
	}
	st := simple(sid)
	st.extra = `,"context":{"contextActivities":{"other":[` + strings.Join(others, ",") + `]}}`
	return st
}

// A single sender must not hold up the writer that all share.
func TestNamesAndReferencesAreBounded(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s *lrs.Store) {
		c := system()
		_, err := s.Put(t.Context(), c, xapi.V1, id.StatementID{}, []byte(crowded("", lrs.MaxNames).String()))
		wantFault(t, err, fault.TooLarge)
		target := newID()
		mustPost(t, s, c, crowded(target, 900))
		pointers := func(n int) []statement {
			var all []statement
			for range n {
				all = append(all, statement{id: newID(), actor: "ann", verb: "did", ref: target})
			}
			return all
		}
		_, err = s.Put(t.Context(), c, xapi.V1, id.StatementID{}, []byte(batch(pointers(100)...)))
		wantFault(t, err, fault.TooLarge)
		few := mustPost(t, s, c, pointers(10)...)
		if got := find(t, s, c, lrs.Query{Activity: "https://example.org/other/7", RelatedActivities: true}); len(got) != len(few)+1 {
			t.Errorf("%d statements are found by a name that 11 have", len(got))
		}
	})
}

func TestAPageEndsBeforeItIsTooLarge(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s *lrs.Store) {
		c := system()
		for range 5 {
			st := simple("")
			st.extra = `,"result":{"response":"` + strings.Repeat("x", 2<<20) + `"}`
			mustPost(t, s, c, st)
		}
		page, err := s.Find(t.Context(), c, lrs.Query{})
		if err != nil || len(page.Statements) != 2 || page.More == "" {
			t.Fatalf("%d statements, more %q, %v", len(page.Statements), page.More, err)
		}
		if got := find(t, s, c, lrs.Query{}); len(got) != 5 {
			t.Errorf("%d statements on all pages", len(got))
		}
	})
}

func TestVoidingOthersStatementsNeedsAll(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s *lrs.Store) {
		c := system()
		writer := access.Caller{Org: c.Org, Kind: access.ServiceAccount, Name: "writer", ServiceAccount: id.New[id.ServiceAccountID](), Scopes: access.StatementsWrite | access.StatementsReadMine}
		theirs, own, unknown := newID(), newID(), newID()
		mustPost(t, s, c, simple(theirs))
		mustPost(t, s, writer, simple(own))
		for _, target := range []string{theirs, unknown} {
			_, err := s.Put(t.Context(), writer, xapi.V1, id.StatementID{}, []byte(voids(newID(), target).String()))
			wantFault(t, err, fault.Forbidden)
		}
		mustPost(t, s, writer, voids(newID(), own))
		if _, err := s.Get(t.Context(), c, parse(t, own), true); err != nil {
			t.Errorf("one's own is not voided: %v", err)
		}
		if _, err := s.Get(t.Context(), c, parse(t, theirs), false); err != nil {
			t.Errorf("another's is voided: %v", err)
		}
	})
}

// What one learner says of an activity must not change what all others are shown.
func TestALearnersDefinitionsOnlyAdd(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s *lrs.Store) {
		c := system()
		ann := learner(c, "ann")
		course := ann.Bound.Activity
		define := func(who access.Caller, activity, definition string) {
			mustPost(t, s, who, statement{actor: "ann", verb: "did", object: activity, definition: definition})
		}
		define(c, course, `{"name":{"en":"Course"}}`)
		define(ann, course, `{"name":{"en":"HACKED","de":"Kurs"}}`)
		define(ann, course+"/page", `{"name":{"en":"Page"}}`)
		define(ann, "https://elsewhere.example/x", `{"name":{"en":"X"}}`)
		for activity, want := range map[string]string{
			course:                        `"name":{"en":"Course","de":"Kurs"}`,
			course + "/page":              `"name":{"en":"Page"}`,
			"https://elsewhere.example/x": `{"objectType":"Activity","id":"https://elsewhere.example/x"}`,
		} {
			got, err := s.Activity(t.Context(), c, activity)
			if err != nil || !strings.Contains(string(got), `"en":`) != !strings.Contains(want, `"en":`) || strings.Contains(string(got), "HACKED") {
				t.Errorf("%s is %s, %v", activity, got, err)
			}
			if activity == course && (!strings.Contains(string(got), `"en":"Course"`) || !strings.Contains(string(got), `"de":"Kurs"`)) {
				t.Errorf("the course is %s", got)
			}
		}
		define(c, course, `{"name":{"en":"HACKED","de":"Kurs"}}`)
		if got, err := s.Activity(t.Context(), c, course); err != nil || !strings.Contains(string(got), `HACKED`) {
			t.Errorf("a system's definition after a learner's equal one: %s, %v", got, err)
		}
		minted := ann
		minted.Bound = &access.Bound{Person: ann.Bound.Person, Agent: ann.Bound.Agent}
		err := s.PutDocument(t.Context(), minted, xapi.V2, lrs.DocumentKey{Kind: lrs.ActivityProfile, Activity: course, ID: "p"}, lrs.Document{ContentType: "text/plain", Content: []byte("x")}, lrs.Precondition{})
		wantFault(t, err, fault.Forbidden)
	})
}

// One statement may define any number of activities; of very many long definitions the last are left until they are sent
// again.
func TestManyDefinitions(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s, c := open(t, d), system()
		const n = 200
		iri := func(i int) string { return fmt.Sprintf("%s/%d", course, i) }
		define := func(language string) {
			t.Helper()
			var parts []string
			for i := range n {
				parts = append(parts, fmt.Sprintf(`{"id":%q,"definition":{"name":{%q:"%d"}}}`, iri(i), language, i))
			}
			mustPost(t, s, c, statement{actor: "ann", verb: "did", object: course, extra: `,"context":{"contextActivities":{"grouping":[` + strings.Join(parts, ",") + `]}}`})
		}
		defined := func(language string) (count int) {
			t.Helper()
			for i := range n {
				text, err := s.Activity(t.Context(), c, iri(i))
				if err != nil {
					t.Fatal(err)
				}
				if strings.Contains(string(text), fmt.Sprintf(`%q:"%d"`, language, i)) {
					count++
				}
			}
			return count
		}
		define("en")
		if got := defined("en"); got != n {
			t.Errorf("%d of %d are defined", got, n)
		}
		s.MergeAtMost(1000)
		define("de")
		if got := defined("de"); got == 0 || got > lrs.MergedAtOnce {
			t.Errorf("%d of %d are defined again", got, n)
		}
		s.MergeAtMost(1 << 20)
		define("de")
		if en, de := defined("en"), defined("de"); en != n || de != n {
			t.Errorf("%d and %d of %d are defined in the end", en, de, n)
		}
	})
}

func TestLargeDocumentsAreNotMerged(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s *lrs.Store) {
		c := system()
		k := lrs.DocumentKey{Kind: lrs.State, Activity: "https://example.org/course", Agent: mbox("ann"), ID: "s"}
		big := lrs.Document{ContentType: "application/json", Content: []byte(`{"a":"` + strings.Repeat("x", lrs.MaxMerged) + `"}`)}
		if err := s.PostDocument(t.Context(), c, k, big, lrs.Precondition{}); err != nil {
			t.Fatal(err)
		}
		small := lrs.Document{ContentType: "application/json", Content: []byte(`{"b":1}`)}
		wantFault(t, s.PostDocument(t.Context(), c, k, small, lrs.Precondition{}), fault.TooLarge)
	})
}
