package signup

import (
	"strings"
	"testing"
)

// The link of the mail leads to our page or to the route of a dashboard, of whatever form its address is written in.
func TestLinkForms(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		form       LinkForm
		home, want string // want is empty for a home that makes no link
	}{
		{"", "", "https://learn.example.org/confirm/4/TOKEN"},
		{OwnLink, "https://dash.example", "https://learn.example.org/confirm/4/TOKEN"},
		{LegacyLink, "https://dash.example/", "https://dash.example/#!/account/4/validation/TOKEN"},
		{LegacyLink, "https://dash.example/app/index.html", "https://dash.example/app/index.html#!/account/4/validation/TOKEN"},
		{ReactLink, "https://dash.example/", "https://dash.example/validateAccount/4/validation/TOKEN"},
		{ReactLink, "http://localhost:3000/app", "http://localhost:3000/app/validateAccount/4/validation/TOKEN"},
		{LegacyLink, "", ""}, {ReactLink, "dash.example", ""}, {ReactLink, "ftp://dash.example", ""}, {LegacyLink, "https://dash.example/#", ""}, {ReactLink, "https://dash.example/?a=b", ""},
		{ReactLink, "https://dash.example/ü", ""}, {LegacyLink, "https://u:p@dash.example", ""}, {ReactLink, "https://dash.example/a b", ""}, {LegacyLink, "https://dash.example/" + strings.Repeat("a", 900), ""},
		{"angular", "https://dash.example", ""},
	} {
		s := Settings{Link: c.form, Home: c.home}
		if err := s.Check(); (err == nil) != (c.want != "") {
			t.Errorf("%s %q: %v", c.form, c.home, err)
		}
		if got := s.link(public, 4, "TOKEN"); c.want != "" && got != c.want {
			t.Errorf("%s %q: %s, want %s", c.form, c.home, got, c.want)
		}
	}
}

// What the mail leads a dashboard to confirms, when it is put as the dashboard does.
func TestLinkToADashboard(t *testing.T) {
	for form, before := range map[LinkForm]string{LegacyLink: "https://dash.example/#!/account/", ReactLink: "https://dash.example/validateAccount/"} {
		t.Run(string(form), func(t *testing.T) {
			each(t, Settings{Link: form, Home: "https://dash.example/"}, func(h *house) {
				h.begin("ada@example.org")
				_, link, found := strings.Cut(h.letters("ada@example.org", 1)[0].text, before)
				number, token, parts := strings.Cut(strings.Fields(link + " .")[0], "/validation/")
				if !found || !parts {
					h.Fatalf("the mail leads to %q", link)
				}
				_, err := h.Validate(h.Context(), parseNumber(h, number), token, here)
				h.must(err)
				h.must(h.signIn("ada@example.org", password))
			})
		})
	}
}
