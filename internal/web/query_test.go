package web

import (
	"fmt"
	"maps"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"rollway/internal/fault"
)

func TestQuery(t *testing.T) {
	t.Parallel()
	for raw, want := range map[string]string{
		"":                                     "",
		"agent=a&limit=3":                      "a",
		"agent=a+b":                            "a b",
		"agent=a%2Bb":                          "a+b",
		"agent=":                               "",
		"&agent=a&&":                           "a",
		"agent=a=b==":                          "a=b==",
		"agent=%E2%82%AC":                      "€",
		"%61gent=a":                            "a",
		"agent=a;limit=3":                      "! semicolon",
		"agent=%zz":                            "! %-escape",
		"agent=%":                              "! %-escape",
		"%zz=1":                                "! %-escape",
		"agent=%ff":                            "! UTF-8",
		"agent=%00":                            "! NUL",
		"agent":                                "! no value",
		"=a":                                   "! no name",
		"agent=a&agent=a":                      "! more than once",
		"agent=a&%61gent=b":                    "! more than once",
		"Agent=a":                              `! Did you mean "agent"?`,
		"foo=a":                                "! not known",
		"dGhpc2lzYW5hY2NpZGVudGFsc2VjcmV0MQ=a": "! [secret]",
	} {
		r := httptest.NewRequest("GET", "/", nil)
		r.URL.RawQuery = raw
		p, err := Query(r, "agent", "limit")
		if bad, ok := strings.CutPrefix(want, "! "); ok {
			if !fault.Is(err, fault.Invalid) || !strings.Contains(err.Error(), bad) {
				t.Errorf("%q: %v, want one that says %q", raw, err, bad)
			}
		} else if err != nil || p.Get("agent") != want {
			t.Errorf("%q: %q, %v", raw, p.Get("agent"), err)
		}
	}
}

// Reading takes the square of their number, and comes before anybody is asked who they are.
func TestParametersAreBounded(t *testing.T) {
	t.Parallel()
	raw := func(n int) string {
		var b strings.Builder
		for i := range n {
			fmt.Fprintf(&b, "p%d=&&", i)
		}
		return b.String()
	}
	if p, err := ParseQuery(raw(64)); err != nil || len(p.Names()) != 64 {
		t.Errorf("64: %v", err)
	}
	for _, n := range []int{65, 100_000} {
		if _, err := ParseQuery(raw(n)); err == nil || StatusOf(err) != 400 || fault.Of(err).Code != "too_many_parameters" {
			t.Errorf("%d: %v", n, err)
		}
	}
}

func TestRawKeepsPlus(t *testing.T) {
	t.Parallel()
	p, err := ParseQuery("auth=Basic%20a+b/=&x=1")
	if err != nil || p.Raw("auth") != "Basic%20a+b/=" || p.Get("auth") != "Basic a b/=" || p.Without("auth").Encode() != "x=1" || p.Raw("y") != "" {
		t.Errorf("%v %v", p, err)
	}
}

// Any query that net/url writes reads back the same, as long as each name is there once.
func TestQueryReadsWhatIsWritten(t *testing.T) {
	t.Parallel()
	text := rapid.StringOf(rapid.Rune().Filter(func(r rune) bool { return r != 0 && r != '\uFFFD' }))
	rapid.Check(t, func(t *rapid.T) {
		want := rapid.MapOfN(text.Filter(func(s string) bool { return s != "" }), text, 0, maxParams).Draw(t, "pairs")
		v := url.Values{}
		for k, s := range want {
			v.Set(k, s)
		}
		p, err := ParseQuery(v.Encode())
		if err != nil {
			t.Fatal(err)
		}
		got := map[string]string{}
		for _, n := range p.Names() {
			got[n] = p.Get(n)
		}
		if !maps.Equal(got, want) {
			t.Fatalf("got %q, want %q", got, want)
		}
		again, err := ParseQuery(p.Encode())
		if err != nil || len(again.pairs) != len(p.pairs) {
			t.Fatal("again:", err)
		}
	})
}

// What is accepted is what net/url reads too, so that nothing behind us sees other parameters.
func FuzzParseQuery(f *testing.F) {
	for _, s := range []string{"a=1&b=2", "a=1;b=2", "a=%zz", "a&b", "=", "a=1&a=1", "a=%00", "+=+", "a==b", "%C3=1", "&&"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, raw string) {
		p, err := ParseQuery(raw)
		if err != nil {
			if !fault.Is(err, fault.Invalid) {
				t.Fatalf("%q: %v", raw, err)
			}
			return
		}
		v, err := url.ParseQuery(raw)
		if err != nil || len(v) != len(p.Names()) {
			t.Fatalf("%q: we read %q, net/url %q, %v", raw, p.Names(), v, err)
		}
		for _, n := range p.Names() {
			if len(v[n]) != 1 || v[n][0] != p.Get(n) {
				t.Fatalf("%q: %q is %q, net/url %q", raw, n, p.Get(n), v[n])
			}
		}
	})
}
