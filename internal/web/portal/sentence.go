package portal

import (
	"strings"

	"github.com/go-json-experiment/json"

	"rollway/internal/lrs"
	"rollway/xapi"
)

// record is a statement as a sentence.
type record struct {
	Initial, Actor, Verb, Object, Result string
	When                                 *moment
}

// told is what a sentence takes from a statement.
type told struct {
	Actor struct {
		Name    string `json:"name"`
		Mbox    string `json:"mbox"`
		Account struct {
			Name string `json:"name"`
		} `json:"account"`
	} `json:"actor"`
	Verb struct {
		ID      string           `json:"id"`
		Display xapi.LanguageMap `json:"display"`
	} `json:"verb"`
	Object struct {
		ObjectType string `json:"objectType"`
		ID         string `json:"id"`
		Name       string `json:"name"`
		Definition struct {
			Name xapi.LanguageMap `json:"name"`
		} `json:"definition"`
	} `json:"object"`
	Result struct {
		Score struct {
			Scaled *float64 `json:"scaled"`
		} `json:"score"`
		Success *bool `json:"success"`
	} `json:"result"`
}

// sentence puts a statement into words. What it calls things itself goes before what we would call them: title is asked for that
// of an activity which the statement gives no name.
func (f *frame) sentence(s lrs.Statement, title func(activity string) (string, error)) (record, error) {
	var t told
	if err := json.Unmarshal(s.JSON, &t); err != nil {
		return record{}, err
	}
	reader := xapi.Languages{f.lang, "en"}
	r := record{
		Actor:  first(t.Actor.Name, strings.TrimPrefix(t.Actor.Mbox, "mailto:"), t.Actor.Account.Name, f.say("records.somebody")),
		Verb:   first(t.Verb.Display.Pick(reader), lastPart(t.Verb.ID)),
		Object: first(t.Object.Definition.Name.Pick(reader), t.Object.Name),
		When:   f.at(s.Stored),
	}
	switch {
	case t.Object.ObjectType == "StatementRef":
		r.Object = f.say("records.another")
	case r.Object == "":
		known, err := title(t.Object.ID)
		if err != nil {
			return record{}, err
		}
		r.Object = first(known, lastPart(t.Object.ID), f.say("records.something"))
	}
	r.Initial = initial(r.Actor)
	switch score, success := t.Result.Score.Scaled, t.Result.Success; {
	case score != nil:
		r.Result = f.Percent(int(*score*100 + .5))
	case success != nil && *success:
		r.Result = f.say("records.right")
	case success != nil:
		r.Result = f.say("records.wrong")
	}
	return r, nil
}

// first is the first of the texts that is not empty.
func first(texts ...string) string {
	for _, t := range texts {
		if t = strings.TrimSpace(t); t != "" {
			return t
		}
	}
	return ""
}

// lastPart is the last word of an IRI, which is often a name.
func lastPart(iri string) string {
	iri = strings.TrimRight(iri, "/#")
	return iri[strings.LastIndexAny(iri, "/#:")+1:]
}
