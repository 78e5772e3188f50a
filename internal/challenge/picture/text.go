package picture

import (
	"math"
	"strings"
)

// placed is a glyph with what the picture does to it.
type placed struct {
	glyph
	tall   float64 // how high it is before it is turned
	turn   float64 // radians
	lean   float64 // how far its head is ahead of its foot, for one height
	narrow float64 // its width, for that of the font
}

// span is about how wide it becomes.
func (p placed) span() float64 {
	return p.tall * (p.narrow*p.width/p.height*math.Cos(p.turn) + 0.8*math.Abs(math.Sin(p.turn)))
}

// capitals are the letters whose small form is easily taken for another character.
const capitals = "fhr"

func (d *drawing) place(r rune) placed {
	face := faces()[d.rng.IntN(len(fonts))]
	if capital := d.rng.IntN(2) == 0 || strings.ContainsRune(capitals, r); capital && r >= 'a' && r <= 'z' {
		r += 'A' - 'a'
	}
	p := placed{face[r], d.between(0.6, 0.76), d.between(-0.3, 0.3), d.between(-0.15, 0.15), d.between(0.85, 1.1)}
	if p.height < 0.9 { // a low letter stays lower, but not as much as in the font
		p.tall *= 0.85
	}
	return p
}

// write puts the characters side by side, so close that many touch, and bends the whole line.
func (d *drawing) write(text string) {
	const margin = 0.12
	var row []placed
	length := 0.0
	for _, r := range text {
		p := d.place(r)
		row = append(row, p)
		length += p.span()
	}
	stretch := min(1.12, (wide-2*margin)/length)
	left := 0.0
	bendX, bendY := d.wave(0.05, 0.9), d.wave(0.07, 2.2)
	for _, p := range row {
		width := p.span() * stretch
		middle := point{left + width/2, d.between(-1, 1) * (0.94 - p.tall) * 0.4}
		left += width
		sin, cos := math.Sincos(p.turn)
		scale := p.tall / p.height
		for _, outline := range p.outlines {
			bent := make(path, len(outline))
			for i, at := range outline {
				x, y := (at.x*p.narrow-at.y*p.lean)*scale, at.y*scale
				to := point{middle.x + (x*cos-y*sin)*stretch, middle.y + x*sin + y*cos}
				bent[i] = point{to.x + bendX(to.y), to.y + bendY(to.x)}
			}
			d.ink = append(d.ink, bent)
		}
	}
	d.fit(margin / 2)
}

// fit moves the characters to somewhere in the picture, and shrinks them if need be, so that none is cut off.
func (d *drawing) fit(margin float64) {
	low, high := box(d.ink)
	width, height := high.x-low.x, high.y-low.y
	scale := min(1, (wide-2*margin)/width, (1-2*margin)/height)
	x := margin + d.rng.Float64()*(wide-2*margin-width*scale)
	y := margin + d.rng.Float64()*(1-2*margin-height*scale)
	for _, p := range d.ink {
		for i, at := range p {
			p[i] = point{x + (at.x-low.x)*scale, y + (at.y-low.y)*scale}
		}
	}
}
