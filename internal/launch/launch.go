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
	"rollway/internal/limit"
	"rollway/internal/lrs"
	"rollway/xapi"
)

// Launcher launches content. Make one with New.
type Launcher struct {
	Records *lrs.Store // where progress is read from; to be set before [Launcher.Courses] is used

	Ledger *limit.Ledger // counts what people launch for themselves; to be set before [Launcher.StartOwn] is used
	Own    limit.Rule    // how often one person may

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

// launchRows are those of one launch: registration, session, credential and its name.
const launchRows = 4

// New returns a launcher. Close it when done.
func New(d *db.DB, key access.Key, c *content.Catalogue, v *credential.Vault, where Addresses) *Launcher {
	l := &Launcher{db: d, key: key, content: c, credentials: v, tokens: newPathTokens(key.Hash("path token")), where: where, ticketTTL: TicketTTL, Own: ownRule}
	l.group = db.NewGroup(d, launchRows, l.write)
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

// check says what contradicts itself.
func (r Request) check() error {
	if r.NewAttempt && !r.Registration.IsZero() {
		return fault.New(fault.Conflict, "registration_and_new_attempt", "Give either `registration` or `newAttempt`, not both.")
	}
	return nil
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

	was  xapi.Agent // the agent as it came
	text string     // and in JSON, as a new registration keeps it

	item  content.Content
	err   error // what is wrong with this launch alone
	done  Launch
	child credential.Child
	entry access.Entry
	made  bool // the registration is new
	draft bool // done, child and entry are made, and not used yet
}

func (l *Launcher) start(ctx context.Context, s *start) (Launch, error) {
	if err := s.check(); err != nil {
		return Launch{}, err
	}
	item, err := l.content.Find(ctx, s.caller.Org, s.Activity)
	if err != nil {
		return Launch{}, err
	}
	s.item = item
	if err := s.prepare(); err != nil {
		return Launch{}, err
	}
	if err := l.group.Do(ctx, s); err != nil {
		return Launch{}, err
	}
	if s.err != nil {
		return Launch{}, s.err
	}
	s.done.URL, err = l.address(s)
	return s.done, err
}

// prepare does whatever needs no database before the launch joins the queue for the writer, which all launches wait for. It
// supposes that the registration is new; the transaction makes another draft when it is not.
func (s *start) prepare() error {
	agent, err := json.Marshal(s.agent)
	if err != nil {
		return err
	}
	s.was, s.text, s.made = s.agent, string(agent), true
	return s.make(s.newRegistration())
}

// place is what a launch has in common with those that may make the same registration.
type place struct {
	org      id.OrgID
	person   id.PersonID
	activity string
}

func (s *start) place() place { return place{s.caller.Org, s.person, s.Activity} }

func (s *start) newRegistration() id.RegistrationID {
	if s.Registration.IsZero() {
		return id.NewRandom[id.RegistrationID]()
	}
	return s.Registration
}

// make makes what a launch in this registration writes.
func (s *start) make(reg id.RegistrationID) (err error) {
	s.done.Registration, s.done.Session = reg, id.New[id.SessionID]()
	s.child = credential.Child{Org: s.caller.Org, Person: s.person, Registration: reg, Activity: s.Activity, Signin: s.caller.Signin, MintedBy: s.caller.ServiceAccount}
	s.child.Make()
	s.entry, err = access.NewEntry(s.caller, "launch.start", "person "+s.person.String(), map[string]any{
		"activity": s.Activity, "registration": reg.String(), "session": s.done.Session.String(),
	})
	s.draft = true
	return err
}

// write stores several launches in one transaction: one round trip to look, one to write.
func (l *Launcher) write(ctx context.Context, tx *db.Tx, starts []*start) error {
	var keys []string
	for _, s := range starts {
		s.err = nil
		if !s.NewAttempt { // a new attempt looks for no registration that another launch might be making
			keys = append(keys, fmt.Sprintf("launch %d %v %s", s.caller.Org, s.person, s.Activity))
		}
	}
	if err := tx.Lock(ctx, keys...); err != nil {
		return err
	}
	found, err := look(ctx, tx, starts)
	if err != nil {
		return err
	}
	latest := map[place]registration{} // made in this very batch
	going := make([]*start, 0, len(starts))
	for i, s := range starts {
		if s.err = found[i].settle(s, latest); s.err == nil {
			s.child.Suspensions = found[i].suspensions
			going = append(going, s)
		}
	}
	return l.insert(ctx, tx, going)
}

func (l *Launcher) insert(ctx context.Context, tx *db.Tx, starts []*start) error {
	now := tx.Now()
	var regs [][]any
	sessions, entries, children := make([][]any, len(starts)), make([]access.Entry, len(starts)), make([]*credential.Child, len(starts))
	for i, s := range starts {
		org := int64(s.caller.Org)
		s.child.Agent, s.child.Parent, s.draft = s.agent, s.parent, false
		if s.made {
			regs = append(regs, []any{org, s.done.Registration, s.person, s.Activity, s.text, now})
		}
		sessions[i] = []any{org, s.done.Session, s.done.Registration, s.person, s.child.ID, s.parent, s.item.Package, now}
		entries[i], children[i] = s.entry, &s.child
	}
	if err := insertRegistrations.Insert(ctx, tx, regs); err != nil {
		return err
	}
	if err := insertSessions.Insert(ctx, tx, sessions); err != nil {
		return err
	}
	if err := l.credentials.MintChildren(ctx, tx, children); err != nil {
		return err
	}
	return access.AuditAll(ctx, tx, entries)
}
