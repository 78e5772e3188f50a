package breached

import (
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"math/bits"
	"slices"
	"sort"
)

// set is a Golomb-coded set: the hashes of its members, brought into the range from 0 to n·2^rate, sorted, and the gaps
// between them as Rice codes. A member takes about rate + 1.5 bits, and 1 in 2^rate of all other texts counts as one.
type set struct {
	n     uint64 // members that were put in
	rate  uint   // 4 to 32
	codes []byte
	marks []mark // every so many members, so that few codes are read for an answer
}

// mark is where a run of codes begins.
type mark struct {
	after uint64 // the place before it
	bit   uint64 // of the first code
}

// markEvery is the number of members between two marks.
const markEvery = 128

// place is where a text would stand in the set.
func place(text string, n uint64, rate uint) uint64 {
	sum := sha256.Sum256([]byte(text))
	high, _ := bits.Mul64(binary.BigEndian.Uint64(sum[:]), n<<rate)
	return high
}

// Build codes a set of texts; the same texts in whatever order make the same bytes.
func Build(texts []string, rate uint) []byte {
	n := uint64(len(texts))
	places := make([]uint64, n)
	for i, t := range texts {
		places[i] = place(t, n, rate)
	}
	slices.Sort(places)
	places = slices.Compact(places)
	var w writer
	last := uint64(0)
	for _, p := range places {
		w.rice(p-last, rate-1)
		last = p
	}
	out := binary.BigEndian.AppendUint64(nil, n)
	out = binary.BigEndian.AppendUint64(out, uint64(len(places)))
	out = append(out, byte(rate))
	out = binary.BigEndian.AppendUint64(out, uint64(len(w.out)))
	return append(out, w.out...)
}

var errDamaged = errors.New("the set of breached passwords is damaged")

const headSize = 8 + 8 + 1 + 8

// open reads one coded set and returns what follows it.
func open(data []byte) (*set, []byte, error) {
	if len(data) < headSize {
		return nil, nil, errDamaged
	}
	s := &set{n: binary.BigEndian.Uint64(data), rate: uint(data[16])}
	count, size := binary.BigEndian.Uint64(data[8:]), binary.BigEndian.Uint64(data[17:])
	data = data[headSize:]
	if s.rate < 4 || s.rate > 32 || s.n > 1<<31 || count > s.n || size > uint64(len(data)) {
		return nil, nil, errDamaged
	}
	s.codes = data[:size]
	r := reader{data: s.codes}
	at := uint64(0)
	for i := range count {
		if i%markEvery == 0 {
			s.marks = append(s.marks, mark{at, r.bit})
		}
		gap, ok := r.rice(s.rate - 1)
		if !ok {
			return nil, nil, errDamaged
		}
		at += gap
	}
	return s, data[size:], nil
}

// has reports whether a text is a member, or one of the few taken for one.
func (s *set) has(text string) bool {
	if len(s.marks) == 0 {
		return false
	}
	want := place(text, s.n, s.rate)
	// The run whose mark lies before it, but the first member of a run may equal the mark of the one before.
	i := sort.Search(len(s.marks), func(i int) bool { return s.marks[i].after >= want })
	i = max(i-1, 0)
	r := reader{data: s.codes, bit: s.marks[i].bit}
	at := s.marks[i].after
	for {
		gap, ok := r.rice(s.rate - 1)
		if !ok {
			return false
		}
		if at += gap; at >= want {
			return at == want
		}
	}
}

// writer writes bits, the highest of a byte first.
type writer struct {
	out  []byte
	free uint // bits of the last byte
}

func (w *writer) bit(b uint64) {
	if w.free == 0 {
		w.out, w.free = append(w.out, 0), 8
	}
	w.free--
	w.out[len(w.out)-1] |= byte(b << w.free)
}

// rice writes the upper part of v as that many ones and a zero, then the k lower bits.
func (w *writer) rice(v uint64, k uint) {
	for range v >> k {
		w.bit(1)
	}
	w.bit(0)
	for i := k; i > 0; i-- {
		w.bit(v >> (i - 1) & 1)
	}
}

type reader struct {
	data []byte
	bit  uint64
}

// rice reads one code; false at the end.
func (r *reader) rice(k uint) (v uint64, ok bool) {
	var ones uint64
	for {
		at := r.bit / 8
		if at >= uint64(len(r.data)) {
			return 0, false
		}
		rest := ^(r.data[at] << (r.bit % 8)) // the first zero is the first one of these
		left := 8 - r.bit%8
		n := uint64(bits.LeadingZeros8(rest))
		if n < left {
			ones += n
			r.bit += n + 1
			break
		}
		ones += left
		r.bit += left
	}
	if r.bit+uint64(k) > uint64(len(r.data))*8 {
		return 0, false
	}
	var low uint64
	for need := uint64(k); need > 0; {
		left := 8 - r.bit%8
		take := min(left, need)
		low = low<<take | uint64(r.data[r.bit/8]<<(r.bit%8))>>(8-take)
		r.bit += take
		need -= take
	}
	return ones<<k | low, true
}
