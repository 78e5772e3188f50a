package xapi

import (
	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// Statement says that somebody did something (Data 2.4). Zero fields are
// absent.
type Statement struct {
	ID          UUID         `json:"id,omitzero"`
	Actor       Actor        `json:"actor"`
	Verb        Verb         `json:"verb"`
	Object      Object       `json:"object"`
	Result      *Result      `json:"result,omitzero"`
	Context     *Context     `json:"context,omitzero"`
	Timestamp   Timestamp    `json:"timestamp,omitzero"`
	Stored      Timestamp    `json:"stored,omitzero"`
	Authority   Actor        `json:"authority,omitzero"`
	Version     string       `json:"version,omitzero"`
	Attachments []Attachment `json:"attachments,omitzero"`
}

// Object is what a statement is about: an [Activity], [Agent], [Group],
// [StatementRef] or [SubStatement].
type Object interface {
	object()
}

func (a Activity) object()     {}
func (a Agent) object()        {}
func (g Group) object()        {}
func (r StatementRef) object() {}
func (s SubStatement) object() {}

// StatementRef points at another statement (Data 2.4.4.3).
type StatementRef struct {
	ID UUID
}

// SubStatement is a statement inside another, about something that did not
// happen yet or may not have happened (Data 2.4.4.3).
type SubStatement struct {
	Actor       Actor
	Verb        Verb
	Object      Object
	Result      *Result
	Context     *Context
	Timestamp   Timestamp
	Attachments []Attachment
}

// Result is a measured outcome (Data 2.4.5).
type Result struct {
	Score      *Score     `json:"score,omitzero"`
	Success    *bool      `json:"success,omitzero"`
	Completion *bool      `json:"completion,omitzero"`
	Response   *string    `json:"response,omitzero"`
	Duration   Duration   `json:"duration,omitzero"`
	Extensions Extensions `json:"extensions,omitzero"`
}

// Score is a graded outcome: scaled is from -1 to 1, the others are on the
// scale of the activity (Data 2.4.5.1).
type Score struct {
	Scaled Number `json:"scaled,omitzero"`
	Raw    Number `json:"raw,omitzero"`
	Min    Number `json:"min,omitzero"`
	Max    Number `json:"max,omitzero"`
}

// Context is what gives a statement more meaning (Data 2.4.6).
type Context struct {
	Registration      UUID               `json:"registration,omitzero"`
	Instructor        Actor              `json:"instructor,omitzero"`
	Team              *Group             `json:"team,omitzero"`
	ContextActivities *ContextActivities `json:"contextActivities,omitzero"`
	ContextAgents     []ContextAgent     `json:"contextAgents,omitzero"` // 2.0 only
	ContextGroups     []ContextGroup     `json:"contextGroups,omitzero"` // 2.0 only
	Revision          string             `json:"revision,omitzero"`
	Platform          string             `json:"platform,omitzero"`
	Language          string             `json:"language,omitzero"`
	Statement         *StatementRef      `json:"statement,omitzero"`
	Extensions        Extensions         `json:"extensions,omitzero"`
}

// ContextActivities are the activities around the object (Data 2.4.6.2).
type ContextActivities struct {
	Parent   Activities `json:"parent,omitzero"`
	Grouping Activities `json:"grouping,omitzero"`
	Category Activities `json:"category,omitzero"`
	Other    Activities `json:"other,omitzero"`
}

// Activities is a list that may be sent as a single Activity; it is written as
// an array always.
type Activities []Activity

// ContextAgent is an Agent with a part in what happened (2.0).
type ContextAgent struct {
	Agent         Agent
	RelevantTypes []IRI
}

// ContextGroup is a Group with a part in what happened (2.0).
type ContextGroup struct {
	Group         Group
	RelevantTypes []IRI
}

// Attachment describes data that belongs to a statement (Data 2.4.11).
type Attachment struct {
	UsageType   IRI         `json:"usageType"`
	Display     LanguageMap `json:"display"`
	Description LanguageMap `json:"description,omitzero"`
	ContentType string      `json:"contentType"`
	Length      int64       `json:"length"` // bytes
	SHA2        string      `json:"sha2"`   // hexadecimal
	FileURL     IRI         `json:"fileUrl,omitzero"`
}

// SignatureUsage is the usageType of the attachment that signs a statement
// (Data 2.6).
const SignatureUsage IRI = "http://adlnet.gov/expapi/attachments/signature"

// ParseStatement reads the JSON text of a statement, by the rules of one line
// of the standard. The error is an [*Error].
func ParseStatement(src []byte, line Version) (Statement, error) {
	if _, err := Read(src, line); err != nil {
		return Statement{}, err
	}
	var s Statement
	return s, decode(src, &s)
}

// decode fills a typed value from text whose rules were checked before.
func decode(src []byte, dst any) error { return json.Unmarshal(src, dst, checked) }

var checked = json.WithUnmarshalers(json.JoinUnmarshalers(
	json.UnmarshalFromFunc(decodeActor),
	json.UnmarshalFromFunc(decodeObject),
))

// The JSON forms of types whose objectType tells them apart.
type (
	refForm struct {
		ObjectType string `json:"objectType"`
		ID         UUID   `json:"id"`
	}
	subForm struct {
		ObjectType  string       `json:"objectType"`
		Actor       Actor        `json:"actor"`
		Verb        Verb         `json:"verb"`
		Object      Object       `json:"object"`
		Result      *Result      `json:"result,omitzero"`
		Context     *Context     `json:"context,omitzero"`
		Timestamp   Timestamp    `json:"timestamp,omitzero"`
		Attachments []Attachment `json:"attachments,omitzero"`
	}
	contextAgentForm struct {
		ObjectType    string `json:"objectType"`
		Agent         Agent  `json:"agent"`
		RelevantTypes []IRI  `json:"relevantTypes,omitzero"`
	}
	contextGroupForm struct {
		ObjectType    string `json:"objectType"`
		Group         Group  `json:"group"`
		RelevantTypes []IRI  `json:"relevantTypes,omitzero"`
	}
)

// MarshalJSONTo writes the reference with its objectType.
func (r StatementRef) MarshalJSONTo(enc *jsontext.Encoder) error {
	return json.MarshalEncode(enc, refForm{KindStatementRef.String(), r.ID})
}

// MarshalJSONTo writes the SubStatement with its objectType.
func (s SubStatement) MarshalJSONTo(enc *jsontext.Encoder) error {
	return json.MarshalEncode(enc, subForm{
		KindSubStatement.String(), s.Actor, s.Verb, s.Object, s.Result, s.Context, s.Timestamp, s.Attachments,
	})
}

// MarshalJSONTo writes the Agent's part with its objectType.
func (a ContextAgent) MarshalJSONTo(enc *jsontext.Encoder) error {
	return json.MarshalEncode(enc, contextAgentForm{"contextAgent", a.Agent, a.RelevantTypes})
}

// MarshalJSONTo writes the Group's part with its objectType.
func (g ContextGroup) MarshalJSONTo(enc *jsontext.Encoder) error {
	return json.MarshalEncode(enc, contextGroupForm{"contextGroup", g.Group, g.RelevantTypes})
}

// UnmarshalJSONFrom reads the JSON form, objectType aside.
func (r *StatementRef) UnmarshalJSONFrom(dec *jsontext.Decoder) error {
	var form refForm
	err := json.UnmarshalDecode(dec, &form)
	r.ID = form.ID
	return err
}

// UnmarshalJSONFrom reads the JSON form, objectType aside.
func (a *ContextAgent) UnmarshalJSONFrom(dec *jsontext.Decoder) error {
	var form contextAgentForm
	err := json.UnmarshalDecode(dec, &form)
	a.Agent, a.RelevantTypes = form.Agent, form.RelevantTypes
	return err
}

// UnmarshalJSONFrom reads the JSON form, objectType aside.
func (g *ContextGroup) UnmarshalJSONFrom(dec *jsontext.Decoder) error {
	var form contextGroupForm
	err := json.UnmarshalDecode(dec, &form)
	g.Group, g.RelevantTypes = form.Group, form.RelevantTypes
	return err
}

// UnmarshalJSONFrom reads an array of Activities or a single one.
func (a *Activities) UnmarshalJSONFrom(dec *jsontext.Decoder) error {
	if dec.PeekKind() != '{' {
		return json.UnmarshalDecode(dec, (*[]Activity)(a))
	}
	*a = make(Activities, 1)
	return json.UnmarshalDecode(dec, &(*a)[0])
}

// decodeObject reads the object of a statement that was checked before.
func decodeObject(dec *jsontext.Decoder, dst *Object) error {
	src, err := dec.ReadValue()
	if err != nil {
		return err
	}
	var typed struct {
		ObjectType string         `json:"objectType"`
		Rest       jsontext.Value `json:",inline"`
	}
	if err := json.Unmarshal(src, &typed); err != nil {
		return err
	}
	switch typed.ObjectType {
	case "Agent", "Group":
		var actor Actor
		if err = json.Unmarshal(src, &actor, dec.Options()); err == nil {
			*dst = actor.(Object)
		}
	case "StatementRef":
		var ref StatementRef
		err = json.Unmarshal(src, &ref, dec.Options())
		*dst = ref
	case "SubStatement":
		var form subForm
		err = json.Unmarshal(src, &form, dec.Options())
		*dst = SubStatement{
			form.Actor, form.Verb, form.Object, form.Result, form.Context, form.Timestamp, form.Attachments,
		}
	default:
		var form activityForm
		err = json.Unmarshal(src, &form, dec.Options())
		*dst = Activity{ID: form.ID, Definition: form.Definition}
	}
	return err
}
