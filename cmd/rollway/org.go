package main

import (
	"cmp"
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"rollway/internal/access"
	"rollway/internal/app"
	"rollway/internal/directory"
	"rollway/internal/fault"
	"rollway/internal/id"
)

// Organization is the organization a command works on.
type Organization struct {
	Org string `help:"Slug of the organization, as rollway org list shows it. Default: default." placeholder:"SLUG"`
}

// OrganizationOrAll is the organization a command works on, or all of them.
type OrganizationOrAll struct {
	Org string `help:"Slug of an organization, as rollway org list shows it. Default: all." placeholder:"SLUG"`
}

// operator is the command line, acting for no organization.
var operator = access.CommandLine(0)

// houseOf is house for a command about one organization, with the command line as who asks.
func (s *surroundings) houseOf(o Organization, fn func(*app.House, access.Caller) error) error {
	return s.house(func(h *app.House) error {
		org, err := h.Directory.Organization(s, cmp.Or(o.Org, "default"))
		if err != nil {
			return err
		}
		return fn(h, access.CommandLine(org.ID))
	})
}

// houseOfAny is houseOf for what is found whichever organization has it: unless one is named, none is the caller's.
func (s *surroundings) houseOfAny(o OrganizationOrAll, fn func(*app.House, access.Caller) error) error {
	if o.Org == "" {
		return s.house(func(h *app.House) error { return fn(h, operator) })
	}
	return s.houseOf(Organization(o), fn)
}

// houseOfPerson is houseOf for a command about one person: unless an organization is named, the one that knows them.
func (s *surroundings) houseOfPerson(o OrganizationOrAll, ref string, fn func(*app.House, access.Caller) error) error {
	return s.house(func(h *app.House) error {
		orgs, err := o.knowing(s, h, ref, h.Directory.Knowing)
		if err != nil {
			return err
		}
		if len(orgs) > 1 {
			slugs := make([]string, len(orgs))
			for i, org := range orgs {
				slugs[i] = org.Slug
			}
			return fault.New(fault.Conflict, "organization_unclear", "Several organizations know %s: %s. Say which one you mean: --org SLUG.", ref, strings.Join(slugs, ", "))
		}
		o.tell(s, orgs[0])
		return fn(h, access.CommandLine(orgs[0].ID))
	})
}

// knowing is the organization that is named; when none is, all that find finds by ref, or else the operator's own.
func (o OrganizationOrAll) knowing(s *surroundings, h *app.House, ref string, find func(context.Context, access.Caller, string) ([]directory.Organization, error)) ([]directory.Organization, error) {
	if o.Org == "" {
		if found, err := find(s, operator, ref); err != nil || len(found) > 0 {
			return found, err
		}
	}
	org, err := h.Directory.Organization(s, cmp.Or(o.Org, "default"))
	return []directory.Organization{org}, err
}

// organizations is the organization that is named; when none is, all of them, the operator's own first.
func (o OrganizationOrAll) organizations(s *surroundings, h *app.House) ([]directory.Organization, error) {
	if o.Org == "" {
		return h.Directory.Organizations(s, operator)
	}
	org, err := h.Directory.Organization(s, o.Org)
	return []directory.Organization{org}, err
}

// tell tells who named no organization in which one somebody was found.
func (o OrganizationOrAll) tell(s *surroundings, found directory.Organization) {
	if o.Org == "" && found.ID != id.DefaultOrg {
		fmt.Fprintf(s.err, "In the organization %s (%s):\n", found.Slug, found.Name)
	}
}

// printOf is print for rows that begin with an organization, which is shown where there are several.
func (o Output) printOf(s *surroundings, orgs []directory.Organization, value any, heads []string, rows [][]string) error {
	if len(orgs) > 1 {
		return o.print(s, value, append([]string{"org"}, heads...), rows)
	}
	for i := range rows {
		rows[i] = rows[i][1:]
	}
	return o.print(s, value, heads, rows)
}

// slugs are those that were asked for before.
type slugs map[id.OrgID]string

// of is the slug of an organization, empty once it was discarded.
func (k slugs) of(s *surroundings, h *app.House, org id.OrgID) (string, error) {
	if slug, known := k[org]; known {
		return slug, nil
	}
	o, err := h.Directory.OrganizationByID(s, org)
	if err != nil && !fault.Is(err, fault.NotFound) {
		return "", err
	}
	k[org] = o.Slug
	return o.Slug, nil
}

// OrgCommand groups the commands on organizations.
type OrgCommand struct {
	List OrgList `cmd:"" help:"List organizations in the order they were made, with how many people each has."`
}

// OrgList is `org list`.
type OrgList struct {
	Output
}

type listedOrg struct {
	Slug      string  `json:"slug"`
	Name      string  `json:"name"`
	CreatedAt *string `json:"createdAt"` // null of the one that was there from the start
	People    int64   `json:"people"`
}

// Run lists the organizations.
func (c *OrgList) Run(s *surroundings) error {
	return s.house(func(h *app.House) error {
		orgs, err := h.Directory.Organizations(s, operator)
		if err != nil {
			return err
		}
		out, rows := []listedOrg{}, [][]string{}
		for _, o := range orgs {
			if o.ID == id.DefaultOrg {
				o.Created = time.Time{}
			}
			out = append(out, listedOrg{o.Slug, o.Name, orNull(o.Created), o.People})
			rows = append(rows, []string{o.Slug, o.Name, when(o.Created), strconv.FormatInt(o.People, 10)})
		}
		return c.print(s, out, []string{"slug", "name", "created", "people"}, rows)
	})
}
