package xapi_test

import (
	"bytes"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"pgregory.net/rapid"

	"rollway/xapi"
	"rollway/xapi/xapitest"
)

const authority = `{"objectType":"Agent","account":{"homePage":"https://rollway.example","name":"door"}}`

var storedAt = time.Date(2026, 1, 31, 12, 0, 0, 5_999_999, time.FixedZone("", 3600))

func lines() *rapid.Generator[xapi.Version] {
	return rapid.SampledFrom([]xapi.Version{xapi.V1, xapi.V2})
}

// checkServed checks what must hold for every statement that is accepted.
func checkServed(t interface{ Fatalf(string, ...any) }, src []byte, line xapi.Version) {
	f, err := xapi.Read(src, line)
	if err != nil {
		t.Fatalf("refused: %v\n%s", err, src)
	}
	id := xapi.NewUUID()
	served := f.Serve(nil, id, storedAt, []byte(authority))
	if bytes.ContainsAny(served, "\r\n\t") {
		t.Fatalf("served on several lines: %s", served)
	}
	g, err := xapi.Read(served, line)
	if err != nil {
		t.Fatalf("served but refused: %v\n%s", err, served)
	}
	if f.HasID {
		id = f.ID
	}
	if !g.HasID || g.ID != id || !g.HasStored || !g.HasAuthority || g.Version == nil || !g.HasTimestamp {
		t.Fatalf("served without what the store adds: %s", served)
	}
	if f.HasTimestamp && !f.Timestamp.Equal(g.Timestamp) {
		t.Fatalf("timestamp %v became %v", f.Timestamp, g.Timestamp)
	}
	if a, b := mentions(&f), mentions(&g); !slices.Equal(a, b) {
		t.Fatalf("mentions %q became %q", a, b)
	}
	if again := g.Serve(nil, xapi.UUID{}, storedAt, []byte(authority)); !bytes.Equal(again, served) {
		t.Fatalf("served\n%s\nthen\n%s", served, again)
	}
	later := storedAt.AddDate(1, 2, 3)
	stamped, at := f.ServeAt(nil, id, storedAt, []byte(authority))
	for _, i := range at {
		copy(stamped[i:], xapi.FormatTimestamp(later))
	}
	if want := f.Serve(nil, id, later, []byte(authority)); !bytes.Equal(stamped, want) {
		t.Fatalf("stamped later\n%s\nnot\n%s", stamped, want)
	}
	if equal, err := xapi.Equal(src, served); err != nil || !equal {
		t.Fatalf("served what is not equal (%v):\n%s\n%s", err, src, served)
	}
	if got := members(t, served); got["stored"] != `"2026-01-31T11:00:00.005Z"` || got["authority"] != authority {
		t.Fatalf("stored and authority are not ours: %s", served)
	}
}

// mentions lists everybody and everything a statement mentions but its
// authority.
func mentions(f *xapi.Facts) []string {
	var all []string
	for _, a := range f.Agents {
		if a.Role != xapi.RoleAuthority {
			all = append(all, string(a.Key))
		}
	}
	for _, a := range f.Activities {
		all = append(all, string(a.ID))
	}
	for _, a := range f.Attachments {
		all = append(all, string(a.SHA2))
	}
	return append(all, string(f.Verb), f.Object.String(), string(f.ObjectID), string(f.ObjectKey), f.Ref.String(), f.Registration.String())
}

// members returns the text of each member of an object.
func members(t interface{ Fatalf(string, ...any) }, src []byte) map[string]string {
	var values map[string]jsontext.Value
	if err := json.Unmarshal(src, &values); err != nil {
		t.Fatalf("%v in %s", err, src)
	}
	texts := make(map[string]string)
	for name, value := range values {
		texts[name] = string(value)
	}
	return texts
}

// checkTyped checks that the typed form prints and parses to itself.
func checkTyped(t interface{ Fatalf(string, ...any) }, src []byte, line xapi.Version) {
	var printed [2][]byte
	for i := range printed {
		s, err := xapi.ParseStatement(src, line)
		if err != nil {
			t.Fatalf("typed: %v\n%s", err, src)
		}
		if printed[i], err = json.Marshal(s); err != nil {
			t.Fatalf("print: %v\n%s", err, src)
		}
		src = printed[i]
	}
	if !bytes.Equal(printed[0], printed[1]) {
		t.Fatalf("printed\n%s\nthen\n%s", printed[0], printed[1])
	}
}

func TestGenerated(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		line := lines().Draw(t, "line")
		src := xapitest.Statement(line).Draw(t, "statement")
		checkServed(t, src, line)
		checkTyped(t, src, line)
		canonical, err := xapi.Canonical(src)
		if err != nil {
			t.Fatal(err)
		}
		if again, err := xapi.Canonical(canonical); err != nil || !bytes.Equal(again, canonical) {
			t.Fatalf("canonical form is not canonical (%v):\n%s\n%s", err, canonical, again)
		}
		ids, err := xapi.FormatIDs(src)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := xapi.Read(ids, line); err != nil {
			t.Fatalf("format=ids makes an invalid statement: %v\n%s", err, ids)
		}
		canon, err := xapi.CanonicalFormat{}.Format(src)
		if err != nil {
			t.Fatal(err)
		}
		if equal, err := xapi.Equal(src, canon); err != nil || !equal {
			t.Fatalf("format=canonical changes the statement (%v):\n%s\n%s", err, src, canon)
		}
	})
}

func TestGeneratedBatch(t *testing.T) {
	t.Parallel()
	var r xapi.Reader
	rapid.Check(t, func(t *rapid.T) {
		all := rapid.SliceOfN(xapitest.Statement(xapi.V2), 0, 4).Draw(t, "statements")
		facts, err := r.ReadBatch([]byte("["+string(bytes.Join(all, []byte(",")))+"]"), xapi.V2)
		if err != nil {
			t.Fatal(err)
		}
		if len(facts) != len(all) {
			t.Fatalf("%d of %d statements", len(facts), len(all))
		}
		for i, f := range facts {
			if string(f.Raw) != string(bytes.TrimSpace(all[i])) {
				t.Fatalf("raw text is %s\nnot %s", f.Raw, all[i])
			}
			alone, err := xapi.Read(all[i], xapi.V2)
			if err != nil {
				t.Fatal(err)
			}
			served := f.Serve(nil, xapi.UUID{1}, storedAt, []byte(authority))
			if want := alone.Serve(nil, xapi.UUID{1}, storedAt, []byte(authority)); !bytes.Equal(served, want) {
				t.Fatalf("in a batch it is served as\n%s\nalone as\n%s", served, want)
			}
		}
	})
}

// place is a value in some JSON text.
type place struct {
	pointer    string
	start, end int
	kind       jsontext.Kind
	parent     string // the name of the member it is in, or that its array is in
}

// places lists all values of a statement that are not in extensions.
func places(t *rapid.T, src []byte) []place {
	var all []place
	dec := jsontext.NewDecoder(bytes.NewReader(src))
	for {
		from := int(dec.InputOffset())
		kind := dec.PeekKind()
		if kind == 0 {
			return all
		}
		if kind == '}' || kind == ']' {
			if _, err := dec.ReadToken(); err != nil {
				t.Fatal(err)
			}
			pointer := string(dec.StackPointer())
			for i := range all {
				if all[i].pointer == pointer {
					all[i].end = int(dec.InputOffset())
				}
			}
			continue
		}
		if _, err := dec.ReadToken(); err != nil {
			t.Fatal(err)
		}
		_, n := dec.StackIndex(dec.StackDepth())
		outer, _ := dec.StackIndex(dec.StackDepth())
		pointer := string(dec.StackPointer())
		if outer == '{' && n%2 == 1 && kind == '"' || strings.Contains(pointer, "/extensions/") {
			continue // a name
		}
		for bytes.IndexByte([]byte(" \t\r\n,:"), src[from]) >= 0 {
			from++
		}
		path := strings.Split(pointer, "/")
		all = append(all, place{pointer, from, int(dec.InputOffset()), kind, path[len(path)-1]})
	}
}

func replace(src []byte, from, to int, with string) []byte {
	return slices.Concat(src[:from], []byte(with), src[to:])
}

// Whatever single thing is spoiled, the error points at it.
func TestSpoiled(t *testing.T) {
	t.Parallel()
	languageMaps := []string{"name", "description", "display"}
	rapid.Check(t, func(t *rapid.T) {
		line := lines().Draw(t, "line")
		src := xapitest.Statement(line).Draw(t, "statement")
		p := rapid.SampledFrom(places(t, src)).Draw(t, "place")
		var bad []byte
		pointer := p.pointer
		ways := []string{"null"} // those that spoil such a place; false is as good as true
		if p.kind != 't' && p.kind != 'f' {
			ways = append(ways, "type")
		}
		if p.kind == '{' && p.parent != "extensions" && !slices.Contains(languageMaps, p.parent) {
			ways = append(ways, "unknown", "case")
		}
		if p.pointer != "" && src[p.end-1] != ']' && p.start > 0 && p.parent[0] > '9' {
			ways = append(ways, "twice")
		}
		if p.kind == '"' {
			ways = append(ways, "utf-8", "nul")
		}
		how := rapid.SampledFrom(ways).Draw(t, "how")
		switch how {
		case "null":
			bad = replace(src, p.start, p.end, "null")
		case "type":
			bad = replace(src, p.start, p.end, "false")
		case "unknown":
			bad = replace(src, p.start+1, p.start+1, `"zzz": 1 ,`)
			pointer += "/zzz"
			if src[p.end-1] == '}' && strings.TrimSpace(string(src[p.start+1:p.end-1])) == "" {
				bad = replace(src, p.start, p.end, `{"zzz":1}`)
			}
		case "case":
			bad = replace(src, p.start+1, p.start+1, `"\u0049d":1,`)
			pointer += "/Id"
			if strings.TrimSpace(string(src[p.start+1:p.end-1])) == "" {
				bad = replace(src, p.start, p.end, `{"\u0049d":1}`)
			}
		case "twice":
			bad = replace(src, p.end, p.end, `,`+quoted(p.parent)+`:`+string(src[p.start:p.end]))
		case "utf-8":
			bad = replace(src, p.start+1, p.start+1, "\xff")
		case "nul":
			bad = replace(src, p.start+1, p.start+1, `\u0000`)
		}
		_, err := xapi.Read(bad, line)
		var e *xapi.Error
		if !errors.As(err, &e) {
			t.Fatalf("%s at %s: %v\n%s", how, p.pointer, err, bad)
		}
		if e.Pointer != pointer {
			t.Fatalf("%s at %q, but the error points at %q: %v\n%s", how, pointer, e.Pointer, e, bad)
		}
		if _, err := xapi.ParseStatement(bad, line); err == nil {
			t.Fatal("the typed parser accepts it")
		}
	})
}

func quoted(s string) string {
	s = strings.ReplaceAll(strings.ReplaceAll(s, "~1", "/"), "~0", "~")
	b, err := jsontext.AppendQuote(nil, s)
	if err != nil {
		panic(err)
	}
	return string(b)
}

func TestKeys(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		a, b := xapitest.IFI().Draw(t, "a"), xapitest.IFI().Draw(t, "b")
		if (a == b) != (a.Key() == b.Key()) {
			t.Fatalf("%v and %v: equal %t, keys %q and %q", a, b, a == b, a.Key(), b.Key())
		}
		if back, err := xapi.ParseKey(a.Key()); err != nil || back != a {
			t.Fatalf("key %q becomes %v (%v)", a.Key(), back, err)
		}
		text, err := json.Marshal(xapi.Agent{Name: "x", IFI: a})
		if err != nil {
			t.Fatal(err)
		}
		agent, err := xapi.ParseAgent(text)
		if err != nil || agent.IFI != a || agent.Name != "x" {
			t.Fatalf("%s becomes %v (%v)", text, agent, err)
		}
		f, err := xapi.Read([]byte(`{"actor":`+string(text)+`,"verb":{"id":"x:y"},"object":{"id":"x:y"}}`), xapi.V1)
		if err != nil || string(f.ActorKey) != a.Key() {
			t.Fatalf("the key of %s is %q in facts, %q alone (%v)", text, f.ActorKey, a.Key(), err)
		}
	})
}
