package lrs_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"rollway/internal/access"
	"rollway/internal/db"
	"rollway/internal/db/dbtest"
	"rollway/internal/fault"
	"rollway/internal/lrs"
	"rollway/xapi"
)

// Each thing wrong with a file is told with its line, and all else is stored.
func TestImportProblems(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s *lrs.Store) {
		c := operator()
		here, twice, v2 := simple(newID()), simple(newID()), simple(newID())
		mustPost(t, s, c, here)
		other := here
		other.verb = "undid"
		changed := twice
		changed.verb = "undid"
		v2.extra = `,"version":"2.0.0","context":{"contextAgents":[{"objectType":"contextAgent","agent":{"mbox":"mailto:eve@example.org"}}]}`
		v1 := simple(newID())
		v1.extra = strings.Replace(v2.extra, `2.0.0`, `1.0.0`, 1)
		undated := simple("7b9f0e1c-0000-4000-8000-0000000000aa")
		undated.extra = `,"stored":"2019-01-02T03:04:05.678Z"`
		lines := []string{
			"\xEF\xBB\xBF" + here.String(), // known
			other.String(),                 // line 2: another under this id
			"",
			twice.String(), twice.String(), changed.String(), // line 6: another under this id
			`{"id":"` + newID() + `","actor":{}}`, // line 7
			simple("").String(),                   // line 8: no id
			v2.String(), v1.String(),              // which a request of 2.0 may send
			`{"id":"` + newID() + `"`,          // line 11: no JSON
			strings.Repeat("x", lrs.MaxBody+1), // line 12
			undated.String(),
			simple(newID()).String()[:50], // line 14: torn
		}
		got := importLines(t, s, c, []byte(strings.Join(lines, "\n")), lrs.ImportOptions{})
		wantCounts(t, got, 4, 2, 7)
		places := ""
		for _, p := range got.problems {
			places += strings.TrimPrefix(p.Place, "line") + ":" + p.Message
		}
		for _, want := range []string{" 2:There is another", " 6:There is another", " 7:/actor", " 8:It has no id", " 11:", " 12:It is longer", " 14:The file ends"} {
			if !strings.Contains(places, want) {
				t.Errorf("no problem %q in %s", want, places)
			}
		}
		st, err := s.Get(t.Context(), c, parse(t, undated.id), false)
		if err != nil || decode(t, st.JSON).Timestamp.Format(time.RFC3339Nano) != "2019-01-02T03:04:05.678Z" {
			t.Errorf("%s %v", st.JSON, err)
		}
		verify(t, s, c, 0)
	})
}

// listed is a source of statements that are at hand.
type listed [][]byte

func (s *listed) Name() string        { return "listed" }
func (s *listed) Resume(string) error { return nil }
func (s *listed) Next(context.Context) (lrs.Item, error) {
	if len(*s) == 0 {
		return lrs.Item{}, io.EOF
	}
	text := (*s)[0]
	*s = (*s)[1:]
	return lrs.Item{Text: text}, nil
}

// An import writes the index of what it stores when no server does.
func TestImportWritesTheIndex(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s, c := open(t, d), operator()
		var text bytes.Buffer
		for range 600 {
			fmt.Fprintln(&text, simple(newID()))
		}
		wantCounts(t, importLines(t, s, c, text.Bytes(), lrs.ImportOptions{Batch: 10}.IndexFrom(100)), 600, 0, 0)
		time.Sleep(10 * time.Millisecond) // on PostgreSQL it takes a moment until all are settled
		other := open(t, d)
		if n := len(find(t, other, c, lrs.Query{Verb: verbs + "did"})); n != 600 {
			t.Errorf("%d statements are found", n)
		}
		if n := other.Remembered(); n > 400 {
			t.Errorf("a process that starts has to remember %d statements", n)
		}
	})
}

// A statement longer than what a client may send is none of those that are kept, wherever it comes from.
func TestImportTakesNothingTooLong(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s *lrs.Store) {
		c := operator()
		long := append([]byte(simple(newID()).String()), bytes.Repeat([]byte(" "), lrs.MaxBody)...)
		got := importFrom(t, s, c, &listed{long, []byte(simple(newID()).String())}, lrs.ImportOptions{})
		wantCounts(t, got, 1, 0, 1)
		if !strings.HasPrefix(got.problems[0].Message, "It is longer than") {
			t.Error(got.problems)
		}
	})
}

// An import that is broken off between batches goes on there; one whose last batch was stored but not noted sends it again,
// and nothing is there twice. A file that grows is read on, a torn last line again; another file is refused.
func TestImportResumes(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s *lrs.Store) {
		c := operator()
		var text bytes.Buffer
		for range 100 {
			fmt.Fprintln(&text, simple(newID()))
		}
		ctx, stop := context.WithCancel(t.Context())
		batches := 0
		_, err := s.Import(ctx, c, lrs.NewLines("/export.ndjson", bytes.NewReader(text.Bytes())), lrs.ImportOptions{Batch: 10, Progress: func(lrs.Imported) {
			if batches++; batches == 3 {
				stop()
			}
		}})
		if err == nil || len(find(t, s, c, lrs.Query{})) >= 100 {
			t.Fatal("the import was not broken off")
		}
		half := len(find(t, s, c, lrs.Query{}))
		got := importLines(t, s, c, text.Bytes(), lrs.ImportOptions{Resume: true, Batch: 10})
		if got.Number != 1 || got.Stored != 100 || got.Known != 0 || half < 30 {
			t.Errorf("%+v after %d", got, half)
		}
		last := simple(newID()).String()
		fmt.Fprint(&text, last[:len(last)-10])
		torn := importLines(t, s, c, text.Bytes(), lrs.ImportOptions{Resume: true})
		wantCounts(t, torn, 100, 0, 1)
		fmt.Fprintln(&text, last[len(last)-10:])
		wantCounts(t, importLines(t, s, c, text.Bytes(), lrs.ImportOptions{Resume: true}), 101, 0, 1)
		if err := s.ForgetProgress(t.Context(), c.Org); err != nil { // killed before anything was noted
			t.Fatal(err)
		}
		wantCounts(t, importLines(t, s, c, text.Bytes(), lrs.ImportOptions{Resume: true}), 101, 101, 1)
		if n := len(find(t, s, c, lrs.Query{})); n != 101 {
			t.Errorf("%d statements", n)
		}
		_, err = s.Import(t.Context(), c, lrs.NewLines("/export.ndjson", bytes.NewReader(bytes.ToUpper(text.Bytes()))), lrs.ImportOptions{Resume: true})
		wantFault(t, err, fault.Conflict)
		_, err = s.Import(t.Context(), c, lrs.NewLines("/export.ndjson", bytes.NewBuffer(text.Bytes())), lrs.ImportOptions{Resume: true})
		wantFault(t, err, fault.Invalid)
		c.Scopes = access.All
		_, err = s.Import(t.Context(), c, lrs.NewLines("x", bytes.NewReader(nil)), lrs.ImportOptions{})
		wantFault(t, err, fault.Forbidden)
	})
}

// What is here already, and what is refused, says nothing new of an activity.
func TestImportAgainKeepsDefinitions(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s *lrs.Store) {
		c := operator()
		named := func(sid, name string) statement {
			return statement{id: sid, actor: "ann", verb: "did", object: course, definition: `{"name":{"en":"` + name + `"}}`}
		}
		is := func(name string) {
			t.Helper()
			if got, err := s.Activity(t.Context(), c, course); err != nil || !strings.Contains(string(got), `"`+name+`"`) {
				t.Errorf("it is %s (%v), not %s", got, err, name)
			}
		}
		old := named(newID(), "Old")
		file := []byte(old.String())
		wantCounts(t, importLines(t, s, c, file, lrs.ImportOptions{}), 1, 0, 0)
		is("Old")
		mustPost(t, s, c, named(newID(), "New"))
		is("New")
		wantCounts(t, importLines(t, s, c, file, lrs.ImportOptions{}), 0, 1, 0)
		is("New")
		other := named(old.id, "Other")
		other.actor = "eve"
		wantCounts(t, importLines(t, s, c, []byte(other.String()), lrs.ImportOptions{}), 0, 0, 1)
		is("New")
		wantCounts(t, importLines(t, s, c, []byte(named(newID(), "Newest").String()), lrs.ImportOptions{}), 1, 0, 0)
		is("Newest")
	})
}

// Two agents may vouch together; a statement keeps them and is found by each.
func TestImportKeepsAuthority(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s *lrs.Store) {
		c := operator()
		one, two, none := simple(newID()), simple(newID()), simple(newID())
		one.extra = `,"authority": {"mbox":"mailto:eve@example.org"}`
		two.extra = `,"authority":{"objectType":"Group","member":[{"account":{"homePage":"https://oauth.example","name":"app"}},{"mbox":"mailto:ann@example.org"}]}`
		spaced := strings.ReplaceAll(two.String(), ",", ", ")
		wantCounts(t, importLines(t, s, c, []byte(one.String()+"\n"+spaced+"\n"+none.String()), lrs.ImportOptions{}), 3, 0, 0)
		texts := string(ndjson(export(t, s, c, lrs.Extent{})))
		for _, want := range []string{`"authority":{"mbox":"mailto:eve@example.org"}`, two.extra, `"authority":{"objectType":"Agent","account":{"homePage":"https://rollway.example","name":"rollway"}}`} {
			if !strings.Contains(texts, want) {
				t.Errorf("no %s in %s", want, texts)
			}
		}
		app, err := xapi.ParseAccount("https://oauth.example", "app")
		if err != nil {
			t.Fatal(err)
		}
		if n := len(find(t, s, c, lrs.Query{Agent: app, RelatedAgents: true})); n != 1 {
			t.Errorf("%d found by the group's member", n)
		}
		if n := len(find(t, s, c, lrs.Query{Agent: mbox("eve"), RelatedAgents: true})); n != 1 {
			t.Errorf("%d found by the authority", n)
		}
		verify(t, s, c, 0)
	})
}
