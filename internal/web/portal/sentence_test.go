package portal

import (
	"errors"
	"testing"

	"rollway/internal/lrs"
)

// A statement that gives an activity no name is about the course by its title, or about the end of its IRI.
func TestSentenceNamesCourses(t *testing.T) {
	t.Parallel()
	f := frame{words: catalogue["en"], now: moonlight}
	failed := errors.New("no database")
	for object, want := range map[string]string{
		`{"id":"https://example.com/courses/knots"}`:                                                     "Knots in ten minutes",
		`{"id":"https://example.com/courses/knots","definition":{"name":{"en":"What it calls itself"}}}`: "What it calls itself",
		`{"id":"https://example.com/courses/knots/page-3"}`:                                              "page-3",
		`{"id":"https://example.com/broken","definition":{"name":{"en":"Not asked"}}}`:                   "Not asked",
	} {
		text := `{"actor":{"mbox":"mailto:ada@example.org"},"verb":{"id":"https://example.com/completed"},"object":` + object + `}`
		r, err := f.sentence(lrs.Statement{JSON: []byte(text)}, func(activity string) (string, error) {
			if activity == "https://example.com/courses/knots" {
				return "Knots in ten minutes", nil
			}
			return "", map[bool]error{true: failed}[activity == "https://example.com/broken"]
		})
		if err != nil || r.Object != want {
			t.Errorf("%s: %q, %v", object, r.Object, err)
		}
	}
	_, err := f.sentence(lrs.Statement{JSON: []byte(`{"object":{"id":"https://example.com/broken"}}`)}, func(string) (string, error) { return "", failed })
	if !errors.Is(err, failed) {
		t.Error(err)
	}
}
