package lrsapi_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-json-experiment/json"

	"rollway/internal/db"
	"rollway/internal/db/dbtest"
)

const through = "X-Experience-API-Consistent-Through"

// separate are servers with a database handle of their own each: two nodes on one PostgreSQL, one on SQLite; and one more
// handle, for what nobody serves.
func separate(t *testing.T, e db.Engine) (all []*server, beside *db.DB) {
	t.Helper()
	url := dbtest.URL(t, e)
	handle := func() *db.DB { return dbtest.Connect(t, db.Options{URL: url}) }
	beside = handle()
	all = append(all, serve(t, handle()))
	if e == db.PostgreSQL {
		all = append(all, serve(t, handle()))
	}
	return all, beside
}

// slowCommits delays commits by up to two seconds: on PostgreSQL those of transactions that have stamped already, while
// others overtake them; on SQLite, which has one writer, another process holds the file.
func slowCommits(t *testing.T, d *db.DB, done chan struct{}) {
	t.Helper()
	ctx := t.Context()
	if d.Engine() == db.PostgreSQL {
		err := d.Write(ctx, func(tx *db.Tx) error {
			for _, sql := range []string{
				`CREATE FUNCTION dawdle() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN IF random() < 0.004 THEN PERFORM pg_sleep(random() * 2); END IF; RETURN NULL; END'`,
				`CREATE CONSTRAINT TRIGGER dawdle AFTER INSERT ON statements DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION dawdle()`,
			} {
				if _, err := tx.Exec(ctx, sql); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		return
	}
	var holder sync.WaitGroup
	holder.Go(func() {
		for {
			select {
			case <-done:
				return
			case <-time.After(500 * time.Millisecond):
			}
			err := d.Write(ctx, func(tx *db.Tx) error {
				time.Sleep(rand.N(2 * time.Second))
				return nil
			})
			if err != nil {
				t.Error(err)
			}
		}
	})
	t.Cleanup(holder.Wait)
}

// A follower that asks again and again with since = the last header misses nothing, though commits take up to two seconds
// and overtake each other; when nothing is written the header lags by no more than a second.
func TestFollowersOfTheHeaderMissNothing(t *testing.T) {
	t.Parallel()
	dbtest.EachEngine(t, func(t *testing.T, e db.Engine) {
		servers, beside := separate(t, e)
		done := make(chan struct{})
		slowCommits(t, beside, done)
		const writers, size = 16, 50
		total := int64(rounds(6_000, 200_000))
		stored := make([][]string, writers)
		var left atomic.Int64
		left.Store(total / size)
		var group, followers sync.WaitGroup
		begun := time.Now()
		for w := range writers {
			group.Go(func() {
				for left.Add(-1) >= 0 {
					stored[w] = append(stored[w], postMany(t, servers[w%len(servers)], size)...)
				}
			})
		}
		followed := make([]*pollster, len(servers))
		for i, s := range servers {
			followed[i] = &pollster{server: s, seen: map[string]int{}}
			followers.Go(func() { followed[i].run(t, done) })
		}
		group.Wait()
		took := time.Since(begun)
		close(done)
		followers.Wait()
		all := slices.Concat(stored...)
		for i, f := range followed {
			missed := 0
			for _, sid := range all {
				if f.seen[sid] == 0 {
					missed++
				}
			}
			if missed > 0 || int64(len(all)) < total {
				t.Errorf("node %d: %d of %d missed", i, missed, len(all))
			}
		}
		lag := idleLag(t, servers)
		if lag > time.Second {
			t.Errorf("the header lags by %v when nothing is written", lag)
		}
		proof(t, "0 of %d missed by %d followers on %d nodes, %d writers for %v, commits delayed up to 2 s, in %d polls; the header lags idle by %v (median)",
			len(all), len(followed), len(servers), writers, took.Round(time.Millisecond), followed[0].polls, lag)
	})
}

func postMany(t *testing.T, s *server, n int) []string {
	texts := make([]string, n)
	for i := range texts {
		texts[i] = statement(ann, "http://example.com/verb")
	}
	a := s.do(t, exchange{method: "POST", path: "statements", body: "[" + strings.Join(texts, ",") + "]"})
	var ids []string
	if err := json.Unmarshal([]byte(a.body), &ids); err != nil || a.status != 200 {
		t.Errorf("%d %s %v", a.status, a.body, err)
	}
	return ids
}

// pollster follows by the header.
type pollster struct {
	server *server
	seen   map[string]int
	since  string
	polls  int
}

// run polls until done, and on until the header has passed that moment.
func (f *pollster) run(t *testing.T, done chan struct{}) {
	until := ""
	for {
		path := "statements?ascending=true&limit=1000&format=ids"
		if f.since != "" {
			path += "&since=" + q(f.since)
		}
		f.polls++
		next := ""
		for path != "" {
			a := f.server.do(t, exchange{method: "GET", path: path})
			if next == "" { // that of the query, which is the first page's
				next = a.header.Get(through)
			}
			var p page
			if err := json.Unmarshal([]byte(a.body), &p); err != nil || a.status != 200 {
				t.Errorf("%d %s %v", a.status, a.body, err)
				return
			}
			for _, st := range p.Statements {
				f.seen[st.ID]++
			}
			path = strings.TrimPrefix(p.More, "/xapi/")
		}
		if next < f.since {
			t.Errorf("the header went back from %s to %s", f.since, next)
			return
		}
		f.since = next
		select {
		case <-done:
			if until == "" {
				until = time.Now().UTC().Format("2006-01-02T15:04:05.000Z")
			} else if next > until {
				return
			}
		default:
		}
		time.Sleep(5 * time.Millisecond)
	}
}

// idleLag is the median of how long it takes until the header has passed what was just stored, on the node that stored it
// and on the others.
func idleLag(t *testing.T, servers []*server) time.Duration {
	var lags []time.Duration
	for i := range 21 {
		postMany(t, servers[0], 1)
		answered := time.Now()
		stored := answered.UTC().Format("2006-01-02T15:04:05.000Z")
		for servers[i%len(servers)].do(t, exchange{method: "HEAD", path: "statements?limit=1"}).header.Get(through) < stored {
			time.Sleep(time.Millisecond)
		}
		lags = append(lags, time.Since(answered))
	}
	slices.Sort(lags)
	return lags[len(lags)/2].Round(time.Millisecond)
}

// A transaction that has its stamp and never ends holds the header back, and the database ends it: within 60 seconds the
// header goes on. By default only the time limits that see to this are looked at.
func TestAStuckWriteFreesTheHeader(t *testing.T) {
	t.Parallel()
	servers, beside := separate(t, db.PostgreSQL)
	ctx := t.Context()
	err := beside.Read(ctx, func(tx *db.Tx) error {
		for _, name := range []string{"idle_in_transaction_session_timeout", "statement_timeout"} {
			var set string
			if err := tx.Row(ctx, "SHOW "+name).Scan(&set); err != nil {
				return err
			}
			if limit, err := time.ParseDuration(strings.Replace(set, "min", "m", 1)); err != nil || limit <= 0 || limit > 50*time.Second {
				t.Errorf("%s is %s", name, set)
			}
			proof(t, "%s is %s", name, set)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	stuck, end := make(chan struct{}), make(chan struct{})
	failed := make(chan error, 1)
	go func() {
		var once sync.Once
		failed <- beside.Write(ctx, func(tx *db.Tx) error {
			// As every transaction that stores does first.
			if _, err := tx.Exec(ctx, "SELECT pg_advisory_xact_lock_shared(floor(extract(epoch FROM clock_timestamp()) * 1000000)::bigint)"); err != nil {
				return err
			}
			once.Do(func() { close(stuck) })
			<-end
			return fmt.Errorf("enough")
		})
	}()
	<-stuck
	begun := time.Now()
	time.Sleep(100 * time.Millisecond) // older answers are no longer used
	header := func() string {
		return servers[0].do(t, exchange{method: "HEAD", path: "statements?limit=1"}).header.Get(through)
	}
	frozen := header()
	time.Sleep(200 * time.Millisecond)
	if again := header(); again != frozen || frozen > begun.UTC().Format("2006-01-02T15:04:05.000Z") {
		t.Errorf("the header went from %s to %s past a write under way", frozen, again)
	}
	if os.Getenv("ROLLWAY_LONG") != "" {
		for header() == frozen && time.Since(begun) < 90*time.Second {
			time.Sleep(100 * time.Millisecond)
		}
		if froze := time.Since(begun); froze > time.Minute {
			t.Errorf("a stuck write froze the header for %v", froze)
		} else {
			proof(t, "a stuck write froze the header for %v", froze.Round(time.Second))
		}
	}
	close(end)
	if err := <-failed; err == nil {
		t.Error("the stuck transaction was committed")
	}
	for until := time.Now().Add(5 * time.Second); header() == frozen; time.Sleep(10 * time.Millisecond) {
		if time.Now().After(until) {
			t.Fatal("the header is frozen after the write is over")
		}
	}
}
