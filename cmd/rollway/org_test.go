package main

import (
	"bytes"
	"crypto/rand"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"rollway/internal/db"
	"rollway/internal/db/dbtest"
)

// says runs a command that must end with the status, and returns what it prints; all texts must stand in what it prints to
// either stream.
func (h *house) says(status int, args string, texts ...string) (out string) {
	h.Helper()
	path, err := program()
	h.must(err)
	cmd := exec.Command(path, strings.Fields(args)...)
	cmd.Env = h.env
	var printed, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &printed, &errs
	if err := cmd.Run(); cmd.ProcessState == nil || cmd.ProcessState.ExitCode() != status {
		h.Fatalf("rollway %s: %v\n%s%s", args, err, &printed, &errs)
	}
	for _, text := range texts {
		if !strings.Contains(printed.String()+errs.String(), text) {
			h.Errorf("rollway %s does not say %q:\n%s%s", args, text, &printed, &errs)
		}
	}
	return printed.String()
}

const ada = "ada@example.org"

// Whoever signs up has an organization of their own, and the operator's commands find them there.
func TestTheOperatorFindsWhoSignedUp(t *testing.T) {
	eachEngine(t, func(t *testing.T, e db.Engine) {
		d := newDashboard(t, e, unlimited()...)
		d.guide(ada)
		listed := d.says(0, "signup list -o json")
		slug, person := pick(t, listed, "/0/org"), pick(t, listed, "/0/person")
		there := "In the organization " + slug + " (" + ada + "):"
		d.says(0, "signup list", slug)
		d.says(0, "org list -o json", `{"slug":"default","name":"Default","createdAt":null,"people":0}`, `"people":1}`, `"slug":"`+slug+`","name":"`+ada+`","createdAt":"20`)
		d.says(0, "why "+ada, there, "confirmed their sign-up")
		d.says(0, "why "+person+" -o json", there, `{"org":"`+slug+`",`)
		d.says(0, "why nobody@example.org", "Nobody")
		d.says(0, "person get "+ada, there, person)
		d.says(0, "person get "+ada+" -o json", `"org":"`+slug+`"`)
		d.says(1, "person get "+ada+" --org default", "Nobody is known")
		d.says(1, "person get nobody@example.org", "Nobody is known")
		d.says(0, "person list", "ORG", slug, person)
		if one := d.says(0, "person list --org "+slug, person); strings.Contains(one, "ORG") {
			t.Errorf("one organization has a column: %s", one)
		}
		d.says(1, "signup delete 1", "rollway person suspend "+person)
		d.says(0, "person suspend "+person, there, "is suspended")
		d.says(0, "person resume "+ada, "is active")
		d.says(1, "signup extend 1 --by 30d", "has no trial")
		if again := d.says(0, "signup list -o json"); again != listed {
			t.Errorf("what was refused changed\n%sto\n%s", listed, again)
		}

		d.says(0, "person add --attribute Email="+ada+" --name Second")
		for _, command := range []string{"person get ", "person suspend ", "person resume ", "credential list --person "} {
			d.says(1, command+ada, "default, "+slug, "--org SLUG")
			d.says(0, command+ada+" --org "+slug)
		}
		d.says(0, "why "+ada, "In the organization default (Default):", there)
		if one := d.says(0, "why "+ada+" --org "+slug); strings.Contains(one, "In the organization") {
			t.Errorf("it tells of more than the one that was named: %s", one)
		}
		first := pick(t, d.says(0, "person list --limit 1 -o json", `"org":"default"`), "/0/id")
		if rest := d.says(0, "person list -o json --after "+first); pick(t, rest, "/0/id") != person || pick(t, rest, "/0/org") != slug {
			t.Errorf("after the first comes %s", rest)
		}
		d.says(1, "person list --after 01a5c7c0-0000-7000-8000-000000000000", "Nobody has the id")
	})
}

// What is of other organizations is shown, or told to be left out.
func TestTheOperatorIsToldOfOtherOrganizations(t *testing.T) {
	eachEngine(t, func(t *testing.T, e db.Engine) {
		d := newDashboard(t, e, unlimited()...)
		d.guide(ada)
		slug := pick(t, d.says(0, "signup list -o json"), "/0/org")
		d.says(0, "content add --activity https://content.example/c --url https://content.example/ --title Course --org "+slug)
		d.says(0, "content list", "ORG", slug)
		d.says(0, "content list -o json", `"org":"`+slug+`"`)

		token := pick(t, d.says(0, "service-account create --name lms --scope people:write,credentials:mint -o json --org "+slug), "/token")
		auth, bob, name := []string{"Authorization: " + token}, `{"account":{"homePage":"https://lms.example","name":"bob"}}`, rand.Text()
		d.want(200, "PUT", "/api/actors/agents", auth, bob)
		d.want(200, "POST", "/api/auth/basic", auth, `{"username":"`+name+`","password":"`+rand.Text()+`","data":{"actor":`+bob+`}}`)
		d.says(0, "credential list --person https://lms.example|bob", name)
		d.says(0, "credential revoke "+name)
		if revoked := pick(t, d.says(0, "credential list --person https://lms.example|bob -o json"), "/0/revokedAt"); !strings.HasPrefix(revoked, "20") {
			t.Errorf("revoked at %q", revoked)
		}

		d.says(0, "statements export")
		file := filepath.Join(t.TempDir(), "one.ndjson")
		d.must(os.WriteFile(file, []byte(`{"id":"11111111-0000-4000-8000-000000000001","actor":{"mbox":"mailto:ann@example.org"},"verb":{"id":"https://example.org/did"},"object":{"id":"https://example.org/course"}}`+"\n"), 0o600))
		d.says(0, "statements import "+file+" --org "+slug)
		if out := d.says(0, "statements export", "Others that have statements: 1", "--org SLUG", "rollway org list"); out != "" {
			t.Errorf("the first organization exports %s", out)
		}
		d.says(0, "statements export --org "+slug, "11111111-0000-4000-8000-000000000001")
		d.says(0, "statements verify -o json", `"statements":1,"findings":0,`)
		d.says(0, "statements verify -o json --org default", `"statements":0,`)

		opened := dbtest.Connect(t, db.Options{URL: d.database, Conns: 1})
		d.must(opened.Write(t.Context(), func(tx *db.Tx) error {
			_, err := tx.Exec(t.Context(), "UPDATE statements SET hash = ?", bytes.Repeat([]byte{1}, 16))
			return err
		}))
		if out := d.says(1, "statements verify", "1 finding"); !regexp.MustCompile(`(?m)^ORG .*\n` + slug + ` .*11111111-0000`).MatchString(out) {
			t.Errorf("the finding does not name the organization: %s", out)
		}
	})
}
