package content

import (
	"encoding/binary"
	"maps"
	"net/url"
	"slices"
	"strings"
	"testing"
	"unicode/utf16"

	"pgregory.net/rapid"

	"rollway/internal/fault"
	"rollway/xapi"
)

const courseXML = `<?xml version="1.0" encoding="utf-8"?>
<tincan xmlns="http://projecttincan.com/tincan.xsd" xmlns:x="http://example.com/other">
  <activities>
    <activity id="https://example.com/knots" type="http://adlnet.gov/expapi/activities/course">
      <name>Knots &amp; ropes</name>
      <name lang="de_AT">Knoten</name>
      <description lang="en-US">How to tie
        a <b>few</b> knots</description>
      <description lang="de"/>
      <x:launch>elsewhere.html</x:launch>
      <launch lang="en-US">player/index.html?mode=full#start</launch>
      <launch xml:lang="de">player/index%20de.html</launch>
    </activity>
  </activities>
  <!-- a second group -->
  <activities>
    <activity id="https://example.com/knots/bowline">
      <name lang="en">Bowline</name>
      <launch/>
      <extensions><extension><name>not the name</name></extension></extensions>
    </activity>
  </activities>
  <other><activity id="nothing"><launch>x</launch></activity></other>
</tincan>
`

func TestParseManifest(t *testing.T) {
	t.Parallel()
	m, err := ParseManifest([]byte(courseXML), Options{})
	if err != nil {
		t.Fatal(err)
	}
	a := m.Activity
	if a.ID != "https://example.com/knots" || a.Type != "http://adlnet.gov/expapi/activities/course" ||
		!maps.Equal(a.Name, xapi.LanguageMap{"und": "Knots & ropes", "de-AT": "Knoten"}) ||
		!maps.Equal(a.Description, xapi.LanguageMap{"en-US": "How to tie a knots"}) {
		t.Errorf("activity: %+v", a)
	}
	want := []Launch{
		{Lang: "en-US", Path: "player/index.html", Query: "mode=full", Fragment: "start"},
		{Lang: "de", Path: "player/index de.html"},
	}
	if !slices.Equal(m.Launches, want) {
		t.Errorf("launches: %+v", m.Launches)
	}
	if len(m.Others) != 1 || m.Others[0].ID != "https://example.com/knots/bowline" || m.Others[0].Type != "" ||
		!maps.Equal(m.Others[0].Name, xapi.LanguageMap{"en": "Bowline"}) {
		t.Errorf("others: %+v", m.Others)
	}
}

// manifest wraps elements into a manifest.
func manifest(inner string) string {
	return `<tincan xmlns="http://projecttincan.com/tincan.xsd"><activities>` + inner + `</activities></tincan>`
}

// course is a manifest with one activity that has the fields given.
func course(fields string) string {
	return manifest(`<activity id="urn:example:course">` + fields + `</activity>`)
}

func toUTF16(order binary.AppendByteOrder, s string) string {
	var b []byte
	for _, u := range utf16.Encode([]rune("\ufeff" + s)) {
		b = order.AppendUint16(b, u)
	}
	return string(b)
}

func TestManifestEncodings(t *testing.T) {
	t.Parallel()
	text := course(`<name>Segeln 🛶 für alle</name><launch>i.html</launch>`)
	utf16 := `<?xml version="1.0" encoding="UTF-16"?>` + text
	latin1 := strings.ReplaceAll(text, "ü", "\xfc")
	for name, c := range map[string]struct{ in, code string }{
		"UTF-8":                            {text, ""},
		"UTF-8 with a mark":                {"\ufeff" + text, ""},
		"UTF-8 that says so":               {`<?xml version="1.0" encoding="UTF-8" standalone="yes"?>` + text, ""},
		"UTF-16 big-endian":                {toUTF16(binary.BigEndian, utf16), ""},
		"UTF-16 little-endian":             {toUTF16(binary.LittleEndian, utf16), ""},
		"UTF-16 that says nothing":         {toUTF16(binary.LittleEndian, text), ""},
		"UTF-8 that says UTF-16":           {utf16, "manifest_encoding"},
		"UTF-16 that says Latin-1":         {toUTF16(binary.LittleEndian, `<?xml version="1.0" encoding="latin1"?>`+text), "manifest_encoding"},
		"UTF-16 without a mark":            {toUTF16(binary.BigEndian, text)[2:], "manifest_encoding"},
		"UTF-16 cut in a unit":             {toUTF16(binary.BigEndian, text) + "\x00", "manifest_encoding"},
		"UTF-16 cut in a pair":             {toUTF16(binary.BigEndian, text) + "\xd8\x00", "manifest_encoding"},
		"UTF-16 with half a pair":          {toUTF16(binary.BigEndian, text) + "\xdc\x00\x00a", "manifest_encoding"},
		"Latin-1":                          {latin1, "manifest_encoding"},
		"Latin-1 that says so":             {`<?xml version="1.0" encoding="iso-8859-1"?>` + latin1, "manifest_encoding"},
		"ASCII that says Latin-1":          {`<?xml version="1.0" encoding="iso-8859-1"?>` + course(`<launch>i.html</launch>`), "manifest_encoding"},
		"UTF-7 that says so":               {`<?xml version="1.0" encoding="utf-7"?>` + text, "manifest_encoding"},
		"DOCTYPE hidden in UTF-16":         {toUTF16(binary.LittleEndian, `<!DOCTYPE tincan>`+text), "manifest_doctype"},
		"UTF-32, which begins like UTF-16": {"\xff\xfe\x00\x00<\x00\x00\x00", "manifest_xml"},
	} {
		m, err := ParseManifest([]byte(c.in), Options{})
		if code(err) != c.code {
			t.Errorf("%s: %v, want %q", name, err, c.code)
		}
		if err == nil && m.Activity.Name["und"] != "Segeln 🛶 für alle" {
			t.Errorf("%s: %+v", name, m.Activity)
		}
	}
}

func TestParseManifestRefuses(t *testing.T) {
	t.Parallel()
	ok := course(`<launch>i.html</launch>`)
	nest := func(n int) string { return strings.Repeat("<a>", n) + strings.Repeat("</a>", n) }
	launch := `<launch>i.html</launch>`
	for _, c := range []struct{ name, in, code string }{
		{"as it should be", ok, ""},
		{"deep, but not too deep", course(launch + nest(maxDepth-3)), ""},
		{"many elements, but not too many", course(launch + strings.Repeat("<a/>", maxElements-4)), ""},

		{"empty", "", "manifest_xml"},
		{"a comment only", "<!-- x -->", "manifest_xml"},
		{"not XML", "PK\x03\x04", "manifest_xml"},
		{"cut short", ok[:len(ok)-4], "manifest_xml"},
		{"text after it", ok + "x", "manifest_xml"},
		{"text before it", "x" + ok, "manifest_xml"},
		{"twice", ok + ok, "manifest_xml"},
		{"NUL", course(launch + "\x00"), "manifest_xml"},
		{"two attributes of one name", manifest(`<activity id="urn:a:b" id="urn:a:c">` + launch + `</activity>`), "manifest_xml"},
		{"XML 1.1", `<?xml version="1.1"?>` + ok, "manifest_xml"},

		{"DOCTYPE", `<!DOCTYPE tincan>` + ok, "manifest_doctype"},
		{"doctype in small letters", `<!doctype tincan>` + ok, "manifest_doctype"},
		{"external entity", `<!DOCTYPE t [<!ENTITY x SYSTEM "file:///etc/passwd">]>` + course(`<name>&x;</name>`+launch), "manifest_doctype"},
		{"a thousand laughs", `<!DOCTYPE t [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;">]>` + course(`<name>&b;</name>`+launch), "manifest_doctype"},
		{"another declaration", `<!ELEMENT a>` + ok, "manifest_doctype"},
		{"entity nobody declared", course(`<name>&nbsp;</name>` + launch), "manifest_xml"},

		{"too deep", course(launch + nest(maxDepth-2)), "manifest_too_large"},
		{"far too deep", strings.Repeat("<a>", 200_000), "manifest_root"},
		{"too many elements", course(launch + strings.Repeat("<a/>", maxElements-3)), "manifest_too_large"},
		{"too long", ok + strings.Repeat(" ", maxManifest), "manifest_too_large"},
		{"long name", course(`<name>` + strings.Repeat("n", maxText+1) + `</name>` + launch), "manifest_too_large"},

		{"no namespace", `<tincan><activities/></tincan>`, "manifest_root"},
		{"other namespace", `<tincan xmlns="http://example.com/"/>`, "manifest_root"},
		{"other root", `<manifest xmlns="http://projecttincan.com/tincan.xsd"/>`, "manifest_root"},
		{"no activity", manifest(""), "manifest_no_launch"},
		{"no launch", course("<name>N</name>"), "manifest_no_launch"},
		{"blank launch", course("<launch> </launch>"), "manifest_no_launch"},
		{"launch of another namespace", course(`<launch xmlns="http://example.com/">i.html</launch>`), "manifest_no_launch"},
		{"launch outside an activity", manifest(launch), "manifest_no_launch"},
		{"two launches", manifest(`<activity id="urn:a:b">` + launch + `</activity><activity id="urn:a:c">` + launch + `</activity>`), "manifest_two_launches"},
		{"two launches in two groups", manifest(`<activity id="urn:a:b">` + launch + `</activity></activities><activities><activity id="urn:a:c">` + launch + `</activity>`), "manifest_two_launches"},

		{"no id", manifest(`<activity>` + launch + `</activity>`), "manifest_activity_id"},
		{"id of another namespace", manifest(`<activity xmlns:x="urn:x:y" x:id="urn:a:b">` + launch + `</activity>`), "manifest_activity_id"},
		{"relative id", manifest(`<activity id="knots">` + launch + `</activity>`), "manifest_activity_id"},
		{"id with a blank", manifest(`<activity id="http://example.com/a b">` + launch + `</activity>`), "manifest_activity_id"},
		{"long id", manifest(`<activity id="urn:a:` + strings.Repeat("b", maxIRI) + `">` + launch + `</activity>`), "manifest_activity_id"},
		{"id twice", manifest(`<activity id="urn:a:b">` + launch + `</activity><activity id="urn:a:b"/>`), "manifest_activity_id"},
		{"type that is no IRI", manifest(`<activity id="urn:a:b" type="course">` + launch + `</activity>`), "manifest_activity_type"},
		{"language that is none", course(`<name lang="the english one">N</name>` + launch), "manifest_language"},
		{"two names in a language", course(`<name lang="en">N</name><name lang="en">M</name>` + launch), "manifest_language"},
		{"two launches in a language", course(launch + launch), "manifest_language"},
	} {
		m, err := ParseManifest([]byte(c.in), Options{})
		if code(err) != c.code || (m == nil) != (err != nil) {
			t.Errorf("%s: %v, want %q", c.name, err, c.code)
		}
		if c.code == "manifest_too_large" && !fault.Is(err, fault.TooLarge) {
			t.Errorf("%s: the fault is %s", c.name, fault.Of(err).Kind)
		}
	}
}

func TestErrorNamesTheLine(t *testing.T) {
	t.Parallel()
	_, err := ParseManifest([]byte("<tincan xmlns=\"http://projecttincan.com/tincan.xsd\">\n\n<oops"), Options{})
	if err == nil || !strings.Contains(err.Error(), "line 3") {
		t.Fatal(err)
	}
}

func TestLaunchAddress(t *testing.T) {
	t.Parallel()
	hosts := Options{LaunchHosts: []string{"cdn.example.com", "Other.example:8443"}}
	for _, c := range []struct {
		in   string
		want Launch
		code string
	}{
		{"index.html", Launch{Path: "index.html"}, ""},
		{"./index.html", Launch{Path: "index.html"}, ""},
		{"a/b.html?x=1&y=a%20b#c/d", Launch{Path: "a/b.html", Query: "x=1&y=a%20b", Fragment: "c/d"}, ""},
		{"a b+c.html?t=für alle#<x>", Launch{Path: "a b+c.html", Query: "t=f%C3%BCr%20alle", Fragment: "%3Cx%3E"}, ""},
		{"e\u0301t%C3%A9.html", Launch{Path: "\u00e9t\u00e9.html"}, ""},
		{"a.html?#", Launch{Path: "a.html"}, ""},
		{"a.html#x?y", Launch{Path: "a.html", Fragment: "x?y"}, ""},
		{"a/javascript:b.html", Launch{Path: "a/javascript:b.html"}, ""},
		{"https://cdn.example.com/c/?v=2#x", Launch{External: "https://cdn.example.com/c/", Query: "v=2", Fragment: "x"}, ""},
		{"HTTPS://CDN.example.com/a b", Launch{External: "https://CDN.example.com/a%20b"}, ""},
		{"https://other.example:8443", Launch{External: "https://other.example:8443"}, ""},

		{"javascript:alert(1)", Launch{}, "launch_address"},
		{"JavaScript:alert(1)", Launch{}, "launch_address"},
		{"java\tscript:alert(1)", Launch{}, "launch_address"},
		{"\x01javascript:alert(1)", Launch{}, "launch_address"},
		{"data:text/html,x", Launch{}, "launch_address"},
		{"vbscript:x", Launch{}, "launch_address"},
		{"blob:https://cdn.example.com/x", Launch{}, "launch_address"},
		{"file:///etc/passwd", Launch{}, "launch_address"},
		{"c:x.html", Launch{}, "launch_address"},
		{"//evil.example/x", Launch{}, "launch_address"},
		{"///evil.example/x", Launch{}, "launch_address"},
		{`\\evil.example\x`, Launch{}, "launch_address"},
		{`/\evil.example`, Launch{}, "launch_address"},
		{"/index.html", Launch{}, "launch_address"},
		{"%2f%2fevil.example", Launch{}, "launch_address"},
		{"../index.html", Launch{}, "launch_address"},
		{"a/../../index.html", Launch{}, "launch_address"},
		{"%2e%2e/index.html", Launch{}, "launch_address"},
		{"a%2f..%2findex.html", Launch{}, "launch_address"},
		{"a%5cb.html", Launch{}, "launch_address"},
		{"a%00.html", Launch{}, "launch_address"},
		{"a%ff.html", Launch{}, "launch_address"},
		{"100%.html", Launch{}, "launch_address"},
		{"././a.html", Launch{}, "launch_address"},
		{"a/", Launch{}, "launch_address"},
		{"?a=1", Launch{}, "launch_address"},
		{"#a", Launch{}, "launch_address"},
		{"a.html?x=%zz", Launch{}, "launch_address"},
		{"a.html?x=1;y=2", Launch{}, "launch_address"},
		{"a.html?endpoint=https://evil.example/", Launch{}, "launch_parameter"},
		{"a.html?x=1&%61uth=Basic", Launch{}, "launch_parameter"},
		{"https://cdn.example.com/?actor={}", Launch{}, "launch_parameter"},
		{"http://cdn.example.com/x", Launch{}, "launch_address"},
		{"https:cdn.example.com/x", Launch{}, "launch_address"},
		{"https:///x", Launch{}, "launch_address"},
		{"https://u:p@cdn.example.com/x", Launch{}, "launch_address"},
		{"https://cdn.example.com@evil.example/x", Launch{}, "launch_address"},
		{"https://evil.example/x", Launch{}, "launch_host"},
		{"https://cdn.example.com.evil.example/x", Launch{}, "launch_host"},
		{"https://cdn.example.com:444/x", Launch{}, "launch_host"},
		{"https://other.example/x", Launch{}, "launch_host"},
	} {
		got, err := parseLaunch(c.in, hosts)
		if code(err) != c.code || err == nil && got != c.want {
			t.Errorf("%q: %+v, %v; want %+v, %q", c.in, got, err, c.want, c.code)
		}
	}
	if _, err := parseLaunch("https://cdn.example.com/", Options{}); code(err) != "launch_host" {
		t.Errorf("without allowed hosts: %v", err)
	}
}

// checkLaunch is what must hold for every launch address that is accepted.
func checkLaunch(t interface{ Fatalf(string, ...any) }, l Launch) {
	if (l.Path == "") == (l.External == "") {
		t.Fatalf("%+v is neither a file nor external, or both", l)
	}
	if l.Path != "" {
		if p, err := NormalPath(l.Path); p != l.Path || err != nil {
			t.Fatalf("the path %q is not normal", l.Path)
		}
	}
	if l.External != "" {
		u, err := url.Parse(l.External)
		if err != nil || u.Scheme != "https" || !strings.EqualFold(u.Host, "allowed.example") { // hosts have no case (RFC 3986, 3.2.2)
			t.Fatalf("%q is not allowed", l.External)
		}
	}
	for _, r := range l.Query + l.Fragment + l.External {
		if r <= ' ' || r >= 0x7f || strings.ContainsRune("\"<>`\\", r) {
			t.Fatalf("%+v contains %q", l, r)
		}
	}
}

func TestLaunchAddressHolds(t *testing.T) {
	t.Parallel()
	o := Options{LaunchHosts: []string{"allowed.example"}}
	pieces := rapid.SampledFrom([]string{"a", "b.html", ".", "..", "/", "//", "\\", ":", "javascript", "https", "https://allowed.example", "evil.example",
		"@", "?", "#", "&", "=", "auth", "%2e", "%2F", "%", "\t", " ", "ü", "\u0301", "\x00", "'", `"`, "<"})
	rapid.Check(t, func(r *rapid.T) {
		address := strings.Join(rapid.SliceOfN(pieces, 0, 8).Draw(r, "pieces"), "")
		if l, err := parseLaunch(address, o); err == nil {
			checkLaunch(r, l)
		} else if code(err) == "" || fault.Of(err).Kind != fault.Invalid {
			r.Fatalf("%q: %v", address, err)
		}
	})
}

func FuzzManifest(f *testing.F) {
	f.Add([]byte(courseXML))
	f.Add([]byte(toUTF16(binary.LittleEndian, course(`<launch lang="en">a.html?x=1#y</launch>`))))
	f.Add([]byte(course(`<launch>https://allowed.example/x</launch>`)))
	f.Add([]byte(`<!DOCTYPE x>`))
	f.Fuzz(func(t *testing.T, b []byte) {
		m, err := ParseManifest(b, Options{LaunchHosts: []string{"allowed.example"}})
		if err != nil {
			if k := fault.Of(err).Kind; k != fault.Invalid && k != fault.TooLarge {
				t.Fatal(err)
			}
			return
		}
		if len(m.Launches) == 0 {
			t.Fatal("nothing to launch")
		}
		for _, l := range m.Launches {
			checkLaunch(t, l)
		}
		for _, a := range append(m.Others, m.Activity) {
			if _, err := xapi.ParseIRI(string(a.ID)); err != nil {
				t.Fatal(err)
			}
			for lang, text := range a.Name {
				if !xapi.ValidLanguage(lang) || text == "" || strings.ContainsAny(text, "\n\t\x00") {
					t.Fatalf("%q: %q", lang, text)
				}
			}
		}
	})
}
