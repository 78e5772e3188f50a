package forward

import (
	"context"

	"github.com/go-json-experiment/json"

	"rollway/internal/db"
	"rollway/internal/id"
	"rollway/internal/lrs"
)

func insert(ctx context.Context, tx *db.Tx, org id.OrgID, f Forward, secret []byte) error {
	filter, err := json.Marshal(f.Filter)
	if err != nil {
		return err
	}
	_, err = tx.Exec(ctx, `INSERT INTO forwards (org_id, id, name, endpoint, username, secret, filter, allow_private, plain_http, paused, place, sent, created)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 0, ?)`,
		int64(org), f.ID, f.Name, f.Endpoint, f.Username, secret, string(filter), f.AllowPrivate, f.PlainHTTP, false, int64(f.place), f.Created)
	return err
}

const columns = `f.id, f.name, f.endpoint, f.username, f.filter, f.allow_private, f.plain_http, f.paused, f.place, f.sent, f.last_success, f.created`

// What is asked about each forward once a second, so that it neither counts nor looks through what was refused.
const (
	oneText   = "SELECT " + columns + ", f.secret FROM forwards f WHERE f.org_id = ? AND f.id = ?"
	againText = refusalsText + "AND again ORDER BY at, statement_id LIMIT ?"
)

const refusalsText = "SELECT statement_id, status, answer, at, again FROM forward_refusals WHERE org_id = ? AND forward_id = ? "

// rows reads the forwards of an organization, or the one of a name, for people: what was refused is counted.
func rows(ctx context.Context, tx *db.Tx, org id.OrgID, name string) (found []Forward, err error) {
	where, args := "", []any{int64(org)}
	if name != "" {
		where, args = " AND f.name = ?", append(args, name)
	}
	const counted = ", (SELECT count(*) FROM forward_refusals r WHERE r.org_id = f.org_id AND r.forward_id = f.id)"
	err = tx.Each(ctx, "SELECT "+columns+counted+" FROM forwards f WHERE f.org_id = ?"+where+" ORDER BY f.name", args, func(r *db.Rows) error {
		var refused int64
		f, err := scan(r, &refused)
		f.Refused = refused
		found = append(found, f)
		return err
	})
	return found, err
}

func scan(r *db.Rows, more ...any) (f Forward, err error) {
	var filter string
	var place int64
	err = r.Scan(append([]any{&f.ID, &f.Name, &f.Endpoint, &f.Username, &filter, &f.AllowPrivate, &f.PlainHTTP, &f.Paused, &place, &f.Sent, &f.LastSuccess, &f.Created}, more...)...)
	if err != nil {
		return f, err
	}
	if f.place = lrs.Position(place); place > 0 {
		f.Through = f.place.Time()
	}
	return f, json.Unmarshal([]byte(filter), &f.Filter)
}

// one reads the forward that a job is of, with its sealed secret; false when it is not there or paused.
func one(ctx context.Context, tx *db.Tx, org id.OrgID, fw id.ForwardID) (f Forward, secret []byte, ok bool, err error) {
	err = tx.Each(ctx, oneText, []any{int64(org), fw}, func(r *db.Rows) error {
		f, err = scan(r, &secret)
		ok = !f.Paused
		return err
	})
	return f, secret, ok, err
}

func pause(ctx context.Context, tx *db.Tx, org id.OrgID, fw id.ForwardID, paused bool) error {
	return tx.Defer(ctx, "UPDATE forwards SET paused = ? WHERE org_id = ? AND id = ?", paused, int64(org), fw)
}

func remove(ctx context.Context, tx *db.Tx, org id.OrgID, fw id.ForwardID) error {
	if err := tx.Defer(ctx, "DELETE FROM forward_refusals WHERE org_id = ? AND forward_id = ?", int64(org), fw); err != nil {
		return err
	}
	return tx.Defer(ctx, "DELETE FROM forwards WHERE org_id = ? AND id = ?", int64(org), fw)
}

func retryRefused(ctx context.Context, tx *db.Tx, org id.OrgID, fw id.ForwardID) error {
	return tx.Defer(ctx, "UPDATE forward_refusals SET again = ? WHERE org_id = ? AND forward_id = ?", true, int64(org), fw)
}

// refusals reads at most limit of a forward's refusals.
func refusals(ctx context.Context, tx *db.Tx, org id.OrgID, fw id.ForwardID, text string, limit int) (list []Refusal, err error) {
	err = tx.Each(ctx, text, []any{int64(org), fw, limit}, func(r *db.Rows) error {
		var f Refusal
		err := r.Scan(&f.Statement, &f.Status, &f.Answer, &f.At, &f.Again)
		list = append(list, f)
		return err
	})
	return list, err
}

// progress is what came of an attempt.
type progress struct {
	place   lrs.Position
	sent    int
	refused []Refusal
	settled []id.StatementID // refused before and taken now, or gone
}

// write keeps the progress, in the transaction that ends the attempt.
func (p *progress) write(ctx context.Context, tx *db.Tx, org id.OrgID, fw id.ForwardID) error {
	for _, s := range p.settled {
		if err := tx.Defer(ctx, "DELETE FROM forward_refusals WHERE org_id = ? AND forward_id = ? AND statement_id = ?", int64(org), fw, s); err != nil {
			return err
		}
	}
	for _, r := range p.refused {
		err := tx.Defer(ctx, `INSERT INTO forward_refusals (org_id, forward_id, statement_id, status, answer, at, again) VALUES (?, ?, ?, ?, ?, ?, ?)
			ON CONFLICT (org_id, forward_id, statement_id) DO UPDATE SET status = excluded.status, answer = excluded.answer, at = excluded.at, again = excluded.again`,
			int64(org), fw, r.Statement, int64(r.Status), r.Answer, tx.Now(), r.Again)
		if err != nil {
			return err
		}
	}
	if p.sent > 0 {
		return tx.Defer(ctx, "UPDATE forwards SET place = ?, sent = sent + ?, last_success = ? WHERE org_id = ? AND id = ?", int64(p.place), int64(p.sent), tx.Now(), int64(org), fw)
	}
	return tx.Defer(ctx, "UPDATE forwards SET place = ? WHERE org_id = ? AND id = ?", int64(p.place), int64(org), fw)
}
