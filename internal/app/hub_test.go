package app

import (
	"encoding/base64"
	"net/url"
	"strings"
	"testing"

	"rollway/internal/access"
	"rollway/internal/credential"
	"rollway/internal/db"
	"rollway/internal/directory"
	"rollway/internal/id"
	"rollway/xapi"
)

// Launching our own pages, as the printed example of ClearXP's guide does, signs the person in and shows their courses.
func TestLaunchOfOurOwnPages(t *testing.T) {
	eachEngine(t, func(t *testing.T, e db.Engine) {
		g := served(t, e)
		issued, err := g.house.Accounts.Create(t.Context(), access.CommandLine(id.DefaultOrg), access.Request{Name: "lms", Scopes: access.PeopleWrite | access.CredentialsMint})
		if err != nil {
			t.Fatal(err)
		}
		v, err := g.house.Accounts.Verify(t.Context(), issued.Key, issued.Secret)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := g.house.Content.AddLink(t.Context(), access.CommandLine(id.DefaultOrg), "https://example.org/knots", "https://example.org/knots/", "Knots for all"); err != nil {
			t.Fatal(err)
		}
		ifi, err := xapi.ParseAccount("https://lms.example", "grace")
		if err != nil {
			t.Fatal(err)
		}
		made, err := g.house.Directory.Provision(t.Context(), v.Caller, directory.Claims{Source: directory.ByAPI, Name: "Grace Hopper", Agent: xapi.Agent{IFI: ifi}})
		if err != nil {
			t.Fatal(err)
		}
		mint := func() string {
			m, err := g.house.Credentials.Mint(t.Context(), v.Caller, credential.Request{Agent: made.Primary})
			if err != nil {
				t.Fatal(err)
			}
			return "Basic " + base64.StdEncoding.EncodeToString([]byte(m.Username+":"+m.Password))
		}
		public := g.house.Config.PublicURL
		for _, activity := range []string{public, public + "/", hub, hub + "/"} {
			g.forget()
			s := g.get("/api/activities/launch?activityId=" + url.QueryEscape(activity) + "&auth=" + strings.ReplaceAll(url.QueryEscape(mint()), "+", "%20"))
			if s.path != "/" {
				t.Fatalf("launching %s leads to %s: %s", activity, s.path, s.text)
			}
			g.wants(s, 200, "Knots for all", "Hello, Grace")
		}
		g.forget()
		s := g.get("/api/activities/launch?activityId=" + url.QueryEscape(public+"/x") + "&auth=" + strings.ReplaceAll(url.QueryEscape(mint()), "+", "%20"))
		g.wants(s, 404)
		g.wants(g.get("/api/activities/launch?activityId="+url.QueryEscape(public)+"&auth=Basic%20eDp5"), 401)
		g.wants(g.get("/"), 200, `href="/login"`)
	})
}
