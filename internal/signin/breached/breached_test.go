package breached

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

func TestContains(t *testing.T) {
	t.Parallel()
	for password, want := range map[string]bool{
		"123456789012345":                  true,
		"1234567890123456789":              true,
		"passwordpassword":                 true,
		"PasswordPassword":                 true,
		"qwertyuiopasdfgh":                 true,
		"abcdefghijklmnop":                 true,
		"correcthorsebatterystaple":        true,
		"1qaz2wsx3edc4rfv":                 true,
		"password1234":                     true,
		"Dragon123456":                     true,
		"iloveyou1234567":                  true,
		"123456":                           false, // too short for any policy that asks
		"p@ssw0rd":                         false,
		"":                                 false,
		"seven quiet herons over the weir": false,
		"Öl im Getriebe der Uhren":         false,
		"tangle-mosaic-parsnip-41":         false,
	} {
		got, err := Contains(Fold(password))
		if err != nil || got != want {
			t.Errorf("%q: got %v, %v", password, got, err)
		}
	}
}

// TestRate measures how many strong passwords are taken for breached ones, and the size that this is paid with.
func TestRate(t *testing.T) {
	t.Parallel()
	if len(data) > 2_000_000 {
		t.Errorf("the filter has %d bytes, more than 2 MB", len(data))
	}
	random := rand.New(rand.NewPCG(1, 2))
	for _, c := range []struct {
		length, tries int
		rate          float64
	}{{12, 200_000, MediumRate}, {14, 200_000, MediumRate}, {15, 400_000, LongRate}, {24, 400_000, LongRate}} {
		taken := 0
		text := make([]byte, c.length)
		for range c.tries {
			for i := range text {
				text[i] = "abcdefghijklmnopqrstuvwxyz0123456789 -.,"[random.IntN(40)]
			}
			got, err := Contains(string(text))
			if err != nil {
				t.Fatal(err)
			}
			if got {
				taken++
			}
		}
		stated := float64(c.tries) / float64(uint64(1)<<uint(c.rate))
		t.Logf("%d characters: %d of %d taken, %.0f expected", c.length, taken, c.tries, stated)
		if float64(taken) > 1.3*stated {
			t.Errorf("%d characters: %d of %d strong passwords are taken for breached ones; stated are %.0f", c.length, taken, c.tries, stated)
		}
	}
}

func TestFold(t *testing.T) {
	t.Parallel()
	if Fold("ÄRGER") != Fold("a\u0308rger") {
		t.Error("composition or case makes a difference")
	}
}

// TestSet: every member is found, and few others.
func TestSet(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		texts := rapid.SliceOfNDistinct(rapid.String(), 0, 600, rapid.ID).Draw(t, "texts")
		rate := uint(rapid.IntRange(4, 20).Draw(t, "rate"))
		coded := Build(texts, rate)
		s, rest, err := open(append(slices.Clone(coded), "rest"...))
		if err != nil || string(rest) != "rest" {
			t.Fatal(err, rest)
		}
		for _, text := range texts {
			if !s.has(text) {
				t.Fatalf("%q is gone", text)
			}
		}
		shuffled := rapid.Permutation(texts).Draw(t, "shuffled")
		if !slices.Equal(Build(shuffled, rate), coded) {
			t.Fatal("the order makes a difference")
		}
		others := 0
		for i := range 400 {
			if s.has(fmt.Sprintf("\x00other %d", i)) {
				others++
			}
		}
		if others > 120 {
			t.Fatalf("%d of 400 others are taken for members at a rate of 2^-%d", others, rate)
		}
	})
}

func FuzzOpen(f *testing.F) {
	f.Add(Build([]string{"a", "b", "c"}, 8), "a")
	f.Add([]byte{}, "")
	f.Fuzz(func(t *testing.T, coded []byte, text string) {
		if s, _, err := open(coded); err == nil {
			s.has(text)
		}
	})
}

func BenchmarkContains(b *testing.B) {
	for b.Loop() {
		if _, err := Contains("seven quiet herons over the weir"); err != nil {
			b.Fatal(err)
		}
	}
}
