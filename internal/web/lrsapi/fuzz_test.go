package lrsapi_test

import (
	"net/http"
	"strings"
	"testing"

	"rollway/internal/db"
	"rollway/internal/db/dbtest"
)

// Whatever is sent, the door answers with a version and CORS headers, and nothing is our fault.
func FuzzDoor(f *testing.F) {
	f.Add("PUT", state, "Content-Type: text/\xff\xff", "x")
	for _, e := range exchanges {
		f.Add(e.method, e.path, e.header, e.body)
	}
	s := serve(f, dbtest.Open(f, db.SQLite))
	f.Fuzz(func(t *testing.T, method, path, header, body string) {
		r, err := http.NewRequestWithContext(t.Context(), method, s.URL+"/xapi/"+path, http.NoBody)
		if err != nil || r.Method != method || method == "CONNECT" {
			return // not for this door
		}
		if strings.ContainsFunc(r.URL.RawQuery, func(c rune) bool { return c <= ' ' || c == 0x7f }) || !sendable(header) {
			return // net/http sends such a query as it is and refuses it
		}
		a := s.do(t, exchange{method: method, path: path, header: header, body: body})
		if a.status >= 500 {
			t.Errorf("%d %s", a.status, a.body)
		}
		if a.header.Get("X-Experience-API-Version") == "" || a.header.Get("Access-Control-Allow-Origin") != "*" || a.header.Get("X-Request-Id") == "" {
			t.Errorf("%d %v", a.status, a.header)
		}
	})
}

// sendable tells whether net/http would send these header lines as they are.
func sendable(header string) bool {
	for line := range strings.Lines(header) {
		name, value, _ := strings.Cut(strings.TrimSpace(line), ":")
		if name == "" || strings.Trim(strings.ToLower(name), "abcdefghijklmnopqrstuvwxyz-") != "" || strings.EqualFold(name, "Expect") {
			return false
		}
		for _, c := range value {
			if c < ' ' || c == 0x7f {
				return false
			}
		}
	}
	return true
}
