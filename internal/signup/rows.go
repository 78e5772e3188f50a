package signup

import (
	"context"
	"time"

	"rollway/internal/db"
)

const columns = `number, org_id, person_id, state, address, address_hash, own, claimed, password, nonce, tries, name, lang, newsletter, via, token_id,
	created, expires, confirmed, trial_ends, reminded`

func scanRow(rows *db.Rows) (r row, err error) {
	var state, via string
	err = rows.Scan(&r.Number, &r.Org, &r.Person, &state, &r.Address, &r.hash, &r.own, &r.claimed, &r.phc, &r.nonce, &r.tries, &r.Name, &r.Lang, &r.Newsletter, &via, &r.token,
		&r.Created, &r.Expires, &r.Confirmed, &r.TrialEnds, &r.reminded)
	r.State, r.Via = State(state), Via(via)
	return r, err
}

// insertRow fills in number and times.
func insertRow(ctx context.Context, tx *db.Tx, r *row, expires time.Time) error {
	r.Created, r.Expires = tx.Now(), expires
	return tx.Row(ctx, `INSERT INTO signups (org_id, person_id, state, address, address_hash, own, claimed, password, nonce, tries, name, lang, newsletter, via, token_id, created, expires, reminded)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, 0, ?, ?, ?, ?, ?, ?, ?, 0) RETURNING number`,
		r.Org, r.Person, string(r.State), r.Address, r.hash, r.own, r.claimed, r.phc, r.nonce, r.Name, r.Lang, r.Newsletter, string(r.Via), r.token, r.Created, r.Expires).Scan(&r.Number)
}

// find reads sign-ups; where stands behind WHERE.
func find(ctx context.Context, tx *db.Tx, where string, args ...any) (list []row, err error) {
	err = tx.Each(ctx, "SELECT "+columns+" FROM signups WHERE "+where, args, func(rows *db.Rows) error {
		r, err := scanRow(rows)
		list = append(list, r)
		return err
	})
	return list, err
}

// byNumber reads one sign-up that this transaction is going to change; nil when there is none.
func byNumber(ctx context.Context, tx *db.Tx, number int64) (*row, error) {
	text := "number = ?"
	if tx.Engine == db.PostgreSQL {
		text += " FOR UPDATE"
	}
	list, err := find(ctx, tx, text, number)
	if err != nil || len(list) == 0 {
		return nil, err
	}
	return &list[0], nil
}
