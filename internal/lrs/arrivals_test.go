package lrs

import (
	"testing"

	"rollway/internal/fault"
)

// What all requests of an organization have received and not stored is bounded together, and those of another apart.
func TestArrivalsAreBoundedTogether(t *testing.T) {
	t.Parallel()
	var all arrivals
	one, two := arrival{arrivals: &all, org: 2, most: 1000, left: 100}, arrival{arrivals: &all, org: 2, most: 1000, left: 100}
	other, free := arrival{arrivals: &all, org: 3, most: 1000, left: 100}, arrival{arrivals: &all, org: 1}
	for i, step := range []struct {
		of    *arrival
		bytes int
		fits  bool
	}{{&one, 60, true}, {&two, 40, true}, {&other, 100, true}, {&free, 1 << 40, true}, {&two, 1, false}, {&one, 1, false}} {
		if err := step.of.take(step.bytes); (err == nil) != step.fits || err != nil && !fault.Is(err, fault.TooLarge) {
			t.Errorf("step %d: %v", i, err)
		}
	}
	one.leave()
	if err := two.take(50); err != nil {
		t.Errorf("after the other has left: %v", err)
	}
	for _, a := range []*arrival{&two, &other, &free} {
		a.leave()
	}
	if len(all.bytes) != 0 {
		t.Errorf("%v is left", all.bytes)
	}
}
