package main

import (
	"fmt"
	"net/http"
	"net/http/httputil"
	"net/url"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/go-json-experiment/json"

	"rollway/internal/browsertest"
)

// TestALearnerTakesTheCourse is the demo as somebody meets it who opens its link: through the pages, away, back where they
// stopped, the quiz, and the record of it.
func TestALearnerTakesTheCourse(t *testing.T) {
	t.Parallel()
	h, d := newDemo(t)
	b := browsertest.Open(t)

	b.Go(d.LaunchURL)
	b.Wait("#welcome h1")
	if at := b.URL(); !strings.HasPrefix(at, "http://p-") {
		t.Errorf("the course runs at %.60s, not on an origin of its own", at)
	}
	if hello := b.Text("#hello"); hello != "Hello, Ada Lovelace." {
		t.Errorf("the course says %q", hello)
	}
	saved(b)
	b.Axe() // not Check: browsers complain in the console about the 404 that says "no bookmark yet"
	b.Readable()
	b.Targets(24)
	b.Fits(320)
	b.Screenshot("course-desktop")
	b.Click("#next")
	b.Wait("#figure-eight h1")
	readmePicture(t, b)
	b.Click("#next")
	b.Wait("#bowline h1")
	saved(b)

	b.Go("about:blank") // leaves, and comes back with another device
	b = browsertest.Open(t)
	b.Phone()
	b.Go(d.LaunchURL)
	b.Wait("#bowline h1")
	if text := b.Text("#banner-text"); !strings.HasPrefix(text, "Welcome back") {
		t.Errorf("the banner says %q", text)
	}
	b.Check()
	b.Screenshot("course-resumed-phone")
	b.Click("#next")
	b.Wait("#clove-hitch h1")
	b.Click("#next")
	b.Wait("#quiz h1")
	choose(b, 1, "standing-part")
	choose(b, 2, "figure-eight")
	b.Click(`.sorter li[data-id="small-loop"] .up`)
	b.Click(`.sorter li[data-id="up"] .up`)
	b.Click(`.sorter li[data-id="up"] .up`)
	b.Click("#questions form:nth-child(3) > button")
	b.WaitFor(`document.querySelector("#tally").textContent === "3 of 5 answered"`)
	saved(b)

	b.Go("about:blank") // leaves in the midst of the quiz
	b.Size(1280, 800)
	b.Dark()
	b.Go(d.LaunchURL)
	b.Wait("#quiz h1")
	b.WaitFor(`document.querySelector("#tally").textContent === "3 of 5 answered"`)
	b.Check()
	b.Screenshot("course-quiz-dark")
	choose(b, 4, "clove-hitch")
	choose(b, 5, "true") // which is wrong
	b.WaitFor(`document.querySelector("#tally").textContent.startsWith("All five answered")`)
	b.Click("#next")
	b.Wait("#result h1")
	if verdict := b.Text("#verdict"); verdict != "You passed" {
		t.Errorf("the verdict is %q", verdict)
	}
	saved(b)
	b.Check()
	b.Screenshot("course-result-dark")
	b.Go("about:blank")

	checkRecord(h, d)
}

// saved waits until the course says that everything is kept.
func saved(b *browsertest.Browser) { b.Wait(`#saved[data-state="saved"]`) }

func choose(b *browsertest.Browser, question int, value string) {
	form := fmt.Sprintf("#questions form:nth-child(%d) ", question)
	b.Click(form + fmt.Sprintf(`input[value=%q]`, value))
	b.Click(form + "> button")
	b.Wait(form + ".feedback")
}

// readmePicture writes the picture of the README when ROLLWAY_README is set, and else sees to it that there is one.
func readmePicture(t *testing.T, b *browsertest.Browser) {
	const path = "../../docs/screenshot.png"
	if os.Getenv("ROLLWAY_README") != "" {
		b.Wait("#figure-eight img")
		b.WaitFor(`[...document.images].filter(i => i.checkVisibility()).every(i => i.complete)`)
		picture, err := os.ReadFile(b.Screenshot("readme"))
		if err == nil {
			err = os.WriteFile(path, picture, 0o644)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if info, err := os.Stat(path); err != nil || info.Size() > 300_000 {
		t.Errorf("the README's picture: %v %+v (ROLLWAY_README=1 makes it)", err, info)
	}
}

// record is a statement, as far as these tests look at it.
type record struct {
	Actor struct {
		Account struct{ HomePage, Name string }
	} `json:"actor"`
	Verb    struct{ ID string }
	Object  struct{ ID string }
	Result  jsonResult
	Context struct{ Registration string }
}

type jsonResult struct {
	Success, Completion bool
	Response, Duration  string
	Score               struct{ Scaled, Raw, Min, Max float64 }
	Extensions          map[string]any
}

// records reads statements as the operator of another system would.
func (h *house) records(token, query string) []record {
	h.Helper()
	a := h.want(200, "GET", "/xapi/statements?ascending=true&"+query, bearer(token), "")
	var page struct{ Statements []record }
	h.must(json.Unmarshal([]byte(a.body), &page, json.MatchCaseInsensitiveNames(true)))
	return page.Statements
}

func checkRecord(h *house, d demoAnswer) {
	h.Helper()
	count, registrations := map[string]int{}, map[string]bool{}
	var passed record
	all := h.records(d.ServiceAccount.Token, "")
	for _, s := range all {
		verb := s.Verb.ID[strings.LastIndexByte(s.Verb.ID, '/')+1:]
		count[verb]++
		registrations[s.Context.Registration] = true
		if verb == "passed" {
			passed = s
		}
		if s.Actor.Account.Name != "ada" {
			h.Errorf("a statement is about %+v", s.Actor)
		}
	}
	for verb, want := range map[string]int{"initialized": 3, "experienced": 4, "answered": 5, "completed": 1, "passed": 1, "failed": 0} {
		if count[verb] != want {
			h.Errorf("%d statements %s, not %d (%v)", count[verb], verb, want, count)
		}
	}
	if s := passed.Result.Score; !passed.Result.Success || s.Scaled != 0.8 || s.Raw != 4 || s.Max != 5 || passed.Object.ID != d.ActivityID {
		h.Errorf("passed is %+v", passed)
	}
	if len(registrations) != 1 {
		h.Errorf("three launches made the registrations %v", registrations)
	}
	h.Logf("proof: a real browser took the course in three visits: %v, scaled score %v, one registration, axe finds nothing", count, passed.Result.Score.Scaled)
}

// TestALinkThatHasEnded shows what people see of links that no longer work, and of one that ends while they learn.
func TestALinkThatHasEnded(t *testing.T) {
	t.Parallel()
	h, d := newDemo(t)
	b := browsertest.Open(t)
	shown := func(address, title, name string) {
		t.Helper()
		b.Go(address)
		if got := b.Text("h1"); got != title {
			t.Errorf("%s: the page says %q, not %q", name, got, title)
		}
		b.Axe()
		b.Readable()
		b.Targets(24)
		b.Fits(320)
		b.Screenshot("error-" + name)
	}
	wrong := h.url + "/api/activities/launch?activityId=" + url.QueryEscape(d.ActivityID) + "&auth=Basic%20d3Jvbmc6d3Jvbmctd3Jvbmctd3Jvbmc%3D"
	shown(wrong, "This link does not let you in", "unknown-credential")
	shown(strings.Replace(d.LaunchURL, "knots", "splices", 1), "This course is not here any more", "unknown-activity")
	shown(h.url+"/api/activities/launch?auth=x", "This link is not complete", "incomplete")
	b.Phone()
	b.Dark()
	ticket := pick(t, h.want(200, "POST", "/api/activities/launch", bearer(d.ServiceAccount.Token),
		fmt.Sprintf(`{"activityId":%q,"actor":{"account":{"homePage":%q,"name":"ada"}}}`, d.ActivityID, h.url)).body, "/url")
	b.Go(ticket)
	b.Wait("#welcome h1")
	saved(b)
	shown(ticket, "This link is used up or too old", "used-ticket-phone-dark")

	b.Go(d.LaunchURL)
	b.Wait("#welcome h1")
	saved(b)
	h.run("person", "suspend", "ada@example.com")
	deadline := time.Now().Add(5 * time.Second)
	for step := 0; b.Count(`#saved[data-state="denied"]`) == 0; step++ { // each page is saved; the refusal comes within 2 s
		if time.Now().After(deadline) {
			t.Fatal("the course is still told that it is saved")
		}
		b.Click([]string{"#next", "#back"}[step%2])
		time.Sleep(200 * time.Millisecond)
	}
	b.Screenshot("course-denied-phone-dark")
	shown(d.LaunchURL, "Your account is switched off", "suspended-phone-dark")
}

// TestAPrefetchedLinkAsksFirst: a browser that fetches ahead gets a page with a button, and the ticket stays good.
func TestAPrefetchedLinkAsksFirst(t *testing.T) {
	t.Parallel()
	h, d := newDemo(t)
	to, err := url.Parse(h.url)
	h.must(err)
	proxy := httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) {
		r.SetURL(to)
		if r.In.Method == http.MethodGet {
			r.Out.Header.Set("Sec-Purpose", "prefetch;prerender")
		}
	}}
	l := newLoopback(t, &proxy)
	ticket := pick(t, h.want(200, "POST", "/api/activities/launch", bearer(d.ServiceAccount.Token),
		fmt.Sprintf(`{"activityId":%q,"actor":{"account":{"homePage":%q,"name":"ada"}}}`, d.ActivityID, h.url)).body, "/url")

	b := browsertest.Open(t)
	b.NoScript() // the page needs none
	for range 2 {
		b.Go(strings.Replace(ticket, h.url, l, 1))
		b.Wait("form button")
	}
	b.Check()
	b.Screenshot("prefetch")
	b.Dark()
	b.Phone()
	b.Check()
	b.Screenshot("prefetch-phone-dark")
	if launched := len(h.records(d.ServiceAccount.Token, "")); launched != 0 {
		t.Errorf("looking at the page left %d statements", launched)
	}
	b = browsertest.Open(t)
	b.Go(strings.Replace(ticket, h.url, l, 1))
	b.Click("form button")
	b.Wait("#welcome h1")
	saved(b)
	b.Go(ticket)
	if got := b.Text("h1"); got != "This link is used up or too old" {
		t.Errorf("afterwards the page says %q", got)
	}
}
