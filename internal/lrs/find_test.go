package lrs_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"rollway/internal/access"
	"rollway/internal/db"
	"rollway/internal/db/dbtest"
	"rollway/internal/fault"
	"rollway/internal/id"
	"rollway/internal/lrs"
	"rollway/xapi"
)

func TestVoiding(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s *lrs.Store) {
		c := system()
		gone := func(sid string) {
			t.Helper()
			_, err := s.Get(t.Context(), c, parse(t, sid), false)
			wantFault(t, err, fault.NotFound)
			if _, err := s.Get(t.Context(), c, parse(t, sid), true); err != nil {
				t.Fatal(err)
			}
			if got := find(t, s, c, lrs.Query{}); slices.Contains(got, parse(t, sid)) {
				t.Errorf("%s is listed", sid)
			}
		}
		there := func(sid string) {
			t.Helper()
			if _, err := s.Get(t.Context(), c, parse(t, sid), false); err != nil {
				t.Fatal(err)
			}
			_, err := s.Get(t.Context(), c, parse(t, sid), true)
			wantFault(t, err, fault.NotFound)
		}
		first, later, same := newID(), newID(), newID()
		v1, v2, v3, v4 := newID(), newID(), newID(), newID()
		mustPost(t, s, c, simple(first))
		mustPost(t, s, c, voids(v1, first))
		gone(first)
		there(v1)
		mustPost(t, s, c, voids(v2, later)) // before what it voids
		there(v2)
		mustPost(t, s, c, simple(later))
		gone(later)
		mustPost(t, s, c, voids(v3, same), simple(same)) // in one batch
		gone(same)
		mustPost(t, s, c, voids(v4, v1)) // a voiding one
		there(v1)
		gone(first)
		mustPost(t, s, c, simple(first)) // sent again, it stays voided
		gone(first)
		mustPost(t, s, c, voids(newID(), first))
		gone(first)
		circle := newID()
		mustPost(t, s, c, voids(circle, circle))
		there(circle)
	})
}

// A statement and what voids it, stored at the same moment: whichever is first, it ends voided.
func TestVoidingRace(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		a, b := open(t, d), open(t, d)
		if d.Engine() == db.SQLite {
			b = a
		}
		c := system()
		for range 60 {
			target := newID()
			done := make(chan error, 2)
			go func() {
				_, err := a.Put(t.Context(), c, xapi.V1, id.StatementID{}, []byte(simple(target).String()))
				done <- err
			}()
			go func() {
				_, err := b.Put(t.Context(), c, xapi.V1, id.StatementID{}, []byte(voids("", target).String()))
				done <- err
			}()
			for range 2 {
				if err := <-done; err != nil {
					t.Fatal(err)
				}
			}
			if _, err := a.Get(t.Context(), c, parse(t, target), true); err != nil {
				t.Fatal("not voided:", err)
			}
		}
	})
}

func TestMoreIsBound(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		now := time.Now()
		s, err := lrs.Open(t.Context(), lrs.Config{DB: d, HomePage: "https://rollway.example", Now: func() time.Time { return now }})
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		c := system()
		ids := mustPost(t, s, c, simple(""), simple(""), simple(""))
		page, err := s.Find(t.Context(), c, lrs.Query{Limit: 2, Carry: "format=ids"})
		if err != nil || len(page.Statements) != 2 || page.More == "" {
			t.Fatalf("%+v, %v", page, err)
		}
		for i := range page.More {
			changed := []byte(page.More)
			changed[i] = map[bool]byte{true: 'B', false: 'A'}[changed[i] == 'A']
			_, err := s.More(t.Context(), c, string(changed))
			wantFault(t, err, fault.Invalid)
		}
		for _, bad := range []string{"", "x", page.More[1:], page.More + "A", strings.Repeat("A", 40)} {
			_, err := s.More(t.Context(), c, bad)
			wantFault(t, err, fault.Invalid)
		}
		others := []access.Caller{c, c, c, learner(c, "ann")}
		others[0].Org++
		others[1].ServiceAccount = id.New[id.ServiceAccountID]()
		others[2].Kind, others[2].Credential = access.Credential, id.New[id.CredentialID]()
		for _, other := range others {
			_, err := s.More(t.Context(), other, page.More)
			wantFault(t, err, fault.Invalid)
		}
		weaker := c
		weaker.Scopes = access.StatementsWrite
		_, err = s.More(t.Context(), weaker, page.More)
		wantFault(t, err, fault.Forbidden)
		rest, err := s.More(t.Context(), c, page.More)
		if err != nil || len(rest.Statements) != 1 || rest.Statements[0].ID != ids[0] || rest.More != "" || rest.Carry != "format=ids" {
			t.Errorf("%+v, %v", rest, err)
		}
		now = now.Add(lrs.MoreFor + time.Second)
		_, err = s.More(t.Context(), c, page.More)
		wantFault(t, err, fault.Invalid)
	})
}

// model is the record store as the standard tells it, without a database.
type model struct {
	all []modelled // in the order of storing
}

type modelled struct {
	statement
	voiding bool
}

func (m *model) by(sid string) *modelled {
	for i := range m.all {
		if m.all[i].id == sid {
			return &m.all[i]
		}
	}
	return nil
}

func (m *model) voided(st modelled) bool {
	if st.voiding {
		return false
	}
	for _, v := range m.all {
		if v.voiding && v.ref == st.id {
			return true
		}
	}
	return false
}

// says tells whether a statement meets the filters by itself.
func (st *modelled) says(q lrs.Query) bool {
	agents := []string{st.actor}
	if q.RelatedAgents && st.instructor != "" {
		agents = append(agents, st.instructor)
	}
	activities := []string{}
	if st.ref == "" {
		activities = append(activities, st.object)
	}
	if q.RelatedActivities && st.parent != "" {
		activities = append(activities, st.parent)
	}
	verb := st.verb
	if !st.voiding {
		verb = verbs + verb
	}
	return (q.Agent.IsZero() || slices.ContainsFunc(agents, func(a string) bool { return mbox(a) == q.Agent })) &&
		(q.Verb == "" || q.Verb == verb) &&
		(q.Activity == "" || slices.Contains(activities, q.Activity)) &&
		(q.Registration.IsZero() || q.Registration.String() == st.registration)
}

// matches follows references as well.
func (m *model) matches(st *modelled, q lrs.Query) bool {
	seen := map[string]bool{}
	for st != nil && !seen[st.id] {
		if st.says(q) {
			return true
		}
		seen[st.id] = true
		if st.ref == "" {
			return false
		}
		st = m.by(st.ref)
	}
	return false
}

func (m *model) find(q lrs.Query, visible func(*modelled) bool) (ids []string) {
	for i := range m.all {
		if st := &m.all[i]; visible(st) && !m.voided(*st) && m.matches(st, q) {
			ids = append(ids, st.id)
		}
	}
	if !q.Ascending {
		slices.Reverse(ids)
	}
	return ids
}

func TestQueriesAgainstModel(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := open(t, d)
		rapid.Check(t, func(r *rapid.T) { checkQueries(t, r, s) })
	})
}

func checkQueries(t *testing.T, r *rapid.T, s *lrs.Store) {
	c := system()
	var m model
	names := rapid.SampledFrom([]string{"ann", "bob", "cid"})
	objects := rapid.SampledFrom([]string{"https://example.org/course", "https://example.org/course/1", "https://example.org/other"})
	registrations := []string{newID(), newID(), ""}
	ids := make([]string, 12) // some come late or never
	for i := range ids {
		ids[i] = newID()
	}
	free := slices.Clone(ids)
	for len(free) > 0 {
		var sts []statement
		for range min(len(free), rapid.IntRange(1, 3).Draw(r, "batch")) {
			at := rapid.IntRange(0, len(free)-1).Draw(r, "which")
			st := modelled{statement: statement{id: free[at], actor: names.Draw(r, "actor"), verb: rapid.SampledFrom([]string{"did", "saw"}).Draw(r, "verb"),
				object: objects.Draw(r, "object"), registration: rapid.SampledFrom(registrations).Draw(r, "registration")}}
			free = slices.Delete(free, at, at+1)
			switch rapid.IntRange(0, 5).Draw(r, "kind") {
			case 0:
				st.statement, st.voiding = voids(st.id, rapid.SampledFrom(ids).Draw(r, "target")), true
				st.actor = names.Draw(r, "admin")
			case 1, 2:
				st.ref = rapid.SampledFrom(ids).Draw(r, "target")
			case 3:
				st.parent, st.instructor = objects.Draw(r, "parent"), names.Draw(r, "instructor")
			}
			sts = append(sts, st.statement)
			m.all = append(m.all, st)
		}
		mustPost(t, s, c, sts...)
		if rapid.IntRange(0, 4).Draw(r, "pause") == 0 {
			break // the rest never comes
		}
	}
	ann := learner(c, "ann")
	if registrations[0] != "" {
		ann.Bound.Registration = id.RegistrationID(parse(t, registrations[0]))
	}
	for range 6 {
		q := lrs.Query{Ascending: rapid.Bool().Draw(r, "ascending"), Limit: rapid.IntRange(1, 5).Draw(r, "limit"), RelatedAgents: rapid.Bool().Draw(r, "agents"), RelatedActivities: rapid.Bool().Draw(r, "activities")}
		if rapid.Bool().Draw(r, "by agent") {
			q.Agent = mbox(names.Draw(r, "agent"))
		}
		if rapid.Bool().Draw(r, "by verb") {
			q.Verb = verbs + rapid.SampledFrom([]string{"did", "saw", "never"}).Draw(r, "verb")
		}
		if rapid.Bool().Draw(r, "by activity") {
			q.Activity = objects.Draw(r, "activity")
		}
		if rapid.IntRange(0, 3).Draw(r, "by registration") == 0 {
			q.Registration = id.RegistrationID(parse(t, registrations[0]))
		}
		compare(r, "everything", texts(find(t, s, c, q)), m.find(q, func(*modelled) bool { return true }))
		compare(r, "ann's", texts(find(t, s, ann, q)), m.find(q, func(st *modelled) bool {
			return st.actor == "ann" && (st.registration == "" || st.registration == registrations[0])
		}))
	}
}

func texts(ids []id.StatementID) (out []string) {
	for _, i := range ids {
		out = append(out, i.String())
	}
	return out
}

func compare(r *rapid.T, what string, got, want []string) {
	if !slices.Equal(got, want) {
		r.Fatalf("%s: got %v, want %v", what, got, want)
	}
}

func TestSinceAndUntil(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s *lrs.Store) {
		c := system()
		var all []lrs.Statement
		for range 5 {
			sid := mustPost(t, s, c, simple(""))[0]
			st, err := s.Get(t.Context(), c, sid, false)
			if err != nil {
				t.Fatal(err)
			}
			all = append(all, st)
			time.Sleep(3 * time.Millisecond)
		}
		count := func(q lrs.Query, want int) {
			t.Helper()
			for _, q.Verb = range []string{"", verbs + "did"} {
				if got := find(t, s, c, q); len(got) != want {
					t.Errorf("%+v: %d, want %d", q, len(got), want)
				}
			}
		}
		count(lrs.Query{Since: all[1].Stored}, 3)
		count(lrs.Query{Since: all[1].Stored.Add(-time.Millisecond)}, 4)
		count(lrs.Query{Since: all[1].Stored.Add(time.Microsecond)}, 3)
		count(lrs.Query{Until: all[1].Stored}, 2)
		count(lrs.Query{Until: all[1].Stored.Add(-time.Microsecond)}, 1)
		count(lrs.Query{Since: all[0].Stored, Until: all[3].Stored, Limit: 1, Ascending: true}, 3)
		count(lrs.Query{Since: all[4].Stored}, 0)
		for _, year := range []int{1, 1601, 1969, 2500, 9999} { // the first and last of some platforms, and what no position reaches
			far := time.Date(year, 2, 3, 4, 5, 6, 0, time.UTC)
			before, after := 0, 5
			if year > 2000 {
				before, after = 5, 0
			}
			count(lrs.Query{Until: far}, before)
			count(lrs.Query{Since: far}, after)
		}
	})
}

func TestLimits(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s *lrs.Store) {
		c := system()
		sts := make([]statement, lrs.MaxLimit)
		for i := range sts {
			sts[i] = simple("")
		}
		mustPost(t, s, c, sts...)
		mustPost(t, s, c, simple(""))
		for limit, want := range map[int]int{0: lrs.DefaultLimit, 1: 1, 25: 25, lrs.MaxLimit: lrs.MaxLimit, lrs.MaxLimit + 5: lrs.MaxLimit} {
			page, err := s.Find(t.Context(), c, lrs.Query{Limit: limit, Activity: course})
			if err != nil || len(page.Statements) != want || page.More == "" {
				t.Errorf("limit %d: %d, %v", limit, len(page.Statements), err)
			}
		}
	})
}

func TestActivity(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s *lrs.Store) {
		c := system()
		get := func(c access.Caller, iri string) string {
			t.Helper()
			text, err := s.Activity(t.Context(), c, iri)
			if err != nil {
				t.Fatal(err)
			}
			return string(text)
		}
		define := func(c access.Caller, definition string) {
			mustPost(t, s, c, statement{actor: "ann", verb: "did", object: course, definition: definition})
		}
		bare := fmt.Sprintf(`{"objectType":"Activity","id":%q}`, course)
		if got := get(c, course); got != bare {
			t.Error(got)
		}
		define(c, `{"name":{"en":"Course"},"type":"https://example.org/t"}`)
		define(c, `{"name":{"de":"Kurs"}}`)
		merged := fmt.Sprintf(`{"objectType":"Activity","id":%q,"definition":{"name":{"en":"Course","de":"Kurs"},"type":"https://example.org/t"}}`, course)
		for range 2 {
			if got := get(c, course); got != merged {
				t.Error(got)
			}
			plain := c
			plain.Scopes = access.StatementsWrite // may not define
			define(plain, `{"name":{"en":"Mine now"}}`)
		}
		define(c, `{"name":{"en":"New"}}`)
		define(c, `{"name":{"en":"Course"}}`)
		if got := get(c, course); got != merged {
			t.Error(got)
		}
		sid := newID()
		for _, name := range []string{"Course", "Not this"} { // sent again, a statement changes nothing
			mustPost(t, s, c, statement{id: sid, actor: "ann", verb: "did", object: course, definition: fmt.Sprintf(`{"name":{"en":%q}}`, name)})
		}
		define(c, `{"description":{"en":"`+strings.Repeat("x", lrs.MaxDefinition)+`"}}`)
		for i := range 3 { // together they are too long
			define(c, fmt.Sprintf(`{"description":{"en-x-part%d":"%s"}}`, i, strings.Repeat("x", lrs.MaxDefinition/2)))
		}
		if got := get(c, course); !strings.Contains(got, `"en":"Course"`) || !strings.Contains(got, `"en-x-part0"`) || strings.Contains(got, `"en-x-part1"`) || len(got) > lrs.MaxDefinition+200 {
			t.Errorf("%d bytes: %.300s", len(got), got)
		}
		other := c
		other.Org = system().Org
		if got := get(other, course); got != bare {
			t.Error("of another organization:", got)
		}
		_, err := s.Activity(t.Context(), c, "no iri")
		wantFault(t, err, fault.Invalid)
		other.Scopes = access.StatementsWrite
		_, err = s.Activity(t.Context(), other, course)
		wantFault(t, err, fault.Forbidden)
	})
}

// Nothing but what the store gave out is taken as a page's More.
func FuzzMore(f *testing.F) {
	s, c := open(f, dbtest.Open(f, db.SQLite)), system()
	mustPost(f, s, c, simple(""), simple(""))
	page, err := s.Find(f.Context(), c, lrs.Query{Limit: 1})
	if err != nil {
		f.Fatal(err)
	}
	f.Add("")
	f.Add(page.More)
	f.Add(page.More[:len(page.More)-1])
	f.Add(page.More + "\n")
	f.Fuzz(func(t *testing.T, more string) {
		_, err := s.More(t.Context(), c, more)
		if more != page.More && !fault.Is(err, fault.Invalid) {
			t.Errorf("%q: %v", more, err)
		}
	})
}
