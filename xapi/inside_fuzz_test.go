package xapi_test

import (
	"fmt"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/go-json-experiment/json"

	"rollway/xapi"
)

// FuzzInside checks that a value inside a statement is taken exactly when it is taken by itself, and that the statement is
// then served as one that is taken and equal.
func FuzzInside(f *testing.F) {
	for which, values := range [][]string{
		{"2026-01-31T12:00:00Z", "2026-01-31T12:00:00.123456789-05:30", "2016-12-31T23:59:60", "2026-02-30T00:00:00Z", "2026-01-31T24:00:00Z"},
		{"PT4H35M59.14S", "P3Y1M29DT4H35M59.14S", "P4W", "PT0,5S", "P", "PT"},
		{"http://example.com/%C3%A4?q#f", "urn:x:y", "x", "http://例え.jp/", "a:b c"},
		{"en-US", "zh-cmn-Hans-CN", "x-own", "i-klingon", "e", "en--US"},
		{"fd41c918-b88b-4b20-a0a5-a4c32391aaa0", "FD41C918-B88B-4B20-A0A5-A4C32391AAA0", "00000000-0000-0000-0000-000000000000", "fd41c918b88b4b20a0a5a4c32391aaa0"},
	} {
		for _, s := range values {
			f.Add(uint8(which), s)
		}
	}
	f.Fuzz(func(t *testing.T, which uint8, s string) {
		name, taken := inside(which, s)
		if !utf8.ValidString(s) {
			if taken {
				t.Fatalf("%q is taken", s)
			}
			return
		}
		value, err := json.Marshal(s)
		if err != nil {
			t.Fatal(err)
		}
		src := fmt.Appendf(nil, `{"actor":%s,"verb":%s,"object":{"id":"http://example.com/a"}%s}`, someAgent, verbOr(name, string(value)), other(name, string(value)))
		for _, line := range []xapi.Version{xapi.V1, xapi.V2} {
			_, err := xapi.Read(src, line)
			if (err == nil) != taken {
				t.Fatalf("%q is taken by itself: %v; in a statement of %v: %v\n%s", s, taken, line, err, src)
			}
			if err == nil {
				checkServed(t, src, line)
			}
		}
	})
}

// inside says where a value stands in a statement, and whether it is taken by itself.
func inside(which uint8, s string) (name string, taken bool) {
	var err error
	switch which % 5 {
	case 0:
		_, err = xapi.ParseTimestamp(s)
		name = "timestamp"
	case 1:
		_, err = xapi.ParseDuration(s)
		name = "duration"
	case 2:
		_, err = xapi.ParseIRI(s)
		name = "verb"
	case 3:
		return "display", xapi.ValidLanguage(s)
	default:
		_, err = xapi.ParseUUID(s)
		name = "registration"
	}
	return name, err == nil
}

func verbOr(name, value string) string {
	switch name {
	case "verb":
		return `{"id":` + value + `}`
	case "display":
		return `{"id":"http://example.com/v","display":{` + value + `:"x"}}`
	}
	return `{"id":"http://example.com/v"}`
}

func other(name, value string) string {
	switch name {
	case "timestamp":
		return `,"timestamp":` + value
	case "duration":
		return `,"result":{"duration":` + value + `}`
	case "registration":
		return `,"context":{"registration":` + value + `}`
	}
	return ""
}

// FuzzDurationPrint checks that a length of time that is written is read as the same.
func FuzzDurationPrint(f *testing.F) {
	for _, d := range []time.Duration{0, time.Nanosecond, 10 * time.Millisecond, 90 * time.Minute, 36 * time.Hour, 1<<63 - 1} {
		f.Add(int64(d), int64(d)+1)
	}
	f.Fuzz(func(t *testing.T, a, b int64) {
		one, two := xapi.FormatDuration(time.Duration(a)), xapi.FormatDuration(time.Duration(b))
		for _, d := range []xapi.Duration{one, two} {
			if again, err := xapi.ParseDuration(string(d)); err != nil || again != d || !again.Equal(d) {
				t.Fatalf("%q is read as %q (%v)", d, again, err)
			}
		}
		if one == two && !one.Equal(two) || one.Equal(two) != two.Equal(one) {
			t.Fatalf("%q and %q", one, two)
		}
	})
}
