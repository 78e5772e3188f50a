package xapi_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"rollway/xapi"
)

// rich mentions somebody in every place there is.
const rich = `{
	"actor": {"objectType": "Group", "name": "Team", "mbox": "mailto:team@example.com", "member": [
		{"name": "Ada", "account": {"homePage": "https://h.example", "name": "ada 1"}}]},
	"verb": {"display": {"en": "planned"}, "id": "http://example.com/planned"},
	"object": {
		"actor": {"mbox_sha1sum": "ABCDEF0123456789abcdef0123456789ABCDEF01"},
		"verb": {"id": "http://example.com/visit"},
		"object": {"definition": {"name": {"en": "Site"}}, "id": "http://example.com/site"},
		"context": {"instructor": {"openid": "https://id.example/bo"}, "contextActivities": {"other": {"id": "http://example.com/other"}}},
		"attachments": [{"usageType": "x:u", "display": {}, "contentType": "a/b", "length": 5, "sha2": ` + someSHA2 + `, "fileUrl": "x:f"}],
		"objectType": "SubStatement"
	},
	"context": {
		"registration": "0c6b7f54-4c8f-4c9e-8a0f-3d8f9c2b7a10",
		"instructor": {"mbox": "mailto:Ivy@EXAMPLE.com"},
		"team": {"objectType": "Group", "member": [{"mbox": "mailto:tom@example.com"}]},
		"contextActivities": {"parent": {"id": "http://example.com/parent"}, "category": [{"id": "http://example.com/c1"}, {"id": "http://example.com/c2"}]},
		"contextAgents": [{"objectType": "contextAgent", "agent": {"mbox": "mailto:ca@example.com"}}],
		"contextGroups": [{"objectType": "contextGroup", "group": {"objectType": "Group", "mbox": "mailto:cg@example.com"}}]
	},
	"authority": {"mbox": "mailto:client@example.com"}
}`

func TestFacts(t *testing.T) {
	t.Parallel()
	f, err := xapi.Read([]byte(rich), xapi.V2)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, a := range f.Agents {
		got = append(got, fmt.Sprintf("%s role=%d group=%t member=%t sub=%t direct=%t", a.Key, a.Role, a.Group, a.Member, a.Sub, a.Direct()))
	}
	for _, a := range f.Activities {
		got = append(got, fmt.Sprintf("%s role=%d sub=%t direct=%t %s", a.ID, a.Role, a.Sub, a.Direct(), a.Definition))
	}
	agent := func(key string, role xapi.Role, group, member, sub, direct bool) string {
		return fmt.Sprintf("%s role=%d group=%t member=%t sub=%t direct=%t", key, role, group, member, sub, direct)
	}
	activity := func(id string, role xapi.Role, sub bool, definition string) string {
		return fmt.Sprintf("http://example.com/%s role=%d sub=%t direct=false %s", id, role, sub, definition)
	}
	want := []string{
		agent("account:https://h.example ada 1", xapi.RoleActor, false, true, false, true),
		agent("mbox:mailto:team@example.com", xapi.RoleActor, true, false, false, true),
		agent("mbox_sha1sum:abcdef0123456789abcdef0123456789abcdef01", xapi.RoleActor, false, false, true, false),
		agent("openid:https://id.example/bo", xapi.RoleInstructor, false, false, true, false),
		agent("mbox:mailto:Ivy@example.com", xapi.RoleInstructor, false, false, false, false),
		agent("mbox:mailto:tom@example.com", xapi.RoleTeam, false, true, false, false),
		agent("mbox:mailto:ca@example.com", xapi.RoleContextAgent, false, false, false, false),
		agent("mbox:mailto:cg@example.com", xapi.RoleContextGroup, true, false, false, false),
		agent("mbox:mailto:client@example.com", xapi.RoleAuthority, false, false, false, false),
		activity("site", xapi.RoleObject, true, `{"name": {"en": "Site"}}`),
		activity("other", xapi.RoleOther, true, ""),
		activity("parent", xapi.RoleParent, false, ""),
		activity("c1", xapi.RoleCategory, false, ""),
		activity("c2", xapi.RoleCategory, false, ""),
	}
	if !slices.Equal(got, want) {
		t.Errorf("mentions are\n%s\nnot\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	if f.Actor != xapi.KindGroup || string(f.ActorKey) != "mbox:mailto:team@example.com" || f.Object != xapi.KindSubStatement ||
		f.ObjectID != nil || f.ObjectKey != nil || f.Voids || f.HasID || f.HasTimestamp || f.HasStored || !f.HasAuthority || f.Version != nil ||
		string(f.Verb) != "http://example.com/planned" || string(f.VerbDisplay) != `{"en": "planned"}` ||
		!f.HasRegistration || f.Registration.String() != "0c6b7f54-4c8f-4c9e-8a0f-3d8f9c2b7a10" {
		t.Errorf("wrong facts: %+v", f)
	}
	a := f.Attachments[0]
	if len(f.Attachments) != 1 || string(a.UsageType) != "x:u" || string(a.ContentType) != "a/b" || a.Length != 5 || string(a.FileURL) != "x:f" || !a.Sub {
		t.Errorf("wrong attachment: %+v", a)
	}
}

func TestFactsOfObjects(t *testing.T) {
	t.Parallel()
	read := func(src string) xapi.Facts {
		f, err := xapi.Read([]byte(src), xapi.V1)
		if err != nil {
			t.Fatal(err)
		}
		return f
	}
	if f := read(statementWith("object", someActivity)); f.Object != xapi.KindActivity || string(f.ObjectID) != "http://example.com/a" || !f.Activities[0].Direct() {
		t.Errorf("activity: %+v", f)
	}
	if f := read(statementWith("object", `{"objectType":"Agent","mbox":"mailto:a@b.c"}`)); f.Object != xapi.KindAgent || string(f.ObjectKey) != "mbox:mailto:a@b.c" || !f.Agents[1].Direct() {
		t.Errorf("agent: %+v", f)
	}
	if f := read(statementWith("object", `{"objectType":"Group","member":[`+someAgent+`]}`)); f.Object != xapi.KindGroup || f.ObjectKey != nil || !f.Agents[1].Member {
		t.Errorf("group: %+v", f)
	}
	void := strings.Replace(statementWith("object", someRef), someVerb, `{"id":"http:\/\/adlnet.gov/expapi/verbs/voided"}`, 1)
	if f := read(void); !f.Voids || f.Object != xapi.KindStatementRef || f.Ref.String() != "fd41c918-b88b-4b20-a0a5-a4c32391aaa0" || len(f.Activities) != 0 {
		t.Errorf("voiding: %+v", f)
	}
	if f := read(statementWith("object", strings.Replace(goodSub, someActivity, someRef, 1))); f.Ref != (xapi.UUID{}) || f.Voids {
		t.Errorf("reference in a SubStatement: %+v", f)
	}
	f := read(statementWith("timestamp", `"2026-01-31T12:00:00.5+01:00"`))
	if !f.HasTimestamp || !f.Timestamp.Equal(time.Date(2026, 1, 31, 11, 0, 0, 5e8, time.UTC)) {
		t.Errorf("timestamp: %v", f.Timestamp)
	}
}

func TestServe(t *testing.T) {
	t.Parallel()
	const (
		core  = `"actor":` + someAgent + `,"verb":` + someVerb + `,"object":` + someActivity
		ours  = `"stored":"2026-01-31T11:00:00.005Z","authority":` + authority
		id    = `"id":"fd41c918-b88b-4b20-a0a5-a4c32391aaa0"`
		stamp = `"timestamp":"2026-01-31T11:00:00.005Z"`
	)
	tests := []struct{ name, in, want string }{
		{"nothing set", `{` + core + `}`, `{` + id + `,` + core + `,` + stamp + `,` + ours + `,"version":"1.0.0"}`},
		{"all set",
			`{"version":"1.0.9","authority":{"mbox":"mailto:x@y"},"stored":"2001-01-01T00:00:00Z","timestamp":"2026-01-01T00:00:00.123456Z","id":"AD41C918-b88b-4b20-a0a5-a4c32391aaa0",` + core + `}`,
			`{"version":"1.0.9","authority":` + authority + `,"stored":"2026-01-31T11:00:00.005Z","timestamp":"2026-01-01T00:00:00.123456Z","id":"AD41C918-b88b-4b20-a0a5-a4c32391aaa0",` + core + `}`},
		{"timestamp in UTC", `{"timestamp":"2026-01-01T00:00:00+01:00",` + core + `}`,
			`{` + id + `,"timestamp":"2025-12-31T23:00:00.000Z",` + core + `,` + ours + `,"version":"1.0.0"}`},
		{"timestamp keeps microseconds", `{"timestamp":"2026-01-01T00:00:00.000001+01:00",` + core + `}`,
			`{` + id + `,"timestamp":"2025-12-31T23:00:00.000001000Z",` + core + `,` + ours + `,"version":"1.0.0"}`},
		{"timestamp of a SubStatement", `{"actor":` + someAgent + `,"verb":` + someVerb + `,"object":{"objectType":"SubStatement","timestamp":"2026-01-01T00:00:00+01:00",` + core + `},"timestamp":"2026-01-01T00:00:00-01:00"}`,
			`{` + id + `,"actor":` + someAgent + `,"verb":` + someVerb + `,"object":{"objectType":"SubStatement","timestamp":"2025-12-31T23:00:00.000Z",` + core + `},"timestamp":"2026-01-01T01:00:00.000Z",` + ours + `,"version":"1.0.0"}`},
		{"leap second", `{"timestamp":"2016-12-31T23:59:60.000Z",` + core + `}`,
			`{` + id + `,"timestamp":"2017-01-01T00:00:00.000Z",` + core + `,` + ours + `,"version":"1.0.0"}`},
		{"short fraction", `{"timestamp":"2026-01-01T00:00:00.1Z",` + core + `}`,
			`{` + id + `,"timestamp":"2026-01-01T00:00:00.100Z",` + core + `,` + ours + `,"version":"1.0.0"}`},
		{"white space and escapes", " {\n\t" + `"result" : { "response" : " a\n\"b\\" , "extensions":{ "x:y" : [ 1.50 , " " ] } } ,` + "\r\n" + core + " } ",
			`{` + id + `,"result":{"response":" a\n\"b\\","extensions":{"x:y":[1.50," "]}},` + core + `,` + stamp + `,` + ours + `,"version":"1.0.0"}`},
		{"single activities", `{"context":{"contextActivities":{"parent":{ "id":"x:p"},"other":[{"id":"x:o"}],"grouping":{"id":"x:g"}}},` + core + `}`,
			`{` + id + `,"context":{"contextActivities":{"parent":[{"id":"x:p"}],"other":[{"id":"x:o"}],"grouping":[{"id":"x:g"}]}},` + core + `,` + stamp + `,` + ours + `,"version":"1.0.0"}`},
		{"single activity in a SubStatement", `{"actor":` + someAgent + `,"verb":` + someVerb + `,"object":{"objectType":"SubStatement","context":{"contextActivities":{"parent":{"id":"x:p"}}},` + core + `}}`,
			`{` + id + `,"actor":` + someAgent + `,"verb":` + someVerb + `,"object":{"objectType":"SubStatement","context":{"contextActivities":{"parent":[{"id":"x:p"}]}},` + core + `},` + stamp + `,` + ours + `,"version":"1.0.0"}`},
	}
	given, err := xapi.ParseUUID("fd41c918-b88b-4b20-a0a5-a4c32391aaa0")
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range tests {
		f, err := xapi.Read([]byte(test.in), xapi.V1)
		if err != nil {
			t.Errorf("%s: %v", test.name, err)
			continue
		}
		got := string(f.Serve([]byte("x"), given, storedAt, []byte(" "+authority+"\n")))
		if got != "x"+test.want {
			t.Errorf("%s: served\n%s\nnot\n%s", test.name, got, test.want)
		}
	}
	f, err := xapi.Read([]byte(`{`+core+`}`), xapi.V2)
	if err != nil || !strings.HasSuffix(string(f.Serve(nil, given, storedAt, []byte(authority))), `"version":"2.0.0"}`) {
		t.Errorf("2.0 is not the default of its line (%v)", err)
	}
}

func TestBatch(t *testing.T) {
	t.Parallel()
	with := func(id string) string { return statementWith("id", `"`+id+`"`) }
	first := xapi.NewUUID().String()
	ids := make([]string, 60)
	for i := range ids {
		ids[i] = with(xapi.NewUUID().String())
	}
	ids[0] = with(first)
	one := statementWith("result", `{}`)
	var r xapi.Reader
	for range 2 {
		for n, src := range map[int]string{
			0: `[]`, 1: one, 2: `[` + one + `,` + one + `]`, len(ids) + 2: ` [ ` + one + "," + strings.Join(ids, ",\n") + "," + one + `]`,
		} {
			facts, err := r.ReadBatch([]byte(src), xapi.V1)
			if err != nil || len(facts) != n {
				t.Errorf("%d statements of %d (%v)", len(facts), n, err)
			}
		}
		for _, n := range []int{1, 5, 16, 17, 40, 59} {
			list := slices.Insert(slices.Clone(ids), n, with(strings.ToUpper(first)))
			_, err := r.ReadBatch([]byte("["+strings.Join(list, ",")+"]"), xapi.V1)
			var e *xapi.Error
			if !errors.As(err, &e) || e.Pointer != fmt.Sprintf("/%d/id", n) {
				t.Errorf("the same id again at %d: %v", n, err)
			}
		}
	}
	for src, pointer := range map[string]string{
		`[` + one + `,{}]`: "/1", `[` + one + `,1]`: "/1", `[` + one + `,null]`: "/1", `1`: "", `[` + one: "", `[[` + one + `]]`: "/0", `[] []`: "",
		`[` + one + `,` + statementWith("actor", `{"mbox":"x"}`) + `]`: "/1/actor/mbox",
	} {
		_, err := xapi.ReadBatch([]byte(src), xapi.V1)
		var e *xapi.Error
		if !errors.As(err, &e) || e.Pointer != pointer {
			t.Errorf("%s: %v, not at %q", src, err, pointer)
		}
	}
}

func TestReadAllocates(t *testing.T) {
	var r xapi.Reader
	src := []byte(typical)
	buf := make([]byte, 0, 4096)
	if n := testing.AllocsPerRun(100, func() {
		f, err := r.Read(src, xapi.V1)
		if err != nil {
			t.Fatal(err)
		}
		buf = f.Serve(buf[:0], f.ID, storedAt, []byte(authority))
	}); n > 0 {
		t.Errorf("%v allocations per statement", n)
	}
}
