package lrs

import (
	"context"
	"crypto/rand"
	"errors"
	"time"

	"rollway/internal/db"
)

// On SQLite the process that serves answers ConsistentThrough from its own memory as long as nobody else stores. Other
// processes, its guests, enter their name in statement_guests before they store anything; each of their transactions
// renews the entry and fails when it is gone. While somebody is entered, answers are found under the lock that all writes
// to the file hold: what was stamped before is committed, and what comes later is stamped later. DESIGN.md has the proof.

// guestFor is how long a guest that has stored nothing stays entered: one that was killed leaves its entry behind. Being
// taken off the list harms no guest, which then enters again.
const guestFor = time.Minute

var errNotEntered = errors.New("lrs: this guest is not on the list, or another process took it off")

// guestName is random.
type guestName [16]byte

// Lead makes a guest the Store that answers from memory. The caller sees to it that there is one for a SQLite database at
// a time, and that nothing was asked or stored by this one yet.
func (s *Store) Lead() { s.guest.Store(false) }

// enter announces a guest that is about to store, under a new name, which its transactions use once it is committed: one that
// shared a commit with its own announcement would be stamped before the server could know of it. failed is the name that
// was not on the list.
func (s *Store) enter(ctx context.Context, failed *guestName) error {
	s.entering.Lock()
	defer s.entering.Unlock()
	if s.name.Load() != failed { // another request has entered it meanwhile
		return nil
	}
	name := new(guestName)
	rand.Read(name[:])
	err := s.db.Write(ctx, func(tx *db.Tx) error {
		return tx.Defer(ctx, "INSERT INTO statement_guests (id, seen) VALUES (?, ?)", name[:], s.now())
	})
	if err == nil {
		s.name.Store(name)
	}
	return err
}

// leave takes a guest off the list.
func (s *Store) leave(ctx context.Context) error {
	name := s.name.Load()
	if name == nil || !s.guest.Load() {
		return nil
	}
	return s.db.Write(ctx, func(tx *db.Tx) error {
		return tx.Defer(ctx, "DELETE FROM statement_guests WHERE id = ?", name[:])
	})
}

// askLast finds, inside a transaction that stores on SQLite, the greatest position there is, which may be another
// process's, and lets a guest go on only while it is entered.
func (w *writing) askLast(ctx context.Context) error {
	if w.guest.Load() {
		name := w.name.Load()
		for _, p := range w.items {
			p.guest = name
		}
		if name == nil {
			return errNotEntered
		}
		n, err := w.tx.Exec(ctx, "UPDATE statement_guests SET seen = ? WHERE id = ?", w.now(), name[:])
		if err != nil {
			return err
		}
		if n == 0 {
			return errNotEntered
		}
	}
	return w.tx.Row(ctx, "SELECT coalesce(max(pos), 0) FROM statements").Scan(&w.last)
}

// liteThrough is ConsistentThrough on SQLite. Who comes while another looks gets the answer before, which only lags, unless
// what this process has stored must be covered.
func (s *Store) liteThrough(ctx context.Context, covering bool) (time.Time, error) {
	o := &s.order
	last, age, covers := o.latest()
	if age < answerAfter && (covers || !covering) {
		return last, nil
	}
	if !o.asking.TryLock() {
		if !last.IsZero() && !covering {
			return last, nil
		}
		o.asking.Lock()
	}
	defer o.asking.Unlock()
	at := time.Now()
	ms, err := s.liteNow(ctx)
	if err != nil {
		return time.Time{}, err
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	if e := o.open.Front(); e != nil {
		ms = min(ms, e.Value.(int64)>>tieBits)
	}
	o.answer, o.at = o.cover(ms), at
	return o.answer, nil
}

// liteNow is a millisecond such that whatever other processes stored before it is committed, and whatever they will store
// is stamped in it or later.
func (s *Store) liteNow(ctx context.Context) (ms int64, err error) {
	guests := s.guest.Load()
	ms = s.now().UnixMilli() // before the look: who enters after it stamps later than this
	if !guests {
		err = s.db.Read(ctx, func(tx *db.Tx) error {
			return tx.Row(ctx, "SELECT EXISTS (SELECT 1 FROM statement_guests)").Scan(&guests)
		})
	}
	if err != nil || !guests {
		return ms, err
	}
	err = s.db.Write(ctx, func(tx *db.Tx) error {
		now := s.now()
		ms = now.UnixMilli()
		_, err := tx.Exec(ctx, "DELETE FROM statement_guests WHERE seen < ?", now.Add(-guestFor))
		return err
	})
	return ms, err
}
