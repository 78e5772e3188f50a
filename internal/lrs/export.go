package lrs

import (
	"context"
	"time"

	"rollway/internal/access"
	"rollway/internal/db"
	"rollway/internal/fault"
	"rollway/internal/id"
)

// Extent bounds an export by when statements were stored.
type Extent struct {
	Since time.Time // stored after; zero for no bound
	Until time.Time // stored at or before; zero for no bound
	// After goes on behind this statement, the last of an export that was broken off; zero begins anew.
	After id.StatementID
	// Data is handed the data of attachments, before the statements that they came with, once for every page of these; nil
	// leaves it out.
	Data func(Attachment) error
}

// Exported tells what an export covers.
type Exported struct {
	Statements int64     `json:"statements"`
	Through    time.Time `json:"through"` // everything stored up to here, inclusive: the Since of the next export
}

// Export hands over the statements of an organization as they are served, one line of JSON each, in the order of stored.
// Voided ones are among them, and what voids them follows, so that reading them in again voids them again. It ends at what
// [Store.ConsistentThrough] answers when it begins, so what comes later belongs wholly to the next export.
//
// It needs all/read, and a caller that is not bound to an agent. An error of write ends it. An After that is not there is NotFound.
func (s *Store) Export(ctx context.Context, c access.Caller, e Extent, write func(Statement) error) (Exported, error) {
	if err := requireWhole(c, access.AllRead); err != nil {
		return Exported{}, err
	}
	through, err := s.through(ctx)
	if err != nil {
		return Exported{}, err
	}
	if !e.Until.IsZero() && e.Until.Before(through) {
		through = e.Until
	}
	out := Exported{Through: through.UTC()}
	after := Position(0)
	if !e.Since.IsZero() {
		after = At(e.Since)
	}
	if !e.After.IsZero() {
		last, err := s.whole(ctx, c, e.After)
		if fault.Is(err, fault.NotFound) {
			err = fault.New(fault.NotFound, "no_such_statement", "The statement %s is not here: what is to be gone on with is no export of this store.", e.After)
		}
		if err != nil {
			return out, err
		}
		after = max(after, last.Position())
	}
	for more := true; more; {
		var page []Statement
		page, more, err = s.After(ctx, c, Query{Limit: MaxLimit}, after, At(through))
		if err != nil {
			return out, err
		}
		if e.Data != nil {
			data, err := s.Attachments(ctx, c, page)
			for i := 0; err == nil && i < len(data); i++ {
				err = e.Data(data[i])
			}
			if err != nil {
				return out, err
			}
		}
		for _, st := range page {
			if err := write(st); err != nil {
				return out, err
			}
			after = st.Position()
			out.Statements++
		}
	}
	return out, nil
}

// Elsewhere counts the other organizations that have statements, which an export of this one leaves out. Only the operator of
// the installation may ask (else Forbidden).
func (s *Store) Elsewhere(ctx context.Context, c access.Caller) (n int64, err error) {
	if err := c.RequireOperator(); err != nil {
		return 0, err
	}
	err = s.db.Read(ctx, func(tx *db.Tx) error {
		return tx.Row(ctx, "SELECT count(*) FROM organizations o WHERE o.id <> ? AND EXISTS (SELECT 1 FROM statements s WHERE s.org_id = o.id)", int64(c.Org)).Scan(&n)
	})
	return n, err
}

// whole is a statement by its id, voided or not.
func (s *Store) whole(ctx context.Context, c access.Caller, sid id.StatementID) (Statement, error) {
	st, err := s.Get(ctx, c, sid, false)
	if fault.Is(err, fault.NotFound) {
		return s.Get(ctx, c, sid, true)
	}
	return st, err
}
