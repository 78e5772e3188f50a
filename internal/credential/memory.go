package credential

import (
	"sync/atomic"

	"rollway/internal/access"
)

// answer is what a good header stands for.
type answer struct {
	caller  access.Caller
	sliding bool         // use moves the expiry on
	limit   int64        // it never moves beyond this, microseconds
	expires atomic.Int64 // microseconds; 0 never
	noted   atomic.Int64 // when its use was last noted
}

// memory is what was found for headers; see [access.Memory] for why no stale answer survives.
type memory = access.Memory[*answer]

func newMemory(size int) *memory {
	return access.NewMemory[*answer](size, access.CredentialChanged, access.PersonChanged, access.ServiceAccountChanged)
}

// remembered returns the answer for a header if it still holds, or nil.
func (v *Vault) remembered(f access.Fingerprint, now int64) *answer {
	a := v.known.Find(f)
	if a == nil {
		return nil
	}
	if until := a.expires.Load(); until != 0 && now >= until {
		return nil
	}
	return a
}
