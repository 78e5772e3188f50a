package main

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/go-json-experiment/json"

	"rollway/internal/web/webtest"
)

// startDemo runs `rollway demo -o json` and returns what it prints, and how long that took. It ends with the test.
func startDemo(t testing.TB, env []string) (demoAnswer, time.Duration) {
	t.Helper()
	path, err := program()
	if err != nil {
		t.Fatal(err)
	}
	cmd, log := exec.Command(path, "demo", "-o", "json"), &lockedBuffer{}
	cmd.Env, cmd.Stderr = env, log
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := errors.Join(cmd.Process.Signal(syscall.SIGTERM), cmd.Wait()); err != nil {
			t.Errorf("the demo ended with %v\n%s", err, log)
		}
	})
	line, err := bufio.NewReader(out).ReadString('\n')
	took := time.Since(began)
	if err != nil {
		t.Fatalf("the demo prints nothing: %v\n%s", err, log)
	}
	var d demoAnswer
	if err := json.Unmarshal([]byte(line), &d); err != nil {
		t.Fatal(err)
	}
	return d, took
}

// newDemo is a demo on ports of its own, with its command line.
func newDemo(t testing.TB) (*house, demoAnswer) {
	t.Helper()
	s, err := newServer(environ("TMPDIR=" + t.TempDir()))
	if err != nil {
		t.Fatal(err)
	}
	s.env = append(s.env, "ROLLWAY_HTTP="+s.args[2], "ROLLWAY_COURSEWARE_HTTP="+s.args[4])
	d, _ := startDemo(t, s.env)
	if d.PublicURL != s.url {
		t.Fatalf("the demo answers at %s, not at %s", d.PublicURL, s.url)
	}
	s.env = append(s.env, "ROLLWAY_DATA="+d.Data)
	return &house{TB: t, server: s}, d
}

// A demo is thrown away, so it has nothing to do with a house that somebody keeps.
func TestTheDemoKeepsItsOwnHouse(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	kept := &house{TB: t, server: &server{env: environ("ROLLWAY_DATA="+dir, "TMPDIR="+t.TempDir())}}
	kept.token("all")
	list := func() string {
		return kept.run("service-account", "list", "-o", "json") + kept.run("content", "list", "-o", "json") + kept.run("person", "list", "-o", "json")
	}
	before := list()
	port, err := webtest.Port()
	if err != nil {
		t.Fatal(err)
	}
	d, _ := startDemo(t, append(kept.env, "ROLLWAY_DB="+filepath.Join(dir, "rollway.db"), "ROLLWAY_CONFIG="+filepath.Join(dir, "unreadable.toml"), "ROLLWAY_PUBLIC_URL=https://learn.example",
		"ROLLWAY_COURSEWARE_URL=https://content.example", "ROLLWAY_MAIL=smtps://user:secret@mail.example", "ROLLWAY_SIGNUP_MODE=join", "ROLLWAY_SIGNUP_JOIN=nowhere", "ROLLWAY_PASSWORD_MIN=3", "ROLLWAY_HTTP=127.0.0.1:"+port))
	if d.PublicURL != "http://localhost:"+port {
		t.Errorf("the demo takes %s from the environment of another house", d.PublicURL)
	}
	if after := list(); after != before || d.Data == dir {
		t.Errorf("a demo in %s turned\n%s\ninto\n%s", d.Data, before, after)
	}
	for _, flag := range []string{"--data=" + dir, "--db=" + filepath.Join(dir, "rollway.db"), "--config=" + filepath.Join(dir, "unreadable.toml")} {
		var errs bytes.Buffer
		if got := run(t.Context(), []string{"demo", flag}, io.Discard, &errs); got != exitUsage || !strings.Contains(errs.String(), "its own house") {
			t.Errorf("demo %s: status %d\n%s", flag, got, errs.String())
		}
	}
}

func TestTheDemoIsQuick(t *testing.T) {
	var took []time.Duration
	for range 3 {
		t.Run("start", func(t *testing.T) { // as its user would, without any setting; the data goes with it
			d, line := startDemo(t, environ("TMPDIR="+t.TempDir(), "HOME="+t.TempDir()))
			took = append(took, line)
			a, err := ask(t.Context(), "GET", d.LaunchURL, nil, "")
			if err != nil || a.status != 303 {
				t.Fatalf("the link answers %v %+v", err, a)
			}
			if to := a.header.Get("Location"); !strings.HasPrefix(to, "http://p-") {
				t.Errorf("the link leads to %s", to)
			}
		})
	}
	slices.Sort(took)
	t.Logf("proof: the demo prints a working link %v after it is started (median of %d, %v at the most)", took[len(took)/2].Round(time.Millisecond), len(took), took[len(took)-1].Round(time.Millisecond))
}
