package xapitest

import (
	"strings"

	"rollway/xapi"
)

// part makes the members that statements and SubStatements have.
func (g generator) part(sub bool) []member {
	o := []member{{"actor", g.actor(false)}}
	kinds := []string{"Activity", "Agent", "Group", "StatementRef"}
	if !sub {
		kinds = append(kinds, "SubStatement")
	}
	kind := g.choose(kinds...)
	o = append(o, member{"verb", g.verb(kind)}, member{"object", g.target(kind)})
	g.maybe(&o, "result", g.result)
	g.maybe(&o, "context", func() string { return g.context(kind == "Activity") })
	g.maybe(&o, "timestamp", g.timestamp)
	g.maybe(&o, "attachments", func() string { return g.array(0, 2, g.attachment) })
	return o
}

func (g generator) verb(kind string) string {
	o := []member{{"id", g.iri()}}
	if kind == "StatementRef" && g.chance() {
		o[0].value = quote(string(xapi.VerbVoided))
	}
	g.maybe(&o, "display", g.languageMap)
	return g.object(o...)
}

func (g generator) target(kind string) string {
	switch kind {
	case "Agent":
		return g.agent(true)
	case "Group":
		return g.group()
	case "StatementRef":
		return g.ref()
	case "SubStatement":
		return g.object(append(g.part(true), member{"objectType", `"SubStatement"`})...)
	}
	return g.activity()
}

func (g generator) ref() string {
	return g.object(member{"objectType", `"StatementRef"`}, member{"id", g.uuid()})
}

func (g generator) activity() string {
	o := []member{{"id", g.iri()}}
	g.maybe(&o, "objectType", func() string { return `"Activity"` })
	g.maybe(&o, "definition", g.definition)
	return g.object(o...)
}

func (g generator) definition() string {
	var o []member
	g.maybe(&o, "name", g.languageMap)
	g.maybe(&o, "description", g.languageMap)
	g.maybe(&o, "type", g.iri)
	g.maybe(&o, "moreInfo", g.iri)
	g.maybe(&o, "extensions", g.extensions)
	if !g.chance() {
		return g.object(o...)
	}
	list := g.choose("choices", "scale", "source", "target", "steps")
	kind := map[string]string{
		"choices": g.choose("choice", "sequencing"), "scale": "likert",
		"source": "matching", "target": "matching", "steps": "performance",
	}[list]
	o = append(o, member{"interactionType", quote(kind)})
	g.maybe(&o, "correctResponsesPattern", func() string { return g.array(0, 2, g.text) })
	return g.object(append(o, member{list, g.components()})...)
}

func (g generator) components() string {
	ids := []string{"a", "b", "c"}
	return g.array(0, len(ids), func() string {
		o := []member{{"id", quote(ids[0])}}
		ids = ids[1:]
		g.maybe(&o, "description", g.languageMap)
		return g.object(o...)
	})
}

func (g generator) result() string {
	var o []member
	g.maybe(&o, "score", func() string {
		var score []member
		g.maybe(&score, "scaled", func() string { return g.choose("-1", "0.5", "1.0", "1e-3") })
		g.maybe(&score, "min", func() string { return g.choose("-5", "0") })
		g.maybe(&score, "max", func() string { return g.choose("10", "1E1") })
		g.maybe(&score, "raw", func() string { return g.choose("0", "9.99999999999999999999", "7") })
		return g.object(score...)
	})
	g.maybe(&o, "success", func() string { return g.choose("true", "false") })
	g.maybe(&o, "completion", func() string { return g.choose("true", "false") })
	g.maybe(&o, "response", g.text)
	g.maybe(&o, "duration", func() string { return g.choose(`"PT1H"`, `"P4W"`, `"P1Y2M3DT4H5M6.789S"`, `"PT0.5S"`) })
	g.maybe(&o, "extensions", g.extensions)
	return g.object(o...)
}

func (g generator) context(activity bool) string {
	var o []member
	g.maybe(&o, "registration", g.uuid)
	g.maybe(&o, "instructor", func() string { return g.actor(false) })
	g.maybe(&o, "team", g.group)
	g.maybe(&o, "language", func() string { return g.choose(`"en"`, `"sr-Latn-RS"`, `"i-klingon"`) })
	g.maybe(&o, "statement", g.ref)
	g.maybe(&o, "extensions", g.extensions)
	if activity {
		g.maybe(&o, "revision", func() string { return `"r1"` })
		g.maybe(&o, "platform", func() string { return `"p"` })
	}
	g.maybe(&o, "contextActivities", func() string {
		var groups []member
		for _, name := range []string{"parent", "grouping", "category", "other"} {
			g.maybe(&groups, name, func() string {
				if g.chance() {
					return g.activity()
				}
				return g.array(0, 2, g.activity)
			})
		}
		return g.object(groups...)
	})
	if g.line == xapi.V2 {
		g.maybe(&o, "contextAgents", func() string {
			return g.contextActors("contextAgent", "agent", func() string { return g.agent(false) })
		})
		g.maybe(&o, "contextGroups", func() string { return g.contextActors("contextGroup", "group", g.group) })
	}
	return g.object(o...)
}

func (g generator) contextActors(objectType, name string, actor func() string) string {
	return g.array(0, 2, func() string {
		o := []member{{"objectType", quote(objectType)}, {name, actor()}}
		g.maybe(&o, "relevantTypes", func() string { return g.array(1, 2, g.iri) })
		return g.object(o...)
	})
}

func (g generator) attachment() string {
	o := []member{
		{"usageType", g.iri()},
		{"display", g.languageMap()},
		{"contentType", g.choose(`"text/plain; charset=utf-8"`, `"application/octet-stream"`)},
		{"length", g.choose("0", "27")},
		{"sha2", quote(strings.Repeat(g.choose("0a", "F9"), 32))},
	}
	g.maybe(&o, "description", g.languageMap)
	g.maybe(&o, "fileUrl", g.iri)
	return g.object(o...)
}
