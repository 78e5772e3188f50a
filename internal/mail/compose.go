package mail

import (
	"bytes"
	_ "embed" // the forms of a letter
	htmltemplate "html/template"
	texttemplate "text/template"

	gomail "github.com/wneessen/go-mail"
)

//go:embed letter.html
var htmlForm string

//go:embed letter.txt
var textForm string

var (
	asHTML = htmltemplate.Must(htmltemplate.New("html").Parse(htmlForm))
	asText = texttemplate.Must(texttemplate.New("text").Parse(textForm))
)

// page is what the forms of a letter show: words that are ready.
type page struct {
	Lang, Site, URL, Subject, Title, Hello string
	Text, After                            []string
	Link, Button, AddressIntro             string
	Code, CodeIntro, Reset, ResetIntro     string
	Reason, News, Unsubscribe, Stop, Colon string
}

// pageOf words a letter.
func (s sender) pageOf(l letter) page {
	c := catalogues()[l.Lang]
	w := c.Letters[l.Kind]
	v := values{"{site}": s.site(), "{name}": greetable(l.Data.Name), "{days}": "", "{valid}": ""}
	if l.Data.Days > 0 {
		v["{days}"] = number(l.Data.Days, c.Day, c.Days)
	}
	if !l.Data.Expires.IsZero() {
		v["{valid}"] = c.span(l.Data.Expires.Sub(l.At))
	}
	one := func(text string) string {
		text, _ = v.fill(text) // what is required is there, see letterOf
		return text
	}
	p := page{Lang: l.Lang, Site: s.site(), URL: s.url, Subject: one(w.Subject), Title: one(w.Title), Text: v.all(w.Text), After: v.all(w.After), Reason: one(w.Reason),
		Code: l.Data.Code, CodeIntro: c.Code, Reset: l.Data.Reset, ResetIntro: c.Reset, News: c.News, Unsubscribe: c.Unsubscribe, Stop: l.Data.Unsubscribe, Colon: c.Colon}
	if w.Button != "" {
		p.Link, p.Button, p.AddressIntro = l.Data.Link, one(w.Button), c.Address
	}
	var named bool
	if p.Hello, named = v.fill(c.Hello); !named {
		p.Hello = c.HelloAll
	}
	return p
}

// compose words a letter and makes a message of it (RFC 5322) in plain text and HTML. Nothing that others wrote stands in a
// header but the address, which was parsed.
func (s sender) compose(l letter) (mailing, error) {
	m := mailing{id: l.ID, at: l.At, from: s.address, to: l.To}
	p := s.pageOf(l)
	var html, text bytes.Buffer
	if err := asHTML.Execute(&html, p); err != nil {
		return m, err
	}
	if err := asText.Execute(&text, p); err != nil {
		return m, err
	}
	msg := gomail.NewMsg(gomail.WithNoDefaultUserAgent())
	if err := msg.FromFormat(s.name, s.address); err != nil {
		return m, err
	}
	if err := msg.To(l.To); err != nil {
		return m, err
	}
	msg.Subject(p.Subject)
	msg.SetMessageIDWithValue(l.ID)
	msg.SetDateWithValue(l.At)
	msg.SetGenHeader("Content-Language", p.Lang)
	msg.SetGenHeader("Auto-Submitted", "auto-generated") // RFC 3834 section 5
	msg.SetGenHeader(gomail.HeaderXAutoResponseSuppress, "All")
	if link := p.Stop; link != "" {
		if err := msg.SetListUnsubscribeOneClick(link); err != nil { // without https it cannot be one click
			msg.SetListUnsubscribe(link)
		}
	}
	msg.SetBodyString(gomail.TypeTextPlain, text.String())
	msg.AddAlternativeString(gomail.TypeTextHTML, html.String())
	var whole bytes.Buffer
	_, err := msg.WriteTo(&whole)
	m.text = whole.Bytes()
	return m, err
}
