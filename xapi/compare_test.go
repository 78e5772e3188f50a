package xapi_test

import (
	"strings"
	"testing"

	"rollway/xapi"
)

func TestEqual(t *testing.T) {
	t.Parallel()
	same := [][2]string{
		{statementWith("stored", `"2026-01-01T00:00:00Z"`), statementWith("stored", `"2027-01-01T00:00:00Z"`)},
		{statementWith("authority", someAgent), statementWith("actor", someAgent)},
		{statementWith("id", `"fd41c918-b88b-4b20-a0a5-a4c32391aaa0"`), statementWith("actor", someAgent)},
		{statementWith("id", `"fd41c918-b88b-4b20-a0a5-a4c32391aaa0"`), statementWith("id", `"FD41C918-B88B-4B20-A0A5-A4C32391AAA0"`)},
		{statementWith("timestamp", `"2026-01-01T00:00:00Z"`), statementWith("actor", someAgent)},
		{statementWith("timestamp", `"2026-01-01T00:00:00Z"`), statementWith("timestamp", `"2026-01-01T01:00:00.0004+01:00"`)},
		{statementWith("version", `"1.0.0"`), statementWith("actor", someAgent)},
		{statementWith("actor", `{"mbox":"mailto:a@B.c"}`), statementWith("actor", `{ "mbox":"mailto:\u0061@b.C" }`)},
		{statementWith("verb", `{"id":"x:y","display":{"en":"a"}}`), statementWith("verb", `{"id":"x:y"}`)},
		{statementWith("object", `{"id":"x:y","definition":{"name":{"en":"a"}}}`), statementWith("object", `{"id":"x:y"}`)},
		{statementWith("actor", `{"objectType":"Group","member":[{"openid":"x:a"},{"name":"n","openid":"x:b"}]}`),
			statementWith("actor", `{"objectType":"Group","member":[{"openid":"x:b","name":"n"},{"openid":"x:a"}]}`)},
		{statementWith("result", `{"duration":"PT1.239S"}`), statementWith("result", `{"duration":"PT1.23S"}`)},
		{statementWith("result", `{"score":{"raw":1.50}}`), statementWith("result", `{"score":{"raw":15e-1}}`)},
		{statementWith("result", `{"extensions":{"x:y":{"a":1,"b":[1e400]}}}`), statementWith("result", `{"extensions":{"x:y":{"b":[10e399],"a":1.0}}}`)},
		{statementWith("context", `{"contextActivities":{"parent":{"id":"x:y","definition":{}}}}`), statementWith("context", `{"contextActivities":{"parent":[{"id":"x:y"}]}}`)},
		{statementWith("object", strings.Replace(goodSub, someActivity, `{"id":"x:y","definition":{}}`, 1)), statementWith("object", strings.Replace(goodSub, someActivity, `{"id":"x:y"}`, 1))},
		{statementWith("attachments", `[`+attachment(string(xapi.SignatureUsage))+`]`), statementWith("actor", someAgent)},
		{statementWith("attachments", `[`+attachment("x:y")+`,`+attachment(string(xapi.SignatureUsage))+`]`), statementWith("attachments", `[`+strings.Replace(attachment("x:y"), strings.ToUpper(someSHA2), someSHA2, 1)+`]`)},
		{statementWith("context", `{"statement":`+someRef+`}`), statementWith("context", `{"statement":`+strings.Replace(someRef, "fd41c918", "FD41C918", 1)+`}`)},
	}
	for _, pair := range same {
		checkEqual(t, pair[0], pair[1], true)
	}
	different := [][2]string{
		{statementWith("id", `"fd41c918-b88b-4b20-a0a5-a4c32391aaa0"`), statementWith("id", `"fd41c918-b88b-4b20-a0a5-a4c32391aaa1"`)},
		{statementWith("timestamp", `"2026-01-01T00:00:00Z"`), statementWith("timestamp", `"2026-01-01T00:00:00.001Z"`)},
		{statementWith("version", `"1.0.0"`), statementWith("version", `"1.0.1"`)},
		{statementWith("actor", `{"mbox":"mailto:a@b.c"}`), statementWith("actor", `{"mbox":"mailto:A@b.c"}`)},
		{statementWith("actor", `{"mbox":"mailto:a@b.c"}`), statementWith("actor", `{"mbox":"mailto:a@b.c","name":"n"}`)},
		{statementWith("actor", `{"mbox":"mailto:a@b.c"}`), statementWith("actor", `{"mbox":"mailto:a@b.c","objectType":"Agent"}`)},
		{statementWith("verb", `{"id":"x:y"}`), statementWith("verb", `{"id":"x:Y"}`)},
		{statementWith("object", `{"id":"x:y"}`), statementWith("object", `{"id":"x:z"}`)},
		{statementWith("result", `{"duration":"PT60S"}`), statementWith("result", `{"duration":"PT1M"}`)},
		{statementWith("result", `{"duration":"PT1.23S"}`), statementWith("result", `{"duration":"PT1.24S"}`)},
		{statementWith("result", `{"score":{"raw":9007199254740993}}`), statementWith("result", `{"score":{"raw":9007199254740992}}`)},
		{statementWith("result", `{"extensions":{"x:y":[1,2]}}`), statementWith("result", `{"extensions":{"x:y":[2,1]}}`)},
		{statementWith("result", `{"extensions":{"x:y":{"definition":1}}}`), statementWith("result", `{"extensions":{"x:y":{}}}`)},
		{statementWith("result", `{}`), statementWith("actor", someAgent)},
		{statementWith("context", `{"contextActivities":{"parent":[{"id":"x:a"},{"id":"x:b"}]}}`), statementWith("context", `{"contextActivities":{"parent":[{"id":"x:b"},{"id":"x:a"}]}}`)},
		{statementWith("attachments", `[`+attachment("x:y")+`]`), statementWith("actor", someAgent)},
	}
	for _, pair := range different {
		checkEqual(t, pair[0], pair[1], false)
	}
	for _, bad := range []string{``, `{`, `{"a":1,"a":2}`, `{} 1`, strings.Repeat("[", 65) + strings.Repeat("]", 65)} {
		if _, err := xapi.Equal([]byte(bad), []byte(typical)); err == nil {
			t.Errorf("%.20q compared", bad)
		}
		if _, err := xapi.Equal([]byte(typical), []byte(bad)); err == nil {
			t.Errorf("%.20q compared", bad)
		}
		if _, err := xapi.Canonical([]byte(bad)); err == nil {
			t.Errorf("%.20q has a canonical form", bad)
		}
	}
}

func attachment(usage string) string {
	return `{"usageType":"` + usage + `","display":{},"contentType":"a/b","length":1,"sha2":` + strings.ToUpper(someSHA2) + `}`
}

func checkEqual(t *testing.T, a, b string, want bool) {
	t.Helper()
	for _, pair := range [][2]string{{a, b}, {b, a}} {
		got, err := xapi.Equal([]byte(pair[0]), []byte(pair[1]))
		if err != nil || got != want {
			t.Errorf("equal %t, not %t (%v):\n%s\n%s", got, want, err, pair[0], pair[1])
		}
	}
	x, errX := xapi.Canonical([]byte(a))
	y, errY := xapi.Canonical([]byte(b))
	if errX != nil || errY != nil || string(x) == string(y) && !want {
		t.Errorf("the same canonical form of different statements (%v, %v): %s", errX, errY, x)
	}
}

func TestFormatIDs(t *testing.T) {
	t.Parallel()
	got, err := xapi.FormatIDs([]byte(rich))
	if err != nil {
		t.Fatal(err)
	}
	want := `{"actor":{"objectType":"Group","mbox":"mailto:team@example.com"},"verb":{"id":"http://example.com/planned"},` +
		`"object":{"actor":{"mbox_sha1sum":"ABCDEF0123456789abcdef0123456789ABCDEF01"},"verb":{"id":"http://example.com/visit"},` +
		`"object":{"id":"http://example.com/site"},"context":{"instructor":{"openid":"https://id.example/bo"},"contextActivities":` +
		`{"other":{"id":"http://example.com/other"}}},"attachments":[{"usageType":"x:u","display":{},"contentType":"a/b","length":5,"sha2":` + someSHA2 +
		`,"fileUrl":"x:f"}],"objectType":"SubStatement"},"context":{"registration":"0c6b7f54-4c8f-4c9e-8a0f-3d8f9c2b7a10",` +
		`"instructor":{"mbox":"mailto:Ivy@EXAMPLE.com"},"team":{"objectType":"Group","member":[{"mbox":"mailto:tom@example.com"}]},"contextActivities":` +
		`{"parent":{"id":"http://example.com/parent"},"category":[{"id":"http://example.com/c1"},{"id":"http://example.com/c2"}]},` +
		`"contextAgents":[{"objectType":"contextAgent","agent":{"mbox":"mailto:ca@example.com"}}],` +
		`"contextGroups":[{"objectType":"contextGroup","group":{"objectType":"Group","mbox":"mailto:cg@example.com"}}]},"authority":{"mbox":"mailto:client@example.com"}}`
	if string(got) != want {
		t.Errorf("got\n%s\nnot\n%s", got, want)
	}
	for in, want := range map[string]string{
		statementWith("actor", `{"name":"n","objectType":"Group","member":[{"name":"n","openid":"x:y"}]}`): `"actor":{"objectType":"Group","member":[{"openid":"x:y"}]}`,
		statementWith("object", `{"name":"n","objectType":"Agent","openid":"x:y"}`):                        `"object":{"objectType":"Agent","openid":"x:y"}`,
		statementWith("object", `{"definition":{},"objectType":"Activity","id":"x:y"}`):                    `"object":{"id":"x:y"}`,
		statementWith("object", someRef): `"object":` + someRef,
	} {
		got, err := xapi.FormatIDs([]byte(in))
		if err != nil || !strings.Contains(string(got), want) {
			t.Errorf("%s lacks %s (%v)", got, want, err)
		}
	}
	if _, err := xapi.FormatIDs([]byte(`{`)); err == nil {
		t.Error("formatted what is not JSON")
	}
}

func TestCanonicalFormat(t *testing.T) {
	t.Parallel()
	f := xapi.CanonicalFormat{
		Languages: xapi.ParseAcceptLanguage("de, en;q=0.5"),
		Definition: func(id xapi.IRI) []byte {
			if id == "x:known" {
				return []byte(`{"name":{"en":"Known","de":"Bekannt"},"interactionType":"choice","choices":[{"id":"a","description":{"en":"A","fr":"Á"}}]}`)
			}
			return nil
		},
		Display: func(id xapi.IRI) []byte {
			if id == "x:did" {
				return []byte(`{"en":"did","de":"tat"}`)
			}
			return nil
		},
	}
	in := `{"actor":{"name":"N","openid":"x:y"},"verb":{"id":"x:did","display":{"fr":"fit"}},"object":{"objectType":"SubStatement","actor":{"openid":"x:y"},` +
		`"verb":{"id":"x:other","display":{"fr":"a","en":"b"}},"object":{"id":"x:known","definition":{"name":{"en":"Mine"}}}},` +
		`"context":{"contextActivities":{"other":[{"id":"x:known"},{"id":"x:new","definition":{"description":{"fr":"x","es":"y"}}},{"id":"x:bare"}]}}}`
	want := `{"actor":{"name":"N","openid":"x:y"},"verb":{"id":"x:did","display":{"de":"tat"}},"object":{"objectType":"SubStatement","actor":{"openid":"x:y"},` +
		`"verb":{"id":"x:other","display":{"en":"b"}},"object":{"id":"x:known","definition":KNOWN}},` +
		`"context":{"contextActivities":{"other":[{"id":"x:known","definition":KNOWN},{"id":"x:new","definition":{"description":{"fr":"x"}}},{"id":"x:bare"}]}}}`
	want = strings.ReplaceAll(want, "KNOWN", `{"name":{"de":"Bekannt"},"interactionType":"choice","choices":[{"id":"a","description":{"en":"A"}}]}`)
	got, err := f.Format([]byte(in))
	if err != nil || string(got) != want {
		t.Errorf("got\n%s\nnot\n%s (%v)", got, want, err)
	}
	f.Definition = func(xapi.IRI) []byte { return []byte(`{`) }
	if _, err := f.Format([]byte(in)); err == nil {
		t.Error("a bad definition was taken")
	}
}

func TestMergeDefinition(t *testing.T) {
	t.Parallel()
	tests := []struct{ old, new, want string }{
		{``, ``, ``},
		{``, ` { "type" : "x:y" } `, `{"type":"x:y"}`},
		{`{"type":"x:y"}`, ``, `{"type":"x:y"}`},
		{`{"type":"x:y"}`, `{}`, `{"type":"x:y"}`},
		{`{"type":"x:y"}`, `{"type":"x:z"}`, `{"type":"x:z"}`},
		{`{"name":{"en":"a","de":"b"},"type":"x:y"}`, `{"name":{"en":"c","fr":"d"},"moreInfo":"x:m"}`, `{"name":{"en":"c","de":"b","fr":"d"},"type":"x:y","moreInfo":"x:m"}`},
		{`{"description":{"en":"a"}}`, `{"description":{}}`, `{"description":{"en":"a"}}`},
		{`{"extensions":{"x:a":1}}`, `{"extensions":{"x:b":2}}`, `{"extensions":{"x:b":2}}`},
		{`{"choices":[{"id":"a"}]}`, `{"choices":[{"id":"b"}]}`, `{"choices":[{"id":"b"}]}`},
	}
	text := func(s string) []byte {
		if s == "" {
			return nil
		}
		return []byte(s)
	}
	for _, test := range tests {
		got, err := xapi.MergeDefinition(text(test.old), text(test.new))
		if err != nil || string(got) != test.want {
			t.Errorf("%s and %s give %s, not %s (%v)", test.old, test.new, got, test.want, err)
		}
	}
	old := []byte(`{ "type": "x:y" }`)
	if got, err := xapi.MergeDefinition(old, []byte(`{"type":"x:y"}`)); err != nil || &got[0] != &old[0] {
		t.Errorf("an unchanged definition was written anew: %s (%v)", got, err)
	}
	for _, pair := range [][2]string{{`{`, `{}`}, {`{}`, `{`}} {
		if _, err := xapi.MergeDefinition([]byte(pair[0]), []byte(pair[1])); err == nil {
			t.Errorf("merged %q", pair)
		}
	}
}
