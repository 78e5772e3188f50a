package signup

import (
	"fmt"
	"math"
	"net/url"
	"slices"
	"strings"
	"time"

	"rollway/internal/fault"
	"rollway/internal/id"
	"rollway/internal/limit"
	"rollway/internal/mail"
)

// Settings say how people may sign up. [Settings.WithDefaults] fills what is zero.
type Settings struct {
	Off      bool
	Join     id.OrgID // whom everybody joins; zero: each gets an organization of their own
	Group    string   // the default group's name of such an organization
	Allowed  []string // mail domains, "*.example.org" for those below; empty allows all
	Blocked  []string
	Approval bool // the operator lets in whoever confirmed
	Reveal   bool // tells that an address has an account already, as GLPI does

	Delay   time.Duration   // for which a mail's link and code are good
	Trial   time.Duration   // after which an organization of their own is closed; zero: never
	Remind  []time.Duration // before that, longest first
	Wording string          // version of the text beside the newsletter's box

	Link LinkForm // where a mail's link leads
	Home string   // the dashboard that the flyve forms lead to

	PerAddress limit.Rule // sign-ups from one address group
	PerToken   limit.Rule // and by one service token, of those with a right answer: everybody has the token
	Mails      limit.Rule // to one mail address
	AllMails   limit.Rule // of the whole installation: the breaker
	Sessions   limit.Rule // of service tokens, from one address group
	Guesses    limit.Rule // wrong tokens and codes from one address group
}

// LinkForm is a preset of the link in the mail.
type LinkForm string

// The forms of links: our own page, and those that the two dashboards of Flyve MDM have routes for.
const (
	OwnLink    LinkForm = "own"
	LegacyLink LinkForm = "flyve-legacy"
	ReactLink  LinkForm = "flyve-react"
)

const maxTries = 10 // wrong tokens and codes of one sign-up

// WithDefaults fills what is zero.
func (s Settings) WithDefaults() Settings {
	if s.Group == "" {
		s.Group = "not managed fleet" // the printed guide's
	}
	if s.Delay == 0 {
		s.Delay = 24 * time.Hour
	}
	if s.Remind == nil {
		s.Remind = []time.Duration{15 * 24 * time.Hour, 5 * 24 * time.Hour}
	}
	if s.Wording == "" {
		s.Wording = "1"
	}
	if s.Link == "" {
		s.Link = OwnLink
	}
	windows := func(rule *limit.Rule, name string, w ...limit.Window) {
		rule.Name = name
		if rule.Windows == nil {
			rule.Windows = w
		}
	}
	windows(&s.PerAddress, "signup address", limit.Window{Max: 10, Per: time.Hour}, limit.Window{Max: 30, Per: 24 * time.Hour})
	windows(&s.PerToken, "signup token", limit.Window{Max: 100, Per: time.Hour})
	windows(&s.Mails, "mail address", limit.Window{Max: 3, Per: time.Hour}, limit.Window{Max: 10, Per: 24 * time.Hour})
	windows(&s.AllMails, "mail", limit.Window{Max: 1000, Per: time.Hour})
	windows(&s.Sessions, "signup session", limit.Window{Max: 100, Per: 5 * time.Minute}, limit.Window{Max: 600, Per: time.Hour})
	windows(&s.Guesses, "signup guess", limit.Window{Max: 20, Per: time.Hour})
	return s
}

// Check reports settings that contradict themselves.
func (s Settings) Check() error {
	switch s.Link {
	case OwnLink, "":
	case LegacyLink, ReactLink:
		u, err := url.Parse(s.Home)
		if err != nil || u.RawQuery != "" || strings.Contains(s.Home, "#") || !mail.IsLink(s.link("", math.MaxInt64, strings.Repeat("f", 64))) {
			return fmt.Errorf("links of the form %s need the address of the dashboard, up to where its routes begin and as browsers send it, not %q", s.Link, s.Home)
		}
	default:
		return fmt.Errorf("there is no form of link %q; there are %s, %s and %s", s.Link, OwnLink, LegacyLink, ReactLink)
	}
	return nil
}

// link is what the mail of a sign-up leads to.
func (s Settings) link(public string, number int64, token string) string {
	switch s.Link {
	case LegacyLink:
		return fmt.Sprintf("%s#!/account/%d/validation/%s", s.Home, number, token)
	case ReactLink:
		return fmt.Sprintf("%s/validateAccount/%d/validation/%s", strings.TrimSuffix(s.Home, "/"), number, token)
	}
	return fmt.Sprintf("%s/confirm/%d/%s", public, number, token)
}

// admits tells whether people with addresses of a domain may sign up.
func (s Settings) admits(domain string) error {
	if covers(s.Blocked, domain) || len(s.Allowed) > 0 && !covers(s.Allowed, domain) {
		return fault.New(fault.Invalid, "domain_refused", "Addresses at %s cannot be used to sign up here.", domain).With(fault.Field{Name: "email", Message: "Use another address."})
	}
	return nil
}

func covers(list []string, domain string) bool {
	return slices.ContainsFunc(list, func(d string) bool {
		d = strings.ToLower(d)
		if below, ok := strings.CutPrefix(d, "*"); ok {
			return strings.HasSuffix(domain, below)
		}
		return d == domain
	})
}
