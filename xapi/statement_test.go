package xapi_test

import (
	"errors"
	"reflect"
	"testing"
	"time"

	"github.com/go-json-experiment/json"

	"rollway/xapi"
)

func TestTypedStatement(t *testing.T) {
	t.Parallel()
	checkTyped(t, []byte(typical), xapi.V1)
	s, err := xapi.ParseStatement([]byte(rich), xapi.V2)
	if err != nil {
		t.Fatal(err)
	}
	team, ok := s.Actor.(xapi.Group)
	if !ok || team.Anonymous() || team.Name != "Team" || team.Identifier().Key() != "mbox:mailto:team@example.com" ||
		len(team.Members) != 1 || team.Members[0].IFI.Account != (xapi.Account{HomePage: "https://h.example", Name: "ada 1"}) {
		t.Errorf("actor is %+v", s.Actor)
	}
	sub, ok := s.Object.(xapi.SubStatement)
	if !ok || sub.Object.(xapi.Activity).Definition.Name["en"] != "Site" || sub.Context.ContextActivities.Other[0].ID != "http://example.com/other" ||
		sub.Attachments[0].Length != 5 || sub.Context.Instructor.Identifier().Kind != xapi.OpenID {
		t.Errorf("object is %+v", s.Object)
	}
	if s.Context.Team.Members[0].IFI.Value != "mailto:tom@example.com" || s.Context.ContextAgents[0].Agent.IFI.Value != "mailto:ca@example.com" ||
		s.Context.ContextGroups[0].Group.IFI.Value != "mailto:cg@example.com" || len(s.Context.ContextActivities.Parent) != 1 ||
		len(s.Context.ContextActivities.Category) != 2 {
		t.Errorf("context is %+v", s.Context)
	}
	if _, err := xapi.ParseStatement([]byte(rich), xapi.V1); err == nil {
		t.Error("1.0 knows contextAgents")
	}
}

// What the program itself says must be a valid statement.
func TestBuiltStatement(t *testing.T) {
	t.Parallel()
	account, err := xapi.ParseAccount("https://people.example.com", "ada")
	if err != nil {
		t.Fatal(err)
	}
	yes, answer := true, ""
	id := xapi.NewUUID()
	s := xapi.Statement{
		ID:    id,
		Actor: xapi.Agent{Name: "Ada", IFI: account},
		Verb:  xapi.Verb{ID: "http://adlnet.gov/expapi/verbs/launched", Display: xapi.LanguageMap{"en": "launched", "de": "startete"}},
		Object: xapi.Activity{ID: "https://courses.example.com/1", Definition: &xapi.Definition{
			Type: "http://adlnet.gov/expapi/activities/course", CorrectResponsesPattern: []string{}, InteractionType: "other",
			Extensions: xapi.Extensions{"x:b": []byte(`[ 1 ]`), "x:a": []byte(`null`)},
		}},
		Result: &xapi.Result{Success: &yes, Response: &answer, Duration: xapi.FormatDuration(90 * time.Second), Score: &xapi.Score{Scaled: "0.50"}},
		Context: &xapi.Context{
			ContextActivities: &xapi.ContextActivities{Category: xapi.Activities{{ID: "x:c"}}},
			Statement:         &xapi.StatementRef{ID: id},
			Team:              &xapi.Group{Members: []xapi.Agent{{IFI: account}}},
		},
		Timestamp: xapi.Timestamp(time.Date(2026, 1, 31, 13, 0, 0, 5e6, time.FixedZone("", 3600))),
	}
	got, err := json.Marshal(s)
	if err != nil {
		t.Fatal(err)
	}
	want := `{"id":"` + id.String() + `","actor":{"objectType":"Agent","name":"Ada","account":{"homePage":"https://people.example.com","name":"ada"}},` +
		`"verb":{"id":"http://adlnet.gov/expapi/verbs/launched","display":{"de":"startete","en":"launched"}},` +
		`"object":{"objectType":"Activity","id":"https://courses.example.com/1","definition":{"type":"http://adlnet.gov/expapi/activities/course",` +
		`"interactionType":"other","correctResponsesPattern":[],"extensions":{"x:a":null,"x:b":[1]}}},` +
		`"result":{"score":{"scaled":0.50},"success":true,"response":"","duration":"PT1M30S"},` +
		`"context":{"team":{"objectType":"Group","member":[{"objectType":"Agent","account":{"homePage":"https://people.example.com","name":"ada"}}]},` +
		`"contextActivities":{"category":[{"objectType":"Activity","id":"x:c"}]},"statement":{"objectType":"StatementRef","id":"` + id.String() + `"}},` +
		`"timestamp":"2026-01-31T12:00:00.005Z"}`
	if string(got) != want {
		t.Errorf("got\n%s\nnot\n%s", got, want)
	}
	checkServed(t, got, xapi.V1)
	checkTyped(t, got, xapi.V1)
}

func TestParseAgentAndActor(t *testing.T) {
	t.Parallel()
	a, err := xapi.ParseAgent([]byte(` {"name":"Ada","mbox":"mailto:ada@EXAMPLE.com"} `))
	if err != nil || a.Name != "Ada" || a.IFI.Value != "mailto:ada@example.com" {
		t.Errorf("agent is %+v (%v)", a, err)
	}
	g, err := xapi.ParseActor([]byte(`{"objectType":"Group","name":"G","member":[{"openid":"x:y"}]}`))
	if err != nil || !reflect.DeepEqual(g, xapi.Group{Name: "G", Members: []xapi.Agent{{IFI: xapi.IFI{Kind: xapi.OpenID, Value: "x:y"}}}}) {
		t.Errorf("group is %+v (%v)", g, err)
	}
	for src, pointer := range map[string]string{
		``: "", `null`: "", `[]`: "", `{}`: "", `{"mbox":"x"}`: "/mbox", someAgent + `x`: "", someAgent + someAgent: "",
		`{"objectType":"Group","openid":"x:y"}`: "/objectType", `{"openid":"x:y","openid":"x:y"}`: "/openid", `{"openid":"x:y","mbox_sha1sum":null}`: "/mbox_sha1sum",
		`{"openid":"x:y","Name":"n"}`: "/Name", `{"account":{"homePage":"x:y","name":"n"},"openid":"x:y"}`: "",
	} {
		_, err := xapi.ParseAgent([]byte(src))
		var e *xapi.Error
		if !errors.As(err, &e) || e.Pointer != pointer {
			t.Errorf("%s: %v, not at %q", src, err, pointer)
		}
	}
	var in struct {
		Agent    xapi.Agent
		Group    xapi.Group
		Activity xapi.Activity
		Number   xapi.Number
		IFI      xapi.IFI
	}
	const all = `{"IFI":{"account":{"homePage":"x:h","name":"n"}},"Agent":{"openid":"x:y"},"Group":{"objectType":"Group","openid":"x:z"},"Activity":{"id":"x:a"},"Number":1.50}`
	if err := json.Unmarshal([]byte(all), &in); err != nil || in.Agent.IFI.Value != "x:y" || in.Group.IFI.Value != "x:z" || in.Activity.ID != "x:a" || in.Number != "1.50" || in.IFI.Key() != "account:x:h n" {
		t.Errorf("%+v (%v)", in, err)
	}
	if got, err := json.Marshal(in.IFI); err != nil || string(got) != `{"account":{"homePage":"x:h","name":"n"}}` {
		t.Errorf("identifier is %s (%v)", got, err)
	}
	for _, bad := range []string{`{"Agent":{}}`, `{"Agent":{"objectType":"Group","openid":"x:y"}}`, `{"Group":{"openid":"x:y"}}`, `{"Group":{}}`, `{"Activity":{}}`, `{"Number":"1"}`, `{"IFI":{}}`, `{"IFI":{"openid":"x"}}`, `{"IFI":{"openid":"x:y","name":"n"}}`} {
		if err := json.Unmarshal([]byte(bad), &in); err == nil {
			t.Errorf("%s accepted", bad)
		}
	}
}

func TestParseActivity(t *testing.T) {
	t.Parallel()
	a, err := xapi.ParseActivity([]byte(`{"id":"x:a","objectType":"Activity","definition":{"name":{"en":"A"},"extensions":{"x:e":[1]}}}`))
	if err != nil || a.ID != "x:a" || a.Definition.Name["en"] != "A" || string(a.Definition.Extensions["x:e"]) != "[1]" {
		t.Errorf("%+v (%v)", a, err)
	}
	for _, bad := range []string{``, `{}`, `{"id":"x"}`, `{"id":"x:a","name":"n"}`, `{"id":"x:a"} 1`} {
		if _, err := xapi.ParseActivity([]byte(bad)); err == nil {
			t.Errorf("%q accepted", bad)
		}
	}
}

func TestPerson(t *testing.T) {
	t.Parallel()
	p := xapi.Person{Names: []string{"Ada", "A. Example"}}
	for _, key := range []string{"mbox:mailto:a@b.c", "openid:x:y", "account:x:h ada", "mbox:mailto:d@b.c", "mbox_sha1sum:ABCDEF0123456789abcdef0123456789ABCDEF01"} {
		i, err := xapi.ParseKey(key)
		if err != nil {
			t.Fatal(err)
		}
		p.IFIs = append(p.IFIs, i)
	}
	got, err := json.Marshal(p)
	want := `{"objectType":"Person","name":["Ada","A. Example"],"mbox":["mailto:a@b.c","mailto:d@b.c"],` +
		`"mbox_sha1sum":["abcdef0123456789abcdef0123456789abcdef01"],"openid":["x:y"],"account":[{"homePage":"x:h","name":"ada"}]}`
	if err != nil || string(got) != want {
		t.Errorf("got %s, not %s (%v)", got, want, err)
	}
	if got, err := json.Marshal(xapi.Person{}); err != nil || string(got) != `{"objectType":"Person"}` {
		t.Errorf("nobody is %s (%v)", got, err)
	}
}
