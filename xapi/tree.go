package xapi

import (
	"bytes"
	"errors"
	"io"
	"slices"

	"github.com/go-json-experiment/json/jsontext"
)

// node is a JSON value as a tree, for the work that one pass cannot do:
// comparing, merging, projecting.
type node struct {
	kind  jsontext.Kind
	raw   []byte   // of a scalar: its text
	names []string // of an object: its names, unescaped
	elems []*node  // of an object or array: the values
}

// parseTree reads one JSON value, as strictly as [Read] does. The nodes point
// into src.
func parseTree(src []byte) (*node, error) {
	dec := jsontext.NewDecoder(bytes.NewBuffer(src))
	n, err := readNode(dec)
	if err != nil {
		var broken *Error
		if errors.As(err, &broken) {
			return nil, broken
		}
		return nil, syntaxError(src, err)
	}
	if _, err := dec.ReadToken(); !errors.Is(err, io.EOF) {
		return nil, ruleTrailing.broken(string(src[dec.InputOffset():]))
	}
	return n, nil
}

func readNode(dec *jsontext.Decoder) (*node, error) {
	n := &node{kind: dec.PeekKind()}
	if n.kind != '{' && n.kind != '[' {
		raw, err := dec.ReadValue()
		n.raw = raw
		return n, err
	}
	if _, err := dec.ReadToken(); err != nil {
		return nil, err
	}
	if dec.StackDepth() > MaxDepth {
		return nil, &Error{Pointer: string(dec.StackPointer()), Rule: ruleDepth.text, Section: ruleDepth.section}
	}
	for dec.PeekKind() != '}' && dec.PeekKind() != ']' {
		if n.kind == '{' {
			name, err := dec.ReadToken()
			if err != nil {
				return nil, err
			}
			n.names = append(n.names, name.String())
		}
		elem, err := readNode(dec)
		if err != nil {
			return nil, err
		}
		n.elems = append(n.elems, elem)
	}
	_, err := dec.ReadToken()
	return n, err
}

func newString(s string) *node {
	raw, err := jsontext.AppendQuote(nil, s)
	if err != nil { // only for text that is not UTF-8, which no node holds
		raw = []byte(`""`)
	}
	return &node{kind: '"', raw: raw}
}

// string is the unescaped text of a string, "" for anything else.
func (n *node) string() string {
	if n == nil || n.kind != '"' {
		return ""
	}
	text, err := jsontext.AppendUnquote(nil, n.raw)
	if err != nil { // the decoder has accepted it before
		return ""
	}
	return string(text)
}

// get returns the member with this name, nil if there is none.
func (n *node) get(name string) *node {
	if n == nil {
		return nil
	}
	if i := slices.Index(n.names, name); i >= 0 {
		return n.elems[i]
	}
	return nil
}

// set replaces a member or adds it at the end; a nil value removes it.
func (n *node) set(name string, value *node) {
	i := slices.Index(n.names, name)
	switch {
	case i < 0 && value != nil:
		n.names, n.elems = append(n.names, name), append(n.elems, value)
	case i >= 0 && value != nil:
		n.elems[i] = value
	case i >= 0:
		n.names, n.elems = slices.Delete(n.names, i, i+1), slices.Delete(n.elems, i, i+1)
	}
}

// keep removes all members but these.
func (n *node) keep(names ...string) {
	kept := 0
	for i, name := range n.names {
		if slices.Contains(names, name) {
			n.names[kept], n.elems[kept] = name, n.elems[i]
			kept++
		}
	}
	n.names, n.elems = n.names[:kept], n.elems[:kept]
}

// list is the elements of an array, and any other value alone.
func (n *node) list() []*node {
	switch {
	case n == nil:
		return nil
	case n.kind == '[':
		return n.elems
	}
	return []*node{n}
}

// append writes the value on one line, scalars as they were.
func (n *node) append(dst []byte) []byte {
	return n.write(dst, func(dst []byte, scalar *node) []byte { return append(dst, scalar.raw...) })
}

// appendCanonical writes the value so that equal values have equal text: names
// sorted, strings with the fewest escapes, numbers by value.
func (n *node) appendCanonical(dst []byte) []byte {
	n.sortNames()
	return n.write(dst, func(dst []byte, scalar *node) []byte {
		switch scalar.kind {
		case '0':
			return decimalOf(scalar.raw).append(dst)
		case '"':
			return append(dst, newString(scalar.string()).raw...)
		}
		return append(dst, scalar.raw...)
	})
}

func (n *node) write(dst []byte, scalar func([]byte, *node) []byte) []byte {
	switch n.kind {
	case '{':
		dst = append(dst, '{')
		for i, elem := range n.elems {
			if i > 0 {
				dst = append(dst, ',')
			}
			dst = append(append(dst, newString(n.names[i]).raw...), ':')
			dst = elem.write(dst, scalar)
		}
		return append(dst, '}')
	case '[':
		dst = append(dst, '[')
		for i, elem := range n.elems {
			if i > 0 {
				dst = append(dst, ',')
			}
			dst = elem.write(dst, scalar)
		}
		return append(dst, ']')
	}
	return scalar(dst, n)
}

func (n *node) sortNames() {
	for _, elem := range n.elems {
		elem.sortNames()
	}
	if n.kind != '{' {
		return
	}
	order := make([]int, len(n.names))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(a, b int) int { return bytes.Compare([]byte(n.names[a]), []byte(n.names[b])) })
	names, elems := make([]string, len(order)), make([]*node, len(order))
	for to, from := range order {
		names[to], elems[to] = n.names[from], n.elems[from]
	}
	n.names, n.elems = names, elems
}
