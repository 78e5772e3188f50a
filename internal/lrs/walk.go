package lrs

import (
	"context"
	"math"
	"slices"
	"sort"
	"strings"

	"rollway/internal/db"
	"rollway/internal/id"
)

// walk goes along positions in one direction and stops at those that are in all of its facets.
type walk struct {
	org      id.OrgID
	up       bool
	from, to int64 // from < pos < to
	facets   []facet
	own      facet   // of the caller: the statement itself must be in it, not one that it points at; may be empty
	all      []facet // facets, then own

	common, sources []int64 // used again for each position
}

// join is called when facets and own are complete.
func (w *walk) join() { w.all = append(slices.Clip(w.facets), w.own) }

// facet is one condition of a query: several streams, any of which will do.
type facet []*stream

// stream is where positions come from, in the direction of the walk, each with its source: 0, or the position of the
// statement that has the key and that this one points at.
type stream struct {
	load func(ctx context.Context, tx *db.Tx, s *stream) error // reads on; nil when nothing is left
	key  int64
	next int64 // where to read on: everything before it has been read or passed over
	rows int   // to read at once

	pos, src   []int64 // src is nil when it is always 0
	i, n, step int     // n positions are left, from i on
}

// Rows read at once: first, then four times as many each time; blocks on PostgreSQL up to the square of that in bytes. On PostgreSQL another round trip costs more than rows that
// nobody needs, on SQLite it is the other way round.
const (
	blocksFirst     = 64
	blocksFirstLite = 2
	inheritedFirst  = 64 // more than a position has of one key
	rowsMost        = 1024
)

func (s *stream) head() int64 { return s.pos[s.i] }

func (s *stream) skip(n int) {
	s.i += n * s.step
	s.n -= n
}

// remembered makes a stream of ascending positions.
func (w *walk) remembered(list []int64) *stream {
	list = after(list, w.from)
	end, _ := slices.BinarySearch(list, w.to)
	s := &stream{pos: list[:end], n: end, step: 1}
	if !w.up {
		s.i, s.step = end-1, -1
	}
	return s
}

// kept makes a stream of what the database has under a key.
func (w *walk) kept(key int64, rows int, load func(context.Context, *db.Tx, *stream) error) *stream {
	s := &stream{key: key, load: load, rows: rows, next: w.from + 1}
	if !w.up {
		s.next = w.to - 1
	}
	return s
}

// before tells whether a comes before b in the direction of the walk.
func (w *walk) before(a, b int64) bool {
	if w.up {
		return a < b
	}
	return a > b
}

const (
	blocksUp = `SELECT first, more FROM statement_postings WHERE org_id = ? AND key = ? AND first >= coalesce(
		(SELECT max(p.first) FROM statement_postings p WHERE p.org_id = ? AND p.key = ? AND p.first <= ?), ?) AND first < ? ORDER BY first LIMIT ?`
	blocksDown = `SELECT first, more FROM statement_postings WHERE org_id = ? AND key = ? AND first <= ? ORDER BY first DESC LIMIT ?`
	inheritUp  = `SELECT pos, src FROM statement_inherited WHERE org_id = ? AND key = ? AND pos >= ? AND pos < ? ORDER BY pos LIMIT ?`
	// Blocks are long or short. PostgreSQL would read and send many long ones that nobody needs, so there a query ends with the
	// block that brings it to so many bytes.
	upToBytes = `SELECT first, more FROM (SELECT first, more, sum(octet_length(more)) OVER (ORDER BY first@ ROWS UNBOUNDED PRECEDING) - octet_length(more) AS before
		FROM (#) AS blocks) AS measured WHERE before < ? ORDER BY first@`
	inheritDown = `SELECT pos, src FROM statement_inherited WHERE org_id = ? AND key = ? AND pos <= ? AND pos > ? ORDER BY pos DESC LIMIT ?`
)

// bounded are the queries for blocks by whether they go up.
var bounded = map[bool]string{
	true:  strings.NewReplacer("#", blocksUp, "@", "").Replace(upToBytes),
	false: strings.NewReplacer("#", blocksDown, "@", " DESC").Replace(upToBytes),
}

// loadBlocks asks for the next blocks of the index, which do not overlap.
func (w *walk) loadBlocks(ctx context.Context, tx *db.Tx, s *stream) error {
	org, at := int64(w.org), s.next
	text, args := blocksDown, []any{org, s.key, at, s.rows}
	if w.up {
		text, args = blocksUp, []any{org, s.key, org, s.key, at, at, w.to, s.rows}
	}
	bytes := math.MaxInt
	if tx.Engine == db.PostgreSQL {
		bytes = s.rows * s.rows
		text, args = bounded[w.up], append(args, bytes)
	}
	asked := s.begin()
	var block []int64
	return tx.Ask(ctx, text, args, func(r *db.Rows) (err error) {
		var first int64
		var more []byte
		if err = r.Scan(&first, &more); err != nil {
			return err
		}
		if block, err = readBlock(block[:0], first, more); err != nil {
			return err
		}
		if !w.up {
			slices.Reverse(block)
		}
		for _, p := range block {
			if !w.before(p, s.next) && p > w.from && p < w.to {
				s.pos = append(s.pos, p)
			}
		}
		s.n = len(s.pos)
		if !w.up {
			s.next = first - 1
		} else if s.n > 0 {
			s.next = s.pos[s.n-1] + 1
		}
		if asked, bytes = asked-1, bytes-len(more); (asked == 0 || bytes <= 0) && s.next > w.from {
			s.load = w.loadBlocks
		}
		return nil
	})
}

// loadInherited asks for the next positions that have the key by what they point at.
func (w *walk) loadInherited(ctx context.Context, tx *db.Tx, s *stream) error {
	text, end := inheritDown, w.from
	if w.up {
		text, end = inheritUp, w.to
	}
	args := []any{int64(w.org), s.key, s.next, end, s.rows}
	asked := s.begin()
	return tx.Ask(ctx, text, args, func(r *db.Rows) error {
		var pos, src int64
		if err := r.Scan(&pos, &src); err != nil {
			return err
		}
		s.pos, s.src = append(s.pos, pos), append(s.src, src)
		s.n = len(s.pos)
		if asked--; asked == 0 { // of the last position there may be more
			s.load, s.next = w.loadInherited, pos
			s.n = slices.Index(s.pos, pos)
		}
		return nil
	})
}

// begin empties the stream for what is asked for now, which is taken for all there is. It returns how many rows that may be.
func (s *stream) begin() int {
	asked := s.rows
	s.rows = min(4*s.rows, rowsMost)
	s.load, s.pos, s.src, s.i, s.n, s.step = nil, nil, nil, 0, 0, 1
	return asked
}

// fill loads all streams that have run out, in one round trip on PostgreSQL.
func (w *walk) fill(ctx context.Context, tx *db.Tx) error {
	for {
		asked := false
		for _, f := range w.all {
			for _, s := range f {
				if s.n > 0 || s.load == nil {
					continue
				}
				asked = true
				if err := s.load(ctx, tx, s); err != nil {
					return err
				}
			}
		}
		if !asked {
			return nil
		}
		if err := tx.Flush(ctx); err != nil {
			return err
		}
	}
}

// next is the next position that is in all facets; ok is false when there is none.
func (w *walk) next(ctx context.Context, tx *db.Tx) (pos int64, ok bool, err error) {
	for {
		if err := w.fill(ctx, tx); err != nil {
			return 0, false, err
		}
		target, ok := w.furthest()
		if !ok {
			return 0, false, nil
		}
		if w.seek(target) {
			continue
		}
		if w.take(target) {
			return target, true, nil
		}
	}
}

// furthest is the furthest of what the facets come to next: nothing before it is in all of them.
func (w *walk) furthest() (target int64, ok bool) {
	for i, f := range w.all {
		if len(f) == 0 && i == len(w.facets) { // no condition on the caller's own
			continue
		}
		head, some := f.head(w)
		if !some {
			return 0, false
		}
		if !ok || w.before(target, head) {
			target, ok = head, true
		}
	}
	return target, ok
}

// head is what a filled facet comes to next.
func (f facet) head(w *walk) (head int64, ok bool) {
	for _, s := range f {
		if s.n > 0 && (!ok || w.before(s.head(), head)) {
			head, ok = s.head(), true
		}
	}
	return head, ok
}

// seek moves all streams on to the target and tells whether a facet has to look again: it may have passed the target, or
// have run out of what was loaded.
func (w *walk) seek(target int64) (again bool) {
	for i, f := range w.all {
		for _, s := range f {
			if s.n == 0 || !w.before(s.head(), target) {
				continue
			}
			s.skip(sort.Search(s.n, func(j int) bool { return !w.before(s.pos[s.i+j*s.step], target) }))
			if s.n == 0 && s.load != nil {
				again = true
				if w.before(s.next, target) {
					s.next = target
				}
			}
		}
		if len(f) > 0 || i < len(w.facets) {
			head, ok := f.head(w)
			again = again || !ok || head != target
		}
	}
	return again
}

// take passes over a position that all facets have come to, and tells whether they have it by the same source.
func (w *walk) take(pos int64) bool {
	for i, f := range w.facets {
		w.sources = f.take(pos, w.sources[:0])
		if i > 0 {
			w.sources = slices.DeleteFunc(w.sources, func(s int64) bool { return !slices.Contains(w.common, s) })
		}
		w.common, w.sources = w.sources, w.common
	}
	w.sources = w.own.take(pos, w.sources[:0])
	return len(w.common) > 0 || len(w.facets) == 0
}

// take passes over a position and appends its sources to dst.
func (f facet) take(pos int64, dst []int64) []int64 {
	for _, s := range f {
		for s.n > 0 && s.head() == pos {
			source := int64(0)
			if s.src != nil {
				source = s.src[s.i]
			}
			dst = append(dst, source)
			s.skip(1)
		}
	}
	return dst
}
