package xapi_test

import (
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/go-json-experiment/json"

	"rollway/xapi"
)

// FuzzRead checks that whatever is accepted is served as something that is
// accepted, is equal, and has a typed form.
func FuzzRead(f *testing.F) {
	for _, src := range []string{
		typical, rich, statementWith("object", goodSub), statementWith("object", someRef), statementWith("timestamp", `"2016-12-31T23:59:60+0000"`),
		statementWith("context", `{"contextActivities":{"parent":{"id":"x:\u0079"}}}`), statementWith("attachments", "["+attachment("x:y")+"]"),
		statementWith("object", `{"objectType":"Group","member":[`+someAgent+`]}`), `[]`, `{"actor":null}`,
	} {
		f.Add([]byte(src), true)
		f.Add([]byte(src), false)
	}
	f.Fuzz(func(t *testing.T, src []byte, two bool) {
		line := xapi.V1
		if two {
			line = xapi.V2
		}
		if _, err := xapi.ReadBatch(src, line); err != nil && err.Error() == "" {
			t.Fatal("an error says nothing")
		}
		if _, err := xapi.Read(src, line); err != nil {
			if _, err := xapi.ParseStatement(src, line); err == nil {
				t.Fatal("the typed parser accepts it")
			}
			return
		}
		checkServed(t, src, line)
		checkTyped(t, src, line)
		for _, format := range []func([]byte) ([]byte, error){xapi.FormatIDs, xapi.CanonicalFormat{}.Format} {
			out, err := format(src)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := xapi.Read(out, line); err != nil {
				t.Fatalf("formatted as an invalid statement: %v\n%s", err, out)
			}
		}
	})
}

func FuzzTimestamp(f *testing.F) {
	for _, s := range []string{"2026-01-31T12:00:00Z", "2026-01-31T12:00:00.123456789-05:30", "2016-12-31T23:59:60", "2008-09-15T15:53:00.601-00:00"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		at, err := xapi.ParseTimestamp(s)
		if err != nil {
			return
		}
		text := xapi.FormatTimestamp(at)
		back, err := time.Parse(time.RFC3339, text)
		if err != nil || len(text) != len("2026-01-31T12:00:00.000Z") || !back.Equal(at.Truncate(time.Millisecond)) {
			t.Fatalf("%q is written as %q (%v)", s, text, err)
		}
		if standard, err := time.Parse(time.RFC3339, s); err == nil && !standard.Equal(at) {
			t.Fatalf("%q is %v, not %v", s, at, standard)
		}
	})
}

func FuzzDuration(f *testing.F) {
	for _, s := range []string{"PT4H35M59.14S", "P3Y1M29DT4H35M59.14S", "P4W", "P4W1D", "PT0,5S"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		d, err := xapi.ParseDuration(s)
		if err == nil && !d.Equal(d) {
			t.Fatalf("%q does not equal itself", s)
		}
	})
}

func FuzzIRI(f *testing.F) {
	for _, s := range []string{"http://example.com/%C3%A4?q#f", "urn:x:y", "x", "http://例え.jp/"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if _, err := xapi.ParseIRI(s); err == nil && !utf8.ValidString(s) {
			t.Fatalf("%q is not UTF-8", s)
		}
	})
}

func FuzzLanguage(f *testing.F) {
	for _, s := range []string{"en-US", "zh-cmn-Hans-CN", "x-own", "en-a-bbb-x-a-ccc", "i-klingon", "de, en;q=0.5, *;q=0", "QQQ"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		for _, tag := range xapi.ParseAcceptLanguage(s) {
			if tag != "*" && !xapi.ValidLanguage(tag) {
				t.Fatalf("%q prefers %q", s, tag)
			}
		}
		if offered := []string{"qqq", s}; xapi.ValidLanguage(s) && len(s) <= 64 {
			if picked := offered[xapi.ParseAcceptLanguage(s).Pick(offered)]; !strings.EqualFold(picked, s) {
				t.Fatalf("of %q, %q is picked", offered, picked)
			}
		}
	})
}

func FuzzAgent(f *testing.F) {
	for _, s := range []string{someAgent, `{"account":{"homePage":"x:y","name":"n"},"objectType":"Agent","name":""}`, `{"objectType":"Group","member":[` + someAgent + `]}`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, src []byte) {
		actor, err := xapi.ParseActor(src)
		if _, agentErr := xapi.ParseAgent(src); err != nil {
			if agentErr == nil {
				t.Fatal("an Agent, but not an actor")
			}
			return
		}
		text, err := json.Marshal(actor)
		if err != nil {
			t.Fatal(err)
		}
		back, err := xapi.ParseActor(text)
		if err != nil || back.Identifier() != actor.Identifier() {
			t.Fatalf("%s becomes %s (%v)", src, text, err)
		}
		if i := actor.Identifier(); !i.IsZero() {
			if same, err := xapi.ParseKey(i.Key()); err != nil || same != i {
				t.Fatalf("key %q becomes %v (%v)", i.Key(), same, err)
			}
		}
	})
}
