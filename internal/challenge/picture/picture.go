// Package picture draws characters so that a person reads them and a program does not: bent, turned, grown together, with
// light and dark changing places along a wavy border that runs through them.
//
// The same seed draws the same picture, in either size, so that asking for it again tells nothing new.
package picture

import (
	"bytes"
	"image"
	"image/jpeg"
	"math/rand/v2"
)

// Size is how large a picture is, in pixels.
type Size struct{ Width, Height int }

// The sizes: what dashboards written for Flyve MDM show, and twice that for our own page.
var (
	Small = Size{150, 40}
	Large = Size{300, 80}
)

const quality = 90

// wide is the width of a picture whose height is 1.
const wide = 3.75

// JPEG draws the text: letters and digits of ASCII, about five of them. Whether a letter is a capital one is the
// picture's choice.
func JPEG(text string, seed [32]byte, size Size) ([]byte, error) {
	d := newDrawing(text, rand.New(rand.NewChaCha8(seed)))
	var b bytes.Buffer
	err := jpeg.Encode(&b, d.render(size), &jpeg.Options{Quality: quality})
	return b.Bytes(), err
}

// drawing is everything about a picture but its size. Lengths are in heights of the picture.
type drawing struct {
	rng    *rand.Rand
	ink    []path // what the characters cover
	swap   path   // where light and dark change places
	paper  corners
	colour corners // of the ink
	grain  int     // how much the colour of a point may be off
}

// corners are the colours left and right above, left and right below; between them they blend.
type corners [4]rgb

type rgb [3]float64

func newDrawing(text string, rng *rand.Rand) *drawing {
	d := &drawing{rng: rng}
	d.pickColours()
	d.write(text)
	d.swap = d.border()
	return d
}

// between draws a number in [low, high).
func (d *drawing) between(low, high float64) float64 { return low + (high-low)*d.rng.Float64() }

// pickColours takes an ink that stands out against the paper, whichever of the two is the lighter one.
func (d *drawing) pickColours() {
	var dark, light corners
	for i := range dark {
		dark[i] = rgb{d.between(0, 90), d.between(0, 80), d.between(0, 110)}
		light[i] = rgb{d.between(190, 255), d.between(195, 255), d.between(185, 255)}
	}
	d.paper, d.colour = light, dark
	if d.rng.IntN(2) == 0 {
		d.paper, d.colour = dark, light
	}
	d.grain = 10 + d.rng.IntN(7)
}

// render paints each point with as much ink as covers it.
func (d *drawing) render(size Size) *image.RGBA {
	ink, swap := fill(d.ink, size), fill([]path{d.swap}, size)
	img := image.NewRGBA(image.Rect(0, 0, size.Width, size.Height))
	for y := range size.Height {
		v := (float64(y) + 0.5) / float64(size.Height)
		paper, colour := d.paper.line(v, size.Width), d.colour.line(v, size.Width)
		for x := range size.Width {
			a, b := float64(ink.Pix[y*ink.Stride+x])/255, float64(swap.Pix[y*swap.Stride+x])/255
			cover := a + b - 2*a*b
			bits := d.rng.Uint32()
			noise := float64((int(bits&0xff) + int(bits>>8&0xff) - 255) * d.grain / 255)
			at := img.Pix[y*img.Stride+4*x:][:4]
			for i := range 3 {
				at[i] = level(paper.at[i] + (colour.at[i]-paper.at[i])*cover + noise)
			}
			at[3] = 255
			paper.next()
			colour.next()
		}
	}
	return img
}

// line blends the corners along one line of points.
func (c corners) line(v float64, points int) blend {
	var b blend
	for i := range b.at {
		left, right := c[0][i]*(1-v)+c[2][i]*v, c[1][i]*(1-v)+c[3][i]*v
		b.at[i], b.step[i] = left, (right-left)/float64(points)
	}
	return b
}

// blend is a colour that changes evenly from point to point.
type blend struct{ at, step rgb }

func (b *blend) next() {
	for i := range b.at {
		b.at[i] += b.step[i]
	}
}

func level(v float64) uint8 { return uint8(min(255, max(0, v)) + 0.5) }
