package lrs

import (
	"context"
	"errors"
	"strconv"
	"strings"
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
	page := Page{Carry: q.Carry}
	var more bool
	if page.Statements, more, err = s.page(ctx, &sel, q.Limit); err == nil && more {
		page.More, err = s.seal(c, q, sel.after)
	}
	return page, err
}

// page reads the next statements of a selection, whose after it moves on. It tells whether there are more.
func (s *Store) page(ctx context.Context, sel *selection, limit int) (found []Statement, more bool, err error) {
	size := 0
	found = make([]Statement, 0, min(limit, DefaultLimit))
	// One position comes several times when a statement is found by itself and by what it points at.
	for !more {
		got := 0
		err := s.db.Read(ctx, func(tx *db.Tx) error {
			text, args := sel.sql(limit + 1)
			return tx.Each(ctx, text, args, func(r *db.Rows) error {
				if got++; more {
					return nil
				}
				var st Statement
				if err := r.Scan(&st.pos, &st.ID, &st.JSON); err != nil {
					return err
				}
				if st.pos == sel.after {
					return nil
				}
				if len(found) == limit || size > MaxPage {
					more = true
					return nil
				}
				sel.after = st.pos
				size += len(st.JSON)
				st.Stored = storedAt(st.pos)
				found = append(found, st)
				return nil
			})
		})
		if err != nil {
			return nil, false, err
		}
		if got <= limit {
			break
		}
	}
	return found, more, nil
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

// selection is a query in terms of keys.
type selection struct {
	org      id.OrgID
	facets   [][]int64 // a statement has one key of each, all by itself or all by one that it points at; the rarest first
	mine     mine
	from, to int64 // positions: from < pos < to
	after    int64
	up       bool
	voided   bool // voided ones too
}

func (sel *selection) unvoided() string {
	if sel.voided {
		return ""
	}
	return " AND NOT s.voided"
}

func (s *Store) selection(org id.OrgID, q Query, m mine, after int64) selection {
	sel := selection{org: org, mine: m, to: 1<<63 - 1, after: after, up: q.Ascending}
	if !q.Since.IsZero() {
		sel.from = (q.Since.UnixMilli()+1)<<tieBits - 1
	}
	if !q.Until.IsZero() {
		sel.to = (q.Until.UnixMilli() + 1) << tieBits
	}
	add := func(keys ...int64) { sel.facets = append(sel.facets, keys) }
	if !q.Registration.IsZero() {
		add(s.key(byRegistration, q.Registration[:]))
	}
	agent, verb := []byte(q.Agent.Key()), []byte(q.Verb)
	switch {
	case len(agent) > 0 && q.RelatedAgents:
		add(s.key(byAgent, agent), s.key(byRelatedAgent, agent))
	case len(agent) > 0 && len(verb) > 0:
		add(s.key2(byAgentAndVerb, agent, verb))
		verb = nil
	case len(agent) > 0:
		add(s.key(byAgent, agent))
	}
	switch {
	case q.Activity != "" && q.RelatedActivities:
		add(s.key(byActivity, []byte(q.Activity)), s.key(byRelatedActivity, []byte(q.Activity)))
	case q.Activity != "":
		add(s.key(byActivity, []byte(q.Activity)))
	}
	if len(verb) > 0 {
		add(s.key(byVerb, verb))
	}
	// Somebody else's statements with this verb or activity are many; one's own are few. With the own agent or a registration
	// in the query its keys lead to few already.
	if (!q.Agent.IsZero() && q.Agent == m.agent) || !q.Registration.IsZero() {
		sel.mine.key = 0
	}
	return sel
}

// sql writes the query: a walk along the keys of the first facet in order, from the index alone, that asks of each the
// other facets and stops at the limit. Nothing is sorted or counted.
func (sel *selection) sql(limit int) (string, []any) {
	var q sqlText
	first, rest := []int64(nil), sel.facets
	switch {
	case sel.mine.key != 0:
		first = []int64{sel.mine.key}
	case len(rest) > 0:
		first, rest = rest[0], rest[1:]
	default:
		q.add("SELECT s.pos, s.id, s.body FROM statements s WHERE s.org_id = ?", int64(sel.org))
		sel.bounds(&q, "s")
		q.add(sel.unvoided()+sel.mine.where, sel.mine.args...)
		sel.end(&q, "s.pos", limit)
		return q.text.String(), q.args
	}
	if len(first) > 1 {
		q.add("SELECT pos, id, body FROM (")
	}
	for i, key := range first {
		if i > 0 {
			q.add(" UNION ALL ")
		}
		if len(first) > 1 {
			q.add("SELECT * FROM (")
		}
		sel.walk(&q, key, rest, limit)
		if len(first) > 1 {
			q.add(") w")
		}
	}
	if len(first) > 1 {
		q.add(") u")
		sel.end(&q, "pos", limit)
	}
	return q.text.String(), q.args
}

// walk goes along one key. The other facets are scalar subqueries, which no planner turns into a join of whole ranges.
func (sel *selection) walk(q *sqlText, key int64, rest [][]int64, limit int) {
	q.add("SELECT k.pos AS pos, s.id AS id, s.body AS body FROM statement_keys k JOIN statements s ON s.org_id = k.org_id AND s.pos = k.pos WHERE k.org_id = ? AND k.key = ?", int64(sel.org), key)
	sel.bounds(q, "k")
	q.add(sel.unvoided()+sel.mine.where, sel.mine.args...)
	source := "k"
	if sel.mine.key != 0 {
		q.add(" AND k.src = 0")
		source = ""
	}
	sel.facet(q, source, rest)
	sel.end(q, "k.pos", limit)
}

// facet asks for the rest of the facets at the same source; with none given, the first of them chooses it.
func (sel *selection) facet(q *sqlText, source string, rest [][]int64) {
	for i, keys := range rest {
		q.facets++
		alias := "f" + strconv.Itoa(q.facets)
		q.add(" AND (SELECT 1 FROM statement_keys " + alias + " WHERE " + alias + ".org_id = k.org_id AND " + alias + ".pos = k.pos AND " + alias + ".key IN (?" + strings.Repeat(", ?", len(keys)-1) + ")")
		for _, k := range keys {
			q.args = append(q.args, k)
		}
		if source == "" {
			sel.facet(q, alias, rest[i+1:])
			q.add(" LIMIT 1) IS NOT NULL")
			return
		}
		q.add(" AND " + alias + ".src = " + source + ".src LIMIT 1) IS NOT NULL")
	}
}

func (sel *selection) bounds(q *sqlText, table string) {
	from, to := sel.from, sel.to
	if sel.after != 0 && sel.up {
		from = max(from, sel.after)
	} else if sel.after != 0 {
		to = min(to, sel.after)
	}
	q.add(" AND "+table+".pos > ? AND "+table+".pos < ?", from, to)
}

func (sel *selection) end(q *sqlText, by string, limit int) {
	direction := " DESC"
	if sel.up {
		direction = ""
	}
	q.add(" ORDER BY "+by+direction+" LIMIT ?", limit)
}

type sqlText struct {
	text   strings.Builder
	args   []any
	facets int
}

func (q *sqlText) add(text string, args ...any) {
	q.text.WriteString(text)
	q.args = append(q.args, args...)
}
