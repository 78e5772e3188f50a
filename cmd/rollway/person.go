package main

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"rollway/internal/access"
	"rollway/internal/app"
	"rollway/internal/directory"
	"rollway/internal/fault"
	"rollway/internal/id"
	"rollway/xapi"
)

// PersonCommand groups the commands on people. A person is named by id, e-mail address or homePage|name.
type PersonCommand struct {
	Add     PersonAdd     `cmd:"" makes:"house" help:"Add a person, or update the one these values match. Example: rollway person add --name Ada --attribute Email=ada@example.com"`
	List    PersonList    `cmd:"" help:"List people."`
	Get     PersonGet     `cmd:"" help:"Show a person with all attributes and agents."`
	Suspend PersonSuspend `cmd:"" help:"Stop everything a person can do, at once."`
	Resume  PersonResume  `cmd:"" help:"Let a suspended person in again. Credentials from before the suspension stay ended."`
}

type shownPerson struct {
	ID         string                     `json:"id"`
	Name       string                     `json:"name"`
	State      string                     `json:"state"`
	Source     string                     `json:"source"`
	CreatedAt  string                     `json:"createdAt"`
	UpdatedAt  string                     `json:"updatedAt"`
	Agents     []xapi.Agent               `json:"agents"`
	Attributes map[string]directory.Value `json:"attributes,omitempty"`
	Outcome    string                     `json:"outcome,omitempty"`
	Org        string                     `json:"org,omitempty"` // where people are listed or shown
}

func shown(p directory.Person) shownPerson {
	return shownPerson{ID: p.ID.String(), Name: p.Name, State: string(p.State), Source: string(p.Source), CreatedAt: when(p.Created), UpdatedAt: when(p.Updated), Agents: p.Agents, Attributes: p.Attributes}
}

// PersonAdd is `person add`.
type PersonAdd struct {
	Name      string      `help:"Display name."`
	Account   accountFlag `help:"Account as homePage|name. Default: one of this installation's own." placeholder:"HOMEPAGE|NAME"`
	Attribute []string    `help:"Attribute as NAME=VALUE; may be repeated. An empty value removes it." sep:"none" placeholder:"NAME=VALUE"`
	Organization
	Output
}

// Run sends the person through the gate.
func (c *PersonAdd) Run(s *surroundings) error {
	claims := directory.Claims{Source: directory.ByAdmin, Name: c.Name, Attributes: map[string]directory.Value{}}
	for _, a := range c.Attribute {
		name, value, ok := strings.Cut(a, "=")
		if !ok || name == "" {
			return misuse("%q is not NAME=VALUE.", a)
		}
		claims.Attributes[name] = directory.Text(value)
		if value == "" {
			claims.Attributes[name] = directory.Null
		}
	}
	claims.Agent.IFI = c.Account.IFI
	if c.Name == "" && c.Account.IsZero() && len(c.Attribute) == 0 {
		return misuse("Say who it is: give at least one of --name, --account and --attribute.")
	}
	if err := claims.Check(operator); err != nil { // before a house is made
		return usage(err)
	}
	return s.houseOf(c.Organization, func(h *app.House, caller access.Caller) error {
		decided, err := h.Directory.Provision(s, caller, claims)
		if err != nil {
			return usage(err)
		}
		p := shown(decided.Person)
		p.Outcome = string(decided.Outcome)
		return c.print(s, p, []string{"outcome", "id", "name", "state"}, [][]string{{p.Outcome, p.ID, p.Name, p.State}})
	})
}

// PersonList is `person list`.
type PersonList struct {
	Limit int         `help:"How many at the most." default:"100"`
	After id.PersonID `help:"Go on after this id, the last one of the list before." placeholder:"ID"`
	OrganizationOrAll
	Output
}

// Run lists people in the order they came, one organization after the other.
func (c *PersonList) Run(s *surroundings) error {
	return s.house(func(h *app.House) error {
		orgs, err := c.organizations(s, h)
		if err != nil {
			return err
		}
		left, err := c.left(s, h, orgs)
		if err != nil {
			return err
		}
		out, rows := []shownPerson{}, [][]string{}
		page := directory.ListOptions{After: c.After, Limit: cmp.Or(c.Limit, 100)}
		for i := 0; i < len(left) && page.Limit != 0; i++ {
			people, err := h.Directory.List(s, access.CommandLine(left[i].ID), page)
			if err != nil {
				return usage(err)
			}
			for _, p := range people {
				listed := shown(p)
				listed.Org = left[i].Slug
				out = append(out, listed)
				rows = append(rows, []string{listed.Org, listed.ID, p.Name, listed.State, listed.Source, listed.CreatedAt})
			}
			page = directory.ListOptions{Limit: page.Limit - len(people)}
		}
		return c.printOf(s, orgs, out, []string{"id", "name", "state", "source", "created"}, rows)
	})
}

// left are the organizations that the list before did not come to the end of.
func (c *PersonList) left(s *surroundings, h *app.House, orgs []directory.Organization) ([]directory.Organization, error) {
	if len(orgs) == 1 || c.After.IsZero() {
		return orgs, nil
	}
	last, err := h.Directory.Knowing(s, operator, c.After.String())
	if err == nil && len(last) == 0 {
		err = fault.New(fault.NotFound, "person_unknown", "Nobody has the id %s that the list is to go on after.", c.After)
	}
	if err != nil {
		return nil, err
	}
	at := slices.IndexFunc(orgs, func(o directory.Organization) bool { return o.ID == last[0].ID })
	return orgs[max(at, 0):], nil
}

// PersonGet is `person get`.
type PersonGet struct {
	Person string `arg:"" help:"Id, e-mail address, or homePage|name."`
	OrganizationOrAll
	Output
}

// Run shows the person.
func (c *PersonGet) Run(s *surroundings) error {
	return s.houseOfPerson(c.OrganizationOrAll, c.Person, func(h *app.House, caller access.Caller) error {
		p, err := h.Directory.Get(s, caller, c.Person)
		if err != nil {
			return err
		}
		rows := [][]string{{"id", p.ID.String()}, {"name", p.Name}, {"state", string(p.State)}, {"source", string(p.Source)}, {"created", when(p.Created)}, {"updated", when(p.Updated)}}
		for _, a := range p.Agents {
			rows = append(rows, []string{"agent", a.IFI.String()})
		}
		for _, name := range slices.Sorted(maps.Keys(p.Attributes)) {
			rows = append(rows, []string{"attribute " + name, p.Attributes[name].String()})
		}
		out := shown(p)
		if out.Org, err = (slugs{}).of(s, h, caller.Org); err != nil {
			return err
		}
		return c.print(s, out, []string{"field", "value"}, rows)
	})
}

// PersonSuspend is `person suspend`.
type PersonSuspend struct {
	Person string `arg:"" help:"Id, e-mail address, or homePage|name."`
	OrganizationOrAll
}

// Run suspends the person.
func (c *PersonSuspend) Run(s *surroundings) error {
	return c.set(s, c.Person, "suspended", (*directory.Directory).Suspend)
}

// PersonResume is `person resume`.
type PersonResume struct {
	Person string `arg:"" help:"Id, e-mail address, or homePage|name."`
	OrganizationOrAll
}

// Run resumes the person.
func (c *PersonResume) Run(s *surroundings) error {
	return c.set(s, c.Person, "active", (*directory.Directory).Resume)
}

func (o OrganizationOrAll) set(s *surroundings, ref, state string, verb func(*directory.Directory, context.Context, access.Caller, string) (directory.Person, error)) error {
	return s.houseOfPerson(o, ref, func(h *app.House, caller access.Caller) error {
		p, err := verb(h.Directory, s, caller, ref)
		if err != nil {
			return err
		}
		fmt.Fprintf(s.err, "%s (%v) is %s.\n", p.Name, p.ID, state)
		return nil
	})
}

// AttributeCommand groups the commands on declared attributes.
type AttributeCommand struct {
	Add  AttributeAdd  `cmd:"" makes:"house" help:"Declare an attribute. A unique one decides who is who."`
	List AttributeList `cmd:"" help:"List the attributes that are declared or that people have."`
}

// AttributeAdd is `attribute add`.
type AttributeAdd struct {
	Name   string `arg:""`
	Unique bool   `help:"No two people have the same value, and one who has it is found by it."`
	Organization
}

// Run declares the attribute.
func (c *AttributeAdd) Run(s *surroundings) error {
	name, err := directory.ParseAttributeName(c.Name)
	if err != nil { // before a house is made
		return usage(err)
	}
	return s.houseOf(c.Organization, func(h *app.House, caller access.Caller) error {
		_, err := h.Directory.Declare(s, caller, name, c.Unique)
		return err
	})
}

// AttributeList is `attribute list`.
type AttributeList struct {
	Organization
	Output
}

type listedAttribute struct {
	Name     string   `json:"name"`
	Unique   bool     `json:"unique"`
	Declared bool     `json:"declared"`
	Kinds    []string `json:"kinds"`
	People   int64    `json:"people"`
}

// Run lists the attributes.
func (c *AttributeList) Run(s *surroundings) error {
	return s.houseOf(c.Organization, func(h *app.House, caller access.Caller) error {
		attributes, err := h.Directory.Attributes(s, caller)
		if err != nil {
			return err
		}
		out, rows := []listedAttribute{}, [][]string{}
		for _, a := range attributes {
			out = append(out, listedAttribute{a.Name, a.Unique, a.Declared, list(a.Kinds), a.People})
			rows = append(rows, []string{a.Name, fmt.Sprint(a.Unique), strings.Join(a.Kinds, ", "), fmt.Sprint(a.People)})
		}
		return c.print(s, out, []string{"name", "unique", "kinds", "people"}, rows)
	})
}
