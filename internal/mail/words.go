package mail

import (
	"embed"
	"fmt"
	"math"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/go-json-experiment/json"

	"rollway/xapi"
)

//go:embed words/*.json
var wordFiles embed.FS

// languages are those that there is a catalogue for; the first is for everybody else.
var languages = []string{"en", "fr", "de", "es"}

// catalogue is what messages say in one language. {name}, {site}, {days} and {valid} stand for what differs; a paragraph that
// has nothing to put in such a place is left out.
type catalogue struct {
	Hello       string `json:"hello"`
	HelloAll    string `json:"helloAll"` // to somebody whose name is not shown
	Minute      string `json:"minute"`   // and the others: {n} for the number
	Minutes     string `json:"minutes"`
	Hour        string `json:"hour"`
	Hours       string `json:"hours"`
	Day         string `json:"day"`
	Days        string `json:"days"`
	Code        string `json:"code"`
	Address     string `json:"address"`
	Reset       string `json:"reset"`
	News        string `json:"news"` // to somebody who gets the newsletter
	Unsubscribe string `json:"unsubscribe"`
	Colon       string `json:"colon"` // as it stands behind a word

	Letters map[Kind]wording `json:"letters"`
}

// wording is what one kind of message says.
type wording struct {
	Subject string   `json:"subject"`
	Title   string   `json:"title"`
	Text    []string `json:"text"`
	Button  string   `json:"button"` // none when it leads nowhere
	After   []string `json:"after"`  // below button and code
	Reason  string   `json:"reason"` // why this person gets it
}

// catalogues reads the catalogues, which are part of the program, so that a fault in them is one of its own.
var catalogues = sync.OnceValue(func() map[string]catalogue {
	all := map[string]catalogue{}
	for _, lang := range languages {
		text, err := wordFiles.ReadFile("words/" + lang + ".json")
		if err != nil {
			panic(err)
		}
		var c catalogue
		if err := json.Unmarshal(text, &c, json.RejectUnknownMembers(true)); err != nil {
			panic(fmt.Errorf("mail: words/%s.json: %w", lang, err))
		}
		all[lang] = c
	}
	return all
})

// Language is the language of messages to a reader, by a language tag (RFC 5646) or what an Accept-Language header prefers
// (RFC 9110 section 12.5.4): of those that there are the one that suits best, or en.
func Language(wanted string) string {
	return languages[xapi.ParseAcceptLanguage(strings.ReplaceAll(wanted, "_", "-")).Pick(languages)]
}

// number is so many of a unit.
func number(n int, one, many string) string {
	if n == 1 {
		many = one
	}
	return strings.ReplaceAll(many, "{n}", strconv.Itoa(n))
}

// span is a length of time in the unit that suits it.
func (c catalogue) span(d time.Duration) string {
	in := func(unit time.Duration) int { return int(math.Round(float64(d) / float64(unit))) }
	switch {
	case in(time.Hour) >= 48:
		return number(in(24*time.Hour), c.Day, c.Days)
	case in(time.Minute) >= 60:
		return number(in(time.Hour), c.Hour, c.Hours)
	}
	return number(max(in(time.Minute), 1), c.Minute, c.Minutes)
}

// values are what is put in the places of a catalogue; an empty one is missing.
type values map[string]string

// fill puts the values in their places; false when one of them is missing.
func (v values) fill(text string) (string, bool) {
	var pairs []string
	for place, value := range v {
		if value == "" && strings.Contains(text, place) {
			return "", false
		}
		pairs = append(pairs, place, value)
	}
	return strings.NewReplacer(pairs...).Replace(text), true
}

// all fills several and leaves out those that lack something.
func (v values) all(texts []string) (filled []string) {
	for _, t := range texts {
		if t, ok := v.fill(t); ok {
			filled = append(filled, t)
		}
	}
	return filled
}
