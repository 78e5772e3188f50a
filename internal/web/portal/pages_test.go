package portal

import (
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
)

var (
	inlineStyle = regexp.MustCompile(`(?i)<style|\sstyle=|\son[a-z]+=|<script>|javascript:`)
	leftOver    = regexp.MustCompile(`\{[a-z]+\}|<no value>|ZgotmplZ`)
)

// Every page renders in every language with all that it may show, and with nothing that the policy forbids.
func TestPagesRender(t *testing.T) {
	t.Parallel()
	shown := map[string]bool{}
	for _, lang := range languages {
		for name, p := range fixtures(lang) {
			shown[templateOf(name)] = true
			w := httptest.NewRecorder()
			if err := write(w, 200, templateOf(name), p); err != nil {
				t.Errorf("%s in %s: %v", name, lang, err)
				continue
			}
			text := w.Body.String()
			if found := inlineStyle.FindString(text); found != "" {
				t.Errorf("%s in %s has %q", name, lang, found)
			}
			if found := leftOver.FindString(strings.ReplaceAll(strings.ReplaceAll(text, catalogue[lang].phrases["launch.saved"].other, ""), catalogue[lang].phrases["check.again.wait"].other, "")); found != "" {
				t.Errorf("%s in %s shows %q", name, lang, found)
			}
			if !strings.Contains(text, `<html lang="`+lang+`">`) || w.Header().Get("Content-Language") != lang || !strings.Contains(w.Header().Get("Content-Security-Policy"), "default-src 'none'") || w.Header().Get("Cache-Control") != "no-store" {
				t.Errorf("%s in %s: %v", name, lang, w.Header())
			}
		}
	}
	for name := range templates {
		if !shown[name] {
			t.Errorf("the page %s has no fixture", name)
		}
	}
}

// What people are called is text and nothing else.
func TestPagesEscape(t *testing.T) {
	t.Parallel()
	f := framed("en", "home.title", &person{Name: `<script>alert(1)</script>`}, "courses")
	w := httptest.NewRecorder()
	p := homePage{frame: f, Name: `<script>alert(1)</script>`, Courses: []card{{Title: `"><img src=x>`, Href: "javascript:alert(1)", Art: artOf(""), progress: progress{State: `x" onclick="y`}}}}
	if err := write(w, 200, "home", &p); err != nil {
		t.Fatal(err)
	}
	for _, bad := range []string{"<script>alert", "<img src=x", `href="javascript:`, `onclick="y`} {
		if strings.Contains(w.Body.String(), bad) {
			t.Errorf("the page has %s", bad)
		}
	}
}

// A learner's page with all that it loads is light.
func TestPagesAreLight(t *testing.T) {
	t.Parallel()
	const most = 30_000
	loaded := 0
	for _, a := range assets {
		loaded += len(a.packed)
	}
	if n := len(assets["app.js"].plain); n >= 8_000 {
		t.Errorf("app.js has %d bytes", n)
	}
	if n := len(assets["style.css"].plain); n >= 25_000 {
		t.Errorf("style.css has %d bytes", n)
	}
	for _, name := range []string{"signup", "home", "login", "launch"} {
		w := httptest.NewRecorder()
		if err := write(w, 200, templateOf(name), fixtures("de")[name]); err != nil {
			t.Fatal(err)
		}
		if n := loaded + w.Body.Len(); n > most {
			t.Errorf("%s: %d bytes are transferred", name, n)
		}
	}
}

func TestAssets(t *testing.T) {
	t.Parallel()
	for name, a := range assets {
		for accept, packed := range map[string]bool{"": false, "gzip, deflate, br": true, "gzip;q=0": false, "br, GZIP;q=0.5": true, "identity": false} {
			r := httptest.NewRequest("GET", a.url, nil)
			r.Header.Set("Accept-Encoding", accept)
			w := httptest.NewRecorder()
			if err := serveAsset(w, r); err != nil {
				t.Fatal(err)
			}
			h := w.Header()
			if (h.Get("Content-Encoding") == "gzip") != packed || !strings.Contains(h.Get("Cache-Control"), "immutable") || h.Get("Vary") != "Accept-Encoding" || h.Get("Content-Type") == "" {
				t.Errorf("%s for %q: %v", name, accept, h)
			}
			if want := map[bool]int{true: len(a.packed), false: len(a.plain)}[packed]; w.Body.Len() != want {
				t.Errorf("%s for %q: %d bytes", name, accept, w.Body.Len())
			}
		}
	}
	if err := serveAsset(httptest.NewRecorder(), httptest.NewRequest("GET", "/assets/style.css", nil)); err == nil {
		t.Error("a name without a hash is served")
	}
}
