package lrs

import (
	"context"
	"errors"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"rollway/internal/access"
	"rollway/internal/db"
	"rollway/internal/fault"
	"rollway/internal/id"
)

// beginImport makes a new import, or finds the last one of the source and goes on with it.
func (s *Store) beginImport(ctx context.Context, org id.OrgID, src Source, resume bool) (Imported, error) {
	run := Imported{Source: src.Name(), Begun: s.now().UTC().Truncate(time.Microsecond)}
	if resume {
		err := s.db.Read(ctx, func(tx *db.Tx) error {
			return tx.Row(ctx, "SELECT number, cursor, begun, stored, known, problems FROM statement_imports WHERE org_id = ? AND source = ? ORDER BY number DESC LIMIT 1",
				int64(org), run.Source).Scan(&run.Number, &run.cursor, &run.Begun, &run.Stored, &run.Known, &run.Problems)
		})
		if err == nil && run.cursor != "" {
			return run, src.Resume(run.cursor)
		}
		if err == nil || !errors.Is(err, db.ErrNoRows) {
			return run, err
		}
	}
	return run, s.db.Write(ctx, func(tx *db.Tx) error {
		if err := tx.Lock(ctx, "statement imports"); err != nil {
			return err
		}
		if err := tx.Row(ctx, "SELECT coalesce(max(number), 0) + 1 FROM statement_imports WHERE org_id = ?", int64(org)).Scan(&run.Number); err != nil {
			return err
		}
		return tx.Defer(ctx, "INSERT INTO statement_imports (org_id, number, source, cursor, begun, stored, known, problems) VALUES (?, ?, ?, '', ?, 0, 0, 0)",
			int64(org), run.Number, run.Source, run.Begun)
	})
}

// saveImport keeps how far an import has come. What it covers was committed before: after a crash in between some of it is
// read again, and is known.
func (s *Store) saveImport(ctx context.Context, org id.OrgID, run Imported) error {
	return s.db.Write(ctx, func(tx *db.Tx) error {
		return tx.Defer(ctx, "UPDATE statement_imports SET cursor = ?, ended = ?, stored = ?, known = ?, problems = ? WHERE org_id = ? AND number = ?",
			run.cursor, run.Ended, run.Stored, run.Known, run.Problems, int64(org), run.Number)
	})
}

// Imports returns the organization's imports, the last one first. Only the operator may: a source is a path on their
// machine.
func (s *Store) Imports(ctx context.Context, c access.Caller) ([]Imported, error) {
	if err := c.RequireOperator(); err != nil {
		return nil, err
	}
	list := []Imported{}
	err := s.db.Read(ctx, func(tx *db.Tx) error {
		list = list[:0]
		return tx.Each(ctx, "SELECT number, source, begun, ended, stored, known, problems FROM statement_imports WHERE org_id = ? ORDER BY number DESC", []any{int64(c.Org)}, func(r *db.Rows) error {
			var i Imported
			err := r.Scan(&i.Number, &i.Source, &i.Begun, &i.Ended, &i.Stored, &i.Known, &i.Problems)
			list = append(list, i)
			return err
		})
	})
	return list, err
}

// Origin is when a statement was stored where it was imported from, the zero time if it did not say, and the import's
// number. A statement that was not imported is NotFound.
func (s *Store) Origin(ctx context.Context, org id.OrgID, p Position) (stored time.Time, number int64, err error) {
	err = s.db.Read(ctx, func(tx *db.Tx) error {
		return tx.Row(ctx, "SELECT stored, import FROM statement_origins WHERE org_id = ? AND pos = ?", int64(org), int64(p)).Scan(&stored, &number)
	})
	if errors.Is(err, db.ErrNoRows) {
		err = fault.New(fault.NotFound, "not_imported", "This statement was not imported.")
	}
	return stored, number, err
}

// outline is what is read of a statement that may be invalid: enough to name it and to find its place.
type outline struct{ id, stored, verb, object string }

// loose reads what others wrote: what is wrong with it is found by the rules for statements, one at a time.
var loose = json.JoinOptions(jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true))

func outlineOf(text []byte) outline {
	m := members(text)
	return outline{plain(m["id"]), plain(m["stored"]), plain(members(m["verb"])["id"]), plain(members(m["object"])["id"])}
}

// members are those of an object; what is none has none.
func members(text []byte) (m map[string]jsontext.Value) {
	if err := json.Unmarshal(text, &m, loose); err != nil {
		return nil
	}
	return m
}

// plain is what a string says; what is none says nothing.
func plain(v jsontext.Value) (s string) {
	if err := json.Unmarshal(v, &s, loose); err != nil {
		return ""
	}
	return s
}

func idOf(text []byte) string { return plain(members(text)["id"]) }
