package launch

import (
	"fmt"
	"testing"

	"rollway/internal/access"
	"rollway/internal/db/dbtest"
	"rollway/internal/id"
)

// BenchmarkCourses is the list of courses of somebody who has begun all of them.
func BenchmarkCourses(b *testing.B) {
	for _, e := range dbtest.Engines {
		for _, n := range []int{2, 20, 200} {
			b.Run(fmt.Sprintf("%v/%d", e, n), func(b *testing.B) {
				h := furnished(b, dbtest.Open(b, e))
				session := h.begins(n)
				for b.Loop() {
					list, err := h.launcher.Courses(b.Context(), session, "", 1000)
					if err != nil || len(list) < n {
						b.Fatal(len(list), err)
					}
				}
			})
		}
	}
}

// begins makes somebody begin so many courses, of which each says a few things.
func (h *house) begins(n int) (session access.Caller) {
	h.Helper()
	h.keepRecords()
	ada, header := h.person("ada")
	for i := range n {
		activity := fmt.Sprintf("https://elsewhere.example/course/%d", i)
		_, err := h.launcher.content.AddLink(h.Context(), access.CommandLine(id.DefaultOrg), activity, activity, "A course")
		h.must(err)
		for _, verb := range []string{"initialized", "progressed", "progressed", "completed", "passed"} {
			h.say(header, activity, activity, verb, `"score":{"scaled":0.5}`)
		}
	}
	return access.Caller{Org: id.DefaultOrg, Kind: access.Person, Name: "ada", Person: ada.ID}
}
