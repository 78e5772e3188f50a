package portal

import (
	"embed"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"rollway/internal/fault"
	"rollway/xapi"
)

// Languages that the pages speak, the first one being for everybody else.
var languages = []string{"en", "fr", "de", "es"}

// languageNames are what each language calls itself.
var languageNames = map[string]string{"en": "English", "fr": "Français", "de": "Deutsch", "es": "Español"}

//go:embed words/*.json
var wordFiles embed.FS

// phrase is a text, in its forms for one and for other numbers. Most have only one.
type phrase struct{ one, other string }

func (p *phrase) UnmarshalJSON(raw []byte) error {
	if jsontext.Value(raw).Kind() == '"' {
		return json.Unmarshal(raw, &p.other)
	}
	forms := struct {
		One   string `json:"one"`
		Other string `json:"other"`
	}{}
	err := json.Unmarshal(raw, &forms, json.RejectUnknownMembers(true))
	p.one, p.other = forms.One, forms.Other
	return err
}

// words are all texts in one language by their keys. {name} stands for what a page puts in.
type words struct {
	lang    string
	phrases map[string]phrase
}

var catalogue = func() map[string]*words {
	all := map[string]*words{}
	for _, lang := range languages {
		raw, err := wordFiles.ReadFile("words/" + lang + ".json")
		if err != nil {
			panic(err)
		}
		w := &words{lang: lang}
		if err := json.Unmarshal(raw, &w.phrases); err != nil {
			panic(fmt.Errorf("words/%s.json: %w", lang, err))
		}
		all[lang] = w
	}
	return all
}()

// pickLanguage returns the language chosen before, if there is one, or the one that suits the reader of an Accept-Language
// header best.
func pickLanguage(chosen, accept string) string {
	if _, ok := catalogue[chosen]; ok {
		return chosen
	}
	return languages[xapi.ParseAcceptLanguage(accept).Pick(languages)]
}

// T is the text of a key, with names and values in turn put in for {name}. A key that is not there is an error, which ends
// the template: the tests render every page in every language.
func (w *words) T(key string, args ...any) (string, error) {
	p, ok := w.phrases[key]
	if !ok {
		return "", fmt.Errorf("words/%s.json has no %q", w.lang, key)
	}
	return fill(key, p.other, args)
}

// N is T for a text that counts: {n} is the number, and the form is that of the language's plural rule.
func (w *words) N(key string, n int, args ...any) (string, error) {
	p, ok := w.phrases[key]
	if !ok {
		return "", fmt.Errorf("words/%s.json has no %q", w.lang, key)
	}
	text := p.other
	if w.singular(n) && p.one != "" {
		text = p.one
	}
	return fill(key, text, append([]any{"n", n}, args...))
}

// singular is the plural rule (CLDR, cardinal) as far as whole numbers below a million go.
func (w *words) singular(n int) bool { return n == 1 || n == 0 && w.lang == "fr" }

// say is T for keys that stand in the door's own code, all of which the tests look up.
func (w *words) say(key string, args ...any) string {
	text, err := w.T(key, args...)
	if err != nil {
		panic(err)
	}
	return text
}

// count is N for keys that stand in the door's own code.
func (w *words) count(key string, n int) string {
	text, err := w.N(key, n)
	if err != nil {
		panic(err)
	}
	return text
}

// has tells whether there is a text of this key.
func (w *words) has(key string) bool { _, ok := w.phrases[key]; return ok }

// errorOf words the error of a code, with those of the things that its fault names which the text puts in.
func (w *words) errorOf(code string, args ...any) string {
	return fault.Fill(w.phrases["error."+code].other, args)
}

func fill(key, text string, args []any) (string, error) {
	for i := 0; i+1 < len(args); i += 2 {
		if name := "{" + fmt.Sprint(args[i]) + "}"; !strings.Contains(text, name) && args[i] != "n" {
			return "", fmt.Errorf("%q has no place for %s", key, name)
		}
	}
	return fault.Fill(text, args), nil
}

// Percent writes a share of one hundred.
func (w *words) Percent(n int) string { return w.say("percent", "n", n) }

// Day writes a date.
func (w *words) Day(t time.Time) string {
	t = t.UTC()
	return w.say("date", "day", t.Day(), "month", w.say("month."+strconv.Itoa(int(t.Month()))), "year", t.Year())
}

// clock writes a time to quote, as app.js does.
func (w *words) clock(t time.Time) string { return w.Day(t) + ", " + t.UTC().Format("15:04 UTC") }

// since writes how long ago a time was, and as a date what is older than a week.
func (w *words) since(t, now time.Time) string {
	d := now.Sub(t)
	key, n := "", 0
	switch {
	case d < time.Minute:
		return w.say("time.now")
	case d < time.Hour:
		key, n = "time.minutes", int(d/time.Minute)
	case d < 24*time.Hour:
		key, n = "time.hours", int(d/time.Hour)
	case d < 7*24*time.Hour:
		key, n = "time.days", int(d/(24*time.Hour))
	default:
		return w.Day(t)
	}
	return w.count(key, n)
}
