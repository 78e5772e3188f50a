package speech

import (
	"bytes"
	"encoding/binary"
	"math"
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

// Looking for the recordings as they are, by correlation, does not read what is said.
func TestComparingIsNotEnough(t *testing.T) {
	t.Parallel()
	const text = "c2k7x"
	read, rounds := 0, 2
	if testing.Short() {
		rounds = 1
	}
	for n := range rounds {
		file, err := WAV(text, "en", [32]byte{byte(n)})
		if err != nil {
			t.Fatal(err)
		}
		if compare(file, recordings()["en"]) == text {
			read++
		}
	}
	if read > 0 {
		t.Errorf("a plain comparison read %d of %d", read, rounds)
	}
}

// compare cuts the file where it is quiet and takes the recording that is most like each piece.
func compare(file []byte, recordings [][]float64) string {
	var sound []float64
	for b := file[44:]; len(b) > 0; b = b[2:] {
		sound = append(sound, float64(int16(binary.LittleEndian.Uint16(b)))/32768)
	}
	var out []byte
	for _, piece := range pieces(sound) {
		best, at := 0.0, 0
		for i, recording := range recordings {
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
		switch loud := power/window > 0.004; {
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

// likeness is the highest correlation of the two, at any offset.
func likeness(piece, recording []float64) float64 {
	best := 0.0
	for offset := -Rate / 8; offset < Rate/8; offset += 4 {
		var both, a, b float64
		for i := 0; i < len(recording); i += 4 {
			if j := i + offset; j >= 0 && j < len(piece) {
				both, a, b = both+piece[j]*recording[i], a+piece[j]*piece[j], b+recording[i]*recording[i]
			}
		}
		best = max(best, math.Abs(both)/math.Sqrt(a*b+1))
	}
	return best
}
