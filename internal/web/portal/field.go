package portal

import (
	"slices"
	"strings"
)

// field is one field of a form with its label, what was typed and what is wrong with it.
type field struct {
	ID, Label, Hint, Error, Value string
	Type                          string // of the input
	Complete, Mode                string // autocomplete, inputmode
	Show, Hide                    string // words of the button that shows a password
	Max                           int    // characters
	Required, Literal             bool   // Literal is nothing to correct or to begin with a capital letter
}

// DescribedBy lists the elements that tell more about the field.
func (f field) DescribedBy() string {
	var ids []string
	if f.Hint != "" {
		ids = append(ids, f.ID+"-hint")
	}
	if f.Error != "" {
		ids = append(ids, f.ID+"-error")
	}
	return strings.Join(ids, " ")
}

func (f *frame) email(value string) field {
	return field{ID: "email", Label: f.say("field.email"), Type: "email", Value: value, Complete: "email", Mode: "email", Max: 254, Required: true, Literal: true}
}

func (f *frame) name(id, complete, value string) field {
	return field{ID: id, Label: f.say("field." + id), Type: "text", Value: value, Complete: complete, Max: 100}
}

// password is the field of a password to sign in with.
func (f *frame) password() field {
	return field{ID: "password", Label: f.say("field.password"), Type: "password", Complete: "current-password", Max: maxPassword, Required: true, Show: f.say("field.show"), Hide: f.say("field.hide")}
}

// newPassword is the field of a password that is being chosen, of at least so many characters.
func (f *frame) newPassword(label string, least int) field {
	p := f.password()
	p.Label, p.Complete, p.Hint = f.say(label), "new-password", f.say("field.password.hint", "n", least)
	return p
}

// maxPassword is the most characters that the field of a password takes; what is too long for the rules is for them to say.
const maxPassword = 1024

// code is the field of the digits in a message.
func (f *frame) code(value string) field {
	return field{ID: "code", Label: f.say("check.code"), Hint: f.say("check.code.hint"), Type: "text", Value: value, Complete: "one-time-code", Mode: "numeric", Max: 12, Required: true, Literal: true}
}

// problem is one thing wrong with a form; Field is the id of the field, empty for what concerns all.
type problem struct {
	Field, Text string
	English     bool // for want of a translation
}

// problems are what is wrong with a form, in the order of its fields.
type problems []problem

// on puts the texts of the problems next to the fields, and the problems into the order of these.
func (p problems) on(fields ...*field) {
	place := func(one problem) int {
		return slices.IndexFunc(fields, func(f *field) bool { return f.ID == one.Field })
	}
	slices.SortStableFunc(p, func(a, b problem) int { return place(a) - place(b) })
	for _, f := range fields {
		for _, one := range p {
			if one.Field == f.ID && f.Error == "" {
				f.Error = one.Text
			}
		}
	}
}
