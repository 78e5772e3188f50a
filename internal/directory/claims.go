package directory

import (
	"cmp"
	"slices"

	"rollway/internal/access"
	"rollway/internal/fault"
	"rollway/internal/id"
	"rollway/xapi"
)

// Source is where claims come from.
type Source string

// The sources. The scope that a caller needs follows from it: import for csv and feed, scim, signup, and people:write for
// all others.
const (
	ByAdmin  Source = "admin"
	ByCSV    Source = "csv"
	ByFeed   Source = "feed"
	BySSO    Source = "sso"
	BySCIM   Source = "scim"
	BySignup Source = "signup"
	ByAPI    Source = "api"
)

var sourceScopes = map[Source]access.Scope{
	ByAdmin: access.PeopleWrite, BySSO: access.PeopleWrite, ByAPI: access.PeopleWrite,
	ByCSV: access.Import, ByFeed: access.Import, BySCIM: access.SCIM, BySignup: access.Signup,
}

// The limits of claims.
const (
	MaxName        = 255  // characters of a display name
	MaxKey         = 255  // characters of an attribute's name, a link's space and a link's key
	MaxValue       = 4096 // bytes of a value
	MaxUniqueValue = 255  // characters of a unique attribute's value
	MaxIdentifier  = 1024 // bytes of an identifier's key
	MaxAttributes  = 100  // attributes in claims, and of a person
	MaxAgents      = 100  // agents of a person
)

// Claims are what a source says about a person, before anything is decided.
type Claims struct {
	Source Source
	// Person is set when the person is known already and only edited; otherwise the gate finds them.
	Person id.PersonID
	// Agent is the submitted identity. Without an identifier the gate matches by link and unique attributes alone, and makes
	// an account agent (the installation's public URL and a random name) for a person it creates.
	Agent xapi.Agent
	// Name replaces the person's name; blank says nothing. When blank, the agent's name is taken.
	Name string
	// Attributes are merged one by one. Null removes, a blank string says nothing.
	Attributes map[string]Value
	// Verified names the attributes whose values the source has checked. It matters for sso and signup: they vouch for those
	// only. All other sources vouch for what they send.
	Verified []string
	// Link is the source's own lasting key for the person, if it has one.
	Link Link
	// Pending creates a person who has yet to confirm; such claims match nobody.
	Pending bool
	// Ignored names what was sent and has no effect, for the trace.
	Ignored []string
}

// Link is a key for a person within a space of keys, e.g. a connector and its subject.
type Link struct{ Space, Key string }

// attribute is one claimed attribute. Its name is final only when the declared attributes are known.
type attribute struct {
	name, folded string
	value        Value
	norm         string // the form that unique values are compared in; "" when there is nothing to compare
	trusted      bool
}

// request is checked claims with their caller.
type request struct {
	Claims
	caller     access.Caller
	attributes []attribute // sorted by name
	ifi        string      // key of the submitted identifier
	made       xapi.Agent  // used for a new person when none was submitted
	own        string      // the installation's own home page
}

// Check says what is wrong with claims whoever they are about, as [Directory.Provision] does.
func (c Claims) Check(caller access.Caller) error {
	_, err := check(caller, c)
	return err
}

// check turns claims into a request, or reports everything that is wrong with them as one Invalid fault whose fields are
// JSON pointers: /agent, /name, /attributes/NAME, /link.
func check(caller access.Caller, c Claims) (*request, error) {
	scope, ok := sourceScopes[c.Source]
	if !ok {
		return nil, fault.New(fault.Invalid, "unknown_source", "There is no source %q.", c.Source)
	}
	if err := caller.Require(scope); err != nil {
		return nil, err
	}
	r := &request{Claims: c, caller: caller, ifi: c.Agent.IFI.Key()}
	bad := fault.New(fault.Invalid, "invalid_claims", "What was sent about the person cannot be taken.")
	wrong := func(pointer, message, value string) {
		bad = bad.With(fault.Field{Name: pointer, Message: message, Value: clip(value)})
	}
	if len(r.ifi) > MaxIdentifier || !storable(r.ifi) {
		wrong("/agent", "An identifier has at most 1024 bytes and no NUL character.", r.ifi)
	}
	for _, text := range []string{c.Name, c.Agent.Name} {
		var err error
		if r.Name, err = ParseName(text); err != nil {
			wrong("/name", fault.Of(err).Message, text)
		}
		if r.Name != "" || err != nil {
			break
		}
	}
	if (c.Link.Space == "") != (c.Link.Key == "") || longer(c.Link.Space, MaxKey) || longer(c.Link.Key, MaxKey) || !printable(c.Link.Space) || !printable(c.Link.Key) {
		wrong("/link", "A link has a space and a key, each of at most 255 characters without control characters.", c.Link.Key)
	}
	if len(c.Attributes) > MaxAttributes {
		return nil, fault.New(fault.Invalid, "too_many_attributes", "There are %d attributes; %d are possible.", len(c.Attributes), MaxAttributes)
	}
	for name, value := range c.Attributes {
		a := attribute{name: clean(name), value: value}
		a.folded = fold(a.name)
		switch {
		case a.name == "" || longer(a.name, MaxKey) || !printable(a.name):
			wrong(attributePointer(name), "An attribute's name has 1 to 255 characters and no control characters.", name)
		case len(value.text) > MaxValue:
			wrong(attributePointer(name), "A value has at most 4096 bytes.", value.text)
		case !storable(value.text):
			wrong(attributePointer(name), "A value is UTF-8 without NUL characters.", "")
		case value.blank():
		default:
			r.attributes = append(r.attributes, r.prepared(a))
		}
	}
	if len(bad.Fields) > 0 {
		slices.SortFunc(bad.Fields, func(a, b fault.Field) int { return cmp.Compare(a.Name, b.Name) })
		return nil, bad
	}
	slices.SortFunc(r.attributes, func(a, b attribute) int { return cmp.Compare(a.name, b.name) })
	for i := 1; i < len(r.attributes); i++ {
		if a := r.attributes[i]; a.name == r.attributes[i-1].name {
			return nil, twice(a.name)
		}
	}
	return r, nil
}

func (r *request) prepared(a attribute) attribute {
	if a.value.kind == '"' {
		a.value.text = clean(a.value.text)
	}
	if a.value != Null && !longer(a.value.text, MaxUniqueValue) {
		a.norm = normalize(a.folded, a.value.text)
	}
	a.trusted = r.Source != BySSO && r.Source != BySignup ||
		slices.ContainsFunc(r.Verified, func(v string) bool { return fold(v) == a.folded })
	return a
}

func twice(name string) error {
	return fault.New(fault.Invalid, "attribute_twice", "The attribute %s is given twice, in two spellings.", name).
		With(fault.Field{Name: attributePointer(name), Message: "It is given twice."})
}
