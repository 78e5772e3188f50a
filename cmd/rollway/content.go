package main

import (
	"fmt"
	"os"

	"rollway/internal/access"
	"rollway/internal/app"
	"rollway/internal/content"
)

// ContentCommand groups the commands on content.
type ContentCommand struct {
	Add    ContentAdd    `cmd:"" makes:"house" help:"Add a package (a zip with tincan.xml), or an address elsewhere. Examples: rollway content add course.zip; rollway content add --activity https://example.com/course --url https://example.com/start --title Course"`
	List   ContentList   `cmd:"" help:"List content."`
	Remove ContentRemove `cmd:"" help:"Take content out of the catalogue: nobody can launch it any more. Launches that are going on and all records stay. Example: rollway content remove https://example.com/course"`
}

type shownContent struct {
	ActivityID string  `json:"activityId"`
	PackageID  *string `json:"packageId"`
	Kind       string  `json:"kind"`
	Title      string  `json:"title"`
	URL        string  `json:"url,omitempty"`
	CreatedAt  string  `json:"createdAt"`
	Org        string  `json:"org,omitempty"` // where content is listed
}

func shownOf(c content.Content) shownContent {
	out := shownContent{ActivityID: c.Activity, Kind: string(c.Kind), Title: c.Title, URL: c.URL, CreatedAt: when(c.Created)}
	if !c.Package.IsZero() {
		p := c.Package.String()
		out.PackageID = &p
	}
	return out
}

var contentHeads = []string{"activity", "kind", "title", "added"}

func contentRow(c content.Content) []string {
	return []string{c.Activity, string(c.Kind), c.Title, when(c.Created)}
}

// ContentAdd is `content add`.
type ContentAdd struct {
	File     string `arg:"" optional:"" help:"Package to add." placeholder:"FILE.zip"`
	Activity string `help:"Activity id (an IRI) of content elsewhere." placeholder:"IRI"`
	URL      string `name:"url" help:"Address of content elsewhere."`
	Title    string `help:"Title of content elsewhere."`
	Organization
	Output
}

// Run adds the content.
func (c *ContentAdd) Run(s *surroundings) error {
	elsewhere := c.Activity != "" || c.URL != "" || c.Title != ""
	if (c.File != "") == elsewhere {
		return misuse("Give either a package file, or --activity, --url and --title.")
	}
	if elsewhere && (c.Activity == "" || c.URL == "" || c.Title == "") {
		return misuse("Content elsewhere needs all of --activity, --url and --title.")
	}
	if elsewhere {
		if _, err := content.ParseLink(c.Activity, c.URL, c.Title); err != nil { // before a house is made
			return usage(err)
		}
		return c.added(s, func(h *app.House, caller access.Caller) (content.Content, error) {
			return h.Content.AddLink(s, caller, c.Activity, c.URL, c.Title)
		})
	}
	f, err := os.Open(c.File)
	if err != nil {
		return err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return err
	}
	if !info.Mode().IsRegular() {
		return fmt.Errorf("%s is not a file", c.File)
	}
	return c.added(s, func(h *app.House, caller access.Caller) (content.Content, error) {
		return h.Content.Add(s, caller, f, info.Size())
	})
}

// added prints what is added to the house.
func (c *ContentAdd) added(s *surroundings, add func(*app.House, access.Caller) (content.Content, error)) error {
	return s.houseOf(c.Organization, func(h *app.House, caller access.Caller) error {
		added, err := add(h, caller)
		if err != nil {
			return err
		}
		return c.print(s, shownOf(added), contentHeads, [][]string{contentRow(added)})
	})
}

// ContentList is `content list`.
type ContentList struct {
	OrganizationOrAll
	Output
}

// Run lists the content.
func (c *ContentList) Run(s *surroundings) error {
	return s.house(func(h *app.House) error {
		orgs, err := c.organizations(s, h)
		if err != nil {
			return err
		}
		out, rows := []shownContent{}, [][]string{}
		for _, o := range orgs {
			for after, more := "", true; more; {
				page, err := h.Content.List(s, access.CommandLine(o.ID), after, 1000)
				if err != nil {
					return err
				}
				for _, item := range page {
					shown := shownOf(item)
					shown.Org, after = o.Slug, item.Activity
					out, rows = append(out, shown), append(rows, append([]string{o.Slug}, contentRow(item)...))
				}
				more = len(page) == 1000
			}
		}
		return c.printOf(s, orgs, out, contentHeads, rows)
	})
}

// ContentRemove is `content remove`.
type ContentRemove struct {
	Activity string `arg:"" help:"Activity id (an IRI), as rollway content list shows it." placeholder:"IRI"`
	Organization
	Output
}

// Run takes the content out of the catalogue.
func (c *ContentRemove) Run(s *surroundings) error {
	return s.houseOf(c.Organization, func(h *app.House, caller access.Caller) error {
		was, err := h.Content.Remove(s, caller, c.Activity)
		if err != nil {
			return err
		}
		fmt.Fprintln(s.err, "Nobody can launch it any more. Launches that are going on and all records stay.")
		return c.print(s, shownOf(was), contentHeads, [][]string{contentRow(was)})
	})
}
