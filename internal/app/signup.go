package app

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/go-json-experiment/json"

	"rollway/internal/access"
	"rollway/internal/challenge"
	"rollway/internal/limit"
	"rollway/internal/lrs"
	"rollway/internal/signup"
)

// SignupConfig says how people may make their own account.
type SignupConfig struct {
	Mode           string        `help:"Whether each who signs up gets an organization of their own, or all join one: ${enum}." enum:"own,join" default:"own"`
	Join           string        `help:"Slug of the organization that they join." default:"default" placeholder:"SLUG"`
	Fields         []string      `help:"What our own page asks for besides address and password, of name and newsletter; none for neither." default:"name,newsletter"`
	Domains        []string      `help:"Mail domains that may sign up; *.example.org for those below. Default: all." placeholder:"DOMAIN"`
	Blocked        []string      `help:"Mail domains that may not." placeholder:"DOMAIN"`
	Approval       bool          `help:"Nobody comes in before you approve: rollway signup approve."`
	Reveal         bool          `help:"Say that an address has an account already, as GLPI does, instead of telling its owner by mail alone."`
	Delay          time.Duration `help:"How long the link in the mail is good." default:"24h"`
	Trial          string        `help:"After how long an organization of their own is closed, e.g. 90d. Default: never."`
	Link           string        `help:"Where the link in the mail leads: ${enum}." enum:"own,flyve-legacy,flyve-react" default:"own"`
	Webapp         string        `help:"Address of the dashboard that the flyve links lead to." placeholder:"URL"`
	Quota          int           `help:"How many MB of records, and as many of packages, an organization of their own keeps; -1 for any number." default:"1024" placeholder:"MB"`
	Limit          string        `help:"How often one address (IPv6: /64) may sign up." default:"10/60m,30/24h" placeholder:"N/TIME"`
	MailLimit      string        `help:"How many mails one address gets." default:"3/60m,10/24h" placeholder:"N/TIME"`
	ChallengeLimit string        `help:"How many pictures one address (IPv6: /64) may ask for." default:"6/5m,15/15m,20/60m" placeholder:"N/TIME"`

	TokenLimit          string `help:"How often people may sign up by one service token." default:"100/60m" placeholder:"N/TIME"`
	ChallengeTokenLimit string `help:"How many pictures may be asked for by one service token." default:"300/5m,1000/60m" placeholder:"N/TIME"`
	SessionLimit        string `help:"How many sessions of service tokens one address (IPv6: /64) may open." default:"100/5m,600/60m" placeholder:"N/TIME"`
	GuessLimit          string `help:"How many wrong links and codes may come from one address (IPv6: /64)." default:"20/60m" placeholder:"N/TIME"`
	TotalMailLimit      string `help:"How many mails sign-up sends in all." default:"1000/60m" placeholder:"N/TIME"`
}

// guestQuota is how many bytes of each kind an organization may keep that is not the first; less than 0 for any number.
func (c Config) guestQuota() int64 {
	switch {
	case c.Quota < 0, int64(c.Quota) > math.MaxInt64>>20:
		return -1
	case c.Quota == 0:
		return lrs.GuestQuota
	}
	return int64(c.Quota) << 20
}

// settings are the flags in the words of the room.
func (c Config) signup() (s signup.Settings, pictures challenge.Config, err error) {
	s = signup.Settings{
		Off: c.Signup == "off", Allowed: c.Domains, Blocked: c.Blocked, Approval: c.Approval, Reveal: c.Reveal, Delay: c.Delay,
		Link: signup.LinkForm(c.Link), Home: c.Webapp,
	}
	if c.Trial != "" {
		if s.Trial, err = ParseAge(c.Trial); err != nil {
			return s, pictures, wrong("--signup-trial: %v.", err)
		}
	}
	for _, f := range c.Fields {
		if !slices.Contains([]string{"name", "newsletter", "none"}, f) {
			return s, pictures, wrong("--signup-fields: there is no field %q; there are name, newsletter and none.", f)
		}
	}
	for _, l := range []struct {
		flag, text string
		to         *[]limit.Window
	}{
		{"limit", c.Limit, &s.PerAddress.Windows}, {"token-limit", c.TokenLimit, &s.PerToken.Windows}, {"guess-limit", c.GuessLimit, &s.Guesses.Windows},
		{"session-limit", c.SessionLimit, &s.Sessions.Windows},
		{"mail-limit", c.MailLimit, &s.Mails.Windows}, {"total-mail-limit", c.TotalMailLimit, &s.AllMails.Windows},
		{"challenge-limit", c.ChallengeLimit, &pictures.PerAddress}, {"challenge-token-limit", c.ChallengeTokenLimit, &pictures.PerToken},
	} {
		if l.text == "" {
			continue
		}
		if *l.to, err = limit.ParseWindows(l.text); err != nil {
			return s, pictures, wrong("--signup-%s: %v", l.flag, err)
		}
	}
	if err := s.Check(); err != nil {
		return s, pictures, wrong("--signup-link, --signup-webapp: %v.", err)
	}
	return s, pictures, nil
}

// ParseAge reads a length of time, also in days: 90d, 12h or 30m, up to a hundred years.
func ParseAge(text string) (time.Duration, error) {
	d, err := time.ParseDuration(text)
	if count, ok := strings.CutSuffix(text, "d"); ok {
		var n uint64
		n, err = strconv.ParseUint(count, 10, 16)
		d = time.Duration(n) * 24 * time.Hour
	}
	if err != nil || d <= 0 || d > 36500*24*time.Hour {
		return 0, fmt.Errorf("%q is no length of time; write 90d, 12h or 30m", text)
	}
	return d, nil
}

// admit makes the rooms for people who come by themselves.
func (h *House) admit(ctx context.Context, key access.Key) error {
	c := h.Config
	settings, challenges, err := c.signup()
	if err != nil {
		return err
	}
	if c.Mode == "join" {
		org, err := h.Directory.Organization(ctx, cmp.Or(c.Join, "default"))
		if err != nil {
			return fmt.Errorf("--signup-join: %w", err)
		}
		settings.Join = org.ID
	}
	if c.Dev {
		challenges.Dev = answersTo(filepath.Join(c.Data, "challenges.jsonl"))
	}
	h.Challenges = challenge.New(h.DB, key, h.Limits, challenges)
	h.Signup, err = signup.New(signup.Config{
		DB: h.DB, Key: key, Changes: h.Changes, Directory: h.Directory, Challenges: h.Challenges, Signin: h.Signin, Mail: h.Mail, Limits: h.Limits,
		PublicURL: c.PublicURL, Settings: settings,
	})
	if err == nil {
		h.Signin.Pending = h.Signup.Pending
	}
	return err
}

// answersTo appends the answers of challenges to a file, for who tries things out with --dev.
func answersTo(path string) func(number int64, answer string) {
	var mu sync.Mutex
	return func(number int64, answer string) {
		mu.Lock()
		defer mu.Unlock()
		line, err := json.Marshal(struct {
			ID     int64  `json:"id"`
			Answer string `json:"answer"`
		}{number, answer})
		if err != nil {
			panic(err) // plain values
		}
		f, err := os.OpenFile(path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
		if err == nil {
			_, err = f.Write(append(line, '\n'))
			if closed := f.Close(); err == nil {
				err = closed
			}
		}
		if err != nil {
			fmt.Fprintln(os.Stderr, "the answer of a challenge cannot be written down:", err)
		}
	}
}
