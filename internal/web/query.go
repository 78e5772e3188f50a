package web

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"unicode/utf8"

	"rollway/internal/fault"
)

// Params are the parameters of a query or form, each name at most once.
type Params struct{ pairs []pair }

type pair struct{ name, value, raw string }

// maxParams is how many parameters a query or form may have: each is compared with those before it, and nothing here knows
// half as many.
const maxParams = 64

// Query parses the request's query strictly: a pair that cannot be read, a repeated name, or a name that is not among the
// known (names are case-sensitive) is an Invalid fault which names it. net/url's Query drops such pairs without a word.
func Query(r *http.Request, known ...string) (Params, error) {
	p, err := ParseQuery(r.URL.RawQuery)
	if err != nil {
		return Params{}, err
	}
	return p, p.Only(known...)
}

// ParseQuery parses a raw query or a form body (application/x-www-form-urlencoded); any name will do. More than 64 parameters
// are an Invalid fault (too_many_parameters).
func ParseQuery(raw string) (Params, error) {
	var p Params
	for raw != "" {
		var s string
		s, raw, _ = strings.Cut(raw, "&")
		if s == "" {
			continue
		}
		if len(p.pairs) == maxParams {
			return Params{}, fault.New(fault.Invalid, "too_many_parameters", "There are more than %d parameters.", maxParams)
		}
		name, value, ok := strings.Cut(s, "=")
		n, err := decode(name)
		if err != nil {
			return Params{}, badQuery("", "A parameter name in the query %s.", err)
		}
		switch {
		case !ok:
			return Params{}, badQuery(n, "The parameter %s has no value.", quote(n))
		case n == "":
			return Params{}, badQuery("", "A parameter in the query has no name.")
		case p.Has(n):
			return Params{}, badQuery(n, "The parameter %s is there more than once.", quote(n))
		}
		v, err := decode(value)
		if err != nil {
			return Params{}, badQuery(n, "The value of the parameter %s %s.", quote(n), err)
		}
		p.pairs = append(p.pairs, pair{n, v, value})
	}
	return p, nil
}

// decode undoes the form encoding of a name or value (WHATWG URL, section 5.1), refusing what cannot be meant.
func decode(s string) (string, error) {
	if strings.Contains(s, ";") {
		return "", fmt.Errorf("has an unescaped semicolon; write it as %%3B")
	}
	v, err := url.QueryUnescape(s)
	switch {
	case err != nil:
		return "", fmt.Errorf("has a broken %%-escape")
	case !utf8.ValidString(v):
		return "", fmt.Errorf("is not UTF-8")
	case strings.Contains(v, "\x00"):
		return "", fmt.Errorf("has a NUL character")
	}
	return v, nil
}

func badQuery(field, format string, args ...any) error {
	f := fault.New(fault.Invalid, "bad_query", format, args...)
	if field != "" {
		f = f.With(fault.Field{Name: field})
	}
	return f
}

// quote shortens and quotes a name for a message. A name may be a secret that lost its "name=": it is redacted like one.
func quote(name string) string {
	if len(name) > 64 {
		name = name[:64]
	}
	return fmt.Sprintf("%q", Redact(strings.ToValidUTF8(name, "")))
}

// Only returns an Invalid fault if there is a parameter which is not among the known.
func (p Params) Only(known ...string) error {
	for _, q := range p.pairs {
		if slices.Contains(known, q.name) {
			continue
		}
		hint := ""
		for _, k := range known {
			if strings.EqualFold(k, q.name) {
				hint = fmt.Sprintf(" Did you mean %q? Case counts.", k)
			}
		}
		return fault.New(fault.Invalid, "unknown_parameter", "The parameter %s is not known here.%s", quote(q.name), hint).With(fault.Field{Name: "query"})
	}
	return nil
}

// Has reports whether the parameter is there, be it empty.
func (p Params) Has(name string) bool { return p.find(name) != nil }

// Get is the parameter's value, with %-escapes undone and "+" as a blank; "" if it is not there.
func (p Params) Get(name string) string {
	if q := p.find(name); q != nil {
		return q.value
	}
	return ""
}

// Raw is the parameter's value as it stands in the query, for values whose "+" may be one.
func (p Params) Raw(name string) string {
	if q := p.find(name); q != nil {
		return q.raw
	}
	return ""
}

// Names lists the parameters in their order.
func (p Params) Names() []string {
	names := make([]string, len(p.pairs))
	for i, q := range p.pairs {
		names[i] = q.name
	}
	return names
}

// Without returns the parameters less those named.
func (p Params) Without(names ...string) Params {
	return Params{slices.DeleteFunc(slices.Clone(p.pairs), func(q pair) bool { return slices.Contains(names, q.name) })}
}

// Encode is the query again, each pair as it came.
func (p Params) Encode() string {
	var b strings.Builder
	for i, q := range p.pairs {
		if i > 0 {
			b.WriteByte('&')
		}
		b.WriteString(url.QueryEscape(q.name) + "=" + q.raw)
	}
	return b.String()
}

func (p Params) find(name string) *pair {
	for i := range p.pairs {
		if p.pairs[i].name == name {
			return &p.pairs[i]
		}
	}
	return nil
}
