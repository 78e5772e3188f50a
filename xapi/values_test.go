package xapi_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"rollway/xapi"
)

// checkValues runs a parser over texts that it must accept and refuse.
func checkValues(t *testing.T, parse func(string) error, valid, invalid []string) {
	t.Helper()
	for _, s := range valid {
		if err := parse(s); err != nil {
			t.Errorf("%q refused: %v", s, err)
		}
	}
	for _, s := range invalid {
		err := parse(s)
		var e *xapi.Error
		if !errors.As(err, &e) {
			t.Errorf("%q: %v", s, err)
			continue
		}
		if e.Rule == "" || e.Section == "" || e.Found == "" || !strings.Contains(e.Error(), e.Rule) {
			t.Errorf("%q: incomplete error %+v", s, e)
		}
	}
}

func TestVersionHeader(t *testing.T) {
	t.Parallel()
	checkValues(t, func(s string) error { _, err := xapi.ParseVersionHeader(s); return err },
		[]string{"1.0", "1.0.0", "1.0.1", "1.0.2", "1.0.3", "1.0.9", "1.0.10", "2.0", "2.0.0", "2.0.1"},
		[]string{"", "1", "1.", "1.0.", "0.9", "0.95", "1.1", "1.1.0", "3.0.0", "1.00", "1.0.03", "1.0.x", "1.0.3 ", " 1.0", "2.1", "1.0.0.0"})
	for header, want := range map[string]string{"1.0": "1.0.3", "1.0.1": "1.0.3", "2.0": "2.0.0", "2.0.0": "2.0.0"} {
		v, err := xapi.ParseVersionHeader(header)
		if err != nil || v.String() != want {
			t.Errorf("%s is answered with %s (%v)", header, v, err)
		}
	}
	if xapi.V1.Statement() != "1.0.0" || xapi.V2.Statement() != "2.0.0" {
		t.Error("wrong default version of statements")
	}
}

func TestUUID(t *testing.T) {
	t.Parallel()
	checkValues(t, func(s string) error { _, err := xapi.ParseUUID(s); return err },
		[]string{"fd41c918-b88b-4b20-a0a5-a4c32391aaa0", "FD41C918-B88B-4B20-A0A5-A4C32391AAA0",
			"12345678-1234-5678-1234-567812345678", "00000000-0000-0000-0000-000000000000"},
		[]string{"", "fd41c918b88b4b20a0a5a4c32391aaa0", "{fd41c918-b88b-4b20-a0a5-a4c32391aaa0}",
			"urn:uuid:fd41c918-b88b-4b20-a0a5-a4c32391aaa0", "fd41c918-b88b-4b20-a0a5-a4c32391aaa01",
			"gd41c918-b88b-4b20-a0a5-a4c32391aaa0", "fd41c918-b88b-4b20-a0a5-a4c32391aaa", "fd41c91-8b88b-4b20-a0a5-a4c32391aaa0",
			"fd41c918-b88b-4b20-a0a5-a4c32391aa\x00\x00", "fd41c918-b88b-4b20-a0a5-a4c32391aa-0", "fd41c918-b88b-4b20-a0a5--4c32391aaa0"})
	u := xapi.NewUUID()
	back, err := xapi.ParseUUID(u.String())
	if err != nil || back != u || u == xapi.NewUUID() || u[6]>>4 != 4 || u[8]>>6 != 2 {
		t.Errorf("%v becomes %v (%v)", u, back, err)
	}
}

func TestIRI(t *testing.T) {
	t.Parallel()
	checkValues(t, func(s string) error { _, err := xapi.ParseIRI(s); return err },
		[]string{"http://example.com", "https://example.com/a?b=c#d", "HTTP://EXAMPLE.com/%C3%A4", "urn:isbn:0451450523",
			"tag:example.com,2026:x", "mailto:a@b.c", "http://example.com/فعل/خواندن", "http://[::1]:8080/", "file:///a", "a+b-c.d:x",
			"http://example.com/path/../x", "http://u@h:1/"},
		[]string{"", "example.com/a", "/a", "a", ":a", "http:", "http:/", "http://", "http:///a", "http://?x", "1http://a", "ht tp://a",
			"http://a b", "http://a/<b>", "http://a/\"", "http://a/{b}", "http://a/|", "http://a/\\", "http://a/^", "http://a/`",
			"http://a/%", "http://a/%4", "http://a/%zz", "http://a/\n", "http://a/\x7f", "http://a/\u0085", "http://a/\u202e",
			"http://a/\ufffe", "http://a/\xff", "http://a/#b#c", "http://a/\U0001ffff"})
}

func TestLanguage(t *testing.T) {
	t.Parallel()
	valid := []string{"en", "EN", "en-US", "es-419", "zh-Hant", "zh-Hans-CN", "sr-Latn-RS", "cmn", "zh-cmn-Hans-CN", "de-1901", "sl-rozaj-biske",
		"de-CH-x-phonebk", "en-a-bbb-x-a-ccc", "x-whatever", "x-0", "X-a-b", "i-klingon", "I-KLINGON", "en-GB-oed", "art-lojban", "zh-min-nan",
		"abcd", "abcdefgh", "en-u-ca-buddhist", "und", "de-1996-x-1"}
	invalid := []string{"", "e", "a12345", "a12345678", "abcdefghi", "en_US", "en-", "-en", "en--US", "en-US-", "x", "x-", "en-x", "en-a",
		"en-a-x-y", "zh-z-aaa-z-bbb-c-ccc", "de-1901-1901", "en-abcdefghi", "en-ä", "i-unknown", "en US", "12", "en-Latn-Latn", "en-US-GB"}
	for _, tag := range valid {
		if !xapi.ValidLanguage(tag) {
			t.Errorf("%q refused", tag)
		}
	}
	for _, tag := range invalid {
		if xapi.ValidLanguage(tag) {
			t.Errorf("%q accepted", tag)
		}
	}
}

func TestPickLanguage(t *testing.T) {
	t.Parallel()
	tests := []struct{ header, tags, want string }{
		{"", "de en", "de"},
		{"en", "de en", "en"},
		{"en-US", "de en", "en"},
		{"en", "de en-GB", "en-GB"},
		{"en-US, fr;q=0.9", "en-GB fr", "fr"},
		{"en-US, fr;q=0.9", "fr en", "en"},
		{"en-US", "fr en-GB", "en-GB"},
		{"en-US, en;q=0.8, fr;q=0.9", "en-GB fr", "fr"},
		{"en;q=0.1, de;q=0.5", "en de", "de"},
		{"en;q=0, de", "en de", "de"},
		{"DE-de", "en De-dE", "De-dE"},
		{"zh-Hant-CN-x-a", "en zh-Hant", "zh-Hant"},
		{"fr", "en und", "und"},
		{"*", "de en", "de"},
		{"bad tag, ;;, en;q=x, de", "en de", "de"},
		{"en;q=nan, de", "en de", "de"},
		{strings.Repeat("fr,", 10_000) + "de", "en de", "en"},                  // not among the first 32
		{strings.Repeat("fr;q=0.5,", 10_000) + "de", "en de", "de"},            // the best of all
		{"de" + strings.Repeat("-a-bb", 10_000) + ", en;q=0.5", "de en", "en"}, // longer than any
	}
	for _, test := range tests {
		tags := strings.Fields(test.tags)
		got := tags[xapi.ParseAcceptLanguage(test.header).Pick(tags)]
		if got != test.want {
			t.Errorf("%q picks %s from %s, not %s", test.header, got, test.tags, test.want)
		}
	}
	if i := (xapi.Languages{"en"}).Pick(nil); i != -1 {
		t.Errorf("picked %d from nothing", i)
	}
	m := xapi.LanguageMap{"en": "yes", "de": "ja"}
	if m.Pick(xapi.Languages{"de"}) != "ja" || m.Pick(nil) != "ja" || xapi.LanguageMap(nil).Pick(nil) != "" {
		t.Error("wrong text picked")
	}
	if got := xapi.ParseAcceptLanguage("fr, en;q=0.8, de;q=0.9"); !slices.Equal(got, xapi.Languages{"fr", "de", "en"}) {
		t.Errorf("order is %v", got)
	}
}

func TestTimestamp(t *testing.T) {
	t.Parallel()
	checkValues(t, func(s string) error { _, err := xapi.ParseTimestamp(s); return err },
		[]string{"2026-01-31T12:00:00Z", "2026-01-31T12:00:00.1Z", "2026-01-31T12:00:00.123456789123Z", "2026-01-31T12:00:00+00:00",
			"2026-01-31T12:00:00-05:30", "2026-01-31T12:00:00+0530", "2026-01-31T12:00:00+05", "2026-01-31T12:00:00", "2024-02-29T00:00:00Z",
			"2016-12-31T23:59:60Z", "2017-01-01T00:59:60+01:00", "0001-01-01T00:00:00Z", "9999-12-31T23:59:59.999Z"},
		[]string{"", "2026-01-31", "2026-01-31T12:00Z", "2026-01-31 12:00:00Z", "2026-01-31t12:00:00z", "01/011/2015", "2026-1-31T12:00:00Z",
			"2008-09-15T15:53:00.601-00", "2008-09-15T15:53:00.601-0000", "2008-09-15T15:53:00.601-00:00", "2026-02-29T00:00:00Z",
			"2026-13-01T00:00:00Z", "2026-00-01T00:00:00Z", "2026-01-00T00:00:00Z", "2026-04-31T00:00:00Z", "2026-01-31T24:00:00Z",
			"2026-01-31T12:60:00Z", "2026-01-31T12:00:61Z", "2026-01-31T12:00:60Z", "2026-01-31T12:00:00.Z", "2026-01-31T12:00:00,5Z",
			"2026-01-31T12:00:00+24:00", "2026-01-31T12:00:00+1:00", "2026-01-31T12:00:00+01:60", "2026-01-31T12:00:00Zx",
			"2026-01-31T12:00:00+", "0001-01-01T00:00:00+01:00", "0000-06-01T00:00:00Z", "9999-12-31T23:59:59-01:00", "20260131T120000Z"})
	for in, want := range map[string]string{
		"2023-05-04T12:00:00-05:00":       "2023-05-04T17:00:00.000Z",
		"2026-01-31T12:00:00.9999Z":       "2026-01-31T12:00:00.999Z",
		"2026-01-31T12:00:00.05":          "2026-01-31T12:00:00.050Z",
		"2016-12-31T23:59:60Z":            "2017-01-01T00:00:00.000Z",
		"2026-01-01T00:30:00.000+0130":    "2025-12-31T23:00:00.000Z",
		"2026-01-31T12:00:00.1234567899Z": "2026-01-31T12:00:00.123Z",
	} {
		got, err := xapi.ParseTimestamp(in)
		if err != nil || xapi.FormatTimestamp(got) != want {
			t.Errorf("%s is written as %s, not %s (%v)", in, xapi.FormatTimestamp(got), want, err)
		}
	}
	local := time.Date(2026, 7, 1, 2, 0, 0, 999_999, time.FixedZone("", 2*3600))
	if got := xapi.FormatTimestamp(local); got != "2026-07-01T00:00:00.000Z" {
		t.Errorf("written as %s", got)
	}
}

func TestDuration(t *testing.T) {
	t.Parallel()
	checkValues(t, func(s string) error { _, err := xapi.ParseDuration(s); return err },
		[]string{"PT4H35M59.14S", "PT16559.14S", "P3Y1M29DT4H35M59.14S", "P3Y", "P4W", "PT0S", "P1.5Y", "PT0,5S", "P0.5W", "PT1M", "P1M", "PT1H0M0.1S", "P1YT1H"},
		[]string{"", "P", "PT", "P4W1D", "P1DT", "PA1H0M0S", "should fail", "1H", "P1H", "PT1D", "PT1S1M", "P1D1Y", "PT1H1H", "P-1D", "-P1D",
			"P1.5YT1H", "PT.5S", "PT5.S", "PT1", "P1", "pt1s", "PT1SS", "PTT1S", "P4WT1H", "P1Y4W", "PT1.5.5S", "P0003-06-04T12:30:05", "PT1S "})
	equal := []struct {
		a, b xapi.Duration
		want bool
	}{
		{"P1DT12H36M0.12567S", "P1DT12H36M0.12S", true},
		{"PT1.999S", "PT1.99S", true},
		{"PT1.50S", "PT1.5S", true},
		{"PT1.00S", "PT1S", true},
		{"PT1,5S", "PT1.5S", true},
		{"PT1.13S", "PT1.12S", false},
		{"PT60S", "PT1M", false},
		{"P1.005D", "P1.00D", false},
	}
	for _, test := range equal {
		if got := test.a.Equal(test.b); got != test.want {
			t.Errorf("%s and %s: %t", test.a, test.b, got)
		}
	}
	for in, want := range map[time.Duration]xapi.Duration{
		0: "PT0S", -time.Hour: "PT0S", 1500 * time.Millisecond: "PT1.5S", 999 * time.Microsecond: "PT0S", time.Minute: "PT1M",
		26*time.Hour + 3*time.Minute + 4*time.Second + 56*time.Millisecond: "PT26H3M4.05S", time.Hour + 10*time.Millisecond: "PT1H0.01S",
	} {
		got := xapi.FormatDuration(in)
		if got != want {
			t.Errorf("%v is written as %s, not %s", in, got, want)
		}
		if _, err := xapi.ParseDuration(string(got)); err != nil {
			t.Error(err)
		}
	}
}

func TestIdentifiers(t *testing.T) {
	t.Parallel()
	checkValues(t, func(s string) error { _, err := xapi.ParseMbox(s); return err },
		[]string{"mailto:a@b", "mailto:a.b+c@d.example", "mailto:ä@ö.de", "mailto:a@b-c.d", "mailto:%41@b.c"},
		[]string{"", "a@b.c", "mailto:", "mailto:a", "mailto:@b", "mailto:a@", "mailto:a@b@c", "mailto:a b@c", "mailto:a@b..c", "mailto:a@.b",
			"mailto:a@b.", "MAILTO:a@b.c", "http://a@b.c", "mailto:\"a\"@b.c", "mailto:a@b.c?subject=x", "mailto:a@b_c", "mailto:\xff@b.c", "mailto:should.fail.com"})
	checkValues(t, func(s string) error { _, err := xapi.ParseMboxSHA1Sum(s); return err },
		[]string{strings.Repeat("a", 40), strings.Repeat("0F", 20)},
		[]string{"", strings.Repeat("a", 39), strings.Repeat("a", 41), strings.Repeat("g", 40)})
	checkValues(t, func(s string) error { _, err := xapi.ParseOpenID(s); return err },
		[]string{"https://openid.example/ada"}, []string{"", "openid.example/ada"})
	checkValues(t, func(s string) error { _, err := xapi.ParseAccount(s, "n"); return err },
		[]string{"https://example.com"}, []string{"", "example.com"})
	checkValues(t, func(s string) error { _, err := xapi.ParseAccount("https://example.com", s); return err },
		[]string{"n", " ", "ä b"}, []string{"", "\x00", "\xff"})
	checkValues(t, func(s string) error { _, err := xapi.ParseKey(s); return err },
		[]string{"mbox:mailto:a@b.c", "openid:x:y", "account:x:y z z"}, []string{"", "x", "mbox:", "account:x:y", "account:x:y ", "name:x"})

	a, err := xapi.ParseMbox("mailto:Ada@EXAMPLE.Com")
	if err != nil || a.Key() != "mbox:mailto:Ada@example.com" {
		t.Errorf("key is %q (%v)", a.Key(), err)
	}
	if got := a.SHA1Sum().Key(); got != "mbox_sha1sum:af1d68c01d3b30ceef6353c11ea0784811d8ee95" {
		t.Errorf("hash is %q", got)
	}
	if !(xapi.IFI{}).IsZero() || (xapi.IFI{}).Key() != "" {
		t.Error("the zero identifier has a key")
	}
}

func TestNumbers(t *testing.T) {
	t.Parallel()
	ascending := [][]xapi.Number{
		{"-1e400", "-10E399"}, {"-1.00000000000000000001"}, {"-1", "-1.000", "-100e-2"}, {"-1e-400"}, {"0", "-0", "0.000", "0e5", "-0.0E-9"},
		{"1e-99999999999999999999"}, {"1e-400", "0.1e-399"}, {"0.1", "1e-1", "0.10"}, {"0.12123434"}, {"1", "1.0", "10e-1"}, {"12.125"},
		{"9007199254740993"}, {"9007199254740994"}, {"1e99999999999999999999"},
	}
	for i, group := range ascending {
		for _, a := range group {
			for j, other := range ascending {
				for _, b := range other {
					if got, want := a.Compare(b), compareInts(i, j); got != want {
						t.Errorf("%s and %s compare as %d, not %d", a, b, got, want)
					}
				}
			}
		}
	}
	if xapi.Number("1.5").Float64() != 1.5 {
		t.Error("wrong value")
	}
}

func compareInts(a, b int) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}
