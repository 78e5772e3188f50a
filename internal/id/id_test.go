package id

import (
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestNewAscendsAndIsVersion7(t *testing.T) {
	var last PersonID
	for range 10_000 {
		p := New[PersonID]()
		if p.String() <= last.String() {
			t.Fatalf("%v after %v", p, last)
		}
		if p[6]>>4 != 7 || p[8]>>6 != 2 {
			t.Fatalf("%v is not a version 7 UUID", p)
		}
		last = p
	}
	ms := int64(last[0])<<40 | int64(last[1])<<32 | int64(last[2])<<24 | int64(last[3])<<16 | int64(last[4])<<8 | int64(last[5])
	if d := time.Since(time.UnixMilli(ms)); d > time.Minute || d < -time.Minute {
		t.Fatalf("the time inside is %v off", d)
	}
}

func TestParseReadsWhatStringPrints(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var u PersonID
		copy(u[:], rapid.SliceOfN(rapid.Byte(), 16, 16).Draw(t, "uuid"))
		for _, text := range []string{u.String(), strings.ToUpper(u.String())} {
			back, err := Parse[PersonID](text)
			if err != nil || back != u {
				t.Fatalf("%s came back as %v, %v", text, back, err)
			}
		}
		var scanned PersonID
		if err := scanned.Scan(u[:]); err != nil || scanned != u {
			t.Fatalf("scanned %v, %v", scanned, err)
		}
	})
}

func TestParseRefuses(t *testing.T) {
	for _, s := range []string{"", "0190", "0190b2f6-7c1e-7d3a-9a51-4f0c6b1e2d3", "0190b2f6-7c1e-7d3a-9a51-4f0c6b1e2d3g", "{0190b2f6-7c1e-7d3a-9a51-4f0c6b1e2d}", "0190b2f67c1e7d3a9a514f0c6b1e2d3aaaaa"} {
		if u, err := Parse[PersonID](s); err == nil {
			t.Errorf("%q was read as %v", s, u)
		}
	}
}

func TestZeroIsNull(t *testing.T) {
	var u PersonID
	if v, err := u.Value(); v != nil || err != nil {
		t.Fatalf("zero is stored as %v, %v", v, err)
	}
	u = New[PersonID]()
	if err := u.Scan(nil); err != nil || !u.IsZero() {
		t.Fatalf("NULL was read as %v, %v", u, err)
	}
}
