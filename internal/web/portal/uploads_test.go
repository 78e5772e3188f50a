package portal

import (
	"testing"

	"rollway/internal/fault"
	"rollway/internal/id"
)

// One organization uploads one file at a time, and strangers so many together; the operator's own is not kept waiting.
func TestUploadsAtOnce(t *testing.T) {
	t.Parallel()
	var u uploads
	var ends []func()
	for org := range id.OrgID(maxGuests) {
		end, err := u.begin(org + 2)
		if err != nil {
			t.Fatal(err)
		}
		ends = append(ends, end)
	}
	busy := func(org id.OrgID) {
		t.Helper()
		if _, err := u.begin(org); !fault.Is(err, fault.Unavailable) {
			t.Errorf("%d may begin: %v", org, err)
		}
	}
	busy(2)
	busy(maxGuests + 2)
	for range 2 {
		if _, err := u.begin(id.DefaultOrg); err != nil {
			t.Error(err)
		}
	}
	ends[0]()
	end, err := u.begin(maxGuests + 2)
	if err != nil {
		t.Fatal(err)
	}
	busy(2)
	end()
	if _, err := u.begin(2); err != nil {
		t.Error(err)
	}
}
