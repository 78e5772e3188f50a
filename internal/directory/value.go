package directory

import (
	"io"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"rollway/internal/fault"
)

// Value is the value of an attribute: a string, a number or a boolean. The zero value is null, which in [Claims] removes
// the attribute. A number keeps the digits it was sent with. Values are comparable.
type Value struct {
	kind jsontext.Kind
	text string
}

// Null removes an attribute.
var Null = Value{}

// Text is a string value.
func Text(s string) Value { return Value{'"', s} }

// Bool is a boolean value.
func Bool(b bool) Value {
	if b {
		return Value{'t', "true"}
	}
	return Value{'f', "false"}
}

// ParseValue reads a JSON string, number, boolean or null. Arrays and objects are Invalid.
func ParseValue(raw jsontext.Value) (Value, error) {
	switch raw.Kind() {
	case 'n':
		return Null, nil
	case 't', 'f':
		return Bool(raw.Kind() == 't'), nil
	case '"':
		s, err := jsontext.AppendUnquote(nil, raw)
		if err != nil {
			return Null, fault.New(fault.Invalid, "invalid_value", "This is not a JSON string.").Because(err)
		}
		return Text(string(s)), nil
	case '0':
		return Value{'0', string(raw)}, nil
	}
	return Null, fault.New(fault.Invalid, "invalid_value", "An attribute is a string, a number, a boolean or null; arrays and objects are not possible.")
}

// ParseAttributes reads a JSON object of attributes. Each that is neither string, number, boolean nor null is a field of
// the Invalid fault, named by a JSON pointer below "/attributes".
func ParseAttributes(raw jsontext.Value) (map[string]Value, error) {
	out := map[string]Value{}
	bad := fault.New(fault.Invalid, "invalid_attributes", "Attributes are a JSON object of strings, numbers, booleans and nulls.")
	dec := jsontext.NewDecoder(strings.NewReader(string(raw)))
	if t, err := dec.ReadToken(); err != nil || t.Kind() != '{' {
		return nil, bad.Because(err)
	}
	for dec.PeekKind() != '}' {
		t, err := dec.ReadToken()
		if err != nil {
			return nil, bad.Because(err)
		}
		name := t.String()
		v, err := dec.ReadValue()
		if err != nil {
			return nil, bad.Because(err)
		}
		out[name], err = ParseValue(v)
		if err != nil {
			bad = bad.With(fault.Field{Name: attributePointer(name), Message: fault.Of(err).Message, Value: clip(string(v))})
		}
	}
	if len(bad.Fields) > 0 {
		return nil, bad
	}
	if _, err := dec.ReadToken(); err != nil { // the closing brace
		return nil, bad.Because(err)
	}
	if _, err := dec.ReadToken(); err != io.EOF {
		return nil, bad.Because(err)
	}
	return out, nil
}

// attributePointer names an attribute's place in Claims as a JSON pointer (RFC 6901).
func attributePointer(name string) string {
	return string(jsontext.Pointer("/attributes").AppendToken(name))
}

// Kind is "string", "number", "boolean" or "null".
func (v Value) Kind() string {
	switch v.kind {
	case '"':
		return "string"
	case '0':
		return "number"
	case 't', 'f':
		return "boolean"
	}
	return "null"
}

// String is the text of the value: of a string its characters, of others their JSON.
func (v Value) String() string { return v.text }

// JSON is the value as JSON text.
func (v Value) JSON() string {
	switch v.kind {
	case 0:
		return "null"
	case '"':
		quoted, err := jsontext.AppendQuote(nil, v.text)
		if err != nil { // claims refuse what is not UTF-8 before anything is quoted
			quoted, _ = jsontext.AppendQuote(nil, strings.ToValidUTF8(v.text, "\uFFFD"))
		}
		return string(quoted)
	}
	return v.text
}

// MarshalJSON writes the value.
func (v Value) MarshalJSON() ([]byte, error) { return []byte(v.JSON()), nil }

// UnmarshalJSON reads a string, number, boolean or null.
func (v *Value) UnmarshalJSON(raw []byte) (err error) {
	*v, err = ParseValue(raw)
	return err
}

// blank reports whether the value says nothing.
func (v Value) blank() bool { return v.kind == '"' && strings.TrimSpace(v.text) == "" }
