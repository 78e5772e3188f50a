package picture

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"rollway/internal/challenge/speech"
)

// How many pictures the reader gets to see, and how many of a hundred it may read.
const (
	manyPictures = 500 // with ROLLWAY_LONG=1
	fewPictures  = 40
	mayRead      = 5
)

// attack is one way of having tesseract (Debian: tesseract-ocr) read pictures.
type attack struct {
	name  string
	size  Size
	scale int // enlarged so many times first
	args  []string
}

// listed tells the reader which characters there are, which only somebody who attacks us in earnest would.
var listed = "tessedit_char_whitelist=" + speech.Alphabet + strings.ToUpper(speech.Alphabet)

var attacks = []attack{
	{"150×40, as a line", Small, 3, []string{"--psm", "7"}},
	{"150×40, as a word of our characters", Small, 3, []string{"--psm", "8", "-c", listed}},
	{"300×80, as a word of our characters", Large, 2, []string{"--psm", "8", "-c", listed}},
	{"300×80, with local thresholds", Large, 2, []string{"--psm", "8", "-c", "thresholding_method=2"}},
}

// Tesseract reads fewer than 5 % of the pictures in any of several ways, though it reads plain characters of the same fonts.
func TestReaderIsLost(t *testing.T) {
	t.Parallel()
	n := fewPictures
	if os.Getenv("ROLLWAY_LONG") != "" {
		n = manyPictures
	}
	rng := rand.New(rand.NewPCG(1, 2))
	texts, drawings := make([]string, n), make([]*drawing, n)
	for i := range texts {
		texts[i] = randomText(rng)
	}
	anyhow := map[int]bool{}
	for _, a := range attacks {
		for i, text := range texts {
			drawings[i] = newDrawing(text, rand.New(rand.NewChaCha8([32]byte{byte(i), byte(i >> 8)})))
		}
		right := a.read(t, drawings, texts)
		for _, i := range right {
			anyhow[i] = true
		}
		t.Logf("tesseract reads %d of %d pictures of %s", len(right), n, a.name)
	}
	if len(anyhow)*100 >= n*mayRead {
		t.Errorf("tesseract reads %d of %d pictures, %d %% or more", len(anyhow), n, mayRead)
	}
	const plainOnes = 20
	texts, drawings = texts[:plainOnes], drawings[:plainOnes]
	for i := range texts {
		drawings[i] = plain(texts[i])
	}
	control := len(attacks[1].read(t, drawings, texts))
	if control < plainOnes/2 {
		t.Errorf("tesseract reads only %d of %d plain lines, so that it fails at ours proves nothing", control, plainOnes)
	}
	t.Logf("proof: tesseract reads %d of %d pictures, tried in %d ways, and %d of %d plain lines of the same characters", len(anyhow), n, len(attacks), control, plainOnes)
}

func randomText(rng *rand.Rand) string {
	text := make([]byte, 5)
	for i := range text {
		text[i] = speech.Alphabet[rng.IntN(len(speech.Alphabet))]
	}
	return string(text)
}

// plain is the text in black on white, upright and in line.
func plain(text string) *drawing {
	d := &drawing{rng: rand.New(rand.NewPCG(0, 0)), paper: corners{{255, 255, 255}, {255, 255, 255}, {255, 255, 255}, {255, 255, 255}}}
	x := 0.4
	for _, r := range strings.ToUpper(text) {
		g := faces()[2][r]
		for _, outline := range g.outlines {
			moved := make(path, len(outline))
			for i, at := range outline {
				moved[i] = point{x + 0.6*(at.x+g.width/2), 0.5 + 0.6*at.y}
			}
			d.ink = append(d.ink, moved)
		}
		x += 0.6*g.width + 0.1
	}
	return d
}

// read has the reader read all drawings and tells which it got right.
func (a attack) read(t *testing.T, drawings []*drawing, texts []string) (right []int) {
	t.Helper()
	folder := t.TempDir()
	var list strings.Builder
	for i, d := range drawings {
		name := filepath.Join(folder, fmt.Sprintf("%d.png", i))
		if err := os.WriteFile(name, a.prepare(t, d), 0o600); err != nil {
			t.Fatal(err)
		}
		fmt.Fprintln(&list, name)
	}
	names := filepath.Join(folder, "names")
	if err := os.WriteFile(names, []byte(list.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	reader := exec.CommandContext(t.Context(), "tesseract", append([]string{names, "-"}, a.args...)...)
	reader.Env = append(os.Environ(), "OMP_THREAD_LIMIT=1") // threads only slow it down with pictures this small
	out, err := reader.Output()
	if err != nil {
		t.Fatalf("tesseract: %v", err)
	}
	pages := strings.Split(string(out), "\f")
	if len(pages) < len(texts) {
		t.Fatalf("tesseract answered with %d pages for %d pictures", len(pages), len(texts))
	}
	for i, text := range texts {
		if fold(pages[i]) == fold(text) {
			right = append(right, i)
		}
	}
	return right
}

// fold forgives the reader more than a person: it takes look-alikes that are no characters of ours for those that are.
func fold(text string) string {
	text = strings.NewReplacer("g", "9", "q", "9", "z", "2", "Z", "2", "b", "6", "B", "8", "s", "8", "S", "8", "G", "6").Replace(text)
	return strings.ToLower(strings.Join(strings.Fields(text), ""))
}

// prepare packs and unpacks a picture as JPEG, and makes it grey, larger and smooth, with a rim: what a reader likes best.
func (a attack) prepare(t *testing.T, d *drawing) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := jpeg.Encode(&b, d.render(a.size), &jpeg.Options{Quality: quality}); err != nil {
		t.Fatal(err)
	}
	img, err := jpeg.Decode(&b)
	if err != nil {
		t.Fatal(err)
	}
	const rim = 5
	at := func(x, y int) float64 {
		x, y = min(max(x, 0), a.size.Width-1), min(max(y, 0), a.size.Height-1)
		return float64(color.GrayModel.Convert(img.At(x, y)).(color.Gray).Y)
	}
	grey := image.NewGray(image.Rect(0, 0, (a.size.Width+2*rim)*a.scale, (a.size.Height+2*rim)*a.scale))
	for y := range grey.Rect.Max.Y {
		for x := range grey.Rect.Max.X {
			u, v := (float64(x)+0.5)/float64(a.scale)-0.5, (float64(y)+0.5)/float64(a.scale)-0.5
			x0, y0 := int(u), int(v)
			u, v = u-float64(x0), v-float64(y0)
			x0, y0 = x0-rim, y0-rim
			above, below := at(x0, y0)*(1-u)+at(x0+1, y0)*u, at(x0, y0+1)*(1-u)+at(x0+1, y0+1)*u
			grey.SetGray(x, y, color.Gray{level(above*(1-v) + below*v)})
		}
	}
	b.Reset()
	if err := png.Encode(&b, grey); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}
