package forward

import (
	"context"

	"rollway/internal/access"
	"rollway/internal/db"
	"rollway/internal/fault"
)

// Pause stops a forward; it keeps its place. What is under way may still reach the receiver, and is sent again after a
// Resume. Faults: Forbidden for anybody but the operator, NotFound.
func (f *Forwards) Pause(ctx context.Context, c access.Caller, name string) error {
	return f.change(ctx, c, name, "forward.pause", func(tx *db.Tx, fw Forward) error {
		if err := pause(ctx, tx, c.Org, fw.ID, true); err != nil {
			return err
		}
		return f.Outbox.Drop(ctx, tx, c.Org, kind, fw.ID.String())
	})
}

// Resume lets a paused forward go on where it stopped. Faults: Forbidden for anybody but the operator, NotFound.
func (f *Forwards) Resume(ctx context.Context, c access.Caller, name string) error {
	return f.change(ctx, c, name, "forward.resume", func(tx *db.Tx, fw Forward) error {
		if !fw.Paused {
			return nil
		}
		if err := pause(ctx, tx, c.Org, fw.ID, false); err != nil {
			return err
		}
		return f.begin(ctx, tx, c.Org, fw)
	})
}

// Remove ends a forward and forgets its secret, its place and its refusals. Faults: Forbidden for anybody but the operator,
// NotFound.
func (f *Forwards) Remove(ctx context.Context, c access.Caller, name string) error {
	return f.change(ctx, c, name, "forward.remove", func(tx *db.Tx, fw Forward) error {
		if err := remove(ctx, tx, c.Org, fw.ID); err != nil {
			return err
		}
		return f.Outbox.Drop(ctx, tx, c.Org, kind, fw.ID.String())
	})
}

// Retry has a forward tried now instead of at its next time and, if asked, sends what was refused again. Faults: Forbidden
// for anybody but the operator, NotFound, Conflict when it is paused.
func (f *Forwards) Retry(ctx context.Context, c access.Caller, name string, refused bool) error {
	return f.change(ctx, c, name, "forward.retry", func(tx *db.Tx, fw Forward) error {
		if fw.Paused {
			return fault.New(fault.Conflict, "forward_paused", "The forward %s is paused. Resume it first.", name)
		}
		if refused {
			if err := retryRefused(ctx, tx, c.Org, fw.ID); err != nil {
				return err
			}
		}
		return f.Outbox.Wake(ctx, tx, c.Org, kind, fw.ID.String())
	})
}

// change does something to a forward and notes it in the audit trail.
func (f *Forwards) change(ctx context.Context, c access.Caller, name, action string, fn func(*db.Tx, Forward) error) error {
	if err := c.RequireOperator(); err != nil {
		return err
	}
	return f.DB.Write(ctx, func(tx *db.Tx) error {
		if err := tx.Lock(ctx, "forward "+name); err != nil {
			return err
		}
		found, err := rows(ctx, tx, c.Org, name)
		if err != nil {
			return err
		}
		if len(found) == 0 || name == "" {
			return unknown(name)
		}
		if err := fn(tx, found[0]); err != nil {
			return err
		}
		return access.Audit(ctx, tx, c, action, "forward "+found[0].ID.String(), map[string]any{"name": name})
	})
}
