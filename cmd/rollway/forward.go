package main

import (
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"

	"rollway/internal/access"
	"rollway/internal/app"
	"rollway/internal/forward"
)

// ForwardCommand groups the commands on forwards.
type ForwardCommand struct {
	Add    ForwardAdd    `cmd:"" help:"Send statements on to another record store. Example: rollway statements forward add archive --endpoint https://lrs.example/xapi/ --user KEY --password-file FILE"`
	List   ForwardList   `cmd:"" help:"List forwards and how far they are."`
	Show   ForwardShow   `cmd:"" help:"Show one forward and what its receiver refused."`
	Pause  ForwardPause  `cmd:"" help:"Stop a forward; it keeps its place."`
	Resume ForwardResume `cmd:"" help:"Let a paused forward go on."`
	Remove ForwardRemove `cmd:"" help:"End a forward."`
	Retry  ForwardRetry  `cmd:"" help:"Try now instead of at the next time."`
}

type shownForward struct {
	Name          string         `json:"name"`
	Endpoint      string         `json:"endpoint"`
	User          string         `json:"user"`
	Filter        forward.Filter `json:"filter"`
	AllowPrivate  bool           `json:"allowPrivate"`
	PlainHTTP     bool           `json:"plainHttp"`
	State         string         `json:"state"` // idle, waiting, failing, paused
	Through       *string        `json:"through"`
	WaitingSince  *string        `json:"waitingSince"`
	Sent          int64          `json:"sent"`
	LastSuccessAt *string        `json:"lastSuccessAt"`
	LastError     string         `json:"lastError"`
	Attempts      int            `json:"failedAttempts"`
	NextTryAt     *string        `json:"nextTryAt"`
	Refused       int64          `json:"refused"`
	CreatedAt     string         `json:"createdAt"`
	Refusals      []shownRefusal `json:"refusals,omitempty"`
}

type shownRefusal struct {
	StatementID string `json:"statementId"`
	Status      int    `json:"status"` // 0 when it was not sent
	Answer      string `json:"answer"`
	At          string `json:"at"`
	Again       bool   `json:"again"` // it will be sent again
}

func forwardState(f forward.Forward) string {
	switch {
	case f.Paused:
		return "paused"
	case f.LastError != "":
		return "failing"
	case !f.Waiting.IsZero():
		return "waiting"
	}
	return "idle"
}

func shownForwardOf(f forward.Forward) shownForward {
	return shownForward{f.Name, f.Endpoint, f.Username, f.Filter, f.AllowPrivate, f.PlainHTTP, forwardState(f), orNull(f.Through), orNull(f.Waiting),
		f.Sent, orNull(f.LastSuccess), f.LastError, f.Attempts, orNull(f.NextTry), f.Refused, when(f.Created), nil}
}

// forwards opens the installation for a command on forwards.
func (o Organization) forwards(s *surroundings, fn func(*forward.Forwards, access.Caller) error) error {
	return s.houseOf(o, func(h *app.House, caller access.Caller) error { return fn(h.Forwards, caller) })
}

// ForwardName names a forward of an organization.
type ForwardName struct {
	Name string `arg:"" help:"What the forward is called."`
	Organization
}

// ForwardAdd is `statements forward add`.
type ForwardAdd struct {
	ForwardName
	Endpoint          string           `required:"" help:"Address of the receiver's xAPI, to which statements is added." placeholder:"URL"`
	User              string           `required:"" help:"Key or user name there." placeholder:"KEY"`
	PasswordFile      string           `help:"File with the secret there; - is standard input. Or give the secret in the environment, as ROLLWAY_PASSWORD." placeholder:"FILE"`
	Agent             agentFlag        `help:"Only statements of this agent, JSON as in the query of xAPI." placeholder:"JSON"`
	RelatedAgents     bool             `help:"The agent may stand anywhere in the statement."`
	Verb              string           `help:"Only statements with this verb." placeholder:"IRI"`
	Activity          string           `help:"Only statements about this activity." placeholder:"IRI"`
	RelatedActivities bool             `help:"The activity may stand anywhere in the statement."`
	Registration      registrationFlag `help:"Only statements of this registration." placeholder:"UUID"`
	Since             timeFlag         `help:"Only statements stored after this time. Default: all." placeholder:"TIMESTAMP"`
	AllowPrivate      bool             `help:"The receiver is on this machine or in a private network."`
	PlainHTTP         bool             `name:"plain-http" help:"Statements and the secret may go in clear text to another machine."`
	Output
}

// Run adds the forward.
func (c *ForwardAdd) Run(s *surroundings) error {
	r := forward.Request{Name: c.Name, Endpoint: c.Endpoint, Username: c.User, AllowPrivate: c.AllowPrivate, PlainHTTP: c.PlainHTTP,
		Filter: forward.Filter{Agent: c.Agent.IFI, RelatedAgents: c.RelatedAgents, Verb: c.Verb, Activity: c.Activity, RelatedActivities: c.RelatedActivities,
			Registration: c.Registration.RegistrationID}, Since: c.Since.Time}
	var err error
	if r.Secret, err = password(c.PasswordFile); err != nil {
		return err
	}
	return c.forwards(s, func(fs *forward.Forwards, caller access.Caller) error {
		f, err := fs.Add(s, caller, r)
		if err != nil {
			return usage(err)
		}
		return c.printForwards(s, []forward.Forward{f}, shownForwardOf(f))
	})
}

// password reads a secret from a file, - for standard input, or from the environment when none is given.
func password(file string) (string, error) {
	var text []byte
	var err error
	switch file {
	case "":
		return os.Getenv("ROLLWAY_PASSWORD"), nil
	case "-":
		text, err = io.ReadAll(io.LimitReader(os.Stdin, 4096))
	default:
		text, err = os.ReadFile(file)
	}
	return strings.TrimRight(string(text), "\r\n"), err
}

func (o Output) printForwards(s *surroundings, list []forward.Forward, value any) error {
	rows := [][]string{}
	for _, f := range list {
		rows = append(rows, []string{f.Name, f.Endpoint, forwardState(f), when(f.Through), when(f.Waiting), when(f.LastSuccess), when(f.NextTry), strconv.FormatInt(f.Refused, 10), f.LastError})
	}
	return o.print(s, value, []string{"name", "endpoint", "state", "through", "waiting since", "last success", "next try", "refused", "error"}, rows)
}

// ForwardList is `statements forward list`.
type ForwardList struct {
	Organization
	Output
}

// Run lists the forwards.
func (c *ForwardList) Run(s *surroundings) error {
	return c.forwards(s, func(fs *forward.Forwards, caller access.Caller) error {
		found, err := fs.List(s, caller)
		if err != nil {
			return err
		}
		out := []shownForward{}
		for _, f := range found {
			out = append(out, shownForwardOf(f))
		}
		return c.printForwards(s, found, out)
	})
}

// ForwardShow is `statements forward show`.
type ForwardShow struct {
	ForwardName
	Limit int `help:"How many refused statements to show, the newest first." default:"100"`
	Output
}

// Run shows the forward.
func (c *ForwardShow) Run(s *surroundings) error {
	if c.Limit < 0 {
		return misuse("--limit is how many refused statements to show; 0 shows none.")
	}
	return c.forwards(s, func(fs *forward.Forwards, caller access.Caller) error {
		f, err := fs.Get(s, caller, c.Name)
		if err != nil {
			return err
		}
		refused, err := fs.Refusals(s, caller, c.Name, c.Limit)
		if err != nil {
			return err
		}
		shown, rows := shownForwardOf(f), [][]string{}
		for _, r := range refused {
			shown.Refusals = append(shown.Refusals, shownRefusal{r.Statement.String(), r.Status, r.Answer, when(r.At), r.Again})
			rows = append(rows, []string{r.Statement.String(), strconv.Itoa(r.Status), when(r.At), r.Answer})
		}
		if err := c.printForwards(s, []forward.Forward{f}, shown); err != nil || c.Output.Output == "json" || len(rows) == 0 {
			return err
		}
		if _, err := fmt.Fprintln(s.out); err != nil {
			return err
		}
		return c.print(s, nil, []string{"refused statement", "status", "at", "answer"}, rows)
	})
}

// ForwardPause is `statements forward pause`.
type ForwardPause struct{ ForwardName }

// Run pauses the forward.
func (c *ForwardPause) Run(s *surroundings) error {
	return c.forwards(s, func(fs *forward.Forwards, caller access.Caller) error {
		return s.done(fs.Pause(s, caller, c.Name), "%s is paused; resume has it go on where it is.", c.Name)
	})
}

// ForwardResume is `statements forward resume`.
type ForwardResume struct{ ForwardName }

// Run lets the forward go on.
func (c *ForwardResume) Run(s *surroundings) error {
	return c.forwards(s, func(fs *forward.Forwards, caller access.Caller) error {
		return s.done(fs.Resume(s, caller, c.Name), "%s goes on.", c.Name)
	})
}

// ForwardRemove is `statements forward remove`.
type ForwardRemove struct{ ForwardName }

// Run ends the forward.
func (c *ForwardRemove) Run(s *surroundings) error {
	return c.forwards(s, func(fs *forward.Forwards, caller access.Caller) error {
		return s.done(fs.Remove(s, caller, c.Name), "%s is ended.", c.Name)
	})
}

// ForwardRetry is `statements forward retry`.
type ForwardRetry struct {
	ForwardName
	Refused bool `help:"Send what was refused again too."`
}

// Run has the forward tried now.
func (c *ForwardRetry) Run(s *surroundings) error {
	return c.forwards(s, func(fs *forward.Forwards, caller access.Caller) error {
		return s.done(fs.Retry(s, caller, c.Name, c.Refused), "%s is tried now.", c.Name)
	})
}
