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
