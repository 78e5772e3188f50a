package portal

import (
	"sync"

	"rollway/internal/fault"
	"rollway/internal/id"
)

// uploads are the packages that are on their way. Each is a file on disk before anything is known of it, so strangers who
// made themselves organizations get one at a time each, and so many together; the operator's own people need not wait.
type uploads struct {
	mu     sync.Mutex
	guests map[id.OrgID]bool
}

const maxGuests = 8

// begin tells that an upload begins; whoever begins it ends it. Fault: Unavailable (upload_busy) when it has to wait for
// another.
func (u *uploads) begin(org id.OrgID) (end func(), err error) {
	if org == id.DefaultOrg {
		return func() {}, nil
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.guests[org] || len(u.guests) >= maxGuests {
		return nil, fault.New(fault.Unavailable, "upload_busy", "Other files are being uploaded at this moment. Try again when they are here.")
	}
	if u.guests == nil {
		u.guests = map[id.OrgID]bool{}
	}
	u.guests[org] = true
	return func() {
		u.mu.Lock()
		defer u.mu.Unlock()
		delete(u.guests, org)
	}, nil
}
