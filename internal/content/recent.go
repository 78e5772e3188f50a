package content

import "sync"

// recentSize is how many values are kept at least once that many are known, and half of how many at most.
const recentSize = 4096

// recent keeps values that were lately asked for, in two generations: the old one is dropped when the young one is full.
// The zero value is empty and ready.
type recent[K comparable, V any] struct {
	mu         sync.RWMutex
	forgotten  int
	young, old map[K]V
}

func (r *recent[K, V]) get(k K) (V, bool) {
	r.mu.RLock()
	v, ok := r.young[k]
	aged := false
	if !ok {
		v, aged = r.old[k]
	}
	round := r.forgotten
	r.mu.RUnlock()
	if aged {
		r.put(round, k, v)
	}
	return v, ok || aged
}

// round is to be taken before a value is looked up, and given to put with it: what was looked up before a forget is not
// kept after it.
func (r *recent[K, V]) round() int {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return r.forgotten
}

func (r *recent[K, V]) put(round int, k K, v V) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if round != r.forgotten {
		return
	}
	if r.young == nil || len(r.young) >= recentSize {
		r.young, r.old = map[K]V{}, r.young
	}
	r.young[k] = v
}

func (r *recent[K, V]) forget() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.forgotten++
	r.young, r.old = nil, nil
}
