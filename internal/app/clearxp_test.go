package app

import (
	"context"
	"encoding/base64"
	"fmt"
	"net/url"
	"strings"
	"testing"

	"github.com/go-json-experiment/json"

	"rollway/internal/access"
	"rollway/internal/content/sample"
	"rollway/internal/id"
)

func agentJSON(name string, more string) string {
	return fmt.Sprintf(`{"name":"N","account":{"homePage":"https://example.com","name":%q}%s}`, name, more)
}

func attributes(pairs string) string {
	return `,"extensions":{"http://clearlrs.com/api/ext/agent/attributes":{` + pairs + `}}`
}

const agentsPath = "/api/actors/agents"

func TestUpsertAnswers(t *testing.T) {
	each(t, func(t *tenant) {
		for _, c := range []struct {
			method, body, outcome string
		}{
			{"PUT", agentJSON("a", attributes(`"Country":"AU","Age":7,"Boss":true`)), "created"},
			{"POST", agentJSON("a", attributes(`"Country":"AU","Age":7,"Boss":true`)), "unchanged"},
			{"POST", agentJSON("a", attributes(`"Country":null`)), "updated"},
			{"PUT", agentJSON("b", strings.Replace(attributes(`"Email":"b@example.com"`), "http:", "https:", 1)), "created"},
			{"PUT", agentJSON("c", attributes(`"Email":" B@Example.com "`)), "matched"},
			{"PUT", `{"mbox":"mailto:m@example.com","extensions":{"http://clearlrs.com/api/ext/agent":{"x":[1]}}}`, "created"},
		} {
			r := t.ask(c.method, agentsPath, c.body)
			t.wants(r, 200, "")
			if got := r.Header.Get("Rollway-Outcome"); got != c.outcome {
				t.Errorf("%s\n got %s, want %s: %s", c.body, got, c.outcome, r.text)
			}
		}
		if r := t.ask("PUT", agentsPath, agentJSON("c", "")); !strings.Contains(r.text, `"name":"b"`) {
			t.Errorf("a person's first account is answered, got %s", r.text)
		}
		answered := t.ask("PUT", agentsPath, agentJSON("a", "")).text
		if r := t.ask("PUT", agentsPath, answered); r.Header.Get("Rollway-Outcome") != "unchanged" {
			t.Errorf("an answered actor sent back: %s %s", r.Header.Get("Rollway-Outcome"), r.text)
		}
	})
}

func TestUpsertRefuses(t *testing.T) {
	each(t, func(t *tenant) {
		t.wants(t.ask("PUT", agentsPath, agentJSON("x", attributes(`"Email":"x@example.com"`))), 200, "")
		t.wants(t.ask("PUT", agentsPath, agentJSON("y", attributes(`"Email":"y@example.com"`))), 200, "")
		for _, c := range []struct {
			body   string
			status int
			code   string
		}{
			{``, 400, ""}, {`{`, 400, ""}, {`[]`, 400, ""}, {`null`, 400, ""}, {`"x"`, 400, ""},
			{`{"name":"N"}`, 400, "invalid_actor"},
			{`{"account":{"homePage":"https://e.com","name":"x"},"mbox":"mailto:x@e.com"}`, 400, "invalid_actor"},
			{`{"account":{"homePage":"https://e.com","name":"x"},"account":{"homePage":"https://e.com","name":"y"}}`, 400, ""},
			{`{"Account":{"homePage":"https://e.com","name":"x"}}`, 400, "invalid_actor"},
			{`{"objectType":"Group","account":{"homePage":"https://e.com","name":"x"}}`, 400, "invalid_actor"},
			{`{"account":{"homePage":"not an iri","name":"x"}}`, 400, "invalid_actor"},
			{`{"account":{"homePage":"https://e.com","name":7}}`, 400, "invalid_actor"},
			{agentJSON("z", `,"extensions":[]`), 400, "invalid_actor"},
			{agentJSON("z", attributes(`"A":[1]`)), 400, ""}, {agentJSON("z", attributes(`"A":{}`)), 400, ""},
			{agentJSON("x", attributes(`"Email":"y@example.com"`)), 409, "identity_conflict"},
			{"\xff" + agentJSON("z", ""), 400, ""},
			{strings.Repeat(`{"a":`, 100) + "1" + strings.Repeat("}", 100), 400, ""},
			{agentJSON("z", attributes(`"A":"`+strings.Repeat("x", 1<<20)+`"`)), 413, ""},
		} {
			r := t.ask("POST", agentsPath, c.body, "Content-Type: application/json")
			t.wants(r, c.status, c.code)
			if strings.Contains(r.text, "y@example.com") {
				t.Errorf("the answer tells a value: %s", r.text)
			}
		}
		t.wants(t.ask("POST", agentsPath, agentJSON("z", ""), "Content-Type: text/plain"), 415, "")
		t.wants(t.ask("POST", agentsPath, agentJSON("z", ""), "Authorization: "), 401, "")
		t.wants(t.ask("POST", agentsPath, agentJSON("z", ""), "Authorization: Bearer nonsense"), 401, "")
		t.wants(t.ask("GET", agentsPath, ""), 405, "")
		t.wants(t.ask("POST", agentsPath, agentJSON("fresh", ""), "Authorization: bearer "+t.demo.Account.Token), 200, "")
		basic := "Authorization: Basic " + base64.StdEncoding.EncodeToString([]byte(t.demo.Account.Key+":"+t.demo.Account.Secret))
		t.wants(t.ask("POST", agentsPath, agentJSON("fresh", ""), basic), 200, "")
		weak, err := t.house.Accounts.Create(t.Context(), access.CommandLine(id.DefaultOrg), access.Request{Name: "weak", Scopes: access.PeopleWrite, HomePages: []string{"https://example.com"}})
		if err != nil {
			t.Fatal(err)
		}
		as := "Authorization: " + weak.Token
		t.wants(t.ask("PUT", agentsPath, agentJSON("new", attributes(`"Email":"x@example.com"`)), as), 409, "value_taken")
		t.wants(t.ask("PUT", agentsPath, `{"account":{"homePage":"https://example.com.evil","name":"x"}}`, as), 403, "home_page_forbidden")
		t.wants(t.ask("POST", "/api/auth/basic", `{"data":{"actor":`+agentJSON("x", "")+`}}`, as), 403, "scope_missing")
	})
}

func mintJSON(username, password, more string) string {
	return fmt.Sprintf(`{"username":%q,"password":%q,"data":{"actor":%s}%s}`, username, password, agentJSON("learner", ""), more)
}

const longSecret = "0123456789abcdef0123"

func TestMintAnswersAndRefuses(t *testing.T) {
	each(t, func(t *tenant) {
		t.wants(t.ask("PUT", agentsPath, agentJSON("learner", "")), 200, "")
		for _, c := range []struct {
			body   string
			status int
			code   string
		}{
			{mintJSON("username-1", longSecret, ""), 200, ""},
			{mintJSON("username-1", longSecret, ""), 409, "username_taken"},
			{mintJSON("username-2", longSecret, `,"ttlMins":10080`), 200, ""},
			{mintJSON("username-3", longSecret, `,"ttlMins":10081`), 400, "invalid_ttl"},
			{mintJSON("username-3", longSecret, `,"ttlMins":0`), 400, "invalid_ttl"},
			{mintJSON("username-3", longSecret, `,"ttlMins":-5`), 400, "invalid_ttl"},
			{mintJSON("username-3", longSecret, `,"ttlMins":1.5`), 400, "invalid_ttl"},
			{mintJSON("username-3", longSecret, `,"ttlMins":"60"`), 400, "invalid_ttl"},
			{mintJSON("username-3", longSecret, `,"ttlMins":null`), 400, "invalid_ttl"},
			{mintJSON("username-3", longSecret, `,"ttl":5`), 400, ""},
			{mintJSON("username-3", "RANDOM_SECRET", ""), 400, ""},
			{mintJSON("with:colon", longSecret, ""), 400, ""},
			{mintJSON("short", longSecret, ""), 400, ""},
			{mintJSON("control\x01char", longSecret, ""), 400, ""},
			{mintJSON(strings.Repeat("u", 256), longSecret, ""), 400, ""},
			{`{"username":"username-3","password":"` + longSecret + `"}`, 400, ""},
			{`{"username":"username-3","password":"` + longSecret + `","data":[]}`, 400, "invalid_data"},
			{`{"username":"username-3","password":"` + longSecret + `","data":{"actor":` + agentJSON("stranger", "") + `}}`, 404, "actor_unknown"},
			{`{"username":7}`, 400, ""},
		} {
			t.wants(t.ask("POST", "/api/auth/basic", c.body), c.status, c.code)
		}
		for member, body := range map[string]string{
			"/ttlMins": mintJSON("username-3", longSecret, `,"ttlMins":10081`), "/username": mintJSON("short", longSecret, ""), "/password": mintJSON("username-3", "RANDOM_SECRET", ""),
		} {
			if r := t.ask("POST", "/api/auth/basic", body); !strings.Contains(r.text, `"property":"`+member+`"`) {
				t.Errorf("%s is not named: %s", member, r.text)
			}
		}
		made := t.ask("POST", "/api/auth/basic", `{"data":{"actor":`+agentJSON("learner", "")+`,"other":1}}`)
		t.wants(made, 200, "")
		if !strings.Contains(made.text, `"password"`) || made.Header.Get("Cache-Control") != "no-store" {
			t.Errorf("a made pair: %s", made.text)
		}
		who := url.QueryEscape(agentJSON("learner", ""))
		listed := t.ask("GET", "/api/auth/basic?agent="+who, "")
		t.wants(listed, 200, "")
		if n := strings.Count(listed.text, `"username"`); n != 3 || strings.Contains(listed.text, longSecret) {
			t.Errorf("%d credentials: %s", n, listed.text)
		}
		t.wants(t.ask("DELETE", "/api/auth/basic/username-1", ""), 204, "")
		t.wants(t.ask("DELETE", "/api/auth/basic/username-1", ""), 204, "")
		t.wants(t.ask("DELETE", "/api/auth/basic/username-9", ""), 404, "")
		t.wants(t.ask("POST", "/api/auth/basic", mintJSON("username-1", longSecret, "")), 409, "username_taken")
	})
}

func launchPath(username, secret, more string) string {
	auth := "Basic " + base64.StdEncoding.EncodeToString([]byte(username+":"+secret))
	return "/api/activities/launch?activityId=" + url.QueryEscape(sample.ActivityID) + "&auth=" + strings.ReplaceAll(url.QueryEscape(auth), "+", "%20") + more
}

func TestLaunchAnswersAndRefuses(t *testing.T) {
	each(t, func(t *tenant) {
		t.wants(t.ask("PUT", agentsPath, agentJSON("learner", "")), 200, "")
		secret := "~~~???>>>~~~???>>>" // its base64 holds plus signs and slashes
		t.wants(t.ask("POST", "/api/auth/basic", mintJSON("learner-1", secret, "")), 200, "")
		none := "Authorization: "
		good := launchPath("learner-1", secret, "")
		r := t.ask("GET", good, "", none)
		t.wants(r, 303, "")
		for name, want := range map[string]string{"Cache-Control": "no-store", "Referrer-Policy": "no-referrer", "X-Robots-Tag": "noindex"} {
			if got := r.Header.Get(name); got != want {
				t.Errorf("%s is %q", name, got)
			}
		}
		unescaped := "/api/activities/launch?activityId=" + sample.ActivityID + "&auth=Basic+" + base64.StdEncoding.EncodeToString([]byte("learner-1:"+secret))
		if !strings.Contains(unescaped[len("/api/activities/launch?activityId="+sample.ActivityID+"&auth=Basic+"):], "+") {
			t.Fatalf("the test's secret has no plus sign: %s", unescaped)
		}
		t.wants(t.ask("GET", unescaped, "", none), 303, "")
		header := "Authorization: Basic " + base64.StdEncoding.EncodeToString([]byte("learner-1:"+secret))
		t.wants(t.ask("GET", "/api/activities/launch?activityId="+sample.ActivityID, "", header), 303, "")
		for _, c := range []struct {
			path   string
			status int
			code   string
			header string
		}{
			{good, 400, "two_credentials", header},
			{good + "&auth=Basic%20x", 400, "", none},
			{good + "&activityId=x", 400, "", none},
			{good + "&newAttempt=maybe", 400, "new_attempt_invalid", none},
			{strings.Replace(good, "activityId=", "activityId=%07", 1), 400, "activity_invalid", none},
			{good + "&registration=7", 400, "registration_invalid", none},
			{good + "&unknown=is-not-passed-on", 303, "", none},
			{good + "&ticket=x", 400, "two_credentials", none},
			{launchPath("learner-1", "wrong-wrong-wrong", ""), 401, "", none},
			{launchPath("nobody-at-all", secret, ""), 401, "", none},
			{"/api/activities/launch?auth=Basic%20x", 400, "activity_missing", none},
			{"/api/activities/launch?activityId=x&auth=Basic%20%25%25", 400, "auth_malformed", none},
			{"/api/activities/launch?activityId=%zz", 400, "", none},
			{"/api/activities/launch?activityId=" + sample.ActivityID, 401, "", none},
			{launchPath(t.demo.Account.Key, t.demo.Account.Secret, ""), 403, "launch_not_a_learner", none},
			{strings.Replace(good, "knots", "splices", 1), 404, "activity_unknown", none},
			{strings.Replace(good, url.QueryEscape(sample.ActivityID), url.QueryEscape(t.house.Config.PublicURL), 1), 303, "", none},
			{"/api/activities/launch?ticket=x", 410, "ticket_gone", none},
		} {
			t.wants(t.ask("GET", c.path, "", c.header), c.status, c.code)
		}
		if a, b := t.ask("GET", launchPath("learner-1", "wrong-wrong-wrong", ""), "", none), t.ask("GET", launchPath("nobody-at-all", secret, ""), "", none); a.code() != b.code() {
			t.Errorf("an unknown user is told from a wrong secret: %s, %s", a.code(), b.code())
		}
		page := t.ask("GET", launchPath("nobody-at-all", secret, ""), "", none, "Accept: text/html")
		if !strings.HasPrefix(page.Header.Get("Content-Type"), "text/html") || strings.Contains(page.Header.Get("Www-Authenticate"), "Basic") {
			t.Errorf("a browser is answered %v", page.Header)
		}
	})
}

func TestTicketsAreNotUsedUpByPreviews(t *testing.T) {
	each(t, func(t *tenant) {
		t.wants(t.ask("PUT", agentsPath, agentJSON("learner", "")), 200, "")
		body := `{"activityId":"` + sample.ActivityID + `","actor":` + agentJSON("learner", "") + `}`
		r := t.ask("POST", "/api/activities/launch", body)
		t.wants(r, 200, "")
		var ticket struct {
			URL string `json:"url"`
		}
		if err := json.Unmarshal([]byte(r.text), &ticket); err != nil {
			t.Fatal(err)
		}
		path := strings.TrimPrefix(ticket.URL, t.house.Config.PublicURL)
		none := "Authorization: "
		t.wants(t.ask("HEAD", path, "", none), 200, "")
		for _, preview := range []string{"Sec-Purpose: prefetch;prerender", "User-Agent: Slackbot-LinkExpanding 1.0"} {
			if r := t.ask("GET", path, "", none, preview); r.StatusCode != 200 || !strings.Contains(r.text, "<button>") {
				t.Errorf("%s: %d %s", preview, r.StatusCode, r.text)
			}
		}
		t.wants(t.ask("POST", path, "", none, "Content-Type: application/x-www-form-urlencoded"), 303, "")
		t.wants(t.ask("GET", path, "", none), 410, "ticket_gone")
		t.wants(t.ask("POST", "/api/activities/launch", strings.Replace(body, "learner", "stranger", 1)), 404, "actor_unknown")
		t.wants(t.ask("POST", "/api/activities/launch", strings.Replace(body, "knots", "splices", 1)), 404, "activity_unknown")
		for _, bad := range []string{`https://example.com/\u0000`, `x`, `https://example.com/\n`} {
			t.wants(t.ask("POST", "/api/activities/launch", strings.Replace(body, sample.ActivityID, bad, 1)), 400, "activity_invalid")
		}
		t.wants(t.ask("POST", "/api/activities/launch", `{"activityId":"x"}`), 400, "actor_missing")
		t.wants(t.ask("POST", "/api/activities/launch", `{"actor":{}}`), 400, "activity_missing")
	})
}

func TestSuspensionHoldsOnEveryPathAtOnce(t *testing.T) {
	each(t, func(t *tenant) {
		t.wants(t.ask("PUT", agentsPath, agentJSON("learner", "")), 200, "")
		t.wants(t.ask("POST", "/api/auth/basic", mintJSON("learner-1", longSecret, "")), 200, "")
		none := "Authorization: "
		started := t.ask("GET", launchPath("learner-1", longSecret, ""), "", none)
		t.wants(started, 303, "")
		at, err := url.Parse(started.Header.Get("Location"))
		if err != nil {
			t.Fatal(err)
		}
		child := "Authorization: " + at.Query().Get("auth")
		state := "/xapi/activities/state?stateId=s&activityId=" + url.QueryEscape(sample.ActivityID) + "&agent=" + url.QueryEscape(at.Query().Get("actor")) + "&registration=" + at.Query().Get("registration")
		version := "X-Experience-API-Version: 1.0.3"
		t.wants(t.ask("PUT", state, `{"page":1}`, child, version), 204, "")
		operator := access.CommandLine(id.DefaultOrg)
		person := "https://example.com|learner"
		if _, err := t.house.Directory.Suspend(context.Background(), operator, person); err != nil {
			t.Fatal(err)
		}
		t.wants(t.ask("GET", state, "", child, version), 403, "")
		t.wants(t.ask("GET", launchPath("learner-1", longSecret, ""), "", none), 403, "person_suspended")
		t.wants(t.ask("POST", "/api/auth/basic", mintJSON("learner-2", longSecret, "")), 403, "person_suspended")
		if _, err := t.house.Directory.Resume(context.Background(), operator, person); err != nil {
			t.Fatal(err)
		}
		t.wants(t.ask("GET", state, "", child, version), 401, "")
		t.wants(t.ask("GET", launchPath("learner-1", longSecret, ""), "", none), 401, "credential_revoked")
		t.wants(t.ask("POST", "/api/auth/basic", mintJSON("learner-2", longSecret, "")), 200, "")
		again := t.ask("GET", launchPath("learner-2", longSecret, ""), "", none)
		t.wants(again, 303, "")
		if at, err = url.Parse(again.Header.Get("Location")); err != nil {
			t.Fatal(err)
		}
		if r := t.ask("GET", state, "", "Authorization: "+at.Query().Get("auth"), version); r.StatusCode != 200 || r.text != `{"page":1}` {
			t.Errorf("after resuming: %d %s", r.StatusCode, r.text)
		}
	})
}
