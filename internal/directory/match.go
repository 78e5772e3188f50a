package directory

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"rollway/internal/access"
	"rollway/internal/fault"
	"rollway/internal/id"
	"rollway/xapi"
)

// How a person was found, in the order that ranks the reason in the trace.
const (
	byTarget = iota
	byLink
	byAgent
	byValue
)

// owner says that a person was found by something that was submitted.
type owner struct {
	by     int
	key    string // folded name of the attribute, for byValue
	person id.PersonID
}

// found is what the database knows about a request.
type found struct {
	declared map[string]Attribute // by folded name
	owners   []owner
	people   map[id.PersonID]*record
}

// Found is one person among the candidates and what they were found by: "the person", "the link", "the identifier" or the
// name of an attribute.
type Found struct {
	Person id.PersonID `json:"person"`
	By     []string    `json:"by"`
}

// name is how an attribute is called: as declared, or else as sent.
func (f *found) name(a attribute) string {
	if d, ok := f.declared[a.folded]; ok {
		return d.Name
	}
	return a.name
}

func (f *found) unique(a attribute) bool { return f.declared[a.folded].Unique }

// candidates groups the owners by person, best reason first.
func (f *found) candidates() []Found {
	slices.SortFunc(f.owners, func(a, b owner) int {
		return cmp.Or(a.by-b.by, strings.Compare(a.key, b.key), slices.Compare(a.person[:], b.person[:]))
	})
	var out []Found
	for _, o := range f.owners {
		by := [...]string{"the person", "the link", "the identifier", f.declared[o.key].Name}[o.by]
		i := slices.IndexFunc(out, func(c Found) bool { return c.Person == o.person })
		if i < 0 {
			out = append(out, Found{Person: o.person})
			i = len(out) - 1
		}
		if !slices.Contains(out[i].By, by) {
			out[i].By = append(out[i].By, by)
		}
	}
	return out
}

// match is the rule: who do the claims speak of? It returns the one person, nil when there is none yet, or why the claims
// are refused. The candidates stand in the trace either way.
func match(r *request, f *found) (*record, []Found, *fault.Error) {
	if !r.Person.IsZero() && f.people[r.Person] == nil {
		return nil, nil, fault.New(fault.NotFound, "person_unknown", "There is no such person.")
	}
	candidates := f.candidates()
	refuse := func(e *fault.Error) (*record, []Found, *fault.Error) { return nil, candidates, e }
	known := slices.ContainsFunc(f.owners, func(o owner) bool { return o.by == byAgent })
	if r.ifi != "" && !known {
		if !within(r.caller.HomePages, r.Agent.IFI) {
			return refuse(outsideHomePages(r.Agent.IFI))
		}
		if i := r.Agent.IFI; i.Kind == xapi.OnAccount && sameOrigin(r.own, i.Account.HomePage) && (reserved(i.Account.Name) || !r.caller.Scopes.Has(access.Admin)) {
			return refuse(ownHomePage())
		}
	}
	switch len(candidates) {
	case 0:
		return nil, nil, nil
	case 1:
	default:
		return refuse(identityConflict(candidates))
	}
	p := f.people[candidates[0].Person]
	best := f.owners[0] // sorted by candidates
	switch {
	case best.by == byTarget:
	case r.Pending:
		return refuse(valueTaken(candidates[0].By, true))
	case p.State == Pending:
		return refuse(fault.New(fault.Conflict, "person_pending", "This identifier belongs to somebody who has not confirmed their sign-up yet."))
	case best.by == byValue && !mayMatch(r, f, p):
		return refuse(valueTaken(candidates[0].By, r.caller.Scopes.Has(access.PeopleMatch)))
	}
	return p, candidates, nil
}

// mayMatch tells whether the claims may reach a person by unique attributes alone.
func mayMatch(r *request, f *found, p *record) bool {
	if p.Privileged || !r.caller.Scopes.Has(access.PeopleMatch) {
		return false
	}
	return slices.ContainsFunc(r.attributes, func(a attribute) bool {
		return a.trusted && slices.Contains(f.owners, owner{byValue, a.folded, p.ID})
	})
}

func outsideHomePages(i xapi.IFI) *fault.Error {
	return fault.New(fault.Forbidden, "home_page_forbidden", "This caller may not bring in %s: it is bound to accounts on other home pages.", kindOf(i)).
		With(fault.Field{Name: "/agent", Message: "It is outside the caller's home pages."})
}

func ownHomePage() *fault.Error {
	return fault.New(fault.Forbidden, "home_page_forbidden", "Accounts on the home page of Rollway itself are made by Rollway alone. Leave the agent out and one is made, or use the home page of the system that knows the account.").
		With(fault.Field{Name: "/agent", Message: "It is on the home page of Rollway itself."})
}

// identityConflict names the keys that clash and never their values.
func identityConflict(candidates []Found) *fault.Error {
	groups := make([]string, len(candidates))
	var fields []fault.Field
	for i, c := range candidates {
		groups[i] = list(c.By)
		for _, by := range c.By {
			fields = append(fields, fault.Field{Name: pointerOf(by), Message: fmt.Sprintf("It belongs to the %s of %d people.", ordinal(i), len(candidates))})
		}
	}
	return fault.New(fault.Conflict, "identity_conflict", "These belong to %d different people: %s. Nothing was written.", len(candidates), strings.Join(groups, "; ")).With(fields...)
}

// valueTaken says that a value belongs to somebody else, and not why that person is out of reach: whether they hold an
// admin right must not be learned by asking.
func valueTaken(by []string, mayMatch bool) *fault.Error {
	is := "is"
	if len(by) > 1 {
		is = "are"
	}
	e := fault.New(fault.Conflict, "value_taken", "What was sent as %s %s taken by a person whom this caller may not reach by it.", list(by), is)
	if !mayMatch {
		e.Message += " Reaching people by unique attributes needs the scope people:match."
	}
	for _, b := range by {
		e = e.With(fault.Field{Name: pointerOf(b), Message: "It belongs to somebody else."})
	}
	return e
}

func pointerOf(by string) string {
	switch by {
	case "the person":
		return "/person"
	case "the link":
		return "/link"
	case "the identifier":
		return "/agent"
	}
	return attributePointer(by)
}

func ordinal(i int) string {
	if i < 3 {
		return [...]string{"first", "second", "third"}[i]
	}
	return fmt.Sprintf("%dth", i+1)
}

// list joins words: "a", "a and b", "a, b and c".
func list(words []string) string {
	if len(words) < 2 {
		return strings.Join(words, "")
	}
	return strings.Join(words[:len(words)-1], ", ") + " and " + words[len(words)-1]
}

// kindOf says in words what sort of identifier it is.
func kindOf(i xapi.IFI) string {
	switch i.Kind {
	case xapi.Mbox:
		return "an e-mail identifier"
	case xapi.MboxSHA1Sum:
		return "a hashed e-mail identifier"
	case xapi.OpenID:
		return "an OpenID"
	}
	return "an account on that home page"
}
