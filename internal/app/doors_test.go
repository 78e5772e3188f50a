package app

import (
	"encoding/base64"
	"net/url"
	"strings"
	"testing"

	"rollway/internal/access"
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
