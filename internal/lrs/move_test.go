package lrs_test

import (
	"bytes"
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
	if e.Until.IsZero() {
		settle(t, s)
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

// That a statement points at another, by which it voids it, is not to be forgotten together with the mark of the other.
func TestVerifyFindsALostReference(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s *lrs.Store) {
		c, gone := operator(), simple(newID())
		mustPost(t, s, c, gone, voids(newID(), gone.id))
		all := export(t, s, c, lrs.Extent{})
		verify(t, s, c, 0)
		for i, change := range []string{"UPDATE statements SET voided = false WHERE pos = @pos", "DELETE FROM statement_refs WHERE pos = @pos"} {
			if err := s.Corrupt(t.Context(), change, all[i]); err != nil {
				t.Fatal(err)
			}
		}
		if f := verify(t, s, c, 1)[0]; f.ID != all[1].ID {
			t.Errorf("found %v", f)
		}
	})
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
		if _, err := s.VerifyExport(t.Context(), c, strings.NewReader(string(changed)+"\n"+string(text)+gone+"\nnonsense\n"), func(f lrs.Finding) { found = append(found, f) }); err != nil {
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
		here, _, _ := openKeeping(t, d, 0)
		there, _, dirThere := openKeeping(t, dbtest.Open(t, d.Engine()), 0)
		from, to := operator(), operator()
		text := "what was drawn"
		sum := fmt.Sprintf("%X", sha256.Sum256([]byte(text)))
		st := simple(newID())
		st.extra = `,"attachments":[{"usageType":"https://example.org/drawing","display":{"en":"Drawing"},"contentType":"text/plain","length":14,"sha2":"` + sum + `"}]`
		_, err := here.PutWith(t.Context(), from, xapi.V1, id.StatementID{}, []byte(st.String()), parts(text))
		if err != nil {
			t.Fatal(err)
		}
		data := map[string]string{}
		lines := ndjson(export(t, here, from, lrs.Extent{Data: func(a lrs.Attachment) error {
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
		wantCounts(t, importLines(t, there, to, lines, lrs.ImportOptions{}), 0, 0, 1)
		data[strings.ToLower(sum)] = "what was drown"
		wantCounts(t, importLines(t, there, to, lines, opened), 0, 0, 1)
		data[strings.ToLower(sum)] = text
		wantCounts(t, importLines(t, there, to, lines, opened), 1, 0, 0)
		verify(t, there, to, 0)
		err = filepath.WalkDir(dirThere, func(path string, e fs.DirEntry, err error) error {
			if err == nil && e.Type().IsRegular() {
				err = errors.Join(os.Chmod(path, 0o600), os.WriteFile(path, []byte("what was drawm"), 0o600))
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		verify(t, there, to, 1)
		if err := there.Corrupt(t.Context(), "DELETE FROM attachments WHERE pos = @pos", export(t, there, to, lrs.Extent{})[0]); err != nil {
			t.Fatal(err)
		}
		if f := verify(t, there, to, 1)[0]; f.Message != "Nothing says where the data of its attachment "+sum+" is." {
			t.Error(f)
		}
	})
}
