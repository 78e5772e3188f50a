package main

import (
	"fmt"
	"strings"

	"rollway/internal/access"
	"rollway/internal/app"
	"rollway/internal/directory"
)

type shownTrace struct {
	Org       string          `json:"org"`
	Ref       string          `json:"ref"`
	Person    *shownPerson    `json:"person"` // null when nobody is known by ref
	Decisions []shownDecision `json:"decisions"`
	Earlier   bool            `json:"earlier"` // there are older ones, which are left out
}

type shownDecision struct {
	At     string `json:"at"`
	LastAt string `json:"lastAt"` // later than at for a refusal that happened again
	Times  int64  `json:"times"`
	directory.Decision
}

func shownTraceOf(org string, t directory.Trace) shownTrace {
	out := shownTrace{Org: org, Ref: t.Ref, Decisions: []shownDecision{}, Earlier: t.Earlier}
	if t.Person != nil {
		p := shown(*t.Person)
		out.Person = &p
	}
	for _, d := range t.Decisions {
		out.Decisions = append(out.Decisions, shownDecision{when(d.At), when(d.Last), d.Times, d})
	}
	return out
}

// WhyCommand is `why`.
type WhyCommand struct {
	Person string `arg:"" help:"Id, e-mail address, or homePage|name; of a person or of nobody."`
	OrganizationOrAll
	Output
}

// Run tells the decisions in sentences, or as one JSON object a line for each organization that made some.
func (c *WhyCommand) Run(s *surroundings) error {
	return s.house(func(h *app.House) error {
		orgs, err := c.knowing(s, h, c.Person, h.Directory.Deciding)
		if err != nil {
			return err
		}
		if len(orgs) == 1 {
			c.tell(s, orgs[0])
		}
		for i, o := range orgs {
			why, err := h.Directory.Why(s, access.CommandLine(o.ID), c.Person)
			switch {
			case err != nil:
			case c.Output.Output == "json":
				err = printJSON(s, shownTraceOf(o.Slug, why))
			default:
				text := strings.Join(why.Sentences(), "\n")
				if len(orgs) > 1 {
					text = fmt.Sprintf("In the organization %s (%s):\n%s%s", o.Slug, o.Name, text, strings.Repeat("\n", min(len(orgs)-1-i, 1)))
				}
				_, err = fmt.Fprintln(s.out, text)
			}
			if err != nil {
				return err
			}
		}
		return nil
	})
}
