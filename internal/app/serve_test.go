package app

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"testing"

	"rollway/internal/db"
	"rollway/internal/db/dbtest"
)

// serve has a house answer requests until the test ends, and closes it.
func serve(t *testing.T, h *House) *Serving {
	t.Helper()
	s, err := h.Serve(t.Context(), slog.New(slog.NewTextHandler(io.Discard, nil)))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Shutdown(context.Background()); err != nil {
			t.Error(err)
		}
		if err := h.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// The first origin answers under its own names only, but probes under any.
func TestMainOriginAnswersToItsNames(t *testing.T) {
	t.Parallel()
	h, err := Open(t.Context(), Config{Data: t.TempDir(), DB: dbtest.URL(t, db.SQLite), HTTP: "127.0.0.1:0", CoursewareHTTP: "127.0.0.1:0", PublicURL: "https://Learn.example:8443", CoursewareURL: "https://content.example"})
	if err != nil {
		t.Fatal(err)
	}
	s := serve(t, h)
	for host, want := range map[string]int{
		"learn.example": 200, "LEARN.example:8443": 200, "localhost:8080": 200, "127.0.0.1": 200, "[::1]:8080": 200,
		"rebound.example": 421, "content.example": 421, "x.learn.example": 421, "10.0.0.7": 421,
	} {
		for path, want := range map[string]int{"/xapi/about": want, "/healthz": 200, "/readyz": 200} {
			r, err := http.NewRequestWithContext(t.Context(), "GET", "http://"+s.Main.String()+path, nil)
			if err != nil {
				t.Fatal(err)
			}
			r.Host = host
			res, err := http.DefaultClient.Do(r)
			if err != nil {
				t.Fatal(err)
			}
			res.Body.Close()
			if res.StatusCode != want {
				t.Errorf("%s%s: %d, want %d", host, path, res.StatusCode, want)
			}
		}
	}
}

func TestMainHosts(t *testing.T) {
	t.Parallel()
	for listen, want := range map[string]string{
		"127.0.0.1:80": "[a.example localhost 127.0.0.1 ::1 127.0.0.1]", "0.0.0.0:80": "[a.example localhost 127.0.0.1 ::1]", "[::]:80": "[a.example localhost 127.0.0.1 ::1]",
		":80": "[a.example localhost 127.0.0.1 ::1]", "10.0.0.7:80": "[a.example localhost 127.0.0.1 ::1 10.0.0.7]", "[2001:db8::1]:80": "[a.example localhost 127.0.0.1 ::1 2001:db8::1]", "Host.lan:80": "[a.example localhost 127.0.0.1 ::1 host.lan]",
	} {
		h := House{Config: Config{HTTP: listen, PublicURL: "https://a.example:1"}}
		if got := fmt.Sprint(h.mainHosts()); got != want {
			t.Errorf("%s: %s, want %s", listen, got, want)
		}
	}
}
