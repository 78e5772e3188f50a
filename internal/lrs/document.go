package lrs

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"errors"
	"slices"
	"strings"
	"time"

	"rollway/internal/access"
	"rollway/internal/db"
	"rollway/internal/fault"
	"rollway/internal/id"
	"rollway/xapi"
)

// DocumentKind is one of the three resources that keep documents.
type DocumentKind uint8

// The kinds of document.
const (
	State           DocumentKind = iota + 1 // of an agent in an activity (Communication 2.3)
	AgentProfile                            // of an agent (2.6)
	ActivityProfile                         // of an activity (2.7)
)

func (k DocumentKind) String() string {
	return [...]string{"", "state", "agent profile", "activity profile"}[k]
}

// DocumentKey says where a document is kept.
type DocumentKey struct {
	Kind         DocumentKind
	Activity     string            // IRI; of State and ActivityProfile
	Agent        xapi.IFI          // of an Agent or an identified Group; of State and AgentProfile
	Registration id.RegistrationID // of State, zero for none
	ID           string            // stateId or profileId; empty for all documents of the place
}

// Document is what content keeps under a key, byte for byte.
type Document struct {
	ContentType string
	Content     []byte
	ETag        string    // SHA-1 of Content, 40 digits, without quotes; set by the store
	Updated     time.Time // UTC; set by the store
}

// place is a DocumentKey as the table knows it.
type place struct {
	org          id.OrgID
	space        []byte
	registration []byte
	DocumentKey
}

// locate checks a key and the caller's right to it.
func (s *Store) locate(c access.Caller, k DocumentKey, single, reading bool) (place, error) {
	p := place{org: c.Org, DocumentKey: k, registration: []byte{}}
	if err := checkKey(k, single); err != nil {
		return p, err
	}
	if err := admitDocument(c, k, reading); err != nil {
		return p, err
	}
	if !k.Registration.IsZero() {
		p.registration = k.Registration[:]
	}
	h := hmac.New(sha256.New, s.secret)
	h.Write([]byte{'d', byte(k.Kind)})
	h.Write([]byte(k.Activity + "\n" + k.Agent.Key()))
	p.space = h.Sum(nil)[:16]
	return p, nil
}

func checkKey(k DocumentKey, single bool) error {
	if wants := k.Kind != AgentProfile; wants != (k.Activity != "") {
		return fault.New(fault.Invalid, "invalid_parameter", "A document of the kind %s %s an activityId.", k.Kind, needs(wants)).With(fault.Field{Name: "activityId"})
	}
	if k.Activity != "" {
		if _, err := xapi.ParseIRI(k.Activity); err != nil {
			return parameter("activityId", err)
		}
	}
	if wants := k.Kind != ActivityProfile; wants == k.Agent.IsZero() {
		return fault.New(fault.Invalid, "invalid_parameter", "A document of the kind %s %s an agent.", k.Kind, needs(wants)).With(fault.Field{Name: "agent"})
	}
	if k.Kind != State && !k.Registration.IsZero() {
		return fault.New(fault.Invalid, "invalid_parameter", "A document of the kind %s has no registration.", k.Kind).With(fault.Field{Name: "registration"})
	}
	name := "profileId"
	if k.Kind == State {
		name = "stateId"
	}
	switch {
	case single && k.ID == "":
		return fault.New(fault.Invalid, "invalid_parameter", "The %s is missing.", name).With(fault.Field{Name: name})
	case len(k.ID) > MaxName:
		return fault.New(fault.TooLarge, "too_large", "The %s is longer than %d bytes.", name, MaxName).With(fault.Field{Name: name})
	case strings.ContainsRune(k.ID, 0):
		return fault.New(fault.Invalid, "invalid_parameter", "The %s holds the character U+0000.", name).With(fault.Field{Name: name})
	}
	return nil
}

func needs(wants bool) string {
	if wants {
		return "needs"
	}
	return "does not take"
}

// admitDocument checks scopes, and that a bound caller stays with its own agent, its registration and, for the profile
// that all learners share, its activity.
func admitDocument(c access.Caller, k DocumentKey, reading bool) error {
	scope := access.Profile
	if k.Kind == State {
		scope = access.State
	}
	if !reading || !c.Scopes.Has(access.AllRead) {
		if err := c.Require(scope); err != nil {
			return err
		}
	}
	b := c.Bound
	switch {
	case b == nil:
		return nil
	case k.Kind != ActivityProfile && k.Agent != b.Agent.IFI:
		return fault.New(fault.Forbidden, "foreign_agent", "This credential reaches documents of its own agent only.").With(fault.Field{Name: "agent"})
	case !k.Registration.IsZero() && !b.Registration.IsZero() && k.Registration != b.Registration:
		return fault.New(fault.Forbidden, "foreign_registration", "This credential reaches documents of its own registration only.").With(fault.Field{Name: "registration"})
	case k.Kind == ActivityProfile && b.Activity == "" && !reading:
		return fault.New(fault.Forbidden, "shared_profile", "All learners share an activity's profile; only a launch of the activity writes it.").With(fault.Field{Name: "activityId"})
	case k.Kind == ActivityProfile && b.Activity != "" && !within(b.Activity, k.Activity):
		return fault.New(fault.Forbidden, "foreign_activity", "This credential reaches the profiles of the launched activity only.").With(fault.Field{Name: "activityId"})
	}
	return nil
}

// within tells whether an activity is the root or has an id that continues the root's.
func within(root, activity string) bool {
	rest, ok := strings.CutPrefix(activity, root)
	return ok && (rest == "" || strings.HasSuffix(root, "/") || strings.ContainsRune("/#?", rune(rest[0])))
}

const one = " FROM documents WHERE org_id = ? AND space = ? AND registration = ? AND name = ?"

func (p *place) one() []any { return []any{int64(p.org), p.space, p.registration, p.ID} }

// Document returns the document under a key, or NotFound.
func (s *Store) Document(ctx context.Context, c access.Caller, k DocumentKey) (Document, error) {
	p, err := s.locate(c, k, true, true)
	if err != nil {
		return Document{}, err
	}
	var d *Document
	err = s.db.Read(ctx, func(tx *db.Tx) (err error) {
		d, err = load(ctx, tx, &p)
		return err
	})
	if err != nil {
		return Document{}, err
	}
	if d == nil {
		return Document{}, noDocument(&p)
	}
	return *d, nil
}

func noDocument(p *place) error {
	return fault.New(fault.NotFound, "no_such_document", "There is no %s document with this id.", p.Kind)
}

// load reads a document, nil if there is none.
func load(ctx context.Context, tx *db.Tx, p *place) (*Document, error) {
	var d Document
	err := tx.Row(ctx, "SELECT content_type, content, etag, updated"+one, p.one()...).Scan(&d.ContentType, &d.Content, &d.ETag, &d.Updated)
	if errors.Is(err, db.ErrNoRows) {
		return nil, nil
	}
	return &d, err
}

// DocumentIDs lists the ids of the documents of a place, in the order of their bytes; since, unless zero, leaves out those
// that were last stored at that time or before. Without a registration a State's place is all registrations, for a caller
// bound to one those that are its own or none.
func (s *Store) DocumentIDs(ctx context.Context, c access.Caller, k DocumentKey, since time.Time) ([]string, error) {
	p, err := s.locate(c, k, false, true)
	if err != nil {
		return nil, err
	}
	where, args := p.many(c)
	if !since.IsZero() {
		where += " AND updated > ?"
		args = append(args, since)
	}
	ids := []string{}
	err = s.db.Read(ctx, func(tx *db.Tx) error {
		ids = ids[:0]
		return tx.Each(ctx, "SELECT DISTINCT name FROM documents"+where, args, func(r *db.Rows) error {
			var name string
			err := r.Scan(&name)
			ids = append(ids, name)
			return err
		})
	})
	slices.Sort(ids)
	return ids, err
}

// many is the condition for all documents of the place that the caller may reach.
func (p *place) many(c access.Caller) (string, []any) {
	where, args := " WHERE org_id = ? AND space = ?", []any{int64(p.org), p.space}
	switch {
	case len(p.registration) > 0:
		return where + " AND registration = ?", append(args, p.registration)
	case p.Kind == State && c.Bound != nil && !c.Bound.Registration.IsZero():
		return where + " AND registration IN (?, ?)", append(args, []byte{}, c.Bound.Registration[:])
	}
	return where, args
}
