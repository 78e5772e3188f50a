// Command record makes the recordings of package speech with espeak-ng, which must be installed (Debian: espeak-ng). It
// writes one file a language into the folder it is given: each recording, packed, after its length in 2 bytes.
package main

import (
	"encoding/binary"
	"fmt"
	"log"
	"math"
	"os"
	"os/exec"
	"path/filepath"

	"rollway/internal/challenge/speech"
)

// voices are espeak-ng's names for the language, and for the two who speak it.
var voices = map[string][speech.Voices]string{
	"en": {"en-us+m3", "en-gb+f2"},
	"fr": {"fr+m3", "fr+f2"},
	"de": {"de+m3", "de+f2"},
	"es": {"es+m3", "es-419+f2"},
}

func main() {
	log.SetFlags(0)
	if len(os.Args) != 2 {
		log.Fatal("usage: record FOLDER")
	}
	for _, language := range speech.Languages {
		var file []byte
		for _, voice := range voices[language] {
			for _, character := range speech.Alphabet {
				recording, err := record(voice, character)
				if err != nil {
					log.Fatalf("%s, %c: %v", voice, character, err)
				}
				file = binary.BigEndian.AppendUint16(file, uint16(len(recording)))
				file = append(file, recording...)
			}
		}
		if err := os.WriteFile(filepath.Join(os.Args[1], language+".adpcm"), file, 0o644); err != nil {
			log.Fatal(err)
		}
		fmt.Println(language, len(file), "bytes")
	}
}

// record has a character's name spoken, and cuts and packs it.
func record(voice string, character rune) ([]byte, error) {
	text := fmt.Sprintf(`<say-as interpret-as="characters">%c</say-as>`, character)
	wav, err := exec.Command("espeak-ng", "-v", voice, "-s", "150", "-m", "--stdout", text).Output()
	if err != nil {
		return nil, err
	}
	const header = 44
	if len(wav) < header || string(wav[:4]) != "RIFF" || binary.LittleEndian.Uint16(wav[22:]) != 1 || binary.LittleEndian.Uint16(wav[34:]) != 16 {
		return nil, fmt.Errorf("espeak-ng wrote something else than one channel of 16 bits")
	}
	rate := float64(binary.LittleEndian.Uint32(wav[24:]))
	sound := make([]float64, (len(wav)-header)/2)
	for i := range sound {
		sound[i] = float64(int16(binary.LittleEndian.Uint16(wav[header+2*i:]))) / 32768
	}
	sound = trim(sharpen(resample(sound, rate)))
	if len(sound) < speech.Rate/10 || len(sound) > speech.Rate*3/2 {
		return nil, fmt.Errorf("it takes %d samples", len(sound))
	}
	return speech.Pack(sound), nil
}

// resample turns sound into one of speech.Rate samples a second, without the pitches that it cannot hold.
func resample(sound []float64, rate float64) []float64 {
	const reach = 24 // samples of the result, to either side
	step := rate / speech.Rate
	out := make([]float64, int(float64(len(sound))/step))
	for i := range out {
		middle := float64(i) * step
		sum, weights := 0.0, 0.0
		for j := int(middle - reach*step); j <= int(middle+reach*step); j++ {
			if j < 0 || j >= len(sound) {
				continue
			}
			x := (float64(j) - middle) / step
			w := 0.9 * sinc(0.9*x) * (0.5 + 0.5*math.Cos(math.Pi*x/(reach+1)))
			sum, weights = sum+w*sound[j], weights+w
		}
		out[i] = sum / weights
	}
	return out
}

func sinc(x float64) float64 {
	if x == 0 {
		return 1
	}
	return math.Sin(math.Pi*x) / (math.Pi * x)
}

// sharpen makes hisses and stops louder for the vowels, since a murmur drowns them first.
func sharpen(sound []float64) []float64 {
	out := make([]float64, len(sound))
	last := 0.0
	for i, v := range sound {
		out[i], last = v-0.8*last, v
	}
	return out
}

// trim takes the silence from both ends and makes all recordings about as loud.
func trim(sound []float64) []float64 {
	loudest := 0.0
	for _, v := range sound {
		loudest = max(loudest, math.Abs(v))
	}
	first, last := len(sound), 0
	for i, v := range sound {
		if math.Abs(v) > loudest/200 {
			first, last = min(first, i), i
		}
	}
	const around = speech.Rate / 100
	sound = sound[max(0, first-around):min(len(sound), last+2*around)]
	for i := range sound {
		sound[i] *= 0.9 / loudest
	}
	return sound
}
