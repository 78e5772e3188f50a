package lrsapi_test

import (
	"crypto/sha1"
	"fmt"
	"net/url"
	"strings"
)

const (
	first   = "00000000-0000-4000-8000-000000000001"
	second  = "00000000-0000-4000-8000-000000000002"
	third   = "00000000-0000-4000-8000-000000000003"
	missing = "00000000-0000-4000-8000-00000000dead"
	form    = "Content-Type: application/x-www-form-urlencoded"
)

// etagOf is the ETag of a document without its quotes.
func etagOf(content string) string { return fmt.Sprintf("%x", sha1.Sum([]byte(content))) }

func q(s string) string { return strings.ReplaceAll(url.QueryEscape(s), "+", "%20") }

var (
	place   = "activityId=" + q("http://example.com/activity") + "&agent=" + q(ann)
	state   = "activities/state?" + place + "&stateId=resume"
	profile = "agents/profile?agent=" + q(ann) + "&profileId=prefs"
)

// exchanges run in this order against an empty store.
var exchanges = []exchange{
	{"About needs no credential and no version", "GET", "about", "Authorization:\nX-Experience-API-Version:", ""},
	{"About takes no parameters", "GET", "about?x=1", "", ""},
	{"Nothing at this address", "GET", "nothing", "", ""},
	{"A preflight is answered without a credential", "OPTIONS", "statements", "Authorization:\nX-Experience-API-Version:\nOrigin: https://p-1.content.example\nAccess-Control-Request-Method: PUT\nAccess-Control-Request-Headers: authorization", ""},
	{"Without a version", "GET", "statements", "X-Experience-API-Version:", ""},
	{"With a version we do not speak", "GET", "statements", "X-Experience-API-Version: 1.1.0", ""},
	{"Without a credential", "GET", "statements", "Authorization:", ""},
	{"Without the right", "GET", "statements", "Authorization: Test nobody", ""},
	{"With a method that is not taken", "PATCH", "statements", "", ""},
	{"A GET with a body", "GET", "statements", "", "{}"},
	{"A compressed body", "POST", "statements", "Content-Encoding: gzip\nX-Experience-API-Version: 2.0.0", "{}"},
	{"An empty store", "GET", "statements", "", ""},

	{"PUT stores a statement", "PUT", "statements?statementId=" + first, "", statement(ann, "http://example.com/started")},
	{"The same again changes nothing", "PUT", "statements?statementId=" + first, "", statement(ann, "http://example.com/started")},
	{"Another under the same id", "PUT", "statements?statementId=" + first, "", statement(ann, "http://example.com/ended")},
	{"PUT without an id", "PUT", "statements", "", statement(ann, "http://example.com/started")},
	{"PUT with an id that is none", "PUT", "statements?statementId=1", "", statement(ann, "http://example.com/started")},
	{"PUT with the nil id", "PUT", "statements?statementId=00000000-0000-0000-0000-000000000000", "", statement(ann, "http://example.com/started")},
	{"A statement that breaks a rule", "POST", "statements", "", `{"actor":{"mbox":"ann@example.com"},"verb":{"id":"http://example.com/v"},"object":{"id":"http://example.com/a"}}`},
	{"JSON that is none", "POST", "statements", "", `{"actor":`},
	{"A body of another type", "POST", "statements", "Content-Type: text/plain", statement(ann, "http://example.com/v")},
	{"Attachments in the request", "POST", "statements", "Content-Type: multipart/mixed; boundary=b", "--b--"},
	{"Attachments without a boundary", "POST", "statements", "Content-Type: multipart/mixed", "--b--"},
	{"POST stores a batch, with doubled and final slashes", "POST", "/statements/", "", "[" + strings.Replace(statement(ann, "http://example.com/ended"), "{", `{"id":"`+second+`",`, 1) + "," + strings.Replace(statement(bob, "http://example.com/ended"), "{", `{"id":"`+third+`",`, 1) + "]"},
	{"POST of another under the same id", "POST", "statements", "", strings.Replace(statement(ann, "http://example.com/other"), "{", `{"id":"`+first+`",`, 1)},
	{"A batch with another under the same id stores nothing", "POST", "statements", "", "[" + strings.Replace(statement(ann, "http://example.com/other"), "{", `{"id":"`+missing+`",`, 1) + "," + strings.Replace(statement(ann, "http://example.com/other"), "{", `{"id":"`+first+`",`, 1) + "]"},
	{"The same id twice in a batch", "POST", "statements", "", "[" + strings.Replace(statement(ann, "http://example.com/other"), "{", `{"id":"`+missing+`",`, 1) + "," + strings.Replace(statement(ann, "http://example.com/other"), "{", `{"id":"`+missing+`",`, 1) + "]"},
	{"The same id twice in a batch, in 2.0", "POST", "statements", "X-Experience-API-Version: 2.0.0", "[" + strings.Replace(statement(ann, "http://example.com/other"), "{", `{"id":"`+missing+`",`, 1) + "," + strings.Replace(statement(ann, "http://example.com/other"), "{", `{"id":"`+missing+`",`, 1) + "]"},
	{"A name in the wrong case", "POST", "statements", "", strings.Replace(statement(ann, "http://example.com/other"), `"verb"`, `"Verb"`, 1)},
	{"PUT of an array", "PUT", "statements?statementId=" + missing, "", "[" + statement(ann, "http://example.com/other") + "]"},
	{"PUT of a statement with another id", "PUT", "statements?statementId=" + missing, "", strings.Replace(statement(ann, "http://example.com/other"), "{", `{"id":"`+first+`",`, 1)},
	{"POST takes no parameters", "POST", "statements?statementId=" + first, "", statement(ann, "http://example.com/v")},
	{"A learner speaks for nobody else", "POST", "statements", "Authorization: Test ann", statement(bob, "http://example.com/v")},

	{"One statement", "GET", "statements?statementId=" + first, "", ""},
	{"One statement by 1.0", "GET", "statements?statementId=" + first, "X-Experience-API-Version: 1.0", ""},
	{"One statement by 2.0", "GET", "statements?statementId=" + first, "X-Experience-API-Version: 2.0", ""},
	{"One statement, format ids", "GET", "statements?statementId=" + second + "&format=ids", "", ""},
	{"HEAD of one statement", "HEAD", "statements?statementId=" + first, "", ""},
	{"No such statement", "GET", "statements?statementId=" + missing, "", ""},
	{"A statement that is not voided", "GET", "statements?voidedStatementId=" + first, "", ""},
	{"An id with another parameter", "GET", "statements?statementId=" + first + "&limit=1", "", ""},
	{"Both ids", "GET", "statements?statementId=" + first + "&voidedStatementId=" + first, "", ""},
	{"A parameter in the wrong case", "GET", "statements?Limit=1", "", ""},
	{"A parameter twice", "GET", "statements?limit=1&limit=2", "", ""},
	{"A broken escape", "GET", "statements?verb=%zz", "", ""},
	{"A limit that is none", "GET", "statements?limit=-1", "", ""},
	{"A truth value that is none", "GET", "statements?ascending=yes", "", ""},
	{"A time that is none", "GET", "statements?since=yesterday", "", ""},
	{"An agent that is none", "GET", "statements?agent=" + q(`{"mbox":"ann"}`), "", ""},
	{"An anonymous group", "GET", "statements?agent=" + q(`{"objectType":"Group","member":[`+ann+`]}`), "", ""},
	{"A format that is none", "GET", "statements?format=short", "", ""},
	{"Attachments in the answer", "GET", "statements?attachments=true", "", ""},
	{"Attachments in the answer, in the wrong case", "GET", "statements?attachments=True", "", ""},
	{"A forged link to more", "GET", "statements?more=abc", "", ""},
	{"A page", "GET", "statements?limit=1&ascending=true&attachments=false", "", ""},
	{"By agent and verb", "GET", "statements?agent=" + q(ann) + "&verb=" + q("http://example.com/ended"), "", ""},
	{"A learner sees its own", "GET", "statements?verb=" + q("http://example.com/ended"), "Authorization: Test ann", ""},

	{"The state there is not", "GET", state, "", ""},
	{"PUT stores a state, of any type", "PUT", state, "Content-Type: text/html; charset=utf-8", "<b>page 3</b>"},
	{"The state, byte for byte", "GET", state, "", ""},
	{"The state, unchanged", "GET", state, `If-None-Match: "2df0a5ad8eaf7b8d1c3c7e6f2ce3cd2a1b2cd5f5", W/"9e5bbdd78c16edc1b70c8097983aef749401d13d"`, ""},
	{"HEAD of the state", "HEAD", state, "", ""},
	{"Merging into what is no JSON", "POST", state, "", `{"a":1}`},
	{"A wrong If-Match", "PUT", state, `If-Match: "0000000000000000000000000000000000000000"`, `{"a":1}`},
	{"PUT overwrites a state in 1.0", "PUT", state, "", `{"a":1}`},
	{"POST merges", "POST", state, "", `{"b":2}`},
	{"The state, merged", "GET", state, "", ""},
	{"PUT does not overwrite blindly in 2.0", "PUT", state, "X-Experience-API-Version: 2.0.0", `{"a":1}`},
	{"The ids of states", "GET", "activities/state?" + place, "", ""},
	{"The ids of states since then", "GET", "activities/state?" + place + "&since=2100-01-01T00:00:00Z", "", ""},
	{"A state without its agent", "GET", "activities/state?stateId=resume&activityId=" + q("http://example.com/activity"), "", ""},
	{"A state with a strange parameter", "GET", state + "&since=2100-01-01T00:00:00Z", "", ""},
	{"A learner reads its own state only", "GET", strings.Replace(state, q(ann), q(bob), 1), "Authorization: Test ann", ""},
	{"DELETE a state", "DELETE", state, "", ""},
	{"The state is gone", "GET", state, "", ""},
	{"DELETE of what is gone", "DELETE", state, "", ""},
	{"A state is stored in 2.0", "PUT", state, "X-Experience-API-Version: 2.0.0\nIf-None-Match: *", `{"a":1}`},
	{"A state that must not exist does, in 2.0", "PUT", state, "X-Experience-API-Version: 2.0.0\nIf-None-Match: *", `{"a":2}`},
	{"Merging with a wrong If-Match", "POST", state, `If-Match: "0000000000000000000000000000000000000000"`, `{"a":2}`},
	{"DELETE with a wrong If-Match", "DELETE", state, `If-Match: "0000000000000000000000000000000000000000"`, ""},
	{"PUT with the right If-Match, in 2.0", "PUT", state, "X-Experience-API-Version: 2.0.0\n" + `If-Match: "3e3e8aff1b2ad0bcc4df4ab2b0d9e1cc6e1f7d4c", "` + etagOf(`{"a":1}`) + `"`, `{"a":3}`},
	{"DELETE with the right If-Match", "DELETE", state, `If-Match: "` + etagOf(`{"a":3}`) + `"`, ""},
	{"DELETE all states of the place", "DELETE", "activities/state?" + place, "", ""},

	{"A profile needs a precondition in 1.0", "PUT", profile, "", `{"a":1}`},
	{"A profile is stored", "PUT", profile, "If-None-Match: *", `{"a":1}`},
	{"A profile is not overwritten blindly", "PUT", profile, "", `{"a":2}`},
	{"A profile that must not exist does", "PUT", profile, "If-None-Match: *", `{"a":2}`},
	{"A profile that must not exist does, in 2.0", "PUT", profile, "X-Experience-API-Version: 2.0.0\nIf-None-Match: *", `{"a":2}`},
	{"A profile with the right If-Match", "PUT", profile, `If-Match: "` + etagOf(`{"a":1}`) + `"`, `{"a":2}`},
	{"The profile", "GET", profile, "", ""},
	{"DELETE of the profile", "DELETE", profile, "", ""},
	{"The profile is gone", "GET", profile, "", ""},
	{"DELETE of a profile needs its id", "DELETE", "agents/profile?agent=" + q(ann), "", ""},
	{"An activity's profile by 2.0", "PUT", "activities/profile?activityId=" + q("http://example.com/activity") + "&profileId=p", "X-Experience-API-Version: 2.0.0", `{"a":1}`},

	{"A person", "GET", "agents?agent=" + q(ann), "", ""},
	{"A person needs an agent", "GET", "agents", "", ""},
	{"An activity nobody spoke of", "GET", "activities?activityId=" + q("http://example.com/unknown"), "", ""},

	{"Alternate syntax: PUT", "POST", "statements?method=PUT", form, "statementId=00000000-0000-4000-8000-000000000004&content=" + q(statement(ann, "http://example.com/alt"))},
	{"Alternate syntax: headers in the form", "POST", "statements?method=GET", form + "\nAuthorization:\nX-Experience-API-Version:", "Authorization=Test%20service&X-Experience-API-Version=1.0.3&limit=1&format=ids&verb=" + q("http://example.com/alt")},
	{"Alternate syntax: a state", "POST", "activities/state?method=PUT", form, place + "&stateId=alt&Content-Type=" + q("text/plain") + "&content=a+b%2Bc"},
	{"Alternate syntax: the state is there", "GET", "activities/state?" + place + "&stateId=alt", "", ""},
	{"Alternate syntax: more in the query", "POST", "statements?method=PUT&statementId=" + first, form, "content=x"},
	{"Alternate syntax: two credentials", "POST", "statements?method=GET", form, "Authorization=Test%20ann"},
	{"Alternate syntax: no content", "POST", "statements?method=PUT", form, "statementId=" + first},
	{"Alternate syntax: no form", "POST", "statements?method=PUT", "", "{}"},
	{"Alternate syntax: a form that is none", "POST", "statements?method=PUT", form, "{}"},
	{"Alternate syntax: another method", "POST", "statements?method=TRACE", form, "limit=1"},
	{"Alternate syntax: not in 2.0", "POST", "statements?method=GET", form + "\nX-Experience-API-Version: 2.0.0", "limit=1"},
	{"Alternate syntax: an old version in the form", "POST", "statements?method=GET", form, "X-Experience-API-Version=0.8&limit=1"},
	{"Alternate syntax: not by PUT", "PUT", "statements?method=PUT", form, "statementId=" + first},
}
