package access

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// Memory keeps what was found for secrets that were presented, so that the database is asked once and not on every request.
//
// Each thing an answer depends on (credential, session, person, service account) has a counter, shared with a few thousand
// others by its identifier; an answer holds the counters it was made under and is void when one has moved on. A change
// raises first the epoch, then its counter. An answer is kept only if the epoch is the one from before the database was
// asked: either the change came after the counters were read, and voids the answer, or the epoch was raised before them,
// and the answer is not kept, or both came before the question, which then saw the change.
type Memory[T any] struct {
	kinds    []ChangeKind
	secret   [32]byte // secrets are kept as hashes under this, which only this process has
	epoch    atomic.Uint64
	counters [1 << 12]atomic.Uint32
	added    atomic.Uint64
	shards   [shardCount]shard[T]
	perShard int
}

const shardCount = 64

// Fingerprint is the hash of a secret under which an answer is kept.
type Fingerprint [sha256.Size]byte

type shard[T any] struct {
	sync.RWMutex
	good map[Fingerprint]*kept[T]
	bad  map[Fingerprint]refusal
}

// kept is an answer and what it depends on.
type kept[T any] struct {
	value T
	marks [4]mark
	n     int // marks in use
}

type mark struct {
	at    uint16
	count uint32
}

// refusal is why a bad secret is bad, until something is added or changed.
type refusal struct {
	err    error
	until  int64
	before Moment
}

// refusalLife is how long a refused secret is refused again without asking.
const refusalLife = time.Second

// NewMemory returns a memory of so many answers, which changes of these kinds make void; [Memory.Hear] listens to them.
func NewMemory[T any](size int, kinds ...ChangeKind) *Memory[T] {
	m := &Memory[T]{kinds: kinds, perShard: max(1, size/shardCount)}
	rand.Read(m.secret[:])
	for i := range m.shards {
		m.shards[i].good = map[Fingerprint]*kept[T]{}
		m.shards[i].bad = map[Fingerprint]refusal{}
	}
	return m
}

// MaxSecret is the longest secret that a fingerprint is made of without an allocation, in bytes.
const MaxSecret = 1024

// Fingerprint hashes a secret. way tells apart those that mean different things depending on where they are presented.
func (m *Memory[T]) Fingerprint(way byte, secret string) Fingerprint {
	var buf [MaxSecret + 64]byte
	b := append(append(buf[:0], m.secret[:]...), way)
	return sha256.Sum256(append(b, secret...))
}

func (m *Memory[T]) shard(f Fingerprint) *shard[T] { return &m.shards[f[0]%shardCount] }

// Find returns the answer for a secret if nothing it depends on has changed, or else the zero T.
func (m *Memory[T]) Find(f Fingerprint) (none T) {
	s := m.shard(f)
	s.RLock()
	k := s.good[f]
	s.RUnlock()
	if k == nil {
		return none
	}
	for _, c := range k.marks[:k.n] {
		if m.counters[c.at].Load() != c.count {
			return none
		}
	}
	return k.value
}

// Refused returns why a secret was refused a moment ago, or nil. now is in microseconds.
func (m *Memory[T]) Refused(f Fingerprint, now int64) error {
	s := m.shard(f)
	s.RLock()
	r, ok := s.bad[f]
	s.RUnlock()
	if ok && now < r.until && r.before == m.Moment() {
		return r.err
	}
	return nil
}

// Moment is the state of the memory before the database is asked.
type Moment struct{ epoch, added uint64 }

// Moment returns the state of the memory.
func (m *Memory[T]) Moment() Moment { return Moment{m.epoch.Load(), m.added.Load()} }

// Added says that there are new secrets: one that was refused before may be good now.
func (m *Memory[T]) Added() { m.added.Add(1) }

// Keep remembers an answer that depends on at most four things with these identifiers; zero ones are none.
func (m *Memory[T]) Keep(f Fingerprint, value T, before Moment, on ...[16]byte) {
	k := &kept[T]{value: value}
	for _, subject := range on {
		if subject == [16]byte{} {
			continue
		}
		at := counterOf(subject)
		k.marks[k.n] = mark{at, m.counters[at].Load()}
		k.n++
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
	s.good[f] = k
}

// Refuse remembers for a moment that a secret was refused.
func (m *Memory[T]) Refuse(f Fingerprint, err error, before Moment, now int64) {
	s := m.shard(f)
	s.Lock()
	defer s.Unlock()
	delete(s.good, f)
	if len(s.bad) >= m.perShard {
		clear(s.bad)
	}
	s.bad[f] = refusal{err, now + refusalLife.Microseconds(), before}
}

// Hear makes every answer that depends on the thing void.
func (m *Memory[T]) Hear(c Change) {
	if slices.Contains(m.kinds, c.Kind) {
		m.epoch.Add(1)
		m.counters[counterOf(c.Subject)].Add(1)
	}
}

// counterOf takes random bits of an identifier.
func counterOf(subject [16]byte) uint16 {
	return binary.BigEndian.Uint16(subject[14:]) & (1<<12 - 1)
}
