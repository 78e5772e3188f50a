package db

import (
	"context"
	"maps"
	"slices"
)

// Prepared are the texts of all statements that the transaction's connection has prepared and still keeps, as the engine has
// them. It is for tests of how they are planned.
func (tx *Tx) Prepared(ctx context.Context) (texts []string, err error) {
	if s, ok := tx.s.(*liteTx); ok {
		return slices.Collect(maps.Keys(s.c.stmts)), nil
	}
	err = tx.Each(ctx, "SELECT statement FROM pg_prepared_statements", nil, func(r *Rows) error {
		var text string
		err := r.Scan(&text)
		texts = append(texts, text)
		return err
	})
	return texts, err
}
