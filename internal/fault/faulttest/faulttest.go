// Package faulttest looks at the faults that calls under test answer with.
package faulttest

import (
	"testing"

	"rollway/internal/fault"
)

// Want ends the test unless err is a fault of that kind with that code; it returns the fault.
func Want(t testing.TB, err error, kind fault.Kind, code string) *fault.Error {
	t.Helper()
	f := fault.Of(err)
	if err == nil || f.Kind != kind || f.Code != code {
		t.Fatalf("got %v (%v %s), want %v %s", err, f.Kind, f.Code, kind, code)
	}
	return f
}

// Code is the fault's code, "" without an error. Anything but a fault of the caller's ends the test.
func Code(t testing.TB, err error) string {
	t.Helper()
	if err == nil {
		return ""
	}
	f := fault.Of(err)
	if f.Kind == fault.Internal || f.Kind == fault.Unavailable {
		t.Fatal(err)
	}
	return f.Code
}
