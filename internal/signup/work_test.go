package signup

import (
	"strings"
	"testing"
)

// One sign-up that cannot be discarded is told of, and the others are discarded.
func TestWorkGoesOn(t *testing.T) {
	each(t, Settings{}, func(h *house) {
		h.begin("ada@example.org")
		h.exec("UPDATE people SET state = 'suspended'")
		h.begin("eve@example.org")
		h.exec("UPDATE signups SET expires = expires - 180000000000")
		if err := h.Work(h.Context()); err == nil || !strings.Contains(err.Error(), "sign-up ") {
			h.Errorf("%v", err)
		}
		if n := h.count("signups"); n != 1 {
			h.Errorf("%d sign-ups are left", n)
		}
	})
}
