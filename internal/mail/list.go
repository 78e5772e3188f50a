package mail

import (
	"context"
	"fmt"
	"iter"
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

const pageSize = 500 // messages looked at in one go

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
	if c.Org == 0 {
		return c.RequireOperator()
	}
	return c.Require(access.Admin)
}

// Retry has a message sent now, a dead letter too; whose, see [Office.List]. Faults: Forbidden without the scope admin,
// NotFound when none of that number waits.
func (o *Office) Retry(ctx context.Context, c access.Caller, number int64) error {
	if err := may(c); err != nil {
		return err
	}
	found, err := o.queue.List(ctx, c.Org, kind, "", number-1, 1)
	if err != nil {
		return err
	}
	again := false
	if len(found) > 0 && found[0].Number == number {
		again, err = o.again(ctx, c, found[0])
	}
	if err == nil && !again {
		err = fault.New(fault.NotFound, "mail_unknown", "There is no mail %d that waits.", number)
	}
	return err
}

// RetryDead has all dead letters sent now and returns how many they are; whose, see [Office.List]. Fault: Forbidden without
// the scope admin.
func (o *Office) RetryDead(ctx context.Context, c access.Caller) (n int, err error) {
	if err := may(c); err != nil {
		return 0, err
	}
	for j, err := range dead(ctx, o.queue, c.Org) {
		if err != nil {
			return n, err
		}
		again, err := o.again(ctx, c, j)
		if err != nil {
			return n, err
		}
		if again {
			n++
		}
	}
	return n, nil
}

// again makes a job due now, and says so in the audit trail of whose it is; false when it is being worked, or gone.
func (o *Office) again(ctx context.Context, c access.Caller, j outbox.Listed) (waits bool, err error) {
	c.Org = j.Org
	err = o.db.Write(ctx, func(tx *db.Tx) (err error) {
		if waits, err = o.queue.Retry(ctx, tx, j.Org, kind, j.Number); err != nil || !waits {
			return err
		}
		return access.Audit(ctx, tx, c, "mail.retry", fmt.Sprintf("mail %d", j.Number), nil)
	})
	return waits, err
}

// Test sends a message to an address at once, past the outbox, and returns what the server says. Faults: Forbidden for anybody
// but the operator, Invalid for an address that is none and when the message is refused for good, Unavailable when mail does
// not leave.
func (o *Office) Test(ctx context.Context, c access.Caller, to, lang string) (string, error) {
	if err := c.RequireOperator(); err != nil {
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

// Dead counts the dead letters of all organizations.
func Dead(ctx context.Context, d *db.DB) (n int, err error) {
	for _, err := range dead(ctx, outbox.New(d), 0) {
		if err != nil {
			return n, err
		}
		n++
	}
	return n, nil
}

// dead yields the dead letters of an organization, or of all; an error ends it.
func dead(ctx context.Context, q *outbox.Queue, org id.OrgID) iter.Seq2[outbox.Listed, error] {
	return func(yield func(outbox.Listed, error) bool) {
		for after := int64(0); ; {
			jobs, err := q.List(ctx, org, kind, "", after, pageSize)
			if err != nil {
				yield(outbox.Listed{}, err)
				return
			}
			for _, j := range jobs {
				if j.Dead() && !yield(j, nil) {
					return
				}
				after = j.Number
			}
			if len(jobs) < pageSize {
				return
			}
		}
	}
}
