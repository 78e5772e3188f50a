package xapi

import (
	"testing"

	"github.com/go-json-experiment/json/jsontext"
	"pgregory.net/rapid"
)

// White space goes but for that in strings, whatever is escaped there.
func TestAppendCompact(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		texts := rapid.SliceOf(rapid.StringOf(rapid.RuneFrom([]rune{'"', '\\', ' ', '\n', 'a', '{', 'é'}))).Draw(t, "texts")
		space := rapid.SampledFrom([]string{"", " ", "\n\t ", "\r\n"})
		loose, want := []byte("["), []byte("[")
		for i, s := range texts {
			if i > 0 {
				loose, want = append(loose, ','), append(want, ',')
			}
			quoted, err := jsontext.AppendQuote(nil, s)
			if err != nil {
				t.Fatal(err)
			}
			loose = append(append(append(loose, space.Draw(t, "before")...), quoted...), space.Draw(t, "after")...)
			want = append(want, quoted...)
		}
		loose, want = append(loose, ']'), append(want, ']')
		if got := appendCompact(nil, loose); string(got) != string(want) {
			t.Fatalf("%q became %q, not %q", loose, got, want)
		}
	})
}
