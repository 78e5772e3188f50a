package main

import (
	"archive/zip"
	"bytes"
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"rollway/internal/content/sample"
	"rollway/internal/db"
	"rollway/internal/db/dbtest"
)

// TestStories runs every script in testdata/story on every engine: the program as users meet it, and curl.
func TestStories(t *testing.T) {
	path, err := program()
	if err != nil {
		t.Fatal(err)
	}
	eachEngine(t, func(t *testing.T, e db.Engine) {
		testscript.Run(t, testscript.Params{
			Dir:                 "../../testdata/story",
			RequireUniqueNames:  true,
			RequireExplicitExec: true,
			Setup:               func(env *testscript.Env) error { return setUp(env, e, filepath.Dir(path)) },
			Condition:           func(c string) (bool, error) { return c == strings.ToLower(e.String()), nil },
			Cmds: map[string]func(*testscript.TestScript, bool, []string){
				"serve": serveCommand, "stop": stopCommand, "ask": askCommand, "take": takeCommand,
				"random": randomCommand, "basic": basicCommand, "replace": replaceCommand, "soon": soonCommand,
				"database": databaseCommand, "escape": escapeCommand, "status": statusCommand,
			},
		})
	})
}

const serverKey = "server"

// setUp gives a story a database and a data directory by the environment, as an operator would.
func setUp(env *testscript.Env, e db.Engine, bin string) error {
	data := filepath.Join(env.WorkDir, "data")
	env.Setenv("PATH", bin+string(os.PathListSeparator)+env.Getenv("PATH"))
	env.Setenv("HOME", env.WorkDir)
	env.Setenv("ROLLWAY_DATA", data)
	if e == db.PostgreSQL {
		env.Setenv("ROLLWAY_DB", dbtest.URL(env.T().(testing.TB), e))
	}
	course, err := sample.Zip()
	if err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(env.WorkDir, "knots.zip"), course, 0o600); err != nil {
		return err
	}
	if err := writeRefused(env.WorkDir); err != nil {
		return err
	}
	env.Values[serverKey] = new(server)
	return nil
}

// writeRefused writes packages that must be refused, each for its own reason.
func writeRefused(dir string) error {
	manifest := `<tincan xmlns="http://projecttincan.com/tincan.xsd"><activities><activity id="https://content.example/refused" type="http://adlnet.gov/expapi/activities/course"><name lang="en">Refused</name><launch lang="en">index.html</launch></activity></activities></tincan>`
	for name, entries := range map[string][][2]string{
		"cmi5.zip":     {{"cmi5.xml", "<courseStructure/>"}, {"index.html", "x"}},
		"bare.zip":     {{"index.html", "x"}},
		"climbing.zip": {{"tincan.xml", manifest}, {"index.html", "x"}, {"../../evil.html", "x"}},
		"doctype.zip":  {{"tincan.xml", `<!DOCTYPE tincan [<!ENTITY x SYSTEM "file:///etc/passwd">]>` + manifest}, {"index.html", "x"}},
		"twice.zip":    {{"tincan.xml", manifest}, {"index.html", "x"}, {"INDEX.html", "x"}},
		"missing.zip":  {{"tincan.xml", manifest}},
		"bomb.zip":     {{"tincan.xml", manifest}, {"index.html", strings.Repeat("0", 8<<20)}},
	} {
		var b bytes.Buffer
		z := zip.NewWriter(&b)
		for _, e := range entries {
			w, err := z.Create(e[0])
			if err != nil {
				return err
			}
			if _, err := io.WriteString(w, e[1]); err != nil {
				return err
			}
		}
		if err := errors.Join(z.Close(), os.WriteFile(filepath.Join(dir, name), b.Bytes(), 0o600)); err != nil {
			return err
		}
	}
	return nil
}

// serve [ARG…]: starts `rollway serve` on ports of its own, waits until it is ready and sets HOST and COURSEWARE. With other data
// than before it is a second house.
func serveCommand(ts *testscript.TestScript, neg bool, args []string) {
	env := environ()
	for _, name := range []string{"ROLLWAY_DATA", "ROLLWAY_DB"} {
		if v := ts.Getenv(name); v != "" {
			env = append(env, name+"="+v)
		}
	}
	s, err := newServer(env, args...)
	ts.Check(err)
	if old := ts.Value(serverKey).(*server); old.cmd != nil && slices.Equal(old.env, env) { // again on the same addresses
		s.url, s.courseware, s.args = old.url, old.courseware, append(old.args[:5:5], args...)
	}
	ts.Check(s.start())
	ts.Defer(func() {
		if err := s.stop(); err != nil {
			ts.Logf("%v", err)
		}
	})
	*ts.Value(serverKey).(*server) = *s
	ts.Setenv("HOST", s.url)
	ts.Setenv("COURSEWARE", s.courseware)
}

// stop: ends the server by SIGTERM; it must exit with 0.
func stopCommand(ts *testscript.TestScript, neg bool, args []string) {
	ts.Check(ts.Value(serverKey).(*server).stop())
}

var header = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9-]*: ?`)

// ask STATUS[:CODE] METHOD PATH ['Name: value'…] [BODY | @FILE]: asks the server, with the token in $AUTH unless an
// Authorization is given ("Authorization: -" for none). Expands ${NAME} in the arguments. The body of the answer goes to
// stdout, its headers to stderr. Every failure must have the documented envelope.
func askCommand(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) < 3 {
		ts.Fatalf("usage: ask STATUS[:CODE] METHOD PATH ['Name: value'…] [BODY | @FILE]")
	}
	for i, a := range args {
		args[i] = expand(ts, a)
	}
	want, code, _ := strings.Cut(args[0], ":")
	headers, body := []string{}, ""
	for _, a := range args[3:] {
		switch file, isFile := strings.CutPrefix(a, "@"); {
		case header.MatchString(a):
			headers = append(headers, a)
		case isFile:
			body = expand(ts, ts.ReadFile(file))
		default:
			body = a
		}
	}
	a, err := ask(context.Background(), args[1], ts.Getenv("HOST")+args[2], authorized(ts, headers), body)
	ts.Check(err)
	fmt.Fprint(ts.Stdout(), a.body)
	fmt.Fprintf(ts.Stderr(), "HTTP %d\n", a.status)
	ts.Check(a.header.Write(ts.Stderr()))
	if strconv.Itoa(a.status) != want {
		ts.Fatalf("%s %s answers %d: %s", args[1], args[2], a.status, a.body)
	}
	if a.status >= 400 && args[1] != http.MethodHead {
		ts.Check(checkEnvelope(a, code))
	}
}

func authorized(ts *testscript.TestScript, headers []string) []string {
	given := slices.ContainsFunc(headers, func(h string) bool { return strings.HasPrefix(h, "Authorization:") })
	if auth := ts.Getenv("AUTH"); !given && auth != "" {
		return append([]string{"Authorization: " + auth}, headers...)
	}
	return slices.DeleteFunc(headers, func(h string) bool { return h == "Authorization: -" })
}

// checkEnvelope holds a failure against its documented form.
func checkEnvelope(a answer, code string) error {
	for _, check := range []struct{ pointer, want string }{
		{"/code", strconv.Itoa(a.status)}, {"/name", http.StatusText(a.status)}, {"/body/0/code", code},
		{"/body/0/name", ""}, {"/body/0/description", ""}, {"/body/0/property", "*"}, {"/body/0/value", "*"}, {"/requestId", a.header.Get("X-Request-Id")},
	} {
		v, err := member(a.body, check.pointer)
		if err != nil {
			return err
		}
		got := plain(v)
		if got == "" && check.want != "*" || check.want != "" && check.want != "*" && got != check.want {
			return fmt.Errorf("%s of the error is %q, not %q: %s", check.pointer, got, check.want, a.body)
		}
	}
	if t := a.header.Get("Content-Type"); t != "application/json" {
		return fmt.Errorf("the error is %q", t)
	}
	if c := a.header.Get("Www-Authenticate"); strings.Contains(strings.ToLower(c), "basic") {
		return fmt.Errorf("the answer %d challenges with %q, which opens a browser's sign-in box", a.status, c)
	}
	return nil
}

var variable = regexp.MustCompile(`\$\{\w+\}`)

func expand(ts *testscript.TestScript, s string) string {
	return variable.ReplaceAllStringFunc(s, func(v string) string { return ts.Getenv(v[2 : len(v)-1]) })
}

// take NAME POINTER: sets the variable to what the JSON pointer names in the last stdout.
func takeCommand(ts *testscript.TestScript, neg bool, args []string) {
	v, err := member(ts.ReadFile("stdout"), args[1])
	if neg {
		if err == nil {
			ts.Fatalf("there is %s at %s", v, args[1])
		}
		return
	}
	ts.Check(err)
	ts.Setenv(args[0], plain(v))
}

// random NAME…: sets variables to random values.
func randomCommand(ts *testscript.TestScript, neg bool, args []string) {
	for _, name := range args {
		ts.Setenv(name, rand.Text())
	}
}

// basic NAME USER SECRET: sets the variable to base64(USER:SECRET).
func basicCommand(ts *testscript.TestScript, neg bool, args []string) {
	ts.Setenv(args[0], base64.StdEncoding.EncodeToString([]byte(args[1]+":"+args[2])))
}

// escape NAME VALUE: sets the variable to the value as it stands in a query.
func escapeCommand(ts *testscript.TestScript, neg bool, args []string) {
	ts.Setenv(args[0], strings.ReplaceAll(url.QueryEscape(expand(ts, args[1])), "+", "%20"))
}

// replace FILE OLD NEW…: replaces texts in a file; each must occur.
func replaceCommand(ts *testscript.TestScript, neg bool, args []string) {
	text := ts.ReadFile(args[0])
	for pair := range slices.Chunk(args[1:], 2) {
		if !strings.Contains(text, pair[0]) {
			ts.Fatalf("%s does not hold %q", args[0], pair[0])
		}
		text = strings.ReplaceAll(text, pair[0], pair[1])
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), []byte(text), 0o600))
}

// soon DURATION STATUS METHOD PATH [ARG…]: asks again and again until the answer has the status, and fails when it takes
// longer than that.
func soonCommand(ts *testscript.TestScript, neg bool, args []string) {
	limit, err := time.ParseDuration(args[0])
	ts.Check(err)
	began := time.Now()
	for {
		a, err := ask(context.Background(), args[2], ts.Getenv("HOST")+expand(ts, args[3]), authorized(ts, args[4:]), "")
		ts.Check(err)
		if strconv.Itoa(a.status) == args[1] {
			ts.Logf("after %v", time.Since(began))
			return
		}
		if time.Since(began) > limit {
			ts.Fatalf("%s %s still answers %d after %v", args[2], args[3], a.status, time.Since(began))
		}
		time.Sleep(10 * time.Millisecond)
	}
}

// status WANT COMMAND…: runs a command that must end with that exit status.
func statusCommand(ts *testscript.TestScript, neg bool, args []string) {
	err := ts.Exec(args[1], args[2:]...)
	got := "0"
	if err != nil {
		got = strings.TrimPrefix(err.Error(), "exit status ")
	}
	if got != args[0] {
		ts.Fatalf("%s ends with status %s, not %s", strings.Join(args[1:], " "), got, args[0])
	}
}

// database SQL: changes the database behind the program's back.
func databaseCommand(ts *testscript.TestScript, neg bool, args []string) {
	address := ts.Getenv("ROLLWAY_DB")
	if address == "" {
		address = filepath.Join(ts.Getenv("ROLLWAY_DATA"), "rollway.db")
	}
	ctx := context.Background()
	d, err := db.Open(ctx, db.Options{URL: address, Conns: 2})
	ts.Check(err)
	defer d.Close()
	ts.Check(d.Write(ctx, func(tx *db.Tx) error {
		_, err := tx.Exec(ctx, args[0])
		return err
	}))
}
