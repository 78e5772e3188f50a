package picture

import (
	"bytes"
	"fmt"
	"image/jpeg"
	"math/rand/v2"
	"testing"

	"pgregory.net/rapid"
)

var text = rapid.StringOfN(rapid.RuneFrom([]rune(characters)), 1, 6, -1)

func seedOf(n byte) [32]byte { return [32]byte{n} }

func TestJPEG(t *testing.T) {
	t.Parallel()
	for _, size := range []Size{Small, Large} {
		first, err := JPEG("c2k7x", seedOf(1), size)
		if err != nil {
			t.Fatal(err)
		}
		img, err := jpeg.Decode(bytes.NewReader(first))
		if err != nil || img.Bounds().Dx() != size.Width || img.Bounds().Dy() != size.Height {
			t.Fatalf("%v became %v, %v", size, img.Bounds(), err)
		}
		// Of quality 90 all steps of the standard table are a fifth (ITU-T T.81, K.1): the first is 16.
		if at := bytes.Index(first, []byte{0xff, 0xdb}); at < 0 || first[at+5] != 3 {
			t.Errorf("%v is not of quality 90", size)
		}
		again, err := JPEG("c2k7x", seedOf(1), size)
		if err != nil || !bytes.Equal(first, again) {
			t.Errorf("%v: the same seed drew another picture, or %v", size, err)
		}
		other, err := JPEG("c2k7x", seedOf(2), size)
		if err != nil || bytes.Equal(first, other) {
			t.Errorf("%v: another seed drew the same picture, or %v", size, err)
		}
	}
}

// No character is cut off, whatever they are, and the border runs through them.
func TestNothingIsCutOff(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		d := newDrawing(text.Draw(t, "text"), rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 0)))
		low, high := box(d.ink)
		if low.x < 0.05 || low.y < 0.05 || high.x > wide-0.05 || high.y > 0.95 {
			t.Fatalf("the characters reach from %v to %v", low, high)
		}
		if high.y-low.y < 0.4 {
			t.Fatalf("the characters are %v high", high.y-low.y)
		}
	})
}

func BenchmarkJPEG(b *testing.B) {
	for _, size := range []Size{Small, Large} {
		b.Run(fmt.Sprint(size.Width), func(b *testing.B) {
			b.RunParallel(func(pb *testing.PB) {
				for n := byte(0); pb.Next(); n++ {
					if _, err := JPEG("c2k7x", seedOf(n), size); err != nil {
						b.Fatal(err)
					}
				}
			})
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "pictures/s")
		})
	}
}
