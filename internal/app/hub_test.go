package app

import (
	"encoding/base64"
	"html"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"rollway/internal/access"
	"rollway/internal/credential"
	"rollway/internal/db"
	"rollway/internal/directory"
	"rollway/internal/id"
	"rollway/internal/launch"
	"rollway/xapi"
)

// integrator is another system that knows people, in front of a house with one course.
type integrator struct {
	*guest
	caller access.Caller
}

func (g *guest) integrator() *integrator {
	g.Helper()
	boss := access.CommandLine(id.DefaultOrg)
	issued, err := g.house.Accounts.Create(g.Context(), boss, access.Request{Name: "lms", Scopes: access.PeopleWrite | access.CredentialsMint | access.LaunchCreate})
	g.must(err)
	v, err := g.house.Accounts.Verify(g.Context(), issued.Key, issued.Secret)
	g.must(err)
	_, err = g.house.Content.AddLink(g.Context(), boss, "https://example.org/knots", "https://example.org/knots/", "Knots for all")
	g.must(err)
	return &integrator{g, v.Caller}
}

func (g *guest) must(err error) {
	g.Helper()
	if err != nil {
		g.Fatal(err)
	}
}

func (i *integrator) knows(name string) xapi.Agent {
	i.Helper()
	ifi, err := xapi.ParseAccount("https://lms.example", strings.ToLower(name))
	i.must(err)
	made, err := i.house.Directory.Provision(i.Context(), i.caller, directory.Claims{Source: directory.ByAPI, Name: name, Agent: xapi.Agent{IFI: ifi}})
	i.must(err)
	return made.Primary
}

// link is a launch with a new credential, as the guide prints it.
func (i *integrator) link(who xapi.Agent, activity string) string {
	i.Helper()
	m, err := i.house.Credentials.Mint(i.Context(), i.caller, credential.Request{Agent: who})
	i.must(err)
	auth := "Basic " + base64.StdEncoding.EncodeToString([]byte(m.Username+":"+m.Password))
	return "/api/activities/launch?activityId=" + url.QueryEscape(activity) + "&auth=" + strings.ReplaceAll(url.QueryEscape(auth), "+", "%20")
}

// Launching our own pages, as the printed example of ClearXP's guide does, signs the person in and shows their courses.
func TestLaunchOfOurOwnPages(t *testing.T) {
	eachEngine(t, func(t *testing.T, e db.Engine) {
		g := served(t, e)
		lms := g.integrator()
		grace := lms.knows("Grace Hopper")
		public := g.house.Config.PublicURL
		for i, activity := range []string{public, public + "/", hub, hub + "/"} {
			g.forget()
			s := g.get(lms.link(grace, activity))
			if s.path != "/" {
				t.Fatalf("launching %s leads to %s: %s", activity, s.path, s.text)
			}
			g.wants(s, 200, "Knots for all", "Hello, Grace")
			g.wants(g.get(lms.link(grace, activity)), 200, "Hello, Grace") // and goes on
			s = g.wants(g.get("/account"), 200, "you have no password here")
			if strings.Count(s.text, "<li>") != i+1 || strings.Contains(s.text, `action="/account/password"`) || strings.Contains(s.text, "choose a new password") {
				t.Errorf("they are signed in twice, or have a password to change\n%s", s.text)
			}
		}
		g.forget()
		g.wants(g.get(lms.link(grace, public+"/x")), 404)
		g.wants(g.get("/api/activities/launch?activityId="+url.QueryEscape(public)+"&auth=Basic%20eDp5"), 401)
		g.wants(g.get("/"), 200, `href="/login"`)
	})
}

// A link for somebody else asks first: no other site makes people somebody else without their knowing.
func TestLaunchAsSomebodyElse(t *testing.T) {
	eachEngine(t, func(t *testing.T, e db.Engine) {
		g := served(t, e)
		lms := g.integrator()
		grace, mallory := lms.knows("Grace Hopper"), lms.knows("Mallory Mischief")
		press := func(link, site, button string) seen {
			r, err := http.NewRequestWithContext(t.Context(), "POST", g.url+link, strings.NewReader(button))
			g.must(err)
			r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
			r.Header.Set("Sec-Fetch-Site", site)
			return g.do(r)
		}
		g.join("ada@example.org")
		g.wants(g.get("/"), 200, "Hello, Ada")
		for _, who := range []struct {
			agent     xapi.Agent
			here, now string
		}{{grace, "Ada", "Grace"}, {mallory, "Grace", "Mallory"}} {
			link := lms.link(who.agent, g.url)
			s := g.wants(g.get(link), 200, who.here, who.now, `name="instead"`, `href="/"`)
			if s.path != "/api/activities/launch" || s.header.Get("Cache-Control") != "no-store" || s.header.Get("Referrer-Policy") != "strict-origin" {
				t.Errorf("%s %v", s.path, s.header)
			}
			g.wants(press(link, "cross-site", "instead=yes"), 403)
			g.wants(press(link, "same-origin", ""), 200, `name="instead"`)
			g.wants(g.get("/"), 200, "Hello, "+who.here)
			if s := g.wants(press(link, "same-origin", "instead=yes"), 200, "Hello, "+who.now); s.path != "/" {
				t.Errorf("the button leads to %s", s.path)
			}
		}
		g.forget() // a form of another site carries no cookie, so that nobody is signed in
		g.wants(press(lms.link(mallory, g.url), "cross-site", "instead=yes"), 403)
		g.language = "de"
		g.join("bob@example.org")
		g.wants(g.get(lms.link(mallory, g.url)), 200, "Dieser Link ist für Mallory Mischief.")
	})
}

// Looking at a link, as programs do, neither launches nor uses anything up, and opens it for nobody.
func TestLookingAtLinks(t *testing.T) {
	eachEngine(t, func(t *testing.T, e db.Engine) {
		g := served(t, e)
		lms := g.integrator()
		grace := lms.knows("Grace Hopper")
		g.get(lms.link(grace, g.url))
		ticket, err := g.house.Launcher.Ticket(t.Context(), lms.caller, g.house.Directory, grace, launch.Request{Activity: "https://example.org/knots"})
		g.must(err)
		once := strings.TrimPrefix(ticket.URL, g.url)
		open := "/launch/open?activity=" + url.QueryEscape("https://example.org/knots")
		launches := func() (n int) {
			g.must(g.house.DB.Read(t.Context(), func(tx *db.Tx) error {
				return tx.Row(t.Context(), "SELECT count(*) FROM launch_sessions").Scan(&n)
			}))
			return n
		}
		look := func(method, path, purpose string) seen {
			r, err := http.NewRequestWithContext(t.Context(), method, g.url+path, nil)
			g.must(err)
			r.Header.Set("Sec-Purpose", purpose)
			return g.do(r)
		}
		g.client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
		for _, path := range []string{once, open, lms.link(grace, "https://example.org/knots"), lms.link(grace, g.url)} {
			if s := look("HEAD", path, ""); s.status != 200 || s.text != "" || s.header.Get("Set-Cookie") != "" || s.header.Get("Cache-Control") != "no-store" {
				t.Errorf("HEAD %s: %d %v", path, s.status, s.header)
			}
			if s := look("GET", path, "prefetch;prerender"); s.status == 303 || s.header.Get("Set-Cookie") != "" {
				t.Errorf("loading %s ahead: %d %v", path, s.status, s.header)
			}
		}
		if s := look("HEAD", "/launch/open?activity=https%3A%2F%2Fexample.org%2Fnone", ""); s.status != 404 {
			t.Errorf("HEAD of no course: %d", s.status)
		}
		if n := launches(); n != 0 {
			t.Errorf("%d launches", n)
		}
		for _, path := range []string{once, open} {
			if s := g.get(path); s.status != 303 || !strings.HasPrefix(s.header.Get("Location"), "https://example.org/knots/?") {
				t.Errorf("%s: %d", path, s.status)
			}
		}
		if n := launches(); n != 2 {
			t.Errorf("%d launches", n)
		}
	})
}

// A link that does not open shows people a page of ours in their language, and programs the envelope.
func TestLinksThatDoNotOpen(t *testing.T) {
	eachEngine(t, func(t *testing.T, e db.Engine) {
		g := served(t, e)
		lms := g.integrator()
		grace := lms.knows("Grace Hopper")
		good := lms.link(grace, "https://example.org/knots")
		wrong := "/api/activities/launch?activityId=" + url.QueryEscape("https://example.org/knots") + "&auth=Basic%20eDp5"
		for _, c := range []struct {
			path, lang, code, title string
			status                  int
		}{
			{wrong, "", "credential_invalid", "This link does not let you in", 401},
			{wrong, "de-AT", "credential_invalid", "Dieser Link lässt Sie nicht hinein", 401},
			{wrong, "es", "credential_invalid", "Este enlace no le deja entrar", 401},
			{strings.Split(wrong, "&")[0], "fr", "credential_missing", "Ce lien ne vous laisse pas entrer", 401},
			{strings.Replace(good, "knots", "bends", 1), "de", "activity_unknown", "Diesen Kurs gibt es hier nicht mehr", 404},
			{good + "&registration=7", "fr", "registration_invalid", "Ce lien n’est pas complet", 400},
			{"/api/activities/launch?ticket=x", "es", "ticket_gone", "Este enlace ya se usó o es demasiado antiguo", 410},
			{"/api/activities/launch?activityId=%zz", "de", "bad_query", "Dieser Link ist nicht vollständig", 400},
			{"/api/nothing", "de", "no_such_address", "Hier ist nichts", 404},
		} {
			g.forget()
			g.language = c.lang
			s := g.wants(g.get(c.path), c.status, "<h1>"+c.title+"</h1>", "<code>"+c.code+"</code>", `rel="stylesheet"`, `href="/" target="_top"`)
			if strings.Contains(s.text, "/login") || s.header.Get("Cache-Control") != "no-store" {
				t.Errorf("%s in %q: %v\n%s", c.path, c.lang, s.header, s.text)
			}
			r, err := http.NewRequestWithContext(t.Context(), "GET", g.url+c.path, nil)
			g.must(err)
			r.Header.Set("Accept", "*/*") // as curl does
			res, err := g.client.Do(r)
			g.must(err)
			g.must(res.Body.Close())
			if res.StatusCode != c.status || res.Header.Get("Content-Type") != "application/json" {
				t.Errorf("%s: a program gets %d %s", c.path, res.StatusCode, res.Header.Get("Content-Type"))
			}
		}

		// The languages at the foot show the same page again, and the choice lasts.
		g.forget()
		g.language = "de"
		s := g.wants(g.get(wrong), 401, `hreflang="fr"`)
		again := html.UnescapeString(g.find(regexp.MustCompile(`href="([^"]*lang=fr)"`), s.text))
		s = g.wants(g.get(again), 401, "Ce lien ne vous laisse pas entrer", "credential_invalid")
		if n := len(s.header.Values("Set-Cookie")); n != 1 || s.header.Get("Content-Language") != "fr" {
			t.Errorf("%d cookies are set: %v", n, s.header)
		}
		g.wants(g.get(wrong), 401, "Ce lien ne vous laisse pas entrer")
		g.wants(g.get("/confirm/7/abc?lang=es"), 404, "Este enlace ya se usó")

		_, err := g.house.Directory.Suspend(t.Context(), access.CommandLine(id.DefaultOrg), "https://lms.example|grace hopper")
		g.must(err)
		g.wants(g.get(good), 403, "Su cuenta está desactivada")
	})
}
