package lrs

import (
	"cmp"
	"context"
	"errors"
	"iter"
	"math"
	"slices"
	"time"

	"rollway/internal/access"
	"rollway/internal/db"
	"rollway/internal/id"
)

// Position is a statement's place in the order of the store, which is the order of stored. Zero is before all.
type Position int64

// At is the last position of a time's millisecond; of a time before 1970 or too far ahead for any, one before or after all.
func At(t time.Time) Position {
	next := min(max(t.UnixMilli()+1, 0), math.MaxInt64>>tieBits)
	return Position(next<<tieBits - 1)
}

// End is after all positions.
const End Position = 1 << 62

// Time is the position's time, to the millisecond.
func (p Position) Time() time.Time { return storedAt(int64(p)) }

// Position is the statement's place in the order of the store.
func (st Statement) Position() Position { return Position(st.pos) }

// After returns the next statements that a query selects, for a follower that keeps its place: those after one position up
// to another, oldest first, at most q.Limit or [MaxPage] bytes, and whether there are more. The query's bounds and order
// do not count. A follower takes [Store.ConsistentThrough] as through, asked for before.
//
// Voided statements are among them: what voids them follows. A statement that came before the one it points at, and is
// found by what that one is found by only since, has a position that the follower has passed: [Store.WithEarlier] brings it.
//
// It needs statements/read, and a caller that is not bound to an agent.
func (s *Store) After(ctx context.Context, c access.Caller, q Query, after, through Position) ([]Statement, bool, error) {
	if err := requireWhole(c, access.StatementsRead); err != nil {
		return nil, false, err
	}
	q.Since, q.Until, q.Ascending = time.Time{}, time.Time{}, true
	if q.Limit <= 0 {
		q.Limit = DefaultLimit
	}
	sel := s.selection(c.Org, q, mine{}, int64(after))
	sel.to, sel.voided = int64(through)+1, true
	page, err := s.page(ctx, &sel, min(q.Limit, MaxLimit))
	return page.statements, page.more, err
}

// WithEarlier yields what After returned for a query, and right behind each statement those that point at it, directly or by
// way of others, and came before it, with their own positions. However many these are, it holds few of them at a time. An
// error is the last it yields.
//
// It needs what After needs.
func (s *Store) WithEarlier(ctx context.Context, c access.Caller, q Query, found []Statement) iter.Seq2[Statement, error] {
	return func(yield func(Statement, error) bool) {
		e := earlier{store: s, org: c.Org, yield: yield, given: make(map[id.StatementID]bool, len(found)), direct: q.unfiltered()}
		for _, st := range found {
			e.given[st.ID] = true
		}
		err := requireWhole(c, access.StatementsRead)
		if err == nil {
			err = e.each(ctx, found, 0, 0)
		}
		if err != nil && err != errEnough {
			yield(Statement{}, err)
		}
	}
}

// unfiltered tells whether a query selects everything, so that nothing is found late.
func (q Query) unfiltered() bool {
	return q.Agent.IsZero() && q.Verb == "" && q.Activity == "" && q.Registration.IsZero()
}

var errEnough = errors.New("the follower wants no more")

// earlierAtOnce is how many that point at one statement are held at a time, if they have no more than MaxPage bytes.
const earlierAtOnce = 100

// earlier is a walk from statements to those that point at them. A statement points at one other only, so nothing is come to
// on two ways, but for what was given.
type earlier struct {
	store  *Store
	org    id.OrgID
	yield  func(Statement, error) bool
	given  map[id.StatementID]bool
	direct bool // nothing is found late
}

// each yields statements, each with what points at it. root is the position of the one that they lead to; 0 makes each its own.
func (e *earlier) each(ctx context.Context, found []Statement, root int64, depth int) error {
	pointed, err := e.pointedAt(ctx, found, root, depth)
	if err != nil {
		return err
	}
	for _, st := range found {
		if !e.yield(st, nil) {
			return errEnough
		}
		if !pointed[st.ID] {
			continue
		}
		if err := e.behind(ctx, st.ID, cmp.Or(root, st.pos), depth+1); err != nil {
			return err
		}
	}
	return nil
}

var findPointed = db.NewLookup(`SELECT n.target FROM @ n
	WHERE EXISTS (SELECT 1 FROM statement_refs r WHERE r.org_id = n.org_id AND r.target = n.target AND r.pos < n.pos)`,
	db.Column{Name: "org_id", Type: "bigint"}, db.Column{Name: "target", Type: "uuid"}, db.Column{Name: "pos", Type: "bigint"})

// pointedAt finds out at which of the statements others point that came before the root: seldom any.
func (e *earlier) pointedAt(ctx context.Context, found []Statement, root int64, depth int) (map[id.StatementID]bool, error) {
	pointed := map[id.StatementID]bool{}
	if e.direct || depth == maxChain || len(found) == 0 {
		return pointed, nil
	}
	rows := make([][]any, len(found))
	for i, st := range found {
		rows[i] = []any{int64(e.org), st.ID, cmp.Or(root, st.pos)}
	}
	err := e.store.db.Read(ctx, func(tx *db.Tx) error {
		err := findPointed.Ask(ctx, tx, rows, func(r *db.Rows) error {
			var target id.StatementID
			err := r.Scan(&target)
			pointed[target] = true
			return err
		})
		if err != nil {
			return err
		}
		return tx.Flush(ctx)
	})
	return pointed, err
}

// behind yields those that point at a statement and came before the root, page by page.
func (e *earlier) behind(ctx context.Context, target id.StatementID, root int64, depth int) error {
	const text = `SELECT s.pos, s.id, s.body FROM
		(SELECT r.pos FROM statement_refs r WHERE r.org_id = ? AND r.target = ? AND r.pos > ? AND r.pos < ? ORDER BY r.pos LIMIT ?) p
		JOIN statements s ON s.org_id = ? AND s.pos = p.pos ORDER BY s.pos`
	for after, more := int64(0), true; more; {
		var page gathered
		err := e.store.db.Read(ctx, func(tx *db.Tx) error {
			page = gathered{limit: earlierAtOnce}
			return tx.Each(ctx, text, []any{int64(e.org), target, after, root, earlierAtOnce + 1, int64(e.org)}, page.add)
		})
		if err != nil || len(page.statements) == 0 {
			return err
		}
		after, more = page.statements[len(page.statements)-1].pos, page.more
		found := slices.DeleteFunc(page.statements, func(st Statement) bool { return e.given[st.ID] })
		if err := e.each(ctx, found, root, depth); err != nil {
			return err
		}
	}
	return nil
}
