package launch

import (
	"context"
	"fmt"
	"time"

	"github.com/go-json-experiment/json"

	"rollway/internal/access"
	"rollway/internal/content"
	"rollway/internal/credential"
	"rollway/internal/db"
	"rollway/internal/fault"
	"rollway/internal/id"
	"rollway/xapi"
)

// Launcher launches content. Make one with New.
type Launcher struct {
	db          *db.DB
	content     *content.Catalogue
	credentials *credential.Vault
	key         access.Key
	tokens      *pathTokens
	group       *db.Group[*start]
	where       Addresses
	ticketTTL   time.Duration
}

// Addresses are what launch links are built from; none is ever taken from a request.
type Addresses struct {
	Public     string // e.g. "https://learn.example", without a slash at the end
	Courseware string // the second origin, e.g. "https://content.example"
	SingleHost bool   // no host per package
}

// TicketTTL is how long a one-time link can be opened.
const TicketTTL = 60 * time.Second

// New returns a launcher. Close it when done.
func New(d *db.DB, key access.Key, c *content.Catalogue, v *credential.Vault, where Addresses) *Launcher {
	l := &Launcher{db: d, key: key, content: c, credentials: v, tokens: newPathTokens(key.Hash("path token")), where: where, ticketTTL: TicketTTL}
	l.group = db.NewGroup(d, l.write)
	return l
}

// Close ends the launcher's writers.
func (l *Launcher) Close() { l.group.Close() }

// Request is what is to be launched, and how.
type Request struct {
	Activity     string            // IRI of the content
	Registration id.RegistrationID // zero: the person's latest of this activity, or a new one
	NewAttempt   bool              // a new registration in any case
}

// Launch is a launch that was started.
type Launch struct {
	URL          string // where the browser goes; it holds secrets
	Registration id.RegistrationID
	Session      id.SessionID
}

// Start launches content for the agent that the caller's credential is bound to.
//
// Faults: Forbidden for any other caller (launch_not_a_learner, person_suspended, person_privileged, launch_elsewhere),
// NotFound for an unknown activity or somebody else's registration, Conflict when Registration and NewAttempt contradict.
func (l *Launcher) Start(ctx context.Context, c access.Caller, r Request) (Launch, error) {
	if c.Kind != access.Credential || c.Bound == nil {
		return Launch{}, fault.New(fault.Forbidden, "launch_not_a_learner", "Only a credential minted for a person launches content; %s is not one. Mint one with POST /api/auth/basic.", c.Name)
	}
	b := c.Bound
	if !b.Registration.IsZero() || b.Activity != "" {
		return Launch{}, fault.New(fault.Forbidden, "launch_elsewhere", "This credential belongs to one launch and cannot start another.")
	}
	return l.start(ctx, &start{caller: c, person: b.Person, agent: b.Agent, parent: c.Credential, Request: r})
}

// start is one launch on its way through the group of writers.
type start struct {
	Request
	caller access.Caller
	person id.PersonID
	agent  xapi.Agent
	parent id.CredentialID
	ticket []byte // hash of the ticket that is used up by this launch

	item  content.Content
	err   error // what is wrong with this launch alone
	done  Launch
	child credential.Child
	made  bool // the registration is new
}

func (l *Launcher) start(ctx context.Context, s *start) (Launch, error) {
	if s.NewAttempt && !s.Registration.IsZero() {
		return Launch{}, fault.New(fault.Conflict, "registration_and_new_attempt", "Give either `registration` or `newAttempt`, not both.")
	}
	item, err := l.content.Find(ctx, s.caller.Org, s.Activity)
	if err != nil {
		return Launch{}, err
	}
	s.item = item
	if err := l.group.Do(ctx, s); err != nil {
		return Launch{}, err
	}
	if s.err != nil {
		return Launch{}, s.err
	}
	s.done.URL, err = l.address(s)
	return s.done, err
}

// write stores several launches in one transaction: one round trip to look, one to write.
func (l *Launcher) write(ctx context.Context, tx *db.Tx, starts []*start) error {
	keys := make([]string, len(starts))
	for i, s := range starts {
		s.err = nil
		keys[i] = fmt.Sprintf("launch %d %v %s", s.caller.Org, s.person, s.Activity)
	}
	if err := tx.Lock(ctx, keys...); err != nil {
		return err
	}
	found := make([]lookup, len(starts))
	for i, s := range starts {
		if err := found[i].ask(ctx, tx, s); err != nil {
			return err
		}
	}
	if err := tx.Flush(ctx); err != nil {
		return err
	}
	latest := map[string]registration{} // made in this very batch
	var going []*start
	for i, s := range starts {
		if s.err = found[i].settle(s, keys[i], latest); s.err == nil {
			going = append(going, s)
		}
	}
	if len(going) == 0 {
		return nil
	}
	return l.insert(ctx, tx, going)
}

func (l *Launcher) insert(ctx context.Context, tx *db.Tx, starts []*start) error {
	now := tx.Now()
	var regs, sessions [][]any
	children := make([]*credential.Child, 0, len(starts))
	for _, s := range starts {
		org := s.caller.Org
		s.done.Session = id.New[id.SessionID]()
		s.child = credential.Child{Org: org, Person: s.person, Agent: s.agent, Registration: s.done.Registration, Activity: s.Activity, Parent: s.parent}
		s.child.Make()
		children = append(children, &s.child)
		if s.made {
			agent, err := json.Marshal(s.agent)
			if err != nil {
				return err
			}
			regs = append(regs, []any{int64(org), s.done.Registration, s.person, s.Activity, string(agent), now})
		}
		sessions = append(sessions, []any{int64(org), s.done.Session, s.done.Registration, s.person, s.child.ID, s.parent, s.item.Package, now})
		if err := access.Audit(ctx, tx, s.caller, "launch.start", "person "+s.person.String(), map[string]any{
			"activity": s.Activity, "registration": s.done.Registration.String(), "session": s.done.Session.String(),
		}); err != nil {
			return err
		}
	}
	if err := insertRegistrations.Insert(ctx, tx, regs); err != nil {
		return err
	}
	if err := insertSessions.Insert(ctx, tx, sessions); err != nil {
		return err
	}
	return l.credentials.MintChildren(ctx, tx, children)
}
