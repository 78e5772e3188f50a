package signin

import (
	"context"
	"sync/atomic"
	"time"

	"rollway/internal/access"
	"rollway/internal/db"
	"rollway/internal/fault"
)

// answer is what a good token stands for.
type answer struct {
	caller  access.Caller
	session Session
	most    time.Time
	seen    atomic.Int64 // microseconds
}

var (
	errMissing = fault.New(fault.Unauthenticated, "session_missing", "Sign in first.")
	errInvalid = fault.New(fault.Unauthenticated, "session_invalid", "This session is over. Sign in again.")
)

// Authenticate finds who is asking by the token of a session: the person, with the rights granted to them, which nearly
// nobody has. The caller is shared and must not be changed. It counts as a use.
//
// Faults: Unauthenticated (session_missing for none, session_invalid for one that is unknown, ended or over alike), Forbidden
// (person_pending, person_suspended).
func (s *Signin) Authenticate(ctx context.Context, token string) (access.Caller, Session, error) {
	if token == "" {
		return access.Caller{}, Session{}, errMissing
	}
	if len(token) != tokenLen {
		return access.Caller{}, Session{}, errInvalid
	}
	f, now := s.known.Fingerprint('t', token), s.now()
	if a := s.known.Find(f); a != nil {
		if out, ok := s.use(a, now); ok {
			return a.caller, out, nil
		}
	}
	if err := s.known.Refused(f, now.UnixMicro()); err != nil {
		return access.Caller{}, Session{}, err
	}
	before := s.known.Moment()
	var found row
	err := s.db.Read(ctx, func(tx *db.Tx) (err error) {
		found, err = readToken(ctx, tx, s.tokenHash(token))
		return err
	})
	if err == nil {
		err = s.settle(&found, now)
	}
	if err != nil {
		if fault.Is(err, fault.Unauthenticated) { // a suspended person may be resumed at any time
			s.known.Refuse(f, err, before, now.UnixMicro())
		}
		return access.Caller{}, Session{}, err
	}
	a := &answer{caller: access.SignedIn(found.Org, found.Person, found.ID, found.rights), session: found.Session, most: found.most}
	a.seen.Store(found.Session.Seen.UnixMicro())
	out, _ := s.use(a, now)
	s.known.Keep(f, a, before, found.ID, found.Person, found.credential, found.account)
	return a.caller, out, nil
}

// settle brings a session that was read up to date, or says why it is not good now.
func (s *Signin) settle(r *row, now time.Time) error {
	if r.ID.IsZero() {
		return errInvalid
	}
	if here := s.seen.of(r.ID); here.After(r.Session.Seen) {
		r.Session.Seen = here
	}
	r.Expires = s.end(r.Kind, r.Session.Seen, r.most)
	if !r.Expires.After(now) || r.now.state == "" || !r.revoked.IsZero() {
		return errInvalid
	}
	if r.rights != 0 && !r.credential.IsZero() { // whoever minted the credential would have the right too
		return errInvalid
	}
	if err := r.now.fault(); err != nil {
		return err
	}
	if r.now.suspensions > r.suspensions { // that ends it for good, also when they are resumed
		return errInvalid
	}
	return nil
}

// end is when a session ends that was used last at this time.
func (s *Signin) end(kind Kind, seen, most time.Time) time.Time {
	if idle := seen.Add(s.Lives[kind].Idle); idle.Before(most) {
		return idle
	}
	return most
}

// use returns the session as it is after this use, and false when it was over before.
func (s *Signin) use(a *answer, now time.Time) (Session, bool) {
	last := a.seen.Load()
	out := a.session
	out.Seen = time.UnixMicro(last).UTC()
	out.Expires = s.end(out.Kind, out.Seen, a.most)
	if !out.Expires.After(now) {
		return Session{}, false
	}
	if now.Sub(out.Seen) < noteEvery || !a.seen.CompareAndSwap(last, now.UnixMicro()) {
		return out, true
	}
	s.seen.note(out.Org, out.ID, now)
	out.Seen = now
	out.Expires = s.end(out.Kind, now, a.most)
	return out, true
}
