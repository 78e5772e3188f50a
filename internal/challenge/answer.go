package challenge

import (
	"context"
	"fmt"
	"time"

	"rollway/internal/chore"
	"rollway/internal/db"
)

// Check tells whether the answer is right, without using it up: for looking before anything else is looked at. A wrong
// answer counts, and the last that may be wrong ends the challenge.
//
// Faults: Invalid challenge_missing (no number or no answer, which counts nothing); challenge_unknown (there is none, or it
// is expired, used up, ended by wrong answers, or for another token); challenge_failed (wrong).
func (c *Challenger) Check(ctx context.Context, number int64, answer, token string) error {
	if number <= 0 || normal(answer) == "" {
		return missing()
	}
	var verdict error
	err := c.db.Write(ctx, func(tx *db.Tx) error {
		// One at a time, so that a thousand guesses at once are not all compared before the third has counted.
		if err := tx.Lock(ctx, fmt.Sprintf("challenge %d", number)); err != nil {
			return err
		}
		wrong, err := tx.Exec(ctx, "UPDATE challenges SET tries = tries + 1 WHERE "+live+" AND answer <> ?",
			append(c.live(number, token), c.hashAnswer(number, answer))...)
		if err != nil || wrong > 0 {
			verdict = failed()
			return err
		}
		var there bool
		err = tx.Row(ctx, "SELECT EXISTS (SELECT 1 FROM challenges WHERE "+live+")", c.live(number, token)...).Scan(&there)
		if verdict = nil; !there {
			verdict = unknown()
		}
		return err
	})
	if err != nil {
		return err
	}
	return verdict
}

// ConsumeTx uses up a right answer in the transaction of what it is for: of many at once one succeeds. It counts no wrong
// answers, since a refusal undoes the transaction: Check comes first.
//
// Faults: as Check.
func (c *Challenger) ConsumeTx(ctx context.Context, tx *db.Tx, number int64, answer, token string) error {
	if number <= 0 || normal(answer) == "" {
		return missing()
	}
	n, err := tx.Exec(ctx, "UPDATE challenges SET used = ? WHERE "+live+" AND answer = ?",
		append(append([]any{c.now()}, c.live(number, token)...), c.hashAnswer(number, answer))...)
	if err != nil || n == 1 {
		return err
	}
	var there bool
	if err := tx.Row(ctx, "SELECT EXISTS (SELECT 1 FROM challenges WHERE "+live+")", c.live(number, token)...).Scan(&there); err != nil {
		return err
	}
	if there {
		return failed()
	}
	return unknown()
}

// live is the condition that a challenge may be answered; the method gives its arguments.
const live = "number = ? AND token = ? AND used IS NULL AND tries < ? AND expires > ?"

func (c *Challenger) live(number int64, token string) []any {
	return []any{number, c.hashToken(token), int64(c.cfg.Tries), c.now()}
}

func (c *Challenger) insert(ctx context.Context, tx *db.Tx, ch Challenge, from From, answer string) error {
	return tx.Defer(ctx, "INSERT INTO challenges (org_id, number, id, answer, token, address, tries, created, expires) VALUES (?, ?, ?, ?, ?, ?, 0, ?, ?)",
		int64(from.Org), ch.Number, ch.ID, c.hashAnswer(ch.Number, answer), c.hashToken(from.Token), c.hashAddress(from.Addr), ch.Created, ch.Expires)
}

// Run sweeps now and then until ctx ends. It reports each error and goes on.
func (c *Challenger) Run(ctx context.Context, report func(error)) {
	chore.Every(ctx, c.Every, c.Sweep, report)
}

// keep is how long after its end something stays, since the clocks of machines differ.
const keep = time.Hour

// Sweep deletes what expired long ago.
func (c *Challenger) Sweep(ctx context.Context) error {
	return c.db.Write(ctx, func(tx *db.Tx) error {
		if err := tx.Defer(ctx, "DELETE FROM challenges WHERE expires <= ?", c.now().Add(-keep)); err != nil {
			return err
		}
		return tx.Defer(ctx, "DELETE FROM challenge_works WHERE expires <= ?", c.now().Add(-keep))
	})
}
