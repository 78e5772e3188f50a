package main

import (
	"fmt"
	"strconv"

	"rollway/internal/access"
	"rollway/internal/app"
	"rollway/internal/mail"
)

// MailCommand groups the commands on mail.
type MailCommand struct {
	List  MailList  `cmd:"" help:"List messages that have not left: waiting, being sent, or dead letters."`
	Retry MailRetry `cmd:"" help:"Send messages now, dead letters too."`
	Test  MailTest  `cmd:"" help:"Send a test message at once and say what the mail server answers."`
}

type shownMail struct {
	Number    int64   `json:"number"`
	Org       string  `json:"org"`
	Kind      string  `json:"kind"`
	To        string  `json:"to"` // a…@example.com
	Lang      string  `json:"lang"`
	State     string  `json:"state"` // waiting, sending, dead
	CreatedAt string  `json:"createdAt"`
	Attempts  int     `json:"attempts"`
	DueAt     *string `json:"dueAt"` // when it is tried next
	Dead      bool    `json:"dead"`
	Error     string  `json:"error"`
}

func shownMailOf(l mail.Listed, org string) shownMail {
	state := "waiting"
	switch {
	case l.Dead:
		state = "dead"
	case l.Sending:
		state = "sending"
	}
	return shownMail{l.Number, org, string(l.Kind), l.To, l.Lang, state, when(l.Created), l.Attempts, orNull(l.Due), l.Dead, l.Error}
}

// MailList is `mail list`.
type MailList struct {
	OrganizationOrAll
	Output
}

// Run lists the messages.
func (c *MailList) Run(s *surroundings) error {
	return s.houseOfAny(c.OrganizationOrAll, func(h *app.House, caller access.Caller) error {
		out, rows, known := []shownMail{}, [][]string{}, slugs{}
		for after, more := int64(0), true; more; {
			page, err := h.Mail.List(s, caller, after, 1000)
			if err != nil {
				return err
			}
			for _, l := range page {
				slug, err := known.of(s, h, l.Org)
				if err != nil {
					return err
				}
				m := shownMailOf(l, slug)
				out = append(out, m)
				rows = append(rows, []string{strconv.FormatInt(m.Number, 10), m.Org, m.Kind, m.To, m.State, m.CreatedAt, strconv.Itoa(m.Attempts), when(l.Due), m.Error})
				after = l.Number
			}
			more = len(page) > 0
		}
		return c.print(s, out, []string{"number", "org", "kind", "to", "state", "created", "attempts", "due", "error"}, rows)
	})
}

// MailRetry is `mail retry`.
type MailRetry struct {
	Numbers []int64 `arg:"" optional:"" help:"Their numbers, as rollway mail list shows them." placeholder:"NUMBER"`
	Dead    bool    `help:"All dead letters instead."`
	OrganizationOrAll
}

// Run has the messages sent.
func (c *MailRetry) Run(s *surroundings) error {
	if c.Dead == (len(c.Numbers) > 0) {
		return misuse("Say which messages, as rollway mail list shows them, or --dead.")
	}
	return s.houseOfAny(c.OrganizationOrAll, func(h *app.House, caller access.Caller) error {
		if c.Dead {
			n, err := h.Mail.RetryDead(s, caller)
			fmt.Fprintf(s.err, "Dead letters that are sent again: %d\n", n)
			return err
		}
		var failed error
		for _, number := range c.Numbers {
			if err := h.Mail.Retry(s, caller, number); err != nil {
				if failed != nil {
					report(s.err, failed)
				}
				failed = err
			}
		}
		return failed
	})
}

// MailTest is `mail test`.
type MailTest struct {
	Address string `arg:"" help:"Who gets it."`
	Lang    string `help:"Its language: en, fr, de or es." enum:"en,fr,de,es" default:"en" placeholder:"LANG"`
	Organization
}

// Run sends the message.
func (c *MailTest) Run(s *surroundings) error {
	if _, err := mail.ParseAddress(c.Address); err != nil {
		return usage(err)
	}
	return s.houseOf(c.Organization, func(h *app.House, caller access.Caller) error {
		said, err := h.Mail.Test(s, caller, c.Address, c.Lang)
		if err == nil {
			fmt.Fprintf(s.err, "Sent: %s\n", said)
		}
		return err
	})
}
