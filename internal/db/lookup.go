package db

import (
	"context"
	"fmt"
	"strings"
)

// Lookup is a query about many rows at once: one statement for all of them on PostgreSQL (unnest), a prepared statement for
// each on SQLite.
type Lookup struct {
	columns []Column
	one     string
	many    string
}

// NewLookup prepares the texts. The query names the rows asked about once, as the table @ with an alias, for example
// "SELECT t.name FROM @ n JOIN things t ON t.org_id = n.org_id AND t.id = n.id".
func NewLookup(query string, columns ...Column) *Lookup {
	arrays, marks, names := make([]string, len(columns)), make([]string, len(columns)), make([]string, len(columns))
	for i, c := range columns {
		arrays[i] = "?::" + c.Type + "[]"
		marks[i] = "? AS " + c.Name
		names[i] = c.Name
	}
	asked := func(source string) string { return strings.Replace(query, "@", source, 1) }
	return &Lookup{
		columns: columns,
		one:     asked(fmt.Sprintf("(SELECT %s)", strings.Join(marks, ", "))),
		many:    asked(fmt.Sprintf("(SELECT * FROM unnest(%s) AS asked(%s))", strings.Join(arrays, ", "), strings.Join(names, ", "))),
	}
}

// Ask asks about the rows; each has one value per column. Answers come as with [Tx.Ask].
func (l *Lookup) Ask(ctx context.Context, tx *Tx, rows [][]any, each func(*Rows) error) error {
	if len(rows) == 0 {
		return nil
	}
	if tx.Engine == SQLite {
		for _, r := range rows {
			if err := tx.Ask(ctx, l.one, r, each); err != nil {
				return err
			}
		}
		return nil
	}
	args, err := columnArrays(l.columns, rows)
	if err != nil {
		return err
	}
	return tx.Ask(ctx, l.many, args, each)
}

// AskColumns is [Lookup.Ask] on PostgreSQL by columns without NULLs: [][16]byte for uuid, else slices of what rows would have.
// It costs less.
func (l *Lookup) AskColumns(ctx context.Context, tx *Tx, columns []any, each func(*Rows) error) error {
	return tx.Ask(ctx, l.many, columns, each)
}
