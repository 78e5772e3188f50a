package content

import (
	"strings"
	"testing"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
	"pgregory.net/rapid"
)

func TestNormalPath(t *testing.T) {
	t.Parallel()
	part := strings.Repeat("p", 255)
	for _, c := range []struct{ in, want, code string }{
		{"index.html", "index.html", ""},
		{"a/b/c.js", "a/b/c.js", ""},
		{"a b/c (1).png", "a b/c (1).png", ""},
		{"...", "...", ""},
		{"a/..b/.c", "a/..b/.c", ""},
		{"e\u0301te\u0301.png", "\u00e9t\u00e9.png", ""},
		{"12:30.txt", "12:30.txt", ""},
		{"%2e%2e/x", "%2e%2e/x", ""},
		{part, part, ""},
		{part + "/" + part + "/" + part + "/" + part, part + "/" + part + "/" + part + "/" + part, ""},
		// 256 bytes as it comes, 171 in normal form.
		{strings.Repeat("e\u0301", 85) + "x", strings.Repeat("\u00e9", 85) + "x", ""},

		{"", "", "path_empty"},
		{"/etc/passwd", "", "path_absolute"},
		{"//host/share", "", "path_absolute"},
		{"../evil", "", "path_dots"},
		{"a/../b", "", "path_dots"},
		{"a/..", "", "path_dots"},
		{"./a", "", "path_dots"},
		{".", "", "path_dots"},
		{"a/./b", "", "path_dots"},
		{"a//b", "", "path_empty_part"},
		{"a/", "", "path_empty_part"},
		{`a\b`, "", "path_backslash"},
		{`..\..\evil`, "", "path_backslash"},
		{`\\host\share`, "", "path_backslash"},
		{"C:/x", "", "path_drive"},
		{"c:x", "", "path_drive"},
		{"\u212a:x", "", "path_drive"}, // the Kelvin sign is K in normal form
		{"a\x00.html", "", "path_control"},
		{"a\nb", "", "path_control"},
		{"a\x7f", "", "path_control"},
		{"a\u0085", "", "path_control"},
		{"a\u2028b", "", "path_control"},
		{"a\xffb", "", "path_encoding"},
		{"\xed\xa0\x80", "", "path_encoding"},
		{part + "p", "", "path_part_too_long"},
		{strings.Repeat("a/", 512) + "a", "", "path_too_long"},
	} {
		got, err := NormalPath(c.in)
		if got != c.want || code(err) != c.code {
			t.Errorf("%q: got %q, %v; want %q, %q", c.in, got, err, c.want, c.code)
		}
		if err != nil && !utf8.ValidString(err.Error()) {
			t.Errorf("%q: the sentence is not UTF-8", c.in)
		}
	}
}

// checkPath is what must hold for every path.
func checkPath(t interface{ Fatalf(string, ...any) }, in string) {
	p, err := NormalPath(in)
	if err != nil {
		if p != "" || code(err) == "" {
			t.Fatalf("%q: %q with %v", in, p, err)
		}
		return
	}
	if again, err := NormalPath(p); again != p || err != nil {
		t.Fatalf("%q: normal form %q becomes %q, %v", in, p, again, err)
	}
	if p != norm.NFC.String(in) {
		t.Fatalf("%q: changed to %q", in, p)
	}
	if len(p) > maxPath || !utf8.ValidString(p) || strings.ContainsAny(p, "\x00\\\n\r\t") || p[0] == '/' {
		t.Fatalf("%q: accepted as %q", in, p)
	}
	for part := range strings.SplitSeq(p, "/") {
		if part == "" || part == "." || part == ".." || len(part) > maxPart {
			t.Fatalf("%q: accepted with the part %q", in, part)
		}
	}
}

func TestNormalPathHolds(t *testing.T) {
	t.Parallel()
	pieces := rapid.SampledFrom([]string{"a", "b.html", ".", "..", "/", "\\", "C:", "e", "\u0301", "\u00e9", "\u212a", "\u1100\u1161",
		"\x00", "\xff", " ", "%2e", "\u0130", "\u00df", "\U0001f600", strings.Repeat("x", 250)})
	rapid.Check(t, func(r *rapid.T) {
		checkPath(r, strings.Join(rapid.SliceOfN(pieces, 0, 12).Draw(r, "pieces"), ""))
		checkPath(r, rapid.String().Draw(r, "any"))
	})
}

func FuzzPath(f *testing.F) {
	for _, s := range []string{"index.html", "../x", "a\\b", "e\u0301", "C:x", "\xff"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) { checkPath(t, s) })
}
