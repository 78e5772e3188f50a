package lrs

import (
	"container/list"
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"rollway/internal/access"
	"rollway/internal/db"
	"rollway/internal/fault"
	"rollway/internal/id"
	"rollway/xapi"
)

// put is what one request wants stored.
type put struct {
	org       id.OrgID
	authority authority
	entries   []*entry
	defines   []definition
	voidsAny  bool  // may void what others vouch for
	lenient   bool  // one that differs from what is there keeps none of the others out
	run       int64 // of an import
	arrival   arrival

	look   bool            // PostgreSQL: it cannot go straight in
	again  bool            // it was found so, and nothing is stored yet
	guest  *guestName      // SQLite: as whom it was last tried
	stamps []*list.Element // SQLite: where they stand in order.open, whose lock guards this
	err    error           // what the transaction found wrong with it: nothing of it was stored
}

// entry is one statement on its way in.
type entry struct {
	facts        *xapi.Facts
	id           id.StatementID
	given        bool // the sender's id: it may be known already
	actor        int64
	registration int64
	keys         []int64
	authority    *authority // of an import; nil for the put's
	stored       time.Time  // of an import: where it came from
	attachments  []held

	// Set in the transaction.
	put     *put
	known   bool // and equal: nothing to store
	differs bool // from what is there, in a lenient put
	voided  bool
	pos     int64
	hash    []byte
	body    []byte
}

// authority is who vouches for a caller's statements.
type authority struct {
	json []byte
	key  []byte // as xapi.IFI.Key
	hash int64
}

// Put is PutWith for a request without data of attachments: each of these needs a fileUrl.
func (s *Store) Put(ctx context.Context, c access.Caller, line xapi.Version, wanted id.StatementID, body []byte) ([]id.StatementID, error) {
	return s.PutWith(ctx, c, line, wanted, body, noParts)
}

// PutWith stores a statement or an array of them, whole or not at all, and returns their ids in order; ids are made where there
// are none. When wanted is not zero the body is the one statement with that id (PUT). Sending a statement again is
// harmless: an equal one changes nothing, a different one under the same id is a Conflict. Statements get the authority of
// the caller, whatever they say.
//
// It needs statements/write, define for activity definitions to be kept, and all to void what another authority vouches
// for. A bound caller writes statements of its own agent only, and not for another registration than the one it is bound
// to; it voids nothing, and its definitions add to what is known within the launched activity but change nothing of it.
//
// Attachments get their data from the parts, which are asked for when the statements are found to be fit: each part is the
// data of some attachment, no two have the same, and an attachment without a fileUrl needs its part. Signatures must be well
// formed ([xapi.Signature.Check]). What is wrong with a part is Invalid; beyond a limit, or the organization's quota, it is
// TooLarge.
func (s *Store) PutWith(ctx context.Context, c access.Caller, line xapi.Version, wanted id.StatementID, body []byte, next Parts) ([]id.StatementID, error) {
	if err := c.Require(access.StatementsWrite); err != nil {
		return nil, err
	}
	if len(body) > MaxBody {
		return nil, fault.New(fault.TooLarge, "too_large", "One request takes at most %d MB of statements.", MaxBody>>20)
	}
	reader := s.readers.Get().(*xapi.Reader)
	facts, err := read(reader, line, wanted, body)
	if err != nil {
		s.readers.Put(reader)
		return nil, err
	}
	p, err := s.prepare(c, facts, wanted)
	if err != nil {
		s.readers.Put(reader)
		return nil, err
	}
	if err := s.receive(ctx, p, next); err != nil {
		s.readers.Put(reader)
		return nil, err
	}
	defer p.arrival.leave()
	if len(p.entries) == 0 {
		s.readers.Put(reader)
		return []id.StatementID{}, nil
	}
	if err := s.store(ctx, p); fault.Refuses(err) {
		p.err = err
	} else if err != nil { // it may be stored, and the writer may still read what reader holds
		return nil, err
	}
	ids := make([]id.StatementID, len(p.entries))
	for i, e := range p.entries {
		ids[i] = e.id
	}
	s.readers.Put(reader)
	return ids, errors.Join(p.err, s.dropUnused(ctx, p))
}

func (p *put) rows() int { return len(p.entries) }

// store writes a put and returns when it is durable.
func (s *Store) store(ctx context.Context, p *put) (err error) {
	defer s.order.settle(p)
	for range 5 {
		err = s.puts.Do(ctx, p)
		switch {
		case err == nil && p.again:
		case errors.Is(err, errNotEntered):
			if err := s.enter(ctx, p.guest); err != nil {
				return err
			}
		case errors.Is(err, db.ErrUnique): // a statement that two nodes store at the same moment is found by the one that comes second
		default:
			return err
		}
	}
	return err
}

func read(r *xapi.Reader, line xapi.Version, wanted id.StatementID, body []byte) ([]xapi.Facts, error) {
	if wanted.IsZero() {
		facts, err := r.ReadBatch(body, line)
		if err != nil {
			return nil, invalid(err)
		}
		if len(facts) > MaxStatements {
			return nil, fault.New(fault.TooLarge, "too_many_statements", "One request takes at most %d statements; this one has %d.", MaxStatements, len(facts))
		}
		return facts, nil
	}
	f, err := r.Read(body, line)
	if err != nil {
		return nil, invalid(err)
	}
	if f.HasID && id.StatementID(f.ID) != wanted {
		return nil, fault.New(fault.Invalid, "id_mismatch", "The statement says that its id is %s, the request that it is %s.", f.ID, wanted)
	}
	return []xapi.Facts{*f}, nil
}

// invalid turns what the validator found into a fault.
func invalid(err error) error {
	var e *xapi.Error
	if !errors.As(err, &e) {
		return err
	}
	return fault.New(fault.Invalid, "invalid_statement", "%s.", e).With(fault.Field{Name: e.Pointer, Message: e.Rule + ".", Value: e.Found})
}

// servedMore is at least what id, timestamp, stored and version add to a statement.
const servedMore = 256

func (s *Store) prepare(c access.Caller, facts []xapi.Facts, wanted id.StatementID) (*put, error) {
	a := s.authority(c)
	p := &put{org: c.Org, authority: a, entries: make([]*entry, len(facts)), voidsAny: c.Scopes.Has(access.All)}
	entries := make([]entry, len(facts))
	for i := range facts {
		f := &facts[i]
		if err := admit(c, f); err != nil {
			if len(facts) > 1 {
				err = fault.Of(err).With(fault.Field{Name: fmt.Sprintf("/%d", i), Message: "This statement of the batch is refused, and so all are."})
			}
			return nil, err
		}
		e := &entries[i]
		p.entries[i] = e
		e.facts = f
		switch {
		case f.HasID:
			e.id, e.given = id.StatementID(f.ID), true
		case !wanted.IsZero():
			e.id, e.given = wanted, true
		default:
			e.id = id.New[id.StatementID]()
		}
		e.actor = s.actorKey(f)
		if f.HasRegistration {
			e.registration = s.registrationKey(id.RegistrationID(f.Registration))
		}
		e.keys = s.statementKeys(f, a.key)
		e.body = make([]byte, 0, len(f.Raw)+len(a.json)+servedMore)
		if c.Scopes.Has(access.Define) {
			p.defines = s.collectDefinitions(p.defines, c, e)
		}
	}
	return p, nil
}

// admit checks what depends on the caller and what this store does not take.
func admit(c access.Caller, f *xapi.Facts) error {
	if (f.HasID && f.ID.IsZero()) || (f.Object == xapi.KindStatementRef && f.Ref.IsZero()) {
		return fault.New(fault.Invalid, "nil_uuid", "The UUID of nothing but zeros names no statement (RFC 4122, 4.1.7).")
	}
	if n := len(f.Agents) + len(f.Activities); n > MaxNames {
		return fault.New(fault.TooLarge, "too_many_names", "One statement mentions at most %d agents and activities; this one mentions %d.", MaxNames, n)
	}
	b := c.Bound
	if b == nil {
		return nil
	}
	if f.Actor != xapi.KindAgent || string(f.ActorKey) != b.Agent.IFI.Key() {
		return fault.New(fault.Forbidden, "foreign_actor", "This credential may store statements of its own actor only.").
			With(fault.Field{Name: "/actor", Message: "This is not the agent that the credential was made for."})
	}
	if f.HasRegistration && !b.Registration.IsZero() && id.RegistrationID(f.Registration) != b.Registration {
		return fault.New(fault.Forbidden, "foreign_registration", "This credential may store statements of its own registration only.").
			With(fault.Field{Name: "/context/registration", Message: "This is not the registration that was launched."})
	}
	if f.Voids {
		return fault.New(fault.Forbidden, "no_voiding", "The credential of a learner voids no statements.")
	}
	return nil
}

// authority makes the Agent that vouches for a caller's statements: an account of this installation. A learner's statements
// are vouched for by the person that the credential belongs to, which stays the same from launch to launch.
func (s *Store) authority(c access.Caller) authority {
	var name, label string
	switch {
	case c.Bound != nil && !c.Bound.Person.IsZero():
		name = "person:" + c.Bound.Person.String()
	case !c.Credential.IsZero():
		name = "credential:" + c.Credential.String()
	case !c.ServiceAccount.IsZero():
		name, label = "service-account:"+c.ServiceAccount.String(), c.Name
	default:
		name = "rollway"
	}
	text := append(make([]byte, 0, 192), `{"objectType":"Agent",`...)
	if label != "" {
		text = append(appendQuoted(append(text, `"name":`...), label), ',')
	}
	text = appendQuoted(append(text, `"account":{"homePage":`...), s.homePage)
	text = append(appendQuoted(append(text, `,"name":`...), name), "}}"...)
	key := []byte("account:" + s.homePage + " " + name)
	return authority{text, key, s.key(byRelatedAgent, key)}
}

// appendQuoted appends a JSON string; what is not UTF-8 becomes U+FFFD.
func appendQuoted(dst []byte, s string) []byte {
	dst, err := jsontext.AppendQuote(dst, strings.ToValidUTF8(s, "\uFFFD"))
	if err != nil {
		panic(err) // only for text that is not UTF-8
	}
	return dst
}
