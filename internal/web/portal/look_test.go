package portal

import (
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"rollway/internal/browsertest"
	"rollway/internal/web"
)

// exhibition serves every fixture in every language, as /en/signup.
func exhibition(t *testing.T) string {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		lang, name, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
		if catalogue[lang] != nil {
			p := fixtures(lang)[strings.TrimSuffix(name, "-silent")]
			if l, ok := p.(*launchPage); ok && strings.HasSuffix(name, "-silent") {
				l.Check = "/content"
			}
			if templateOf(name) == "launch" {
				web.SecurityHeaders(w.Header(), policy("'self'"))
			}
			if err := write(w, 200, templateOf(name), p); err != nil {
				t.Error(err)
			}
			return
		}
		switch {
		case strings.HasPrefix(r.URL.Path, assetPrefix):
			if err := serveAsset(w, r); err != nil {
				t.Error(err)
			}
		case strings.HasPrefix(r.URL.Path, "/signup/picture/"):
			w.Header().Set("Content-Type", "image/svg+xml")
			fmt.Fprint(w, `<svg xmlns="http://www.w3.org/2000/svg" width="300" height="80"><rect width="300" height="80" fill="#eef"/><path d="M20 60 60 20 90 60M130 20v40M180 60l20-40 20 40" stroke="#223" stroke-width="6" fill="none"/></svg>`)
		case r.URL.Path == "/content":
			w.Header().Set("Content-Type", "text/html")
			fmt.Fprint(w, `<!DOCTYPE html><html lang="en"><title>Course</title><main><h1>Course</h1><p>Here is the course.</p></main></html>`)
		case r.URL.Path == "/check-ok", r.URL.Path == "/check-blocked":
			w.Header().Set("Content-Type", "text/html")
			fmt.Fprintf(w, `<!DOCTYPE html><html lang="en"><title>Check</title><script>parent.postMessage(%q, "*")</script>`, strings.TrimPrefix(r.URL.Path, "/check-"))
		case r.URL.Path == "/saved":
			w.Header().Set("Content-Type", "application/json")
			fmt.Fprint(w, `{"saved":"2026-11-23T14:02:00Z"}`)
		default:
			http.NotFound(w, r)
		}
	}))
	t.Cleanup(s.Close)
	return s.URL
}

// Every page looks right on a phone and on a desk, light and dark, and holds the words of every language. With
// ROLLWAY_SHOTS set, pictures are kept there.
func TestPagesInABrowser(t *testing.T) {
	t.Parallel()
	url := exhibition(t)
	b := browsertest.Open(t)
	for _, name := range slices.Sorted(maps.Keys(fixtures("en"))) {
		b.Phone()
		if strings.HasSuffix(name, "-long") { // the same but for its words
			b.Go(url + "/en/" + name)
			b.Targets(44)
			b.Fits(320)
			shoot(b, "en", name, "phone")
			b.Size(1280, 800)
			b.Fits(1280)
			shoot(b, "en", name, "desk")
			continue
		}
		for _, lang := range languages[1:] { // words differ in length, and in nothing else that matters here
			b.Go(url + "/" + lang + "/" + name)
			b.Targets(44)
			b.Fits(320)
			shoot(b, lang, name, "phone")
		}
		b.Go(url + "/en/" + name)
		b.Axe()
		b.Readable()
		b.Targets(44)
		b.Fits(390)
		b.Fits(320)
		b.Quiet()
		shoot(b, "en", name, "phone")
		b.Dark()
		b.Axe()
		shoot(b, "en", name, "phone-dark")
		b.Size(1280, 800)
		shoot(b, "en", name, "desk-dark")
		b.Light()
		if templateOf(name) == name {
			b.Axe()
		}
		b.Readable()
		b.Fits(1280)
		shoot(b, "en", name, "desk")
	}
}

// A course that cannot keep anything, or whose site does not answer, is told of before it disappoints, and may be taken all the
// same.
func TestTroubleWithACourse(t *testing.T) {
	t.Parallel()
	url := exhibition(t)
	b := browsertest.Open(t)
	b.Phone()
	shown := `document.querySelector("[data-trouble]:not([hidden])")?.dataset.trouble ?? ""`
	b.Go(url + "/en/launch")
	b.WaitFor(`frames.length === 1`) // the check has come and gone
	if code := browsertest.Eval[string](b, shown); code != "" {
		t.Errorf("of a course that is well the page tells of %q", code)
	}
	b.Go(url + "/de/launch-blocked")
	b.Wait(`[data-trouble="storage"]`)
	b.WaitFor(`document.activeElement.dataset.trouble === "storage" && document.activeElement.querySelector("time").textContent !== ""`)
	b.WaitFor(`(box => box.left >= 6 && box.right <= innerWidth - 6)(document.activeElement.getBoundingClientRect())`) // where its ring is seen whole
	at, err := time.Parse(time.RFC3339, browsertest.Eval[string](b, `document.activeElement.querySelector("time").dateTime`))
	if err != nil {
		t.Fatal(err)
	}
	if shown := browsertest.Eval[string](b, `document.activeElement.querySelector("time").textContent`); shown != catalogue["de"].clock(at) {
		t.Errorf("the notice is of %q, other pages would say %q", shown, catalogue["de"].clock(at))
	}
	b.Axe()
	b.Targets(44)
	b.Fits(320)
	shoot(b, "de", "trouble", "phone")
	b.Click("[data-anyway]")
	b.WaitFor(`!document.querySelector("iframe").hidden && (` + shown + `) === ""`)
	b.Go(url + "/en/launch-silent")
	b.Wait(`[data-trouble="unreachable"]`)
	b.Axe()
}

func shoot(b *browsertest.Browser, lang, name, size string) {
	if os.Getenv("ROLLWAY_SHOTS") != "" {
		b.Screenshot(lang + "-" + name + "-" + size)
	}
}

// On a phone the bar above a course leaves the title most of its width, in every language.
func TestCourseTitleOnAPhone(t *testing.T) {
	t.Parallel()
	url := exhibition(t)
	b := browsertest.Open(t)
	b.Size(320, 640)
	for _, lang := range languages {
		b.Go(url + "/" + lang + "/launch")
		if title := browsertest.Eval[float64](b, `document.querySelector(".bar h1").clientWidth`); title < 160 {
			t.Errorf("%s: the title has %v px", lang, title)
		}
		if end := browsertest.Eval[float64](b, `document.querySelector(".bar p").getBoundingClientRect().bottom`); end > 43 {
			t.Errorf("%s: what was saved stands down to %v px of a bar of 44", lang, end)
		}
		shoot(b, lang, "launch", "320")
	}
}
