package picture

import (
	"image"
	"image/draw"
	"math"

	"golang.org/x/image/vector"
)

// point is a place in the picture, in heights of it: to the right and downwards.
type point struct{ x, y float64 }

// path is a closed outline.
type path []point

// fill tells for each pixel how much of it the paths cover.
func fill(paths []path, size Size) *image.Alpha {
	z := vector.NewRasterizer(size.Width, size.Height)
	h := float64(size.Height)
	for _, p := range paths {
		for i, at := range p {
			x, y := float32(at.x*h), float32(at.y*h)
			if i == 0 {
				z.MoveTo(x, y)
			} else {
				z.LineTo(x, y)
			}
		}
		z.ClosePath()
	}
	mask := image.NewAlpha(image.Rect(0, 0, size.Width, size.Height))
	z.DrawOp = draw.Src
	z.Draw(mask, mask.Bounds(), image.Opaque, image.Point{})
	return mask
}

// box is the smallest upright one that holds the paths.
func box(paths []path) (low, high point) {
	low, high = point{math.Inf(1), math.Inf(1)}, point{math.Inf(-1), math.Inf(-1)}
	for _, p := range paths {
		for _, at := range p {
			low = point{min(low.x, at.x), min(low.y, at.y)}
			high = point{max(high.x, at.x), max(high.y, at.y)}
		}
	}
	return low, high
}

// wave is a smooth function: two sines, the longer of them about as high and as long as given.
func (d *drawing) wave(height, length float64) func(float64) float64 {
	a, b := d.between(0.6, 1)*height, d.between(0.2, 0.4)*height
	f, g := 2*math.Pi/(length*d.between(0.8, 1.25)), 2*math.Pi/(length*d.between(0.35, 0.6))
	p, q := d.between(0, 2*math.Pi), d.between(0, 2*math.Pi)
	return func(t float64) float64 { return a*math.Sin(f*t+p) + b*math.Sin(g*t+q) }
}

// border cuts the picture in two along a wave through its middle; the path goes round the lower half.
func (d *drawing) border() path {
	const steps = 40
	middle, wave := d.between(0.38, 0.62), d.wave(0.16, d.between(0.8, 1.6))
	lower := path{{wide, 1}, {0, 1}}
	for i := range steps + 1 {
		x := wide * float64(i) / steps
		lower = append(lower, point{x, middle + wave(x)})
	}
	return lower
}
