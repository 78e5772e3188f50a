package lrs

import (
	"encoding/binary"
	"errors"
	"slices"
)

// The positions that have a key are kept in blocks: the first position, then what each next one is more than the one before
// it, as an unsigned varint.

// blockLen is the most positions in a block.
const blockLen = 512

// appendBlock appends all but the first of ascending positions.
func appendBlock(dst []byte, positions []int64) []byte {
	for i := 1; i < len(positions); i++ {
		dst = binary.AppendUvarint(dst, uint64(positions[i]-positions[i-1]))
	}
	return dst
}

var errBlock = errors.New("lrs: a block of the index is damaged")

// readBlock appends the positions of a block to dst, ascending.
func readBlock(dst []int64, first int64, block []byte) ([]int64, error) {
	dst = append(dst, first)
	for len(block) > 0 {
		d, n := binary.Uvarint(block)
		next := first + int64(d)
		if n <= 0 || next <= first {
			return dst, errBlock
		}
		dst, first, block = append(dst, next), next, block[n:]
	}
	return dst, nil
}

// packKeys is how a statement's keys stand in its row: 8 bytes each, big-endian.
func packKeys(keys []int64) []byte {
	b := make([]byte, 0, 8*len(keys))
	for _, k := range keys {
		b = binary.BigEndian.AppendUint64(b, uint64(k))
	}
	return b
}

// unpackKeys calls fn for each.
func unpackKeys(packed []byte, fn func(key int64)) {
	for b := range slices.Chunk(packed, 8) {
		fn(int64(binary.BigEndian.Uint64(b)))
	}
}
