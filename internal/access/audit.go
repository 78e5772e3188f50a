package access

import (
	"context"
	"fmt"

	"github.com/go-json-experiment/json"

	"rollway/internal/db"
	"rollway/internal/id"
)

// Audit adds an entry to the audit trail in the transaction that does what it tells of. The subject names what was acted
// on ("person 0190…"); detail holds what changed, never a secret.
func Audit(ctx context.Context, tx *db.Tx, c Caller, action, subject string, detail map[string]any) error {
	if c.Note != "" {
		if detail == nil {
			detail = map[string]any{}
		}
		detail["note"] = c.Note
	}
	text := []byte("{}")
	if len(detail) > 0 {
		var err error
		if text, err = json.Marshal(detail, json.Deterministic(true)); err != nil {
			return fmt.Errorf("audit %s: %w", action, err)
		}
	}
	return tx.Defer(ctx, "INSERT INTO audit_entries (org_id, id, at, caller, action, subject, detail) VALUES (?, ?, ?, ?, ?, ?, ?)",
		c.Org, id.New[id.EntryID](), tx.Now(), c.Name, action, subject, string(text))
}
