package webtest

import "testing"

// A port that is given back can be the next one the system gives: two servers of one test must never get the same.
func TestPortsDiffer(t *testing.T) {
	seen := map[string]bool{}
	for range 1000 {
		p, err := Port()
		if err != nil {
			t.Fatal(err)
		}
		if seen[p] {
			t.Fatalf("port %s is given twice", p)
		}
		seen[p] = true
	}
}
