package launch

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"time"

	"github.com/go-json-experiment/json"

	"rollway/internal/access"
	"rollway/internal/db"
	"rollway/internal/directory"
	"rollway/internal/fault"
	"rollway/xapi"
)

// Ticket is a one-time link to a launch.
type Ticket struct {
	URL     string
	Expires time.Time
}

const (
	insertTicket = `INSERT INTO launch_tickets (hash, org_id, person_id, agent, activity, registration_id, new_attempt, made_by, service_account_id, expires) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`
	readTicket   = `SELECT t.org_id, t.person_id, t.agent, t.activity, t.registration_id, t.new_attempt, t.made_by, t.service_account_id FROM launch_tickets t
 LEFT JOIN service_accounts s ON s.org_id = t.org_id AND s.id = t.service_account_id WHERE t.hash = ? AND t.used IS NULL AND t.expires > ? AND s.revoked IS NULL`
	useTicket    = `UPDATE launch_tickets SET used = ? WHERE hash = ? AND used IS NULL AND expires > ? RETURNING org_id`
	sweepTickets = `DELETE FROM launch_tickets WHERE expires < ?`
)

var errTicketGone = fault.New(fault.Gone, "ticket_gone", "A link like this opens once, within a minute of being made.")

// Ticket makes a link that launches content once for a person, for a caller with the scope launch:create. The person is
// found by any of their agents, which becomes the actor of what they do under the person's own name. Revoking the service
// account that made it ends the link and what was launched with it.
//
// Faults: Forbidden, NotFound for an unknown person, those of Start for the request and the person's state.
func (l *Launcher) Ticket(ctx context.Context, c access.Caller, people *directory.Directory, agent xapi.Agent, r Request) (Ticket, error) {
	if err := c.Require(access.LaunchCreate); err != nil {
		return Ticket{}, err
	}
	if err := r.check(); err != nil {
		return Ticket{}, err
	}
	if _, err := l.content.Find(ctx, c.Org, r.Activity); err != nil {
		return Ticket{}, err
	}
	owner, err := people.PersonOfAgent(ctx, c.Org, agent.IFI)
	if err != nil {
		return Ticket{}, err
	}
	agent.Name = ""
	text, err := json.Marshal(agent)
	if err != nil {
		return Ticket{}, err
	}
	secret := make([]byte, 32)
	rand.Read(secret)
	s := &start{caller: c, person: owner.ID, Request: r}
	var t Ticket
	err = l.db.Write(ctx, func(tx *db.Tx) error {
		t = Ticket{l.where.Public + "/api/activities/launch?ticket=" + base64.RawURLEncoding.EncodeToString(secret), tx.Now().Add(l.ticketTTL)}
		found, err := look(ctx, tx, []*start{s})
		if err != nil {
			return err
		}
		if err := found[0].refuse(false); err != nil {
			return err
		}
		if reg := found[0].reg; !reg.id.IsZero() { // otherwise it is made by the launch
			if err := s.mayResume(reg); err != nil {
				return err
			}
		}
		if err := access.Audit(ctx, tx, c, "launch.ticket", "person "+owner.ID.String(), map[string]any{"activity": r.Activity}); err != nil {
			return err
		}
		if err := tx.Defer(ctx, sweepTickets, tx.Now().Add(-24*time.Hour)); err != nil {
			return err
		}
		return tx.Defer(ctx, insertTicket, l.ticketHash(secret), c.Org, owner.ID, string(text), r.Activity, r.Registration, r.NewAttempt, c.Name, c.ServiceAccount, t.Expires)
	})
	return t, err
}

func (l *Launcher) ticketHash(secret []byte) []byte { return l.key.Hash("ticket", string(secret)) }

// Redeem launches what a ticket was made for and uses the ticket up. Fault: Gone (ticket_gone) for one that is unknown,
// used, too old or whose maker was revoked; otherwise those of Start.
func (l *Launcher) Redeem(ctx context.Context, ticket string) (Launch, error) {
	secret, err := base64.RawURLEncoding.Strict().DecodeString(ticket)
	if err != nil || len(secret) != 32 {
		return Launch{}, errTicketGone
	}
	s := &start{ticket: l.ticketHash(secret), caller: access.Caller{Kind: access.ServiceAccount}}
	var agent string
	err = l.db.Read(ctx, func(tx *db.Tx) error {
		return tx.Row(ctx, readTicket, s.ticket, tx.Now()).Scan(&s.caller.Org, &s.person, &agent, &s.Activity, &s.Registration, &s.NewAttempt, &s.caller.Name, &s.caller.ServiceAccount)
	})
	if errors.Is(err, db.ErrNoRows) {
		return Launch{}, errTicketGone
	}
	if err != nil {
		return Launch{}, err
	}
	if s.agent, err = xapi.ParseAgent([]byte(agent)); err != nil {
		return Launch{}, err
	}
	return l.start(ctx, s)
}
