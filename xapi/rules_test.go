package xapi_test

import (
	"errors"
	"strings"
	"testing"

	"rollway/xapi"
)

// The parts of the statements below.
const (
	someAgent    = `{"mbox":"mailto:ada@example.com"}`
	someVerb     = `{"id":"http://example.com/did"}`
	someActivity = `{"id":"http://example.com/a"}`
	someRef      = `{"objectType":"StatementRef","id":"fd41c918-b88b-4b20-a0a5-a4c32391aaa0"}`
	someSHA2     = `"495395e777cd98da653df9615d09c0fd6bb2f8d4788394cd53c56a3bfdcd848a"`
	goodSub      = `{"objectType":"SubStatement","actor":` + someAgent + `,"verb":` + someVerb + `,"object":` + someActivity + `}`
)

// statementWith makes a statement with this member instead of its own.
func statementWith(name, value string) string {
	all := []string{"actor", someAgent, "verb", someVerb, "object", someActivity}
	text, found := "", false
	for i := 0; i < len(all); i += 2 {
		if all[i] == name {
			all[i+1], found = value, true
		}
		if all[i+1] != "" {
			text += `,"` + all[i] + `":` + all[i+1]
		}
	}
	if !found {
		text += `,"` + name + `":` + value
	}
	return "{" + text[1:] + "}"
}

// refusal is a member of a statement, what makes it bad, and the error.
type refusal struct{ member, value, pointer, rule string }

func TestRefused(t *testing.T) {
	t.Parallel()
	tables := map[string][]refusal{
		"id": {
			{"id", `"x"`, "/id", "UUID"}, {"id", `1`, "/id", "UUID"}, {"id", `null`, "/id", "null"}, {"id", `""`, "/id", "UUID"},
		},
		"actor": {
			{"actor", ``, "", "needs an actor"},
			{"actor", `"x"`, "/actor", "must be an Agent or Group"}, {"actor", `[]`, "/actor", "must be an Agent or Group"},
			{"actor", `{}`, "/actor", "needs one of"}, {"actor", `{"name":"x"}`, "/actor", "needs one of"},
			{"actor", `{"name":1,"mbox":"mailto:a@b.c"}`, "/actor/name", "string"},
			{"actor", `{"mbox":"mailto:a@b.c","openid":"x:y"}`, "/actor", "more than one"},
			{"actor", `{"objectType":"agent","mbox":"mailto:a@b.c"}`, "/actor/objectType", "Agent or Group"},
			{"actor", `{"objectType":"Activity","id":"x:y"}`, "/actor/objectType", "Agent or Group"},
			{"actor", `{"objectType":"Agent","mbox":"mailto:a@b.c","member":[]}`, "/actor/member", "Agent has"},
			{"actor", `{"Mbox":"mailto:a@b.c"}`, "/actor/Mbox", "case sensitive"},
			{"actor", `{"mbox":"a@b.c"}`, "/actor/mbox", "mailto"}, {"actor", `{"mbox":1}`, "/actor/mbox", "mailto"},
			{"actor", `{"mbox_sha1sum":"x"}`, "/actor/mbox_sha1sum", "40 hex"}, {"actor", `{"openid":"x"}`, "/actor/openid", "IRI"},
			{"actor", `{"account":"x"}`, "/actor/account", "homePage and name"}, {"actor", `{"account":{}}`, "/actor/account", "homePage"},
			{"actor", `{"account":{"homePage":"x:y"}}`, "/actor/account", "name"},
			{"actor", `{"account":{"homePage":"x:y","name":""}}`, "/actor/account/name", "not empty"},
			{"actor", `{"account":{"homePage":"x","name":"n"}}`, "/actor/account/homePage", "IRI"},
			{"actor", `{"account":{"homePage":"x:y","name":1}}`, "/actor/account/name", "string"},
			{"actor", `{"account":{"homePage":"x:y","name":"n","id":1}}`, "/actor/account/id", "homePage and name"},
		},
		"group": {
			{"actor", `{"objectType":"Group"}`, "/actor", "at least one member"},
			{"actor", `{"objectType":"Group","member":[]}`, "/actor", "at least one member"},
			{"actor", `{"objectType":"Group","member":{}}`, "/actor/member", "array of Agents"},
			{"actor", `{"objectType":"Group","member":["x"]}`, "/actor/member/0", "array of Agents"},
			{"actor", `{"objectType":"Group","member":[` + someAgent + `,{}]}`, "/actor/member/1", "needs one of"},
			{"actor", `{"objectType":"Group","member":[{"objectType":"Group","mbox":"mailto:a@b.c"}]}`, "/actor/member/0/objectType", "array of Agents"},
			{"actor", `{"objectType":"Group","member":[{"mbox":"mailto:a@b.c","member":[]}]}`, "/actor/member/0/member", "array of Agents"},
			{"actor", `{"objectType":"Group","openid":"x:y","mbox":"mailto:a@b.c"}`, "/actor", "more than one"},
			{"actor", `{"member":[` + someAgent + `],"mbox":"mailto:a@b.c"}`, "/actor/member", "Agent has"},
		},
		"verb": {
			{"verb", ``, "", "needs a verb"}, {"verb", `"x:y"`, "/verb", "object"}, {"verb", `{}`, "/verb", "needs an id"},
			{"verb", `{"id":"x"}`, "/verb/id", "IRI"}, {"verb", `{"id":1}`, "/verb/id", "IRI"},
			{"verb", `{"id":"x:y","display":"d"}`, "/verb/display", "language map"},
			{"verb", `{"id":"x:y","display":{"a12345":"d"}}`, "/verb/display/a12345", "RFC 5646"},
			{"verb", `{"id":"x:y","display":{"en":1}}`, "/verb/display/en", "strings"},
			{"verb", `{"id":"x:y","extra":1}`, "/verb/extra", "not one"},
			{"verb", `{"id":"` + string(xapi.VerbVoided) + `"}`, "/object", "StatementRef"},
		},
		"object": {
			{"object", ``, "", "needs an object"}, {"object", `"x:y"`, "/object", "must be an object"}, {"object", `{}`, "/object", "Activity needs an id"},
			{"object", `{"id":"x"}`, "/object/id", "IRI"}, {"object", `{"id":1}`, "/object/id", "string"},
			{"object", `{"objectType":"activity","id":"x:y"}`, "/object/objectType", "must be Activity"},
			{"object", `{"objectType":1,"id":"x:y"}`, "/object/objectType", "must be Activity"},
			{"object", `{"id":"x:y","name":"n"}`, "/object/name", "Activity has"},
			{"object", `{"id":"x:y","mbox":"mailto:a@b.c"}`, "/object/mbox", "Activity has"},
			{"object", `{"objectType":"Agent","id":"x:y","mbox":"mailto:a@b.c"}`, "/object/id", "Agent has"},
			{"object", `{"mbox":"mailto:a@b.c"}`, "/object/mbox", "Activity has"},
			{"object", `{"objectType":"Agent"}`, "/object", "needs one of"},
			{"object", `{"objectType":"Agent","mbox":"mailto:a@b.c","member":[]}`, "/object/member", "Agent has"},
			{"object", `{"objectType":"Group"}`, "/object", "at least one member"},
			{"object", `{"objectType":"Group","mbox":"mailto:a@b.c","definition":{}}`, "/object/definition", "Group has"},
			{"object", `{"objectType":"StatementRef"}`, "/object", "needs the id"},
			{"object", `{"id":"x:y","objectType":"StatementRef"}`, "/object/id", "UUID"},
			{"object", `{"objectType":"StatementRef","id":"fd41c918-b88b-4b20-a0a5-a4c32391aaa0","definition":{}}`, "/object/definition", "StatementRef has"},
			{"object", `{"id":"x:y","unknown":1}`, "/object/unknown", "not one"},
		},
		"definition": {
			{"object", `{"id":"x:y","definition":1}`, "/object/definition", "object"},
			{"object", `{"id":"x:y","definition":{"name":"n"}}`, "/object/definition/name", "language map"},
			{"object", `{"id":"x:y","definition":{"description":{"e":"n"}}}`, "/object/definition/description/e", "RFC 5646"},
			{"object", `{"id":"x:y","definition":{"type":"n"}}`, "/object/definition/type", "IRI"},
			{"object", `{"id":"x:y","definition":{"moreInfo":"n"}}`, "/object/definition/moreInfo", "IRI"},
			{"object", `{"id":"x:y","definition":{"extensions":[]}}`, "/object/definition/extensions", "extensions"},
			{"object", `{"id":"x:y","definition":{"extensions":{"x":1}}}`, "/object/definition/extensions/x", "IRIs"},
			{"object", `{"id":"x:y","definition":{"interactionType":"Choice"}}`, "/object/definition/interactionType", "one of"},
			{"object", `{"id":"x:y","definition":{"choices":[]}}`, "/object/definition", "needs an interactionType"},
			{"object", `{"id":"x:y","definition":{"correctResponsesPattern":[]}}`, "/object/definition", "needs an interactionType"},
			{"object", `{"id":"x:y","definition":{"interactionType":"choice","correctResponsesPattern":"a"}}`, "/object/definition/correctResponsesPattern", "array of strings"},
			{"object", `{"id":"x:y","definition":{"interactionType":"choice","correctResponsesPattern":[1]}}`, "/object/definition/correctResponsesPattern/0", "array of strings"},
			{"object", `{"id":"x:y","definition":{"interactionType":"choice","choices":{}}}`, "/object/definition/choices", "array of objects"},
			{"object", `{"id":"x:y","definition":{"interactionType":"choice","choices":["a"]}}`, "/object/definition/choices/0", "array of objects"},
			{"object", `{"id":"x:y","definition":{"interactionType":"choice","choices":[{}]}}`, "/object/definition/choices/0", "needs an id"},
			{"object", `{"id":"x:y","definition":{"interactionType":"choice","choices":[{"id":1}]}}`, "/object/definition/choices/0/id", "needs an id"},
			{"object", `{"id":"x:y","definition":{"interactionType":"choice","choices":[{"id":"a"},{"id":"\u0061"}]}}`, "/object/definition/choices/1/id", "distinct"},
			{"object", `{"id":"x:y","definition":{"interactionType":"choice","choices":[` + manyComponents + `,{"id":"19"}]}}`, "/object/definition/choices/40/id", "distinct"},
			{"object", `{"id":"x:y","definition":{"interactionType":"choice","choices":[{"id":"a","x":1}]}}`, "/object/definition/choices/0/x", "not one"},
		},
		"SubStatement": {
			{"object", strings.Replace(goodSub, `"actor"`, `"id":"fd41c918-b88b-4b20-a0a5-a4c32391aaa0","actor"`, 1), "/object/id", "SubStatement"},
			{"object", strings.Replace(goodSub, `"actor"`, `"stored":"2026-01-31T12:00:00Z","actor"`, 1), "/object/stored", "must not have"},
			{"object", strings.Replace(goodSub, `"actor"`, `"version":"1.0.0","actor"`, 1), "/object/version", "must not have"},
			{"object", strings.Replace(goodSub, `"actor"`, `"authority":{},"actor"`, 1), "/object/authority", "must not have"},
			{"object", strings.Replace(goodSub, someActivity, goodSub, 1), "/object/object/objectType", "must not contain a SubStatement"},
			{"object", strings.Replace(goodSub, someActivity, strings.Replace(goodSub, `"objectType":"SubStatement",`, "", 1), 1), "/object/object/actor", "must not contain a SubStatement"},
			{"object", strings.Replace(goodSub, `"verb":`+someVerb+`,`, "", 1), "/object", "needs a verb"},
			{"object", strings.Replace(goodSub, "example.com/did", "adlnet.gov/expapi/verbs/voided", 1), "/object/object", "StatementRef"},
		},
		"result": {
			{"result", `1`, "/result", "object"}, {"result", `{"x":1}`, "/result/x", "not one"}, {"result", `{"success":"true"}`, "/result/success", "true or false"},
			{"result", `{"completion":1}`, "/result/completion", "true or false"}, {"result", `{"response":1}`, "/result/response", "string"},
			{"result", `{"duration":"1h"}`, "/result/duration", "8601"}, {"result", `{"duration":1}`, "/result/duration", "8601"},
			{"result", `{"extensions":{"a b:c":1}}`, "/result/extensions/a b:c", "IRIs"},
			{"result", `{"score":1}`, "/result/score", "object"}, {"result", `{"score":{"scaled":"1"}}`, "/result/score/scaled", "number"},
			{"result", `{"score":{"scaled":1.01}}`, "/result/score/scaled", "between -1 and 1"},
			{"result", `{"score":{"scaled":-1.0000000000000000000001}}`, "/result/score/scaled", "between -1 and 1"},
			{"result", `{"score":{"min":1,"max":1}}`, "/result/score", "min must be less"},
			{"result", `{"score":{"min":1e1,"max":9}}`, "/result/score", "min must be less"},
			{"result", `{"score":{"raw":1,"min":2}}`, "/result/score/raw", "less than min"},
			{"result", `{"score":{"raw":3,"max":2}}`, "/result/score/raw", "greater than max"},
			{"result", `{"score":{"points":3}}`, "/result/score/points", "not one"},
		},
		"context": {
			{"context", `1`, "/context", "object"}, {"context", `{"x":1}`, "/context/x", "not one"},
			{"context", `{"registration":"x"}`, "/context/registration", "UUID"}, {"context", `{"instructor":{}}`, "/context/instructor", "needs one of"},
			{"context", `{"team":` + someAgent + `}`, "/context/team/objectType", "must be Group"}, {"context", `{"team":1}`, "/context/team", "Group"},
			{"context", `{"revision":1}`, "/context/revision", "string"}, {"context", `{"platform":{}}`, "/context/platform", "string"},
			{"context", `{"language":"a12345"}`, "/context/language", "5646"}, {"context", `{"statement":1}`, "/context/statement", "reference"},
			{"context", `{"statement":{"id":"fd41c918-b88b-4b20-a0a5-a4c32391aaa0"}}`, "/context/statement", "reference"},
			{"context", `{"statement":{"objectType":"StatementRef"}}`, "/context/statement", "reference"},
			{"context", `{"statement":{"objectType":"Statement","id":"fd41c918-b88b-4b20-a0a5-a4c32391aaa0"}}`, "/context/statement/objectType", "StatementRef"},
			{"context", `{"statement":{"objectType":"StatementRef","id":"x"}}`, "/context/statement/id", "UUID"},
			{"context", `{"statement":{"objectType":"StatementRef","x":"x"}}`, "/context/statement/x", "StatementRef has"},
			{"context", `{"contextActivities":[]}`, "/context/contextActivities", "parent, grouping"},
			{"context", `{"contextActivities":{"Parent":[]}}`, "/context/contextActivities/Parent", "parent, grouping"},
			{"context", `{"contextActivities":{"parent":"x:y"}}`, "/context/contextActivities/parent", "array of Activities"},
			{"context", `{"contextActivities":{"other":["x:y"]}}`, "/context/contextActivities/other/0", "object"},
			{"context", `{"contextActivities":{"other":[{}]}}`, "/context/contextActivities/other/0", "needs an id"},
			{"context", `{"contextActivities":{"other":{"id":"x:y","objectType":"Agent"}}}`, "/context/contextActivities/other/objectType", "must be Activity"},
			{"context", `{"contextActivities":{"other":{"id":"x:y","name":"n"}}}`, "/context/contextActivities/other/name", "Activity has"},
		},
		"timestamp":   {{"timestamp", `"x"`, "/timestamp", "RFC 3339"}, {"timestamp", `1`, "/timestamp", "RFC 3339"}},
		"attachments": attachmentRefusals(),
	}
	for name, table := range tables {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, r := range table {
				checkRefused(t, statementWith(r.member, r.value), xapi.V1, r.pointer, r.rule)
				checkRefused(t, statementWith(r.member, r.value), xapi.V2, r.pointer, r.rule)
				if r.member == "id" || name == "SubStatement" {
					continue
				}
				inner := strings.Replace(statementWith(r.member, r.value), "{", `{"objectType":"SubStatement",`, 1)
				checkRefused(t, statementWith("object", inner), xapi.V1, "/object"+r.pointer, r.rule)
			}
		})
	}
}

var manyComponents = func() string {
	var all []string
	for i := range 40 {
		all = append(all, `{"id":"`+string(rune('0'+i/10))+string(rune('0'+i%10))+`"}`)
	}
	return strings.Join(all, ",")
}()

func attachmentRefusals() []refusal {
	with := func(member, value string) string {
		all := map[string]string{"usageType": `"x:y"`, "display": `{}`, "contentType": `"text/plain"`, "length": `1`, "sha2": someSHA2}
		all[member] = value
		text := ""
		for name, value := range all {
			if value != "" {
				text += `,"` + name + `":` + value
			}
		}
		return "[{" + text[1:] + "}]"
	}
	refusals := []refusal{
		{"attachments", `{}`, "/attachments", "array"}, {"attachments", `[1]`, "/attachments/0", "array of objects"},
		{"attachments", with("length", `-1`), "/attachments/0/length", "bytes"}, {"attachments", with("length", `1.5`), "/attachments/0/length", "bytes"},
		{"attachments", with("length", `1e2`), "/attachments/0/length", "bytes"}, {"attachments", with("length", `"1"`), "/attachments/0/length", "bytes"},
		{"attachments", with("length", `99999999999999999999`), "/attachments/0/length", "bytes"},
		{"attachments", with("usageType", `"x"`), "/attachments/0/usageType", "IRI"}, {"attachments", with("sha2", `"x"`), "/attachments/0/sha2", "SHA-2"},
		{"attachments", with("sha2", `"`+strings.Repeat("a", 40)+`"`), "/attachments/0/sha2", "SHA-2"}, {"attachments", with("sha2", `1`), "/attachments/0/sha2", "SHA-2"},
		{"attachments", with("contentType", `"text"`), "/attachments/0/contentType", "media type"}, {"attachments", with("contentType", `""`), "/attachments/0/contentType", "media type"},
		{"attachments", with("contentType", `"a/b; c=\"\n\""`), "/attachments/0/contentType", "media type"},
		{"attachments", with("display", `"x"`), "/attachments/0/display", "language map"}, {"attachments", with("description", `1`), "/attachments/0/description", "language map"},
		{"attachments", with("fileUrl", `"x"`), "/attachments/0/fileUrl", "IRI"}, {"attachments", with("fileURL", `"x:y"`), "/attachments/0/fileURL", "case sensitive"},
	}
	for _, missing := range []string{"usageType", "display", "contentType", "length", "sha2"} {
		refusals = append(refusals, refusal{"attachments", with(missing, ""), "/attachments/0", "needs usageType"})
	}
	return refusals
}

func checkRefused(t *testing.T, src string, line xapi.Version, pointer, rule string) {
	t.Helper()
	_, err := xapi.Read([]byte(src), line)
	var e *xapi.Error
	if !errors.As(err, &e) {
		t.Errorf("accepted (%v): %s", err, src)
		return
	}
	if e.Pointer != pointer || !strings.Contains(e.Rule, rule) {
		t.Errorf("want %q at %q; got %v at %q\n%s", rule, pointer, e, e.Pointer, src)
	}
}

// These hold for whole statements only.
func TestRefusedWhole(t *testing.T) {
	t.Parallel()
	deep := func(n int) string { return strings.Repeat("[", n) + strings.Repeat("]", n) }
	for _, r := range []refusal{
		{"authority", `{"objectType":"Group","mbox":"mailto:a@b.c"}`, "/authority", "two Agents"},
		{"authority", `{"objectType":"Group","member":[` + someAgent + `]}`, "/authority", "two Agents"},
		{"authority", `{"objectType":"Group","member":[` + someAgent + `,` + someAgent + `,` + someAgent + `]}`, "/authority", "two Agents"},
		{"authority", `{"objectType":"Group","mbox":"mailto:a@b.c","member":[` + someAgent + `,` + someAgent + `]}`, "/authority", "two Agents"},
		{"authority", `{}`, "/authority", "needs one of"}, {"stored", `"x"`, "/stored", "RFC 3339"},
		{"object", `{"id":"x:y","actor":` + someAgent + `}`, "/object/actor", "Activity has"},
		{"version", `"0.9.9"`, "/version", "version"}, {"version", `"1.1.0"`, "/version", "version"}, {"version", `1`, "/version", "version"},
		{"Actor", someAgent, "/Actor", "case sensitive"}, {"more", `1`, "/more", "not one"}, {"\\u0049d", `1`, "/Id", "case sensitive"},
		{"act\\u006fr", someAgent, "/actor", "more than once"}, {"actor", someAgent + `,"actor":` + someAgent, "/actor", "more than once"},
		{"result", `{"response":"\ud800"}`, "/result/response", "well-formed"}, {"result", `{"response":"` + "\xff" + `"}`, "/result/response", "well-formed"},
		{"result", `{"response":"a\u0000"}`, "/result/response", "U+0000"}, {"result", `{"extensions":{"x:y":["\u0000"]}}`, "/result/extensions/x:y/0", "U+0000"},
		{"result", `{"extensions":{"x:y":{"\u0000":1}}}`, "/result/extensions/x:y/\uFFFD", "U+0000"},
		{"result", `{"extensions":{"x:y":{"a":1,"a":2}}}`, "/result/extensions/x:y/a", "more than once"},
		{"result", `{"extensions":{"x:y":` + deep(62) + `}}`, "/result/extensions/x:y" + strings.Repeat("/0", 61), "64 levels"},
		{"result", `{"success":tru}`, "/result/success", "well-formed"},
		{"id", `"fd41c918-b88b-4b20-a0a5-a4c32391aaa0"} {`, "", "follow"},
	} {
		checkRefused(t, statementWith(r.member, r.value), xapi.V1, r.pointer, r.rule)
		checkRefused(t, statementWith(r.member, r.value), xapi.V2, r.pointer, r.rule)
	}
	for _, src := range []string{``, ` `, `null`, `1`, `"x"`, `[]`, `{`, `{"actor"`, `{]`, `{} {}`, "\xef\xbb\xbf{}"} {
		checkRefused(t, src, xapi.V1, map[string]string{`{"actor"`: "/actor"}[src], "")
	}
	withContext := func(object, context string) string {
		return strings.Replace(statementWith("object", object), "{", `{"context":`+context+`,`, 1)
	}
	for _, object := range []string{someRef, `{"objectType":"Agent","mbox":"mailto:a@b.c"}`, goodSub} {
		checkRefused(t, withContext(object, `{"revision":"1"}`), xapi.V1, "/context/revision", "only if the object")
		checkRefused(t, withContext(object, `{"platform":"1"}`), xapi.V1, "/context/platform", "only if the object")
	}
	checkRefused(t, statementWith("version", `"2.0.0"`), xapi.V1, "/version", "1.0")
	checkRefused(t, statementWith("version", `"2.1.0"`), xapi.V2, "/version", "1.0")
}

func TestContextAgentsAndGroups(t *testing.T) {
	t.Parallel()
	const team = `{"objectType":"Group","mbox":"mailto:t@example.com"}`
	for _, kind := range []struct{ list, objectType, member, good, bad string }{
		{"contextAgents", "contextAgent", "agent", someAgent, team},
		{"contextGroups", "contextGroup", "group", team, someAgent},
	} {
		context := func(elem string) string { return statementWith("context", `{"`+kind.list+`":`+elem+`}`) }
		elem := func(objectType, actor, types string) string {
			return context(`[{"objectType":"` + objectType + `","` + kind.member + `":` + actor + types + `}]`)
		}
		at := "/context/" + kind.list
		for _, good := range []string{context(`[]`), elem(kind.objectType, kind.good, ""), elem(kind.objectType, kind.good, `,"relevantTypes":["x:y"]`)} {
			if _, err := xapi.Read([]byte(good), xapi.V2); err != nil {
				t.Error(err)
			}
			checkRefused(t, good, xapi.V1, at, "not one")
		}
		checkRefused(t, context(`{}`), xapi.V2, at, "array")
		checkRefused(t, context(`["x"]`), xapi.V2, at+"/0", "array")
		checkRefused(t, context(`[{}]`), xapi.V2, at+"/0", "array")
		checkRefused(t, context(`[{"objectType":"`+kind.objectType+`"}]`), xapi.V2, at+"/0", "array")
		checkRefused(t, context(`[{"`+kind.member+`":`+kind.good+`}]`), xapi.V2, at+"/0", "array")
		checkRefused(t, elem("x", kind.good, ""), xapi.V2, at+"/0/objectType", "array")
		checkRefused(t, elem(kind.objectType, kind.bad, ""), xapi.V2, at+"/0/"+kind.member+"/objectType", "must be")
		checkRefused(t, elem(kind.objectType, kind.good, `,"relevantTypes":[]`), xapi.V2, at+"/0/relevantTypes", "at least one")
		checkRefused(t, elem(kind.objectType, kind.good, `,"relevantTypes":["abc"]`), xapi.V2, at+"/0/relevantTypes/0", "IRI")
		checkRefused(t, elem(kind.objectType, kind.good, `,"relevantTypes":"x:y"`), xapi.V2, at+"/0/relevantTypes", "at least one")
		checkRefused(t, elem(kind.objectType, kind.good, `,"x":1`), xapi.V2, at+"/0/x", "array")
	}
}

// Surprising but allowed.
func TestAccepted(t *testing.T) {
	t.Parallel()
	deep := strings.Repeat("[", 61) + strings.Repeat("]", 61)
	for _, src := range []string{
		statementWith("version", `"1.0"`), statementWith("version", `"1.0.9"`), statementWith("result", `{}`), statementWith("context", `{}`),
		statementWith("attachments", `[]`), statementWith("object", `{"definition":{},"id":"x:y","objectType":"Activity"}`),
		statementWith("result", `{"extensions":{"x:y":null,"x:z":{"":[null,"\\u0000",{"x":{}}]}}}`),
		statementWith("result", `{"extensions":{"x:y":`+deep+`}}`), statementWith("result", `{"response":"\\u0000","score":{"scaled":1.0000,"raw":1e400,"max":1E401}}`),
		strings.Replace(statementWith("actor", someAgent), "actor", `act\u006fr`, 1),
		statementWith("object", `{"id":"http:\/\/example.com\/\u00e9"}`), statementWith("object", `{"id":"x:y","definition":{"interactionType":"true-false","choices":[]}}`),
		statementWith("object", `{"mbox":"mailto:a@b.c","objectType":"Agent"}`),
		statementWith("object", `{"member":[{"objectType":"Agent","openid":"x:y"}],"objectType":"Group"}`),
		statementWith("object", strings.Replace(goodSub, `"actor"`, `"timestamp":"2099-01-01T00:00:00Z","attachments":[],"actor"`, 1)),
		statementWith("actor", `{"objectType":"Group","mbox":"mailto:a@b.c","member":[]}`),
		statementWith("authority", `{"objectType":"Group","member":[`+someAgent+`,`+someAgent+`]}`),
		statementWith("context", `{"revision":"","platform":"","contextActivities":{},"statement":`+someRef+`}`),
	} {
		for _, line := range []xapi.Version{xapi.V1, xapi.V2} {
			checkServed(t, []byte(src), line)
			checkTyped(t, []byte(src), line)
		}
	}
	checkServed(t, []byte(statementWith("version", `"2.0.0"`)), xapi.V2)
	checkServed(t, []byte(typical), xapi.V1)
}
