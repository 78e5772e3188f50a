package web

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/go-json-experiment/json"

	"rollway/internal/access"
	"rollway/internal/fault"
)

// logged is a log that a test reads.
func logged() (*slog.Logger, *bytes.Buffer) {
	var b bytes.Buffer
	return slog.New(slog.NewJSONHandler(&b, nil)), &b
}

func answer(h http.Handler, r *http.Request) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

type late struct{ error }

func (late) RetryAfter() time.Duration { return 1500 * time.Millisecond }
func (l late) Unwrap() error           { return l.error }

func TestStatuses(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		err    error
		status int
		retry  string
	}{
		{errors.New("a bug"), 500, ""},
		{fault.New(fault.Invalid, "x", "m"), 400, ""},
		{fmt.Errorf("in: %w", fault.New(fault.Unauthenticated, "x", "m")), 401, ""},
		{fault.New(fault.Forbidden, "x", "m"), 403, ""},
		{fault.New(fault.NotFound, "x", "m"), 404, ""},
		{WithStatus(405, fault.New(fault.Invalid, "x", "m")), 405, ""},
		{fault.New(fault.Conflict, "x", "m"), 409, ""},
		{fault.New(fault.Gone, "x", "m"), 410, ""},
		{fault.New(fault.Precondition, "x", "m"), 412, ""},
		{fault.New(fault.TooLarge, "x", "m"), 413, ""},
		{fault.New(fault.TooMany, "x", "m"), 429, "30"},
		{late{fault.New(fault.TooMany, "x", "m")}, 429, "2"},
		{fault.New(fault.Unavailable, "x", "m"), 503, "5"},
	} {
		log, _ := logged()
		h := Guard(Config{Log: log}, Handle(Envelope, func(http.ResponseWriter, *http.Request) error { return c.err }))
		w := answer(h, httptest.NewRequest("GET", "/api/x", nil))
		if w.Code != c.status || w.Header().Get("Retry-After") != c.retry {
			t.Errorf("%v: %d, Retry-After %q", c.err, w.Code, w.Header().Get("Retry-After"))
		}
		var e envelope
		if err := json.Unmarshal(w.Body.Bytes(), &e); err != nil {
			t.Fatal(err)
		}
		if e.Code != c.status || e.Name != http.StatusText(c.status) || len(e.Body) != 1 || e.RequestID == "" || e.RequestID != w.Header().Get("X-Request-Id") {
			t.Errorf("envelope %+v", e)
		}
		if auth := w.Header().Get("WWW-Authenticate"); strings.Contains(auth, "Basic") || (auth == "") == (c.status == 401) {
			t.Errorf("%d: WWW-Authenticate %q", c.status, auth)
		}
	}
}

func TestEnvelopeIsTheDocumentedOne(t *testing.T) {
	t.Parallel()
	h := Handle(Envelope, func(http.ResponseWriter, *http.Request) error {
		return fault.New(fault.Invalid, "bad_ttl", "The body is not right.").With(fault.Field{Name: "/ttlMins", Message: "It must be positive.", Value: "-1"})
	})
	w := answer(h, httptest.NewRequest("GET", "/", nil))
	got := strings.ReplaceAll(w.Body.String(), w.Header().Get("X-Request-Id"), "ID")
	const want = `{"code":400,"name":"Bad Request","body":[{"name":"ValidationError","description":"The body is not right. It must be positive.","property":"/ttlMins","value":"-1","code":"bad_ttl"}],"requestId":"ID"}`
	if got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func TestReadableNegotiates(t *testing.T) {
	t.Parallel()
	for accept, html := range map[string]bool{
		"": false, "*/*": false, "application/json": false, "text/html": true,
		"text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8": true,
		"application/json, text/html;q=0.5":                               false,
		"text/*":                                                          true,
		"text/html;q=0":                                                   false,
		"text/html;q=x":                                                   false,
		"application/json;q=0.2,text/html;q=0.3":                          true,
	} {
		r := httptest.NewRequest("GET", "/", nil)
		if accept != "" {
			r.Header.Set("Accept", accept)
		}
		w := answer(Handle(Readable, func(http.ResponseWriter, *http.Request) error {
			return fault.New(fault.NotFound, "no_activity", "No <activity> is here.")
		}), r)
		if got := strings.HasPrefix(w.Header().Get("Content-Type"), "text/html"); got != html {
			t.Errorf("%q: html %v", accept, got)
		}
		if html && (!strings.Contains(w.Body.String(), "No &lt;activity&gt; is here.") || !strings.Contains(w.Body.String(), w.Header().Get("X-Request-Id")) || strings.Contains(w.Header().Get("Content-Security-Policy"), "unsafe")) {
			t.Errorf("page: %v %s", w.Header(), w.Body)
		}
	}
}

func TestInternalErrorsAreLoggedOnceAndNeverShown(t *testing.T) {
	t.Parallel()
	for name, h := range map[string]Handler{
		"error": func(http.ResponseWriter, *http.Request) error { return errors.New("disk on fire") },
		"panic": func(http.ResponseWriter, *http.Request) error { panic("disk on fire") },
	} {
		log, lines := logged()
		w := answer(Guard(Config{Log: log}, Handle(Envelope, h)), httptest.NewRequest("GET", "/api/x", nil))
		if w.Code != 500 || strings.Contains(w.Body.String(), "fire") {
			t.Errorf("%s: %d %s", name, w.Code, w.Body)
		}
		if got := lines.String(); strings.Count(got, "disk on fire") != 1 || strings.Count(got, "\n") != 1 || !strings.Contains(got, w.Header().Get("X-Request-Id")) || strings.Contains(got, `"stack"`) != (name == "panic") {
			t.Errorf("%s: log %s", name, got)
		}
	}
}

func TestErrorAfterTheFirstByteCutsTheConnection(t *testing.T) {
	t.Parallel()
	log, lines := logged()
	s := httptest.NewServer(Guard(Config{Log: log}, Handle(Envelope, func(w http.ResponseWriter, _ *http.Request) error {
		if _, err := io.WriteString(w, strings.Repeat("x", 10_000)); err != nil {
			return err
		}
		return errors.New("rows broke off")
	})))
	res, err := http.Get(s.URL)
	if err == nil {
		_, err = io.ReadAll(res.Body)
		res.Body.Close()
	}
	if err == nil {
		t.Error("half an answer was taken for a whole one")
	}
	s.Close()
	if !strings.Contains(lines.String(), "rows broke off") || !strings.Contains(lines.String(), `"level":"ERROR"`) {
		t.Errorf("log: %s", lines)
	}
}

func TestClientThatLeavesIsNoFailureOfOurs(t *testing.T) {
	t.Parallel()
	log, lines := logged()
	s := httptest.NewServer(Guard(Config{Log: log}, Handle(Envelope, func(w http.ResponseWriter, _ *http.Request) error {
		for {
			if _, err := w.Write(make([]byte, 64<<10)); err != nil {
				return err
			}
		}
	})))
	res, err := http.Get(s.URL)
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	s.Close()
	if got := lines.String(); !strings.Contains(got, `"status":499`) || !strings.Contains(got, `"level":"INFO"`) || strings.Contains(got, "error") {
		t.Errorf("log: %s", got)
	}
}

func TestMountAnswersMethodsAndUnknownPaths(t *testing.T) {
	t.Parallel()
	mux := http.NewServeMux()
	hello := func(w http.ResponseWriter, _ *http.Request) error { return say(w, "hello") }
	Mount(mux, "/api/", Envelope, Routes{"GET /api/a/{token}": hello, "PUT /api/a/{token}": hello, "POST /api/b": hello, "/api/d": hello})
	for _, c := range []struct {
		method, path string
		status       int
		allow        string
	}{
		{"GET", "/api/a/1", 200, ""}, {"HEAD", "/api/a/1", 200, ""}, {"PUT", "/api/a/1", 200, ""},
		{"DELETE", "/api/a/1", 405, "GET, HEAD, OPTIONS, PUT"}, {"OPTIONS", "/api/a/1", 204, "GET, HEAD, OPTIONS, PUT"},
		{"HEAD", "/api/b", 405, "OPTIONS, POST"}, {"GET", "/api/c", 404, ""}, {"PATCH", "/api/d", 200, ""},
	} {
		w := answer(mux, httptest.NewRequest(c.method, c.path, nil))
		if w.Code != c.status || w.Header().Get("Allow") != c.allow {
			t.Errorf("%s %s: %d %q", c.method, c.path, w.Code, w.Header().Get("Allow"))
		}
	}
}

func TestUnderRedirectsNothing(t *testing.T) {
	t.Parallel()
	door := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, "door "+r.URL.Path) })
	h := Under("/xapi/", door, http.NewServeMux())
	for path, want := range map[string]string{"/xapi//statements": "door /xapi//statements", "/xapi": "door /xapi", "/xapix": "404 page not found\n"} {
		if w := answer(h, httptest.NewRequest("GET", path, nil)); w.Body.String() != want {
			t.Errorf("%s: %d %q", path, w.Code, w.Body)
		}
	}
}

func TestCallerIsNoted(t *testing.T) {
	t.Parallel()
	log, lines := logged()
	d := Door{Authenticate: func(_ context.Context, r *http.Request) (access.Caller, error) {
		if r.Header.Get("Authorization") == "" {
			return access.Caller{}, fault.New(fault.Unauthenticated, "no_credential", "Who are you?")
		}
		return access.Caller{Name: "service account lms"}, nil
	}}
	mux := http.NewServeMux()
	Mount(mux, "", Envelope, Routes{"GET /x/{token}": func(_ http.ResponseWriter, r *http.Request) error {
		_, err := d.Caller(r)
		return err
	}})
	r := httptest.NewRequest("GET", "/x/ab", nil)
	r.Header.Set("Authorization", "Basic Zm9vOmJhcg==")
	r.Header.Set("X-Request-Id", "theirs-1")
	h := Guard(Config{Log: log}, mux)
	if w := answer(h, r); w.Code != 200 || w.Header().Get("X-Request-Id") == "theirs-1" {
		t.Errorf("%d %v", w.Code, w.Header())
	}
	for _, want := range []string{`"caller":"service account lms"`, `"client_request_id":"theirs-1"`, `"route":"/x/{token}"`, `"path":"/x/[secret]"`, `"client":"192.0.2.1"`} {
		if !strings.Contains(lines.String(), want) {
			t.Errorf("no %s in %s", want, lines)
		}
	}
	if w := answer(h, httptest.NewRequest("GET", "/x/ab", nil)); w.Code != 401 {
		t.Errorf("without credential %d", w.Code)
	}
}

func TestHealth(t *testing.T) {
	t.Parallel()
	log, lines := logged()
	ready := errors.New("migrating")
	mux := http.NewServeMux()
	Mount(mux, "", Readable, Routes{"GET /healthz": Healthz, "GET /readyz": Readyz(func(context.Context) error { return ready })})
	h := Guard(Config{Log: log}, mux)
	get := func(path string) *httptest.ResponseRecorder { return answer(h, httptest.NewRequest("GET", path, nil)) }
	if w := get("/healthz"); w.Code != 200 || lines.Len() != 0 {
		t.Errorf("healthz %d, log %s", w.Code, lines)
	}
	if w := get("/readyz"); w.Code != 503 || w.Header().Get("Retry-After") == "" || strings.Contains(w.Body.String(), "migrating") || !strings.Contains(lines.String(), "migrating") {
		t.Errorf("readyz %d %s, log %s", w.Code, w.Body, lines)
	}
	ready = nil
	if w := get("/readyz"); w.Code != 200 {
		t.Errorf("readyz %d", w.Code)
	}
}

// What is no UTF-8 in a request is repeated in no dialect's way, and breaks no answer.
func TestFaultsRepeatBytesThatAreNoText(t *testing.T) {
	t.Parallel()
	for _, render := range []Render{Envelope, Page} {
		w := answer(Handle(render, func(http.ResponseWriter, *http.Request) error {
			return fault.New(fault.Invalid, "bad", "The \xff is wrong.").With(fault.Field{Name: "a\xfe", Message: "Not \xc3.", Value: "\xff\xfe1"})
		}), httptest.NewRequest("GET", "/", nil))
		if body := w.Body.String(); w.Code != 400 || !utf8.ValidString(body) || !strings.Contains(body, "The \uFFFD is wrong.") {
			t.Errorf("%d %q", w.Code, body)
		}
	}
}
