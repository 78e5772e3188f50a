// Package xapitest generates valid xAPI statements and their parts for property
// tests. What it makes is varied rather than typical: members in any order,
// white space, escapes, SubStatements, every kind of object.
package xapitest

import (
	"encoding/hex"
	"strconv"
	"strings"
	"time"

	"github.com/go-json-experiment/json/jsontext"
	"pgregory.net/rapid"

	"rollway/xapi"
)

// Statement generates the JSON text of a valid statement of one line of the
// standard.
func Statement(line xapi.Version) *rapid.Generator[[]byte] {
	return rapid.Custom(func(t *rapid.T) []byte {
		g := generator{t, line}
		o := g.part(false)
		g.maybe(&o, "id", g.uuid)
		g.maybe(&o, "stored", g.timestamp)
		g.maybe(&o, "authority", func() string {
			if g.chance() {
				return g.agent(false)
			}
			return g.object(member{"objectType", `"Group"`}, member{"member", g.array(2, 2, func() string { return g.agent(false) })})
		})
		g.maybe(&o, "version", func() string {
			if line == xapi.V2 {
				return g.choose(`"1.0.3"`, `"2.0.0"`)
			}
			return g.choose(`"1.0"`, `"1.0.0"`, `"1.0.9"`)
		})
		return []byte(g.space() + g.object(o...) + g.space())
	})
}

// IFI generates identifiers of all four kinds.
func IFI() *rapid.Generator[xapi.IFI] {
	return rapid.Custom(func(t *rapid.T) xapi.IFI {
		var i xapi.IFI
		var err error
		switch word := rapid.StringMatching(`[a-z0-9.+-]{1,12}`).Draw(t, "word"); rapid.IntRange(0, 3).Draw(t, "kind") {
		case 0:
			i, err = xapi.ParseMbox("mailto:" + word + "@Example.com")
		case 1:
			i, err = xapi.ParseMboxSHA1Sum(strings.Repeat("0", 40-2*len(word)) + hex.EncodeToString([]byte(word)))
		case 2:
			i, err = xapi.ParseOpenID("https://" + word + ".example.com/")
		case 3:
			i, err = xapi.ParseAccount("https://"+word+".example.com", "n"+clean(rapid.StringN(0, 20, -1).Draw(t, "name")))
		}
		if err != nil {
			t.Fatalf("generated a bad identifier: %v", err)
		}
		return i
	})
}

type generator struct {
	t    *rapid.T
	line xapi.Version
}

type member struct{ name, value string }

func (g generator) chance() bool { return rapid.Bool().Draw(g.t, "chance") }

func (g generator) choose(values ...string) string {
	return rapid.SampledFrom(values).Draw(g.t, "choice")
}

func (g generator) maybe(o *[]member, name string, value func() string) {
	if g.chance() {
		*o = append(*o, member{name, value()})
	}
}

func (g generator) space() string { return g.choose("", "", "", " ", "\n\t", "\r\n") }

// object writes the members in any order.
func (g generator) object(members ...member) string {
	var b strings.Builder
	b.WriteString("{" + g.space())
	for i, m := range rapid.Permutation(members).Draw(g.t, "order") {
		if i > 0 {
			b.WriteString("," + g.space())
		}
		b.WriteString(quote(m.name) + g.space() + ":" + g.space() + m.value)
	}
	return b.String() + g.space() + "}"
}

func (g generator) array(least, most int, elem func() string) string {
	elems := make([]string, rapid.IntRange(least, most).Draw(g.t, "length"))
	for i := range elems {
		elems[i] = elem()
	}
	return "[" + g.space() + strings.Join(elems, ","+g.space()) + "]"
}

func quote(s string) string {
	quoted, err := jsontext.AppendQuote(nil, s)
	if err != nil {
		panic(err)
	}
	return string(quoted)
}

func (g generator) text() string {
	return quote(clean(rapid.StringN(0, 12, -1).Draw(g.t, "text")))
}

func clean(s string) string { return strings.ReplaceAll(strings.ToValidUTF8(s, ""), "\x00", "") }

func (g generator) iri() string {
	return g.choose(`"http://example.com/a"`, `"https://example.com/%C3%A4?q=1#f"`, `"urn:uuid:1"`,
		`"tag:example.com,2026:x"`, `"http:\/\/example.com\/\u00e9"`, `"http://例え.jp/道"`)
}

func (g generator) uuid() string {
	raw := rapid.SliceOfN(rapid.Byte(), 16, 16).Draw(g.t, "uuid")
	raw[0] |= 1 // the zero UUID means absent in typed values
	text := xapi.UUID(raw).String()
	if g.chance() {
		text = strings.ToUpper(text)
	}
	return quote(text)
}

func (g generator) timestamp() string {
	at := time.Unix(rapid.Int64Range(0, 4e9).Draw(g.t, "time"), 0).UTC()
	return quote(at.Format("2006-01-02T15:04:05") + g.choose("", ".1", ".123", ".123456") + g.choose("Z", "", "+02:00", "-0330", "+01"))
}

func (g generator) languageMap() string {
	var o []member
	for _, tag := range []string{"en", "de-DE", "zh-Hant", "x-own"} {
		g.maybe(&o, tag, g.text)
	}
	return g.object(o...)
}

func (g generator) extensions() string {
	var o []member
	for i, value := range []string{"null", `{"a":[1,{"b":null}],"c":""}`, "[]", "1.50e3", "true"} {
		g.maybe(&o, "http://example.com/ext/"+strconv.Itoa(i), func() string { return value })
	}
	return g.object(o...)
}

// identifier makes the member of one of the four identifiers.
func (g generator) identifier() member {
	switch g.choose("mbox", "mbox_sha1sum", "openid", "account") {
	case "mbox":
		return member{"mbox", g.choose(`"mailto:ada@example.com"`, `"mailto:Bo.B+x@EXAMPLE.com"`)}
	case "mbox_sha1sum":
		return member{"mbox_sha1sum", g.choose(`"`+strings.Repeat("0a", 20)+`"`, `"`+strings.Repeat("F1", 20)+`"`)}
	case "openid":
		return member{"openid", g.iri()}
	}
	name := rapid.StringMatching(`[ -~é]{1,10}`).Draw(g.t, "name")
	return member{"account", g.object(member{"homePage", g.iri()}, member{"name", quote(name)})}
}

func (g generator) agent(typed bool) string {
	o := []member{g.identifier()}
	if typed || g.chance() {
		o = append(o, member{"objectType", `"Agent"`})
	}
	g.maybe(&o, "name", g.text)
	return g.object(o...)
}

func (g generator) group() string {
	o := []member{{"objectType", `"Group"`}}
	least := 1
	if g.chance() {
		o = append(o, g.identifier())
		least = 0
	}
	if least == 1 || g.chance() {
		o = append(o, member{"member", g.array(least, 3, func() string { return g.agent(false) })})
	}
	g.maybe(&o, "name", g.text)
	return g.object(o...)
}

func (g generator) actor(typed bool) string {
	if g.chance() {
		return g.group()
	}
	return g.agent(typed)
}
