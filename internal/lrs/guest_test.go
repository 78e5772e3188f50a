package lrs_test

import (
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"rollway/internal/db"
	"rollway/internal/db/dbtest"
	"rollway/internal/id"
	"rollway/internal/lrs"
	"rollway/xapi"
)

// beside opens a second and a third pool of connections to a database file, as other processes do.
func beside(t *testing.T, url string, cfg lrs.Config) *lrs.Store {
	t.Helper()
	cfg.DB, cfg.HomePage = dbtest.Connect(t, db.Options{URL: url, Conns: 4}), "https://rollway.example"
	s, err := lrs.Open(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s
}

// On one SQLite file the server stores, and so do guests that come and go; followers at each of them and at one that only
// looks on miss nothing, and no two statements get one position.
func TestFollowerMissesNothingBesideGuests(t *testing.T) {
	t.Parallel()
	url := dbtest.URL(t, db.SQLite)
	nodes := []*lrs.Store{beside(t, url, lrs.Config{}), beside(t, url, lrs.Config{Guest: true}), beside(t, url, lrs.Config{Guest: true}), beside(t, url, lrs.Config{Guest: true})}
	holdCommits(nodes, 12*time.Millisecond)
	c := system()
	var mu sync.Mutex
	stored := map[id.StatementID]bool{}
	var wg sync.WaitGroup
	var evicted atomic.Int64
	end := time.Now().Add(4 * time.Second)
	for w := range 9 {
		wg.Go(func() {
			for time.Now().Before(end) {
				ids, err := nodes[w%3].Put(t.Context(), c, xapi.V1, id.StatementID{}, []byte(batch(simple(""), simple(newID()))))
				if err != nil {
					t.Error(err)
					return
				}
				mu.Lock()
				stored[ids[0]], stored[ids[1]] = true, true
				mu.Unlock()
				switch pause := rand.IntN(60); {
				case w%3 == 0:
					time.Sleep(time.Millisecond)
				case pause == 0: // a guest leaves and comes again
					if err := nodes[w%3].Leave(t.Context()); err != nil {
						t.Error(err)
					}
					time.Sleep(rand.N(50 * time.Millisecond))
				case pause == 1: // it is taken for dead
					if err := nodes[0].Evict(t.Context()); err != nil {
						t.Error(err)
					}
					evicted.Add(1)
				default:
					time.Sleep(rand.N(20 * time.Millisecond))
				}
			}
		})
	}
	missedNone := followAll(t, nodes, c)
	wg.Wait()
	missedNone(stored)
	if t.Failed() {
		return
	}
	t.Logf("proof: %d statements stored by three processes on one SQLite file, guests taken off %d times; four followers missed none", len(stored), evicted.Load())
}

// A guest that died leaves its entry behind; the server takes it off and answers from memory again.
func TestDeadGuest(t *testing.T) {
	t.Parallel()
	url := dbtest.URL(t, db.SQLite)
	var ahead atomic.Int64
	now := func() time.Time { return time.Now().Add(time.Duration(ahead.Load())) }
	server, guest := beside(t, url, lrs.Config{Now: now}), beside(t, url, lrs.Config{Guest: true, Now: now})
	c := system()
	guests := func() int {
		t.Helper()
		n, err := server.Guests(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	through := func() time.Time {
		t.Helper()
		time.Sleep(10 * time.Millisecond) // longer than an answer is used again
		at, err := server.ConsistentThrough(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return at
	}
	mustPost(t, server, c, simple(newID()))
	mustPost(t, guest, c, simple(newID()))
	mustPost(t, server, c, simple(newID()))
	if through(); guests() != 1 {
		t.Errorf("%d guests", guests())
	}
	ahead.Store(int64(2 * time.Minute))
	if at := through(); guests() != 0 || now().Sub(at) > time.Second {
		t.Errorf("%d guests after two minutes, through %v", guests(), at)
	}
	mustPost(t, guest, c, simple(newID())) // it was not dead at all
	if guests() != 1 {
		t.Error("a guest stored without being entered")
	}
	if n := len(find(t, server, c, lrs.Query{})); n != 4 {
		t.Error(fmt.Sprint(n), "statements")
	}
}

// A guest's announcement and what it stores may wait for the same commit: the server must not answer in between for a time
// that the statement is stamped with.
func TestGuestEntersBeforeItStores(t *testing.T) {
	t.Parallel()
	url := dbtest.URL(t, db.SQLite)
	server, guest := beside(t, url, lrs.Config{}), beside(t, url, lrs.Config{Guest: true})
	guest.HoldCommits(func() time.Duration { return 100 * time.Millisecond })
	c := system()
	for range 3 {
		var wg sync.WaitGroup
		wg.Go(func() { // both wait behind this, and are then done together
			if err := guest.Occupy(t.Context(), 100*time.Millisecond); err != nil {
				t.Error(err)
			}
		})
		time.Sleep(20 * time.Millisecond)
		wg.Go(func() {
			if err := guest.Enter(t.Context()); err != nil {
				t.Error(err)
			}
		})
		time.Sleep(20 * time.Millisecond)
		sid := parse(t, newID())
		stored := make(chan struct{})
		wg.Go(func() {
			defer close(stored)
			mustPost(t, guest, c, simple(sid.String()))
		})
		var answers []time.Time // each given before the statement could be seen
		for done := false; !done; {
			select {
			case <-stored:
				done = true
			case <-time.After(10 * time.Millisecond):
			}
			at, err := server.ConsistentThrough(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if _, err := server.Get(t.Context(), c, sid, false); err != nil {
				answers = append(answers, at)
			}
		}
		wg.Wait()
		st, err := server.Get(t.Context(), c, sid, false)
		if err != nil {
			t.Fatal(err)
		}
		for _, at := range answers {
			if !st.Stored.After(at) {
				t.Fatalf("stored at %v and not seen after an answer for %v", st.Stored, at)
			}
		}
		if err := guest.Leave(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
}
