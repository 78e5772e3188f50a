package lrs_test

import (
	"sync"
	"testing"

	"rollway/internal/db"
	"rollway/internal/db/dbtest"
	"rollway/internal/id"
	"rollway/internal/lrs"
	"rollway/xapi"
)

// Many requests at once on two nodes, of which some were sent before, name one id twice or point at each other: each
// statement is there once, and what was stored together with such requests is there too.
func TestKnownAmongNew(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		nodes := openNodes(t, d)
		c := system()
		const senders, rounds = 8, 20
		var wg sync.WaitGroup
		for round := range rounds {
			shared := simple(newID())
			pointing := voids(newID(), newID())
			target := simple(pointing.ref)
			for w := range senders {
				wg.Go(func() {
					for _, sent := range [][]statement{{simple(newID())}, {shared, simple("")}, {target}, {pointing}, {simple(newID()), simple("")}} {
						if (round+w)%2 == 0 && sent[0].ref != "" {
							continue
						}
						ids, err := nodes[w%len(nodes)].Put(t.Context(), c, xapi.V1, id.StatementID{}, []byte(batch(sent...)))
						if err != nil || len(ids) != len(sent) {
							t.Errorf("%v, %d ids", err, len(ids))
						}
					}
				})
			}
			wg.Wait()
			if _, err := nodes[0].Get(t.Context(), c, parse(t, target.id), true); err != nil {
				t.Errorf("voided whichever of the two comes first: %v", err)
			}
		}
		const want = rounds * (1 + 1 + senders*(1+1+2)) // shared, pointing and, voided, target; the others
		if all := find(t, nodes[0], c, lrs.Query{Limit: 1000}); len(all) != want {
			t.Errorf("%d statements, want %d", len(all), want)
		}
		verify(t, nodes[0], c, 0)
	})
}
