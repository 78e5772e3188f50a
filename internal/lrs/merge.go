package lrs

import (
	"bytes"
	"errors"
	"io"
	"mime"

	"github.com/go-json-experiment/json/jsontext"

	"rollway/internal/fault"
	"rollway/xapi"
)

// member is one of a JSON object: its name without escapes and quotes, its value as the text that it is.
type member struct {
	name  string
	value []byte
}

func isJSON(contentType string) bool {
	t, _, err := mime.ParseMediaType(contentType)
	return err == nil && t == "application/json"
}

var (
	errNotObject = errors.New("not an object")
	errTrailing  = errors.New("something follows the object")
	errDepth     = errors.New("too deep")
)

// object reads a document that must be a JSON object of the type application/json.
func object(d Document) ([]member, error) {
	if !isJSON(d.ContentType) {
		return nil, fault.New(fault.Invalid, "not_mergeable", "Only documents of the type application/json can be merged with POST.").With(fault.Field{Name: "Content-Type", Value: clip(d.ContentType)})
	}
	members, err := readObject(d.Content)
	if err != nil {
		return nil, fault.New(fault.Invalid, "not_mergeable", "The document is not a JSON object, breaks off, repeats a name, or is deeper than %d levels.", xapi.MaxDepth).Because(err)
	}
	return members, nil
}

func readObject(text []byte) (members []member, err error) {
	if tooDeep(text) {
		return nil, errDepth
	}
	dec := jsontext.NewDecoder(bytes.NewReader(text))
	if dec.PeekKind() != '{' {
		return nil, errNotObject
	}
	if _, err := dec.ReadToken(); err != nil {
		return nil, err
	}
	for dec.PeekKind() != '}' {
		name, err := dec.ReadToken()
		if err != nil {
			return nil, err
		}
		m := member{name: name.String()}
		value, err := dec.ReadValue()
		if err != nil {
			return nil, err
		}
		m.value = bytes.Clone(value) // the decoder uses the memory again
		members = append(members, m)
	}
	if _, err := dec.ReadToken(); err != nil {
		return nil, err
	}
	if _, err := dec.ReadToken(); !errors.Is(err, io.EOF) {
		return nil, errTrailing
	}
	return members, nil
}

// tooDeep counts brackets outside strings, before anything recurses into them.
func tooDeep(text []byte) bool {
	depth, quoted := 0, false
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case quoted && c == '\\':
			i++
		case c == '"':
			quoted = !quoted
		case quoted:
		case c == '{' || c == '[':
			if depth++; depth > xapi.MaxDepth {
				return true
			}
		case c == '}' || c == ']':
			depth--
		}
	}
	return false
}

// merge writes the members of old, those that posted has too with their new values, and then what is new in posted.
func merge(old, posted []member) []byte {
	fresh := make(map[string][]byte, len(posted))
	for _, m := range posted {
		fresh[m.name] = m.value
	}
	out := []byte{'{'}
	write := func(name string, value []byte) {
		if len(out) > 1 {
			out = append(out, ',')
		}
		out = append(append(appendQuoted(out, name), ':'), value...)
	}
	for _, m := range old {
		value := m.value
		if v, ok := fresh[m.name]; ok {
			value = v
			delete(fresh, m.name)
		}
		write(m.name, value)
	}
	for _, m := range posted {
		if v, ok := fresh[m.name]; ok {
			write(m.name, v)
		}
	}
	return append(out, '}')
}
