package app

import (
	"strings"
	"time"

	"rollway/internal/access"
	"rollway/internal/limit"
	"rollway/internal/signin"
)

// SigninConfig says how often signing in may be tried and how long people stay signed in.
type SigninConfig struct {
	Limit           string `help:"How many wrong passwords for one account from one address (IPv6: /64)." default:"10/15m,50/24h" placeholder:"N/TIME"`
	AccountLimit    string `help:"How many wrong passwords for one account from everywhere, before only places where its person has signed in are let in." default:"100/24h" placeholder:"N/TIME"`
	GroupLimit      string `help:"How many wrong passwords from one address (IPv6: /64), for whatever account." default:"100/15m,1000/24h" placeholder:"N/TIME"`
	ResetLimit      string `help:"How many mails for a new password one account gets." default:"3/1h,10/24h" placeholder:"N/TIME"`
	ResetGroupLimit string `help:"How many of them one address (IPv6: /64) may ask for." default:"30/1h,100/24h" placeholder:"N/TIME"`
	Idle            string `help:"After how long without use a browser is signed out." default:"14d" placeholder:"TIME"`
	Most            string `name:"max" help:"After how long it is signed out however much it is used." default:"30d" placeholder:"TIME"`
	LaunchedIdle    string `help:"The same for whom another system brought with a launch of our own pages." default:"4h" placeholder:"TIME"`
	LaunchedMost    string `name:"launched-max" help:"The same for whom another system brought with a launch of our own pages." default:"24h" placeholder:"TIME"`
	DialectIdle     string `help:"The same for sessions of GLPI's door." default:"1h" placeholder:"TIME"`
	DialectMost     string `name:"dialect-max" help:"The same for sessions of GLPI's door." default:"24h" placeholder:"TIME"`
}

// welcome makes the room that signs people in.
func (h *House) welcome(key access.Key) error {
	c := h.Config
	h.Limits = limit.New(h.DB, func(text string) []byte { return key.Hash("limit", text) })
	h.Launcher.Ledger = h.Limits
	s := signin.New(h.DB, key, h.Changes, h.Limits, h.Mail, c.PublicURL)
	s.Policy.Min, s.Ended = c.PasswordMin, h.Credentials.EndLaunchesTx
	s.Site = strings.Join([]string{c.MailFromName, hostOf(c.PublicURL), "Rollway"}, " ")
	h.Signin = s
	var err error
	for _, l := range []struct {
		flag, text string
		to         *[]limit.Window
	}{
		{"limit", c.Signin.Limit, &s.Rules.Failures.Windows}, {"account-limit", c.Signin.AccountLimit, &s.Rules.FailuresAccount.Windows}, {"group-limit", c.Signin.GroupLimit, &s.Rules.FailuresGroup.Windows},
		{"reset-limit", c.Signin.ResetLimit, &s.Rules.Resets.Windows}, {"reset-group-limit", c.Signin.ResetGroupLimit, &s.Rules.ResetsGroup.Windows},
	} {
		if l.text == "" {
			continue
		}
		if *l.to, err = limit.ParseWindows(l.text); err != nil {
			return wrong("--signin-%s: %v", l.flag, err)
		}
	}
	browser, launched, dialect := s.Lives[signin.Browser], s.Lives[signin.Launched], s.Lives[signin.Dialect]
	for _, l := range []struct {
		flag, text string
		to         *time.Duration
	}{
		{"idle", c.Signin.Idle, &browser.Idle}, {"max", c.Signin.Most, &browser.Most},
		{"launched-idle", c.Signin.LaunchedIdle, &launched.Idle}, {"launched-max", c.Signin.LaunchedMost, &launched.Most},
		{"dialect-idle", c.Signin.DialectIdle, &dialect.Idle}, {"dialect-max", c.Signin.DialectMost, &dialect.Most},
	} {
		if l.text == "" {
			continue
		}
		if *l.to, err = ParseAge(l.text); err != nil || *l.to < time.Minute || *l.to > 366*24*time.Hour {
			return wrong("--signin-%s is %q; it is a time from 1m to 366d, such as 12h or 14d.", l.flag, l.text)
		}
	}
	s.Lives = map[signin.Kind]signin.Life{signin.Browser: browser, signin.Launched: launched, signin.Dialect: dialect}
	return nil
}
