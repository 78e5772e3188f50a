package main

import (
	"fmt"
	"log/slog"
	"net"
	"os"

	"rollway/internal/app"
)

// DemoCommand is `demo`.
type DemoCommand struct{ Output }

type demoAnswer struct {
	PublicURL      string        `json:"publicUrl"`
	AdminURL       *string       `json:"adminUrl"`
	LaunchURL      string        `json:"launchUrl"`
	ActivityID     string        `json:"activityId"`
	Data           string        `json:"data"` // --data of other commands on this house
	ServiceAccount demoAccount   `json:"serviceAccount"`
	Guide          guideCommands `json:"guide"`
}

type demoAccount struct {
	Key    string `json:"key"`
	Secret string `json:"secret"`
	Token  string `json:"token"`
}

// guideCommands are the three steps of the guide, ready to paste.
type guideCommands struct {
	Provision  string `json:"provision"`
	Credential string `json:"credential"`
	Launch     string `json:"launch"`
}

// Run serves a house in a temporary directory until Ctrl-C. What the environment and a file say is of the house that people
// keep, and no business of a demo, unless it is where to listen.
func (c *DemoCommand) Run(s *surroundings) (err error) {
	for _, flag := range []string{"data", "db", "config"} {
		if s.given(flag) {
			return misuse("The demo keeps its own house and throws it away: leave out --%s. To keep things: rollway serve", flag)
		}
	}
	dir, err := os.MkdirTemp("", "rollway-demo-")
	if err != nil {
		return err
	}
	defer func() {
		if removed := os.RemoveAll(dir); err == nil {
			err = removed
		}
	}()
	s.config.Data, s.config.DB, s.config.Serves = dir, "", true
	s.config.HTTP = s.free("http", s.config.HTTP)
	s.config.CoursewareHTTP = s.free("courseware-http", s.config.CoursewareHTTP)
	return s.house(func(h *app.House) error {
		demo, err := h.Furnish(s)
		if err != nil {
			return err
		}
		serving, err := h.Serve(s, slog.New(slog.NewTextHandler(s.err, &slog.HandlerOptions{Level: slog.LevelWarn})))
		if err != nil {
			return err
		}
		if err := c.announce(s, h, demo); err != nil {
			return err
		}
		return s.until(serving)
	})
}

// free keeps a demo from failing because its usual port is taken, unless the port was asked for.
func (s *surroundings) free(flag, addr string) string {
	if s.given(flag) || s.settings.used[flag] != "" {
		return addr
	}
	l, err := net.Listen("tcp", addr)
	if err != nil {
		if l, err = net.Listen("tcp", "127.0.0.1:0"); err != nil {
			return addr // Serve says what is wrong
		}
	}
	addr = l.Addr().String()
	if err := l.Close(); err != nil {
		fmt.Fprintln(s.err, "rollway:", err)
	}
	return addr
}

func (c *DemoCommand) announce(s *surroundings, h *app.House, d app.Demo) error {
	steps := guide(h, d)
	if c.Output.Output == "json" {
		return printJSON(s, demoAnswer{h.Config.PublicURL, nil, d.LaunchURL, d.Course.Activity, h.Config.Data, demoAccount{d.Account.Key, d.Account.Secret, d.Account.Token}, steps})
	}
	_, err := fmt.Fprintf(s.out, `Rollway demo: everything is kept in %s and thrown away at the end.

Open the course as %s (come back with the same link and it resumes):

  %s

Or do it as another system would. 1. Provision a person:

%s

2. Mint a credential for them:

%s

3. Open this in a browser:

  %s

What was recorded:

%s

For the steps of README.md and the pages in docs:

export HOST=%s TOKEN=%s

Ctrl-C ends it. To keep things: rollway serve
`, h.Config.Data, d.Person.Name, d.LaunchURL, steps.Provision, steps.Credential, steps.Launch,
		fmt.Sprintf(`curl -s "%s/xapi/statements?limit=5" -u "%s:%s" -H "X-Experience-API-Version: 1.0.3"`, h.Config.PublicURL, d.Account.Key, d.Account.Secret),
		h.Config.PublicURL, d.Account.Token)
	return err
}

// guide fills the guide's own commands with this house's address and key, and its placeholders with random values.
func guide(h *app.House, d app.Demo) guideCommands {
	name, user, secret := app.RandomName(), app.RandomName(), app.RandomName()
	curl := func(path, body string) string {
		return fmt.Sprintf("curl -X POST \"%s%s\" -H \"authorization: %s\" -H \"content-type: application/json\" -i --data-binary @- << EOF\n%s\nEOF", h.Config.PublicURL, path, d.Account.Token, body)
	}
	account := fmt.Sprintf(`"account": {
%%s"homePage": "https://example.com",
%%s"name": "%s"
%%s}`, name)
	return guideCommands{
		Provision: curl("/api/actors/agents", `{
  "name": "User's Name",
  `+fmt.Sprintf(account, "    ", "    ", "  ")+`,
  "extensions": {
    "http://clearlrs.com/api/ext/agent/attributes": {
      "Country": "AU"
    }
  }
}`),
		Credential: curl("/api/auth/basic", fmt.Sprintf(`{
  "username": "%s",
  "password": "%s",
  "data": {
    "actor": {
      `, user, secret)+fmt.Sprintf(account, "        ", "        ", "      ")+`
    }
  }
}`),
		Launch: h.LaunchURL(d.Course.Activity, user, secret),
	}
}
