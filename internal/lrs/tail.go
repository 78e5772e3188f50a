package lrs

import (
	"context"
	"slices"
	"sync"

	"rollway/internal/db"
	"rollway/internal/id"
)

// tail is what this process remembers of the newest statements: those after the position up to which the index in the
// database reaches. It is filled from the database, so that it does not matter who stored them.
type tail struct {
	filling sync.Mutex // one at a time reads on

	mu      sync.RWMutex // what follows is written under both locks
	opened  bool
	indexed int64              // the index in the database holds everything up to here
	through int64              // and, with the lists, this process up to here
	lists   map[orgKey][]int64 // positions, ascending; what a reader holds of one never changes
	all     []int64            // the position of each statement
}

type orgKey struct {
	org id.OrgID
	key int64
}

// readOn reads what has come since, up to a position below which nothing can come any more; 0 reads nothing.
func (t *tail) readOn(ctx context.Context, tx *db.Tx, until int64) error {
	if until == 0 {
		return nil
	}
	t.filling.Lock()
	defer t.filling.Unlock()
	if err := t.open(ctx, tx); err != nil {
		return err
	}
	if until <= t.through {
		return nil
	}
	type statement struct {
		org  id.OrgID
		pos  int64
		keys []byte
	}
	var got []statement
	err := tx.Each(ctx, "SELECT org_id, pos, index_keys FROM statements WHERE pos > ? AND pos <= ? ORDER BY pos", []any{t.through, until}, func(r *db.Rows) error {
		var s statement
		if err := r.Scan(&s.org, &s.pos, &s.keys); err != nil {
			return err
		}
		got = append(got, s)
		return nil
	})
	if err != nil || len(got) == 0 && tx.Engine == db.SQLite {
		return err
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, s := range got {
		t.all = append(t.all, s.pos)
		unpackKeys(s.keys, func(key int64) {
			at := orgKey{s.org, key}
			t.lists[at] = append(t.lists[at], s.pos)
		})
		t.through = s.pos
	}
	if tx.Engine == db.PostgreSQL { // on SQLite a snapshot ends with its last statement
		t.through = until
	}
	return nil
}

// open begins after what the index holds.
func (t *tail) open(ctx context.Context, tx *db.Tx) error {
	if t.opened {
		return nil
	}
	var indexed int64
	if err := tx.Row(ctx, "SELECT indexed FROM statement_index").Scan(&indexed); err != nil {
		return err
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.opened, t.indexed, t.through, t.lists = true, indexed, indexed, map[orgKey][]int64{}
	return nil
}

// forget drops what the index in the database holds. What is left is copied beside, so that no query waits for that.
func (t *tail) forget(indexed int64) {
	t.filling.Lock()
	defer t.filling.Unlock()
	if !t.opened || indexed <= t.indexed {
		return
	}
	left := map[orgKey][]int64{}
	for at, list := range t.lists {
		if rest := after(list, indexed); len(rest) > 0 {
			left[at] = slices.Clone(rest)
		}
	}
	all := slices.Clone(after(t.all, indexed))
	t.mu.Lock()
	defer t.mu.Unlock()
	t.indexed, t.through, t.lists, t.all = indexed, max(t.through, indexed), left, all
}

func (t *tail) isOpen() bool {
	t.mu.RLock()
	defer t.mu.RUnlock()
	return t.opened
}

// count is how many statements are remembered.
func (t *tail) count() int {
	t.mu.RLock()
	defer t.mu.RUnlock()
	return len(t.all)
}

// base is the position after which the lists begin.
func (t *tail) base() int64 {
	t.mu.RLock()
	defer t.mu.RUnlock()
	return t.indexed
}

// after is the part of ascending positions that comes after one.
func after(list []int64, pos int64) []int64 {
	i, found := slices.BinarySearch(list, pos)
	if found {
		i++
	}
	return list[i:]
}

// view is the tail at one moment, for one organization.
type view struct {
	through int64
	lists   map[int64][]int64
	newest  map[int64][]int64 // after through
}

func (t *tail) view(org id.OrgID, keys []int64) view {
	v := view{lists: make(map[int64][]int64, len(keys))}
	t.mu.RLock()
	defer t.mu.RUnlock()
	v.through = t.through
	for _, k := range keys {
		if list := t.lists[orgKey{org, k}]; len(list) > 0 {
			v.lists[k] = list
		}
	}
	return v
}
