package access

import (
	"context"
	"sync"
	"time"

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
	SessionChanged        ChangeKind = "launch_session"  // ended
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
	return tx.Defer(ctx, "INSERT INTO changes (org_id, kind, subject, at) VALUES (?, ?, ?, ?)", ch.Org, string(ch.Kind), ch.Subject[:], tx.Now())
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
	tick := time.NewTicker(pollEvery)
	defer tick.Stop()
	seen := map[int64]time.Time{}
	heard := time.Now() // up to when everything has been heard
	swept := time.Time{}
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		now := time.Now()
		if err := c.poll(ctx, heard, now, seen); err == nil {
			heard = now
		} else if ctx.Err() == nil {
			report(err)
		}
		if time.Since(swept) > keepFor/4 {
			swept = time.Now()
			if err := c.sweep(ctx); err != nil && ctx.Err() == nil {
				report(err)
			}
		}
	}
}

// poll tells of what was announced since it was last heard. A change that was seen keeps quiet for as long as it is looked
// at again.
func (c *Changes) poll(ctx context.Context, heard, now time.Time, seen map[int64]time.Time) error {
	from := heard.Add(-lookBack)
	for seq, at := range seen {
		if at.Before(from.Add(-lookBack)) {
			delete(seen, seq)
		}
	}
	return c.db.Read(ctx, func(tx *db.Tx) error {
		return tx.Each(ctx, "SELECT seq, org_id, kind, subject FROM changes WHERE at > ? ORDER BY at, seq", []any{from}, func(r *db.Rows) error {
			var seq int64
			var ch Change
			var subject []byte
			if err := r.Scan(&seq, &ch.Org, &ch.Kind, &subject); err != nil {
				return err
			}
			if _, ok := seen[seq]; !ok {
				seen[seq] = now
				copy(ch.Subject[:], subject)
				c.tell(ch)
			}
			return nil
		})
	})
}

// sweep deletes what every running process has heard of.
func (c *Changes) sweep(ctx context.Context) error {
	return c.db.Write(ctx, func(tx *db.Tx) error {
		_, err := tx.Exec(ctx, "DELETE FROM changes WHERE at < ?", tx.Now().Add(-keepFor))
		return err
	})
}
