package main

import (
	"strings"
	"testing"

	"rollway/internal/db"
)

// TestTheOracleSees tells the oracle of writes that did not happen so, and each must be found: a proof that nothing is lost
// is worth what its eyes are worth.
func TestTheOracleSees(t *testing.T) {
	t.Parallel()
	f := newNemesis(t, newHouse(t, db.SQLite))
	w := &writer{nemesis: f, name: "w", r: newRand(f.seed, 1)}
	for range 40 {
		w.write()
	}
	w.attached(false)
	if errs := f.verify(); len(errs) > 0 {
		t.Fatal(errs)
	}
	half, unknown, refusedOne, changed, without := w.draw(2), w.draw(1), w.draw(1), w.draw(1), w.draw(1)
	without.data = true
	for _, body := range []string{half.bodies[0], refusedOne.bodies[0], changed.bodies[0], without.bodies[0]} {
		f.want(200, "POST", "/xapi/statements", f.reader, body)
	}
	unknown.fate, refusedOne.fate = acknowledged, refused
	changed.bodies[0] = strings.Replace(changed.bodies[0], "verbs/experienced", "verbs/answered", 1)
	f.want(200, "POST", "/xapi/statements", f.reader, `{"actor":{"mbox":"mailto:a@example.com"},"verb":{"id":"http://adlnet.gov/expapi/verbs/experienced"},"object":{"id":"https://content.example/x"}}`)
	f.people["nobody"] = &register{1, 1}
	f.documents["none"] = &register{1, 1}
	f.people["writer"].tried = 0
	f.credentials = append(f.credentials, &minted{user: "never-minted", secret: "never-minted-secret", mint: acknowledged})
	f.children = append(f.children, "Basic bmV2ZXI6bmV2ZXI=")
	var all strings.Builder
	for _, err := range f.verify() {
		all.WriteString(err.Error() + "\n")
	}
	for _, want := range []string{
		"partial: 1 of 2", "lost: 1 of 1 acknowledged", "phantom: 1 of 1 refused", "corrupt: /verb/id", "corrupt: the data", "phantom: nobody sent statement",
		"lost: person nobody", "lost: document none", "phantom: person writer", "lost: credential never-minted", "lost: the credential of an acknowledged launch",
	} {
		if !strings.Contains(all.String(), want) {
			t.Errorf("the oracle does not see %q in\n%s", want, all.String())
		}
	}
	t.Log("proof: the oracle of the kill tests finds each of 11 seeded faults")
}
