package access

import (
	"context"
	"errors"
	"maps"
	"sync"
	"time"

	"rollway/internal/chore"
	"rollway/internal/db"
	"rollway/internal/id"
)

// Change says that something which processes keep in memory is no longer as they know it.
type Change struct {
	Org     id.OrgID
	Kind    ChangeKind
	Subject [16]byte // the UUID of the thing
}

// ChangeKind tells what changed.
type ChangeKind string

// The kinds of change.
const (
	CredentialChanged     ChangeKind = "credential"      // revoked
	PersonChanged         ChangeKind = "person"          // suspended, resumed, merged, granted a right
	ServiceAccountChanged ChangeKind = "service_account" // revoked, rotated
	SigninChanged         ChangeKind = "signin"          // a person's session: ended, or begun anew
	ContentChanged        ChangeKind = "content"         // what an activity launches; the subject is its package, zero for a link
)

// Changes carries changes to whoever keeps copies: at once within this process, by the changes table to others, which poll
// it every second.
type Changes struct {
	db  *db.DB
	mu  sync.RWMutex
	fns []func(Change)
}

// NewChanges returns a carrier without listeners.
func NewChanges(d *db.DB) *Changes { return &Changes{db: d} }

// Listen has fn called for each change; fn is quick and does not block.
func (c *Changes) Listen(fn func(Change)) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.fns = append(c.fns, fn)
}

// Announce writes the change in the transaction that makes it; listeners of this process hear of it before Write returns.
func (c *Changes) Announce(ctx context.Context, tx *db.Tx, ch Change) error {
	tx.AfterCommit(func() { c.tell(ch) })
	return tx.Defer(ctx, "INSERT INTO changes (org_id, kind, subject, at) VALUES (?, ?, ?, "+tx.Engine.Clock()+")", ch.Org, string(ch.Kind), ch.Subject[:])
}

func (c *Changes) tell(ch Change) {
	c.mu.RLock()
	defer c.mu.RUnlock()
	for _, fn := range c.fns {
		fn(ch)
	}
}

const (
	pollEvery = time.Second
	// A transaction that commits late has a lower number than ones already read, so each poll looks back over those that
	// could still have been open. Hearing of a change twice does no harm.
	lookBack = time.Minute
	keepFor  = time.Hour
)

// Poll tells listeners of the changes other processes make, until ctx ends. It reports each error and goes on.
func (c *Changes) Poll(ctx context.Context, report func(error)) {
	h := hearing{begun: time.Now(), seen: map[int64]time.Time{}}
	swept := time.Time{}
	chore.Every(ctx, pollEvery, func(ctx context.Context) error {
		err := c.poll(ctx, &h)
		if time.Since(swept) > keepFor/4 {
			swept = time.Now()
			err = errors.Join(err, c.sweep(ctx))
		}
		return err
	}, report)
}

// hearing is what was heard so far. Its times but for begun are the database's: a machine whose own clock is wrong would
// miss what others announce.
type hearing struct {
	begun time.Time           // when listening began, by this process's clock
	heard time.Time           // up to when everything has been heard; zero at first
	seen  map[int64]time.Time // when the changes that will be read again were announced
}

// poll tells of what was announced since it was last heard. A change that was seen keeps quiet for as long as it is looked
// at again.
func (c *Changes) poll(ctx context.Context, h *hearing) error {
	back := lookBack
	if h.heard.IsZero() {
		back += time.Since(h.begun)
	} else {
		maps.DeleteFunc(h.seen, func(_ int64, at time.Time) bool { return at.Before(h.heard.Add(-2 * lookBack)) })
	}
	return c.db.Read(ctx, func(tx *db.Tx) error {
		var now time.Time
		err := tx.Ask(ctx, "SELECT "+tx.Engine.Clock(), nil, func(r *db.Rows) error { return r.Scan(&now) })
		if err != nil {
			return err
		}
		since := "SELECT seq, org_id, kind, subject, at FROM changes WHERE at > (SELECT coalesce(?, " + tx.Engine.Clock() + ") - ?) ORDER BY at, seq"
		err = tx.Each(ctx, since, []any{h.heard, back.Microseconds()}, func(r *db.Rows) error {
			var seq int64
			var ch Change
			var subject []byte
			var at time.Time
			if err := r.Scan(&seq, &ch.Org, &ch.Kind, &subject, &at); err != nil {
				return err
			}
			if _, ok := h.seen[seq]; !ok {
				h.seen[seq] = at
				copy(ch.Subject[:], subject)
				c.tell(ch)
			}
			return nil
		})
		if err == nil {
			h.heard = now
		}
		return err
	})
}

// sweep deletes what every running process has heard of.
func (c *Changes) sweep(ctx context.Context) error {
	return c.db.Write(ctx, func(tx *db.Tx) error {
		_, err := tx.Exec(ctx, "DELETE FROM changes WHERE at < (SELECT "+tx.Engine.Clock()+" - ?)", keepFor.Microseconds())
		return err
	})
}
