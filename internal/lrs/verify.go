package lrs

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"slices"
	"time"

	"rollway/internal/access"
	"rollway/internal/db"
	"rollway/internal/id"
	"rollway/xapi"
)

// Finding is something wrong with a statement that is kept.
type Finding struct {
	Position Position       `json:"position,omitzero"`
	ID       id.StatementID `json:"id,omitzero"` // of its row
	Message  string         `json:"message"`
}

// Verified sums up a verification.
type Verified struct {
	Statements int64     `json:"statements"`
	Findings   int64     `json:"findings"`
	Through    time.Time `json:"through,omitzero"` // everything stored up to here was looked at
}

// kept is a row of statements.
type kept struct {
	pos                            int64
	id                             id.StatementID
	actor, authority, registration int64
	voids, voided, mustBeVoided    bool
	hash, body                     []byte
}

// A voiding statement itself is never voided, whatever points at it.
const readKept = `SELECT s.pos, s.id, s.actor, s.authority, s.registration, s.voids, s.voided, s.hash, s.body,
	EXISTS (SELECT 1 FROM statement_refs r WHERE r.org_id = s.org_id AND r.target = s.id AND (SELECT v.voids FROM statements v WHERE v.org_id = r.org_id AND v.pos = r.pos))
	FROM statements s WHERE s.org_id = ? AND s.pos > ? AND s.pos <= ? ORDER BY s.pos LIMIT ?`

const verifyPage = 200

// Verify reads every statement and tells of each that is not what was stored: its bytes have not the hash that was kept
// beside them, break a rule, or say something else than the columns that queries go by, or the data of an attachment has
// changed. With keys it also asks of each whether it is found by everything it can be found by, which takes about ten times
// as long.
//
// A statement that is missing as a whole leaves no trace here; [Store.VerifyExport] finds it. It needs all/read, and a caller
// that is not bound to an agent.
func (s *Store) Verify(ctx context.Context, c access.Caller, keys bool, found func(Finding)) (Verified, error) {
	if err := requireWhole(c, access.AllRead); err != nil {
		return Verified{}, err
	}
	through, err := s.through(ctx)
	if err != nil {
		return Verified{}, err
	}
	out := Verified{Through: through.UTC()}
	for after := int64(0); ; {
		page, more, err := s.keptPage(ctx, c.Org, after, int64(At(through)))
		if err != nil {
			return out, err
		}
		for _, k := range page {
			after = k.pos
			out.Statements++
			problems := s.inspect(k)
			if keys && len(problems) == 0 {
				if problems, err = s.unfound(ctx, c.Org, k); err != nil {
					return out, err
				}
			}
			unlinked, err := s.unlinked(ctx, c.Org, k)
			if err != nil {
				return out, err
			}
			damaged, err := s.damaged(ctx, c, k)
			if err != nil {
				return out, err
			}
			for _, p := range slices.Concat(problems, unlinked, damaged) {
				out.Findings++
				found(Finding{Position(k.pos), k.id, p})
			}
		}
		if !more {
			return out, nil
		}
	}
}

// keptPage reads rows until there are enough, or enough bytes.
func (s *Store) keptPage(ctx context.Context, org id.OrgID, after, to int64) (page []kept, more bool, err error) {
	err = s.db.Read(ctx, func(tx *db.Tx) error {
		rows, err := tx.Query(ctx, readKept, int64(org), after, to, verifyPage)
		if err != nil {
			return err
		}
		defer rows.Close()
		size := 0
		for size < MaxPage && rows.Next() {
			var k kept
			if err := rows.Scan(&k.pos, &k.id, &k.actor, &k.authority, &k.registration, &k.voids, &k.voided, &k.hash, &k.body, &k.mustBeVoided); err != nil {
				return err
			}
			size += len(k.body)
			page = append(page, k)
		}
		more = size >= MaxPage || len(page) == verifyPage
		return rows.Err()
	})
	return page, more, err
}

// inspect tells what is wrong with a row, as far as the row itself shows.
func (s *Store) inspect(k kept) (problems []string) {
	say := func(wrong bool, format string, args ...any) {
		if wrong {
			problems = append(problems, fmt.Sprintf(format, args...))
		}
	}
	say(!bytes.Equal(hashOf(k.body), k.hash), "Its bytes have changed since they were stored: their hash is another one.")
	f, err := readAny(k.body)
	if err != nil {
		say(true, "It is no valid statement: %v.", err)
		return problems
	}
	say(!f.HasID || id.StatementID(f.ID) != k.id, "It says that its id is %s.", f.ID)
	say(!f.HasStored || !f.Stored.Equal(storedAt(k.pos)), "It says that it was stored at %s, its place in the order says %s.", xapi.FormatTimestamp(f.Stored), xapi.FormatTimestamp(storedAt(k.pos)))
	say(!f.HasTimestamp || f.Version == nil, "It lacks its timestamp or its version.")
	a := s.authorityOf(f)
	say(a == nil || a.hash != k.authority, "The authority that queries go by is not its own.")
	say(s.actorKey(f) != k.actor, "The actor that queries go by is not its own.")
	registration := int64(0)
	if f.HasRegistration {
		registration = s.registrationKey(id.RegistrationID(f.Registration))
	}
	say(registration != k.registration, "The registration that queries go by is not its own.")
	say(f.Voids != k.voids, "Whether it voids another is marked wrongly.")
	say(k.voided && !k.mustBeVoided, "It is marked as voided, and nothing voids it.")
	say(!k.voided && k.mustBeVoided && !k.voids, "It is voided by another and not marked so.")
	return problems
}

// unlinked tells when a statement points at another and the store does not know it, by which a voided one would stay found.
func (s *Store) unlinked(ctx context.Context, org id.OrgID, k kept) (problems []string, err error) {
	if !bytes.Contains(k.body, []byte("StatementRef")) && !bytes.Contains(k.body, []byte(`\u`)) {
		return nil, nil
	}
	f, err := readAny(k.body)
	if err != nil || f.Object != xapi.KindStatementRef {
		return nil, nil // which inspect tells
	}
	var linked bool
	err = s.db.Read(ctx, func(tx *db.Tx) error {
		return tx.Row(ctx, "SELECT EXISTS (SELECT 1 FROM statement_refs WHERE org_id = ? AND target = ? AND pos = ?)", int64(org), id.StatementID(f.Ref), k.pos).Scan(&linked)
	})
	if err == nil && !linked {
		problems = append(problems, "What it points at is not noted.")
	}
	return problems, err
}

// unfound tells by what a statement ought to be found and is not.
func (s *Store) unfound(ctx context.Context, org id.OrgID, k kept) (problems []string, err error) {
	f, err := readAny(k.body)
	if err != nil {
		return nil, err
	}
	missing := 0
	for _, key := range s.statementKeys(f, nil) {
		sel := selection{org: org, facets: [][]int64{{key}}, from: k.pos - 1, to: k.pos + 1, up: true, voided: true}
		page, err := s.page(ctx, &sel, 1)
		if err != nil {
			return nil, err
		}
		if len(page.statements) == 0 || page.statements[0].pos != k.pos {
			missing++
		}
	}
	if missing > 0 {
		problems = append(problems, fmt.Sprintf("%d of the things it is found by lead past it.", missing))
	}
	return problems, nil
}

// damaged tells which data of a statement's attachments is not what came, or is not kept though the statement says nowhere
// else to get it.
func (s *Store) damaged(ctx context.Context, c access.Caller, k kept) (problems []string, err error) {
	if !mayAttach(k.body) {
		return nil, nil
	}
	list, err := s.Attachments(ctx, c, []Statement{{ID: k.id, JSON: k.body, pos: k.pos}})
	if err != nil {
		return nil, err
	}
	has := map[string]bool{}
	for _, a := range list {
		has[a.SHA2] = true
		if err := s.blobs.Verify(a.sum); err != nil {
			problems = append(problems, fmt.Sprintf("The data of its attachment %s is missing or has changed: %v.", a.SHA2, err))
		}
	}
	f, err := readAny(k.body)
	if err != nil {
		return problems, nil // which inspect tells
	}
	for _, a := range f.Attachments {
		if sha2 := string(a.SHA2); a.FileURL == nil && !has[sha2] {
			has[sha2] = true
			problems = append(problems, fmt.Sprintf("Nothing says where the data of its attachment %s is.", sha2))
		}
	}
	return problems, nil
}

var findBodies = db.NewLookup("SELECT s.id, s.pos, s.body FROM @ n JOIN statements s ON s.org_id = n.org_id AND s.id = n.id", statementName...)

// VerifyExport holds an export (one statement a line) against what is kept and tells of each statement that is missing or
// not the same, byte for byte. It needs what Verify needs.
func (s *Store) VerifyExport(ctx context.Context, c access.Caller, export io.Reader, found func(Finding)) (Verified, error) {
	if err := requireWhole(c, access.AllRead); err != nil {
		return Verified{}, err
	}
	var out Verified
	tell := func(f Finding) { out.Findings++; found(f) }
	lines := NewLines("", export)
	batch, size := map[id.StatementID][]byte{}, 0
	check := func() error {
		defer clear(batch)
		size = 0
		return s.compare(ctx, c.Org, batch, tell)
	}
	for {
		item, err := lines.Next(ctx)
		if err == io.EOF {
			return out, check()
		}
		if err != nil {
			return out, err
		}
		sid, bad := id.Parse[id.StatementID](idOf(item.Text))
		if item.Err != nil || bad != nil {
			tell(Finding{Message: fmt.Sprintf("The export's %s is no statement.", item.Place)})
			continue
		}
		out.Statements++
		if len(batch) == verifyPage || size > MaxPage || batch[sid] != nil { // one that is there twice is compared twice
			if err := check(); err != nil {
				return out, err
			}
		}
		batch[sid] = item.Text
		size += len(item.Text)
	}
}

func (s *Store) compare(ctx context.Context, org id.OrgID, batch map[id.StatementID][]byte, tell func(Finding)) error {
	var asked [][]any
	for sid := range batch {
		asked = append(asked, []any{int64(org), sid})
	}
	left := make(map[id.StatementID]bool, len(batch))
	for sid := range batch {
		left[sid] = true
	}
	err := s.db.Read(ctx, func(tx *db.Tx) error {
		err := findBodies.Ask(ctx, tx, asked, func(r *db.Rows) error {
			var k kept
			if err := r.Scan(&k.id, &k.pos, &k.body); err != nil {
				return err
			}
			delete(left, k.id)
			if !bytes.Equal(k.body, batch[k.id]) {
				tell(Finding{Position(k.pos), k.id, "It is not what was exported."})
			}
			return nil
		})
		if err != nil {
			return err
		}
		return tx.Flush(ctx)
	})
	if err != nil {
		return err
	}
	for sid := range left {
		tell(Finding{ID: sid, Message: "It was exported and is not here."})
	}
	return nil
}
