package mail

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"io"
	"maps"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	"net/mail"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/text/unicode/norm"
)

var allKinds = []Kind{Confirm, Known, Welcome, Remind, Ended, Reset, Changed, works}

const token = "9f2c4e7a1b3d5f60718293a4b5c6d7e8f9a0b1c2d3e4f5061728394a5b6c7d8e"

// full is a letter of a kind that has all it can show.
func full(kind Kind, lang string) letter {
	at := time.Date(2026, 3, 1, 9, 30, 0, 0, time.UTC)
	d := Data{Name: "Ada Lovelace", Days: 14, Expires: at.Add(24 * time.Hour), Unsubscribe: "https://learn.example/news/stop/" + token}
	if kind != works {
		d.Link = "https://learn.example/confirm/4711?t=" + token + "&x=1#!/account/4/validation/" + token
	}
	switch kind {
	case Confirm:
		d.Code = "482913"
	case Known:
		d.Reset = "https://learn.example/forgotten"
	}
	return letter{Message: Message{Org: 1, To: "ada@example.com", Lang: lang, Kind: kind, Data: d}, ID: "0190-0@learn.example", At: at}
}

var somebody = sender{address: "no-reply@learn.example", name: "Lernhaus Süd", host: "learn.example", url: "https://learn.example"}

// received is a message as its reader gets it.
type received struct {
	mail.Header
	text, html string
}

func receive(t testing.TB, raw []byte) (r received) {
	t.Helper()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatalf("%v\n%s", err, raw)
		}
	}
	if len(raw) == 0 || bytes.Contains(bytes.ReplaceAll(raw, []byte("\r\n"), nil), []byte("\n")) || bytes.Contains(bytes.ReplaceAll(raw, []byte("\r\n"), nil), []byte("\r")) {
		t.Errorf("lines do not end in CR LF: %q", raw)
	}
	for line := range bytes.SplitSeq(raw, []byte("\r\n")) {
		if len(line) > 998 || slices.ContainsFunc(line, func(b byte) bool { return b >= 0x80 }) {
			t.Errorf("the line is too long or not ASCII: %q", line)
		}
	}
	m, err := mail.ReadMessage(bytes.NewReader(raw))
	must(err)
	r.Header = m.Header
	kind, parameters, err := mime.ParseMediaType(m.Header.Get("Content-Type"))
	must(err)
	if kind != "multipart/alternative" {
		t.Fatalf("it is %s", kind)
	}
	parts := multipart.NewReader(m.Body, parameters["boundary"])
	for _, into := range []*string{&r.text, &r.html} {
		part, err := parts.NextRawPart()
		must(err)
		var body io.Reader = part
		switch part.Header.Get("Content-Transfer-Encoding") {
		case "quoted-printable":
			body = quotedprintable.NewReader(part)
		case "base64":
			body = base64.NewDecoder(base64.StdEncoding, part)
		}
		decoded, err := io.ReadAll(body)
		must(err)
		*into = strings.ReplaceAll(string(decoded), "\r\n", "\n")
	}
	return r
}

func (r received) decoded(t testing.TB, name string) string {
	t.Helper()
	text, err := new(mime.WordDecoder).DecodeHeader(r.Get(name))
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// Every kind in every language: whole, in both forms, with the link, the code, the reason, and nothing that is loaded from elsewhere.
func TestEveryLetter(t *testing.T) {
	t.Parallel()
	for _, lang := range languages {
		for _, kind := range allKinds {
			l := full(kind, lang)
			m, err := somebody.compose(l)
			if err != nil {
				t.Fatal(lang, kind, err)
			}
			r := receive(t, m.text)
			where := fmt.Sprint(lang, " ", kind)
			for name, want := range map[string]string{
				"Message-Id": "<0190-0@learn.example>", "Date": "Sun, 01 Mar 2026 09:30:00 +0000", "To": "<ada@example.com>", "Auto-Submitted": "auto-generated", "Content-Language": lang,
				"List-Unsubscribe": "<https://learn.example/news/stop/" + token + ">", "List-Unsubscribe-Post": "List-Unsubscribe=One-Click", "User-Agent": "", "X-Mailer": "",
			} {
				if got := r.Get(name); got != want {
					t.Errorf("%s: %s is %q, want %q", where, name, got, want)
				}
			}
			from, err := mail.ParseAddress(r.Get("From"))
			if err != nil || from.Name != somebody.name || from.Address != somebody.address {
				t.Errorf("%s: from %v, %v", where, from, err)
			}
			w := catalogues()[lang].Letters[kind]
			visible := textOf(r.html)
			for form, text := range map[string]string{"text": r.text, "html": visible} {
				if strings.ContainsAny(text, "{}") || strings.Contains(text, "<no value>") || strings.Contains(text, "  ") && form == "html" {
					t.Errorf("%s: the %s has gaps:\n%s", where, form, text)
				}
				for _, wants := range []string{l.Data.Link, l.Data.Code, w.Button, "Ada Lovelace", l.Data.Reset, "https://learn.example", somebody.name, catalogues()[lang].News, catalogues()[lang].Unsubscribe} {
					wants = strings.ReplaceAll(wants, "{site}", somebody.name)
					if !strings.Contains(text, wants) {
						t.Errorf("%s: the %s lacks %q:\n%s", where, form, wants, text)
					}
				}
				for _, paragraph := range slices.Concat(somebody.pageOf(l).Text, somebody.pageOf(l).After, []string{somebody.pageOf(l).Reason}) {
					if !strings.Contains(text, paragraph) {
						t.Errorf("%s: the %s lacks %q:\n%s", where, form, paragraph, text)
					}
				}
			}
			if s := r.decoded(t, "Subject"); s == "" || s != somebody.pageOf(l).Subject || strings.ContainsAny(s, "{}") {
				t.Errorf("%s: the subject is %q", where, s)
			}
			if n := len(somebody.pageOf(l).Text); n != len(w.Text) {
				t.Errorf("%s: %d paragraphs of %d", where, n, len(w.Text))
			}
			if bad := regexp.MustCompile(`(?i)<(img|script|link|iframe|object|form|video|audio|base)\b|url\(|@import|src=|background=|\son\w+="|ZgotmplZ`).FindString(r.html); bad != "" {
				t.Errorf("%s: the html holds %q", where, bad)
			}
			if !strings.Contains(r.text, l.Data.Unsubscribe) || !strings.Contains(r.html, `href="`+l.Data.Unsubscribe+`"`) {
				t.Errorf("%s: the newsletter has no end:\n%s", where, r.text)
			}
			if n := strings.Count(r.html, `class="button" bgcolor`); n != map[bool]int{true: 1}[l.Data.Link != ""] {
				t.Errorf("%s: %d buttons", where, n)
			}
		}
	}
}

var tags = regexp.MustCompile(`(?s)<(style|head)\b.*?</(style|head)>|<[^>]*>`)

// textOf is what a reader of the html sees, more or less.
func textOf(html string) string {
	html = tags.ReplaceAllString(html, "\n")
	for entity, r := range map[string]string{"&amp;": "&", "&#39;": "'", "&#34;": `"`, "&#43;": "+", "&lt;": "<", "&gt;": ">"} {
		html = strings.ReplaceAll(html, entity, r)
	}
	return html
}

// The button's link is the very one, as the reader's program takes it from the markup.
func TestLinksSurvive(t *testing.T) {
	t.Parallel()
	for _, link := range []string{full(Confirm, "en").Data.Link, "http://localhost:8080/x", "https://learn.example/a%20b?q=%C3%A9&r=a+b#!/x", "https://dashboard.example/#!/account/4/validation/" + token} {
		l := full(Confirm, "en")
		l.Data.Link, l.Data.Unsubscribe = link, "http://localhost:8080/stop"
		if !IsLink(link) {
			t.Errorf("%s is none", link)
		}
		m, err := somebody.compose(l)
		if err != nil {
			t.Fatal(err)
		}
		r := receive(t, m.text)
		found := regexp.MustCompile(`href="([^"]*)"`).FindStringSubmatch(r.html)
		if len(found) != 2 || textOf(found[1]) != link {
			t.Errorf("%s is %q", link, found)
		}
		if r.Get("List-Unsubscribe") != "<http://localhost:8080/stop>" || r.Get("List-Unsubscribe-Post") != "" {
			t.Errorf("%q", r.Header)
		}
	}
	for _, link := range []string{"", "javascript:alert(1)", "//evil.example", "/x", "https://", "https://a b", "https://x/\r\nBcc: a@b.c", "https://x/>", "https://ü.example/", "ftp://x/", "https://u:p@x/", "https://x/" + strings.Repeat("a", 1000)} {
		if IsLink(link) {
			t.Errorf("%q is one", link)
		}
	}
}

// What is missing leaves no gap; a name that could be a message is not shown.
func TestLettersWithLess(t *testing.T) {
	t.Parallel()
	for _, lang := range languages {
		for _, kind := range allKinds {
			l := full(kind, lang)
			l.Data.Name, l.Data.Days, l.Data.Reset, l.Data.Unsubscribe, l.Data.Code = "", 0, "", "", ""
			if kind == Remind {
				l.Data.Days = 1
			}
			if kind == Ended {
				l.Data.Link = ""
			}
			plain := sender{address: "a@learn.example", host: "learn.example", url: "https://learn.example"}
			m, err := plain.compose(l)
			if err != nil {
				t.Fatal(err)
			}
			r := receive(t, m.text)
			if strings.Contains(r.text, "{") || strings.Contains(r.html, "<p></p>") || strings.Contains(r.html, `href=""`) || strings.Contains(r.text, "\n\n\n") {
				t.Errorf("%s %s has gaps:\n%s", lang, kind, r.text)
			}
			if r.Get("From") != "<a@learn.example>" || r.Get("List-Unsubscribe") != "" {
				t.Errorf("%q", r.Header)
			}
		}
	}
	for name, want := range map[string]string{
		"Ada": "Ada", "  Ada   King-Noël ": "Ada King-Noël", "Dr. Ada O’Neil": "Dr. Ada O’Neil", "Иван Петров": "Иван Петров", "李小龙": "李小龙", "J. R.": "J. R.", "": "",
		"win at http://evil.example": "", "evil.example": "", "Ada\r\nBcc: x": "", "call 0800": "", "<b>Ada": "", "Ada {site}": "", strings.Repeat("a", 41): "", "Ada@x": "", "\u202eAda": "", "a/b": "",
	} {
		if got := greetable(name); got != want {
			t.Errorf("%q: %q, want %q", name, got, want)
		}
	}
}

// All languages say the same things: no entry is missing, and the same places are filled in the same kinds.
func TestCatalogues(t *testing.T) {
	t.Parallel()
	places := regexp.MustCompile(`\{\w+\}`)
	in := func(w wording) []string {
		found := map[string]bool{}
		for _, text := range append(slices.Concat(w.Text, w.After), w.Subject, w.Title, w.Reason) {
			for _, p := range places.FindAllString(text, -1) {
				found[p] = true
			}
		}
		return slices.Sorted(maps.Keys(found))
	}
	first := catalogues()[languages[0]]
	for _, lang := range languages {
		c := catalogues()[lang]
		v := reflect.ValueOf(c)
		for i := range v.NumField() {
			if text, ok := v.Field(i).Interface().(string); ok && (text == "" || strings.Trim(text, " \n") != text || !norm.NFC.IsNormalString(text)) {
				t.Errorf("%s: %s is %q", lang, v.Type().Field(i).Name, text)
			}
		}
		for _, unit := range []string{c.Minute, c.Minutes, c.Hour, c.Hours, c.Day, c.Days} {
			if !strings.Contains(unit, "{n}") {
				t.Errorf("%s: %q has no number", lang, unit)
			}
		}
		if kinds := slices.Sorted(maps.Keys(c.Letters)); !slices.Equal(kinds, slices.Sorted(slices.Values(allKinds))) {
			t.Errorf("%s: the kinds are %v", lang, kinds)
		}
		for kind, w := range c.Letters {
			other := first.Letters[kind]
			if w.Subject == "" || w.Title == "" || len(w.Text) != len(other.Text) || len(w.After) != len(other.After) || w.Reason == "" || (w.Button == "") != (other.Button == "") || !slices.Equal(in(w), in(other)) {
				t.Errorf("%s: %s says other things than in %s", lang, kind, languages[0])
			}
			for _, text := range append(slices.Concat(w.Text, w.After), w.Subject, w.Title, w.Button, w.Reason) {
				if strings.TrimSpace(text) != text || !norm.NFC.IsNormalString(text) || strings.ContainsAny(text, "<>&\n") || len(text) > 300 {
					t.Errorf("%s: %s: %q", lang, kind, text)
				}
			}
			for _, place := range []string{"{name}", "{days}", "{valid}"} {
				if strings.Contains(w.Reason+w.Button, place) || place != "{days}" && strings.Contains(w.Subject+w.Title, place) || kind != Remind && strings.Contains(w.Subject+w.Title, place) {
					t.Errorf("%s: %s has %s where it may be missing", lang, kind, place)
				}
			}
		}
	}
	for tag, want := range map[string]string{"": "en", "fr": "fr", "FR-ca": "fr", "de_AT": "de", "es-419": "es", "it": "en", "../../x": "en", "e": "en",
		"*": "en", "fr-CH, fr;q=0.9, en;q=0.8": "fr", " DE;q=1": "de", "it, es;q=0.7, de;q=0.8": "de", "en;q=0, fr;q=0.1": "fr", "eng-x": "en", ";;;": "en"} {
		if got := Language(tag); got != want {
			t.Errorf("%q: %s, want %s", tag, got, want)
		}
	}
	for d, want := range map[time.Duration]string{24*time.Hour - time.Millisecond: "24\u00a0hours", 15 * time.Minute: "15\u00a0minutes", time.Second: "1\u00a0minute", time.Hour: "1\u00a0hour", 48 * time.Hour: "2\u00a0days", 72*time.Hour - 1: "3\u00a0days", 47 * time.Hour: "47\u00a0hours"} {
		if got := first.span(d); got != want {
			t.Errorf("%v: %s, want %s", d, got, want)
		}
	}
}
