package credential

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"sync"
	"sync/atomic"
	"time"

	"rollway/internal/access"
)

// memory keeps what was found for a header, so that the database is asked once and not on every request.
//
// Each thing an answer depends on (credential, parent, person, service account) has a counter, shared with a few thousand
// others by its identifier; an answer holds the counters it was made under and is void when one has moved on. A change
// raises first the epoch, then its counter. An answer is kept only if the epoch is the one from before the database was
// asked: either the change came after the counters were read, and voids the answer, or the epoch was raised before them,
// and the answer is not kept, or both came before the question, which then saw the change.
type memory struct {
	secret   [32]byte // headers are kept as hashes under this, which only this process has
	epoch    atomic.Uint64
	counters [1 << 12]atomic.Uint32
	minted   atomic.Uint64 // raised by every mint: what was refused before may be good now
	shards   [shardCount]shard
	perShard int
}

const shardCount = 64

type fingerprint [sha256.Size]byte

type shard struct {
	sync.RWMutex
	good map[fingerprint]*answer
	bad  map[fingerprint]refusal
}

// answer is what a good header stands for.
type answer struct {
	caller  access.Caller
	sliding bool         // use moves the expiry on
	limit   int64        // it never moves beyond this, microseconds
	expires atomic.Int64 // microseconds; 0 never
	noted   atomic.Int64 // when its use was last noted
	marks   [4]mark
	n       int // marks in use
}

type mark struct {
	at    uint16
	count uint32
}

// refusal is why a bad header is bad, until something is minted or changed.
type refusal struct {
	err    error
	until  int64
	before moment
}

// refusalLife is how long a refused header is refused again without asking.
const refusalLife = time.Second

func newMemory(size int) *memory {
	m := &memory{perShard: max(1, size/shardCount)}
	rand.Read(m.secret[:])
	for i := range m.shards {
		m.shards[i].good = map[fingerprint]*answer{}
		m.shards[i].bad = map[fingerprint]refusal{}
	}
	return m
}

// fingerprint hashes a header. way tells apart those that mean different things depending on where they are presented.
func (m *memory) fingerprint(way byte, header string) fingerprint {
	var buf [maxHeader + 64]byte
	b := append(append(buf[:0], m.secret[:]...), way)
	return sha256.Sum256(append(b, header...))
}

func (m *memory) shard(f fingerprint) *shard { return &m.shards[f[0]%shardCount] }

// find returns the answer for a header if it still holds.
func (m *memory) find(f fingerprint, now int64) *answer {
	s := m.shard(f)
	s.RLock()
	a := s.good[f]
	s.RUnlock()
	if a == nil {
		return nil
	}
	if until := a.expires.Load(); until != 0 && now >= until {
		return nil
	}
	for _, k := range a.marks[:a.n] {
		if m.counters[k.at].Load() != k.count {
			return nil
		}
	}
	return a
}

// refused returns why a header was refused a moment ago, or nil.
func (m *memory) refused(f fingerprint, now int64) error {
	s := m.shard(f)
	s.RLock()
	r, ok := s.bad[f]
	s.RUnlock()
	if ok && now < r.until && r.before == m.moment() {
		return r.err
	}
	return nil
}

// moment is the state of the memory before the database is asked.
type moment struct{ epoch, minted uint64 }

func (m *memory) moment() moment { return moment{m.epoch.Load(), m.minted.Load()} }

// keep remembers an answer that depends on the things with these identifiers.
func (m *memory) keep(f fingerprint, a *answer, before moment, on ...[16]byte) {
	for _, subject := range on {
		if subject == [16]byte{} {
			continue
		}
		at := counterOf(subject)
		a.marks[a.n] = mark{at, m.counters[at].Load()}
		a.n++
	}
	if m.epoch.Load() != before.epoch {
		return
	}
	s := m.shard(f)
	s.Lock()
	defer s.Unlock()
	if len(s.good) >= m.perShard {
		for old := range s.good { // any one: the order of a map is random
			delete(s.good, old)
			break
		}
	}
	s.good[f] = a
}

// refuse remembers for a moment that a header was refused.
func (m *memory) refuse(f fingerprint, err error, before moment, now int64) {
	s := m.shard(f)
	s.Lock()
	defer s.Unlock()
	delete(s.good, f)
	if len(s.bad) >= m.perShard {
		clear(s.bad)
	}
	s.bad[f] = refusal{err, now + refusalLife.Microseconds(), before}
}

// hear makes every answer that depends on the thing void.
func (m *memory) hear(c access.Change) {
	switch c.Kind {
	case access.CredentialChanged, access.PersonChanged, access.ServiceAccountChanged:
		m.epoch.Add(1)
		m.counters[counterOf(c.Subject)].Add(1)
	}
}

// counterOf takes random bits of an identifier.
func counterOf(subject [16]byte) uint16 {
	return binary.BigEndian.Uint16(subject[14:]) & (1<<12 - 1)
}
