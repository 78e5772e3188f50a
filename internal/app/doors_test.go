package app

import (
	"encoding/base64"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"rollway/internal/access"
	"rollway/internal/content/sample"
	"rollway/internal/db"
	"rollway/internal/id"
)

// What else a person is known by is told to their own credentials and to whom it is a right, and to nobody else.
func TestPeopleAreNotToBeEnumerated(t *testing.T) {
	each(t, func(t *tenant) {
		for _, name := range []string{"learner", "other"} {
			same := attributes(`"Email":"` + name + `@example.com"`)
			t.wants(t.ask("PUT", agentsPath, agentJSON(name, same)), 200, "")
			t.wants(t.ask("PUT", agentsPath, agentJSON(name+"-again", same)), 200, "")
		}
		t.wants(t.ask("POST", "/api/auth/basic", mintJSON("learner-1", longSecret, "")), 200, "")
		token := func(s access.Scope) string {
			account, err := t.house.Accounts.Create(t.Context(), access.CommandLine(id.DefaultOrg), access.Request{Name: s.String(), Scopes: s})
			if err != nil {
				t.Fatal(err)
			}
			return "Bearer " + account.Token
		}
		learner := "Basic " + base64.StdEncoding.EncodeToString([]byte("learner-1:"+longSecret))
		for _, c := range []struct {
			who, auth, asked string
			told             bool
		}{
			{"a learner", learner, "learner", true},
			{"a learner", learner, "learner-again", true},
			{"a learner", learner, "other", false},
			{"a learner", learner, "stranger", false},
			{"people:write", token(access.PeopleWrite | access.StatementsWrite | access.StatementsRead), "other", false},
			{"people:read", token(access.PeopleRead), "other", true},
			{"profile", token(access.Profile), "other", true},
			{"all/read", token(access.AllRead), "other", true},
			{"all", token(access.All), "other", true},
		} {
			asked := `{"account":{"homePage":"https://example.com","name":"` + c.asked + `"}}`
			r := t.ask("GET", "/xapi/agents?agent="+url.QueryEscape(asked), "", "Authorization: "+c.auth, "X-Experience-API-Version: 1.0.3")
			t.wants(r, 200, "")
			if !strings.Contains(r.text, `"name":"`+c.asked+`"`) || strings.Count(r.text, "homePage") != 1+strings.Count(r.text, "-again") || strings.Contains(r.text, "-again") != c.told || strings.Contains(r.text, `"N"`) != c.told {
				t.Errorf("%s is told of %s: %s", c.who, c.asked, r.text)
			}
		}
	})
}

// A launch has one credential; one that is empty is one too, and nobody chooses between two.
func TestALaunchTakesOneCredential(t *testing.T) {
	each(t, func(t *tenant) {
		t.wants(t.ask("PUT", agentsPath, agentJSON("learner", "")), 200, "")
		t.wants(t.ask("POST", "/api/auth/basic", mintJSON("learner-1", longSecret, "")), 200, "")
		learner := "Basic " + base64.StdEncoding.EncodeToString([]byte("learner-1:"+longSecret))
		byQuery, byTicket := launchPath("learner-1", longSecret, ""), "/api/activities/launch?ticket=x"
		byHeader := "/api/activities/launch?activityId=" + url.QueryEscape(sample.ActivityID)
		for _, c := range []struct {
			path   string
			status int
			sent   []string
		}{
			{byQuery, 303, nil}, {byQuery, 400, []string{""}}, {byQuery, 400, []string{"", learner}}, {byQuery, 400, []string{learner}},
			{byTicket, 410, nil}, {byTicket, 400, []string{""}},
			{byHeader, 303, []string{learner}}, {byHeader, 400, []string{learner, learner}},
		} {
			req, err := http.NewRequestWithContext(t.Context(), "GET", t.server.URL+c.path, nil)
			if err != nil {
				t.Fatal(err)
			}
			req.Header["Authorization"] = c.sent
			res, err := t.server.Client().Do(req)
			if err != nil {
				t.Fatal(err)
			}
			text, err := io.ReadAll(res.Body)
			res.Body.Close()
			if err != nil || res.StatusCode != c.status || c.status == 400 && !strings.Contains(string(text), "two_credentials") {
				t.Errorf("%s with %q: %d, want %d: %s %v", c.path, c.sent, res.StatusCode, c.status, text, err)
			}
		}
	})
}

// Programs that ask for heads only look: they are given no challenge, and use none up.
func TestHeadsOfSignup(t *testing.T) {
	eachEngine(t, func(t *testing.T, e db.Engine) {
		g := served(t, e)
		head := func(path string) seen {
			r, err := http.NewRequestWithContext(t.Context(), "HEAD", g.url+path, nil)
			g.must(err)
			return g.do(r)
		}
		number, _ := g.solve(g.wants(g.get("/signup"), 200))
		files := map[string]string{"/signup/picture/" + number: "image/jpeg", "/signup/audio/" + number: "audio/wav"}
		for range 20 { // more than anybody may have of each
			g.wants(head("/signup"), 200)
			for path, media := range files {
				if s := g.wants(head(path), 200); s.header.Get("Content-Type") != media {
					t.Errorf("%s: %v", path, s.header)
				}
			}
		}
		g.wants(head("/signup/picture/0"), 404)
		for path := range files {
			g.wants(g.get(path), 200)
		}
		g.solve(g.wants(g.get("/signup"), 200))
	})
}
