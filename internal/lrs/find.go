package lrs

import (
	"context"
	"errors"
	"time"

	"rollway/internal/access"
	"rollway/internal/db"
	"rollway/internal/fault"
	"rollway/internal/id"
	"rollway/xapi"
)

// Query selects statements (Communication 2.1.3). The zero value selects all that the caller may see, newest first.
type Query struct {
	Agent             xapi.IFI          `json:",omitzero"` // actor or object, or a member of these
	RelatedAgents     bool              // Agent also stands for the authority, context agents and the SubStatement's
	Verb              string            // IRI
	Activity          string            // IRI of the object
	RelatedActivities bool              // Activity also stands for those of the context and the SubStatement's
	Registration      id.RegistrationID // zero for any
	Since             time.Time         // stored after; zero for no bound
	Until             time.Time         // stored at or before; zero for no bound
	Ascending         bool              // oldest first
	Limit             int               // statements in a page; 0 for DefaultLimit, more than MaxLimit is MaxLimit
	// Carry travels with the page's More and comes back with the pages after it: what the door wants to know of the first
	// request, for example the format.
	Carry string
}

// Page is a part of the answer to a Query.
type Page struct {
	Statements []Statement
	More       string // for [Store.More]; empty when nothing is left
	Carry      string // of the Query
}

// Find answers a query. Ask [Store.ConsistentThrough] before, not after. Voided statements are left out; one that points at
// another is found by what the other is found by, voided or not. It needs statements/read, or statements/read/mine for the
// statements of one's own; a bound caller always sees its own agent's only.
func (s *Store) Find(ctx context.Context, c access.Caller, q Query) (Page, error) {
	return s.find(ctx, c, q, 0)
}

func (s *Store) find(ctx context.Context, c access.Caller, q Query, after int64) (Page, error) {
	m, err := s.reach(c)
	if err != nil {
		return Page{}, err
	}
	if q.Limit <= 0 {
		q.Limit = DefaultLimit
	}
	q.Limit = min(q.Limit, MaxLimit)
	sel := s.selection(c.Org, q, m, after)
	found, err := s.page(ctx, &sel, q.Limit)
	if err != nil {
		return Page{}, err
	}
	page := Page{Statements: found.statements, Carry: q.Carry}
	if found.more {
		page.More, err = s.seal(c, q, found.statements[len(found.statements)-1].pos)
	}
	return page, err
}

// page reads the next statements of a selection.
func (s *Store) page(ctx context.Context, sel *selection, limit int) (page gathered, err error) {
	until, err := s.toRead(ctx)
	if err != nil {
		return page, err
	}
	page = gathered{limit: limit, statements: make([]Statement, 0, min(limit, DefaultLimit))}
	err = s.db.Read(ctx, func(tx *db.Tx) error {
		if len(sel.facets) == 0 && sel.mine.key == 0 {
			return sel.scan(ctx, tx, &page)
		}
		if err := s.tail.readOn(ctx, tx, until); err != nil {
			return err
		}
		w, err := s.walk(ctx, tx, sel)
		if err != nil {
			return err
		}
		return sel.follow(ctx, tx, w, &page)
	})
	return page, err
}

// toRead is the position up to which the tail has to read on before a query; 0 where what it does not remember yet is asked
// for with the rest.
func (s *Store) toRead(ctx context.Context) (int64, error) {
	if s.db.Engine() == db.PostgreSQL && s.tail.isOpen() {
		s.refresh()
		return 0, nil
	}
	return s.settled(ctx)
}

// Get returns a statement by its id: a voided one only if voided is asked for (voidedStatementId), any other only if not.
func (s *Store) Get(ctx context.Context, c access.Caller, sid id.StatementID, voided bool) (Statement, error) {
	m, err := s.reach(c)
	if err != nil {
		return Statement{}, err
	}
	st := Statement{ID: sid}
	err = s.db.Read(ctx, func(tx *db.Tx) error {
		args := append([]any{int64(c.Org), sid, voided}, m.args...)
		return tx.Row(ctx, "SELECT s.pos, s.body FROM statements s WHERE s.org_id = ? AND s.id = ? AND s.voided = ?"+m.where, args...).Scan(&st.pos, &st.JSON)
	})
	if errors.Is(err, db.ErrNoRows) {
		return Statement{}, fault.New(fault.NotFound, "no_such_statement", "There is no such statement.")
	}
	st.Stored = storedAt(st.pos)
	return st, err
}

// mine limits what a caller sees.
type mine struct {
	where string // condition on statements s, beginning with AND
	args  []any
	key   int64 // a key of all of them; 0 when everything is seen
	agent xapi.IFI
}

// requireWhole is Require for what tells of everybody's records: whoever acts for one agent has no part in it, whatever the
// scopes.
func requireWhole(c access.Caller, s access.Scope) error {
	if c.Bound != nil {
		return fault.New(fault.Forbidden, "bound_to_agent", "A credential that acts for one agent reads the records of that agent only.")
	}
	return c.Require(s)
}

func (s *Store) reach(c access.Caller) (mine, error) {
	if b := c.Bound; b != nil {
		if err := c.Require(access.StatementsReadMine); err != nil {
			return mine{}, err
		}
		m := mine{where: " AND s.actor = ?", key: s.key(byAgent, []byte(b.Agent.IFI.Key())), agent: b.Agent.IFI}
		m.args = []any{m.key}
		if !b.Registration.IsZero() {
			m.where += " AND s.registration IN (0, ?)"
			m.args = append(m.args, s.registrationKey(b.Registration))
		}
		return m, nil
	}
	if c.Scopes.Has(access.StatementsRead) {
		return mine{}, nil
	}
	if err := c.Require(access.StatementsReadMine); err != nil {
		return mine{}, err
	}
	a := s.authority(c)
	return mine{where: " AND s.authority = ?", args: []any{a.hash}, key: a.hash}, nil
}
