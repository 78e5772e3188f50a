package main

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/alecthomas/kong"

	"rollway/internal/db"
	"rollway/internal/db/dbtest"
)

// What is wrong with the command line or the configuration ends with status 2, says what it is and names the help of the
// command; what is wrong with the world ends with 1.
func TestUsage(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	notZip := filepath.Join(dir, "not.zip")
	if err := os.WriteFile(notZip, []byte("nothing"), 0o600); err != nil {
		t.Fatal(err)
	}
	data := []string{"--data", filepath.Join(dir, "data")}
	if got := run(t.Context(), append([]string{"migrate", "up"}, data...), io.Discard, io.Discard); got != 0 {
		t.Fatalf("migrate up: status %d", got)
	}
	const nil0 = "00000000-0000-0000-0000-000000000000"
	add := "statements forward add f --user u --password-file " + notZip + " --endpoint "
	for _, c := range []struct {
		args, says string
		want       int
	}{
		{"serve --http nowhere", "HOST:PORT", 2},
		{"serve --http 127.0.0.1:no-such-port", "HOST:PORT", 2},
		{"serve --courseware-http nowhere", "--courseware-http", 2},
		{"serve --public-url ftp://x", "http or https", 2},
		{"serve --public-url https://a.example --courseware-url https://a.example", "an origin of their own", 2},
		{"serve --dev --http 0.0.0.0:0", "loopback", 2},
		{"serve --db postgres://[", "database", 2},
		{"serve --db mysql://root:secret@db.example/rollway", "--db begins with mysql://", 2},
		{"serve --mail carrier-pigeon", "--mail", 2},
		{"serve --mail smtp://office:s/cret@mail.example:587", "Characters like / ? # % : @ in a user name or password are written as %2F %3F %23 %25 %3A %40.", 2},
		{"serve --mail-from nobody", "--mail-from", 2},
		{"serve --password-min 3", "--password-min", 2},
		{"serve --trusted-proxies everybody", "--trusted-proxies: \"everybody\" is neither an address like 10.0.0.7 nor", 2},
		{"serve --signup perhaps", "--signup", 2},
		{"serve --signup-trial soon", "--signup-trial", 2},
		{"serve --signup-delay soon", "--signup-delay", 2},
		{"serve --signup-limit often", "--signup-limit", 2},
		{"serve --signup-fields shoe-size", "--signup-fields", 2},
		{"serve --signup-link flyve-react", "--signup-webapp", 2},
		{"serve --signin-idle soon", "--signin-idle", 2},
		{"serve --signin-limit often", "--signin-limit", 2},
		{"person list --public-url ftp://x", "http or https", 2},
		{"migrate up --http nowhere", "HOST:PORT", 2},
		{"service-account create --name lms --scope people:everything", "people:everything", 2},
		{"service-account create --name lms --scope all --expires soon", "90d", 2},
		{"service-account create --name lms --scope all --expires 0d", "90d", 2},
		{"service-account create --name lms --scope all --home-page nowhere", "nowhere", 2},
		{"service-account create --name= --scope all", "name", 2},
		{"service-account rotate nonsense", `no service account with the id or the name "nonsense"`, 1},
		{"service-account revoke nonsense", `no service account with the id or the name "nonsense"`, 1},
		{"service-account revoke 01a5c7c0-0000-7000-8000-000000000000", "no service account", 1},
		{"content add", "either a package", 2},
		{"content add --title T", "--url", 2},
		{"content add --activity no-iri --url https://x.example --title T", "", 2},
		{"content add --activity https://x.example --url javascript:alert(1) --title T", "", 2},
		{"content add " + notZip, "zip", 1},
		{"content add " + notZip + " --title T", "either a package", 2},
		{"content remove https://x.example", "There is no content", 1},
		{"person add", "--attribute", 2},
		{"person add --attribute Email", "NAME=VALUE", 2},
		{"person add --account nonsense", "homePage|name", 2},
		{"person list --after nonsense", "--after", 2},
		{"person list --limit 0x", "--limit", 2},
		{"person list --limit=-1", "1 to 1000", 2},
		{"person get nobody@example.com", "Nobody", 1},
		{"person list --org nowhere", "no organization", 1},
		{"attribute add=", "", 2},
		{"credential revoke=", "", 2},
		{"statements export --since yesterday", "--since", 2},
		{"statements export --until yesterday", "--until", 2},
		{"statements export --resume", "--out", 2},
		{"statements import", "--from", 2},
		{"statements import a.ndjson --from https://lrs.example/xapi", "--from", 2},
		{"statements import --from https://lrs.example/xapi --user KEY", "--password-file", 2},
		{"statements import --from http://lrs.example/xapi --user KEY", "--plain-http", 2},
		{"statements import --from nowhere", "https://lrs.example/xapi", 2},
		{"statements import " + filepath.Join(dir, "missing.ndjson"), "missing.ndjson", 1},
		{add + "nowhere", "https://lrs.example/xapi/", 2},
		{add + "http://lrs.example/", "--plain-http", 2},
		{add + "https://lrs.example/ --agent nobody", "--agent", 2},
		{add + "https://lrs.example/ --registration " + nil0, "--registration", 2},
		{add + "https://lrs.example/ --since yesterday", "--since", 2},
		{add + "https://lrs.example/ --verb did", "IRI", 2},
		{add + "https://lrs.example/ --related-agents", "agent", 2},
		{"statements forward show f --limit=-1", "--limit", 2},
		{"statements forward show f", "no forward", 1},
		{"signup token create --origin nowhere", "origin", 2},
		{"signup token create --expires soon", "90d", 2},
		{"signup token revoke nonsense", `no token with the id or the name "nonsense"`, 1},
		{"signup list --limit 0", "--limit", 2},
		{"signup extend 1 --by soon", "90d", 2},
		{"signup extend 1 --by 30d", "sign-up", 1},
		{"mail test nobody", "", 2},
		{"mail test ada@example.com --lang tlh", "--lang", 2},
		{"mail test ada@example.com", "--mail", 1},
	} {
		args := append(strings.Fields(c.args), data...)
		for i, a := range args { // what strings.Fields cannot say: an empty argument
			if word, empty := strings.CutSuffix(a, "="); empty && i == 1 {
				args = append(append(args[:1:1], word, ""), args[2:]...)
			}
		}
		var out, errs bytes.Buffer
		if got := run(t.Context(), args, &out, &errs); got != c.want || !strings.Contains(errs.String(), c.says) {
			t.Errorf("rollway %s: status %d, want %d\n%s", c.args, got, c.want, errs.String())
		}
		if hint := strings.Contains(errs.String(), " --help"); hint != (c.want == 2) {
			t.Errorf("rollway %s: a hint to the help: %v\n%s", c.args, hint, errs.String())
		}
	}
}

// A command that reads or changes what is there makes no house where none is, which would be a mistaken --data; nor does one
// whose arguments are wrong.
func TestNoHouse(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "mistaken")
	const none = "00000000-0000-4000-8000-000000000000"
	for args, says := range map[string]string{
		"person list": dir, "person get ada@example.com": dir, "attribute list": dir, "why ada@example.com": dir,
		"service-account list": dir, "service-account revoke " + none: dir, "content list": dir, "credential revoke x": dir,
		"statements export": dir, "statements verify": dir, "statements imports": dir, "statements forward list": dir,
		"mail list": dir, "mail retry --dead": dir, "mail test ada@example.com": dir,
		"signup list": dir, "signup token list": dir, "signup newsletter export": dir, "migrate status": dir,
		"person list --db " + dir + ".db":                                              dir + ".db",
		"signup token create --origin bogus":                                           "web origin",
		"service-account create --name= --scope all":                                   "name",
		"service-account create --name lms --scope all --home-page nowhere":            "nowhere",
		"content add --activity no-iri --url https://x.example --title T":              "no-iri",
		"content add --activity https://x.example --url javascript:alert(1) --title T": "javascript",
		"person add --name Ada --attribute \x01=b":                                     "control characters",
		"attribute add \x01":                                                           "control characters",
		"statements import --from nowhere":                                             "https://lrs.example/xapi",
		"content add " + dir + ".zip":                                                  "no such file",
		"statements import " + dir + ".ndjson":                                         "no such file",
	} {
		var out, errs bytes.Buffer
		got := run(t.Context(), append(strings.Fields(args), "--data", dir), &out, &errs)
		want := exitFailed
		switch says {
		case dir, dir + ".db":
			says = says + "; is --d"
		case "no such file":
		default:
			want = exitUsage
		}
		if got != want || !strings.Contains(errs.String(), says) || out.Len() > 0 {
			t.Errorf("rollway %s: status %d, want %d and %q\n%s%s", args, got, want, says, out.String(), errs.String())
		}
		if _, err := os.Stat(dir); !errors.Is(err, fs.ErrNotExist) {
			t.Fatalf("rollway %s made %s: %v", args, dir, err)
		}
	}
}

// With PostgreSQL a mistaken --data is noticed as well, and what concerns the schema alone needs none.
func TestMistakenData(t *testing.T) {
	eachEngine(t, func(t *testing.T, e db.Engine) {
		dir := t.TempDir()
		data, mistaken, url := filepath.Join(dir, "data"), filepath.Join(dir, "mistaken"), dbtest.URL(t, e)
		says := func(want int, text string, args ...string) {
			t.Helper()
			var out, errs bytes.Buffer
			if got := run(t.Context(), append(args, "--db", url), &out, &errs); got != want || !strings.Contains(out.String()+errs.String(), text) {
				t.Errorf("rollway %v: status %d, want %d and %q\n%s%s", args, got, want, text, out.String(), errs.String())
			}
			if _, err := os.Stat(mistaken); !errors.Is(err, fs.ErrNotExist) {
				t.Fatalf("rollway %v made %s: %v", args, mistaken, err)
			}
		}
		says(0, "created", "person", "add", "--name", "Ada", "--data", data)
		says(1, "There is no house in "+mistaken+"; is --data right?", "person", "list", "--data", mistaken)
		says(1, "There is no house in "+mistaken+"; is --data right?", "service-account", "list", "--data", mistaken)
		says(0, "access", "migrate", "status", "--data", mistaken)
		says(0, "Ada", "person", "list", "--data", data)
	})
}

// Service accounts and tokens are named by their names too, as long as it is clear which is meant.
func TestNames(t *testing.T) {
	eachEngine(t, func(t *testing.T, e db.Engine) {
		h := &house{TB: t, server: &server{env: environ("ROLLWAY_DATA="+t.TempDir(), "ROLLWAY_DB="+dbtest.URL(t, e))}}
		for what, create := range map[string]string{"service-account": " --scope all", "signup token": ""} {
			create = what + " create -o json" + create + " --name "
			old := pick(t, h.says(0, create+"lms"), "/id")
			if rotated := pick(t, h.says(0, what+" rotate lms -o json"), "/id"); rotated != old {
				t.Errorf("%s rotate lms rotates %s, not %s", what, rotated, old)
			}
			h.says(1, what+" revoke LMS", `with the id or the name "LMS"`)
			other := pick(t, h.says(0, create+"lms"), "/id")
			h.says(1, what+" revoke lms", "Several have the name", old, other)
			h.says(0, what+" revoke "+old)
			h.says(0, what+" revoke "+old) // again
			h.says(0, what+" rotate lms -o json", other)
			h.says(0, what+" revoke lms")
			h.says(1, what+" rotate lms", `with the id or the name "lms"`)
			h.says(1, what+" rotate "+other)
		}
	})
}

// The help names what a flag takes in the reader's words, not by the name of our type.
func TestPlaceholders(t *testing.T) {
	t.Parallel()
	parser, err := kong.New(&Commands{})
	if err != nil {
		t.Fatal(err)
	}
	for _, leaf := range parser.Model.Leaves(false) {
		for _, f := range leaf.Flags {
			if shown := f.FormatPlaceHolder(); strings.Contains(shown, "-FLAG") {
				t.Errorf("%s --%s=%s", leaf.Path(), f.Name, shown)
			}
		}
	}
}

// The help begins with what its reader came for: the commands, or the command's own flags; the settings of the house, which
// are many, come last.
func TestHelpOrder(t *testing.T) {
	t.Parallel()
	for args, order := range map[string][]string{
		"--help":             {"Usage: rollway <command>", "Commands:", "  serve ", "  doctor ", "Flags:", "--help", "Settings", "--data=", "--public-url=", "--config="},
		"signup --help":      {"Usage: rollway signup", "Commands:", "  signup token create ", "Settings", "--data="},
		"content add --help": {"Usage: rollway content add", "Arguments:", "Flags:", "--activity=", "--org=", "--output=", "Settings", "--data=", "--public-url="},
	} {
		var out, errs bytes.Buffer
		if got := run(t.Context(), strings.Fields(args), &out, &errs); got != 0 || errs.Len() > 0 {
			t.Errorf("rollway %s: status %d\n%s", args, got, errs.String())
		}
		rest := out.String()
		for _, next := range order {
			_, after, found := strings.Cut(rest, next)
			if !found {
				t.Errorf("rollway %s: %q does not come next after what stands above:\n%s", args, next, out.String())
				break
			}
			rest = after
		}
	}
}
