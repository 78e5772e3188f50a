package main

import (
	"errors"
	"io"
	"testing"
)

// full is an output that takes nothing.
type full struct{}

var errFull = errors.New("no space left")

func (full) Write([]byte) (int, error) { return 0, errFull }

// What cannot be printed is an error, in every form of output.
func TestPrintingSaysWhatItCannot(t *testing.T) {
	t.Parallel()
	s := &surroundings{out: full{}, err: io.Discard}
	for name, err := range map[string]error{
		"JSON":    Output{"json"}.print(s, []string{}, nil, nil),
		"a table": Output{"table"}.print(s, nil, []string{"a", "b"}, [][]string{{"1", "2"}}),
		"a list":  Output{"table"}.print(s, nil, []string{"a"}, [][]string{{"1"}, {"2"}}),
	} {
		if !errors.Is(err, errFull) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestCount(t *testing.T) {
	t.Parallel()
	for n, want := range map[int]string{0: "0 statements", 1: "1 statement", 2: "2 statements"} {
		if got := count(n, "statement"); got != want {
			t.Errorf("%d: %q", n, got)
		}
	}
}
