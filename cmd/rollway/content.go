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
	Add  ContentAdd  `cmd:"" makes:"house" help:"Add a package (a zip with tincan.xml), or an address elsewhere. Examples: rollway content add course.zip; rollway content add --activity https://example.com/course --url https://example.com/start --title Course"`
	List ContentList `cmd:"" help:"List content."`
}

type shownContent struct {
	ActivityID string  `json:"activityId"`
	PackageID  *string `json:"packageId"`
	Kind       string  `json:"kind"`
	Title      string  `json:"title"`
	URL        string  `json:"url,omitempty"`
	CreatedAt  string  `json:"createdAt"`
}

func shownOf(c content.Content) shownContent {
	out := shownContent{ActivityID: c.Activity, Kind: string(c.Kind), Title: c.Title, URL: c.URL, CreatedAt: when(c.Created)}
	if !c.Package.IsZero() {
		p := c.Package.String()
		out.PackageID = &p
	}
	return out
}

func (o Output) printContent(s *surroundings, items []content.Content, one bool) error {
	out, rows := []shownContent{}, [][]string{}
	for _, c := range items {
		out = append(out, shownOf(c))
		rows = append(rows, []string{c.Activity, string(c.Kind), c.Title, when(c.Created)})
	}
	heads := []string{"activity", "kind", "title", "added"}
	if one {
		return o.print(s, out[0], heads, rows)
	}
	return o.print(s, out, heads, rows)
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
	return s.houseOf(c.Organization, func(h *app.House, caller access.Caller) error {
		var added content.Content
		var err error
		if elsewhere {
			added, err = h.Content.AddLink(s, caller, c.Activity, c.URL, c.Title)
			err = usage(err)
		} else {
			added, err = c.addFile(s, h, caller)
		}
		if err != nil {
			return err
		}
		return c.printContent(s, []content.Content{added}, true)
	})
}

func (c *ContentAdd) addFile(s *surroundings, h *app.House, caller access.Caller) (added content.Content, err error) {
	f, err := os.Open(c.File)
	if err != nil {
		return added, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return added, err
	}
	if !info.Mode().IsRegular() {
		return added, fmt.Errorf("%s is not a file", c.File)
	}
	return h.Content.Add(s, caller, f, info.Size())
}

// ContentList is `content list`.
type ContentList struct {
	Organization
	Output
}

// Run lists the content.
func (c *ContentList) Run(s *surroundings) error {
	return s.houseOf(c.Organization, func(h *app.House, caller access.Caller) error {
		var all []content.Content
		for after := ""; ; {
			page, err := h.Content.List(s, caller, after, 1000)
			if err != nil {
				return err
			}
			all = append(all, page...)
			if len(page) < 1000 {
				break
			}
			after = page[len(page)-1].Activity
		}
		return c.printContent(s, all, false)
	})
}
