package app

import (
	"slices"
	"testing"
)

// The doctor warns of dashboards that confirm sign-ups into an organization of many.
func TestExamineSignup(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		signup, mode, link string
		warns              bool
	}{
		{"on", "join", "flyve-react", true}, {"on", "join", "flyve-legacy", true}, {"on", "join", "own", false}, {"", "join", "", false},
		{"on", "own", "flyve-react", false}, {"off", "join", "flyve-react", false},
	} {
		found := Examine(t.Context(), Config{Data: t.TempDir(), Signup: c.signup, SignupConfig: SignupConfig{Mode: c.mode, Link: c.link, Webapp: "https://dash.example"}})
		if warns := slices.ContainsFunc(found, func(f Finding) bool { return f.What == "sign-up" && f.State == Warn }); warns != c.warns {
			t.Errorf("%+v: %+v", c, found)
		}
	}
}

// The doctor finds a second origin that browsers elsewhere cannot reach or do not show, which is what a forgotten
// --courseware-url makes.
func TestExamineOrigins(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		public, courseware string
		state              State
	}{
		{"", "", Good}, {"https://learn.example", "https://content.example", Good}, {"http://learn.example", "https://content.example", Good},
		{"https://learn.example", "", Bad}, {"http://learn.example:8080", "http://127.0.0.1:8081", Bad}, {"https://learn.example", "http://content.example", Bad},
		{"https://learn.example", "https://learn.example:8443", Bad}, {"http://127.0.0.1:8080", "", Good},
	} {
		found := Examine(t.Context(), Config{Data: t.TempDir(), PublicURL: c.public, CoursewareURL: c.courseware})
		if i := slices.IndexFunc(found, func(f Finding) bool { return f.What == "courseware origin" }); i < 0 || found[i].State != c.state {
			t.Errorf("%+v: %+v", c, found)
		}
	}
}
