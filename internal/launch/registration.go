package launch

import (
	"context"
	"fmt"

	"github.com/go-json-experiment/json"

	"rollway/internal/db"
	"rollway/internal/fault"
	"rollway/internal/id"
	"rollway/xapi"
)

var (
	insertRegistrations = db.NewBulk("registrations", "",
		db.Column{Name: "org_id", Type: "bigint"}, db.Column{Name: "id", Type: "uuid"}, db.Column{Name: "person_id", Type: "uuid"},
		db.Column{Name: "activity", Type: "text"}, db.Column{Name: "agent", Type: "text"}, db.Column{Name: "created", Type: "bigint"})
	insertSessions = db.NewBulk("launch_sessions", "",
		db.Column{Name: "org_id", Type: "bigint"}, db.Column{Name: "id", Type: "uuid"}, db.Column{Name: "registration_id", Type: "uuid"},
		db.Column{Name: "person_id", Type: "uuid"}, db.Column{Name: "credential_id", Type: "uuid"}, db.Column{Name: "parent_id", Type: "uuid"},
		db.Column{Name: "package_id", Type: "uuid"}, db.Column{Name: "started", Type: "bigint"})
)

// registration is a row, as far as a launch needs it.
type registration struct {
	id       id.RegistrationID
	person   id.PersonID
	activity string
	agent    string
}

// lookup is what the database knows when a launch begins.
type lookup struct {
	state      string
	name       string
	privileged bool
	revoked    bool // the presented credential, meanwhile
	used       bool // the ticket, meanwhile
	reg        registration
}

const (
	personNow = `SELECT p.state, p.name, EXISTS (SELECT 1 FROM grants g WHERE g.org_id = p.org_id AND g.person_id = p.id) FROM people p WHERE p.org_id = ? AND p.id = ?`
	latestReg = `SELECT id, person_id, activity, agent FROM registrations WHERE org_id = ? AND person_id = ? AND activity = ? ORDER BY created DESC, id DESC LIMIT 1`
	namedReg  = `SELECT id, person_id, activity, agent FROM registrations WHERE org_id = ? AND id = ?`
)

func (f *lookup) ask(ctx context.Context, tx *db.Tx, s *start) error {
	if s.ticket != nil {
		f.used = true
		if err := tx.Ask(ctx, useTicket, []any{tx.Now(), s.ticket, tx.Now()}, func(r *db.Rows) error {
			f.used = false
			var org id.OrgID
			return r.Scan(&org)
		}); err != nil {
			return err
		}
	}
	if err := tx.Ask(ctx, personNow, []any{s.caller.Org, s.person}, func(r *db.Rows) error { return r.Scan(&f.state, &f.name, &f.privileged) }); err != nil {
		return err
	}
	query, args := latestReg, []any{s.caller.Org, s.person, s.Activity}
	switch {
	case s.NewAttempt:
		return nil
	case !s.Registration.IsZero():
		query, args = namedReg, []any{s.caller.Org, s.Registration}
	}
	return tx.Ask(ctx, query, args, func(r *db.Rows) error { return r.Scan(&f.reg.id, &f.reg.person, &f.reg.activity, &f.reg.agent) })
}

// settle decides the registration of a launch, or says why there is none. made holds those that this batch makes.
func (f *lookup) settle(s *start, key string, made map[string]registration) error {
	switch {
	case f.used:
		return errTicketGone
	case f.state != "active":
		return fault.New(fault.Forbidden, "person_"+orUnknown(f.state), "This person's access is switched off, so nothing can be launched.")
	case f.privileged:
		return fault.New(fault.Forbidden, "person_privileged", "This person holds an admin right; only their own signed-in session can launch for them.")
	}
	if f.name != "" {
		s.agent.Name = f.name // content greets people; the identity is the registration's
	}
	reg := f.reg
	if before, ok := made[key]; ok && !s.NewAttempt && (s.Registration.IsZero() || s.Registration == before.id) {
		reg = before
	}
	if reg.id.IsZero() {
		return s.register(key, made)
	}
	if reg.person != s.person || reg.activity != s.Activity {
		return fault.New(fault.NotFound, "registration_unknown", "There is no registration %v of this person and activity.", s.Registration)
	}
	agent, err := xapi.ParseAgent([]byte(reg.agent))
	if err != nil {
		return fmt.Errorf("registration %v: %w", reg.id, err)
	}
	s.agent.IFI, s.done.Registration, s.made = agent.IFI, reg.id, false
	return nil
}

func (s *start) register(key string, made map[string]registration) error {
	s.done.Registration, s.made = s.Registration, true
	if s.Registration.IsZero() {
		s.done.Registration = id.NewRandom[id.RegistrationID]()
	}
	agent, err := json.Marshal(s.agent)
	if err != nil {
		return err
	}
	made[key] = registration{s.done.Registration, s.person, s.Activity, string(agent)}
	return nil
}

func orUnknown(state string) string {
	if state == "" {
		return "unknown"
	}
	return state
}
