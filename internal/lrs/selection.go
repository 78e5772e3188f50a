package lrs

import (
	"context"
	"math"
	"slices"
	"strings"

	"rollway/internal/db"
	"rollway/internal/id"
)

// selection is a query in terms of keys.
type selection struct {
	org      id.OrgID
	facets   [][]int64 // a statement has one key of each, all by itself or all by one that it points at
	mine     mine
	from, to int64 // positions: from < pos < to
	up       bool
	voided   bool // voided ones too
}

func (sel *selection) where() string {
	if sel.voided {
		return sel.mine.where
	}
	return " AND NOT s.voided" + sel.mine.where
}

func (s *Store) selection(org id.OrgID, q Query, m mine, after int64) selection {
	sel := selection{org: org, mine: m, to: math.MaxInt64, up: q.Ascending}
	if !q.Since.IsZero() {
		sel.from = int64(At(q.Since))
	}
	if !q.Until.IsZero() {
		sel.to = int64(At(q.Until)) + 1
	}
	if after != 0 && sel.up {
		sel.from = max(sel.from, after)
	} else if after != 0 {
		sel.to = min(sel.to, after)
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
	// The own agent's key, or that of a registration, leads to few statements besides one's own: looking at each is enough.
	if (!q.Agent.IsZero() && q.Agent == m.agent) || !q.Registration.IsZero() {
		sel.mine.key = 0
	}
	return sel
}

// walk opens the streams of the selection: what is remembered, then the index. That order matters, since what leaves the
// memory is in the index before.
func (s *Store) walk(ctx context.Context, tx *db.Tx, sel *selection) (*walk, error) {
	w := &walk{org: sel.org, up: sel.up, from: sel.from, to: sel.to}
	keys := slices.Concat(sel.facets...)
	if sel.mine.key != 0 {
		keys = append(keys, sel.mine.key)
	}
	v := s.tail.view(sel.org, keys)
	blocks := blocksFirst
	if tx.Engine == db.SQLite {
		blocks = blocksFirstLite
	}
	streams := func(keys []int64, inherit bool) (f facet) {
		for _, k := range keys {
			f = append(f, w.remembered(v.lists[k]), w.kept(k, blocks, w.loadBlocks))
			if inherit {
				f = append(f, w.kept(k, inheritedFirst, w.loadInherited))
			}
		}
		return f
	}
	for _, keys := range sel.facets {
		w.facets = append(w.facets, streams(keys, true))
	}
	if sel.mine.key != 0 {
		w.own = streams([]int64{sel.mine.key}, false)
	}
	w.join()
	if tx.Engine == db.SQLite {
		return w, nil
	}
	// What other nodes have just committed is newer than the memory.
	if err := v.askNewest(ctx, tx, sel, keys); err != nil {
		return nil, err
	}
	if err := w.fill(ctx, tx); err != nil { // in the same round trip
		return nil, err
	}
	for i, keys := range sel.facets {
		for _, k := range keys {
			w.facets[i] = append(w.facets[i], w.remembered(v.newest[k]))
		}
	}
	if sel.mine.key != 0 {
		w.own = append(w.own, w.remembered(v.newest[sel.mine.key]))
	}
	w.join()
	return w, nil
}

// askNewest asks for what came after the tail's end.
func (v *view) askNewest(ctx context.Context, tx *db.Tx, sel *selection, keys []int64) error {
	v.newest = make(map[int64][]int64, len(keys))
	for _, k := range keys {
		v.newest[k] = nil
	}
	text := "SELECT pos, index_keys FROM statements WHERE org_id = ? AND pos > ? AND pos < ? ORDER BY pos"
	return tx.Ask(ctx, text, []any{int64(sel.org), max(v.through, sel.from), sel.to}, func(r *db.Rows) error {
		var pos int64
		var packed []byte
		if err := r.Scan(&pos, &packed); err != nil {
			return err
		}
		unpackKeys(packed, func(key int64) {
			if list, wanted := v.newest[key]; wanted {
				v.newest[key] = append(list, pos)
			}
		})
		return nil
	})
}

// gathered is a page that is being filled.
type gathered struct {
	statements  []Statement
	limit, size int
	more        bool // it is full and there are more
}

// add reads a row of position, id and body. When the page is full it takes nothing more.
func (g *gathered) add(r *db.Rows) error {
	if g.more = g.more || len(g.statements) == g.limit || g.size > MaxPage; g.more {
		return nil
	}
	var st Statement
	if err := r.Scan(&st.pos, &st.ID, &st.JSON); err != nil {
		return err
	}
	st.Stored = storedAt(st.pos)
	g.size += len(st.JSON)
	g.statements = append(g.statements, st)
	return nil
}

// scan goes along all statements.
func (sel *selection) scan(ctx context.Context, tx *db.Tx, page *gathered) error {
	args := append([]any{int64(sel.org), sel.from, sel.to}, sel.mine.args...)
	text := "SELECT s.pos, s.id, s.body FROM statements s WHERE s.org_id = ? AND s.pos > ? AND s.pos < ?" + sel.where() + sel.order("s.pos") + " LIMIT ?"
	return tx.Each(ctx, text, append(args, page.limit+1), page.add)
}

func (sel *selection) order(by string) string {
	if sel.up {
		return " ORDER BY " + by
	}
	return " ORDER BY " + by + " DESC"
}

// fetchMost is the most statements that are read at once. What the walk finds may be voided or not the caller's.
const fetchMost = 128

// follow reads the statements that the walk finds.
func (sel *selection) follow(ctx context.Context, tx *db.Tx, w *walk, page *gathered) error {
	found := make([]int64, 0, fetchMost)
	for ok := true; ok && !page.more; {
		found = found[:0]
		for want := min(fetchMost, page.limit+1-len(page.statements)); len(found) < want; {
			var pos int64
			var err error
			if pos, ok, err = w.next(ctx, tx); err != nil {
				return err
			}
			if !ok {
				break
			}
			found = append(found, pos)
		}
		if len(found) == 0 {
			return nil
		}
		if err := sel.fetch(ctx, tx, found, page); err != nil {
			return err
		}
	}
	return nil
}

// fetch reads statements by their positions.
func (sel *selection) fetch(ctx context.Context, tx *db.Tx, positions []int64, page *gathered) error {
	which, args := among(tx.Engine, sel.org, "pos", positions)
	text := "SELECT s.pos, s.id, s.body FROM statements s WHERE " + which + sel.where() + sel.order("s.pos")
	return tx.Each(ctx, text, append(args, sel.mine.args...), page.add)
}

// among is the condition that a row is an organization's and its column one of some numbers, with the arguments. Few texts
// differ, so that the engine prepares them once.
//
// The planner of PostgreSQL does not know which organization is asked about. Where most are small it would read all that one
// has and look for the numbers in it: so it is not told that they are in one.
func among(e db.Engine, org id.OrgID, column string, numbers []int64) (text string, args []any) {
	args = []any{int64(org)}
	if e == db.PostgreSQL {
		if args = append(args, numbers); column == "pos" {
			return "+org_id = ? AND pos = ANY (?)", args // positions have an index of their own
		}
		return "(org_id, " + column + ") IN (SELECT ?::bigint, unnest(?::bigint[]) OFFSET 0)", args
	}
	marks := 1
	for marks < len(numbers) {
		marks *= 2
	}
	for i := range marks {
		args = append(args, numbers[min(i, len(numbers)-1)])
	}
	text = "org_id = ? AND " + column + " IN (?" + strings.Repeat(", ?", marks-1) + ")"
	if column == "pos" {
		text = "+" + text // no index: the position is the key, and looking it up under its organization first takes twice as long
	}
	return text, args
}

// amongMost is the most numbers in a condition; SQLite takes no more than 32,766 arguments.
const amongMost = 16_384

// eachAmong calls fn for the rows of a query, in which @ stands for the condition of among.
func eachAmong(ctx context.Context, tx *db.Tx, query string, org id.OrgID, column string, numbers []int64, fn func(*db.Rows) error) error {
	for some := range slices.Chunk(numbers, amongMost) {
		which, args := among(tx.Engine, org, column, some)
		if err := tx.Each(ctx, strings.Replace(query, "@", which, 1), args, fn); err != nil {
			return err
		}
	}
	return nil
}
