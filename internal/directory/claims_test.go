package directory

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"rollway/internal/access"
	"rollway/internal/fault"
	"rollway/internal/fault/faulttest"
	"rollway/internal/id"
)

func TestClaimsThatCannotBeTaken(t *testing.T) {
	t.Parallel()
	with := func(change func(*Claims)) Claims {
		c := claims("a", "City=Perth")
		change(&c)
		return c
	}
	attribute := func(name string, v Value) Claims {
		return with(func(c *Claims) { c.Attributes[name] = v })
	}
	for _, c := range []struct {
		name, code, fields string
		claims             Claims
	}{
		{"a long name", "invalid_claims", "/name", with(func(c *Claims) { c.Name = strings.Repeat("ä", MaxName+1) })},
		{"a control character in a name", "invalid_claims", "/name", with(func(c *Claims) { c.Name = "a\x1b[0m" })},
		{"a name that is not UTF-8", "invalid_claims", "/name", with(func(c *Claims) { c.Name = "a\xff" })},
		{"a long identifier", "invalid_claims", "/agent", with(func(c *Claims) { c.Agent = account("https://example.com", strings.Repeat("x", MaxIdentifier)) })},
		{"an identifier with NUL", "invalid_claims", "/agent", with(func(c *Claims) { c.Agent.IFI.Account.Name = "a\x00" })},
		{"a link without a key", "invalid_claims", "/link", with(func(c *Claims) { c.Link.Space = "hr" })},
		{"a long link", "invalid_claims", "/link", with(func(c *Claims) { c.Link = Link{"hr", strings.Repeat("k", MaxKey+1)} })},
		{"a blank attribute", "invalid_claims", "/attributes/ ", attribute(" ", Text("x"))},
		{"a long attribute name", "invalid_claims", "/attributes/" + strings.Repeat("k", MaxKey+1), attribute(strings.Repeat("k", MaxKey+1), Text("x"))},
		{"a line break in an attribute name", "invalid_claims", "/attributes/a\nb", attribute("a\nb", Text("x"))},
		{"a long value", "invalid_claims", "/attributes/Bio~1", attribute("Bio/", Text(strings.Repeat("v", MaxValue+1)))},
		{"a value with NUL", "invalid_claims", "/attributes/Bio", attribute("Bio", Text("a\x00b"))},
		{"a value that is not UTF-8", "invalid_claims", "/attributes/Bio", attribute("Bio", Text("a\xc0"))},
		{"two names that are one after trimming", "attribute_twice", "/attributes/City", attribute(" City", Text("x"))},
		{"an unknown source", "unknown_source", "", with(func(c *Claims) { c.Source = "gossip" })},
		{"everything at once", "invalid_claims", "/attributes/A /attributes/B /name", with(func(c *Claims) {
			c.Name = "\n\x00"
			c.Attributes["A"], c.Attributes["B"] = Text("\x00"), Text("\x00")
		})},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := check(lms(), c.claims)
			if f := faulttest.Want(t, err, fault.Invalid, c.code); fieldNames(f) != c.fields {
				t.Errorf("fields %q, want %q", fieldNames(f), c.fields)
			}
		})
	}
	many := claims("a")
	for i := range MaxAttributes + 1 {
		many.Attributes[fmt.Sprint(i)] = Text("x")
	}
	_, err := check(lms(), many)
	faulttest.Want(t, err, fault.Invalid, "too_many_attributes")
	delete(many.Attributes, "0")
	if _, err := check(lms(), many); err != nil {
		t.Error(err)
	}
}

func TestEachSourceHasItsScope(t *testing.T) {
	t.Parallel()
	for source, scope := range map[Source]access.Scope{ByAdmin: access.PeopleWrite, ByAPI: access.PeopleWrite, BySSO: access.PeopleWrite,
		ByCSV: access.Import, ByFeed: access.Import, BySCIM: access.SCIM, BySignup: access.Signup} {
		c := claims("a")
		c.Source = source
		if _, err := check(access.Caller{Org: 1, Kind: access.ServiceAccount, Scopes: scope}, c); err != nil {
			t.Errorf("%s: %v", source, err)
		}
		_, err := check(access.Caller{Org: 1, Kind: access.ServiceAccount, Scopes: (access.PeopleWrite | access.Import | access.SCIM | access.Signup) &^ scope}, c)
		faulttest.Want(t, err, fault.Forbidden, "scope_missing")
		if channels[source] == "" {
			t.Errorf("%s has no words", source)
		}
	}
}

func TestAttributesAreStringsNumbersAndBooleans(t *testing.T) {
	t.Parallel()
	got, err := ParseAttributes([]byte(`{"s":" \u00e9\n","n":-1.50e3,"big":12345678901234567890,"t":true,"f":false,"gone":null}`))
	want := map[string]Value{"s": Text(" é\n"), "n": {'0', "-1.50e3"}, "big": {'0', "12345678901234567890"}, "t": Bool(true), "f": Bool(false), "gone": Null}
	if err != nil || !equal(got, want) {
		t.Errorf("%v, %v", got, err)
	}
	_, err = ParseAttributes([]byte(`{"ok":1,"list":[1],"a/b":{"c":2}}`))
	if f := faulttest.Want(t, err, fault.Invalid, "invalid_attributes"); fieldNames(f) != "/attributes/list /attributes/a~1b" {
		t.Errorf("%+v", f)
	}
	for _, bad := range []string{"", "[]", "1", `{"a":1,"a":2}`, `{"a":1`, `{"a":"\ud800"}`, "{\"a\":\"\xff\"}", `{"a":01}`, `{"a":1} {}`, `{} x`} {
		if _, err := ParseAttributes([]byte(bad)); !fault.Is(err, fault.Invalid) {
			t.Errorf("%s: %v", bad, err)
		}
	}
	for kind, v := range map[string]Value{"string": Text("x"), "number": {'0', "1"}, "boolean": Bool(true), "null": Null} {
		if v.Kind() != kind {
			t.Errorf("%v is %s, not %s", v, v.Kind(), kind)
		}
	}
}

// FuzzParseAttributes: what is accepted comes back the same from its own JSON.
func FuzzParseAttributes(f *testing.F) {
	f.Add([]byte(`{"a":"b","n":1.0,"t":true,"x":null}`))
	f.Add([]byte(`{"a":[{}]}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		got, err := ParseAttributes(raw)
		if err != nil {
			return
		}
		if !json.Valid(raw) {
			t.Fatalf("accepted %q", raw)
		}
		text, err := json.Marshal(got)
		if err != nil {
			t.Fatal(err)
		}
		again, err := ParseAttributes(text)
		if err != nil || !equal(got, again) {
			t.Fatalf("%v became %v, %v", got, again, err)
		}
	})
}

func TestReferences(t *testing.T) {
	t.Parallel()
	who := id.New[id.PersonID]()
	for text, want := range map[string]reference{
		who.String():                                {person: who},
		" Jane@Example.com ":                        {mail: "jane@example.com", ifi: "mbox:mailto:Jane@example.com"},
		"jöé@exämple.com":                           {mail: "jöé@exämple.com", ifi: "mbox:mailto:jöé@exämple.com"},
		"jane doe@example.com":                      {mail: "jane doe@example.com"},
		"https://example.com|jane|doe":              {ifi: account("https://example.com", "jane|doe").IFI.Key()},
		"mailto:jane@example.com":                   {ifi: "mbox:mailto:jane@example.com"},
		"mbox:mailto:jane@example.com":              {ifi: "mbox:mailto:jane@example.com"},
		"https://openid.example/jane":               {ifi: "openid:https://openid.example/jane"},
		account("https://a.example", "x").IFI.Key(): {ifi: account("https://a.example", "x").IFI.Key()},
	} {
		got, err := parseReference(text)
		want.text = strings.TrimSpace(text)
		if err != nil || got != want {
			t.Errorf("%s: %+v, %v, want %+v", text, got, err, want)
		}
	}
	for _, bad := range []string{"", "jane", "|x", "https://example.com|", "a@\x00", "\xff@x", strings.Repeat("x", 2000) + "@x"} {
		_, err := parseReference(bad)
		faulttest.Want(t, err, fault.Invalid, "unknown_reference")
	}
}
