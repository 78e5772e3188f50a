package access

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"rollway/internal/db"
	"rollway/internal/id"
)

// Entry is a line of the audit trail that is ready to be written.
type Entry struct {
	org                     id.OrgID
	id                      id.EntryID
	caller, action, subject string
	detail                  string
}

// NewEntry makes a line of the audit trail. The subject names what was acted on ("person 0190…"); detail holds what
// changed, never a secret.
func NewEntry(c Caller, action, subject string, detail map[string]any) (Entry, error) {
	if c.Note != "" {
		if detail = maps.Clone(detail); detail == nil {
			detail = map[string]any{}
		}
		detail["note"] = c.Note
	}
	e := Entry{c.Org, id.New[id.EntryID](), c.Name, action, subject, "{}"}
	if len(detail) > 0 {
		text, err := appendDetail(make([]byte, 0, 256), detail)
		if err != nil {
			return Entry{}, fmt.Errorf("audit %s: %w", action, err)
		}
		e.detail = string(text)
	}
	return e, nil
}

// appendDetail writes the detail as a JSON object, its names in order. Nearly all values are strings, and these entries are
// made on the way of every launch and every mint.
func appendDetail(b []byte, detail map[string]any) (_ []byte, err error) {
	b = append(b, '{')
	for i, name := range slices.Sorted(maps.Keys(detail)) {
		if i > 0 {
			b = append(b, ',')
		}
		if b, err = jsontext.AppendQuote(b, name); err != nil {
			return nil, err
		}
		b = append(b, ':')
		if text, ok := detail[name].(string); ok {
			b, err = jsontext.AppendQuote(b, text)
		} else {
			var value []byte
			value, err = json.Marshal(detail[name], json.Deterministic(true))
			b = append(b, value...)
		}
		if err != nil {
			return nil, err
		}
	}
	return append(b, '}'), nil
}

// Audit adds a line to the audit trail in the transaction that does what it tells of; see [NewEntry].
func Audit(ctx context.Context, tx *db.Tx, c Caller, action, subject string, detail map[string]any) error {
	e, err := NewEntry(c, action, subject, detail)
	if err != nil {
		return err
	}
	return AuditAll(ctx, tx, []Entry{e})
}

var insertEntries = db.NewBulk("audit_entries", "",
	db.Column{Name: "org_id", Type: "bigint"}, db.Column{Name: "id", Type: "uuid"}, db.Column{Name: "at", Type: "bigint"},
	db.Column{Name: "caller", Type: "text"}, db.Column{Name: "action", Type: "text"}, db.Column{Name: "subject", Type: "text"},
	db.Column{Name: "detail", Type: "text"})

// AuditAll adds several lines at once, in the transaction that does what they tell of.
func AuditAll(ctx context.Context, tx *db.Tx, entries []Entry) error {
	rows := make([][]any, len(entries))
	now := tx.Now()
	for i, e := range entries {
		rows[i] = []any{int64(e.org), e.id, now, e.caller, e.action, e.subject, e.detail}
	}
	return insertEntries.Insert(ctx, tx, rows)
}

// Line is an entry of the audit trail as it is shown.
type Line struct {
	ID                      id.EntryID
	At                      time.Time
	Caller, Action, Subject string
	Detail                  string // JSON object
}

// Trail returns the newest lines of the organization's audit trail, newest first: those before the given one, or from the
// end when it is zero. Fault: Forbidden without the scope admin.
func Trail(ctx context.Context, d *db.DB, c Caller, before id.EntryID, limit int) (lines []Line, err error) {
	if err := c.Require(Admin); err != nil {
		return nil, err
	}
	where, args := "", []any{c.Org}
	if !before.IsZero() {
		where, args = "AND id < ?", append(args, before)
	}
	err = d.Read(ctx, func(tx *db.Tx) error {
		return tx.Each(ctx, "SELECT id, at, caller, action, subject, detail FROM audit_entries WHERE org_id = ? "+where+" ORDER BY id DESC LIMIT ?", append(args, limit), func(r *db.Rows) error {
			var l Line
			err := r.Scan(&l.ID, &l.At, &l.Caller, &l.Action, &l.Subject, &l.Detail)
			lines = append(lines, l)
			return err
		})
	})
	return lines, err
}
