package lrs

import (
	"context"
	"math"
	"slices"
	"time"

	"rollway/internal/access"
	"rollway/internal/db"
	"rollway/internal/id"
	"rollway/xapi"
)

// Trail is what an agent says about an activity in a registration.
type Trail struct {
	Registration id.RegistrationID
	Agent        xapi.IFI
	Activity     string // IRI
}

// Newest is the end of a trail.
type Newest struct {
	Stored time.Time    // when the registration's last statement was stored, whatever it says; zero when there is none
	Said   []*Statement // for each verb asked about, the last statement of the trail that is not voided; nil for none
}

// Newest finds the ends of many trails with a few queries, however many there are. What merely points at a statement of a
// trail is not of the trail. It needs statements/read.
func (s *Store) Newest(ctx context.Context, c access.Caller, trails []Trail, verbs ...string) ([]Newest, error) {
	if err := c.Require(access.StatementsRead); err != nil || len(trails) == 0 {
		return nil, err
	}
	until, err := s.toRead(ctx)
	if err != nil {
		return nil, err
	}
	keys := make([]int64, 0, len(trails)*(1+len(verbs)))
	for _, t := range trails {
		keys = append(keys, s.registrationKey(t.Registration))
		for _, verb := range verbs {
			keys = append(keys, s.key2(byAgentAndVerb, []byte(t.Agent.Key()), []byte(verb)))
		}
	}
	out := make([]Newest, len(trails))
	err = s.db.Read(ctx, func(tx *db.Tx) error {
		if err := s.tail.readOn(ctx, tx, until); err != nil {
			return err
		}
		at, err := s.positions(ctx, tx, c.Org, keys)
		if err != nil {
			return err
		}
		var wanted []*ending
		for i, t := range trails {
			own := keys[i*(1+len(verbs)):][:1+len(verbs)]
			registration := at[own[0]]
			out[i].Said = make([]*Statement, len(verbs))
			if n := len(registration); n > 0 {
				out[i].Stored = storedAt(registration[n-1])
			}
			for v, key := range own[1:] {
				if both := common(registration, at[key]); len(both) > 0 {
					wanted = append(wanted, &ending{positions: both, activity: s.key(byActivity, []byte(t.Activity)), said: &out[i].Said[v]})
				}
			}
		}
		return readEndings(ctx, tx, c.Org, wanted)
	})
	return out, err
}

// positions are those of all statements that have each key themselves, ascending.
func (s *Store) positions(ctx context.Context, tx *db.Tx, org id.OrgID, keys []int64) (map[int64][]int64, error) {
	keys = slices.Clone(keys)
	slices.Sort(keys)
	keys = slices.Compact(keys)
	v := s.tail.view(org, keys) // before the index, as in walk
	if tx.Engine == db.PostgreSQL {
		if err := v.askNewest(ctx, tx, &selection{org: org, to: math.MaxInt64}, keys); err != nil {
			return nil, err
		}
	}
	at := make(map[int64][]int64, len(keys))
	err := eachAmong(ctx, tx, "SELECT key, first, more FROM statement_postings WHERE @ ORDER BY key, first", org, "key", keys, func(r *db.Rows) error {
		var key, first int64
		var more []byte
		err := r.Scan(&key, &first, &more)
		if err == nil {
			at[key], err = readBlock(at[key], first, more)
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	for _, key := range keys {
		for _, list := range [][]int64{v.lists[key], v.newest[key]} {
			if n := len(at[key]); n > 0 {
				list = after(list, at[key][n-1]) // what came into the index meanwhile
			}
			at[key] = append(at[key], list...)
		}
	}
	return at, nil
}

// common are the numbers of two ascending lists that are in both.
func common(a, b []int64) (both []int64) {
	for len(a) > 0 && len(b) > 0 {
		switch {
		case a[0] < b[0]:
			a = a[1:]
		case a[0] > b[0]:
			b = b[1:]
		default:
			both, a, b = append(both, a[0]), a[1:], b[1:]
		}
	}
	return both
}

// ending is where the last statement about an activity is sought.
type ending struct {
	positions []int64 // ascending; those that have been looked at are cut off
	activity  int64   // key
	said      **Statement
}

// endingsFirst is how many statements of each ending are looked at first, and endingsMore how many times as many then.
const endingsFirst, endingsMore = 4, 8

// readEndings finds the last statement of each ending and reads those.
func readEndings(ctx context.Context, tx *db.Tx, org id.OrgID, open []*ending) error {
	found := map[int64][]**Statement{}
	for step := endingsFirst; len(open) > 0; step *= endingsMore {
		var look []int64
		for _, e := range open {
			look = append(look, e.positions[max(0, len(e.positions)-step):]...)
		}
		keys := make(map[int64][]byte, len(look))
		err := eachAmong(ctx, tx, "SELECT pos, index_keys FROM statements WHERE @ AND NOT voided", org, "pos", look, func(r *db.Rows) error {
			var pos int64
			var packed []byte
			err := r.Scan(&pos, &packed)
			keys[pos] = packed
			return err
		})
		if err != nil {
			return err
		}
		open = slices.DeleteFunc(open, func(e *ending) bool {
			for range min(step, len(e.positions)) {
				last := e.positions[len(e.positions)-1]
				if hasKey(keys[last], e.activity) {
					found[last] = append(found[last], e.said)
					return true
				}
				e.positions = e.positions[:len(e.positions)-1]
			}
			return len(e.positions) == 0
		})
	}
	positions := make([]int64, 0, len(found))
	for pos := range found {
		positions = append(positions, pos)
	}
	return eachAmong(ctx, tx, "SELECT pos, id, body FROM statements WHERE @", org, "pos", positions, func(r *db.Rows) error {
		var st Statement
		err := r.Scan(&st.pos, &st.ID, &st.JSON)
		st.Stored = storedAt(st.pos)
		for _, said := range found[st.pos] {
			*said = &st
		}
		return err
	})
}

func hasKey(packed []byte, wanted int64) (has bool) {
	unpackKeys(packed, func(key int64) { has = has || key == wanted })
	return has
}
