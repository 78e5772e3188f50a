package app

import (
	"net/http"
	"net/netip"
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
	for kind, own := range map[signin.Kind]bool{signin.Browser: true, signin.Launched: true, signin.Dialect: false} {
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
		c.PasswordMin, c.Signin.Limit, c.Signin.AccountLimit, c.Signin.Idle, c.Signin.LaunchedMost, c.Signin.DialectMost = 12, "2/1h", "7/24h", "2d", "12h", "90m"
	})
	if err != nil {
		t.Fatal(err)
	}
	s := h.Signin
	if s.Policy.Min != 12 || s.Rules.Failures.Windows[0].Max != 2 || s.Rules.FailuresAccount.Windows[0].Max != 7 || s.Lives[signin.Launched] != (signin.Life{Idle: 4 * time.Hour, Most: 12 * time.Hour}) || len(s.Rules.Resets.Windows) != 2 || s.Lives[signin.Browser] != (signin.Life{Idle: 48 * time.Hour, Most: 30 * 24 * time.Hour}) || s.Lives[signin.Dialect].Most != 90*time.Minute {
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

// routed sends requests as a proxy does that has them from some address.
type routed string

func (from routed) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.Header.Set("X-Forwarded-For", string(from))
	return http.DefaultTransport.RoundTrip(r)
}

// Whoever guesses at an account from many networks closes it to strangers, at both doors, and not to the browser or the
// network that its person has signed in from.
func TestKnownBrowsersAreLetIn(t *testing.T) {
	eachEngine(t, func(t *testing.T, e db.Engine) {
		g := served(t, e, func(c *Config) {
			c.TrustedProxies, c.Signin.AccountLimit = []Network{{netip.MustParsePrefix("127.0.0.0/8")}}, "3/24h"
		})
		at := func(address string) { g.client.Transport = routed(address) }
		login := func(password string) seen { return g.post("/login", "email", "ada@example.org", "password", password) }
		at("192.0.2.1")
		g.join("ada@example.org")
		g.wants(g.post("/logout"), 200)
		own := g.client
		g.forget()
		for _, network := range []string{"198.51.100.1", "198.51.100.2", "198.51.100.3"} {
			at(network)
			g.wants(login("not the right password"), 422)
		}
		at("203.0.113.5")
		s := g.wants(login(passphrase), 429, "24 hours")
		if s.header.Get("Retry-After") == "" {
			t.Error("when to come again is not said")
		}
		basic := func(network string) int {
			r, err := http.NewRequestWithContext(t.Context(), "GET", g.url+"/apirest.php/initSession", nil)
			g.must(err)
			r.SetBasicAuth("ada@example.org", passphrase)
			at(network)
			return g.do(r).status
		}
		if there, elsewhere := basic("192.0.2.1"), basic("203.0.113.5"); there != 200 || elsewhere == 200 {
			t.Errorf("GLPI's door answers %d where ada has been and %d elsewhere", there, elsewhere)
		}
		g.client = own
		at("203.0.113.5")
		g.wants(login(passphrase), 200, "Ada")
	})
}
