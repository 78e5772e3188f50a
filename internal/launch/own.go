package launch

import (
	"context"
	"fmt"
	"time"

	"rollway/internal/access"
	"rollway/internal/db"
	"rollway/internal/limit"
	"rollway/internal/signin"
	"rollway/xapi"
)

// ownRule lets nobody who signed up fill the disk with launches.
var ownRule = limit.Rule{Name: "own launch", Rate: &limit.Rate{Burst: 60, Per: 10 * time.Second}}

// StartOwn launches content for the person who is signed in, also for one who holds a right: the credential that is minted
// never carries it, and ends with the session.
//
// Faults: Forbidden for any other caller (not_signed_in) and for the person's state, NotFound for an unknown activity or
// somebody else's registration, Conflict when Registration and NewAttempt contradict, TooMany ([limit.Exceeded]).
func (l *Launcher) StartOwn(ctx context.Context, c access.Caller, r Request) (Launch, error) {
	if err := signedIn(c); err != nil {
		return Launch{}, err
	}
	if err := l.Ledger.Take(ctx, limit.Try{Rule: l.Own, Subject: c.Person.String()}); err != nil {
		return Launch{}, err
	}
	var key string
	err := l.db.Read(ctx, func(tx *db.Tx) error {
		return tx.Row(ctx, "SELECT ifi FROM agents WHERE org_id = ? AND person_id = ? ORDER BY position LIMIT 1", c.Org, c.Person).Scan(&key)
	})
	if err != nil {
		return Launch{}, fmt.Errorf("the agent of person %v: %w", c.Person, err)
	}
	s := &start{caller: c, person: c.Person, Request: r}
	if s.agent.IFI, err = xapi.ParseKey(key); err != nil {
		return Launch{}, err
	}
	return l.start(ctx, s)
}

// own tells whether somebody launches for themselves out of their own session.
func (s *start) own() bool { return s.caller.Kind == access.Person && s.caller.Person == s.person }

// askSignin finds whether the session that somebody launches from was ended, and the credential that it began with, which ends
// the launch as well. Who ends a session waits for launches from it that are under way (signin.SessionLock), and ends what they
// made.
func (f *lookup) askSignin(ctx context.Context, tx *db.Tx, c access.Caller) error {
	if c.Signin.IsZero() {
		return nil
	}
	if err := tx.Share(ctx, signin.SessionLock(c.Signin)); err != nil {
		return err
	}
	f.over = true
	return tx.Ask(ctx, "SELECT credential_id FROM signin_sessions WHERE org_id = ? AND id = ?", []any{c.Org, c.Signin}, func(r *db.Rows) error {
		f.over = false
		return r.Scan(&f.parent)
	})
}
