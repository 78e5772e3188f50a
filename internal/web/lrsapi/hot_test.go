package lrsapi_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"rollway/internal/db"
	"rollway/internal/db/dbtest"
)

// 200 merges at once keep 200 keys, whichever node they come to; and of 50 PUTs with one ETag one succeeds.
func TestNoUpdateIsLost(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		servers := nodes(t, d)
		const merges, puts = 200, 50
		for _, path := range []string{state, profile, "activities/profile?activityId=" + q("http://example.com/activity") + "&profileId=all"} {
			var group sync.WaitGroup
			for i := range merges {
				group.Go(func() {
					if a := servers[i%len(servers)].do(t, exchange{method: "POST", path: path, body: fmt.Sprintf(`{"k%d":"%d"}`, i, i)}); a.status != 204 {
						t.Errorf("merge %d: %d %s", i, a.status, a.body)
					}
				})
			}
			group.Wait()
			got := servers[0].do(t, exchange{method: "GET", path: path})
			if kept := members(got.body); len(kept) != merges {
				t.Errorf("%s: %d keys of %d merges", path, len(kept), merges)
			}
			var won, lost atomic.Int64
			for i := range puts {
				group.Go(func() {
					a := servers[i%len(servers)].do(t, exchange{method: "PUT", path: path, header: "If-Match: " + got.header.Get("ETag"), body: fmt.Sprintf(`{"put":"%d"}`, i)})
					switch a.status {
					case 204:
						won.Add(1)
					case 412:
						lost.Add(1)
					}
				})
			}
			group.Wait()
			if won.Load() != 1 || lost.Load() != puts-1 {
				t.Errorf("%s: %d PUTs with one ETag succeeded, %d did not", path, won.Load(), lost.Load())
			}
		}
		proof(t, "%d parallel merges keep %d keys on each of 3 resources; of %d PUTs with one ETag exactly one succeeds", merges, merges, puts)
	})
}

// Sixteen writers send batches of 50 about the same 20 activities and 20 people; some define the activities anew, some point
// at and void the same statements, some send what another is sending in another order. Nothing fails.
func TestHotBatches(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		servers := nodes(t, d)
		const writers = 16
		until := time.Now().Add(time.Duration(rounds(3, 60)) * time.Second)
		var stored, batches, slowest atomic.Int64
		var group sync.WaitGroup
		for w := range writers {
			group.Go(func() {
				for n := 0; time.Now().Before(until); n++ {
					start := time.Now()
					a := servers[w%len(servers)].do(t, exchange{method: "POST", path: "statements", body: hotBatch(w, n)})
					if a.status != 200 {
						t.Errorf("writer %d, batch %d: %d %s", w, n, a.status, a.body)
						return
					}
					stored.Add(50)
					batches.Add(1)
					if ms := time.Since(start).Milliseconds(); ms > slowest.Load() {
						slowest.Store(ms)
					}
				}
			})
		}
		group.Wait()
		if batches.Load() < writers {
			t.Errorf("only %d batches", batches.Load())
		}
		proof(t, "%d statements in %d batches of %d writers share 20 activities and 20 people: no error, no deadlock (slowest batch %d ms)",
			stored.Load(), batches.Load(), writers, slowest.Load())
	})
}

// hotBatch is a batch of 50 statements. Those of two neighbouring writers' every fourth batch are the same, in another order.
func hotBatch(writer, n int) string {
	texts := make([]string, 50)
	for i := range texts {
		actor := fmt.Sprintf(`{"mbox":"mailto:hot%d@example.com"}`, rand.IntN(20))
		activity := fmt.Sprintf("http://example.com/hot/%d", rand.IntN(20))
		texts[i] = fmt.Sprintf(`{"actor":%s,"verb":{"id":"http://example.com/did"},"object":{"id":%q},"context":{"contextActivities":{"parent":[{"id":"http://example.com/hot/%d"}]}}}`, actor, activity, rand.IntN(20))
		switch {
		case n%4 == 0: // the same from both
			texts[i] = strings.Replace(statement(ann, "http://example.com/shared"), "{", fmt.Sprintf(`{"id":"00000000-0000-4000-a%03d-%012d",`, writer/2, n*50+i), 1)
		case n%4 == 1 && i%10 == 0: // a definition
			texts[i] = strings.Replace(texts[i], fmt.Sprintf(`"object":{"id":%q`, activity), fmt.Sprintf(`"object":{"id":%q,"definition":{"name":{"en-x-w%d":"%d"}}`, activity, writer, rand.IntN(5)), 1)
		case n%4 == 2 && i%10 == 0: // what others point at
			texts[i] = fmt.Sprintf(`{"actor":%s,"verb":{"id":"http://example.com/saw"},"object":{"objectType":"StatementRef","id":"00000000-0000-4000-a%03d-%012d"}}`, actor, rand.IntN(8), rand.IntN(50))
		case n%4 == 3 && i == 0 && n < 40:
			texts[i] = fmt.Sprintf(`{"actor":%s,"verb":{"id":"http://adlnet.gov/expapi/verbs/voided"},"object":{"objectType":"StatementRef","id":"00000000-0000-4000-a%03d-%012d"}}`, actor, rand.IntN(8), rand.IntN(500))
		}
	}
	if n%4 == 0 {
		rand.Shuffle(len(texts), func(i, j int) { texts[i], texts[j] = texts[j], texts[i] })
	}
	return "[" + strings.Join(texts, ",") + "]"
}
