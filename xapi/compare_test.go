package xapi_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

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

func TestMergedDefinition(t *testing.T) {
	t.Parallel()
	tests := []struct{ old, new, updated, completed string }{
		{``, ` { "type" : "x:y" } `, `{"type":"x:y"}`, `{"type":"x:y"}`},
		{`{"type":"x:y"}`, `{}`, ``, ``},
		{`{ "type": "x:y" }`, `{"type":"x:y"}`, ``, ``},
		{`{"type":"x:y"}`, `{"type":"x:z"}`, `{"type":"x:z"}`, ``},
		{`{}`, `{"name":{}}`, `{"name":{}}`, `{"name":{}}`},
		{`{"name":{"en":"a","de":"b"},"type":"x:y"}`, `{"name":{"en":"c","fr":"d"},"moreInfo":"x:m"}`,
			`{"name":{"en":"c","de":"b","fr":"d"},"type":"x:y","moreInfo":"x:m"}`, `{"name":{"en":"a","de":"b","fr":"d"},"type":"x:y","moreInfo":"x:m"}`},
		{`{"description":{"en":"a"}}`, `{"description":{}}`, ``, ``},
		{`{"extensions":{"x:a":1}}`, `{"extensions":{"x:b":2}}`, `{"extensions":{"x:b":2}}`, ``},
		{`{"choices":[{"id":"a"}]}`, `{"choices":[{"id":"b"}]}`, `{"choices":[{"id":"b"}]}`, ``},
	}
	parse := func(s string) *xapi.MergedDefinition {
		t.Helper()
		text := []byte(s)
		if s == "" {
			text = nil
		}
		d, err := xapi.ParseMergedDefinition(text)
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
	for _, test := range tests {
		for want, take := range map[*string]func(*xapi.MergedDefinition, []byte, int) (bool, error){&test.updated: (*xapi.MergedDefinition).Update, &test.completed: (*xapi.MergedDefinition).Complete} {
			d := parse(test.old)
			changed, err := take(d, []byte(test.new), 1000)
			if err != nil || changed != (*want != "") || changed && string(d.Text()) != *want {
				t.Errorf("%s and %s give %s, %v, not %s (%v)", test.old, test.new, d.Text(), changed, *want, err)
			}
			if _, err := take(d, []byte(`{`), 1000); err == nil {
				t.Error("half a definition is taken")
			}
		}
	}
	if _, err := xapi.ParseMergedDefinition([]byte(`{`)); err == nil {
		t.Error("half a definition is known")
	}
	if text := parse("").Text(); text != nil {
		t.Errorf("nothing is %q", text)
	}
	d := parse("")
	for _, step := range []struct {
		most      int
		new, want string
	}{
		{9, `{"name":{"en":"a"}}`, ``},
		{30, `{"name":{"en":"a"}}`, `{"name":{"en":"a"}}`},
		{30, `{"name":{"en":"b","de":"much more than fits"}}`, `{"name":{"en":"a"}}`}, // whole or not at all
		{30, `{"name":{"de":"b"}}`, `{"name":{"en":"a","de":"b"}}`},
		{30, `{"name":{"fr":"c"}}`, `{"name":{"en":"a","de":"b"}}`},
		{9, `{"name":{"en":"b"}}`, `{"name":{"en":"b","de":"b"}}`}, // which is no longer
	} {
		before := string(d.Text())
		changed, err := d.Update([]byte(step.new), step.most)
		if got := string(d.Text()); err != nil || got != step.want || changed != (got != before) {
			t.Errorf("%s in %d bytes gives %s, %v (%v)", step.new, step.most, got, changed, err)
		}
	}
}

// What is taken in costs no more than reading it, however many languages there are: nobody keeps the others from storing by
// defining something over and over.
func TestManyLanguages(t *testing.T) {
	t.Parallel()
	const n = 30_000
	languages := func(first int) string {
		var b strings.Builder
		for i := range n {
			fmt.Fprintf(&b, `,"x-%05d":""`, first+i)
		}
		return "{" + b.String()[1:] + "}"
	}
	statement := []byte(statementWith("verb", `{"id":"x:y","display":`+languages(0)+`}`))
	var reading, merging, picking []time.Duration
	took := func(list *[]time.Duration, do func() error) {
		t.Helper()
		start := time.Now()
		if err := do(); err != nil {
			t.Fatal(err)
		}
		*list = append(*list, time.Since(start))
	}
	for range 5 {
		var d *xapi.MergedDefinition
		took(&reading, func() (err error) {
			d, err = xapi.ParseMergedDefinition([]byte(`{"name":` + languages(0) + `}`))
			return err
		})
		took(&merging, func() error {
			_, err := d.Update([]byte(`{"name":`+languages(n)+`}`), 1<<30)
			return err
		})
		took(&picking, func() error {
			_, err := xapi.CanonicalFormat{Languages: xapi.Languages{"x-00007"}}.Format(statement)
			return err
		})
	}
	median := func(list []time.Duration) time.Duration {
		slices.Sort(list)
		return list[len(list)/2]
	}
	for what, list := range map[string][]time.Duration{"merging": merging, "picking": picking} {
		if got, read := median(list), median(reading); got > 30*read {
			t.Errorf("%s takes %v, reading %v", what, got, read)
		}
	}
}
