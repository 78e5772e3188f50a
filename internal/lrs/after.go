package lrs

import (
	"cmp"
	"context"
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
// found by what that one is found by only since, has a position that the follower has passed; it stands right behind the
// one it points at, with its own position.
//
// It needs statements/read.
func (s *Store) After(ctx context.Context, c access.Caller, q Query, after, through Position) ([]Statement, bool, error) {
	if err := c.Require(access.StatementsRead); err != nil {
		return nil, false, err
	}
	q.Since, q.Until, q.Ascending = time.Time{}, time.Time{}, true
	if q.Limit <= 0 {
		q.Limit = DefaultLimit
	}
	sel := s.selection(c.Org, q, mine{}, int64(after))
	sel.to, sel.voided = int64(through)+1, true
	page, err := s.page(ctx, &sel, min(q.Limit, MaxLimit))
	if err != nil || len(sel.facets) == 0 { // without a filter nothing is found late
		return page.statements, page.more, err
	}
	found, err := s.withEarlier(ctx, c.Org, page.statements)
	return found, page.more, err
}

var findEarlier = db.NewLookup(`SELECT n.target, s.pos, s.id, s.body FROM @ n
	JOIN statement_refs r ON r.org_id = n.org_id AND r.target = n.target AND r.pos < n.pos
	JOIN statements s ON s.org_id = r.org_id AND s.pos = r.pos`,
	db.Column{Name: "org_id", Type: "bigint"}, db.Column{Name: "target", Type: "uuid"}, db.Column{Name: "pos", Type: "bigint"})

// withEarlier adds those that point at the statements, directly or by way of others, and came before them.
func (s *Store) withEarlier(ctx context.Context, org id.OrgID, found []Statement) ([]Statement, error) {
	type pointed struct {
		at   id.StatementID
		root int64 // position of the statement that the others lead to
	}
	seen := map[id.StatementID]bool{}
	asked := make([]pointed, len(found))
	for i, st := range found {
		seen[st.ID] = true
		asked[i] = pointed{st.ID, st.pos}
	}
	earlier := map[id.StatementID][]Statement{}
	for depth := 0; len(asked) > 0 && depth < maxChain; depth++ {
		rows, roots := make([][]any, len(asked)), map[id.StatementID]int64{}
		for i, p := range asked {
			rows[i], roots[p.at] = []any{int64(org), p.at, p.root}, p.root
		}
		asked = nil
		err := s.db.Read(ctx, func(tx *db.Tx) error {
			err := findEarlier.Ask(ctx, tx, rows, func(r *db.Rows) error {
				var target id.StatementID
				var st Statement
				if err := r.Scan(&target, &st.pos, &st.ID, &st.JSON); err != nil || seen[st.ID] {
					return err
				}
				seen[st.ID] = true
				st.Stored = storedAt(st.pos)
				earlier[target] = append(earlier[target], st)
				asked = append(asked, pointed{st.ID, roots[target]})
				return nil
			})
			if err != nil {
				return err
			}
			return tx.Flush(ctx)
		})
		if err != nil {
			return nil, err
		}
	}
	if len(earlier) == 0 {
		return found, nil
	}
	var all []Statement
	var add func(st Statement)
	add = func(st Statement) {
		all = append(all, st)
		next := earlier[st.ID]
		slices.SortFunc(next, func(a, b Statement) int { return cmp.Compare(a.pos, b.pos) })
		for _, e := range next {
			add(e)
		}
	}
	for _, st := range found {
		add(st)
	}
	return all, nil
}
