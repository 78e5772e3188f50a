package db

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5/pgtype"
)

// Column is one column of a [Bulk] with its PostgreSQL type: uuid, bytea, bigint, boolean or text.
type Column struct{ Name, Type string }

// Bulk is a table and the columns that rows are inserted into: one statement for all rows on PostgreSQL (unnest), a
// prepared statement for every few on SQLite.
type Bulk struct {
	columns []Column
	few     [bulkRows]string // for one row, two, …
	many    string
}

// bulkRows is the most rows of one statement on SQLite: a third of the time goes into calling one.
const bulkRows = 16

// NewBulk prepares the texts. tail is what follows the rows, for example "ON CONFLICT DO NOTHING".
func NewBulk(table, tail string, columns ...Column) *Bulk {
	names := make([]string, len(columns))
	arrays := make([]string, len(columns))
	for i, c := range columns {
		names[i] = c.Name
		arrays[i] = "?::" + c.Type + "[]"
	}
	list := strings.Join(names, ", ")
	marks := "(" + strings.TrimSuffix(strings.Repeat("?, ", len(columns)), ", ") + ")"
	b := &Bulk{
		columns: columns,
		many:    fmt.Sprintf("INSERT INTO %s (%s) SELECT * FROM unnest(%s) %s", table, list, strings.Join(arrays, ", "), tail),
	}
	for i := range b.few {
		// With several rows SQLite would keep what it needs to undo the statement alone; what fails here undoes more than that.
		insert := "INSERT"
		if i > 0 {
			insert = "INSERT OR FAIL"
		}
		b.few[i] = fmt.Sprintf("%s INTO %s (%s) VALUES %s%s %s", insert, table, list, strings.Repeat(marks+", ", i), marks, tail)
	}
	return b
}

// Insert writes the rows; each has one value per column. On PostgreSQL they leave with the next query or the commit.
func (b *Bulk) Insert(ctx context.Context, tx *Tx, rows [][]any) error {
	if len(rows) == 0 {
		return nil
	}
	if len(rows) == 1 {
		return tx.Defer(ctx, b.few[0], rows[0]...)
	}
	if tx.Engine == SQLite {
		args := make([]any, 0, min(len(rows), bulkRows)*len(b.columns))
		for few := range slices.Chunk(rows, bulkRows) {
			args = args[:0]
			for _, r := range few {
				args = append(args, r...)
			}
			if err := tx.Defer(ctx, b.few[len(few)-1], args...); err != nil {
				return err
			}
		}
		return nil
	}
	args, err := columnArrays(b.columns, rows)
	if err != nil {
		return err
	}
	return tx.Defer(ctx, b.many, args...)
}

// columnArrays turns rows into one array a column.
func columnArrays(columns []Column, rows [][]any) ([]any, error) {
	args := make([]any, len(columns))
	for i, c := range columns {
		a, err := array(c, i, rows)
		if err != nil {
			return nil, err
		}
		args[i] = a
	}
	return args, nil
}

func array(c Column, i int, rows [][]any) (any, error) {
	switch c.Type {
	case "uuid":
		return wrapped(rows, i, func(v [16]byte) pgtype.UUID { return pgtype.UUID{Bytes: v, Valid: true} })
	case "bigint":
		if plain, ok := plainColumn[int64](rows, i); ok {
			return plain, nil
		}
		return wrapped(rows, i, func(v int64) pgtype.Int8 { return pgtype.Int8{Int64: v, Valid: true} })
	case "bytea":
		return wrapped(rows, i, func(v []byte) []byte { return v })
	case "text":
		return wrapped(rows, i, func(v string) pgtype.Text { return pgtype.Text{String: v, Valid: true} })
	case "boolean":
		return wrapped(rows, i, func(v bool) pgtype.Bool { return pgtype.Bool{Bool: v, Valid: true} })
	}
	return nil, fmt.Errorf("db: column %s has the unknown type %s", c.Name, c.Type)
}

// plainColumn is the column without NULLs and wrappers, which pgx sends much faster.
func plainColumn[V any](rows [][]any, i int) ([]V, bool) {
	out := make([]V, len(rows))
	for n, row := range rows {
		v, ok := row[i].(V)
		if !ok {
			return nil, false
		}
		out[n] = v
	}
	return out, true
}

func wrapped[V, P any](rows [][]any, i int, wrap func(V) P) ([]P, error) {
	out := make([]P, len(rows))
	for n, row := range rows {
		value := bind(PostgreSQL, row[i:i+1])[0]
		if value == nil {
			continue
		}
		v, ok := value.(V)
		if !ok {
			return nil, fmt.Errorf("db: column %d takes a %T, not a %T", i, v, value)
		}
		out[n] = wrap(v)
	}
	return out, nil
}
