package outbox

import (
	"errors"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"
)

// What is kept of an error is short, on one line and without what stands where secrets stand.
func FuzzText(f *testing.F) {
	f.Add("dial https://user:", "@mail.example/ failed")
	f.Add("GET /x?token=", " failed")
	f.Add("Authorization: Basic ", "\r\n\x00\u2028é\xff")
	f.Add(strings.Repeat("é", 300), "x")
	f.Fuzz(func(t *testing.T, before, after string) {
		got := textOf(errors.New(before + after))
		if len(got) > errorSize || !utf8.ValidString(got) || strings.ContainsFunc(got, unicode.IsControl) {
			t.Errorf("%q", got)
		}
		for _, where := range []string{"https://u:", "/x?key=", "Bearer "} {
			if got := textOf(errors.New(where + "hunter2@host " + after)); strings.Contains(got, "hunter2") && !strings.Contains(after, "hunter2") {
				t.Errorf("%q", got)
			}
		}
	})
}
