package glpi

import (
	"crypto/subtle"
	"net/http"
	"strconv"

	"github.com/go-json-experiment/json"

	"rollway/internal/web"
)

// allowOrigin lets pages of every origin read the answer: the tokens, not cookies, say who is asking.
func allowOrigin(h http.Header, r *http.Request) {
	if r.Header.Get("Origin") == "" {
		return
	}
	h.Set("Access-Control-Allow-Origin", "*")
	if r.Method == http.MethodGet || r.Method == http.MethodHead || r.Method == http.MethodOptions {
		h.Set("Access-Control-Expose-Headers", "content-type, content-range, accept-range")
	}
}

// preflight answers what a browser asks before a request of another origin.
func preflight(h http.Header, r *http.Request) {
	if r.Header.Get("Access-Control-Request-Method") != "" {
		h.Set("Access-Control-Allow-Methods", "PUT, GET, POST, DELETE, OPTIONS")
	}
	if r.Header.Get("Access-Control-Request-Headers") != "" {
		h.Set("Access-Control-Allow-Headers", "origin, content-type, accept, session-token, authorization, app-token")
	}
}

func write(w http.ResponseWriter, r *http.Request, a answer) {
	if a.status == 0 {
		a.status = http.StatusOK
	}
	h := w.Header()
	if h.Get("Cache-Control") == "" {
		web.NoStore(h)
	}
	h.Set("X-Content-Type-Options", "nosniff")
	switch {
	case a.media != "":
		h.Set("Content-Type", a.media)
		send(w, r, a.status, a.raw)
	case a.body == nil:
		h.Set("Content-Length", "0")
		w.WriteHeader(a.status)
	default:
		writeJSON(w, r, a.status, a.body)
	}
}

func writeJSON(w http.ResponseWriter, r *http.Request, status int, v any) {
	b, err := json.Marshal(v, json.Deterministic(true))
	if err != nil {
		panic(err)
	}
	w.Header().Set("Content-Type", "application/json; charset=UTF-8")
	send(w, r, status, b)
}

func send(w http.ResponseWriter, r *http.Request, status int, b []byte) {
	if b != nil { // nil: it was not made, for HEAD
		w.Header().Set("Content-Length", strconv.Itoa(len(b)))
	}
	w.WriteHeader(status)
	if r.Method != http.MethodHead {
		_, _ = w.Write(b) // an error means that the client has gone
	}
}

func same(a, b string) bool { return subtle.ConstantTimeCompare([]byte(a), []byte(b)) == 1 }
