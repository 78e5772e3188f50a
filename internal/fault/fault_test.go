package fault

import (
	"errors"
	"fmt"
	"testing"
)

func TestOf(t *testing.T) {
	f := New(Conflict, "identity_conflict", "two people match %s", "Email").Because(errors.New("row 7"))
	wrapped := fmt.Errorf("apply: %w", f)
	if got := Of(wrapped); got.Kind != Conflict || got.Code != "identity_conflict" || got.Message != "two people match Email" {
		t.Fatalf("got %+v", got)
	}
	if got := Of(errors.New("disk")); got.Kind != Internal || got.Message == "disk" {
		t.Fatalf("an unknown error shows as %+v", got)
	}
	if !Is(wrapped, Conflict) || Is(wrapped, Invalid) || Is(nil, Invalid) {
		t.Fatal("Is disagrees with Of")
	}
}

func TestWithDoesNotChangeTheOriginal(t *testing.T) {
	a := New(Invalid, "bad", "bad")
	b := a.With(Field{Name: "x"})
	c := b.With(Field{Name: "y"})
	if len(a.Fields) != 0 || len(b.Fields) != 1 || len(c.Fields) != 2 {
		t.Fatalf("%d %d %d fields", len(a.Fields), len(b.Fields), len(c.Fields))
	}
}

func TestSay(t *testing.T) {
	f := Say(TooLarge, "too_many_parts", "`{file}` has more than {n} parts, says {file}.", "file", "{n}.zip", "n", 3)
	if f.Message != "`{n}.zip` has more than 3 parts, says {n}.zip." || f.Kind != TooLarge || f.Code != "too_many_parts" {
		t.Errorf("%+v", f)
	}
	if got := Fill("{n} Teile in {datei}: {file}", f.Args); got != "3 Teile in {datei}: {n}.zip" {
		t.Error(got)
	}
}
