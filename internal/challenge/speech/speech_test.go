package speech

import (
	"bytes"
	"encoding/binary"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// What is packed comes back as the same sound, whatever it is, within what 4 bits a sample can hold.
func TestPack(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		pitch, loud := rapid.Float64Range(80, 1500).Draw(t, "pitch"), rapid.Float64Range(0.05, 1).Draw(t, "loud")
		sound := make([]float64, Rate/4)
		for i := range sound {
			sound[i] = loud * math.Sin(2*math.Pi*pitch*float64(i)/Rate)
		}
		packed := Pack(sound)
		back := Unpack(packed)
		if len(packed) != len(sound)/2 || len(back) != len(sound) {
			t.Fatalf("%d samples took %d bytes and came back as %d", len(sound), len(packed), len(back))
		}
		noise := 0.0
		for i, v := range sound {
			noise += (back[i] - v) * (back[i] - v)
		}
		if ratio := loud * loud / 2 / (noise / float64(len(sound))); ratio < 30 {
			t.Fatalf("the sound is only %.1f times as strong as what packing adds to it", ratio)
		}
	})
}

func TestRecordings(t *testing.T) {
	t.Parallel()
	total := 0
	for _, language := range Languages {
		data, err := files.ReadFile("recorded/" + language + ".adpcm")
		if err != nil {
			t.Fatal(err)
		}
		total += len(data)
		for i, recording := range recordings()[language] {
			loudest := 0.0
			for _, v := range recording {
				loudest = max(loudest, math.Abs(v))
			}
			if len(recording) < Rate/8 || loudest < 0.6 {
				t.Errorf("%s: %c has %d samples, the loudest %v", language, Alphabet[i%len(Alphabet)], len(recording), loudest)
			}
		}
	}
	if total > 600<<10 {
		t.Errorf("the recordings take %d bytes", total)
	}
}

func TestWAV(t *testing.T) {
	t.Parallel()
	said := map[string][]byte{}
	for _, language := range Languages {
		first, err := WAV("c2k7x", language, [32]byte{1})
		if err != nil {
			t.Fatal(err)
		}
		if seconds := float64(len(first)-44) / 2 / Rate; seconds < 5 || seconds > 12 {
			t.Errorf("%s takes %.1f s", language, seconds)
		}
		if got := binary.LittleEndian.Uint32(first[4:]); int(got) != len(first)-8 || int(binary.LittleEndian.Uint32(first[40:])) != len(first)-44 {
			t.Errorf("%s: a file of %d bytes says %d", language, len(first), got)
		}
		again, err := WAV("c2k7x", language, [32]byte{1})
		if err != nil || !bytes.Equal(first, again) {
			t.Errorf("%s: the same seed said it differently, or %v", language, err)
		}
		other, err := WAV("c2k7x", language, [32]byte{2})
		if err != nil || bytes.Equal(first, other) {
			t.Errorf("%s: another seed said it in the same way, or %v", language, err)
		}
		said[language] = first
	}
	if bytes.Equal(said["fr"], said["en"]) {
		t.Error("French sounds like English")
	}
	for _, c := range [][2]string{{"c0", "en"}, {"c2", "it"}} {
		if _, err := WAV(c[0], c[1], [32]byte{}); err == nil {
			t.Errorf("%s was said in %s", c[0], c[1])
		}
	}
}

// Looking for the recordings as they are, by correlation, reads what is merely strung together, but not what is said.
func TestComparingIsNotEnough(t *testing.T) {
	t.Parallel()
	const text = "c2k7x"
	known := make([][]float64, 0, Voices*len(Alphabet))
	for _, recording := range recordings()["en"] {
		known = append(known, coarse(recording))
	}
	s := &speaker{rng: rand.New(rand.NewPCG(1, 2))}
	s.pause(0.5, 0.7)
	for _, r := range text {
		s.sound = append(s.sound, recordings()["en"][strings.IndexRune(Alphabet, r)]...)
		s.pause(0.5, 0.9)
	}
	if got := compare(wav(s.sound), known); got != text {
		t.Errorf("the comparison reads %q strung together as %q", text, got)
	}
	for n := range byte(2) {
		file, err := WAV(text, "en", [32]byte{n})
		if err != nil {
			t.Fatal(err)
		}
		if got := compare(file, known); got == text {
			t.Errorf("a plain comparison reads it as it was said the %dth time", n)
		}
	}
}

// compare cuts the file where it is quiet and takes the recording that is most like each piece.
func compare(file []byte, known [][]float64) string {
	var sound []float64
	for b := file[44:]; len(b) > 0; b = b[2:] {
		sound = append(sound, float64(int16(binary.LittleEndian.Uint16(b)))/32768)
	}
	var out []byte
	for _, piece := range pieces(sound) {
		best, at := 0.0, 0
		piece = coarse(piece)
		for i, recording := range known {
			if c := likeness(piece, recording); c > best {
				best, at = c, i
			}
		}
		out = append(out, Alphabet[at%len(Alphabet)])
	}
	return string(out)
}

// pieces cuts the sound into its loud parts.
func pieces(sound []float64) [][]float64 {
	const window = Rate / 20
	var out [][]float64
	from, quiet := -1, 0
	for i := 0; i+window <= len(sound); i += window {
		power := 0.0
		for _, v := range sound[i : i+window] {
			power += v * v
		}
		switch loud := power/window > 0.001; {
		case loud && from < 0:
			from, quiet = i, 0
		case loud:
			quiet = 0
		case from >= 0:
			if quiet++; quiet == 5 {
				out, from = append(out, sound[max(0, from-window):i]), -1
			}
		}
	}
	return out
}

// coarse is the sound at a rate at which comparing is quick: means of some samples each.
func coarse(sound []float64) []float64 {
	const some = 4
	out := make([]float64, len(sound)/some)
	for i := range out {
		for _, v := range sound[some*i : some*(i+1)] {
			out[i] += v / some
		}
	}
	return out
}

// likeness is the highest correlation of the two, at any offset.
func likeness(piece, recording []float64) float64 {
	best := 0.0
	for offset := -len(recording) / 4; offset < len(piece)/2; offset++ {
		both := 0.0
		for i := max(0, -offset); i < min(len(recording), len(piece)-offset); i++ {
			both += piece[i+offset] * recording[i]
		}
		best = max(best, both)
	}
	return best / math.Sqrt(energy(piece)*energy(recording))
}

func energy(sound []float64) (sum float64) {
	for _, v := range sound {
		sum += v * v
	}
	return sum
}
