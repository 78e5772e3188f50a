package launch

import (
	"context"
	"fmt"

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
	state       string
	name        string
	suspensions int64
	privileged  bool
	used        bool            // the ticket, meanwhile
	over        bool            // the session that the person was signed in with, meanwhile
	parent      id.CredentialID // that this session began with, if it did
	reg         registration
}

// What is asked carries the place of the launch in its batch.
var (
	personNow = db.NewLookup(`SELECT w.n, p.state, p.name, p.suspensions, EXISTS (SELECT 1 FROM grants g WHERE g.org_id = p.org_id AND g.person_id = p.id)
 FROM @ w JOIN people p ON p.org_id = w.org_id AND p.id = w.person_id`,
		db.Column{Name: "n", Type: "bigint"}, db.Column{Name: "org_id", Type: "bigint"}, db.Column{Name: "person_id", Type: "uuid"})
	latestReg = db.NewLookup(`SELECT w.n, r.id, r.person_id, r.activity, r.agent FROM @ w JOIN registrations r ON r.org_id = w.org_id AND r.id =
 (SELECT l.id FROM registrations l WHERE l.org_id = w.org_id AND l.person_id = w.person_id AND l.activity = w.activity ORDER BY l.created DESC, l.id DESC LIMIT 1)`,
		db.Column{Name: "n", Type: "bigint"}, db.Column{Name: "org_id", Type: "bigint"}, db.Column{Name: "person_id", Type: "uuid"}, db.Column{Name: "activity", Type: "text"})
	namedReg = db.NewLookup(`SELECT w.n, r.id, r.person_id, r.activity, r.agent FROM @ w JOIN registrations r ON r.org_id = w.org_id AND r.id = w.id`,
		db.Column{Name: "n", Type: "bigint"}, db.Column{Name: "org_id", Type: "bigint"}, db.Column{Name: "id", Type: "uuid"})
)

// look asks what the database knows of several launches, in one round trip on PostgreSQL.
func look(ctx context.Context, tx *db.Tx, starts []*start) ([]lookup, error) {
	found := make([]lookup, len(starts))
	var people, latest, named [][]any
	for i, s := range starts {
		n, org := int64(i), int64(s.caller.Org)
		people = append(people, []any{n, org, s.person})
		switch {
		case s.NewAttempt:
		case s.Registration.IsZero():
			latest = append(latest, []any{n, org, s.person, s.Activity})
		default:
			named = append(named, []any{n, org, s.Registration})
		}
		if err := found[i].askTicket(ctx, tx, s.ticket); err != nil {
			return nil, err
		}
		if err := found[i].askSignin(ctx, tx, s.caller); err != nil {
			return nil, err
		}
	}
	if err := askPeople(ctx, tx, people, found); err != nil {
		return nil, err
	}
	registrations := func(r *db.Rows) error {
		var n int
		var reg registration
		err := r.Scan(&n, &reg.id, &reg.person, &reg.activity, &reg.agent)
		found[n].reg = reg
		return err
	}
	if err := latestReg.Ask(ctx, tx, latest, registrations); err != nil {
		return nil, err
	}
	if err := namedReg.Ask(ctx, tx, named, registrations); err != nil {
		return nil, err
	}
	return found, tx.Flush(ctx)
}

// askPeople asks for what decides whether people may launch; a row's first value is the place in found.
func askPeople(ctx context.Context, tx *db.Tx, rows [][]any, found []lookup) error {
	return personNow.Ask(ctx, tx, rows, func(r *db.Rows) error {
		var n int
		var f lookup
		err := r.Scan(&n, &f.state, &f.name, &f.suspensions, &f.privileged)
		found[n].state, found[n].name, found[n].suspensions, found[n].privileged = f.state, f.name, f.suspensions, f.privileged
		return err
	})
}

// askTicket uses a ticket up, or finds that somebody has.
func (f *lookup) askTicket(ctx context.Context, tx *db.Tx, ticket []byte) error {
	if ticket == nil {
		return nil
	}
	f.used = true
	return tx.Ask(ctx, useTicket, []any{tx.Now(), ticket, tx.Now()}, func(r *db.Rows) error {
		f.used = false
		var org id.OrgID
		return r.Scan(&org)
	})
}

// refuse says why nothing is launched for this person.
func (f *lookup) refuse(own bool) error {
	switch {
	case f.used:
		return errTicketGone
	case f.over:
		return fault.New(fault.Unauthenticated, "session_invalid", "This session is over. Sign in again.")
	case f.state != "active":
		return fault.New(fault.Forbidden, "person_"+orUnknown(f.state), "This person's access is switched off, so nothing can be launched.")
	case f.privileged && !own:
		return fault.New(fault.Forbidden, "person_privileged", "This person holds an admin right; only their own signed-in session can launch for them.")
	}
	return nil
}

// settle decides the registration of a launch, or says why there is none. made holds those that this batch makes.
func (f *lookup) settle(s *start, made map[place]registration) error {
	if err := f.refuse(s.own()); err != nil {
		return err
	}
	if s.own() {
		s.parent = f.parent
	}
	if f.name != "" {
		s.agent.Name = f.name // content greets people; the identity is the registration's
	}
	reg := f.reg
	if before, ok := made[s.place()]; ok && !s.NewAttempt && (s.Registration.IsZero() || s.Registration == before.id) {
		reg = before
	}
	if reg.id.IsZero() {
		return s.register(made)
	}
	if err := s.mayResume(reg); err != nil {
		return err
	}
	agent, err := xapi.ParseAgent([]byte(reg.agent))
	if err != nil {
		return fmt.Errorf("registration %v: %w", reg.id, err)
	}
	s.agent.IFI, s.made = agent.IFI, false
	return s.make(reg.id)
}

// mayResume says that a registration is another person's or activity's.
func (s *start) mayResume(reg registration) error {
	if reg.person != s.person || reg.activity != s.Activity {
		return fault.New(fault.NotFound, "registration_unknown", "There is no registration %v of this person and activity.", s.Registration)
	}
	return nil
}

func (s *start) register(made map[place]registration) error {
	if !s.draft || !s.made {
		if err := s.make(s.newRegistration()); err != nil {
			return err
		}
	}
	s.made = true
	made[s.place()] = registration{s.done.Registration, s.person, s.Activity, s.text}
	return nil
}

func orUnknown(state string) string {
	if state == "" {
		return "unknown"
	}
	return state
}
