package courseware

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"rollway/internal/browsertest"
	"rollway/internal/db"
	"rollway/internal/db/dbtest"
	"rollway/internal/launch"
)

// course uses what packages use: styles, pictures, scripts of three kinds, an inner frame, files it fetches, storage.
var course = map[string]string{
	"play/index.html": `<!DOCTYPE html><html lang="en"><head><title>Course</title><link rel="icon" href="data:,"><link rel="stylesheet" href="../look/style.css">
<script>
const told = {inline: "ran", referrer: document.referrer, origin: self.origin};
const framed = new Promise(done => addEventListener("message", e => done(e.data)));
const inModule = new Promise(done => { self.moduleRan = done });
</script>
<script src="classic.js"></script><script type="module" src="module.js"></script></head>
<body><h1>Course</h1><img src="../look/dot.svg" alt="a dot"><iframe src="inner.html" title="inner"></iframe>
<script>
function keep() { try { localStorage.setItem("a", "b"); return "kept" } catch (e) { return e.name } }
async function report(others) {
  await new Promise(done => document.readyState === "complete" ? done() : addEventListener("load", done));
  told.frame = await framed;
  told.module = await inModule;
  told.fetched = await fetch("../data.json").then(r => r.text(), e => e.name);
  told.picture = document.querySelector("img").naturalWidth;
  told.style = getComputedStyle(document.querySelector("h1")).color;
  told.storage = keep();
  told.evaluated = eval("1+1");
  told.others = await fetch(others).then(r => r.text(), e => e.name);
  return told;
}
</script></body></html>`,
	"play/classic.js":  `told.classic = "ran"`,
	"play/module.js":   `import {word} from "./lib/word.js"; moduleRan(word)`,
	"play/lib/word.js": `export const word = "ran"`,
	"play/inner.html":  `<!DOCTYPE html><html lang="en"><title>Inner</title><p>Inner</p><script>parent.postMessage("ran", "*")</script></html>`,
	"look/style.css":   `h1 { color: rgb(1, 2, 3) }`,
	"look/dot.svg":     `<svg xmlns="http://www.w3.org/2000/svg" width="7" height="7"><circle r="3"/></svg>`,
	"data.json":        `{"a":1}`,
}

// told is what the course tells of itself.
type told struct {
	Inline, Classic, Module, Frame, Referrer, Origin, Fetched, Storage, Style, Others string
	Picture, Evaluated                                                                int
}

// serveCourse serves a stage on loopback under *.localhost, and with it a page of ours and a stranger's that frame a
// page of the course.
func serveCourse(t *testing.T, singleHost bool) (s *stage, server string) {
	t.Helper()
	var door http.Handler
	l := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.Host, "portal.") || strings.HasPrefix(r.Host, "stranger.") {
			w.Header().Set("Content-Type", "text/html")
			fmt.Fprintf(w, `<!DOCTYPE html><html lang="en"><title>Portal</title><link rel="icon" href="data:,"><script>
let heard = "nothing"; addEventListener("message", e => { heard = e.data });
const loaded = new Promise(done => addEventListener("load", () => setTimeout(done, 300)))</script><iframe src=%q title="course" %s></iframe></html>`, r.URL.Query().Get("frame"), r.URL.Query().Get("with"))
			return
		}
		door.ServeHTTP(w, r)
	}))
	t.Cleanup(l.Close)
	_, port, _ := strings.Cut(strings.TrimPrefix(l.URL, "http://"), ":")
	s = openWith(t, dbtest.Open(t, db.SQLite), course, launch.Addresses{
		Public: "http://portal.localhost:" + port, Courseware: "http://localhost:" + port, SingleHost: singleHost,
	})
	s.live["others"] = s.other.Package
	door = s.Handler
	return s, port
}

func (s *stage) address(pkg string) string {
	c := s.one
	if pkg != token {
		c = s.other
	}
	origin, prefix := launch.PackageOrigin(s.where, c.Package)
	return origin + prefix + "/" + pkg
}

func TestACourseRunsInABrowser(t *testing.T) {
	t.Parallel()
	s, _ := serveCourse(t, false)
	b := browsertest.Open(t)
	b.Go(s.address(token) + "/play/index.html?auth=secret")
	origin, _ := launch.PackageOrigin(s.where, s.one.Package)
	want := told{"ran", "ran", "ran", "ran", "", origin, `{"a":1}`, "kept", "rgb(1, 2, 3)", "TypeError", 7, 2}
	got := browsertest.Eval[told](b, fmt.Sprintf("report(%q)", s.address("others")+"/data.json"))
	if got != want {
		t.Errorf("%+v\nwant %+v", got, want)
	}
}

func TestACourseRunsInASandbox(t *testing.T) {
	t.Parallel()
	s, _ := serveCourse(t, true)
	b := browsertest.Open(t)
	b.Go(s.address(token) + "/play/index.html?auth=secret")
	want := told{"ran", "ran", "ran", "ran", "", "null", `{"a":1}`, "SecurityError", "rgb(1, 2, 3)", `{"a":1}`, 7, 2}
	got := browsertest.Eval[told](b, fmt.Sprintf("report(%q)", s.address("others")+"/data.json"))
	if got != want {
		t.Errorf("%+v\nwant %+v", got, want)
	}
	b.Quiet()
}

func TestOnlyOurPagesFrameACourse(t *testing.T) {
	t.Parallel()
	s, port := serveCourse(t, false)
	b := browsertest.Open(t)
	for host, want := range map[string]string{"portal": "ran", "stranger": "nothing"} {
		b.Go("http://" + host + ".localhost:" + port + "/?frame=" + s.address(token) + "/play/inner.html")
		if got := browsertest.Eval[string](b, "loaded.then(() => heard)"); got != want {
			t.Errorf("%s heard %s from the frame", host, got)
		}
	}
}

// Our page learns from the site of a package, and only ours does, whether it may keep things.
func TestTheCheckTellsOurPages(t *testing.T) {
	t.Parallel()
	for _, singleHost := range []bool{false, true} {
		s, port := serveCourse(t, singleHost)
		b := browsertest.Open(t)
		origin, _ := launch.PackageOrigin(s.where, s.one.Package)
		for _, c := range []struct{ host, with, hears string }{
			{"portal", "", "ok"}, {"portal", "sandbox=allow-scripts", map[bool]string{false: "blocked", true: "ok"}[singleHost]}, {"stranger", "", "nothing"},
		} {
			b.Go("http://" + c.host + ".localhost:" + port + "/?frame=" + origin + launch.CheckPath + "&with=" + c.with)
			if got := browsertest.Eval[string](b, "loaded.then(() => heard)"); got != c.hears {
				t.Errorf("single host %v, %s %s: heard %s, want %s", singleHost, c.host, c.with, got, c.hears)
			}
		}
	}
}
