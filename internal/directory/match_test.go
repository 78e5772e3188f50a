package directory

import (
	"strings"
	"testing"

	"rollway/internal/access"
	"rollway/internal/id"
)

// world is a small hand-made database for the pure rules: jane, boss (an administrator) and eve (pending).
type world struct{ jane, boss, eve *record }

func newWorld() world {
	person := func(name string, state State) *record {
		return &record{version: 1, next: 1, trusted: map[string]bool{"Email": true},
			Person: Person{ID: id.New[id.PersonID](), Org: 1, Name: name, State: state, Attributes: map[string]Value{"Email": Text(name + "@example.com")}}}
	}
	w := world{person("jane", Active), person("boss", Active), person("eve", Pending)}
	w.boss.Privileged = true
	return w
}

func (w world) found(owners ...owner) *found {
	f := &found{owners: owners, people: map[id.PersonID]*record{}, declared: map[string]Attribute{
		"email": {Name: "Email", Unique: true}, "badge": {Name: "Badge", Unique: true}, "city": {Name: "City"}}}
	for _, p := range []*record{w.jane, w.boss, w.eve} {
		for _, o := range owners {
			if o.person == p.ID {
				f.people[p.ID] = p
			}
		}
	}
	return f
}

func TestMatch(t *testing.T) {
	t.Parallel()
	w := newWorld()
	weak := lms()
	weak.Scopes = access.PeopleWrite
	strong := access.CommandLine(1)
	agent := func(p *record) owner { return owner{by: byAgent, person: p.ID} }
	link := func(p *record) owner { return owner{by: byLink, person: p.ID} }
	target := func(p *record) owner { return owner{by: byTarget, person: p.ID} }
	mail := func(p *record) owner { return owner{by: byValue, key: "email", person: p.ID} }
	badge := func(p *record) owner { return owner{by: byValue, key: "badge", person: p.ID} }
	sent := claims("new", "Email=x@example.com", "Badge=7")
	edited := sent
	edited.Person = w.jane.ID
	pending := sent
	pending.Source, pending.Pending, pending.Agent.IFI = BySignup, true, account(publicURL, "x").IFI
	unverified := sent
	unverified.Source = BySSO
	verified := unverified
	verified.Verified = []string{"E-Mail", "email"}
	for _, c := range []struct {
		name   string
		caller access.Caller
		claims Claims
		owners []owner
		want   *record
		code   string
		by     string
	}{
		{"nobody", lms(), sent, nil, nil, "", ""},
		{"the agent", weak, sent, []owner{agent(w.jane)}, w.jane, "", "the identifier"},
		{"the agent of an administrator", weak, sent, []owner{agent(w.boss)}, w.boss, "", "the identifier"},
		{"the agent and a value of one person", weak, sent, []owner{mail(w.jane), agent(w.jane)}, w.jane, "", "the identifier, Email"},
		{"the agent and a value of an administrator", weak, sent, []owner{mail(w.boss), agent(w.boss)}, w.boss, "", "the identifier, Email"},
		{"the agent of a pending person", strong, sent, []owner{agent(w.eve)}, nil, "person_pending", "the identifier"},
		{"the link", weak, sent, []owner{link(w.jane)}, w.jane, "", "the link"},
		{"the link ranks first", weak, sent, []owner{badge(w.jane), mail(w.jane), agent(w.jane), link(w.jane)}, w.jane, "", "the link, the identifier, Badge, Email"},
		{"a value", lms(), sent, []owner{mail(w.jane)}, w.jane, "", "Email"},
		{"two values of one person", lms(), sent, []owner{mail(w.jane), badge(w.jane)}, w.jane, "", "Badge, Email"},
		{"a value without the scope", weak, sent, []owner{mail(w.jane)}, nil, "value_taken", "Email"},
		{"a value of an administrator", lms(), sent, []owner{mail(w.boss)}, nil, "value_taken", "Email"},
		{"a value of an administrator, asked by one", strong, sent, []owner{mail(w.boss)}, nil, "value_taken", "Email"},
		{"the agent and another's value", lms(), sent, []owner{agent(w.jane), mail(w.boss)}, nil, "identity_conflict", "the identifier; Email"},
		{"the link and another's agent", lms(), sent, []owner{agent(w.jane), link(w.boss)}, nil, "identity_conflict", "the link; the identifier"},
		{"two values of two people", lms(), sent, []owner{badge(w.jane), mail(w.boss)}, nil, "identity_conflict", "Badge; Email"},
		{"a value that nobody vouches for", strong, unverified, []owner{mail(w.jane)}, nil, "value_taken", "Email"},
		{"a verified value", strong, verified, []owner{mail(w.jane)}, w.jane, "", "Email"},
		{"a verified value and another that is not", strong, verified, []owner{mail(w.jane), badge(w.jane)}, w.jane, "", "Badge, Email"},
		{"an unverified value only", strong, verified, []owner{badge(w.jane)}, nil, "value_taken", "Badge"},
		{"a sign-up of a known address", strong, pending, []owner{mail(w.jane)}, nil, "value_taken", "Email"},
		{"an edit", weak, edited, []owner{target(w.jane)}, w.jane, "", "the person"},
		{"an edit to one's own value", weak, edited, []owner{mail(w.jane), target(w.jane)}, w.jane, "", "the person, Email"},
		{"an edit to another's value", strong, edited, []owner{target(w.jane), mail(w.boss)}, nil, "identity_conflict", "the person; Email"},
		{"an edit of nobody", strong, edited, nil, nil, "person_unknown", ""},
		{"outside the home pages", lms("https://hr.example.com"), sent, nil, nil, "home_page_forbidden", ""},
		{"outside the home pages, and a value", lms("https://hr.example.com"), sent, []owner{mail(w.jane)}, nil, "home_page_forbidden", "Email"},
		{"a known agent outside the home pages", lms("https://hr.example.com"), sent, []owner{agent(w.jane)}, w.jane, "", "the identifier"},
	} {
		t.Run(c.name, func(t *testing.T) {
			r, err := check(withScopes(c.caller, access.Signup), c.claims)
			if err != nil {
				t.Fatal(err)
			}
			got, candidates, no := match(r, w.found(c.owners...))
			code := ""
			if no != nil {
				code = no.Code
				if strings.Contains(no.Message, "x@example.com") {
					t.Errorf("the message tells a value: %s", no.Message)
				}
			}
			var by []string
			for _, x := range candidates {
				by = append(by, strings.Join(x.By, ", "))
			}
			if got != c.want || code != c.code || strings.Join(by, "; ") != c.by {
				t.Errorf("got %v %q by %q, want %v %q by %q", got, code, strings.Join(by, "; "), c.want, c.code, c.by)
			}
		})
	}
}

func withScopes(c access.Caller, s access.Scope) access.Caller {
	c.Scopes |= s
	return c
}

func TestHomePages(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		prefix, page string
		want         bool
	}{
		{"https://example.com", "https://example.com", true},
		{"https://example.com", "https://example.com/", true},
		{"https://example.com/", "https://example.com", true},
		{"https://example.com", "https://EXAMPLE.com/a", true},
		{"https://example.com", "HTTPS://example.com/a?b#c", true},
		{"https://example.com", "https://example.com:443/a", true},
		{"https://example.com", "https://example.com:8443", false},
		{"https://example.com", "http://example.com", false},
		{"https://example.com", "https://example.com.evil", false},
		{"https://example.com", "https://example.comevil", false},
		{"https://example.com", "https://example.com@evil", false},
		{"https://example.com", "https://u@example.com", false},
		{"https://example.com", `https://example.com\@evil`, false},
		{"https://example.com", "https://sub.example.com", false},
		{"https://example.com", "//example.com", false},
		{"https://example.com/hr", "https://example.com/hr", true},
		{"https://example.com/hr", "https://example.com/hr/x", true},
		{"https://example.com/hr/", "https://example.com/hr", true},
		{"https://example.com/hr", "https://example.com/hr?x", true},
		{"https://example.com/hr", "https://example.com/hrx", false},
		{"https://example.com/hr", "https://example.com/", false},
		{"https://example.com/hr", "https://example.com/hr/../it", false},
		{"https://example.com/hr", "https://example.com/hr/%2e%2E/it", false},
		{"https://example.com/hr", "https://example.com/hr/.%2e%2fit", false},
		{"https://example.com/hr", "https://example.com/hr%2Fx", false},
		{"urn:example:hr", "urn:example:hr", true},
		{"urn:example:hr", "urn:example:hr:x", false},
		{"", "https://example.com", false},
		{"https://", "https://example.com", false},
		{"https://example.com?x", "https://example.com/a", false},
	} {
		if got := below(c.prefix, c.page); got != c.want {
			t.Errorf("below(%q, %q) = %v", c.prefix, c.page, got)
		}
	}
	if !within(nil, mbox("a@example.com").IFI) || within([]string{"https://example.com"}, mbox("a@example.com").IFI) {
		t.Error("an mbox is on no home page")
	}
}

func TestMerge(t *testing.T) {
	t.Parallel()
	w := newWorld()
	draftOf := func(c Claims, p *record, owners ...owner) *plan {
		t.Helper()
		r, err := check(admin, c)
		if err != nil {
			t.Fatal(err)
		}
		d, no, err := draft(r, w.found(owners...), p)
		if err != nil || no != nil {
			t.Fatal(err, no)
		}
		return d
	}
	target := owner{by: byTarget, person: w.jane.ID}
	edit := func(attributes ...string) Claims {
		c := claims("", attributes...)
		c.Source, c.Person = ByAdmin, w.jane.ID
		return c
	}
	if d := draftOf(edit("EMAIL=Jane@Example.com"), w.jane, target); len(d.hold)+len(d.release) != 0 || d.after.Attributes["Email"] != Text("Jane@Example.com") || len(d.after.Attributes) != 1 {
		t.Errorf("a change of case moves what is held: %+v", d)
	}
	if d := draftOf(edit("Email=j@example.com"), w.jane, target); len(d.hold) != 1 || d.hold[0] != (uniqueValue{"email", "j@example.com"}) || d.release[0] != (uniqueValue{"email", "jane@example.com"}) {
		t.Errorf("%+v", d)
	}
	if d := draftOf(edit("Email=jane@example.com", "City= "), w.jane, target); d.outcome != Unchanged || len(d.changes) != 0 {
		t.Errorf("%+v", d)
	}
	gone := edit()
	gone.Attributes["email"] = Null
	if d := draftOf(gone, w.jane, target); len(d.release) != 1 || len(d.hold) != 0 || len(d.drop) != 1 || d.drop[0] != "Email" {
		t.Errorf("%+v", d)
	}
	if w.jane.Attributes["Email"] != Text("jane@example.com") {
		t.Error("the plan changed what it was made from")
	}
	r, err := check(admin, edit("Email=a@example.com", "email=b@example.com"))
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := draft(r, w.found(target), w.jane); err == nil || !strings.Contains(err.Error(), "twice") {
		t.Errorf("two spellings of one attribute: %v", err)
	}
}

func TestNormalize(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ attribute, text, want string }{
		{"email", "  Jane.Doe@Example.COM\t", "jane.doe@example.com"},
		{"work e-mail", "A@B.C", "a@b.c"},
		{"email", "STRASSE@example.com", "strasse@example.com"},
		{"email", "straße@example.com", "straße@example.com"}, // another mailbox than strasse
		{"email", "mİke@example.com", "mİke@example.com"},     // not mike
		{"email", "ſam@example.com", "ſam@example.com"},       // not sam
		{"email", "JOSE\u0301@example.com", "josé@example.com"},
		{"email", "ÄÖ@example.com", "äö@example.com"},
		{"employee id", " 007 ", "007"},
		{"employee id", "ab", "ab"},
		{"employee id", "AB", "AB"},
		{"employee id", "e\u0301", "é"},
	} {
		if got := normalize(c.attribute, c.text); got != c.want {
			t.Errorf("normalize(%q, %q) = %q, want %q", c.attribute, c.text, got, c.want)
		}
	}
}
