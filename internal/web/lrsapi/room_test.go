package lrsapi

import (
	"net/http/httptest"
	"strings"
	"testing"

	"rollway/internal/fault"
)

// Nothing is kept of a party that has left, whether it got its room or not.
func TestPartiesAreForgotten(t *testing.T) {
	t.Parallel()
	b := newBudget(4<<20, 2<<20, 0)
	ask := func(who string, n int) (*heldBody, error) {
		return b.hold(httptest.NewRequest("POST", "/", strings.NewReader(strings.Repeat("x", n))), who, 16<<20)
	}
	first, err := ask("ann", 2<<20)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := ask("ann", 1<<20); !fault.Is(err, fault.Unavailable) {
		t.Errorf("beyond the share: %v", err)
	}
	second, err := ask("bob", 1<<20)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := ask("eve", 2<<20); !fault.Is(err, fault.Unavailable) {
		t.Errorf("beyond what there is for all: %v", err)
	}
	if len(b.parties) != 2 {
		t.Errorf("%d parties, want 2", len(b.parties))
	}
	first.leave()
	second.leave()
	if len(b.parties) != 0 || !b.all.TryAcquire(4<<20) {
		t.Errorf("%d parties are kept, or their room", len(b.parties))
	}
}
