package app

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"rollway/internal/browsertest"
	"rollway/internal/content/sample"
	"rollway/internal/db"
)

// look checks a page as it stands on a phone: accessible, readable, with targets for thumbs, no wider than 320 px, and quiet.
func look(b *browsertest.Browser, name string) {
	b.Axe()
	b.Readable()
	b.Targets(44)
	b.Fits(320)
	b.Quiet("the server responded with a status of 422") // a form that came back
	if os.Getenv("ROLLWAY_SHOTS") != "" {
		b.Screenshot("journey-" + name)
	}
}

// challenge is the number of the challenge on the page, and its answer.
func (g *guest) challenge(b *browsertest.Browser) (number, answer string) {
	g.Helper()
	return g.solve(seen{path: b.URL(), text: browsertest.Eval[string](b, "document.documentElement.outerHTML")})
}

func (g *guest) at(b *browsertest.Browser, path string) {
	g.Helper()
	if at := strings.TrimPrefix(b.URL(), g.url); at != path {
		g.Fatalf("the page is %s, not %s", at, path)
	}
}

// A phone on which scripts run: work instead of a picture, a course in its frame, and the word that it was saved.
func TestJourneyInABrowser(t *testing.T) {
	t.Parallel()
	g := served(t, db.SQLite)
	b := browsertest.Open(t)
	b.Phone()
	b.Go(g.url + "/")
	look(b, "start")
	b.Click(`a[href="/signup"]`)
	b.Wait("#email")
	b.WaitFor(`document.querySelector(".picture").naturalWidth === 300`)
	look(b, "signup")

	// Another picture leaves alone what is typed, and passwords can be looked at.
	b.Type("#email", "ada@example.org")
	b.Type("#password", "short")
	number, _ := g.challenge(b)
	b.Click("[data-another]")
	b.WaitFor(`document.querySelector(".picture").complete && document.querySelector("#password").value === "short"`)
	b.WaitFor(`document.querySelector("[name=challenge]").value !== "` + number + `"`)
	b.Click("[data-show]")
	b.WaitFor(`document.querySelector("#password").type === "text"`)
	b.Click("[data-work] button")
	b.WaitFor(`document.querySelector("[name=work]").value !== ""`)
	b.Click("button.main")
	b.Wait("#problems")
	b.WaitFor(`document.activeElement.id === "problems"`)
	if browsertest.Eval[string](b, `document.querySelector("#email").value`) != "ada@example.org" {
		t.Error("the form came back empty")
	}
	look(b, "signup-wrong")
	b.Click(`#problems a[href="#password"]`)
	b.WaitFor(`document.activeElement.id === "password"`)
	b.Type("#password", passphrase)
	b.Click("[data-work] button")
	b.WaitFor(`document.querySelector("[name=work]").value !== "" && document.activeElement.matches("[role=status]")`)
	b.Click("form button.main")
	b.Wait("#code")
	b.WaitFor(`document.querySelector(".again button").disabled && /\d/.test(document.querySelector("#wait").textContent)`)
	look(b, "check")
	_, text := g.letter("ada@example.org")

	// The link in the message, on the same phone: nothing happens until the button is pressed.
	link := g.find(confirmLink, text)
	b.Go(g.url + link)
	b.Wait("button.main")
	look(b, "confirm")
	b.Click("button.main")
	b.Wait(`a[href="/login"]`)
	look(b, "confirmed")
	b.Click(`a[href="/login"]`)
	b.Type("#email", "ada@example.org")
	b.Type("#password", passphrase)
	look(b, "login")
	b.Press("\r")
	b.Wait(".heading")
	look(b, "first")
	g.addsAndTakes(b)
}

// addsAndTakes uploads the sample, takes it in its frame, and leaves.
func (g *guest) addsAndTakes(b *browsertest.Browser) {
	g.Helper()
	zip, err := sample.Zip()
	if err != nil {
		g.Fatal(err)
	}
	file := filepath.Join(g.data, "knots.zip")
	if err := os.WriteFile(file, zip, 0o600); err != nil {
		g.Fatal(err)
	}
	b.Click(`a[href="/courses/add"]`)
	b.Wait("#file")
	look(b, "add")
	b.Upload("#file", file)
	b.Click("form[enctype] button")
	b.Wait(".card")
	look(b, "home")
	b.Click(".card .button")
	b.Wait(".bar")
	b.WaitFor(`document.querySelector("[data-saved]").textContent.includes(":")`) // the course has said something
	if os.Getenv("ROLLWAY_SHOTS") != "" {
		b.Screenshot("journey-launch")
	}
	b.Readable()
	b.Targets(44)
	b.Fits(320)
	b.WaitFor(`frames.length === 1`) // the course, after the check of its site
	if b.Count("[data-trouble]:not([hidden])") > 0 {
		g.Error("the page tells of a trouble with the course")
	}
	b.Click(".leave")
	b.Wait(".spot")
	look(b, "returned")
	b.Go(g.url + "/records")
	b.Wait(".records")
	look(b, "records")
	b.Dark()
	b.Axe()
	b.Go(g.url + "/people")
	look(b, "people-dark")
	b.Go(g.url + "/account")
	look(b, "account-dark")
	b.Click(`form[action="/logout"] button`)
	b.Wait(".welcome")
	g.at(b, "/")
}

// The same without scripts, in another language, as far as a course does without.
func TestJourneyWithoutScripts(t *testing.T) {
	t.Parallel()
	g := served(t, db.SQLite)
	b := browsertest.Open(t)
	b.NoScript()
	b.Phone()
	b.Go(g.url + "/?lang=fr")
	b.Click(`a[href="/signup"]`)
	b.Wait("#email")
	if b.Count(`html[lang="fr"]`) != 1 {
		t.Error("the language chosen is forgotten on the next page")
	}
	if b.Count("[data-work]:not([hidden])")+b.Count("[data-show]:not([hidden])") > 0 {
		t.Error("without scripts there are buttons that need them")
	}
	b.Go(browsertest.Eval[string](b, `document.querySelector("[data-listen]").href`))
	b.Wait("video, audio") // the browser's own player
	b.Quiet()
	b.Go(g.url + "/signup")
	b.Type("#email", "grace@example.org")
	b.Type("#first", "Grace")
	before, _ := g.challenge(b)
	b.Click("[data-another]")
	b.Wait(`form:has([name="challenge"]:not([value="` + before + `"])) #email`) // of the page that comes, not of the one that goes
	if value := browsertest.Eval[string](b, `document.querySelector("#email").value`); value != "grace@example.org" {
		t.Errorf("with another picture the address is %q", value)
	}
	b.Type("#password", "too short")
	_, answer := g.challenge(b)
	b.Type("#answer", answer)
	b.Press("\r") // is "create", not the first button that is seen
	b.Wait("#problems")
	if id := browsertest.Eval[string](b, "document.activeElement.id"); id != "problems" {
		t.Errorf("the focus is on %q", id)
	}
	b.Type("#password", passphrase)
	b.Click("button.main")
	b.Wait("#code")
	look(b, "check-plain")
	subject, text := g.letter("grace@example.org")
	if !strings.Contains(subject, "adresse") {
		t.Errorf("the message is in another language: %s", subject)
	}
	b.Type("#code", g.find(sixDigits, text))
	b.Click("button.main")
	b.Wait(`a[href="/login"]`)
	b.Click(`a[href="/login"]`)
	b.Type("#email", "grace@example.org")
	b.Type("#password", passphrase)
	b.Click("button.main")
	b.Wait(".heading")
	b.Click(`a[href="/people"]`)
	b.Wait(".list")
	look(b, "people-plain")
	b.Click(".me")
	b.Wait(`form[action="/logout"]`)
	b.Click(`form[action="/logout"] button`)
	b.Wait(".welcome")
}
