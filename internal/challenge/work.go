package challenge

import (
	"context"
	"encoding/hex"
	"errors"

	"rollway/internal/challenge/work"
	"rollway/internal/db"
	"rollway/internal/fault"
)

// Work returns a task for the asking computer, as JSON in the ALTCHA protocol. Nothing is kept of it. Only a solution for
// the same service token will be right.
//
// Faults: TooMany too_many_tries, a [limit.Exceeded].
func (c *Challenger) Work(ctx context.Context, from From) ([]byte, error) {
	if err := c.limits.Take(ctx, c.tries("work", from)...); err != nil {
		return nil, err
	}
	return c.work.Make(c.purpose(from.Token), c.now().Add(c.cfg.Lifetime))
}

// purpose stands for the token in a task, where everybody can read it.
func (c *Challenger) purpose(token string) string { return hex.EncodeToString(c.hashToken(token)[:8]) }

// CheckWork tells whether a solution, as the ALTCHA widget sends it, may be used, without using it up.
//
// Faults: Invalid challenge_missing (empty); challenge_unknown (expired or used up); challenge_failed (not a solution of a
// task for this token).
func (c *Challenger) CheckWork(ctx context.Context, solution, token string) error {
	solved, err := c.judge(solution, token)
	if err != nil {
		return err
	}
	var used bool
	err = c.db.Read(ctx, func(tx *db.Tx) error {
		return tx.Row(ctx, "SELECT EXISTS (SELECT 1 FROM challenge_works WHERE nonce = ?)", c.hashNonce(solved.Nonce)).Scan(&used)
	})
	if err == nil && used {
		return workUnknown()
	}
	return err
}

// ConsumeWorkTx uses up a solution in the transaction of what it is for: of many at once one succeeds.
//
// Faults: as CheckWork.
func (c *Challenger) ConsumeWorkTx(ctx context.Context, tx *db.Tx, solution, token string) error {
	solved, err := c.judge(solution, token)
	if err != nil {
		return err
	}
	n, err := tx.Exec(ctx, "INSERT INTO challenge_works (nonce, expires) VALUES (?, ?) ON CONFLICT (nonce) DO NOTHING", c.hashNonce(solved.Nonce), solved.Expires)
	if err == nil && n == 0 {
		return workUnknown()
	}
	return err
}

func (c *Challenger) judge(solution, token string) (work.Solved, error) {
	if solution == "" {
		return work.Solved{}, fault.New(fault.Invalid, "challenge_missing", "Wait until your computer has done the work, or type the characters of the picture.")
	}
	solved, err := c.work.Check(solution, c.purpose(token), c.now())
	switch {
	case errors.Is(err, work.ErrExpired):
		return solved, workUnknown()
	case errors.Is(err, work.ErrWrong):
		return solved, fault.New(fault.Invalid, "challenge_failed", "Your computer did not do the work it was given. Load the page again.").Because(err)
	}
	return solved, err
}

func (c *Challenger) hashNonce(nonce string) []byte { return c.key.Hash("challenge nonce", nonce) }

func workUnknown() error {
	return fault.New(fault.Invalid, "challenge_unknown", "The work your computer did has expired or was used already. Load the page again.")
}
