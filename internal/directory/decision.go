package directory

import (
	"context"
	"crypto/sha256"
	"fmt"
	"slices"
	"time"

	"github.com/go-json-experiment/json"

	"rollway/internal/access"
	"rollway/internal/db"
	"rollway/internal/id"
)

// Decision is one thing that was decided about a person or about claims, with its reasons. [Decision.Sentences] tells it.
type Decision struct {
	ID     id.EntryID  `json:"-"`
	Person id.PersonID `json:"-"` // zero when nobody was written
	At     time.Time   `json:"-"`
	Last   time.Time   `json:"-"` // of a refusal: when it happened last
	Times  int64       `json:"-"` // of a refusal: how often it happened; otherwise 1

	// What came in.
	Source  Source   `json:"source"`
	Caller  string   `json:"caller"`
	Note    string   `json:"note,omitzero"`
	Agent   string   `json:"agent,omitzero"` // key of the submitted identifier
	Link    Link     `json:"link,omitzero"`
	Ignored []string `json:"ignored,omitzero"`

	Found   []Found  `json:"found,omitzero"`   // who was found, by what
	Outcome Outcome  `json:"outcome"`          // what was decided
	Joined  string   `json:"joined,omitzero"`  // key of the identifier that was added
	Changes []Change `json:"changes,omitzero"` // what was applied

	// What was answered.
	Answer string `json:"answer,omitzero"` // key of the primary identifier
	Code   string `json:"code,omitzero"`   // of the refusal
	Reason string `json:"reason,omitzero"` // sentence of the refusal

	// Withheld says that values were taken out, because whoever asks may not see them.
	Withheld bool `json:"-"`
}

func (r *request) decision() *Decision {
	return &Decision{Source: r.Source, Caller: r.caller.Name, Note: r.caller.Note, Agent: r.ifi, Link: r.Link, Ignored: r.Ignored, Times: 1}
}

// withhold takes the values of attributes out.
func (d *Decision) withhold() {
	d.Withheld = true
	d.Changes = slices.Clone(d.Changes)
	for i, c := range d.Changes {
		d.Changes[i].Old, d.Changes[i].New = veil(c.Old), veil(c.New)
	}
}

func veil(v Value) Value {
	if v == Null {
		return Null
	}
	return Text("…")
}

// A subject is what a decision is found by besides its person: another person, an identifier, a unique value.
type subject [16]byte

func identifierSubject(key string) subject { return hashed("agent\x00" + key) }

func linkSubject(l Link) subject { return hashed("link\x00" + l.Space + "\x00" + l.Key) }

func valueSubject(v uniqueValue) subject { return hashed("value\x00" + v.attribute + "\x00" + v.value) }

func hashed(text string) (s subject) {
	sum := sha256.Sum256([]byte(text))
	copy(s[:], sum[:])
	return s
}

const insertDecision = `INSERT INTO decisions (org_id, id, person_id, version, at, last, times, detail) VALUES (?, ?, ?, ?, ?, ?, ?, ?)`

// record writes the decision that makes a person's version what it becomes.
func (d *Decision) record(ctx context.Context, tx *db.Tx, org id.OrgID, p id.PersonID, version int64, subjects ...subject) error {
	d.ID, d.Person, d.At = id.New[id.EntryID](), p, tx.Now()
	d.Last = d.At
	for i, c := range d.Changes {
		d.Changes[i].Old.text, d.Changes[i].New.text = clip(c.Old.text), clip(c.New.text)
	}
	text, err := json.Marshal(d)
	if err != nil {
		return fmt.Errorf("decision: %w", err)
	}
	if err := tx.Defer(ctx, insertDecision, org, d.ID, p, version, d.At, d.Last, 1, string(text)); err != nil {
		return err
	}
	return writeSubjects(ctx, tx, org, d.ID, subjects)
}

// recordRefusal writes a refusal, or counts it when the very same one stands there already: its id is a hash of it.
func (d *Decision) recordRefusal(ctx context.Context, tx *db.Tx, org id.OrgID, subjects []subject) error {
	d.At = tx.Now()
	d.Last = d.At
	text, err := json.Marshal(d)
	if err != nil {
		return fmt.Errorf("decision: %w", err)
	}
	slices.SortFunc(subjects, func(a, b subject) int { return slices.Compare(a[:], b[:]) })
	subjects = slices.Compact(subjects)
	h := sha256.New()
	h.Write(text)
	for _, s := range subjects {
		h.Write(s[:])
	}
	copy(d.ID[:], h.Sum(nil))
	d.ID[6], d.ID[8] = d.ID[6]&0x0f|0x80, d.ID[8]&0x3f|0x80 // a UUID of version 8 (RFC 9562 section 5.8)
	if err := tx.Defer(ctx, insertDecision+` ON CONFLICT (org_id, id) DO UPDATE SET times = decisions.times + 1, last = excluded.last`,
		org, d.ID, id.PersonID{}, nil, d.At, d.Last, 1, string(text)); err != nil {
		return err
	}
	return writeSubjects(ctx, tx, org, d.ID, subjects)
}

var subjectRows = db.NewBulk("decision_subjects", "ON CONFLICT DO NOTHING",
	db.Column{Name: "org_id", Type: "bigint"}, db.Column{Name: "subject", Type: "bytea"}, db.Column{Name: "decision_id", Type: "uuid"})

func writeSubjects(ctx context.Context, tx *db.Tx, org id.OrgID, decision id.EntryID, subjects []subject) error {
	rows := make([][]any, len(subjects))
	for i, s := range subjects {
		rows[i] = []any{int64(org), s[:], decision}
	}
	return subjectRows.Insert(ctx, tx, rows)
}

// audit names the changed fields in the audit trail, without their values.
func (d *Decision) audit(ctx context.Context, tx *db.Tx, c access.Caller, p id.PersonID) error {
	detail := map[string]any{"source": string(d.Source), "decision": d.ID.String()}
	var fields []string
	for _, ch := range d.Changes {
		if !ch.Kept {
			fields = append(fields, fieldName(ch))
		}
	}
	if len(fields) > 0 {
		detail["fields"] = fields
	}
	if d.Joined != "" {
		detail["agent"] = d.Joined
	}
	if len(d.Ignored) > 0 {
		detail["ignored"] = d.Ignored
	}
	return access.Audit(ctx, tx, c, "person."+string(d.Outcome), "person "+p.String(), detail)
}

func fieldName(c Change) string {
	if c.Attribute == "" {
		return "name"
	}
	return c.Attribute
}
