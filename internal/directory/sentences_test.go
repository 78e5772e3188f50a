package directory

import (
	"strings"
	"testing"
	"time"

	"rollway/internal/db"
	"rollway/internal/db/dbtest"
	"rollway/internal/id"
)

func TestSentences(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 11, 22, 16, 41, 50, 0, time.UTC)
	one, err := id.Parse[id.PersonID]("01900000-0000-7000-8000-000000000001")
	if err != nil {
		t.Fatal(err)
	}
	two := one
	two[15] = 2
	jane, further := account("https://example.com", "jane").IFI.Key(), mbox("j@example.com").IFI.Key()
	for _, c := range []struct {
		name     string
		decision Decision
		withheld bool
		want     string
	}{
		{"created", Decision{At: at, Times: 1, Source: ByAPI, Caller: "service account lms", Note: "HR sync", Agent: jane, Outcome: Created, Answer: jane, Ignored: []string{"groups"},
			Changes: []Change{{New: Text("Jane")}, {Attribute: "Level", New: Value{'0', "3"}}}}, false, `
On 22 November 2026 at 16:41:50 UTC service account lms ("HR sync") sent, by the API, the account “jane” on https://example.com.
Without effect: groups.
Nobody was found by it.
So a new person was made.
Name was set to “Jane”.
Level was set to 3.
The answer was "created" with the account “jane” on https://example.com.`},
		{"matched", Decision{At: at, Times: 1, Source: ByFeed, Caller: "feed hr", Agent: further, Outcome: Matched, Joined: further, Answer: jane,
			Found: []Found{{one, []string{"Email", "Employee ID"}}}, Changes: []Change{{Attribute: "City", Old: Text("A"), New: Text("B")}}}, false, `
On 22 November 2026 at 16:41:50 UTC feed hr sent, by a feed, the e-mail identifier mailto:j@example.com.
One person was found: 01900000-0000-7000-8000-000000000001 by Email and Employee ID.
So that person got a further identifier: the e-mail identifier mailto:j@example.com.
City was changed from “A” to “B”.
The answer was "matched" with the account “jane” on https://example.com.`},
		{"updated", Decision{At: at, Times: 1, Source: ByAdmin, Caller: "command line", Outcome: Updated, Answer: jane, Found: []Found{{one, []string{"the person"}}},
			Changes: []Change{{Attribute: "City", Old: Text("A")}, {Attribute: "Email", Old: Text("a@b"), New: Text("a@b")}, {Attribute: "Mail", Old: Text("x"), New: Text("y"), Kept: true}}}, false, `
On 22 November 2026 at 16:41:50 UTC command line sent, by hand, an edit of this person.
One person was found: 01900000-0000-7000-8000-000000000001 by the person.
So that person was updated.
City was removed; it had been “A”.
Email was vouched for: it stays “a@b”.
Mail was kept as “x”: nobody vouched for “y”.
The answer was "updated" with the account “jane” on https://example.com.`},
		{"withheld", Decision{At: at, Times: 1, Source: BySSO, Caller: "connector corp", Link: Link{"corp", "7"}, Outcome: Matched, Answer: jane, Found: []Found{{one, []string{"Email"}}},
			Changes: []Change{{Old: Text("J"), New: Text("Jane")}, {Attribute: "City", Old: Text("A")}, {Attribute: "Town", New: Text("B")}, {Attribute: "Mail", Old: Text("x"), New: Text("y"), Kept: true}}}, true, `
On 22 November 2026 at 16:41:50 UTC connector corp sent, by single sign-on, a person known to "corp" as "7".
One person was found: 01900000-0000-7000-8000-000000000001 by Email.
So the link was added to that person.
Name was changed.
City was removed.
Town was set.
Mail was kept: nobody vouched for the new value.
The answer was "matched" with the account “jane” on https://example.com.`},
		{"rejected", Decision{At: at, Last: at.Add(time.Hour), Times: 3, Source: ByCSV, Caller: "command line", Outcome: Rejected, Code: "identity_conflict", Reason: "These belong to 2 different people.",
			Found: []Found{{one, []string{"Email"}}, {two, []string{"Badge"}}}}, false, `
On 22 November 2026 at 16:41:50 UTC command line sent, by CSV import, a person without an identifier.
2 people were found: 01900000-0000-7000-8000-000000000001 by Email; 01900000-0000-7000-8000-000000000002 by Badge.
So it was refused and nothing was written: These belong to 2 different people.
The answer was the error identity_conflict.
The same happened 3 times, last on 22 November 2026 at 17:41:50 UTC.`},
		{"suspended", Decision{At: at, Times: 1, Source: ByAdmin, Caller: "command line", Outcome: WasSuspended}, false, `
On 22 November 2026 at 16:41:50 UTC command line asked for a change of state.
The person was suspended: nothing that acts for them works any more.`},
	} {
		t.Run(c.name, func(t *testing.T) {
			if c.withheld {
				c.decision.withhold()
			}
			if got := strings.Join(c.decision.Sentences(), "\n"); got != strings.TrimSpace(c.want) {
				t.Errorf("got\n%s\nwant\n%s", got, strings.TrimSpace(c.want))
			}
		})
	}
}

func TestWhy(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		dir := newDirectory(d)
		first := func(ref string) string {
			t.Helper()
			trace, err := dir.Why(t.Context(), admin, ref)
			if err != nil {
				t.Fatal(err)
			}
			return trace.Sentences()[0]
		}
		if got := first("nobody@example.com"); got != "Nobody is known as nobody@example.com, and nothing was ever decided about it." {
			t.Error(got)
		}
		jane := provision(t, dir, lms(), claims("jane", "Email=jane@example.com"))
		provision(t, dir, lms(), claims("jane", "Email=doe@example.com"))
		if got := first("doe@example.com"); !strings.HasPrefix(got, "doe@example.com is person "+jane.Person.ID.String()+" (active), known since ") {
			t.Error(got)
		}
		if got := first("Jane@Example.com"); got != "Nobody is known as Jane@Example.com now." {
			t.Error(got)
		}
		old, err := dir.Why(t.Context(), admin, "jane@example.com")
		if err != nil || len(old.Decisions) != 1 || !strings.Contains(strings.Join(old.Sentences(), "\n"), "Email was changed from “jane@example.com” to “doe@example.com”.") {
			t.Errorf("an address of the past: %+v, %v", old, err)
		}
		_, err = dir.Provision(t.Context(), lms("https://hr.example.com"), claims("new", "Email=new@example.com"))
		if err == nil {
			t.Fatal("accepted")
		}
		for _, ref := range []string{"new@example.com", "https://example.com|new"} {
			if got := first(ref); !strings.Contains(got, "it was refused on ") || !strings.Contains(got, "because: This caller may not bring in an account on that home page") {
				t.Error(got)
			}
		}
		trace, err := dir.Why(t.Context(), admin, jane.Person.ID.String())
		text := strings.Join(trace.Sentences(), "\n")
		if err != nil || len(trace.Decisions) != 2 || !strings.Contains(text, "Email was set to “jane@example.com”.\nThe answer was \"created\" with the account “jane” on https://example.com.\nOn ") {
			t.Errorf("%s, %v", text, err)
		}
		for range traceLength {
			if _, err := dir.Suspend(t.Context(), admin, "doe@example.com"); err != nil {
				t.Fatal(err)
			}
			if _, err := dir.Resume(t.Context(), admin, "doe@example.com"); err != nil {
				t.Fatal(err)
			}
			if d.Engine() == db.PostgreSQL { // the rule is the same; the rows are fewer
				break
			}
		}
		trace, err = dir.Why(t.Context(), admin, "doe@example.com")
		if err != nil || trace.Earlier != (d.Engine() == db.SQLite) || trace.Decisions[len(trace.Decisions)-1].Outcome != WasResumed {
			t.Errorf("%d decisions, %v, %v", len(trace.Decisions), trace.Earlier, err)
		}
	})
}
