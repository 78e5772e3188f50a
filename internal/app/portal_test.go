package app

import (
	"archive/zip"
	"bytes"
	"fmt"
	"mime/multipart"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"rollway/internal/access"
	"rollway/internal/content/sample"
	"rollway/internal/db"
	"rollway/internal/fault"
	"rollway/internal/signup"
)

// From the first page to the last, without a script.
func TestPagesForPeople(t *testing.T) {
	eachEngine(t, func(t *testing.T, e db.Engine) {
		g := served(t, e)
		g.wants(g.get("/"), 200, `href="/login"`, `href="/signup"`)
		if s := g.get("/people"); s.path != "/login" {
			t.Errorf("a stranger sees %s", s.path)
		}
		first := g.wants(g.get("/signup"), 200)
		number, answer := g.solve(first)

		// All that is wrong is told, what was typed is there again but for the password, and so is the picture.
		s := g.post("/signup", "do", "create", "challenge", number, "answer", answer, "work", "", "email", "ada@nowhere", "first", "Ada <b>", "last", "Lovelace", "password", "short", "newsletter", "yes")
		g.wants(s, 422, "2 things need another look", `href="#email"`, `href="#password"`, `value="ada@nowhere"`, `value="Ada &lt;b&gt;"`, `value="Lovelace"`, `checked`, `value="`+answer+`"`, `value="`+number+`"`, "autofocus")
		if strings.Contains(s.text, `value="short"`) {
			t.Error("the password is on the page")
		}
		if strings.Index(s.text, `href="#email"`) > strings.Index(s.text, `href="#password"`) {
			t.Error("what is wrong is not told in the order of the fields")
		}
		s = g.post("/signup", "do", "create", "challenge", number, "answer", "zzzzz", "work", "", "email", "ada@example.org", "password", passphrase)
		g.wants(s, 422, `href="#answer"`, `value="ada@example.org"`)
		if next, _ := g.solve(s); next == number {
			t.Error("after a wrong answer the picture is the same")
		}
		s = g.post("/signup", "do", "picture", "challenge", number, "answer", "", "work", "", "email", "ada@example.org", "first", "Ada")
		if next, _ := g.solve(g.wants(s, 200, `value="ada@example.org"`, `value="Ada"`)); next == number {
			t.Error("the new picture is the old one")
		}
		for path, media := range map[string]string{"picture": "image/jpeg", "audio": "audio/wav"} {
			next, _ := g.solve(s)
			if p := g.get("/signup/" + path + "/" + next); p.status != 200 || p.header.Get("Content-Type") != media || len(p.text) < 1000 {
				t.Errorf("the %s: %d %v", path, p.status, p.header)
			}
		}

		link, digits := g.signUp("ada@example.org")
		s = g.post("/login", "email", "ada@example.org", "password", "not the right password")
		g.wants(s, 422, `value="ada@example.org"`)
		wrong := "000000"
		if digits == wrong {
			wrong = "000001"
		}
		g.wants(g.post("/signup/check", "code", wrong), 422, `href="#code"`)
		if s = g.post("/signup/again"); s.path != "/signup/check" {
			t.Errorf("sending again leads to %s", s.path)
		}
		if _, text := g.letter("ada@example.org"); g.find(confirmLink, text) != link {
			t.Error("the message sent again has another link")
		}
		g.wants(g.get(link), 200, "ada@example.org", `<form method="post" action="`+link)
		g.wants(g.get(link), 200, `<form method="post" action="`+link) // looking changes nothing
		g.wants(g.post("/signup/check", "code", digits[:3]+" "+digits[3:]), 200, `href="/login"`)
		g.wants(g.post(link), 200, "already", `href="/login"`)
		g.wants(g.get(link), 200, "already")
		g.wants(g.get(link[:len(link)-1]+"x"), 400, `href="/signup"`)
		g.letter("ada@example.org") // welcome

		if s = g.post("/login", "email", "Ada@Example.org", "password", passphrase, "next", "/people"); s.path != "/people" {
			t.Errorf("after signing in the page is %s", s.path)
		}
		g.wants(s, 200, "ada@example.org", "Everybody in your organization belongs to the group “not managed fleet”", "Ada Lovelace")
		g.wants(g.get("/"), 200, `href="/courses/add"`)
		g.wants(g.get("/records"), 200)
		g.owner()
		g.account()
	})
}

// owner adds courses, takes one and looks at the record.
func (g *guest) owner() {
	g.Helper()
	g.wants(g.get("/courses/add"), 200)
	g.wants(g.post("/courses/link", "title", "Elsewhere", "url", "nowhere", "activity", ""), 422, `href="#url"`, `value="Elsewhere"`)
	s := g.wants(g.post("/courses/link", "title", "Elsewhere", "url", "https://courses.example.com/bees", "activity", ""), 200, "Elsewhere")
	if s.path != "/" {
		g.Errorf("after a link was added the page is %s", s.path)
	}
	zip, err := sample.Zip()
	if err != nil {
		g.Fatal(err)
	}
	g.wants(g.upload([]byte("no zip")), 422, `<li><a href="#file">This is not a zip`)
	g.language = "de"
	s = g.wants(g.upload(zipped(g.T, "<a>/tincan.xml", "b/tincan.xml")), 422, `<li><a href="#file">Es gibt zwei Dateien tincan.xml: „&lt;a&gt;/tincan.xml“ und „b/tincan.xml“.`)
	if strings.Contains(s.text, `<li lang="en">`) {
		g.Errorf("what is wrong with a package is told in English\n%s", s.text)
	}
	g.language = ""
	g.wants(g.upload(nil), 422, `href="#file"`)
	g.wants(g.upload(zip), 200, "Knots")

	activity := url.QueryEscape(sample.ActivityID)
	g.wants(g.get("/launch?activity="+url.QueryEscape("https://courses.example.com/bees")), 200, "courses.example.com", "/launch/open")
	s = g.wants(g.get("/launch?activity="+activity), 200, `<iframe src="/launch/open?activity=`, "/launch/returned")
	if !strings.Contains(s.header.Get("Content-Security-Policy"), "frame-src 'self' http://*.localhost:") {
		g.Errorf("the policy is %s", s.header.Get("Content-Security-Policy"))
	}
	g.wants(g.get("/launch?activity=https%3A%2F%2Fexample.com%2Fnone"), 404)
	g.take(activity)
	g.wants(g.get("/launch/saved?activity="+activity), 200, `{"saved":"20`)
	g.outOfSession(activity)
	blobs := filepath.Join(g.data, "blobs")
	if err := os.Rename(blobs, blobs+".away"); err != nil {
		g.Fatal(err)
	}
	for _, frame := range []string{"", "&frame=no"} {
		g.wants(g.get("/launch?activity="+activity+frame), 503, "content_unreadable", `href="/launch?activity=`)
	}
	if err := os.Rename(blobs+".away", blobs); err != nil {
		g.Fatal(err)
	}
	g.wants(g.get("/launch/returned?activity="+activity), 200, "Knots", "92%", "Elsewhere")
	g.wants(g.get("/records"), 200, "Ada Lovelace", "passed", "92%")
	g.wants(g.get("/"), 200, "92%")
	g.withdraw(zip)
}

// withdraw takes the course out of the catalogue while it runs: it goes on and is recorded, but opens no more, and comes back with
// its record when it is added again.
func (g *guest) withdraw(zip []byte) {
	g.Helper()
	activity := url.QueryEscape(sample.ActivityID)
	running := g.began(activity)
	orgs, err := g.house.Directory.Knowing(g.Context(), access.CommandLine(0), "ada@example.org")
	g.must(err)
	boss := access.CommandLine(orgs[0].ID)
	was, err := g.house.Content.Remove(g.Context(), boss, sample.ActivityID)
	g.must(err)
	if _, err := g.house.Content.Remove(g.Context(), boss, sample.ActivityID); fault.Of(err).Code != "activity_unknown" || was.Activity != sample.ActivityID {
		g.Errorf("removing %+v a second time: %v", was, err)
	}
	if s := g.wants(g.get("/"), 200, "Elsewhere"); strings.Contains(s.text, "activity="+activity) {
		g.Errorf("what was withdrawn is still among the courses\n%s", s.text)
	}
	for _, path := range []string{"/launch?activity=", "/launch/open?activity=", "/launch/returned?activity="} {
		g.wants(g.get(path+activity), 404, "This course is not here any more")
	}
	g.passes(running)
	r, err := http.NewRequestWithContext(g.Context(), "GET", running.String(), nil)
	g.must(err)
	r.Host, r.URL.Host = running.Host, g.house.Config.CoursewareHTTP // nobody has to resolve *.localhost
	g.wants(g.do(r), 200)
	g.wants(g.get("/records"), 200, "passed", "92%")
	g.wants(g.upload(zip), 200, "Knots", "92%")
	g.wants(g.get("/launch?activity="+activity), 200, "<iframe")
}

// outOfSession is a frame that asks for its course after the session has ended.
func (g *guest) outOfSession(activity string) {
	g.Helper()
	r, err := http.NewRequestWithContext(g.Context(), "GET", g.url+"/launch/open?activity="+activity, nil)
	if err != nil {
		g.Fatal(err)
	}
	r.Header.Set("Sec-Fetch-Dest", "iframe")
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	here := g.client
	g.forget()
	s := g.wants(g.do(r), 401, `target="_top"`, "/login?next=%2Flaunch%3Factivity")
	if !strings.Contains(s.header.Get("Content-Security-Policy"), "frame-ancestors 'self'") {
		g.Errorf("the frame stays empty: %v", s.header)
	}
	g.client = here
}

// zipped is a zip of files with nothing in them.
func zipped(t *testing.T, names ...string) []byte {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for _, name := range names {
		if _, err := z.Create(name); err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// upload sends a file to be added as a package.
func (g *guest) upload(file []byte) seen {
	g.Helper()
	var body bytes.Buffer
	form := multipart.NewWriter(&body)
	part, err := form.CreateFormFile("file", "course.zip")
	if err != nil {
		g.Fatal(err)
	}
	if _, err := part.Write(file); err != nil {
		g.Fatal(err)
	}
	if err := form.Close(); err != nil {
		g.Fatal(err)
	}
	r, err := http.NewRequestWithContext(g.Context(), "POST", g.url+"/courses/package", &body)
	if err != nil {
		g.Fatal(err)
	}
	r.Header.Set("Content-Type", form.FormDataContentType())
	return g.do(r)
}

// take opens a course as the frame does and says, as the course, that it was passed.
func (g *guest) take(activity string) {
	g.Helper()
	g.passes(g.began(activity))
}

// began opens a course as the frame does, and returns where that leads.
func (g *guest) began(activity string) *url.URL {
	g.Helper()
	g.client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	defer func() { g.client.CheckRedirect = nil }()
	r, err := http.NewRequestWithContext(g.Context(), "GET", g.url+"/launch/open?activity="+activity, nil)
	if err != nil {
		g.Fatal(err)
	}
	r.Header.Set("Sec-Fetch-Site", "cross-site")
	if s := g.do(r); !strings.HasPrefix(s.header.Get("Location"), "/launch?") {
		g.Errorf("from another site: %d %s", s.status, s.header.Get("Location"))
	}
	s := g.wants(g.get("/launch/open?activity="+activity), 303)
	u, err := url.Parse(s.header.Get("Location"))
	g.must(err)
	return u
}

// passes says, as a course that runs at an address, that it was passed.
func (g *guest) passes(running *url.URL) {
	g.Helper()
	q := running.Query()
	statement := fmt.Sprintf(`{"actor":%s,"verb":{"id":"http://adlnet.gov/expapi/verbs/passed","display":{"en":"passed"}},"object":{"id":%q,"definition":{"name":{"en":"Knots"}}},"context":{"registration":%q},"result":{"score":{"scaled":0.92},"success":true}}`,
		q.Get("actor"), sample.ActivityID, q.Get("registration"))
	r, err := http.NewRequestWithContext(g.Context(), "POST", q.Get("endpoint")+"statements", strings.NewReader(statement))
	g.must(err)
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("X-Experience-API-Version", "1.0.3")
	r.Header.Set("Authorization", q.Get("auth"))
	g.wants(g.do(r), 200)
}

// account looks at devices, gets a new password and signs out.
func (g *guest) account() {
	g.Helper()
	here := g.client
	g.forget()
	g.wants(g.post("/login", "email", "ada@example.org", "password", passphrase), 200)
	elsewhere := g.client
	g.client = here
	s := g.wants(g.get("/account"), 200, "ada@example.org", `name="session"`)
	if strings.Count(s.text, `action="/account/end"`) != 2 {
		g.Errorf("two devices are not shown as such\n%s", s.text)
	}
	g.wants(g.post("/account/end"), 200)
	g.client = elsewhere
	if s := g.get("/account"); s.path != "/login" {
		g.Errorf("a session that was ended sees %s", s.path)
	}
	g.client = here
	g.newPassword()
	g.client = elsewhere
	g.wants(g.post("/password", "email", "nobody@example.org"), 200, "nobody@example.org")
	g.wants(g.post("/password", "email", "ada@example.org"), 200, "ada@example.org")
	_, text := g.letter("ada@example.org")
	link := g.find(resetLink, text)
	g.wants(g.get(link), 200, `name="password"`)
	g.wants(g.post(link, "password", "too short"), 422, `href="#password"`)
	g.wants(g.post(link, "password", "a wholly other passphrase"), 200, `href="/login"`)
	g.wants(g.post(link, "password", "a wholly other passphrase"), 410, `href="/password"`)
	g.client = here
	if s := g.get("/account"); s.path != "/login" {
		g.Errorf("after a new password a session sees %s", s.path)
	}
	g.wants(g.post("/login", "email", "ada@example.org", "password", "a wholly other passphrase"), 200, "Ada")
	g.wants(g.post("/logout"), 200, `href="/login"`)
	g.wants(g.post("/logout"), 200, `href="/login"`)
	g.client.Jar = nil // of a browser that keeps no cookies
	g.wants(g.post("/login", "email", "ada@example.org", "password", "a wholly other passphrase", "next", "/people"), 401, "cookies_off", `href="/login?next=%2Farrived%3Fnext%3D%252Fpeople"`)
}

// newPassword changes the password on the page of the account, and goes on in this browser alone.
func (g *guest) newPassword() {
	g.Helper()
	here := g.client
	g.forget()
	g.wants(g.post("/login", "email", "ada@example.org", "password", passphrase), 200, "Ada")
	elsewhere := g.client
	g.client = here
	const next = "seven herons under the bridge"
	g.wants(g.get("/account"), 200, `action="/account/password"`, `autocomplete="current-password"`, `autocomplete="new-password"`, `value="ada@example.org" autocomplete="username"`)
	for _, c := range []struct{ present, password, field, text string }{
		{"not the present one", next, "present", "This is not your current password."},
		{passphrase, "too short", "password", "15"},
		{passphrase, "ada@example.org 1", "password", "Leave your name and address out"},
		{passphrase, passphrase, "password", "This is the password that you have now."},
	} {
		s := g.wants(g.post("/account/password", "present", c.present, "password", c.password), 422, `href="#`+c.field+`"`, c.text, `id="`+c.field+`-error"`)
		if strings.Contains(s.text, c.present) || strings.Contains(s.text, `value="`+c.password) {
			g.Error("a password is on the page")
		}
	}
	if s := g.wants(g.post("/account/password", "present", passphrase, "password", next), 200, `role="status"`); s.path != "/account" {
		g.Errorf("after a new password the page is %s", s.path)
	}
	g.letter("ada@example.org") // says so
	g.client = elsewhere
	if s := g.get("/account"); s.path != "/login" {
		g.Errorf("another device is still signed in and sees %s", s.path)
	}
	g.wants(g.post("/login", "email", "ada@example.org", "password", passphrase), 422)
	g.client = here
	g.wants(g.get("/account"), 200, "ada@example.org")
}

// Nothing happens in the name of whoever is signed in because another site's page wants it to, and nobody is sent elsewhere.
func TestPagesAndOtherSites(t *testing.T) {
	t.Parallel()
	g := served(t, db.SQLite)
	g.join("ada@example.org")
	for name, value := range map[string]string{"Sec-Fetch-Site": "cross-site", "Origin": "https://evil.example"} {
		for _, path := range []string{"/logout", "/account/end", "/account/password", "/courses/link", "/password", "/login", "/signup/challenge"} {
			r, err := http.NewRequestWithContext(t.Context(), "POST", g.url+path, strings.NewReader("email=ada%40example.org"))
			if err != nil {
				t.Fatal(err)
			}
			r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
			r.Header.Set(name, value)
			g.wants(g.do(r), 403, "cross_origin")
		}
	}
	// Ours say where they come from, and have to: over plain http browsers send no Sec-Fetch-Site.
	if s := g.wants(g.get("/account"), 200, "ada@example.org"); s.header.Get("Referrer-Policy") != "strict-origin" {
		t.Errorf("a form of ours would say nothing of where it comes from, or a page its address: %v", s.header)
	}
	r, err := http.NewRequestWithContext(t.Context(), "POST", g.url+"/logout", nil)
	g.must(err)
	r.Header.Set("Origin", g.url)
	g.wants(g.do(r), 200, `href="/login"`)
	for _, next := range []string{"//evil.example", "https://evil.example/", "/\\evil.example", "/\t/evil.example", "javascript:alert(1)", "people", ""} {
		if s := g.post("/login", "email", "ada@example.org", "password", passphrase, "next", next); s.path != "/" {
			t.Errorf("next=%q leads to %s", next, s.path)
		}
		g.post("/logout")
	}
}

// The newsletter ends by the button of its page, and by the one click that mail programs send; looking ends nothing.
func TestUnsubscribe(t *testing.T) {
	eachEngine(t, func(t *testing.T, e db.Engine) {
		g := served(t, e)
		g.join("ada@example.org")
		link := func() (path string) {
			t.Helper()
			err := g.house.Signup.Subscribers(t.Context(), access.CommandLine(1), func(s signup.Subscriber) error {
				path = strings.TrimPrefix(s.Unsubscribe, g.url)
				return nil
			})
			if err != nil {
				t.Fatal(err)
			}
			return path
		}
		path := link()
		g.forget()
		g.wants(g.get(path), 200, `<form method="post" action="`+path)
		if link() != path {
			t.Error("looking at the page has ended it")
		}
		g.wants(g.post(path, "List-Unsubscribe", "One-Click"), 200)
		if link() != "" {
			t.Error("the newsletter goes on")
		}
		g.wants(g.post(path), 200)
		g.wants(g.get(path), 200)
		g.wants(g.get("/unsubscribe/1.x.y"), 404)
	})
}

// Pages that say what is wrong are pages like the others, and programs get the envelope.
func TestProblemPages(t *testing.T) {
	t.Parallel()
	g := served(t, db.SQLite)
	g.language = "de-CH, en;q=0.5"
	for path, status := range map[string]int{"/nothing": 404, "/signup/nothing": 404, "/confirm/1/abc": 404, "/confirm/x/abc": 404, "/password/abc": 410, "/logout": 405, "/?a=1&a=2": 400, "/assets/none.css": 404} {
		s := g.wants(g.get(path), status, `<html lang="de">`, `class="spot"`, s404)
		if !strings.Contains(s.header.Get("Content-Security-Policy"), "default-src 'none'") || s.header.Get("Cache-Control") != "no-store" {
			t.Errorf("%s: %v", path, s.header)
		}
	}
	r, err := http.NewRequestWithContext(t.Context(), "GET", g.url+"/nothing", nil)
	if err != nil {
		t.Fatal(err)
	}
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	if res.Header.Get("Content-Type") != "application/json" {
		t.Errorf("a program gets %v", res.Header)
	}
	g.wants(g.get("/nothing?lang=es"), 404, `<html lang="de">`) // only pages that are there keep a language
	g.wants(g.get("/?lang=es"), 200, `<html lang="es">`)
	g.wants(g.get("/login"), 200, `<html lang="es">`)
}

const s404 = "<code>" // what to quote

// What the operator decides about signing up shows on the pages.
func TestSignupPagesFollowSettings(t *testing.T) {
	t.Parallel()
	t.Run("off", func(t *testing.T) {
		t.Parallel()
		g := served(t, db.SQLite, func(c *Config) { c.Signup = "off" })
		if s := g.wants(g.get("/"), 200, `href="/login"`); strings.Contains(s.text, `href="/signup"`) {
			t.Error("the first page leads to sign-up")
		}
		g.wants(g.get("/signup"), 403, "signup_off")
		g.wants(g.post("/signup", "email", "ada@example.org", "password", passphrase), 403, "signup_off")
	})
	t.Run("join", func(t *testing.T) {
		t.Parallel()
		g := served(t, db.SQLite, func(c *Config) { c.Mode, c.Fields = "join", []string{"none"} })
		if s := g.wants(g.get("/signup"), 200); strings.Contains(s.text, `id="first"`) || strings.Contains(s.text, `name="newsletter"`) {
			t.Errorf("sign-up asks for what it should not\n%s", s.text)
		}
		g.join("ada@example.org")
		if s := g.wants(g.get("/"), 200); strings.Contains(s.text, "/courses/add") || strings.Contains(s.text, `href="/people"`) {
			t.Errorf("a learner is offered what is for owners\n%s", s.text)
		}
		for _, path := range []string{"/people", "/records", "/courses/add"} {
			g.wants(g.get(path), 403, "scope_missing")
		}
		g.wants(g.post("/courses/link", "title", "x", "url", "https://example.com/"), 403, "scope_missing")
	})
	t.Run("approval", func(t *testing.T) {
		t.Parallel()
		g := served(t, db.SQLite, func(c *Config) { c.Approval = true })
		link, _ := g.signUp("ada@example.org")
		if s := g.wants(g.get("/signup"), 200); !strings.Contains(s.text, `value="ada@example.org"`) {
			t.Error("who changes the address has to type it all again")
		}
		if s := g.wants(g.post(link), 200, "let you in"); strings.Contains(s.text, `href="/login"`) {
			t.Error("who waits is sent to sign in")
		}
		g.wants(g.get(link), 200, "let you in")
		g.wants(g.post("/login", "email", "ada@example.org", "password", passphrase), 422, "not ready yet")
		link, _ = g.signUp("grace@example.org")
		g.forget()
		g.wants(g.post(link, "password", passphrase), 200, "let you in")
		g.wants(g.get("/"), 200, `href="/login"`)
	})
}
