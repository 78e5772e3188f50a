package limit

import (
	"encoding/binary"
	"fmt"
	"slices"
)

// times is what is kept of one rule and subject, in microseconds since 1970. For windows: when the tries were that one of
// them still counts, in ascending order. For a rate: the one time at which all tries have been paid for.
type times []int64

// free tells whether the rule allows everything.
func (r Rule) free() bool { return len(r.Windows) == 0 && r.Rate == nil }

// wait is how long, in microseconds, until one more is allowed; 0 when it is now.
func (r Rule) wait(t times, now int64) int64 {
	if len(r.Windows) == 0 {
		per := r.Rate.Per.Microseconds()
		return max(0, paid(t, now)+per-int64(r.Rate.Burst)*per-now)
	}
	var longest int64
	for _, w := range r.Windows {
		per := w.Per.Microseconds()
		switch {
		case w.Max <= 0:
			longest = max(longest, per)
		case len(t) >= w.Max: // the first of the last Max tries must have left the window
			longest = max(longest, t[len(t)-w.Max]+per-now)
		}
	}
	return longest
}

// paid is when the tries so far have been paid for.
func paid(t times, now int64) int64 {
	if len(t) == 0 {
		return now
	}
	return max(now, t[0])
}

// add counts one more and forgets what no window counts.
func (r Rule) add(t times, now int64) times {
	if len(r.Windows) == 0 {
		return times{paid(t, now) + r.Rate.Per.Microseconds()}
	}
	t = slices.Clone(t)
	at, _ := slices.BinarySearch(t, now+1) // a clock that was set back puts it before others
	t = slices.Insert(t, at, now)
	most, longest := r.reach()
	t = t[max(0, len(t)-most):]
	first, _ := slices.BinarySearch(t, now-longest+1)
	return t[first:]
}

// reach is the most tries and the longest stretch, in microseconds, that any window counts.
func (r Rule) reach() (most int, longest int64) {
	for _, w := range r.Windows {
		most, longest = max(most, w.Max), max(longest, w.Per.Microseconds())
	}
	return most, longest
}

// ends is when the rule no longer needs what is kept.
func (r Rule) ends(t times) int64 {
	last := t[len(t)-1]
	if len(r.Windows) == 0 {
		return last
	}
	_, longest := r.reach()
	return last + longest
}

// bytes is the form in the database: each time as 8 bytes, big-endian.
func (t times) bytes() []byte {
	b := make([]byte, 0, 8*len(t))
	for _, at := range t {
		b = binary.BigEndian.AppendUint64(b, uint64(at))
	}
	return b
}

func timesOf(b []byte) (times, error) {
	if len(b)%8 != 0 {
		return nil, fmt.Errorf("limit: %d bytes are not a list of times", len(b))
	}
	t := make(times, 0, len(b)/8)
	for ; len(b) > 0; b = b[8:] {
		t = append(t, int64(binary.BigEndian.Uint64(b)))
	}
	return t, nil
}
