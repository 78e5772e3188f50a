package directory

import (
	"fmt"
	"strings"
	"time"

	"rollway/xapi"
)

var channels = map[Source]string{
	ByAdmin: "by hand", ByCSV: "by CSV import", ByFeed: "by a feed", BySSO: "by single sign-on", BySCIM: "by SCIM", BySignup: "by sign-up", ByAPI: "by the API",
}

// Sentences tells the decision in the order it was made: what came in, who was found, what was decided, what was applied,
// what was answered.
func (d *Decision) Sentences() []string {
	out := []string{d.received()}
	switch d.Outcome {
	case WasSuspended, WasResumed, WasConfirmed:
		return append(out, acts[d.Outcome])
	}
	if len(d.Ignored) > 0 {
		out = append(out, "Without effect: "+list(d.Ignored)+".")
	}
	out = append(out, d.candidates(), d.decided())
	for _, c := range d.Changes {
		out = append(out, d.applied(c))
	}
	if d.Outcome != Rejected {
		return append(out, fmt.Sprintf("The answer was %q with %s.", d.Outcome, describe(d.Answer)))
	}
	out = append(out, fmt.Sprintf("The answer was the error %s.", d.Code))
	if d.Times > 1 {
		out = append(out, fmt.Sprintf("The same happened %d times, last on %s.", d.Times, moment(d.Last)))
	}
	return out
}

var acts = map[Outcome]string{
	WasSuspended: "The person was suspended: nothing that acts for them works any more.",
	WasResumed:   "The person was resumed and is active again.",
	WasConfirmed: "The person confirmed their sign-up and is active.",
}

func (d *Decision) received() string {
	var b strings.Builder
	fmt.Fprintf(&b, "On %s %s", moment(d.At), d.Caller)
	if d.Note != "" {
		fmt.Fprintf(&b, " (%q)", d.Note)
	}
	switch d.Outcome {
	case WasSuspended, WasResumed, WasConfirmed:
		return b.String() + " asked for a change of state."
	}
	fmt.Fprintf(&b, " sent, %s, ", channels[d.Source])
	switch {
	case len(d.Found) > 0 && d.Found[0].By[0] == "the person":
		b.WriteString("an edit of this person")
	case d.Agent != "":
		b.WriteString(describe(d.Agent))
	case d.Link.Key != "":
		fmt.Fprintf(&b, "a person known to %q as %q", d.Link.Space, d.Link.Key)
	default:
		b.WriteString("a person without an identifier")
	}
	return b.String() + "."
}

func (d *Decision) candidates() string {
	switch len(d.Found) {
	case 0:
		return "Nobody was found by it."
	case 1:
		return fmt.Sprintf("One person was found: %s by %s.", d.Found[0].Person, list(d.Found[0].By))
	}
	each := make([]string, len(d.Found))
	for i, f := range d.Found {
		each[i] = fmt.Sprintf("%s by %s", f.Person, list(f.By))
	}
	return fmt.Sprintf("%d people were found: %s.", len(d.Found), strings.Join(each, "; "))
}

func (d *Decision) decided() string {
	switch d.Outcome {
	case Created:
		return "So a new person was made."
	case Matched:
		if d.Joined == "" {
			return "So the link was added to that person."
		}
		return "So that person got a further identifier: " + describe(d.Joined) + "."
	case Updated:
		return "So that person was updated."
	}
	return "So it was refused and nothing was written: " + d.Reason
}

func (d *Decision) applied(c Change) string {
	field := "Name"
	if c.Attribute != "" {
		field = c.Attribute
	}
	show := func(verb, format string, values ...any) string {
		if d.Withheld || format == "" {
			return fmt.Sprintf("%s was %s.", field, verb)
		}
		return fmt.Sprintf("%s was %s", field, verb) + fmt.Sprintf(format, values...)
	}
	switch {
	case c.Kept && d.Withheld:
		return field + " was kept: nobody vouched for the new value."
	case c.Kept:
		return fmt.Sprintf("%s was kept as %s: nobody vouched for %s.", field, quote(c.Old), quote(c.New))
	case c.New == Null:
		return show("removed", "; it had been %s.", quote(c.Old))
	case c.Old == Null:
		return show("set", " to %s.", quote(c.New))
	case c.Old == c.New && !d.Withheld:
		return show("vouched for", ": it stays %s.", quote(c.New))
	}
	return show("changed", " from %s to %s.", quote(c.Old), quote(c.New))
}

func quote(v Value) string {
	if v.kind == '"' {
		return "“" + v.text + "”"
	}
	return v.JSON()
}

// describe says in words which identifier a key stands for.
func describe(key string) string {
	i, err := xapi.ParseKey(key)
	if err != nil {
		return "an unknown identifier"
	}
	switch i.Kind {
	case xapi.OnAccount:
		return fmt.Sprintf("the account “%s” on %s", i.Account.Name, i.Account.HomePage)
	case xapi.Mbox:
		return "the e-mail identifier " + i.Value
	case xapi.MboxSHA1Sum:
		return "the hashed e-mail identifier " + i.Value
	}
	return "the OpenID " + i.Value
}

func moment(t time.Time) string { return t.UTC().Format("2 January 2006 at 15:04:05 UTC") }

// Sentences tells the trace: first how things stand, then each decision in the order they were made.
func (t *Trace) Sentences() []string {
	var out []string
	switch {
	case t.Person != nil:
		out = append(out, fmt.Sprintf("%s is person %s (%s), known since %s.", clip(t.Ref), t.Person.ID, t.Person.State, moment(t.Person.Created)))
	case len(t.Decisions) == 0:
		out = append(out, fmt.Sprintf("Nobody is known as %s, and nothing was ever decided about it.", clip(t.Ref)))
	default:
		last := t.Decisions[len(t.Decisions)-1]
		s := fmt.Sprintf("Nobody is known as %s now.", clip(t.Ref))
		if last.Outcome == Rejected {
			s = fmt.Sprintf("Nobody is known as %s: it was refused on %s, because: %s", clip(t.Ref), moment(last.Last), last.Reason)
		}
		out = append(out, s)
	}
	if t.Earlier {
		out = append(out, "Older decisions are left out.")
	}
	for i := range t.Decisions {
		out = append(out, t.Decisions[i].Sentences()...)
	}
	return out
}
