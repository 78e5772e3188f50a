// Package fault holds the kinds of error the domain reports. A fault says what is wrong in words fit for people; each door
// renders a kind in its own dialect. Any other error is internal: it is logged once and never shown.
package fault

import (
	"errors"
	"fmt"
	"strings"
)

// Kind is what went wrong, as far as a caller must tell apart.
type Kind uint8

// The kinds. The HTTP status in brackets is the usual rendering; doors may differ where their dialect does.
const (
	Internal        Kind = iota // ours to repair (500)
	Invalid                     // the input breaks a rule (400)
	Unauthenticated             // no credential, or one that does not verify (401)
	Forbidden                   // the caller is known and may not (403)
	NotFound                    // no such thing, or none the caller may know of (404)
	Conflict                    // it clashes with what is there (409)
	Gone                        // it was there and is used up or expired (410)
	Precondition                // If-Match or If-None-Match failed (412)
	TooLarge                    // beyond a stated limit (413)
	TooMany                     // too often (429)
	Unavailable                 // try again later (503)
)

var names = [...]string{"internal", "invalid", "unauthenticated", "forbidden", "not_found", "conflict", "gone", "precondition", "too_large", "too_many", "unavailable"}

func (k Kind) String() string { return names[k] }

// Field is one thing wrong with the input.
type Field struct {
	Name    string // which part, e.g. a JSON pointer "/account/name" or a parameter "activityId"
	Message string // what is wrong with it, one sentence
	Value   string // what was received, shortened; never a secret
}

// Error is a fault.
type Error struct {
	Kind    Kind
	Code    string // stable word for programs, snake_case; defaults to the kind's name
	Message string // one or two sentences for people: what is wrong and, where it helps, what to do
	Fields  []Field
	Args    []any // what stands in the message for {name}s, names and values in turn, for doors that word it themselves; see Say
	Err     error // cause, for logs only
}

func (e *Error) Error() string {
	if e.Err != nil {
		return e.Message + ": " + e.Err.Error()
	}
	return e.Message
}

func (e *Error) Unwrap() error { return e.Err }

// New returns a fault of a kind with its stable code and a message made like fmt.Sprintf.
func New(k Kind, code, format string, args ...any) *Error {
	return &Error{Kind: k, Code: code, Message: fmt.Sprintf(format, args...)}
}

// Say is New for a message that doors may put into other words: {name} in it stands for the value which follows that name in
// args, written as by fmt.Sprint.
func Say(k Kind, code, message string, args ...any) *Error {
	return &Error{Kind: k, Code: code, Message: Fill(message, args), Args: args}
}

// Fill puts values into a text, in which {name} stands for the value that follows the name in args. What a value says is not
// looked at again.
func Fill(text string, args []any) string {
	pairs := make([]string, 0, len(args))
	for i := 0; i+1 < len(args); i += 2 {
		pairs = append(pairs, "{"+fmt.Sprint(args[i])+"}", fmt.Sprint(args[i+1]))
	}
	return strings.NewReplacer(pairs...).Replace(text)
}

// With returns the fault with the fields added.
func (e *Error) With(f ...Field) *Error {
	c := *e
	c.Fields = append(append([]Field(nil), e.Fields...), f...)
	return &c
}

// Because returns the fault with its cause, which is logged and never shown.
func (e *Error) Because(err error) *Error {
	c := *e
	c.Err = err
	return &c
}

// Of returns the fault in err's chain; an error that holds none is Internal.
func Of(err error) *Error {
	var e *Error
	if errors.As(err, &e) {
		return e
	}
	return &Error{Kind: Internal, Code: names[Internal], Message: "Something went wrong on our side.", Err: err}
}

// Refuses reports whether err says that something was not done and why: what failed on our side may be done all the same.
func Refuses(err error) bool {
	var e *Error
	return errors.As(err, &e) && e.Kind != Internal && e.Kind != Unavailable
}

// Is reports whether err holds a fault of kind k.
func Is(err error, k Kind) bool {
	var e *Error
	return errors.As(err, &e) && e.Kind == k
}
