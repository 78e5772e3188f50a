package lrsapi_test

import (
	"fmt"
	"net/url"
	"strings"
	"testing"

	"rollway/internal/db"
	"rollway/internal/db/dbtest"
)

// resource is one with parameters: what they are when all is well, which of them a method needs, and what is no value of them.
type resource struct {
	path  string
	good  map[string]string
	needs map[string]string // by method, apart by blanks
	lists string            // the parameter without which GET, and DELETE of states, is about all documents; GET then takes since
}

// resources are those of both versions.
var resources = []resource{
	{"activities/state", map[string]string{"activityId": "http://example.com/activity", "agent": ann, "registration": first, "stateId": "p"},
		map[string]string{"GET": "activityId agent", "DELETE": "activityId agent", "PUT": "activityId agent stateId", "POST": "activityId agent stateId"}, "stateId"},
	{"activities/profile", map[string]string{"activityId": "http://example.com/activity", "profileId": "p"},
		map[string]string{"GET": "activityId", "DELETE": "activityId profileId", "PUT": "activityId profileId", "POST": "activityId profileId"}, "profileId"},
	{"agents/profile", map[string]string{"agent": ann, "profileId": "p"},
		map[string]string{"GET": "agent", "DELETE": "agent profileId", "PUT": "agent profileId", "POST": "agent profileId"}, "profileId"},
	{"agents", map[string]string{"agent": ann}, map[string]string{"GET": "agent"}, ""},
	{"activities", map[string]string{"activityId": "http://example.com/activity"}, map[string]string{"GET": "activityId"}, ""},
	{"statements", map[string]string{"statementId": first}, map[string]string{"PUT": "statementId"}, ""},
	{"statements", map[string]string{"agent": ann, "verb": "http://example.com/v", "activity": "http://example.com/activity", "registration": first, "related_activities": "true", "related_agents": "false",
		"since": "2020-01-01T00:00:00Z", "until": "2020-01-01T00:00:00Z", "limit": "0", "format": "ids", "attachments": "false", "ascending": "true"}, map[string]string{"GET": ""}, ""},
	{"statements", nil, map[string]string{"POST": ""}, ""},
}

// wrong are values that a parameter cannot have.
var wrong = map[string][]string{
	"activityId": {"", "activity", "/activity", "http://exa mple.com/"}, "activity": {"", "activity"}, "verb": {"", "verb"},
	"agent":        {"", "ann", "{}", "[" + ann + "]", `{"mbox":"ann@example.com"}`, `{"Mbox":"mailto:ann@example.com"}`, `{"mbox":"mailto:ann@example.com","openid":"http://example.com/ann"}`, `{"name":"ann"}`, `{"objectType":"Group","member":[` + ann + `]}`},
	"registration": {"", "1", first[1:], "00000000-0000-0000-0000-000000000000"}, "statementId": {"", "1", first[1:] + "g"},
	"stateId": {"", "\x00"}, "profileId": {"", "\x00"},
	"since": {"", "yesterday", "2020-01-01", "2020-01-01T00:00:00-00:00"}, "until": {"", "2020-13-01T00:00:00Z"},
	"limit": {"", "-1", "1.5", "ten"}, "format": {"", "Exact", "short"}, "related_agents": {"", "1", "TRUE"}, "related_activities": {"", "yes"}, "ascending": {"", "True"}, "attachments": {"", "0"},
}

// Every parameter of every resource, in each method and version: one that is missing, malformed, twice there, in other letters or
// unknown is a 400 and changes nothing.
func TestParameters(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := serve(t, d)
		cases := 0
		for _, version := range []string{"1.0.3", "2.0.0"} {
			for _, r := range resources {
				for method, needs := range r.needs {
					p := parameterRun{s, r, version, method}
					p.keep(t)
					if a := p.send(t, r.query(nil)); a.status >= 300 {
						t.Errorf("%s %s by %s: %d %s", method, r.path, version, a.status, a.body)
					}
					p.keep(t)
					for title, query := range p.broken(strings.Fields(needs)) {
						p.refuse(t, title, query)
						cases++
					}
				}
			}
		}
		if cases < 500 {
			t.Errorf("only %d cases", cases)
		}
		proof(t, "%d requests with a parameter that is missing, malformed, twice there, in other letters or unknown are refused", cases)
	})
}

type parameterRun struct {
	*server
	resource
	version string
	method  string
}

// query is the resource's with some parameters changed; nil leaves one out.
func (r resource) query(change map[string]any) string {
	values := url.Values{}
	for name, value := range r.good {
		values.Set(name, value)
	}
	for name, value := range change {
		if values.Del(name); value != nil {
			values.Set(name, fmt.Sprint(value))
		}
	}
	return values.Encode()
}

// broken are queries by what is wrong with them.
func (p parameterRun) broken(needs []string) map[string]string {
	queries := map[string]string{"unknown": p.query(map[string]any{"nonsense": "1"})}
	for _, name := range needs {
		queries[name+" missing"] = p.query(map[string]any{name: nil})
	}
	for name, value := range p.good {
		for _, bad := range wrong[name] {
			queries[fmt.Sprintf("%s is %q", name, bad)] = p.query(map[string]any{name: bad})
		}
		queries[name+" twice"] = p.query(nil) + "&" + name + "=" + url.QueryEscape(value)
		queries[name+" in capitals"] = p.query(map[string]any{name: nil, strings.ToUpper(name): value})
	}
	if p.lists == "" {
		return queries
	}
	queries["since, of one document"] = p.query(map[string]any{"since": "2020-01-01T00:00:00Z"})
	if p.path != "activities/state" {
		queries["a registration, of a profile"] = p.query(map[string]any{"registration": first})
	}
	for _, bad := range wrong["since"] {
		queries[fmt.Sprintf("since is %q", bad)] = p.query(map[string]any{p.lists: nil, "since": bad})
	}
	return queries
}

// send sends the method's request.
func (p parameterRun) send(t *testing.T, query string) answer {
	t.Helper()
	e := exchange{method: p.method, path: p.path + "?" + query, header: "X-Experience-API-Version: " + p.version}
	if p.method == "PUT" || p.method == "POST" {
		e.body = `{"new":true}`
		if p.path == "statements" {
			e.body = statement(ann, "http://example.com/did")
		} else if p.method == "PUT" {
			e.header += "\nIf-Match: *"
		}
	}
	return p.do(t, e)
}

const keptText = `{"kept":true}`

// keep sees to it that the document is there.
func (p parameterRun) keep(t *testing.T) {
	t.Helper()
	if p.lists == "" {
		return
	}
	path := p.path + "?" + p.query(nil)
	p.do(t, exchange{method: "DELETE", path: path})
	if a := p.do(t, exchange{method: "PUT", path: path, header: "If-None-Match: *", body: keptText}); a.status != 204 {
		t.Fatal(a)
	}
}

// refuse sends a request that is refused for its parameters. The document that is there is as it was.
func (p parameterRun) refuse(t *testing.T, title, query string) {
	t.Helper()
	if a := p.send(t, query); a.status != 400 {
		t.Errorf("%s %s by %s, %s (%s): %d %s", p.method, p.path, p.version, title, query, a.status, a.body)
	}
	if p.lists == "" {
		return
	}
	if a := p.do(t, exchange{method: "GET", path: p.path + "?" + p.query(nil)}); a.body != keptText {
		t.Errorf("%s %s by %s, %s: then there is %d %s", p.method, p.path, p.version, title, a.status, a.body)
	}
}
