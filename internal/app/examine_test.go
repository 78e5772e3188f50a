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
