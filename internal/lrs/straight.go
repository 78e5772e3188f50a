package lrs

import (
	"bytes"
	"cmp"
	"context"
	"slices"
	"time"

	"rollway/internal/db"
	"rollway/xapi"
)

// Most statements are new, stand alone and define nothing that is not known. On PostgreSQL these go straight in, in one round
// trip: the database makes the positions, fills the time into the texts and inserts all rows if it knows none of the ids. If
// it does know one, or others point at one, nothing is stored, and the requests come again to be looked at first.

// straightMost is the most statements of such a transaction: they share a millisecond and a block.
const straightMost = 1 << blockBits

// The check is one scalar subquery, so that a planner that has no statistics yet looks into the indexes for each. In the index's
// order it takes the first pointer from there; without, it would first make a bitmap of all.
var insertStraight = db.NewLookup(`WITH
	sent AS MATERIALIZED (SELECT * FROM @ n),
	stamp AS MATERIALIZED (SELECT floor(extract(epoch FROM clock_timestamp()) * 1000)::bigint AS ms, nextval('statement_blocks') AS block),
	dated AS MATERIALIZED (
		SELECT *, convert_to(to_char(to_timestamp(ms / 1000.0) AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'), 'UTF8') AS stored FROM stamp),
	served AS MATERIALIZED (
		SELECT sent.*, (ms << 20) | (block << 10) | place AS pos,
			overlay(overlay(body PLACING stored FROM stored_at::integer) PLACING stored FROM timestamp_at::integer) AS text
		FROM sent, dated
		WHERE ms > after AND (SELECT bool_and(
			(SELECT s.pos FROM statements s WHERE s.org_id = sent.org_id AND s.id = sent.id) IS NULL AND
			(SELECT r.pos FROM statement_refs r WHERE r.org_id = sent.org_id AND r.target = sent.id ORDER BY r.org_id, r.target, r.pos LIMIT 1) IS NULL) FROM sent)),
	inserted AS (
		INSERT INTO statements (org_id, pos, id, actor, authority, registration, voids, voided, hash, index_keys, body)
		SELECT org_id, pos, id, actor, authority, registration, false, false, substring(sha256(text) FROM 1 FOR 16), index_keys, text FROM served
		RETURNING 1)
	SELECT count(*) FROM inserted`,
	db.Column{Name: "org_id", Type: "bigint"}, db.Column{Name: "place", Type: "bigint"}, db.Column{Name: "id", Type: "uuid"},
	db.Column{Name: "actor", Type: "bigint"}, db.Column{Name: "authority", Type: "bigint"}, db.Column{Name: "registration", Type: "bigint"},
	db.Column{Name: "index_keys", Type: "bytea"}, db.Column{Name: "stored_at", Type: "bigint"}, db.Column{Name: "timestamp_at", Type: "bigint"},
	db.Column{Name: "after", Type: "bigint"}, db.Column{Name: "body", Type: "bytea"})

// straightRow is a statement that can go straight in; place is where it stands among those of its transaction.
type straightRow struct {
	*entry
	put   *put
	place int64
}

func (r straightRow) compare(o straightRow) int {
	return cmp.Or(cmp.Compare(r.put.org, o.put.org), bytes.Compare(r.id[:], o.id[:]))
}

// straightColumns are the columns of insertStraight for requests that can go straight in, or nil. They are in the order of the
// ids, so that two transactions with the same ones do not wait for each other crosswise.
func (s *Store) straightColumns(items []*put) []any {
	var rows []straightRow
	for _, p := range items {
		if p.look || p.run != 0 || len(p.defines) > 0 || s.quota(p.org) > 0 || len(rows)+len(p.entries) > straightMost {
			return nil
		}
		for _, e := range p.entries {
			if e.facts.Object == xapi.KindStatementRef || len(e.attachments) > 0 {
				return nil
			}
			rows = append(rows, straightRow{e, p, int64(len(rows))})
		}
	}
	slices.SortFunc(rows, straightRow.compare)
	for i := 1; i < len(rows); i++ {
		if rows[i-1].compare(rows[i]) == 0 { // sent twice at the same time
			return nil
		}
	}
	s.order.mu.Lock()
	floor := s.order.floor
	s.order.mu.Unlock()
	n := len(rows)
	numbers := make([]int64, 8*n) // one allocation for all columns of numbers
	column := func(i int) []int64 { return numbers[i*n : (i+1)*n : (i+1)*n] }
	org, place, actor, authority := column(0), column(1), column(2), column(3)
	registration, storedAt, timestampAt, after := column(4), column(5), column(6), column(7)
	ids, keys, bodies := make([][16]byte, n), make([][]byte, n), make([][]byte, n)
	for i, r := range rows {
		text, at := r.facts.ServeAt(r.body[:0], xapi.UUID(r.id), time.Time{}, r.put.authority.json)
		org[i], place[i], actor[i], authority[i], registration[i] = int64(r.put.org), r.place, r.actor, r.put.authority.hash, r.registration
		storedAt[i], timestampAt[i], after[i] = int64(at[0]+1), int64(at[1]+1), floor // SQL counts from 1
		ids[i], keys[i], bodies[i] = r.id, packKeys(r.keys), text
	}
	return []any{org, place, ids, actor, authority, registration, keys, storedAt, timestampAt, after, bodies}
}

// storeStraight stores the rows or none; then the requests are to be looked at.
func (s *Store) storeStraight(ctx context.Context, tx *db.Tx, items []*put, columns []any) error {
	if err := tx.Share(ctx, refsLock, lockStamp); err != nil {
		return err
	}
	return insertStraight.AskColumns(ctx, tx, columns, func(r *db.Rows) error {
		var n int
		err := r.Scan(&n)
		for _, p := range items {
			p.again, p.err = n == 0, nil
			p.look = p.look || p.again
		}
		return err
	})
}
