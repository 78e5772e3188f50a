package forward

import (
	"context"
	"errors"
	"strings"
	"sync"
	"time"
	"unicode"
	"unicode/utf8"

	"rollway/internal/access"
	"rollway/internal/db"
	"rollway/internal/fault"
	"rollway/internal/id"
	"rollway/internal/lrs"
	"rollway/internal/outbox"
	"rollway/xapi"
)

// Config is what forwards stand on. All fields are required.
type Config struct {
	DB      *db.DB
	Key     access.Key
	Records *lrs.Store
	Outbox  *outbox.Queue
	Own     []string // addresses that this installation answers to, which nothing is forwarded to
}

// Forwards are the forwards of an installation. It is safe for use by many goroutines.
type Forwards struct {
	Config
	sealer
	send    sender
	mu      sync.Mutex
	nothing map[id.ForwardID]lrs.Position // up to where this process has looked and found nothing to send
}

// New returns the forwards of an installation; Work sends.
func New(c Config) (*Forwards, error) {
	s, err := newSealer(c.Key)
	if err != nil {
		return nil, err
	}
	return &Forwards{Config: c, sealer: s, send: newSender(), nothing: map[id.ForwardID]lrs.Position{}}, nil
}

// Filter says which statements are sent; the zero value selects all. The fields are those of [lrs.Query].
type Filter struct {
	Agent             xapi.IFI          `json:"agent,omitzero"`
	RelatedAgents     bool              `json:"relatedAgents,omitzero"`
	Verb              string            `json:"verb,omitzero"`
	Activity          string            `json:"activity,omitzero"`
	RelatedActivities bool              `json:"relatedActivities,omitzero"`
	Registration      id.RegistrationID `json:"registration,omitzero"`
}

func (f Filter) query(limit int) lrs.Query {
	return lrs.Query{Agent: f.Agent, RelatedAgents: f.RelatedAgents, Verb: f.Verb, Activity: f.Activity, RelatedActivities: f.RelatedActivities, Registration: f.Registration, Limit: limit}
}

// Request is a forward to be added.
type Request struct {
	Name         string // one per organization
	Endpoint     string // of the receiver's xAPI, https://lrs.example/xapi/
	Username     string // and secret: what the receiver's Basic authentication takes
	Secret       string
	Filter       Filter
	Since        time.Time // statements stored after; all when zero
	AllowPrivate bool      // the receiver is on this machine or in a private network
	PlainHTTP    bool      // in clear text, also elsewhere than on this machine
}

// Forward is another record store that statements are sent on to.
type Forward struct {
	ID           id.ForwardID
	Name         string
	Endpoint     string // ends with a slash
	Username     string
	Filter       Filter
	AllowPrivate bool
	PlainHTTP    bool
	Paused       bool
	Created      time.Time

	Through     time.Time // all that was stored up to then was sent or refused; zero at the beginning
	Sent        int64     // statements the receiver took; one whose answer was lost is counted when it is sent again
	LastSuccess time.Time // when it last took some; zero for never
	Waiting     time.Time // when the oldest statement was stored that waits to be sent; zero when none waits
	LastError   string    // why the last attempt failed; empty when it did not
	Attempts    int       // failed since the last success
	NextTry     time.Time // zero when paused
	Refused     int64

	place lrs.Position
}

const (
	maxName   = 100
	maxSecret = 1000
	kind      = "forward" // in the outbox
)

func (r Request) check() error {
	switch {
	case strings.TrimSpace(r.Name) != r.Name || r.Name == "" || len(r.Name) > maxName || !printable(r.Name):
		return fault.New(fault.Invalid, "forward_name", "A forward needs a name of 1 to %d bytes without control characters and without blanks around it.", maxName)
	case r.Username == "" || len(r.Username) > maxSecret || !printable(r.Username) || strings.Contains(r.Username, ":"):
		return fault.New(fault.Invalid, "forward_user", "A forward needs the user name that its receiver knows: 1 to %d bytes, no colon, no control characters.", maxSecret)
	case r.Secret == "" || len(r.Secret) > maxSecret || !printable(r.Secret):
		return fault.New(fault.Invalid, "forward_secret", "A forward needs the secret that its receiver knows (--password-file or ROLLWAY_PASSWORD): 1 to %d bytes without control characters.", maxSecret)
	}
	for name, value := range map[string]string{"verb": r.Filter.Verb, "activity": r.Filter.Activity} {
		if value == "" {
			continue
		}
		if _, err := xapi.ParseIRI(value); err != nil {
			return fault.New(fault.Invalid, "forward_filter", "The %s of the filter is not an IRI: %v.", name, err)
		}
	}
	if r.Filter.RelatedAgents && r.Filter.Agent.IsZero() || r.Filter.RelatedActivities && r.Filter.Activity == "" {
		return fault.New(fault.Invalid, "forward_filter", "Related agents and activities are those of an agent or activity that is given.")
	}
	return nil
}

func printable(s string) bool {
	return utf8.ValidString(s) && !strings.ContainsFunc(s, unicode.IsControl)
}

// Add makes a forward, which begins at once. Faults: Forbidden for anybody but the operator, in whose network the receiver may
// be; Invalid, Conflict for a name that is taken.
func (f *Forwards) Add(ctx context.Context, c access.Caller, r Request) (Forward, error) {
	if err := c.RequireOperator(); err != nil {
		return Forward{}, err
	}
	if err := r.check(); err != nil {
		return Forward{}, err
	}
	endpoint, err := parseEndpoint(r, f.Own)
	if err != nil {
		return Forward{}, err
	}
	out := Forward{ID: id.New[id.ForwardID](), Name: r.Name, Endpoint: endpoint, Username: r.Username, Filter: r.Filter, AllowPrivate: r.AllowPrivate, PlainHTTP: r.PlainHTTP}
	if !r.Since.IsZero() {
		out.place = lrs.At(r.Since)
	}
	err = f.DB.Write(ctx, func(tx *db.Tx) error {
		out.Created = tx.Now()
		if err := insert(ctx, tx, c.Org, out, f.seal(c.Org, out, r.Secret)); err != nil {
			return err
		}
		if err := f.begin(ctx, tx, c.Org, out); err != nil {
			return err
		}
		return access.Audit(ctx, tx, c, "forward.add", "forward "+out.ID.String(), map[string]any{
			"name": out.Name, "endpoint": out.Endpoint, "username": out.Username, "filter": out.Filter, "allowPrivate": out.AllowPrivate, "plainHTTP": out.PlainHTTP,
		})
	})
	if errors.Is(err, db.ErrUnique) {
		return Forward{}, fault.New(fault.Conflict, "forward_exists", "There is a forward %s already.", r.Name)
	}
	if err != nil {
		return Forward{}, err
	}
	return f.Get(ctx, c, out.Name)
}

// begin puts the forward's one job.
func (f *Forwards) begin(ctx context.Context, tx *db.Tx, org id.OrgID, fw Forward) error {
	return f.Outbox.Put(ctx, tx, outbox.Message{Org: org, Kind: kind, Lane: fw.ID.String()})
}

// List returns the organization's forwards with their states, by name. Fault: Forbidden without the scope admin.
func (f *Forwards) List(ctx context.Context, c access.Caller) ([]Forward, error) {
	if err := c.Require(access.Admin); err != nil {
		return nil, err
	}
	return f.read(ctx, c.Org, "")
}

// Get returns one forward. Faults: Forbidden without the scope admin, NotFound.
func (f *Forwards) Get(ctx context.Context, c access.Caller, name string) (Forward, error) {
	if err := c.Require(access.Admin); err != nil {
		return Forward{}, err
	}
	found, err := f.read(ctx, c.Org, name)
	if err != nil {
		return Forward{}, err
	}
	if len(found) == 0 {
		return Forward{}, unknown(name)
	}
	return found[0], nil
}

func unknown(name string) error {
	return fault.New(fault.NotFound, "forward_unknown", "There is no forward %.200q.", name)
}

// read returns forwards with what the outbox and the record store know of them.
func (f *Forwards) read(ctx context.Context, org id.OrgID, name string) (found []Forward, err error) {
	err = f.DB.Read(ctx, func(tx *db.Tx) error {
		found, err = rows(ctx, tx, org, name)
		return err
	})
	if err != nil || len(found) == 0 {
		return nil, err
	}
	for i := range found {
		fw := &found[i]
		waiting, _, err := f.Records.After(ctx, reader(org, *fw), fw.Filter.query(1), fw.place, lrs.End)
		if err != nil {
			return nil, err
		}
		if len(waiting) > 0 {
			fw.Waiting = waiting[0].Stored
		}
		jobs, err := f.Outbox.List(ctx, org, kind, fw.ID.String(), 0, 1)
		if err != nil {
			return nil, err
		}
		for _, j := range jobs {
			fw.LastError, fw.NextTry = j.Error, j.Due
			if fw.Attempts = j.Attempt; j.Leased {
				fw.Attempts-- // the one under way
			}
		}
	}
	return found, nil
}

// reader reads the records for a forward.
func reader(org id.OrgID, fw Forward) access.Caller {
	return access.Caller{Org: org, Kind: access.System, Name: "forward " + fw.Name, Scopes: access.StatementsRead}
}

// Refusal is a statement that a receiver will not take.
type Refusal struct {
	Statement id.StatementID
	Status    int    // of the answer; 0 when the statement was not sent
	Answer    string // its beginning, or why the statement was not sent; at most 500 bytes
	At        time.Time
	Again     bool // it will be sent again
}

// Refusals returns at most limit of a forward's refusals, the newest first. Faults: Forbidden without the scope admin,
// NotFound.
func (f *Forwards) Refusals(ctx context.Context, c access.Caller, name string, limit int) (list []Refusal, err error) {
	fw, err := f.Get(ctx, c, name)
	if err != nil {
		return nil, err
	}
	err = f.DB.Read(ctx, func(tx *db.Tx) error {
		list, err = refusals(ctx, tx, c.Org, fw.ID, refusalsText+"ORDER BY at DESC, statement_id DESC LIMIT ?", limit)
		return err
	})
	return list, err
}
