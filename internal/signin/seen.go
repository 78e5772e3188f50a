package signin

import (
	"bytes"
	"context"
	"maps"
	"slices"
	"sync"
	"time"

	"rollway/internal/chore"
	"rollway/internal/db"
	"rollway/internal/id"
)

const (
	noteEvery  = 10 * time.Second // how often the use of a session is noted
	writeEvery = time.Minute      // and written, never on the way of a request
	sweepEvery = 60               // once in so many writes, what is over is deleted
	writeChunk = 500              // rows in one transaction, so that others are not kept waiting
	keepOver   = time.Hour        // sessions that are over, since another process may know of a later use
)

// seen gathers when sessions were last used.
type seen struct {
	sync.Mutex
	at map[id.SigninID]lastUse
}

type lastUse struct {
	org id.OrgID
	at  time.Time
}

func (s *seen) note(org id.OrgID, session id.SigninID, at time.Time) {
	s.Lock()
	defer s.Unlock()
	if s.at == nil {
		s.at = map[id.SigninID]lastUse{}
	}
	s.at[session] = lastUse{org, at}
}

// of is the last use that is not yet in the database; zero when it is.
func (s *seen) of(session id.SigninID) time.Time {
	s.Lock()
	defer s.Unlock()
	return s.at[session].at
}

// Run writes when sessions were last used and deletes what is over, until ctx ends. It reports each error and goes on.
func (s *Signin) Run(ctx context.Context, report func(error)) {
	round := 0
	chore.Every(ctx, writeEvery, func(ctx context.Context) error {
		round++
		if round%sweepEvery == 1 {
			return s.Sweep(ctx)
		}
		return s.writeSeen(ctx)
	}, report)
	chore.Last(ctx, s.writeSeen, report)
}

// writeSeen writes what was gathered; what cannot be written stays.
func (s *Signin) writeSeen(ctx context.Context) error {
	s.seen.Lock()
	uses := maps.Clone(s.seen.at)
	s.seen.Unlock()
	ids := slices.SortedFunc(maps.Keys(uses), func(a, b id.SigninID) int { return bytes.Compare(a[:], b[:]) }) // two processes must not lock each other out
	for chunk := range slices.Chunk(ids, writeChunk) {
		err := s.db.Write(ctx, func(tx *db.Tx) error {
			for _, which := range chunk {
				u := uses[which]
				if err := tx.Defer(ctx, "UPDATE signin_sessions SET seen = ? WHERE org_id = ? AND id = ? AND seen < ?", u.at, u.org, which, u.at); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
		s.seen.Lock()
		for _, which := range chunk {
			if s.seen.at[which] == uses[which] {
				delete(s.seen.at, which)
			}
		}
		s.seen.Unlock()
	}
	return nil
}

// Sweep writes when sessions were last used and deletes sessions, links and places that have been over for a while. Whether one is
// good never depends on it.
func (s *Signin) Sweep(ctx context.Context) error {
	if err := s.writeSeen(ctx); err != nil {
		return err
	}
	now := s.now()
	for kind, life := range s.Lives {
		for {
			var n int
			err := s.db.Write(ctx, func(tx *db.Tx) (err error) {
				n, err = sweepSessions(ctx, tx, kind, now.Add(-keepOver-life.Idle), now.Add(-keepOver))
				return err
			})
			if err != nil {
				return err
			}
			if n < writeChunk {
				break
			}
		}
	}
	return s.db.Write(ctx, func(tx *db.Tx) error {
		if err := tx.Defer(ctx, "DELETE FROM signin_places WHERE seen < ?", now.Add(-PlaceLife)); err != nil {
			return err
		}
		return tx.Defer(ctx, "DELETE FROM signin_resets WHERE expires < ?", now)
	})
}

func sweepSessions(ctx context.Context, tx *db.Tx, kind Kind, idle, most time.Time) (n int, err error) {
	type over struct {
		org   id.OrgID
		which id.SigninID
		token []byte
	}
	var list []over
	err = tx.Each(ctx, "SELECT org_id, id, token_hash FROM signin_sessions WHERE kind = ? AND (seen < ? OR expires < ?) ORDER BY org_id, id LIMIT ?", []any{string(kind), idle, most, writeChunk}, func(r *db.Rows) error {
		var o over
		err := r.Scan(&o.org, &o.which, &o.token)
		list = append(list, o)
		return err
	})
	if err != nil {
		return 0, err
	}
	for _, o := range list {
		if err := tx.Defer(ctx, "DELETE FROM signin_sessions WHERE org_id = ? AND id = ?", o.org, o.which); err != nil {
			return 0, err
		}
		if err := tx.Defer(ctx, "DELETE FROM signin_tokens WHERE token_hash = ?", o.token); err != nil {
			return 0, err
		}
	}
	return len(list), nil
}
