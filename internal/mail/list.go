package mail

import (
	"context"
	"fmt"
	"time"

	"rollway/internal/access"
	"rollway/internal/db"
	"rollway/internal/fault"
	"rollway/internal/id"
	"rollway/internal/outbox"
)

// Listed is a message that has not left, as it is shown.
type Listed struct {
	Org       id.OrgID
	Number    int64
	Kind      Kind   // and To, Lang: empty when the message cannot be opened, Error then says why
	To        string // a…@example.com
	Lang      string
	Created   time.Time
	Attempts  int       // begun
	Attempted time.Time // when the last began; zero for never
	Due       time.Time // when the next comes; zero for a dead letter
	Sending   bool      // it is being sent
	Dead      bool      // it waits for Retry
	Error     string    // of the last attempt
}

// List returns messages that have not left with a number greater than after, in the order they were put, at most limit of
// them: the organization's, or of all organizations for the operator of the installation, a System caller of none. Fault:
// Forbidden without the scope admin.
func (o *Office) List(ctx context.Context, c access.Caller, after int64, limit int) ([]Listed, error) {
	if err := may(c); err != nil {
		return nil, err
	}
	jobs, err := o.queue.List(ctx, c.Org, kind, "", after, limit)
	if err != nil {
		return nil, err
	}
	list := make([]Listed, len(jobs))
	for i, j := range jobs {
		list[i] = Listed{Org: j.Org, Number: j.Number, Created: j.Created, Attempts: j.Attempt, Attempted: j.Attempted, Due: j.Due, Sending: j.Leased, Dead: j.Dead(), Error: j.Error}
		l, err := o.open(j.Org, j.Payload)
		if err != nil {
			list[i].Error = fault.Of(err).Message
			continue
		}
		list[i].Kind, list[i].To, list[i].Lang = l.Kind, masked(l.To), l.Lang
	}
	return list, nil
}

// may tells whether a caller may see and send what waits.
func may(c access.Caller) error {
	if c.Org == 0 && c.Kind != access.System {
		return fault.New(fault.Forbidden, "operator_only", "Only the operator of the installation sees the mail of all organizations.")
	}
	return c.Require(access.Admin)
}

// Retry has a message sent now, a dead letter too; whose, see [Office.List]. Faults: Forbidden without the scope admin,
// NotFound when none of that number waits.
func (o *Office) Retry(ctx context.Context, c access.Caller, number int64) error {
	if err := may(c); err != nil {
		return err
	}
	unknown := fault.New(fault.NotFound, "mail_unknown", "There is no mail %d that waits.", number)
	found, err := o.queue.List(ctx, c.Org, kind, "", number-1, 1)
	if err != nil {
		return err
	}
	if len(found) == 0 || found[0].Number != number {
		return unknown
	}
	c.Org = found[0].Org // whose audit trail it is
	return o.db.Write(ctx, func(tx *db.Tx) error {
		waits, err := o.queue.Retry(ctx, tx, c.Org, kind, number)
		if err != nil {
			return err
		}
		if !waits {
			return unknown
		}
		return access.Audit(ctx, tx, c, "mail.retry", fmt.Sprintf("mail %d", number), nil)
	})
}

// Test sends a message to an address at once, past the outbox, and returns what the server says. Faults: Forbidden without
// the scope admin, Invalid for an address that is none and when the message is refused for good, Unavailable when mail does
// not leave.
func (o *Office) Test(ctx context.Context, c access.Caller, to, lang string) (string, error) {
	if err := c.Require(access.Admin); err != nil {
		return "", err
	}
	if o.out == nil {
		return "", fault.New(fault.Unavailable, "mail_none", "There is no way for mail to leave: give --mail.")
	}
	l, err := o.letterOf(Message{Org: c.Org, To: to, Lang: lang, Kind: works}, time.Now())
	if err != nil {
		return "", err
	}
	err = o.db.Write(ctx, func(tx *db.Tx) error {
		return access.Audit(ctx, tx, c, "mail.test", "address "+masked(l.To), nil)
	})
	if err != nil {
		return "", err
	}
	return o.send(ctx, l)
}

// Probe finds out whether mail would leave, without sending any, and tells how it does.
func Probe(ctx context.Context, c Config) (string, error) {
	_, out, err := c.read()
	if err != nil {
		return "", err
	}
	if out == nil {
		return "", fault.New(fault.Unavailable, "mail_none", "It waits in the outbox, since there is no --mail.")
	}
	return out.probe(ctx)
}

// Dead counts the dead letters of all organizations, up to a thousand.
func Dead(ctx context.Context, d *db.DB) (dead int, err error) {
	jobs, err := outbox.New(d).List(ctx, 0, kind, "", 0, 1000)
	for _, j := range jobs {
		if j.Dead() {
			dead++
		}
	}
	return dead, err
}
