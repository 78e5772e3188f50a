package browsertest

import (
	"fmt"
	"image/png"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
)

// recorder stands in for the test of a page that is wrong on purpose: it keeps what the checks complain about.
type recorder struct {
	testing.TB
	complaints []string
}

func (r *recorder) Helper() {}

func (r *recorder) Errorf(format string, args ...any) {
	r.complaints = append(r.complaints, fmt.Sprintf(format, args...))
}

const head = `<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Harness</title>
<link rel="icon" href="data:,"><meta name="viewport" content="width=device-width">`

// pages are what the harness is tried on; good has the strict policy that our own pages have.
var pages = map[string]string{
	"/good": head + `<link rel="stylesheet" href="/style.css"></head><body><main><h1>Good</h1>
		<p>See <a href="/other">the other page</a> for more.</p>
		<form><label for="name">Name</label> <input id="name"> <button>Greet</button></form><p id="greeting" role="status">Nobody yet</p>
		<p id="scripted">no scripts</p></main><script src="/script.js"></script></body></html>`,
	"/other": head + `</head><body><main><h1>Other</h1></main></body></html>`,
	"/bad": head + `<style>#tiny { font-size: 9px } #wide { width: 900px } button { padding: 0; border: 0; width: 10px; height: 10px }</style></head>
		<body><main><h1>Bad</h1><p id="tiny">small print</p><div id="wide">wide</div><button></button><img src="data:,">
		<svg width="50" height="10" viewBox="0 0 500 100"><text y="50" font-size="20">shrunk</text></svg>
		</main><script>console.error("said"); throw new Error("thrown")</script></body></html>`,
}

const style = `:root { color-scheme: light dark } body { font: 16px sans-serif; color: CanvasText; background: Canvas }
button, input { min-height: 32px; font: inherit }`

const script = `scripted.textContent = "scripts";
document.forms[0].onsubmit = event => { event.preventDefault(); greeting.textContent = "Hello " + document.forms[0].elements[0].value }`

func serve(t *testing.T) string {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/style.css":
			w.Header().Set("Content-Type", "text/css")
			fmt.Fprint(w, style)
		case "/script.js":
			w.Header().Set("Content-Type", "text/javascript")
			fmt.Fprint(w, script)
		default:
			if r.URL.Path == "/good" {
				w.Header().Set("Content-Security-Policy", "default-src 'none'; script-src 'self'; style-src 'self'; img-src data:; base-uri 'none'")
			}
			w.Header().Set("Content-Type", "text/html; charset=utf-8")
			fmt.Fprint(w, pages[r.URL.Path])
		}
	}))
	t.Cleanup(server.Close)
	return server.URL
}

func equal[T comparable](t *testing.T, what string, got, want T) {
	t.Helper()
	if got != want {
		t.Errorf("%s is %v, want %v", what, got, want)
	}
}

func TestGoodPage(t *testing.T) {
	t.Parallel()
	url := serve(t)
	b := Open(t)
	b.Go(url + "/good")
	equal(t, "the title", b.Title(), "Harness")
	b.Type("#name", "Ada")
	b.Click("button")
	b.WaitFor(`document.querySelector("#greeting").textContent !== "Nobody yet"`)
	equal(t, "the greeting", b.Text("#greeting"), "Hello Ada")
	b.Check()

	b.Click("a")
	b.Gone("#name")
	equal(t, "the address", b.URL(), url+"/other")
	b.Back()
	b.Wait("#name")
	b.Reload()
	equal(t, "the number of paragraphs", b.Count("p"), 3)
}

func TestVariants(t *testing.T) {
	t.Parallel()
	url := serve(t)
	b := Open(t)
	background := `getComputedStyle(document.body).backgroundColor`
	b.Go(url + "/good")
	equal(t, "the light background", Eval[string](b, background), "rgb(255, 255, 255)")
	b.Dark()
	equal(t, "the dark background", Eval[string](b, background), "rgb(18, 18, 18)")
	b.Phone()
	b.Reload()
	equal(t, "the width", Eval[int](b, "innerWidth"), 390)
	equal(t, "touch", Eval[int](b, "navigator.maxTouchPoints") > 0, true)
	b.Check()
	equal(t, "the width after the checks", Eval[int](b, "innerWidth"), 390)
	equal(t, "scripts on", b.Text("#scripted"), "scripts")
	b.NoScript()
	b.Reload()
	equal(t, "scripts off", b.Text("#scripted"), "no scripts")
	b.Check()

	file, err := os.Open(b.Screenshot("phone-dark"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	picture, err := png.DecodeConfig(file)
	if err != nil {
		t.Fatal(err)
	}
	equal(t, "the picture's width", picture.Width, 780) // two device pixels for each of CSS
}

// TestBadPage makes sure that each check can fail.
func TestBadPage(t *testing.T) {
	t.Parallel()
	b := Open(t)
	b.Go(serve(t) + "/bad")
	for name, c := range map[string]struct {
		check func()
		finds []string
	}{
		"axe":      {b.Axe, []string{"image-alt", "button-name"}},
		"readable": {b.Readable, []string{"9.0 px: “small print”", "2.0 px: “shrunk”"}},
		"targets":  {func() { b.Targets(24) }, []string{"10.0 × 10.0: <button>"}},
		"fits":     {func() { b.Fits(320) }, []string{`<div id="wide">`}},
		"quiet":    {func() { b.Quiet() }, []string{"said", "thrown"}},
	} {
		seen := &recorder{TB: t}
		b.t = seen
		c.check()
		b.t = t
		all := strings.Join(seen.complaints, "\n")
		for _, want := range c.finds {
			if !strings.Contains(all, want) {
				t.Errorf("%s does not complain about %q, only:\n%s", name, want, all)
			}
		}
	}
	b.Quiet() // each complaint is made once
}

func TestNothingOutside(t *testing.T) {
	t.Parallel()
	b := Open(t)
	b.Go(strings.Replace(serve(t), "127.0.0.1", "p-1.localhost", 1) + "/other")
	equal(t, "the heading on a name of localhost", b.Text("h1"), "Other")
	equal(t, "a fetch of another host", Eval[string](b, `fetch("http://example.com").then(() => "answered", () => "refused")`), "refused")
}
