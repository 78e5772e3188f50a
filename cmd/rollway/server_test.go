package main

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"rollway/internal/db"
	"rollway/internal/db/dbtest"
	"rollway/internal/web/webtest"
)

// These tests are black-box: they build the product as it is shipped and speak to it as users do.

var built struct {
	once sync.Once
	dir  string
	err  error
}

func TestMain(m *testing.M) {
	code := m.Run()
	if err := os.RemoveAll(built.dir); err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}

// program is the path of the program, built once as it is shipped: without cgo.
func program() (string, error) {
	built.once.Do(func() {
		if built.dir, built.err = os.MkdirTemp("", "rollway-test-"); built.err != nil {
			return
		}
		build := exec.Command("go", "build", "-o", filepath.Join(built.dir, "rollway"), ".")
		build.Env = append(os.Environ(), "CGO_ENABLED=0")
		if out, err := build.CombinedOutput(); err != nil {
			built.err = fmt.Errorf("build: %w\n%s", err, out)
		}
	})
	return filepath.Join(built.dir, "rollway"), built.err
}

// environ is what a program under test sees of ours: nothing that could configure it.
func environ(more ...string) []string {
	var env []string
	for _, e := range os.Environ() {
		if !strings.HasPrefix(e, "ROLLWAY_") && !strings.HasPrefix(e, "XDG_") && !strings.HasPrefix(e, "STATE_DIRECTORY=") {
			env = append(env, e)
		}
	}
	return append(env, more...)
}

// server is one `rollway serve`, which can be killed and started again on the same addresses and data.
type server struct {
	url        string // http://localhost:PORT
	courseware string
	env        []string
	args       []string
	cmd        *exec.Cmd
	log        *lockedBuffer
	exited     chan struct{}
	readyIn    time.Duration // how long the last start took to answer /readyz
}

type lockedBuffer struct {
	sync.Mutex
	b bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.Lock()
	defer l.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.Lock()
	defer l.Unlock()
	return l.b.String()
}

// newServer prepares a server whose environment says where its data is; start starts it.
func newServer(env []string, args ...string) (*server, error) {
	main, err := webtest.Port()
	if err != nil {
		return nil, err
	}
	second, err := webtest.Port()
	if err != nil {
		return nil, err
	}
	args = append([]string{"serve", "--http", "127.0.0.1:" + main, "--courseware-http", "127.0.0.1:" + second}, args...)
	return &server{url: "http://localhost:" + main, courseware: "http://localhost:" + second, env: env, args: args, log: &lockedBuffer{}}, nil
}

// start starts the server and returns when it is ready.
func (s *server) start() error {
	path, err := program()
	if err != nil {
		return err
	}
	began := time.Now()
	s.cmd = exec.Command(path, s.args...)
	s.cmd.Env, s.cmd.Stderr = s.env, s.log
	if err := s.cmd.Start(); err != nil {
		return err
	}
	exited, cmd := make(chan struct{}), s.cmd
	s.exited = exited
	go func() {
		_ = cmd.Wait() // how it ended is in ProcessState
		close(exited)
	}()
	for deadline := time.Now().Add(30 * time.Second); time.Now().Before(deadline); {
		if a, err := ask(context.Background(), "GET", s.url+"/readyz", nil, ""); err == nil && a.status == http.StatusOK {
			s.readyIn = time.Since(began)
			return nil
		}
		select {
		case <-exited:
			return fmt.Errorf("the server ended: %v\n%s", s.cmd.ProcessState, s.log)
		case <-time.After(5 * time.Millisecond):
		}
	}
	return errors.Join(fmt.Errorf("the server was not ready in 30 s\n%s", s.log), s.kill())
}

// kill ends the server with SIGKILL and returns when it is gone.
func (s *server) kill() error {
	if err := s.cmd.Process.Kill(); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return err
	}
	<-s.exited
	return nil
}

// stop ends the server as an operator does; anything but exit status 0 is an error.
func (s *server) stop() error {
	if err := s.cmd.Process.Signal(syscall.SIGTERM); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return err
	}
	select {
	case <-s.exited:
	case <-time.After(25 * time.Second):
		return errors.Join(errors.New("the server did not end within 25 s of SIGTERM"), s.kill())
	}
	if !s.cmd.ProcessState.Success() {
		return fmt.Errorf("the server ended with %v\n%s", s.cmd.ProcessState, s.log)
	}
	return nil
}

// house is a running server with its data and command line, for tests in Go.
type house struct {
	testing.TB
	*server
}

// newHouse serves an empty installation on an engine until the test ends.
func newHouse(t testing.TB, e db.Engine) *house {
	t.Helper()
	return houseAt(t, dbtest.URL(t, e))
}

func houseAt(t testing.TB, url string) *house {
	t.Helper()
	h := &house{TB: t}
	var err error
	h.server, err = newServer(environ("ROLLWAY_DATA="+t.TempDir(), "ROLLWAY_DB="+url))
	h.must(err)
	h.must(h.start())
	t.Cleanup(func() {
		if err := h.stop(); err != nil {
			t.Error(err)
		}
	})
	return h
}

func (h *house) must(err error) {
	h.Helper()
	if err != nil {
		h.Fatal(err)
	}
}

// run runs another command of the program on the server's data, and returns what it prints.
func (h *house) run(args ...string) string {
	h.Helper()
	path, err := program()
	h.must(err)
	cmd := exec.Command(path, args...)
	cmd.Env = h.env
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err := cmd.Run(); err != nil {
		h.Fatalf("rollway %s: %v\n%s", strings.Join(args, " "), err, &errs)
	}
	return out.String()
}

// token makes a service account and returns its token.
func (h *house) token(scopes string) string {
	h.Helper()
	return pick(h, h.run("service-account", "create", "--name", "test", "--scope", scopes, "-o", "json"), "/token")
}

// ask asks the server something and fails the test when no answer comes. Headers are "Name: value".
func (h *house) ask(method, path string, headers []string, body string) answer {
	h.Helper()
	a, err := ask(h.Context(), method, h.url+path, headers, body)
	h.must(err)
	return a
}

// want is ask for an answer of that status.
func (h *house) want(status int, method, path string, headers []string, body string) answer {
	h.Helper()
	a := h.ask(method, path, headers, body)
	if a.status != status {
		h.Fatalf("%s %s answers %d, not %d: %s", method, path, a.status, status, a.body)
	}
	return a
}

// answer is what a server said.
type answer struct {
	status int
	header http.Header
	body   string
}

// client follows no redirects and asks without proxies. It is for many requests at once.
var client = &http.Client{
	Transport: &http.Transport{MaxIdleConnsPerHost: 128, DialContext: (&net.Dialer{Timeout: 5 * time.Second}).DialContext, TLSClientConfig: &tls.Config{}},
	Timeout:   30 * time.Second,
	CheckRedirect: func(*http.Request, []*http.Request) error {
		return http.ErrUseLastResponse
	},
}

func ask(ctx context.Context, method, url string, headers []string, body string) (answer, error) {
	r, err := http.NewRequestWithContext(ctx, method, url, strings.NewReader(body))
	if err != nil {
		return answer{}, err
	}
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	if strings.Contains(url, "/xapi/") {
		r.Header.Set("X-Experience-API-Version", "1.0.3")
	}
	for i, h := range headers {
		name, value, _ := strings.Cut(h, ":")
		if value = strings.TrimSpace(value); i > 0 && strings.HasPrefix(headers[i-1], name+":") {
			r.Header.Add(name, value)
		} else {
			r.Header.Set(name, value)
		}
	}
	return send(client, r)
}

func send(c *http.Client, r *http.Request) (answer, error) {
	a, err := c.Do(r)
	if err != nil {
		return answer{}, err
	}
	defer a.Body.Close()
	text, err := io.ReadAll(a.Body)
	return answer{a.StatusCode, a.Header, string(text)}, err
}

// member finds what a JSON pointer names; of an answer that curl printed with its headers, in the body.
func member(text, pointer string) (jsontext.Value, error) {
	if strings.HasPrefix(text, "HTTP/") {
		_, text, _ = strings.Cut(text, "\r\n\r\n")
	}
	v := jsontext.Value(strings.TrimSpace(text))
	if err := v.Canonicalize(); err != nil {
		return nil, fmt.Errorf("%.300q is not JSON: %w", text, err)
	}
	for token := range jsontext.Pointer(pointer).Tokens() {
		var object map[string]jsontext.Value
		var array []jsontext.Value
		found := false
		switch v.Kind() {
		case '{':
			if err := json.Unmarshal(v, &object); err != nil {
				return nil, err
			}
			v, found = object[token]
		case '[':
			if err := json.Unmarshal(v, &array); err != nil {
				return nil, err
			}
			var i int
			if _, err := fmt.Sscan(token, &i); err == nil && i >= 0 && i < len(array) {
				v, found = array[i], true
			}
		}
		if !found {
			return nil, fmt.Errorf("%.600s has nothing at %s", text, pointer)
		}
	}
	return v, nil
}

// plain is a JSON string's text, and any other value as it is written.
func plain(v jsontext.Value) string {
	var s string
	if v.Kind() != '"' || json.Unmarshal(v, &s) != nil {
		return string(v)
	}
	return s
}

func pick(t testing.TB, text, pointer string) string {
	t.Helper()
	v, err := member(text, pointer)
	if err != nil {
		t.Fatal(err)
	}
	return plain(v)
}

// newLoopback serves a handler on loopback until the test ends, and returns its address by the name localhost.
func newLoopback(t testing.TB, h http.Handler) string {
	t.Helper()
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	return strings.Replace(s.URL, "127.0.0.1", "localhost", 1)
}
