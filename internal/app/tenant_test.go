package app

import (
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/go-json-experiment/json"

	"rollway/internal/db"
	"rollway/internal/db/dbtest"
	"rollway/internal/web"
)

// tenant is a furnished house with a client of its main origin.
type tenant struct {
	*testing.T
	house  *House
	demo   Demo
	server *httptest.Server
}

// each furnishes a house on every engine.
func each(t *testing.T, fn func(t *tenant)) {
	eachEngine(t, func(t *testing.T, e db.Engine) { fn(furnished(t, e)) })
}

// eachEngine runs a test on every engine at once.
func eachEngine(t *testing.T, fn func(t *testing.T, e db.Engine)) {
	t.Parallel()
	dbtest.EachEngine(t, fn)
}

func (t *tenant) must(err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func furnished(t *testing.T, e db.Engine) *tenant {
	t.Helper()
	h, err := Open(t.Context(), Config{Data: t.TempDir(), DB: dbtest.URL(t, e)})
	if err != nil {
		t.Fatal(err)
	}
	demo, err := h.Furnish(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	quiet := web.Config{Log: slog.New(slog.NewTextHandler(io.Discard, nil))}
	server := httptest.NewServer(web.Guard(quiet, h.main()))
	server.Client().CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	t.Cleanup(func() {
		server.Close()
		if err := h.Close(); err != nil {
			t.Error(err)
		}
	})
	return &tenant{t, h, demo, server}
}

// reply is an answer with its body.
type reply struct {
	*http.Response
	text string
}

// code is the stable word of an error in ClearXP's form.
func (r reply) code() string {
	var body struct {
		Body []struct {
			Code string `json:"code"`
		} `json:"body"`
	}
	if err := json.Unmarshal([]byte(r.text), &body); err != nil || len(body.Body) == 0 {
		return ""
	}
	return body.Body[0].Code
}

// ask sends a request with the demo's token unless headers say otherwise ("Name: value").
func (t *tenant) ask(method, path, body string, headers ...string) reply {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, t.server.URL+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", t.demo.Account.Token)
	if body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	for _, h := range headers {
		name, value, _ := strings.Cut(h, ": ")
		req.Header.Set(name, value)
		if value == "" {
			req.Header.Del(name)
		}
	}
	res, err := t.server.Client().Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return reply{res, string(text)}
}

func (t *tenant) wants(r reply, status int, code string) {
	t.Helper()
	if r.StatusCode != status || (code != "" && r.code() != code) {
		t.Errorf("%s %s: got %d %s, want %d %s\n%s", r.Request.Method, r.Request.URL.Path, r.StatusCode, r.code(), status, code, r.text)
	}
}
