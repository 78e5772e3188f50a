package limit

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"pgregory.net/rapid"

	"rollway/internal/db"
	"rollway/internal/db/dbtest"
)

// modelRules are the rules of the model: small enough to be exceeded often.
var modelRules = []Rule{
	{Name: "windows", Windows: []Window{{2, 3 * time.Second}, {4, 10 * time.Second}}},
	{Name: "window", Windows: []Window{{3, 5 * time.Second}}},
	{Name: "rate", Rate: &Rate{Burst: 3, Per: 2 * time.Second}},
}

// model is the ledger as it should be: every try that was ever allowed, by rule and subject.
type model struct {
	ledger *Ledger
	clock  *clock
	prefix string
	taken  map[string][]time.Time
}

// allows says whether the rule allows one more after those before.
func (m *model) allows(rule Rule, before []time.Time, now time.Time) bool {
	if rule.Rate != nil {
		// A bucket of Burst tokens that gains one each Per, never more than full.
		full := time.Duration(rule.Rate.Burst) * rule.Rate.Per
		level, last := full, time.Time{}
		for _, at := range append(before, now) {
			if !last.IsZero() {
				level = min(full, level+at.Sub(last))
			}
			level, last = level-rule.Rate.Per, at
		}
		return level >= 0
	}
	for _, w := range rule.Windows {
		n := 0
		for _, at := range before {
			if at.Add(w.Per).After(now) {
				n++
			}
		}
		if n >= w.Max {
			return false
		}
	}
	return true
}

func key(t Try) string { return t.Rule.Name + " " + t.Subject }

// take is what the model says of the tries, and what it would then hold.
func (m *model) take(tries []Try) (ok bool, after map[string][]time.Time) {
	after = map[string][]time.Time{}
	for _, t := range tries {
		k := key(t)
		before, asked := after[k]
		if !asked {
			before = append(before, m.taken[k]...)
		}
		if !m.allows(t.Rule, before, m.clock.now()) {
			return false, nil
		}
		after[k] = append(before, m.clock.now())
	}
	return true, after
}

func (m *model) draw(t *rapid.T) []Try {
	return rapid.SliceOfN(rapid.Custom(func(t *rapid.T) Try {
		return Try{rapid.SampledFrom(modelRules).Draw(t, "rule"), m.prefix + rapid.SampledFrom([]string{"a", "b"}).Draw(t, "subject")}
	}), 1, 3).Draw(t, "tries")
}

func (m *model) doTake(t *rapid.T) {
	tries := m.draw(t)
	ok, after := m.take(tries)
	err := m.ledger.Take(context.Background(), tries...)
	m.compare(t, tries, ok, err)
	for k, times := range after {
		m.taken[k] = times
	}
}

func (m *model) doCheck(t *rapid.T) {
	tries := m.draw(t)
	ok, _ := m.take(tries)
	m.compare(t, tries, ok, m.ledger.Check(context.Background(), tries...))
}

func (m *model) compare(t *rapid.T, tries []Try, ok bool, err error) {
	var e *Exceeded
	if err != nil && !errors.As(err, &e) {
		t.Fatal(err)
	}
	if (err == nil) != ok {
		t.Fatalf("%v at %v: the model says %v, the ledger %v; taken: %v", tries, m.clock.now(), ok, err, m.taken)
	}
	if e != nil && e.RetryAfter() <= 0 {
		t.Fatalf("refused, but to be tried again after %v", e.RetryAfter())
	}
}

func (m *model) doAdvance(t *rapid.T) {
	m.clock.advance(time.Duration(rapid.IntRange(1, 4000).Draw(t, "ms")) * time.Millisecond)
}

func (m *model) doSweep(t *rapid.T) {
	if _, err := m.ledger.Sweep(context.Background()); err != nil {
		t.Fatal(err)
	}
}

var modelRuns atomic.Int64

// The ledger does what a list of all tries would do, on both engines, when the clock moves and the sweeper runs.
func TestModel(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		rapid.Check(t, func(rt *rapid.T) {
			m := &model{prefix: fmt.Sprint(modelRuns.Add(1), " "), taken: map[string][]time.Time{}}
			m.ledger, m.clock = ledger(d)
			rt.Repeat(map[string]func(*rapid.T){"take": m.doTake, "take again": m.doTake, "check": m.doCheck, "advance": m.doAdvance, "sweep": m.doSweep})
		})
	})
}
