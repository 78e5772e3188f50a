package xapi

import (
	"errors"
	"io"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"
)

// Error says which rule of the standard some input breaks, and where.
type Error struct {
	Pointer string // where: a JSON pointer (RFC 6901), "" for the whole input
	Found   string // what stood there, shortened
	Rule    string // the rule, as one sentence without its full stop
	Section string // where the rule is written: "Data 2.4.3", "RFC 8259"
}

func (e *Error) Error() string {
	var b strings.Builder
	if e.Pointer != "" {
		b.WriteString(e.Pointer)
		b.WriteString(": ")
	}
	b.WriteString(e.Rule)
	if e.Found != "" {
		b.WriteString("; found ")
		b.WriteString(e.Found)
	}
	if e.Section != "" {
		b.WriteString(" (")
		b.WriteString(e.Section)
		b.WriteString(")")
	}
	return b.String()
}

// rule is one sentence of the standard.
type rule struct{ text, section string }

func (r *rule) broken(found string) *Error {
	return &Error{Found: quoted(found), Rule: r.text, Section: r.section}
}

// maxFound bounds how much of the input an error repeats, in bytes.
const maxFound = 60

func shortened(s string) string {
	if len(s) <= maxFound {
		return s
	}
	cut := maxFound
	for cut > 0 && !utf8.RuneStart(s[cut]) {
		cut--
	}
	return s[:cut] + "…"
}

func quoted(s string) string { return strconv.Quote(shortened(s)) }

// syntaxError turns an error of the JSON library into an Error.
func syntaxError(src []byte, err error) *Error {
	var syntactic *jsontext.SyntacticError
	if !errors.As(err, &syntactic) {
		if errors.Is(err, io.EOF) {
			return &Error{Rule: ruleJSON.text, Found: "nothing", Section: ruleJSON.section}
		}
		return &Error{Rule: ruleJSON.text + " (" + err.Error() + ")", Section: ruleJSON.section}
	}
	e := &Error{Pointer: printable(syntactic.JSONPointer), Rule: ruleJSON.text, Section: ruleJSON.section}
	if errors.Is(err, jsontext.ErrDuplicateName) {
		e.Rule, e.Section = ruleDuplicate.text, ruleDuplicate.section
		e.Found = "it twice"
		return e
	}
	e.Rule += " (" + syntactic.Err.Error() + ")"
	if at := int(syntactic.ByteOffset); at >= 0 && at < len(src) {
		rest := src[at:]
		e.Found = quoted(strings.ToValidUTF8(string(rest[:min(len(rest), maxFound)]), "\uFFFD"))
	} else {
		e.Found = "the end of the text"
	}
	return e
}

// printable makes a pointer fit to be kept: see [ruleNUL].
func printable(p jsontext.Pointer) string { return strings.ReplaceAll(string(p), "\x00", "\uFFFD") }
