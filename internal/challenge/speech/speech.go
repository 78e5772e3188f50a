// Package speech says characters aloud for those who cannot read the picture: in English, French, German or Spanish, by
// changing voices at changing speed and pitch, with a murmur behind them, so that comparing with the recordings is not
// enough.
//
// The recordings were made by the program in the folder record; recorded/README.md says with what and under which terms.
package speech

import (
	"embed"
	"encoding/binary"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
)

//go:generate go run ./record recorded

// Alphabet is the characters that can be said. None of them looks like another one, whether its letters are capital ones
// or not; and as few as possible sound like another one.
const Alphabet = "2346789cfhkprxy"

// Languages are those that can be spoken.
var Languages = []string{"en", "fr", "de", "es"}

// Voices is how many voices each language has.
const Voices = 2

// Rate is the number of samples a second.
const Rate = 16000

//go:embed recorded/*.adpcm
var files embed.FS

// recordings holds, by language, each voice's characters in the order of the Alphabet.
var recordings = sync.OnceValue(func() map[string][][]float64 {
	all := map[string][][]float64{}
	for _, language := range Languages {
		data, err := files.ReadFile("recorded/" + language + ".adpcm")
		if err != nil {
			panic(err)
		}
		for len(data) > 0 { // each is its length, 2 bytes, and so many bytes
			n := int(binary.BigEndian.Uint16(data))
			all[language] = append(all[language], Unpack(data[2:2+n]))
			data = data[2+n:]
		}
		if n := len(all[language]); n != Voices*len(Alphabet) {
			panic(fmt.Sprintf("speech: %s has %d recordings", language, n))
		}
	}
	return all
})

// WAV says the text, characters of the Alphabet: 16 bits a sample, one channel, six to ten seconds for five characters. The
// same seed says it in the same way.
func WAV(text, language string, seed [32]byte) ([]byte, error) {
	s := &speaker{rng: rand.New(rand.NewChaCha8(seed)), recordings: recordings()[language]}
	if s.recordings == nil {
		return nil, fmt.Errorf("speech: the language %q cannot be spoken", language)
	}
	s.pause(0.5, 0.7)
	for _, r := range text {
		at := strings.IndexRune(Alphabet, r)
		if at < 0 {
			return nil, fmt.Errorf("speech: %q cannot be said", r)
		}
		s.say(at)
		s.pause(0.5, 0.9)
	}
	s.murmur()
	return wav(s.sound), nil
}

// speaker is somebody who says something.
type speaker struct {
	rng        *rand.Rand
	recordings [][]float64
	sound      []float64
}

// between draws a number in [low, high).
func (s *speaker) between(low, high float64) float64 { return low + (high-low)*s.rng.Float64() }

// pause is silent for so many seconds.
func (s *speaker) pause(low, high float64) {
	s.sound = append(s.sound, make([]float64, int(s.between(low, high)*Rate))...)
}

// say adds a character by one of the voices.
func (s *speaker) say(character int) {
	recording := s.recordings[s.rng.IntN(Voices)*len(Alphabet)+character]
	loud := s.between(0.6, 0.9)
	for _, v := range s.play(recording, s.between(0.86, 1.14)) {
		s.sound = append(s.sound, v*loud)
	}
}

// play is a recording at another speed, and so at another pitch, that wavers a little.
func (s *speaker) play(recording []float64, speed float64) []float64 {
	waver, often, phase := s.between(0.01, 0.04), s.between(2, 5), s.between(0, 2*math.Pi)
	var out []float64
	for at := 0.0; at < float64(len(recording)-1); {
		i := int(at)
		part := at - float64(i)
		out = append(out, recording[i]*(1-part)+recording[i+1]*part)
		at += speed * (1 + waver*math.Sin(2*math.Pi*often*float64(len(out))/Rate+phase))
	}
	return out
}

// murmur lays over everything quiet voices that speak backwards, and a hiss.
func (s *speaker) murmur() {
	for at := 0; at < len(s.sound); at += int(s.between(0.1, 0.4) * Rate) {
		backwards := slices.Clone(s.recordings[s.rng.IntN(len(s.recordings))])
		slices.Reverse(backwards)
		loud := s.between(0.04, 0.12)
		for i, v := range s.play(backwards, s.between(0.7, 1.4)) {
			if at+i < len(s.sound) {
				s.sound[at+i] += v * loud
			}
		}
	}
	hiss := s.between(0.002, 0.005)
	for i := range s.sound {
		s.sound[i] += hiss * s.rng.NormFloat64()
	}
}

// wav puts the sound into a file (RIFF WAVE, PCM).
func wav(sound []float64) []byte {
	const header = 44
	b := make([]byte, 0, header+2*len(sound))
	b = append(b, "RIFF"...)
	b = binary.LittleEndian.AppendUint32(b, uint32(header-8+2*len(sound)))
	b = append(b, "WAVEfmt "...)
	b = binary.LittleEndian.AppendUint32(b, 16)
	b = binary.LittleEndian.AppendUint16(b, 1) // PCM
	b = binary.LittleEndian.AppendUint16(b, 1) // channel
	b = binary.LittleEndian.AppendUint32(b, Rate)
	b = binary.LittleEndian.AppendUint32(b, 2*Rate) // bytes a second
	b = binary.LittleEndian.AppendUint16(b, 2)      // bytes a sample
	b = binary.LittleEndian.AppendUint16(b, 16)     // bits a sample
	b = append(b, "data"...)
	b = binary.LittleEndian.AppendUint32(b, uint32(2*len(sound)))
	for _, v := range sound {
		b = binary.LittleEndian.AppendUint16(b, uint16(int16(math.Round(32767*min(1, max(-1, v))))))
	}
	return b
}
