package xapi

import (
	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// Verb is what the actor did (Data 2.4.3).
type Verb struct {
	ID      IRI         `json:"id"`
	Display LanguageMap `json:"display,omitzero"`
}

// Activity is something to do: a course, a question (Data 2.4.4.1).
type Activity struct {
	ID         IRI
	Definition *Definition // nil if absent
}

// Definition describes an Activity.
type Definition struct {
	Name        LanguageMap `json:"name,omitzero"`
	Description LanguageMap `json:"description,omitzero"`
	Type        IRI         `json:"type,omitzero"`
	MoreInfo    IRI         `json:"moreInfo,omitzero"`

	// The rest is for interactions. An empty pattern that is not nil means
	// that no answer is correct.
	InteractionType         string      `json:"interactionType,omitzero"`
	CorrectResponsesPattern []string    `json:"correctResponsesPattern,omitzero"`
	Choices                 []Component `json:"choices,omitzero"`
	Scale                   []Component `json:"scale,omitzero"`
	Source                  []Component `json:"source,omitzero"`
	Target                  []Component `json:"target,omitzero"`
	Steps                   []Component `json:"steps,omitzero"`

	Extensions Extensions `json:"extensions,omitzero"`
}

// Component is one choice, step or the like of an interaction.
type Component struct {
	ID          string      `json:"id"`
	Description LanguageMap `json:"description,omitzero"`
}

// Extensions are further properties, by IRI, with values of any shape (Data 4.1).
type Extensions map[IRI]jsontext.Value

// MarshalJSONTo writes the languages in the order of their tags.
func (m LanguageMap) MarshalJSONTo(enc *jsontext.Encoder) error {
	return json.MarshalEncode(enc, map[string]string(m), json.Deterministic(true))
}

// MarshalJSONTo writes the extensions in the order of their IRIs.
func (e Extensions) MarshalJSONTo(enc *jsontext.Encoder) error {
	return json.MarshalEncode(enc, map[IRI]jsontext.Value(e), json.Deterministic(true))
}

// ParseActivity reads the JSON text of an Activity. The error is an [*Error].
func ParseActivity(src []byte) (Activity, error) {
	c := openCursor(src, V1)
	defer c.close()
	var f Facts
	if !c.begin() || !c.activity(&f, RoleObject, false) || !c.done() {
		return Activity{}, c.err
	}
	var form activityForm
	err := decode(src, &form)
	return Activity{ID: form.ID, Definition: form.Definition}, err
}

// activityForm is the JSON form of an Activity.
type activityForm struct {
	ObjectType string      `json:"objectType,omitzero"`
	ID         IRI         `json:"id"`
	Definition *Definition `json:"definition,omitzero"`
}

// MarshalJSONTo writes the Activity with its objectType.
func (a Activity) MarshalJSONTo(enc *jsontext.Encoder) error {
	return json.MarshalEncode(enc, activityForm{KindActivity.String(), a.ID, a.Definition})
}

// UnmarshalJSONFrom reads and checks an Activity, as [ParseActivity] does.
func (a *Activity) UnmarshalJSONFrom(dec *jsontext.Decoder) error {
	src, err := dec.ReadValue()
	if err != nil {
		return err
	}
	*a, err = ParseActivity(src)
	return err
}
