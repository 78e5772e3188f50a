package lrs_test

import (
	"slices"
	"strings"
	"testing"

	"rollway/internal/db"
	"rollway/internal/db/dbtest"
	"rollway/internal/fault"
	"rollway/internal/id"
	"rollway/internal/lrs"
	"rollway/xapi"
)

// Whatever the data model takes can be stored, comes back equal, is found by what it says, and may be sent again as it came
// back; what it does not take is not stored.
func FuzzPut(f *testing.F) {
	for _, text := range []string{
		simple("").String(), voids("", newID()).String(), statement{actor: "ann", verb: "did", object: course, definition: `{"name":{"en":"\u0000é"},"extensions":{"x:y":[1e400,{"":null}]}}`}.String(),
		`{"actor":{"objectType":"Group","member":[{"mbox":"mailto:a@example.org"}]},"verb":{"id":"x:y"},"object":{"objectType":"SubStatement","actor":{"openid":"x:y"},"verb":{"id":"x:z"},"object":{"objectType":"Agent","mbox":"mailto:a@example.org"}}}`,
		strings.Replace(simple(newID()).String(), `"actor"`, `"timestamp":"2015-11-18T12:17:00.5+05:30","attachments":[{"usageType":"x:y","display":{"en":"d"},"contentType":"text/plain","length":3,"sha2":"495395e777cd98da653df9615d09c0fd6bb2f8d4788394cd53c56a3bfdcd848a","fileUrl":"x:y"}],"actor"`, 1),
		simple("00000000-0000-0000-0000-000000000000").String(), `{`, `[]`,
	} {
		f.Add([]byte(text), true)
		f.Add([]byte(text), false)
	}
	s := open(f, dbtest.Open(f, db.SQLite))
	f.Fuzz(func(t *testing.T, text []byte, two bool) {
		line := xapi.V1
		if two {
			line = xapi.V2
		}
		c := system()
		facts, invalid := xapi.Read(text, line)
		sid := id.New[id.StatementID]()
		if invalid == nil && facts.HasID {
			sid = id.StatementID(facts.ID)
		}
		if sid.IsZero() {
			sid = id.New[id.StatementID]()
		}
		_, err := s.Put(t.Context(), c, line, sid, text)
		if invalid != nil || fault.Is(err, fault.Invalid) || fault.Is(err, fault.TooLarge) {
			if invalid != nil && !fault.Is(err, fault.Invalid) {
				t.Fatalf("the data model says %v, the store %v", invalid, err)
			}
			if _, err := s.Get(t.Context(), c, sid, false); !fault.Is(err, fault.NotFound) {
				t.Fatalf("what was refused is there: %v", err)
			}
			return
		}
		if err != nil {
			t.Fatalf("it is taken and cannot be stored: %v", err)
		}
		got, err := s.Get(t.Context(), c, sid, false)
		if err != nil {
			t.Fatal(err)
		}
		back, err := xapi.Read(got.JSON, line)
		if err != nil {
			t.Fatalf("what is served is not taken: %v\n%s", err, got.JSON)
		}
		if same, err := xapi.Equal(text, got.JSON); facts.HasID && (err != nil || !same) {
			t.Fatalf("it comes back as another: %v\n%s", err, got.JSON)
		}
		for _, again := range [][]byte{text, got.JSON} {
			if _, err := s.Put(t.Context(), c, line, sid, again); err != nil {
				t.Fatalf("sent again: %v\n%s", err, again)
			}
		}
		if found := find(t, s, c, lrs.Query{Verb: string(back.Verb)}); !slices.Equal(found, []id.StatementID{sid}) {
			t.Fatalf("by its verb %q are found %v", back.Verb, found)
		}
	})
}
