package xapi

import (
	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// Actor is an [Agent] or a [Group].
type Actor interface {
	// Identifier is the zero IFI for an anonymous Group.
	Identifier() IFI
	actor()
}

// Agent is an individual: exactly one identifier, and perhaps a name (Data
// 2.4.2.1).
type Agent struct {
	Name string
	IFI  IFI
}

// Group is several people. With an identifier it is the group it is by that;
// without, it is anonymous and lists its members (Data 2.4.2.2).
type Group struct {
	Name    string
	IFI     IFI
	Members []Agent
}

func (a Agent) actor() {}
func (g Group) actor() {}

// Identifier is the field IFI.
func (a Agent) Identifier() IFI { return a.IFI }

// Identifier is the field IFI.
func (g Group) Identifier() IFI { return g.IFI }

// Anonymous tells whether the group has no identifier.
func (g Group) Anonymous() bool { return g.IFI.IsZero() }

// ParseAgent reads the JSON text of an Agent. The error is an [*Error].
func ParseAgent(src []byte) (Agent, error) {
	actor, err := ParseActor(src)
	if err != nil {
		return Agent{}, err
	}
	agent, ok := actor.(Agent)
	if !ok {
		e := ruleAgentType.broken("Group")
		e.Pointer = "/objectType"
		return Agent{}, e
	}
	return agent, nil
}

// ParseActor reads the JSON text of an Agent or a Group. The error is an
// [*Error].
func ParseActor(src []byte) (Actor, error) {
	c := openCursor(src, V1)
	defer c.close()
	var f Facts
	if !c.begin() {
		return nil, c.err
	}
	if _, ok := c.actor(&f, RoleActor, false); !ok || !c.done() {
		return nil, c.err
	}
	var actor Actor
	return actor, decode(src, &actor)
}

// actorForm is the JSON form of Agents and Groups.
type actorForm struct {
	ObjectType string   `json:"objectType,omitzero"`
	Name       string   `json:"name,omitzero"`
	Mbox       string   `json:"mbox,omitzero"`
	SHA1Sum    string   `json:"mbox_sha1sum,omitzero"`
	OpenID     string   `json:"openid,omitzero"`
	Account    *Account `json:"account,omitzero"`
	Member     []Agent  `json:"member,omitzero"`
}

func formOf(kind Kind, name string, i IFI) actorForm {
	form := actorForm{ObjectType: kind.String(), Name: name}
	switch i.Kind {
	case Mbox:
		form.Mbox = i.Value
	case MboxSHA1Sum:
		form.SHA1Sum = i.Value
	case OpenID:
		form.OpenID = i.Value
	case OnAccount:
		form.Account = &i.Account
	}
	return form
}

// ifi is the identifier of a form; the zero IFI if it has none.
func (form actorForm) ifi() (i IFI, err error) {
	switch {
	case form.Mbox != "":
		return ParseMbox(form.Mbox)
	case form.SHA1Sum != "":
		return ParseMboxSHA1Sum(form.SHA1Sum)
	case form.OpenID != "":
		return ParseOpenID(form.OpenID)
	case form.Account != nil:
		return ParseAccount(form.Account.HomePage, form.Account.Name)
	}
	return IFI{}, nil
}

// MarshalJSONTo writes an object with the one member that the identifier is in
// an Agent: {"mbox":"mailto:ada@example.com"}.
func (i IFI) MarshalJSONTo(enc *jsontext.Encoder) error {
	return json.MarshalEncode(enc, formOf(0, "", i))
}

// UnmarshalJSONFrom reads and checks that object.
func (i *IFI) UnmarshalJSONFrom(dec *jsontext.Decoder) error {
	src, err := dec.ReadValue()
	if err != nil {
		return err
	}
	agent, err := ParseAgent(src)
	if err != nil {
		return err
	}
	if n, err := parseTree(src); err != nil || len(n.names) != 1 {
		return ruleOnlyIFI.broken(string(src))
	}
	*i = agent.IFI
	return nil
}

// MarshalJSONTo writes the members in the order of the standard, with
// objectType always.
func (a Agent) MarshalJSONTo(enc *jsontext.Encoder) error {
	return json.MarshalEncode(enc, formOf(KindAgent, a.Name, a.IFI))
}

// MarshalJSONTo writes the members in the order of the standard.
func (g Group) MarshalJSONTo(enc *jsontext.Encoder) error {
	form := formOf(KindGroup, g.Name, g.IFI)
	form.Member = g.Members
	return json.MarshalEncode(enc, form)
}

// UnmarshalJSONFrom reads and checks an Agent, as [ParseAgent] does.
func (a *Agent) UnmarshalJSONFrom(dec *jsontext.Decoder) error {
	src, err := dec.ReadValue()
	if err != nil {
		return err
	}
	*a, err = ParseAgent(src)
	return err
}

// UnmarshalJSONFrom reads and checks a Group, as [ParseActor] does.
func (g *Group) UnmarshalJSONFrom(dec *jsontext.Decoder) error {
	src, err := dec.ReadValue()
	if err != nil {
		return err
	}
	actor, err := ParseActor(src)
	if err != nil {
		return err
	}
	group, ok := actor.(Group)
	if !ok {
		return ruleGroupType.broken("Agent")
	}
	*g = group
	return nil
}

// decodeActor reads an actor whose text was checked before.
func decodeActor(dec *jsontext.Decoder, dst *Actor) error {
	var form actorForm
	if err := json.UnmarshalDecode(dec, &form); err != nil {
		return err
	}
	i, err := form.ifi()
	if err != nil {
		return err
	}
	*dst = Agent{Name: form.Name, IFI: i}
	if form.ObjectType == KindGroup.String() {
		*dst = Group{Name: form.Name, IFI: i, Members: form.Member}
	}
	return nil
}

// Person is everything known under which someone appears in records: the
// answer of the Agents resource (Communication 2.4).
type Person struct {
	Names []string
	IFIs  []IFI
}

// MarshalJSONTo writes the Person object, whose properties are arrays.
func (p Person) MarshalJSONTo(enc *jsontext.Encoder) error {
	form := struct {
		ObjectType string    `json:"objectType"`
		Name       []string  `json:"name,omitempty"`
		Mbox       []string  `json:"mbox,omitempty"`
		SHA1Sum    []string  `json:"mbox_sha1sum,omitempty"`
		OpenID     []string  `json:"openid,omitempty"`
		Account    []Account `json:"account,omitempty"`
	}{ObjectType: "Person", Name: p.Names}
	for _, i := range p.IFIs {
		switch i.Kind {
		case Mbox:
			form.Mbox = append(form.Mbox, i.Value)
		case MboxSHA1Sum:
			form.SHA1Sum = append(form.SHA1Sum, i.Value)
		case OpenID:
			form.OpenID = append(form.OpenID, i.Value)
		case OnAccount:
			form.Account = append(form.Account, i.Account)
		}
	}
	return json.MarshalEncode(enc, form)
}
