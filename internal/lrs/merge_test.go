package lrs

import (
	"testing"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// What two objects merge to is an object again: the posted one's members, then those of the old one that it lacks.
func FuzzMerge(f *testing.F) {
	for _, s := range [][2]string{{`{"a":1}`, `{"b":{"c":[1.50,"é\u0041"]}}`}, {`{}`, `{}`}, {`{"a\u0062":1}`, `{"ab":2}`}, {`{"":null}`, ` { "" : "\ud83d\ude00" } `}, {`[`, `{"a":1,"a":2}`}} {
		f.Add(s[0], s[1])
	}
	f.Fuzz(func(t *testing.T, oldText, postedText string) {
		old, err := readObject([]byte(oldText))
		if err != nil {
			return
		}
		posted, err := readObject([]byte(postedText))
		if err != nil {
			return
		}
		merged := merge(old, posted)
		var x, y, z map[string]jsontext.Value
		if err := json.Unmarshal([]byte(oldText), &x); err != nil {
			t.Fatalf("accepted %q: %v", oldText, err)
		}
		if err := json.Unmarshal([]byte(postedText), &y); err != nil {
			t.Fatalf("accepted %q: %v", postedText, err)
		}
		if err := json.Unmarshal(merged, &z); err != nil {
			t.Fatalf("%q and %q made %q: %v", oldText, postedText, merged, err)
		}
		for name, value := range z {
			want, posted := y[name]
			if !posted {
				want = x[name]
			}
			if string(want) != string(value) {
				t.Errorf("%q is %s, want %s", name, value, want)
			}
		}
		for _, from := range []map[string]jsontext.Value{x, y} {
			for name := range from {
				if _, ok := z[name]; !ok {
					t.Errorf("%q is lost", name)
				}
			}
		}
	})
}
