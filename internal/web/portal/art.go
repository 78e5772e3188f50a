package portal

import (
	"crypto/sha256"
	"fmt"
	"strings"
)

// art is the picture of a course that has none of its own: hills under a sun, the same each time for the same text.
type art struct {
	Colour, SunX, SunY, SunR int
	Hills                    []string // paths of an SVG of 320 × 120
}

func artOf(text string) art {
	h := sha256.Sum256([]byte(text))
	a := art{Colour: int(h[0]) % 6, SunX: 60 + int(h[1])*200/256, SunY: 26 + int(h[2])*26/256, SunR: 13 + int(h[3])%12}
	for i := range 3 {
		a.Hills = append(a.Hills, hill(h[4+8*i:12+8*i], 62+i*16))
	}
	return a
}

// scene is the picture beside the first words, in which the sun stands where it is never cut off.
func scene() art {
	a := artOf("rollway")
	a.Colour, a.SunX, a.SunY, a.SunR = 1, 176, 36, 15
	return a
}

// hill is a soft line from side to side about so high, filled downwards.
func hill(seed []byte, height int) string {
	const steps, width = 4, 320 / 4
	y := func(i int) int { return height - 20 + int(seed[i])*34/256 }
	var b strings.Builder
	fmt.Fprintf(&b, "M0 %d", y(0))
	for i := range steps {
		x := i * width
		fmt.Fprintf(&b, "C%d %d %d %d %d %d", x+width/2, y(i), x+width/2, y(i+1), x+width, y(i+1))
	}
	b.WriteString("V120H0Z")
	return b.String()
}
