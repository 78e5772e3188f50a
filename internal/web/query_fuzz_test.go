package web

import (
	"slices"
	"testing"
)

// FuzzQueryPrint checks that what was read, written and read again is the same.
func FuzzQueryPrint(f *testing.F) {
	for _, s := range []string{"a=1&b=2", "a=%20+%2B", "agent=%7B%22mbox%22%3A%22mailto%3Aa%40example.com%22%7D&limit=", "%C3%A4=%E2%9C%93", "a=b=c&;=&"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, raw string) {
		p, err := ParseQuery(raw)
		if err != nil {
			return
		}
		text := p.Encode()
		again, err := ParseQuery(text)
		if err != nil || !slices.Equal(again.Names(), p.Names()) || again.Encode() != text {
			t.Fatalf("%q is written as %q and read as %q (%v)", raw, text, again.Names(), err)
		}
		for _, n := range p.Names() {
			if again.Get(n) != p.Get(n) {
				t.Fatalf("%q: %q is %q, then %q", raw, n, p.Get(n), again.Get(n))
			}
		}
	})
}
