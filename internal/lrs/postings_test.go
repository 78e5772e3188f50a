package lrs

import (
	"slices"
	"testing"
)

func FuzzReadBlock(f *testing.F) {
	f.Add(int64(1), []byte{1, 2, 3})
	f.Add(int64(-5), []byte{0x80})
	f.Add(int64(1)<<62, []byte{0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f})
	f.Fuzz(func(t *testing.T, first int64, more []byte) {
		list, err := readBlock(nil, first, more)
		if err != nil {
			return
		}
		if list[0] != first || !slices.IsSorted(list) {
			t.Fatalf("not ascending from %d: %v", first, list)
		}
		again, err := readBlock(nil, first, appendBlock(nil, list))
		if err != nil || !slices.Equal(again, list) {
			t.Fatalf("%v was read back as %v, %v", list, again, err)
		}
	})
}
