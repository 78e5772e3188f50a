package speech

import "math"

// The recordings are packed as differences of 4 bits with a step that adapts (Jayant's quantizer): after a big difference
// the step grows, after a small one it shrinks. A byte holds two samples, the earlier one in its upper half.

// quantizer follows a sound from sample to sample, the same way when packing and unpacking.
type quantizer struct{ value, step float64 }

const (
	leastStep = 1.0 / 8192
	mostStep  = 1.0 / 4
)

// growth is what the step is multiplied with, by the size of the difference.
var growth = [8]float64{0.9, 0.9, 0.9, 0.9, 1.2, 1.6, 2.0, 2.4}

// take moves on by a difference: its size in the lower three bits, its sign in the fourth.
func (q *quantizer) take(code byte) float64 {
	difference := (float64(code&7) + 0.5) * q.step
	if code&8 != 0 {
		difference = -difference
	}
	q.value = min(1, max(-1, q.value+difference))
	q.step = min(mostStep, max(leastStep, q.step*growth[code&7]))
	return q.value
}

// code is the difference that comes closest to the sample.
func (q *quantizer) code(sample float64) byte {
	size := byte(min(7, math.Abs(sample-q.value)/q.step))
	if sample < q.value {
		return size | 8
	}
	return size
}

// Pack packs samples in [-1, 1]; of an odd number of them the last is left out.
func Pack(sound []float64) []byte {
	q := quantizer{step: leastStep}
	out := make([]byte, len(sound)/2)
	for i := range out {
		for _, sample := range sound[2*i : 2*i+2] {
			code := q.code(sample)
			q.take(code)
			out[i] = out[i]<<4 | code
		}
	}
	return out
}

// Unpack undoes Pack.
func Unpack(data []byte) []float64 {
	q := quantizer{step: leastStep}
	out := make([]float64, 0, 2*len(data))
	for _, b := range data {
		out = append(out, q.take(b>>4), q.take(b&0x0f))
	}
	return out
}
