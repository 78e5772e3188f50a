package lrs

import (
	"context"
	"crypto/sha256"

	"rollway/internal/db"
)

// hashSize is how many bytes of SHA-256 stand beside a statement: chance does not meet 128 bits.
const hashSize = 16

// hashOf is what stands beside a statement to tell later whether a byte of it has changed.
func hashOf(body []byte) []byte {
	sum := sha256.Sum256(body)
	return sum[:hashSize]
}

var insertOriginRows = db.NewBulk("statement_origins", "",
	db.Column{Name: "org_id", Type: "bigint"}, db.Column{Name: "pos", Type: "bigint"}, db.Column{Name: "import", Type: "bigint"},
	db.Column{Name: "stored", Type: "bigint"})

// insertOrigins keeps when imported statements were stored where they came from.
func (w *writing) insertOrigins(ctx context.Context) error {
	var rows [][]any
	for i, e := range w.new {
		if e.put.run != 0 {
			rows = append(rows, []any{int64(w.orgs[i]), e.pos, e.put.run, e.stored})
		}
	}
	return insertOriginRows.Insert(ctx, w.tx, rows)
}
