package lrs_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"rollway/internal/access"
	"rollway/internal/blob"
	"rollway/internal/db"
	"rollway/internal/db/dbtest"
	"rollway/internal/fault"
	"rollway/internal/id"
	"rollway/internal/lrs"
	"rollway/xapi"
)

// operator is who moves statements, in an organization of its own.
func operator() access.Caller { return access.CommandLine(id.OrgID(orgs.Add(1))) }

func export(t testing.TB, s *lrs.Store, c access.Caller, e lrs.Extent) []lrs.Statement {
	t.Helper()
	for began := time.Now(); ; time.Sleep(time.Millisecond) {
		through, err := s.ConsistentThrough(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if through.After(began) || !e.Until.IsZero() {
			break
		}
	}
	var out []lrs.Statement
	done, err := s.Export(t.Context(), c, e, func(st lrs.Statement) error { out = append(out, st); return nil })
	if err != nil {
		t.Fatal(err)
	}
	if done.Statements != int64(len(out)) {
		t.Errorf("%d statements exported, %d counted", len(out), done.Statements)
	}
	return out
}

func ndjson(sts []lrs.Statement) []byte {
	var b bytes.Buffer
	for _, st := range sts {
		b.Write(append(st.JSON, '\n'))
	}
	return b.Bytes()
}

type imported struct {
	lrs.Imported
	problems []lrs.Problem
}

func importLines(t testing.TB, s *lrs.Store, c access.Caller, text []byte, o lrs.ImportOptions) imported {
	t.Helper()
	return importFrom(t, s, c, lrs.NewLines("/export.ndjson", bytes.NewReader(text)), o)
}

func importFrom(t testing.TB, s *lrs.Store, c access.Caller, src lrs.Source, o lrs.ImportOptions) (out imported) {
	t.Helper()
	o.Problem = func(p lrs.Problem) { out.problems = append(out.problems, p) }
	var err error
	if out.Imported, err = s.Import(t.Context(), c, src, o); err != nil {
		t.Fatal(err)
	}
	return out
}

func wantCounts(t testing.TB, i imported, stored, known, problems int64) {
	t.Helper()
	if i.Stored != stored || i.Known != known || i.Problems != problems {
		t.Fatalf("%d stored, %d known, %d problems; want %d, %d, %d\n%v", i.Stored, i.Known, i.Problems, stored, known, problems, i.problems)
	}
}

// verify wants a number of findings.
func verify(t testing.TB, s *lrs.Store, c access.Caller, want int) (found []lrs.Finding) {
	t.Helper()
	if _, err := s.Verify(t.Context(), c, true, func(f lrs.Finding) { found = append(found, f) }); err != nil {
		t.Fatal(err)
	}
	if len(found) != want {
		t.Fatalf("%d findings, want %d: %v", len(found), want, found)
	}
	return found
}

// tangle stores statements of several callers that point at and void each other in any order, in batches.
func tangle(t testing.TB, s *lrs.Store, c access.Caller, r *rand.Rand, n int) {
	t.Helper()
	ids := make([]string, n)
	for i := range ids {
		ids[i] = newID()
	}
	sts := make([]statement, n)
	for i, sid := range ids {
		sts[i] = statement{id: sid, actor: []string{"ann", "bob"}[r.IntN(2)], verb: "did", object: fmt.Sprintf("https://example.org/course/%d", r.IntN(3)), definition: fmt.Sprintf(`{"name":{"en":"Course %d"}}`, r.IntN(2))}
		switch r.IntN(6) {
		case 0:
			sts[i] = statement{id: sid, actor: "ann", verb: "said", ref: ids[r.IntN(n)]}
		case 1:
			sts[i] = voids(sid, ids[r.IntN(n)])
		case 2:
			sts[i].registration, sts[i].extra = newID(), `,"timestamp":"2020-02-03T04:05:06.789123+01:00"`
		}
	}
	for len(sts) > 0 {
		k := min(1+r.IntN(9), len(sts))
		mustPost(t, s, c, sts[:k]...)
		sts = sts[k:]
	}
}

// What is exported, imported elsewhere and exported there is the same but for stored: ids, timestamps, authorities, what
// is voided and what is found by what. Importing it again changes nothing.
func TestRoundTrip(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		a := open(t, d)
		b, err := lrs.Open(t.Context(), lrs.Config{DB: dbtest.Open(t, d.Engine()), HomePage: "https://other.example", Guest: true})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(b.Close)
		from, to := operator(), operator()
		r := rand.New(rand.NewPCG(3, 4))
		sender := system()
		sender.Org = from.Org
		for range 3 {
			tangle(t, a, sender, r, 60)
		}
		was := export(t, a, from, lrs.Extent{})
		wantCounts(t, importLines(t, b, to, ndjson(was), lrs.ImportOptions{Batch: 17}), 180, 0, 0)
		is := export(t, b, to, lrs.Extent{})
		if len(was) != 180 || len(is) != 180 {
			t.Fatalf("%d and %d statements", len(was), len(is))
		}
		for i, st := range is {
			stored := func(at time.Time) []byte { return []byte(`"stored":"` + xapi.FormatTimestamp(at) + `"`) }
			if back := bytes.Replace(st.JSON, stored(st.Stored), stored(was[i].Stored), 1); !bytes.Equal(back, was[i].JSON) {
				t.Fatalf("exported\n%s\nimported\n%s", was[i].JSON, st.JSON)
			}
			at, number, err := b.Origin(t.Context(), to.Org, st.Position())
			if err != nil || number != 1 || !at.Equal(was[i].Stored) {
				t.Fatalf("origin %v of import %d: %v", at, number, err)
			}
		}
		for _, q := range []lrs.Query{{}, {Agent: mbox("ann")}, {Verb: string(xapi.VerbVoided)}, {Activity: "https://example.org/course/1"}, {Agent: mbox("bob"), Verb: verbs + "did"}} {
			q.Ascending = true
			if x, y := find(t, a, from, q), find(t, b, to, q); !slices.Equal(x, y) || len(x) == 0 {
				t.Errorf("%+v finds %d there and %d here", q, len(x), len(y))
			}
		}
		verify(t, a, from, 0)
		verify(t, b, to, 0)
		again := importLines(t, b, to, ndjson(is), lrs.ImportOptions{})
		wantCounts(t, again, 0, 180, 0)
		wantCounts(t, importLines(t, a, from, ndjson(was), lrs.ImportOptions{}), 0, 180, 0)
		if compared, err := a.VerifyExport(t.Context(), from, bytes.NewReader(ndjson(was)), func(f lrs.Finding) { t.Error(f) }); err != nil || compared.Statements != 180 {
			t.Error(compared, err)
		}
	})
}

// An export in pieces, by time and by going on behind a statement, is the whole.
func TestExportInPieces(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s *lrs.Store) {
		c := operator()
		for range 40 {
			mustPost(t, s, c, simple(newID()), simple(newID()))
		}
		all := export(t, s, c, lrs.Extent{})
		until := all[33].Stored
		head := export(t, s, c, lrs.Extent{Until: until})
		pieces := append(head, export(t, s, c, lrs.Extent{Since: until})...)
		if !bytes.Equal(ndjson(pieces), ndjson(all)) || len(head) < 34 || len(all) != 80 {
			t.Errorf("%d and %d of %d statements", len(head), len(pieces)-len(head), len(all))
		}
		if rest := export(t, s, c, lrs.Extent{After: all[20].ID}); !bytes.Equal(ndjson(rest), ndjson(all[21:])) {
			t.Errorf("behind the 21st are %d statements", len(rest))
		}
		_, err := s.Export(t.Context(), c, lrs.Extent{After: id.New[id.StatementID]()}, func(lrs.Statement) error { return nil })
		wantFault(t, err, fault.NotFound)
		c.Scopes = access.StatementsRead
		_, err = s.Export(t.Context(), c, lrs.Extent{}, nil)
		wantFault(t, err, fault.Forbidden)
	})
}

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
			v2.String(), v1.String(),              // line 10: 2.0 in 1.0.3
			`{"id":"` + newID() + `"`,          // line 11: no JSON
			strings.Repeat("x", lrs.MaxBody+1), // line 12
			undated.String(),
			simple(newID()).String()[:50], // line 14: torn
		}
		got := importLines(t, s, c, []byte(strings.Join(lines, "\n")), lrs.ImportOptions{})
		wantCounts(t, got, 3, 2, 8)
		places := ""
		for _, p := range got.problems {
			places += strings.TrimPrefix(p.Place, "line") + ":" + p.Message
		}
		for _, want := range []string{" 2:There is another", " 6:There is another", " 7:/actor", " 8:It has no id", " 10:/context/contextAgents", " 11:", " 12:It is longer", " 14:The file ends"} {
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

// Whatever is changed in the database behind the store's back is found, at the statement that it was done to.
func TestVerifyFindsCorruption(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]string{
		"a byte of the text":       "UPDATE statements SET body = @flipped WHERE pos = @pos",
		"the hash":                 "UPDATE statements SET hash = @zeros WHERE pos = @pos",
		"the text of another":      "UPDATE statements SET body = (SELECT s.body FROM statements s WHERE s.pos <> @pos LIMIT 1), hash = (SELECT s.hash FROM statements s WHERE s.pos <> @pos LIMIT 1) WHERE pos = @pos",
		"the actor":                "UPDATE statements SET actor = actor + 1 WHERE pos = @pos",
		"the authority":            "UPDATE statements SET authority = 0 WHERE pos = @pos",
		"the registration":         "UPDATE statements SET registration = 7 WHERE pos = @pos",
		"whether it is voided":     "UPDATE statements SET voided = NOT voided WHERE pos = @pos",
		"whether it voids another": "UPDATE statements SET voids = NOT voids WHERE pos = @pos",
		"its place":                "UPDATE statements SET pos = pos - (1 << 21) WHERE pos = @pos",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			each(t, func(t *testing.T, s *lrs.Store) {
				c := operator()
				mustPost(t, s, c, simple(newID()), simple(newID()), simple(newID()))
				all := export(t, s, c, lrs.Extent{})
				victim := all[1]
				verify(t, s, c, 0)
				if err := s.Corrupt(t.Context(), change, victim); err != nil {
					t.Fatal(err)
				}
				var found []lrs.Finding
				if _, err := s.Verify(t.Context(), c, false, func(f lrs.Finding) { found = append(found, f) }); err != nil {
					t.Fatal(err)
				}
				if len(found) == 0 || slices.ContainsFunc(found, func(f lrs.Finding) bool { return f.ID != victim.ID }) {
					t.Fatalf("found %v", found)
				}
			})
		})
	}
}

// What an export has and the store has no more, or otherwise, is found.
func TestVerifyExport(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s *lrs.Store) {
		c := operator()
		mustPost(t, s, c, simple(newID()), simple(newID()), simple(newID()))
		all := export(t, s, c, lrs.Extent{})
		text := ndjson(all)
		gone := strings.Replace(string(all[2].JSON), all[2].ID.String(), newID(), 1)
		changed := bytes.Replace(all[0].JSON, []byte("ann"), []byte("bob"), 1)
		var found []lrs.Finding
		if _, err := s.VerifyExport(t.Context(), c, strings.NewReader(string(text)+gone+"\n"+string(changed)+"\nnonsense\n"), func(f lrs.Finding) { found = append(found, f) }); err != nil {
			t.Fatal(err)
		}
		if len(found) != 3 {
			t.Errorf("found %v", found)
		}
	})
}

// The data of attachments goes out and comes in with the statements; without it a statement that needs it is refused, and
// what was changed on the way or lies damaged here is found.
func TestMoveAttachments(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		stores, dirs := []*lrs.Store{}, []string{t.TempDir(), t.TempDir()}
		for i, d := range []*db.DB{d, dbtest.Open(t, d.Engine())} {
			blobs, err := blob.Open(dirs[i])
			if err != nil {
				t.Fatal(err)
			}
			s, err := lrs.Open(t.Context(), lrs.Config{DB: d, HomePage: "https://rollway.example", Blobs: blobs})
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(s.Close)
			stores = append(stores, s)
		}
		from, to := operator(), operator()
		text := "what was drawn"
		sum := fmt.Sprintf("%X", sha256.Sum256([]byte(text)))
		st := simple(newID())
		st.extra = `,"attachments":[{"usageType":"https://example.org/drawing","display":{"en":"Drawing"},"contentType":"text/plain","length":14,"sha2":"` + sum + `"}]`
		sent := false
		_, err := stores[0].PutWith(t.Context(), from, xapi.V1, id.StatementID{}, []byte(st.String()), func() (lrs.Part, error) {
			if sent {
				return lrs.Part{}, io.EOF
			}
			sent = true
			return lrs.Part{Hash: sum, Length: -1, Data: strings.NewReader(text)}, nil
		})
		if err != nil {
			t.Fatal(err)
		}
		data := map[string]string{}
		lines := ndjson(export(t, stores[0], from, lrs.Extent{Data: func(a lrs.Attachment) error {
			var b strings.Builder
			_, err := a.WriteTo(&b)
			data[strings.ToLower(a.SHA2)] = b.String()
			return err
		}}))
		if len(data) != 1 || data[strings.ToLower(sum)] != text {
			t.Fatalf("exported %q", data)
		}
		opened := lrs.ImportOptions{Data: func(sha2 string) (io.ReadCloser, error) {
			if text, ok := data[sha2]; ok {
				return io.NopCloser(strings.NewReader(text)), nil
			}
			return nil, fs.ErrNotExist
		}}
		wantCounts(t, importLines(t, stores[1], to, lines, lrs.ImportOptions{}), 0, 0, 1)
		data[strings.ToLower(sum)] = "what was drown"
		wantCounts(t, importLines(t, stores[1], to, lines, opened), 0, 0, 1)
		data[strings.ToLower(sum)] = text
		wantCounts(t, importLines(t, stores[1], to, lines, opened), 1, 0, 0)
		verify(t, stores[1], to, 0)
		err = filepath.WalkDir(dirs[1], func(path string, e fs.DirEntry, err error) error {
			if err == nil && e.Type().IsRegular() {
				err = errors.Join(os.Chmod(path, 0o600), os.WriteFile(path, []byte("what was drawm"), 0o600))
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		verify(t, stores[1], to, 1)
	})
}
