package directory

import (
	"fmt"
	"testing"

	"rollway/internal/access"
	"rollway/internal/db"
	"rollway/internal/db/dbtest"
	"rollway/internal/fault"
	"rollway/internal/fault/faulttest"
)

// By numbers an administrator sees everybody of the organization and a person themselves; all others are unknown to both.
func TestNumbers(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		dir := newDirectory(d)
		if _, err := dir.CreateOrganization(t.Context(), admin, "other", "Other"); err != nil {
			t.Fatal(err)
		}
		other, err := dir.Organization(t.Context(), "other")
		if err != nil {
			t.Fatal(err)
		}
		elsewhere := admin
		elsewhere.Org = other.ID
		stranger := provision(t, dir, elsewhere, claims("stranger"))
		var people []Person
		for i := range 5 {
			people = append(people, provision(t, dir, admin, claims(fmt.Sprint("p", i), "Email="+fmt.Sprint("p", i, "@example.com"))).Person)
		}
		page, total, err := dir.Numbered(t.Context(), admin, 1, 3)
		if err != nil || total != 5 || len(page) != 3 || page[0].ID != people[1].ID || page[2].ID != people[3].ID || page[0].Attributes["Email"] != Text("p1@example.com") {
			t.Errorf("the page: %+v of %d, %v", page, total, err)
		}
		if page, total, err = dir.Numbered(t.Context(), admin, 5, 3); err != nil || total != 5 || len(page) != 0 {
			t.Errorf("beyond the end: %+v of %d, %v", page, total, err)
		}
		self := access.Caller{Org: admin.Org, Kind: access.Person, Name: "p2", Person: people[2].ID}
		if page, total, err = dir.Numbered(t.Context(), self, 0, 10); err != nil || total != 1 || len(page) != 1 || page[0].ID != self.Person {
			t.Errorf("a person sees %+v of %d, %v", page, total, err)
		}
		for number, seen := range map[int64][2]bool{people[2].Number: {true, true}, people[1].Number: {true, false}, stranger.Person.Number: {false, false}, 999: {false, false}, -1: {false, false}} {
			for i, c := range []access.Caller{admin, self} {
				p, err := dir.ByNumber(t.Context(), c, number)
				if seen[i] && (err != nil || p.Number != number) {
					t.Errorf("%s asks for %d: %+v, %v", c.Name, number, p, err)
				}
				if !seen[i] {
					faulttest.Want(t, err, fault.NotFound, "person_unknown")
				}
			}
		}
		nobody := access.Caller{Org: admin.Org, Name: "nobody"}
		if _, _, err := dir.Numbered(t.Context(), nobody, 0, 1); !fault.Is(err, fault.Forbidden) {
			t.Errorf("nobody: %v", err)
		}
		if groups, err := dir.Groups(t.Context(), self, self.Person); err != nil || len(groups) != 1 || !groups[0].Default {
			t.Errorf("the person's groups: %+v, %v", groups, err)
		}
		if _, err := dir.Groups(t.Context(), self, people[1].ID); !fault.Is(err, fault.Forbidden) {
			t.Errorf("another's groups: %v", err)
		}
	})
}
