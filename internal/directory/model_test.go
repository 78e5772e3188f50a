package directory

import (
	"fmt"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"rollway/internal/access"
	"rollway/internal/db"
	"rollway/internal/db/dbtest"
	"rollway/internal/fault"
	"rollway/internal/id"
	"rollway/xapi"
)

// modelPerson is what the model believes of a person.
type modelPerson struct {
	id         id.PersonID // as the gate answered
	name       string
	state      State
	admin      bool
	agents     []xapi.IFI
	attributes map[string]string // by declared name
}

// model is the gate written down once more, as plainly as possible: one list of people, searched from end to end. Its
// sources vouch for all they send.
type model struct{ people []*modelPerson }

// machine runs random acts against the model and the gate.
type machine struct {
	model
	t   *testing.T
	d   *db.DB
	dir *Directory
	org id.OrgID
}

var (
	agentNames = []string{"a", "b", "c", "d"}
	addresses  = []string{"x@example.com", "Y@example.com", "y@example.com", " z@example.com", ""}
	badges     = []string{"1", "01", "2"}
)

func (m *machine) claims(rt *rapid.T) Claims {
	c := Claims{Source: ByAPI, Attributes: map[string]Value{}}
	if n := rapid.IntRange(0, 5).Draw(rt, "agent"); n < len(agentNames) {
		c.Agent = account("https://example.com", agentNames[n])
	}
	c.Name = rapid.SampledFrom([]string{"", "Ann", "Bob"}).Draw(rt, "name")
	put := func(name string, values []string) {
		switch n := rapid.IntRange(-2, len(values)).Draw(rt, name); {
		case n == len(values):
			c.Attributes[name] = Null
		case n >= 0:
			c.Attributes[name] = Text(values[n])
		}
	}
	put("email", addresses)
	put("Badge", badges)
	put("City", []string{"Perth", "Bonn"})
	return c
}

func (m *model) owner(i xapi.IFI) *modelPerson {
	for _, p := range m.people {
		if slices.Contains(p.agents, i) {
			return p
		}
	}
	return nil
}

// decide is the rule of the gate: the person (nil: a new one) or the code of a refusal.
func (m *model) decide(caller access.Caller, c Claims) (*modelPerson, string) {
	own := m.owner(c.Agent.IFI)
	if own == nil && !c.Agent.IFI.IsZero() && len(caller.HomePages) > 0 {
		return nil, "home_page_forbidden" // the machine's home pages never fit
	}
	found := []*modelPerson{}
	if own != nil {
		found = append(found, own)
	}
	identifies := !c.Agent.IFI.IsZero()
	for folded, name := range map[string]string{"email": "Email", "Badge": "Badge"} {
		v, ok := c.Attributes[folded]
		if !ok || v == Null || v.blank() {
			continue
		}
		identifies = true
		for _, p := range m.people {
			if have, ok := p.attributes[name]; ok && normalize(fold(name), have) == normalize(fold(name), v.text) && !slices.Contains(found, p) {
				found = append(found, p)
			}
		}
	}
	switch {
	case len(found) > 1:
		return nil, "identity_conflict"
	case len(found) == 1 && own == nil && (found[0].admin || !caller.Scopes.Has(access.PeopleMatch)):
		return nil, "value_taken"
	case len(found) == 1:
		return found[0], m.protects(found[0], caller, c)
	case !identifies:
		return nil, "no_identifier"
	}
	return nil, ""
}

// protects: who holds an admin right keeps what they are recognized by, unless an administrator asks.
func (m *model) protects(p *modelPerson, caller access.Caller, c Claims) string {
	for sent, name := range map[string]string{"email": "Email", "Badge": "Badge"} {
		v, ok := c.Attributes[sent]
		have, had := p.attributes[name]
		if ok && !v.blank() && p.admin && !caller.Scopes.Has(access.Admin) && (v == Null && had || v != Null && clean(v.text) != have) {
			return "person_protected"
		}
	}
	return ""
}

// follow does what was decided and says what comes of it.
func (m *model) follow(p *modelPerson, c Claims) (*modelPerson, Outcome) {
	outcome := Unchanged
	if p == nil {
		p = &modelPerson{state: Active, attributes: map[string]string{}}
		m.people = append(m.people, p)
		outcome = Created
	}
	change := func() {
		if outcome == Unchanged {
			outcome = Updated
		}
	}
	if !c.Agent.IFI.IsZero() && !slices.Contains(p.agents, c.Agent.IFI) {
		p.agents = append(p.agents, c.Agent.IFI)
		if outcome == Unchanged {
			outcome = Matched
		}
	}
	if c.Name != "" && c.Name != p.name {
		p.name = c.Name
		change()
	}
	for sent, name := range map[string]string{"email": "Email", "Badge": "Badge", "City": "City"} {
		v, ok := c.Attributes[sent]
		have, had := p.attributes[name]
		switch {
		case !ok || v.blank() || v == Null && !had || v != Null && clean(v.text) == have:
			continue
		case v == Null:
			delete(p.attributes, name)
		default:
			p.attributes[name] = clean(v.text)
		}
		change()
	}
	return p, outcome
}

func (m *machine) provision(rt *rapid.T) {
	c := m.claims(rt)
	caller := rapid.SampledFrom([]access.Caller{lms(), lms(), lms("https://elsewhere.example"), admin}).Draw(rt, "caller")
	caller.Org = m.org
	if rapid.IntRange(0, 3).Draw(rt, "weak") == 0 {
		caller.Scopes &^= access.PeopleMatch
	}
	before := contents(m.t, m.d)
	want, code := m.decide(caller, c)
	res, err := m.dir.Provision(m.t.Context(), caller, c)
	if code != "" {
		if f := fault.Of(err); err == nil || f.Code != code {
			rt.Fatalf("got %v, want %s", err, code)
		}
		if after := contents(m.t, m.d); after != before {
			rt.Fatalf("%s wrote: %v, before %v", code, after, before)
		}
		return
	}
	if err != nil {
		rt.Fatal(err)
	}
	p, outcome := m.follow(want, c)
	if outcome == Created {
		p.id = res.Person.ID
		if c.Agent.IFI.IsZero() {
			p.agents = []xapi.IFI{res.Primary.IFI}
		}
	}
	if res.Outcome != outcome || res.Person.ID != p.id || res.Primary.IFI != p.agents[0] || res.Submitted.IFI != c.Agent.IFI {
		rt.Fatalf("got %+v, want %s of %+v", res, outcome, p)
	}
	m.same(rt, res.Person, p)
	if c.Agent.IFI.IsZero() && !caller.Scopes.Has(access.PeopleMatch) {
		return // nothing finds the person again for this caller
	}
	before, decisions := contents(m.t, m.d), rows(m.t, m.d, "decisions")
	again, err := m.dir.Provision(m.t.Context(), caller, c)
	if err != nil || again.Outcome != Unchanged || again.Person.ID != p.id || contents(m.t, m.d) != before || rows(m.t, m.d, "decisions") != decisions {
		rt.Fatalf("a second time: %+v, %v", again, err)
	}
}

// with does something to any person, once there is one.
func (m *machine) with(do func(*rapid.T, *modelPerson)) func(*rapid.T) {
	return func(rt *rapid.T) {
		if len(m.people) > 0 {
			do(rt, rapid.SampledFrom(m.people).Draw(rt, "person"))
		}
	}
}

func (m *machine) suspendOrResume(rt *rapid.T, p *modelPerson) {
	caller := admin
	caller.Org = m.org
	verb, state := m.dir.Suspend, Suspended
	if rapid.Bool().Draw(rt, "resume") {
		verb, state = m.dir.Resume, Active
	}
	got, err := verb(m.t.Context(), caller, p.id.String())
	p.state = state
	if err != nil || got.State != state {
		rt.Fatalf("%+v, %v", got, err)
	}
}

func (m *machine) promote(rt *rapid.T, p *modelPerson) {
	if p.admin {
		return
	}
	p.admin = true
	err := m.d.Write(m.t.Context(), func(tx *db.Tx) error {
		return tx.Defer(m.t.Context(), "INSERT INTO grants (org_id, person_id, scope, created) VALUES (?, ?, 'admin', 0)", m.org, p.id)
	})
	if err != nil {
		rt.Fatal(err)
	}
}

func (m *machine) same(rt *rapid.T, got Person, want *modelPerson) {
	attributes := map[string]string{}
	for name, v := range got.Attributes {
		attributes[name] = v.text
	}
	agents := make([]xapi.IFI, len(got.Agents))
	for i, a := range got.Agents {
		agents[i] = a.IFI
		if a.Name != want.name {
			rt.Fatalf("agent %v is not called %q", a, want.name)
		}
	}
	if got.ID != want.id || got.Name != want.name || got.State != want.state || !slices.Equal(agents, want.agents) || fmt.Sprint(attributes) != fmt.Sprint(want.attributes) {
		rt.Fatalf("got %+v, want %+v", got, want)
	}
}

// check compares everything with the model after each act.
func (m *machine) check(rt *rapid.T) {
	caller := admin
	caller.Org = m.org
	people, err := m.dir.List(m.t.Context(), caller, ListOptions{Limit: 1000})
	if err != nil || len(people) != len(m.people) {
		rt.Fatalf("%d people, want %d, %v", len(people), len(m.people), err)
	}
	held := map[uniqueValue]bool{}
	for i, p := range people {
		m.same(rt, p, m.people[i])
		for _, name := range []string{"Email", "Badge"} {
			if v, ok := p.Attributes[name]; ok {
				key := uniqueValue{name, normalize(fold(name), v.text)}
				if held[key] {
					rt.Fatalf("two people have the %s %q", name, v.text)
				}
				held[key] = true
			}
		}
	}
}

func TestTheGateAgainstAModel(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		dir := newDirectory(d)
		round := 0
		rapid.Check(t, func(rt *rapid.T) {
			round++
			org, err := dir.CreateOrganization(t.Context(), admin, fmt.Sprint("round-", round), "")
			if err != nil {
				rt.Fatal(err)
			}
			caller := admin
			caller.Org = org.ID
			if _, err := dir.Declare(t.Context(), caller, "Badge", true); err != nil {
				rt.Fatal(err)
			}
			m := &machine{t: t, d: d, dir: dir, org: org.ID}
			rt.Repeat(map[string]func(*rapid.T){"": m.check, "provision": m.provision, "provision more": m.provision, "suspend or resume": m.with(m.suspendOrResume), "promote": m.with(m.promote)})
		})
		consistent(t, d)
	})
}
