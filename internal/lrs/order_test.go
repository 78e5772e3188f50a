package lrs_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"

	"rollway/internal/access"
	"rollway/internal/db"
	"rollway/internal/db/dbtest"
	"rollway/internal/id"
	"rollway/internal/lrs"
	"rollway/xapi"
)

// A follower that polls with since = the last ConsistentThrough misses nothing, though commits are held back and overtake
// each other.
func TestFollowerMissesNothing(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		nodes := openNodes(t, d)
		holdCommits(nodes, map[db.Engine]time.Duration{db.SQLite: 20 * time.Millisecond, db.PostgreSQL: 400 * time.Millisecond}[d.Engine()])
		c := system()
		var mu sync.Mutex
		stored := map[id.StatementID]bool{}
		var wg sync.WaitGroup
		end := time.Now().Add(3 * time.Second)
		for w := range 16 {
			wg.Go(func() {
				for again := simple(newID()); time.Now().Before(end); {
					sent := []statement{simple(""), simple(newID())}
					if rand.IntN(4) == 0 { // one that is known keeps them from going straight in
						sent = append(sent, again)
					}
					again = sent[1]
					ids, err := nodes[w%len(nodes)].Put(t.Context(), c, xapi.V1, id.StatementID{}, []byte(batch(sent...)))
					if err != nil {
						t.Error(err)
						return
					}
					mu.Lock()
					stored[ids[0]], stored[ids[1]] = true, true
					mu.Unlock()
				}
			})
		}
		missedNone := followAll(t, nodes, c)
		wg.Wait()
		idle := time.Now()
		missedNone(stored)
		if lag := time.Since(idle); lag > time.Second {
			t.Errorf("the last statements were followed after %v", lag)
		}
		t.Logf("%d statements", len(stored))
	})
}

// holdCommits holds one commit in four back, for a while that is at most so long.
func holdCommits(nodes []*lrs.Store, most time.Duration) {
	for _, n := range nodes {
		n.HoldCommits(func() time.Duration {
			if rand.IntN(4) > 0 {
				return 0
			}
			return rand.N(most)
		})
	}
}

// followAll follows each of the nodes. The function that it returns waits until they have caught up, and fails the test for
// what a follower missed of what was stored.
func followAll(t *testing.T, nodes []*lrs.Store, c access.Caller) (missedNone func(stored map[id.StatementID]bool)) {
	followed := make([]map[id.StatementID]bool, len(nodes))
	var followers sync.WaitGroup
	done := make(chan struct{})
	for i, n := range nodes {
		followed[i] = map[id.StatementID]bool{}
		followers.Go(func() { follow(t, n, c, lrs.Query{Ascending: true, Limit: 1000}, followed[i], done) })
	}
	return func(stored map[id.StatementID]bool) {
		t.Helper()
		close(done)
		followers.Wait()
		for i, got := range followed {
			missed := 0
			for sid := range stored {
				if !got[sid] {
					missed++
				}
			}
			if missed > 0 || len(stored) < 100 {
				t.Errorf("node %d: %d of %d missed", i, missed, len(stored))
			}
		}
	}
}

// follow polls until done and until it has seen everything up to a second poll after that.
func follow(t *testing.T, s *lrs.Store, c access.Caller, q lrs.Query, got map[id.StatementID]bool, done chan struct{}) {
	for until := (time.Time{}); ; time.Sleep(2 * time.Millisecond) {
		through, err := s.ConsistentThrough(t.Context())
		if err != nil {
			t.Error(err)
			return
		}
		if through.Before(q.Since) {
			t.Errorf("the answer went back from %v to %v", q.Since, through)
		}
		for _, sid := range find(t, s, c, q) {
			got[sid] = true
		}
		q.Since = through
		select {
		case <-done:
			if until.IsZero() {
				until = time.Now()
			} else if through.After(until) {
				return
			}
		default:
		}
	}
}

// The order of statements is the order of stored, and a batch stays in its order.
func TestOrder(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s *lrs.Store) {
		c := system()
		var wg sync.WaitGroup
		var mu sync.Mutex
		var batches [][]id.StatementID
		for w := range 8 {
			wg.Go(func() {
				for i := range 10 {
					sts := make([]statement, 1+(i*7+w)%30)
					for j := range sts {
						sts[j] = simple(newID())
					}
					ids := mustPost(t, s, c, sts...)
					mu.Lock()
					batches = append(batches, ids)
					mu.Unlock()
				}
			})
		}
		wg.Wait()
		all := find(t, s, c, lrs.Query{Ascending: true, Limit: 1000})
		for _, ids := range batches {
			if at := slices.Index(all, ids[0]); at < 0 || !slices.Equal(all[at:at+len(ids)], ids) {
				t.Fatalf("a batch is torn apart or out of order")
			}
		}
		down := find(t, s, c, lrs.Query{Limit: 7})
		slices.Reverse(down)
		if !slices.Equal(all, down) {
			t.Error("the two directions differ")
		}
		last := time.Time{}
		page, err := s.Find(t.Context(), c, lrs.Query{Ascending: true, Limit: 1000})
		if err != nil {
			t.Fatal(err)
		}
		for _, st := range page.Statements {
			if stored := decode(t, st.JSON).Stored; stored.Before(last) || !stored.Equal(st.Stored) {
				t.Fatalf("stored %v after %v", stored, last)
			}
			last = st.Stored
		}
	})
}

// Everybody names the same few activities, in any order, with definitions that change: no deadlock, no error.
func TestHotActivities(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		nodes := []*lrs.Store{open(t, d), nil}
		nodes[1] = nodes[0]
		if d.Engine() == db.PostgreSQL {
			nodes[1] = open(t, d)
		}
		c := system()
		var wg sync.WaitGroup
		for w := range 16 {
			wg.Go(func() {
				for range 10 {
					sts := make([]statement, 20)
					for i := range sts {
						sts[i] = statement{id: newID(), actor: "ann", verb: "did", object: fmt.Sprintf("https://example.org/hot/%d", rand.IntN(5)), definition: fmt.Sprintf(`{"name":{"en-x-l%d":"x%d"}}`, w, rand.IntN(3))}
					}
					mustPost(t, nodes[w%2], c, sts...)
				}
			})
		}
		wg.Wait()
		if n := len(find(t, nodes[0], c, lrs.Query{Limit: 1000})); n != 16*10*20 {
			t.Errorf("%d statements", n)
		}
	})
}
