package mail

import (
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// Whatever others choose, a message is refused or has exactly the headers it should have, one recipient and two parts, and
// its links lead where they were meant to.
func TestNothingGetsIn(t *testing.T) {
	t.Parallel()
	o := &Office{sender: somebody}
	nasty := rapid.OneOf(rapid.String(), rapid.SampledFrom([]string{
		"\r\nBcc: evil@evil.example", "Ada\nSubject: x", "=?utf-8?q?x?=", "\r\n\r\n<script>", "a@b.example, c@d.example", `"><img src=x>`, "javascript:alert(1)", "{{.Link}}", "{site}", "--\r\n", "\u2028", "\x00", "%0d%0aBcc:x", "🦊", strings.Repeat("x", 1200),
	}))
	headers := []string{"Auto-Submitted", "Content-Language", "Content-Type", "Date", "From", "List-Unsubscribe", "List-Unsubscribe-Post", "Message-Id", "Mime-Version", "Subject", "To", "X-Auto-Response-Suppress"}
	rapid.Check(t, func(rt *rapid.T) {
		m := full(rapid.SampledFrom(allKinds).Draw(rt, "kind"), "en").Message
		m.Lang, m.Data.Name = nasty.Draw(rt, "lang"), nasty.Draw(rt, "name")
		for name, field := range map[string]*string{"to": &m.To, "link": &m.Data.Link, "reset": &m.Data.Reset, "unsubscribe": &m.Data.Unsubscribe, "code": &m.Data.Code} {
			if *field != "" && rapid.IntRange(0, 9).Draw(rt, "spoil "+name) == 0 {
				*field += nasty.Draw(rt, name)
			}
		}
		l, err := o.letterOf(m, time.Now())
		if err != nil {
			return
		}
		composed, err := somebody.compose(l)
		if err != nil {
			rt.Fatal(err)
		}
		r := receive(t, composed.text)
		if got := slices.Sorted(maps.Keys(r.Header)); m.Data.Unsubscribe != "" && !slices.Equal(got, headers) {
			rt.Fatalf("headers %v", got)
		}
		for name, values := range r.Header {
			if len(values) != 1 || strings.ContainsAny(values[0], "\r\n\x00") {
				rt.Fatalf("%s is %q", name, values)
			}
		}
		if r.Get("To") != "<"+l.To+">" || r.Get("Subject") == "" || strings.Contains(r.html, "<script") || strings.Contains(r.html, "<img") || strings.Contains(r.html, "ZgotmplZ") {
			rt.Fatalf("%+v\n%s", r.Header, r.html)
		}
		if link := m.Data.Link; link != "" && (!strings.Contains(r.text, "\n"+link+"\n") || strings.Count(textOf(r.html), link) != 1) {
			rt.Fatalf("the link %q is not in\n%s\n%s", link, r.text, r.html)
		}
	})
}
