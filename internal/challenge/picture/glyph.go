package picture

import (
	"fmt"
	"math"
	"sync"

	"golang.org/x/image/font"
	"golang.org/x/image/font/gofont/gobold"
	"golang.org/x/image/font/gofont/gobolditalic"
	"golang.org/x/image/font/gofont/gomedium"
	"golang.org/x/image/font/gofont/gomonobold"
	"golang.org/x/image/font/gofont/gosmallcaps"
	"golang.org/x/image/font/sfnt"
	"golang.org/x/image/math/fixed"
)

var fonts = [][]byte{gobold.TTF, gobolditalic.TTF, gomedium.TTF, gomonobold.TTF, gosmallcaps.TTF}

// characters are all that can be drawn.
const characters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"

// glyph is the outlines of a character; 0, 0 is the middle of the box around them, and a capital H is 1 high.
type glyph struct {
	outlines      []path
	width, height float64 // of the box
}

// faces holds the glyphs of each font, by character.
var faces = sync.OnceValue(func() []map[rune]glyph {
	all := make([]map[rune]glyph, len(fonts))
	for i, file := range fonts {
		f, err := sfnt.Parse(file)
		if err != nil {
			panic(fmt.Sprintf("picture: font %d cannot be read: %v", i, err))
		}
		all[i] = map[rune]glyph{}
		for _, r := range characters {
			if all[i][r], err = load(f, r); err != nil {
				panic(fmt.Sprintf("picture: %q of font %d cannot be read: %v", r, i, err))
			}
		}
	}
	return all
})

// load reads the outlines of a character.
func load(f *sfnt.Font, r rune) (glyph, error) {
	const em = 1024
	var b sfnt.Buffer
	index, err := f.GlyphIndex(&b, r)
	if err != nil {
		return glyph{}, err
	}
	metrics, err := f.Metrics(&b, fixed.I(em), font.HintingNone)
	if err != nil {
		return glyph{}, err
	}
	segments, err := f.LoadGlyph(&b, index, fixed.I(em), nil)
	if err != nil {
		return glyph{}, err
	}
	at := func(p fixed.Point26_6) point {
		return point{float64(p.X) / float64(metrics.CapHeight), float64(p.Y) / float64(metrics.CapHeight)}
	}
	var g glyph
	for _, s := range segments {
		if s.Op == sfnt.SegmentOpMoveTo {
			g.outlines = append(g.outlines, path{at(s.Args[0])})
			continue
		}
		last := &g.outlines[len(g.outlines)-1]
		*last = append(*last, flatten((*last)[len(*last)-1], s, at)...)
	}
	g.centre()
	return g, nil
}

// flatten makes a segment into straight pieces, so short that a line of them can be bent. TrueType fonts have no cubic
// curves.
func flatten(from point, s sfnt.Segment, at func(fixed.Point26_6) point) path {
	a, b := at(s.Args[0]), at(s.Args[1])
	if s.Op == sfnt.SegmentOpLineTo {
		a, b = point{(from.x + a.x) / 2, (from.y + a.y) / 2}, a // a curve without bend
	}
	out := make(path, 1+int(math.Hypot(b.x-from.x, b.y-from.y)/0.12))
	for i := range out {
		t := float64(i+1) / float64(len(out))
		u := 1 - t
		out[i] = point{u*u*from.x + 2*u*t*a.x + t*t*b.x, u*u*from.y + 2*u*t*a.y + t*t*b.y}
	}
	return out
}

// centre moves the middle of the box around the outlines to 0, 0.
func (g *glyph) centre() {
	low, high := box(g.outlines)
	g.width, g.height = high.x-low.x, high.y-low.y
	for _, p := range g.outlines {
		for i, at := range p {
			p[i] = point{at.x - (low.x+high.x)/2, at.y - (low.y+high.y)/2}
		}
	}
}
