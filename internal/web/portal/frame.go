package portal

import (
	"embed"
	"html/template"
	"io/fs"
	"path"
	"strings"
	"time"
	"unicode"
)

//go:embed pages/*.html
var pageFiles embed.FS

// templates are the pages by name, each with the layout around it.
var templates = loadTemplates()

func loadTemplates() map[string]*template.Template {
	const layout, parts = "pages/layout.html", "pages/parts.html"
	base := template.Must(template.New("").Option("missingkey=error").ParseFS(pageFiles, layout, parts))
	names, err := fs.Glob(pageFiles, "pages/*.html")
	if err != nil {
		panic(err)
	}
	all := map[string]*template.Template{}
	for _, file := range names {
		if file != layout && file != parts {
			name := strings.TrimSuffix(path.Base(file), ".html")
			all[name] = template.Must(template.Must(base.Clone()).ParseFS(pageFiles, file))
		}
	}
	return all
}

// frame is what every page has around its own content.
type frame struct {
	*words
	Title  string
	Path   string // where the page can be had by GET, for the links of languages
	query  string // and with which query, encoded
	Person *person
	tab    string // icon of the tab that the page belongs to
	now    time.Time
}

// person is who is signed in, as far as the frame shows it.
type person struct {
	Name, Address                      string
	MayAdd, SeesPeople, SeesStatements bool
}

// page is a struct that embeds frame.
type page interface{ framed() *frame }

func (f *frame) framed() *frame { return f }

// Lang is the page's language.
func (f *frame) Lang() string { return f.lang }

// Asset is the address of a file that belongs to the pages.
func (f *frame) Asset(name string) string { return assets[name].url }

// Shape is the class of the body: whose page this is.
func (f *frame) Shape() string {
	if f.Person != nil {
		return "inside"
	}
	return "outside"
}

// choice is a link among several, one of which leads here.
type choice struct {
	Name, Tag, Href, Icon string
	Here                  bool
}

// Languages are links to this page in every language.
func (f *frame) Languages() []choice {
	query := f.query
	if query != "" {
		query += "&"
	}
	var list []choice
	for _, lang := range languages {
		list = append(list, choice{Name: languageNames[lang], Tag: lang, Href: f.Path + "?" + query + "lang=" + lang, Here: lang == f.lang})
	}
	return list
}

// Tabs are the places that whoever is signed in may go to, if there are several.
func (f *frame) Tabs() []choice {
	all := []choice{{Name: f.say("nav.courses"), Href: "/", Icon: "courses"}}
	if f.Person.SeesPeople {
		all = append(all, choice{Name: f.say("nav.people"), Href: "/people", Icon: "people"})
	}
	if f.Person.SeesStatements {
		all = append(all, choice{Name: f.say("nav.records"), Href: "/records", Icon: "records"})
	}
	if len(all) == 1 {
		return nil
	}
	for i := range all {
		all[i].Here = all[i].Icon == f.tab
	}
	return all
}

// AtAccount tells whether this is the page of the account.
func (f *frame) AtAccount() bool { return f.tab == "account" }

// Initial is the first letter of the name of whoever is signed in.
func (f *frame) Initial() string { return initial(f.Person.Name) }

func initial(name string) string {
	for _, r := range name {
		if unicode.IsLetter(r) || unicode.IsDigit(r) {
			return string(unicode.ToUpper(r))
		}
	}
	return "·"
}

// moment is a time as a page shows it.
type moment struct{ ISO, Text string }

func (f *frame) at(t time.Time) *moment {
	if t.IsZero() {
		return nil
	}
	return &moment{t.UTC().Format(time.RFC3339), f.since(t, f.now)}
}
