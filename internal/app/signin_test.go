package app

import (
	"net/http"
	"testing"
	"time"

	"rollway/internal/db"
	"rollway/internal/signin"
)

// A session of GLPI's door, whose token stands in addresses, opens none of the pages.
func TestPagesTakeTheirOwnSessions(t *testing.T) {
	t.Parallel()
	g := served(t, db.SQLite)
	g.join("ada@example.org")
	for kind, own := range map[signin.Kind]bool{signin.Browser: true, signin.Dialect: false} {
		_, token, err := g.house.Signin.SignIn(t.Context(), kind, "ada@example.org", passphrase, signin.Device{})
		if err != nil {
			t.Fatal(err)
		}
		g.forget()
		r, err := http.NewRequestWithContext(t.Context(), "GET", g.url+"/account", nil)
		if err != nil {
			t.Fatal(err)
		}
		r.AddCookie(&http.Cookie{Name: "rollway-session", Value: token})
		if s := g.do(r); (s.path == "/account") != own {
			t.Errorf("a %s session sees %s", kind, s.path)
		}
	}
}

// The settings of signing in say what is wrong with them.
func TestSigninSettings(t *testing.T) {
	t.Parallel()
	open := func(change func(*Config)) (*House, error) {
		c := Config{Data: t.TempDir()}
		change(&c)
		h, err := Open(t.Context(), c)
		if err == nil {
			t.Cleanup(func() {
				if err := h.Close(); err != nil {
					t.Error(err)
				}
			})
		}
		return h, err
	}
	h, err := open(func(c *Config) {
		c.PasswordMin, c.Signin.Limit, c.Signin.Idle, c.Signin.DialectMost = 12, "2/1h", "2d", "90m"
	})
	if err != nil {
		t.Fatal(err)
	}
	s := h.Signin
	if s.Policy.Min != 12 || s.Rules.Failures.Windows[0].Max != 2 || len(s.Rules.Resets.Windows) != 2 || s.Lives[signin.Browser] != (signin.Life{Idle: 48 * time.Hour, Most: 30 * 24 * time.Hour}) || s.Lives[signin.Dialect].Most != 90*time.Minute {
		t.Errorf("%+v %+v %+v", s.Policy, s.Rules, s.Lives)
	}
	for what, change := range map[string]func(*Config){
		"short passwords": func(c *Config) { c.PasswordMin = 11 },
		"no limit":        func(c *Config) { c.Signin.ResetLimit = "many" },
		"no time":         func(c *Config) { c.Signin.Most = "long" },
		"too short":       func(c *Config) { c.Signin.DialectIdle = "1s" },
	} {
		if _, err := open(change); err == nil {
			t.Errorf("%s: taken", what)
		}
	}
}
