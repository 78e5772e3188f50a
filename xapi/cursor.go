package xapi

import (
	"bytes"
	"errors"
	"io"
	"sync"

	"github.com/go-json-experiment/json/jsontext"
)

// MaxDepth is how deep JSON may be nested, counted in objects and arrays.
const MaxDepth = 64

// cursor walks over JSON text, token by token. Its methods return false after
// the first error, which then is in err. A method that reads a value expects
// that the value's first token is the current one.
type cursor struct {
	dec  jsontext.Decoder
	buf  bytes.Buffer // over src; the decoder reads from it without a copy
	src  []byte
	line Version
	err  *Error

	kind       jsontext.Kind // of the current token
	start, end int           // its place in src
	name       []byte        // the name of the current member, unescaped
	nameStart  int           // where it starts in src, with its quote
	text       []byte        // strings that had to be unescaped or composed
}

var cursors = sync.Pool{New: func() any { return new(cursor) }}

// openCursor starts a walk over src; give the cursor back with close.
func openCursor(src []byte, line Version) *cursor {
	c := cursors.Get().(*cursor)
	c.reset(src, line)
	return c
}

func (c *cursor) reset(src []byte, line Version) {
	c.src, c.line, c.err = src, line, nil
	c.text = c.text[:0]
	c.buf = *bytes.NewBuffer(src)
	c.dec.Reset(&c.buf)
}

func (c *cursor) close() {
	c.reset(nil, V1)
	c.name = nil
	c.text = nil // what was read may still point there
	cursors.Put(c)
}

// next reads a token.
func (c *cursor) next() bool {
	start := int(c.dec.InputOffset())
	if _, err := c.dec.ReadToken(); err != nil {
		c.err = syntaxError(c.src, err)
		return false
	}
	c.end = int(c.dec.InputOffset())
	for jsonGap[c.src[start]] {
		start++
	}
	c.start = start
	if c.kind = jsontext.Kind(c.src[start]); c.kind == '-' || isDigit(byte(c.kind)) {
		c.kind = '0'
	}
	return true
}

// jsonGap holds the bytes that may stand before a token.
var jsonGap = [256]bool{' ': true, '\t': true, '\n': true, '\r': true, ',': true, ':': true}

// more reads the name of the next member and the first token of its value. It
// returns false at the end of the object, too.
func (c *cursor) more() bool {
	if !c.next() || c.kind == '}' {
		return false
	}
	c.nameStart = c.start
	name, ok := c.unquoted()
	c.name = name
	return ok && c.next() && (c.kind != 'n' || c.fail(&ruleNull))
}

// elem reads the first token of the next element. It returns false at the end
// of the array, too.
func (c *cursor) elem() bool {
	return c.next() && c.kind != ']' && (c.kind != 'n' || c.fail(&ruleNull))
}

// begin reads the first token of the whole text.
func (c *cursor) begin() bool {
	return c.next() && (c.kind != 'n' || c.fail(&ruleNull))
}

// done checks that nothing follows the value.
func (c *cursor) done() bool {
	_, err := c.dec.ReadToken()
	if errors.Is(err, io.EOF) {
		return true
	}
	if err != nil {
		c.err = syntaxError(c.src, err)
		return false
	}
	c.err = &Error{Rule: ruleTrailing.text, Found: quoted(string(c.src[c.end:])), Section: ruleTrailing.section}
	return false
}

// is checks the kind of the current token.
func (c *cursor) is(kind jsontext.Kind, r *rule) bool { return c.kind == kind || c.fail(r) }

// fail refuses the current token.
func (c *cursor) fail(r *rule) bool {
	switch c.kind {
	case '{':
		return c.failAt("", "an object", r)
	case '[':
		return c.failAt("", "an array", r)
	case '}', ']':
		return c.failAt("", "", r)
	}
	return c.failAt("", shortened(string(c.src[c.start:c.end])), r)
}

// failAt refuses something at or below the most recent value.
func (c *cursor) failAt(below, found string, r *rule) bool {
	c.err = &Error{Pointer: printable(c.dec.StackPointer()) + below, Found: found, Rule: r.text, Section: r.section}
	return false
}

// unknown refuses the name of the current member.
func (c *cursor) unknown(r *rule) bool {
	return c.failAt("", "the name "+quoted(string(c.name)), r)
}

// string returns the current token unescaped, which must be a string. The
// bytes stay valid as long as src does.
func (c *cursor) string(r *rule) ([]byte, bool) {
	if c.kind != '"' {
		return nil, c.fail(r)
	}
	return c.unquoted()
}

func (c *cursor) unquoted() ([]byte, bool) {
	raw := c.src[c.start+1 : c.end-1]
	if bytes.IndexByte(raw, '\\') < 0 {
		return raw, true
	}
	from := len(c.text)
	text, err := jsontext.AppendUnquote(c.text, c.src[c.start:c.end])
	if err != nil {
		c.err = syntaxError(c.src, err)
		return nil, false
	}
	c.text = text
	text = text[from:len(text):len(text)]
	if bytes.IndexByte(text, 0) >= 0 {
		return nil, c.fail(&ruleNUL)
	}
	return text, true
}

// The following read a value of one kind.

func (c *cursor) anyString() bool {
	_, ok := c.string(&ruleString)
	return ok
}

func (c *cursor) bool() bool {
	return c.kind == 't' || c.kind == 'f' || c.fail(&ruleBoolean)
}

func (c *cursor) iri(dst *[]byte) bool {
	s, ok := c.string(&ruleIRI)
	*dst = s
	return ok && (validIRI(s) || c.fail(&ruleIRI))
}

func (c *cursor) uuid(dst *UUID) bool {
	s, ok := c.string(&ruleUUID)
	if !ok {
		return false
	}
	*dst, ok = parseUUID(s)
	return ok || c.fail(&ruleUUID)
}

func (c *cursor) language() bool {
	s, ok := c.string(&ruleLanguage)
	return ok && (validLanguage(s) || c.fail(&ruleLanguage))
}

func (c *cursor) languageMap() bool {
	if !c.is('{', &ruleLanguageMap) {
		return false
	}
	for c.more() {
		if !validLanguage(c.name) {
			return c.unknown(&ruleLanguage)
		}
		if _, ok := c.string(&ruleLanguageMap); !ok {
			return false
		}
	}
	return c.err == nil
}

// extensions checks names and leaves the values alone, null included.
func (c *cursor) extensions() bool {
	if !c.is('{', &ruleExtensions) {
		return false
	}
	for c.next() && c.kind != '}' {
		name, ok := c.unquoted()
		if !ok || !c.next() {
			return false
		}
		if !validIRI(name) {
			return c.failAt("", "the name "+quoted(string(name)), &ruleExtensions)
		}
		if !c.anything() {
			return false
		}
	}
	return c.err == nil
}

// anything checks a value of any shape.
func (c *cursor) anything() bool {
	for depth := 0; ; {
		switch c.kind {
		case '{', '[':
			if depth++; c.dec.StackDepth() > MaxDepth {
				return c.fail(&ruleDepth)
			}
		case '}', ']':
			depth--
		case '"':
			if _, ok := c.unquoted(); !ok {
				return false
			}
		}
		if depth == 0 {
			return true
		}
		if !c.next() {
			return false
		}
	}
}
