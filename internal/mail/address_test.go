package mail

import (
	"net/mail"
	"strings"
	"testing"

	"rollway/internal/fault"
)

func TestParseAddress(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("a", 63)
	for given, want := range map[string]string{
		"ada@example.com":                         "ada@example.com",
		"Ada.Lovelace+news@EXAMPLE.Com":           "Ada.Lovelace+news@example.com",
		"o'neil_1-2=3%x!#$&*/?^`{|}~@example.com": "o'neil_1-2=3%x!#$&*/?^`{|}~@example.com",
		"a@b.co":                                      "a@b.co",
		"ada@bücher.example":                          "ada@xn--bcher-kva.example",
		"ada@BÜCHER.example":                          "ada@xn--bcher-kva.example",
		"ada@xn--bcher-kva.example":                   "ada@xn--bcher-kva.example",
		"ada@faß.de":                                  "ada@xn--fa-hia.de",
		"ada@例え。テスト":                                  "ada@xn--r8jz45g.xn--zckzah",
		"ada@пример.рф":                               "ada@xn--e1afmkfd.xn--p1ai",
		"ada@4you.example":                            "ada@4you.example",
		strings.Repeat("a", 64) + "@example.com":      strings.Repeat("a", 64) + "@example.com",
		"a@" + long + "." + long + "." + long + ".de": "a@" + long + "." + long + "." + long + ".de",
		"": "", " ": "", "ada": "", "ada@": "", "@example.com": "", "ada@@example.com": "", "ada@b@example.com": "", "a@b": "", "ada@localhost": "",
		" ada@example.com": "", "ada@example.com ": "", "ada @example.com": "", "ada@exam ple.com": "", "ada@example.com\n": "", "ada\r\nBcc: x@y.z@example.com": "",
		"ada\x00@example.com": "", "ada@example\x00.com": "", "ada\t@example.com": "", "ada@example.com\u0085": "", "ada@example.com\u2028": "", "ada\u200b@example.com": "", "ada@exa\u200bmple.com": "ada@example.com",
		".ada@example.com": "", "ada.@example.com": "", "a..b@example.com": "", `"ada"@example.com`: "", "ada(x)@example.com": "", "Ada <ada@example.com>": "", "<ada@example.com>": "",
		"ada,bob@example.com": "", "ada@example.com,bob@example.com": "", "ada@example.com;bob@example.com": "", "ada;b@example.com": "", "ada:b@example.com": "", `ada\b@example.com`: "",
		"ada@.example.com": "", "ada@example..com": "", "ada@example.com.": "", "ada@-example.com": "", "ada@example-.com": "", "ada@exa_mple.com": "", "ada@ab--c.example": "",
		"ada@[127.0.0.1]": "", "ada@127.0.0.1": "", "ada@1.2": "", "ada@[IPv6:::1]": "", "ada@example.com:25": "", "ada@example.com/x": "", "ada@exam%70le.com": "",
		"ädä@example.com": "", "ada＠example.com": "", "ada@exa＠mple.com": "", "ada@xn--example-.com": "", "ada@xn--a.com": "", "ada@xn--ab-.com": "", "ada@xn--.com": "",
		"ada@xn--BCHER-kva.example": "ada@xn--bcher-kva.example", "ada@xn--fuß.de": "", "ada@xn--ls8h=.com": "", "ada@exa\u0308mple.com": "ada@xn--exmple-cua.com",
		"\xff@example.com": "", "ada@\xffexample.com": "", strings.Repeat("a", 65) + "@example.com": "", "a@" + strings.Repeat("a", 64) + ".com": "",
		"abc@" + long + "." + long + "." + long + "." + long[:58] + ".de": "",
	} {
		got, err := ParseAddress(given)
		if got != want || (err == nil) != (want != "") || err != nil && fault.Of(err).Code != "bad_address" {
			t.Errorf("%q: %q, %v; want %q", given, got, err, want)
		}
	}
	for a, b := range map[string]string{"Ada@Example.COM": "ada@example.com", "ada@BÜCHER.example": "ADA@xn--bcher-kva.example"} {
		x, errX := Fold(a)
		y, errY := Fold(b)
		if x != y || errX != nil || errY != nil {
			t.Errorf("%q and %q fold to %q and %q (%v, %v)", a, b, x, y, errX, errY)
		}
	}
	if d := Domain("ada@example.com"); d != "example.com" {
		t.Error(d)
	}
	if m := masked("ada@example.com"); m != "a…@example.com" {
		t.Error(m)
	}
}

// Whatever is taken is one plain address, is its own parsed form, and means one recipient to the standard library too.
func FuzzParseAddress(f *testing.F) {
	for _, s := range []string{"ada@example.com", "ada@bücher.example", "ada@xn--bcher-kva.example", "a@b@c.d", "a\r\n@b.c", "a@ｂ．ｃｏ", "a@xn--ls8h.la", "\"a\"@b.co", "a@\u202eb.co", "a@ß.de"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		got, err := ParseAddress(s)
		if err != nil {
			return
		}
		again, err := ParseAddress(got)
		if err != nil || again != got {
			t.Fatalf("%q is parsed to %q, and that to %q, %v", s, got, again, err)
		}
		parsed, err := mail.ParseAddress(got)
		if err != nil || parsed.Address != got || parsed.Name != "" {
			t.Fatalf("%q is %+v, %v to the standard library", got, parsed, err)
		}
		if len(got) > 254 || strings.Count(got, "@") != 1 || !isASCII(got) || strings.ContainsAny(got, " \r\n\t\x00<>\"(),:;[]\\") {
			t.Fatalf("%q is taken as %q", s, got)
		}
		folded, err := Fold(s)
		upper, errUpper := Fold(strings.ToUpper(got))
		if err != nil || errUpper != nil || folded != upper || folded != strings.ToLower(folded) {
			t.Fatalf("%q folds to %q, in capitals to %q (%v, %v)", s, folded, upper, err, errUpper)
		}
	})
}
