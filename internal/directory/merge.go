package directory

import (
	"maps"
	"slices"

	"rollway/internal/access"
	"rollway/internal/fault"
	"rollway/internal/id"
	"rollway/xapi"
)

// Outcome is what came of claims, or of another act on a person.
type Outcome string

// The outcomes of claims.
const (
	Created   Outcome = "created"
	Updated   Outcome = "updated"
	Matched   Outcome = "matched"   // recognized by something else than the submitted identifier or link, which was added; fields may have changed too
	Unchanged Outcome = "unchanged" // nothing was written
	Rejected  Outcome = "rejected"  // refused; nothing but the trace was written
)

// The outcomes of other acts, which stand in the trace as well.
const (
	WasSuspended Outcome = "suspended"
	WasResumed   Outcome = "resumed"
	WasConfirmed Outcome = "confirmed"
)

// Change is one field that was set, changed or removed (from null, or to null). No attribute means the display name.
type Change struct {
	Attribute string `json:"attribute,omitzero"`
	Old       Value  `json:"old,omitzero"`
	New       Value  `json:"new,omitzero"`
	// Kept says that the old value stayed, since it was vouched for and the new one was not.
	Kept bool `json:"kept,omitzero"`
}

// uniqueValue is a value in the form it is compared in, with its attribute's folded name.
type uniqueValue struct{ attribute, value string }

// plan is everything that a decision writes.
type plan struct {
	outcome Outcome
	before  *record // nil for a new person
	after   Person
	agent   xapi.IFI // to add
	link    bool     // to add
	set     []attribute
	drop    []string      // names of attributes
	release []uniqueValue // no longer held
	hold    []uniqueValue
	changes []Change
}

// draft works out what the claims change in person p (nil: a new one). It returns a refusal for what the caller may not do
// and an Invalid fault for claims that cannot be applied.
func draft(r *request, f *found, p *record) (*plan, *fault.Error, error) {
	d := &plan{before: p}
	if p == nil {
		if !identified(r, f) {
			return nil, nil, fault.New(fault.Invalid, "no_identifier", "Nothing that was sent identifies a person: it takes an identifier, a link, or a value of a unique attribute.")
		}
		p = newcomer(r)
		d.agent, d.link = r.Agent.IFI, r.Link.Key != ""
		if r.ifi == "" {
			d.agent = r.made.IFI
		}
	} else {
		if r.ifi != "" && !p.owns(r.Agent.IFI) {
			d.agent = r.Agent.IFI
		}
		d.link = r.Link.Key != "" && !slices.ContainsFunc(f.owners, func(o owner) bool { return o.by == byLink })
	}
	d.after = p.Person
	d.after.Agents = slices.Clone(p.Agents)
	d.after.Attributes = maps.Clone(p.Attributes)
	if r.Name != "" && r.Name != p.Name {
		d.changes = append(d.changes, Change{Old: optional(p.Name), New: Text(r.Name)})
		d.after.Name = r.Name
	}
	protected, err := d.merge(r, f, p)
	if err != nil {
		return nil, nil, err
	}
	if p.Privileged && !r.caller.Scopes.Has(access.Admin) && (protected || !d.agent.IsZero() || d.link) {
		return nil, fault.New(fault.Forbidden, "person_protected", "This caller may not change by what this person is recognized."), nil
	}
	if !d.agent.IsZero() {
		d.after.Agents = append(d.after.Agents, xapi.Agent{IFI: d.agent})
	}
	for i := range d.after.Agents {
		d.after.Agents[i].Name = d.after.Name
	}
	d.outcome = d.decide(r, f)
	return d, nil, d.fits()
}

func optional(s string) Value {
	if s == "" {
		return Null
	}
	return Text(s)
}

// identified reports whether claims of a new person say who it is, so that the same claims find them again. Only an
// administrator may do without.
func identified(r *request, f *found) bool {
	return r.ifi != "" || r.Link.Key != "" || r.Source == ByAdmin ||
		slices.ContainsFunc(r.attributes, func(a attribute) bool { return f.unique(a) && a.value != Null })
}

func newcomer(r *request) *record {
	state := Active
	if r.Pending {
		state = Pending
	}
	return &record{Person: Person{ID: id.New[id.PersonID](), Org: r.caller.Org, State: state, Source: r.Source, Attributes: map[string]Value{}}}
}

func (d *plan) decide(r *request, f *found) Outcome {
	applied := slices.ContainsFunc(d.changes, func(c Change) bool { return !c.Kept })
	switch {
	case d.before == nil:
		return Created
	case f.owners[0].by != byTarget && (!d.agent.IsZero() || d.link):
		return Matched
	case applied || !d.agent.IsZero() || d.link:
		return Updated
	}
	return Unchanged
}

func (d *plan) fits() error {
	if n := len(d.after.Agents); n > MaxAgents {
		return fault.New(fault.Invalid, "too_many_agents", "This person has %d identifiers already; no more are possible.", MaxAgents)
	}
	if n := len(d.after.Attributes); n > MaxAttributes {
		return fault.New(fault.Invalid, "too_many_attributes", "The person would have %d attributes; %d are possible.", n, MaxAttributes)
	}
	return nil
}

// merge applies the attributes one by one. protected tells whether a unique one changes.
func (d *plan) merge(r *request, f *found, p *record) (protected bool, err error) {
	seen := map[string]bool{}
	for _, a := range r.attributes {
		a.name = f.name(a)
		if seen[a.name] {
			return false, twice(a.name)
		}
		seen[a.name] = true
		if f.unique(a) && a.norm == "" && a.value != Null {
			return false, fault.New(fault.Invalid, "unique_value_too_long", "A value of the unique attribute %s has at most %d characters.", a.name, MaxUniqueValue).
				With(fault.Field{Name: attributePointer(a.name), Message: "It is too long."})
		}
		if d.apply(a, p, f.unique(a)) && f.unique(a) {
			protected = true
		}
	}
	return protected, nil
}

// apply merges one attribute and reports whether it changes anything.
func (d *plan) apply(a attribute, p *record, unique bool) bool {
	old, vouched := p.Attributes[a.name], p.trusted[a.name]
	if old == a.value && (vouched || !a.trusted || a.value == Null) {
		return false
	}
	change := Change{Attribute: a.name, Old: old, New: a.value}
	if unique && vouched && !a.trusted {
		change.Kept = true
		d.changes = append(d.changes, change)
		return false
	}
	d.changes = append(d.changes, change)
	held := uniqueValue{}
	if unique && vouched && p.State != Pending {
		held = uniqueValue{a.folded, normalize(a.folded, old.text)}
	}
	wanted := uniqueValue{}
	if unique && a.trusted && a.value != Null && p.State != Pending {
		wanted = uniqueValue{a.folded, a.norm}
	}
	if held != wanted {
		if held != (uniqueValue{}) {
			d.release = append(d.release, held)
		}
		if wanted != (uniqueValue{}) {
			d.hold = append(d.hold, wanted)
		}
	}
	if a.value == Null {
		d.drop = append(d.drop, a.name)
		delete(d.after.Attributes, a.name)
		return true
	}
	d.set = append(d.set, a)
	d.after.Attributes[a.name] = a.value
	return true
}
