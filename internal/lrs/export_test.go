package lrs

import (
	"bytes"
	"context"
	"errors"
	"regexp"
	"time"

	"rollway/internal/db"
	"rollway/internal/id"
)

// HoldCommits makes the Store's statements wait in their transaction, after they were written and before they are
// committed. Call it before anything is put.
func (s *Store) HoldCommits(wait func() time.Duration) {
	s.puts.Close()
	s.puts = db.NewGathered(s.db, (*put).rows, func(ctx context.Context, tx *db.Tx, items []*put) error {
		err := s.write(ctx, tx, items)
		if err == nil {
			err = tx.Flush(ctx)
		}
		time.Sleep(wait())
		return err
	})
}

// IndexBehind is from how many statements on the index is written without a rest.
const IndexBehind = indexBehind

// MergedAtOnce is how many definitions are held at a time.
const MergedAtOnce = mergedAtOnce

// MergeAtMost makes a transaction look at so many bytes of definitions.
func (s *Store) MergeAtMost(bytes int) { s.mergedMost = bytes }

// Leave takes a guest off the list.
func (s *Store) Leave(ctx context.Context) error { return s.leave(ctx) }

// Enter puts a guest on the list.
func (s *Store) Enter(ctx context.Context) error { return s.enter(ctx, s.name.Load()) }

// Occupy keeps the process's writer busy.
func (s *Store) Occupy(ctx context.Context, long time.Duration) error {
	return s.db.Write(ctx, func(*db.Tx) error {
		time.Sleep(long)
		return nil
	})
}

// Evict takes all guests off the list, as if each had been silent for long.
func (s *Store) Evict(ctx context.Context) error {
	return s.db.Write(ctx, func(tx *db.Tx) error { return tx.Defer(ctx, "DELETE FROM statement_guests") })
}

// Guests counts those on the list.
func (s *Store) Guests(ctx context.Context) (n int, err error) {
	err = s.db.Read(ctx, func(tx *db.Tx) error {
		return tx.Row(ctx, "SELECT count(*) FROM statement_guests").Scan(&n)
	})
	return n, err
}

// ForgetProgress makes imports look as if they had been killed before they noted how far they were.
func (s *Store) ForgetProgress(ctx context.Context, org id.OrgID) error {
	return s.db.Write(ctx, func(tx *db.Tx) error {
		return tx.Defer(ctx, "UPDATE statement_imports SET cursor = '' WHERE org_id = ?", int64(org))
	})
}

// Corrupt changes the database behind the store's back: @pos is the statement's position, @flipped its text with one bit
// turned, @zeros sixteen bytes.
func (s *Store) Corrupt(ctx context.Context, change string, st Statement) error {
	flipped := bytes.Clone(st.JSON)
	flipped[bytes.Index(flipped, []byte("/course"))+3] ^= 1
	var args []any
	text := regexp.MustCompile(`@\w+`).ReplaceAllStringFunc(change, func(name string) string {
		args = append(args, map[string]any{"@pos": st.pos, "@flipped": flipped, "@zeros": make([]byte, hashSize)}[name])
		return "?"
	})
	return s.db.Write(ctx, func(tx *db.Tx) error { return tx.Defer(ctx, text, args...) })
}

// Index writes the index of all that is settled.
func (s *Store) Index(ctx context.Context) error { return s.index(ctx, 0) }

// Remembered is the number of statements that are not in the index.
func (s *Store) Remembered() int { return s.tail.count() }

// IndexPartly writes every other block of the index, as a process does that is killed meanwhile.
func (s *Store) IndexPartly(ctx context.Context) error {
	rows, _ := s.tail.rows()
	var half []blockRow
	for i, r := range rows {
		if i%2 == 0 {
			half = append(half, r)
		}
	}
	lease, err := s.takeLease(ctx)
	if err == nil {
		_, err = s.writeBlocks(ctx, half, lease)
	}
	return errors.Join(err, s.endLease(ctx))
}

// IndexSlowly begins to write the index, and goes on after its lease has ended and something has happened.
func (s *Store) IndexSlowly(ctx context.Context, meanwhile func()) error {
	lease, err := s.takeLease(ctx)
	rows, _ := s.tail.rows()
	if err := errors.Join(err, s.endLease(ctx)); err != nil {
		return err
	}
	meanwhile()
	_, err = s.writeBlocks(ctx, rows, lease)
	return err
}

// IndexUnaware writes the index without having looked what another node has written of it.
func (s *Store) IndexUnaware(ctx context.Context) error { return s.writeIndex(ctx) }

// IndexFrom makes an import write the index when so many statements are not in it.
func (o ImportOptions) IndexFrom(n int) ImportOptions {
	o.indexFrom = n
	return o
}

func (s *Store) takeLease(ctx context.Context) (end int64, err error) {
	err = s.db.Write(ctx, func(tx *db.Tx) (err error) {
		end, err = s.lease(ctx, tx, "indexed = ?", s.tail.base())
		return err
	})
	return end, err
}

func (s *Store) endLease(ctx context.Context) error {
	return s.db.Write(ctx, func(tx *db.Tx) error { return tx.Defer(ctx, "UPDATE statement_index SET busy_until = 0") })
}

// Unindex throws away the index of an organization.
func (s *Store) Unindex(ctx context.Context, org id.OrgID) error {
	return s.db.Write(ctx, func(tx *db.Tx) error {
		return tx.Defer(ctx, "DELETE FROM statement_postings WHERE org_id = ?", int64(org))
	})
}
