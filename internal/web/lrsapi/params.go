package lrsapi

import (
	"errors"
	"strconv"
	"strings"
	"time"

	"rollway/internal/fault"
	"rollway/internal/id"
	"rollway/internal/web"
	"rollway/xapi"
)

// params reads typed parameters and keeps the first that is wrong.
type params struct {
	web.Params
	err error
}

// wrong notes that a parameter breaks a rule.
func (p *params) wrong(name, message string) {
	if p.err == nil {
		p.err = fault.New(fault.Invalid, "bad_parameter", "The parameter %s is not right.", name).
			With(fault.Field{Name: name, Message: message, Value: clip(p.Get(name))})
	}
}

// broken notes what the data model says of a parameter's value.
func (p *params) broken(name string, err error) {
	var e *xapi.Error
	switch {
	case !errors.As(err, &e):
		if p.err == nil {
			p.err = err
		}
	case e.Pointer != "":
		p.wrong(name, "At "+e.Pointer+": "+e.Rule+" ("+e.Section+").")
	case strings.HasPrefix(e.Rule, "must "):
		p.wrong(name, "It "+e.Rule+" ("+e.Section+").")
	default:
		p.wrong(name, "The rule: "+e.Rule+" ("+e.Section+").")
	}
}

// need notes that a parameter is missing.
func (p *params) need(names ...string) {
	for _, n := range names {
		if !p.Has(n) {
			p.wrong(n, "It is required here.")
		}
	}
}

// uuid reads a UUID; zero if absent. The nil UUID is refused: it names nothing.
func (p *params) uuid(name string) (u xapi.UUID) {
	if !p.Has(name) {
		return u
	}
	u, err := xapi.ParseUUID(p.Get(name))
	if err != nil {
		p.broken(name, err)
	} else if u.IsZero() {
		p.wrong(name, "The nil UUID names nothing.")
	}
	return u
}

func (p *params) registration() id.RegistrationID { return id.RegistrationID(p.uuid("registration")) }

func (p *params) iri(name string) xapi.IRI {
	if !p.Has(name) {
		return ""
	}
	iri, err := xapi.ParseIRI(p.Get(name))
	if err != nil {
		p.broken(name, err)
	}
	return iri
}

// agent reads an Agent's JSON.
func (p *params) agent(name string) (a xapi.Agent) {
	if !p.Has(name) {
		return a
	}
	a, err := xapi.ParseAgent([]byte(p.Get(name)))
	if err != nil {
		p.broken(name, err)
	}
	return a
}

// actor reads the JSON of an Agent or of an identified Group, and returns its identifier.
func (p *params) actor(name string) xapi.IFI {
	if !p.Has(name) {
		return xapi.IFI{}
	}
	a, err := xapi.ParseActor([]byte(p.Get(name)))
	if err != nil {
		p.broken(name, err)
		return xapi.IFI{}
	}
	if a.Identifier().IsZero() {
		p.wrong(name, "An anonymous Group identifies nobody.")
	}
	return a.Identifier()
}

func (p *params) time(name string) (t time.Time) {
	if !p.Has(name) {
		return t
	}
	t, err := xapi.ParseTimestamp(p.Get(name))
	if err != nil {
		p.broken(name, err)
	}
	return t
}

func (p *params) bool(name string) bool {
	switch v := p.Get(name); {
	case !p.Has(name), v == "false":
	case v == "true":
		return true
	default:
		p.wrong(name, "It must be true or false.")
	}
	return false
}

// count reads a number that is not negative.
func (p *params) count(name string) int {
	if !p.Has(name) {
		return 0
	}
	n, err := strconv.ParseUint(p.Get(name), 10, 31)
	if err != nil {
		p.wrong(name, "It must be a whole number, 0 or more.")
	}
	return int(n)
}

// oneOf reads a word; the first of words if absent.
func (p *params) oneOf(name string, words ...string) string {
	if !p.Has(name) {
		return words[0]
	}
	for _, w := range words {
		if p.Get(name) == w {
			return w
		}
	}
	p.wrong(name, "It must be one of: "+strings.Join(words, ", ")+".")
	return words[0]
}
