package clearxp

import (
	"errors"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"rollway/internal/directory"
	"rollway/internal/fault"
	"rollway/internal/web"
	"rollway/xapi"
)

// The extensions ClearXP gives a meaning on actors. Both spellings of the scheme are taken; answers carry the documented one.
const (
	attributesIRI = "http://clearlrs.com/api/ext/agent/attributes"
	attributesAlt = "https://clearlrs.com/api/ext/agent/attributes"
)

// splitActor divides an actor of this dialect into the extensions, which the xAPI specification does not know on actors,
// and the agent of the specification. Faults name the member below pointer.
func splitActor(v jsontext.Value, pointer string) (extensions map[string]jsontext.Value, agent xapi.Agent, err error) {
	var members map[string]jsontext.Value
	if v.Kind() != '{' {
		return nil, agent, notAnAgent(pointer, "It is not a JSON object.", v)
	}
	if err := web.ParseJSON(v, &members); err != nil {
		return nil, agent, err
	}
	if ext, ok := members["extensions"]; ok {
		delete(members, "extensions")
		if ext.Kind() != '{' {
			return nil, agent, notAnAgent(pointer+"/extensions", "It is not a JSON object.", ext)
		}
		if err := web.ParseJSON(ext, &extensions); err != nil {
			return nil, agent, err
		}
	}
	if t := strings.TrimSpace(string(members["objectType"])); t == `"Group"` {
		return nil, agent, notAnAgent(pointer+"/objectType", "It is Group; a person is an Agent.", members["objectType"])
	}
	bare, err := json.Marshal(members, json.Deterministic(true))
	if err != nil {
		return nil, agent, err
	}
	if agent, err = xapi.ParseAgent(bare); err != nil {
		var broken *xapi.Error
		if errors.As(err, &broken) {
			rule := broken.Rule
			if broken.Section != "" {
				rule += " (xAPI, " + broken.Section + ")"
			}
			return nil, agent, fault.New(fault.Invalid, "invalid_actor", "This is not a valid xAPI agent: %s.", rule).With(fault.Field{Name: pointer + broken.Pointer, Message: rule + ".", Value: broken.Found})
		}
		return nil, agent, err
	}
	return extensions, agent, nil
}

func notAnAgent(pointer, what string, v jsontext.Value) error {
	return fault.New(fault.Invalid, "invalid_actor", "An actor here is one xAPI agent.").With(fault.Field{Name: pointer, Message: what, Value: shortened(v)})
}

// shortened is what was received, short enough to answer.
func shortened(v jsontext.Value) string {
	if len(v) > 100 {
		v = v[:100]
	}
	return strings.ToValidUTF8(string(v), "")
}

// claims reads what an upsert says of a person. Extensions that are read-only or unknown have no effect, so that an actor
// which was answered may be sent back; the trace notes them.
func claims(body []byte) (directory.Claims, error) {
	extensions, agent, err := splitActor(body, "")
	if err != nil {
		return directory.Claims{}, err
	}
	c := directory.Claims{Source: directory.ByAPI, Agent: agent}
	for iri, value := range extensions {
		if iri != attributesIRI && iri != attributesAlt {
			c.Ignored = append(c.Ignored, iri)
			continue
		}
		if c.Attributes != nil {
			return c, fault.New(fault.Invalid, "attributes_twice", "The attributes are given under both spellings of their extension.").With(fault.Field{Name: "/extensions", Message: "It has the attributes twice."})
		}
		if c.Attributes, err = directory.ParseAttributes(value); err != nil {
			return c, err
		}
	}
	return c, nil
}

// answer is an actor as this dialect answers it.
type answer struct {
	ObjectType string         `json:"objectType"`
	Name       string         `json:"name,omitempty"`
	Account    *account       `json:"account,omitempty"`
	Mbox       string         `json:"mbox,omitempty"`
	MboxSHA1   string         `json:"mbox_sha1sum,omitempty"`
	OpenID     string         `json:"openid,omitempty"`
	Extensions map[string]any `json:"extensions,omitempty"`
}

type account struct {
	HomePage string `json:"homePage"`
	Name     string `json:"name"`
}

func answerOf(agent xapi.Agent, attributes map[string]directory.Value) answer {
	a := answer{ObjectType: "Agent", Name: agent.Name}
	switch agent.IFI.Kind {
	case xapi.OnAccount:
		a.Account = &account{string(agent.IFI.Account.HomePage), agent.IFI.Account.Name}
	case xapi.Mbox:
		a.Mbox = agent.IFI.Value
	case xapi.MboxSHA1Sum:
		a.MboxSHA1 = agent.IFI.Value
	case xapi.OpenID:
		a.OpenID = agent.IFI.Value
	}
	if len(attributes) > 0 {
		a.Extensions = map[string]any{attributesIRI: attributes}
	}
	return a
}
