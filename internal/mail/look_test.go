package mail

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"rollway/internal/browsertest"
)

// What people see, on a wide screen and on a phone, light and dark.
func TestLettersInABrowser(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		parts := strings.Split(strings.Trim(r.URL.Path, "/"), "/")
		if len(parts) != 2 { // a browser asks for an icon
			w.WriteHeader(http.StatusNoContent)
			return
		}
		l := full(Kind(parts[1]), parts[0])
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		w.Header().Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'") // as mail programs: nothing is loaded
		m, err := somebody.compose(l)
		if err != nil {
			t.Error(err)
			return
		}
		fmt.Fprint(w, receive(t, m.text).html)
	}))
	t.Cleanup(server.Close)
	b := browsertest.Open(t)
	look := func(lang string, kind Kind, colours string) {
		b.Go(server.URL + "/" + lang + "/" + string(kind))
		if lang == languages[0] || kind == Confirm {
			b.Axe()
			b.Readable()
			b.Screenshot(fmt.Sprintf("mail-%s-%s-wide-%s", lang, kind, colours))
			b.Size(360, 700)
			b.Targets(24)
			b.Screenshot(fmt.Sprintf("mail-%s-%s-phone-%s", lang, kind, colours))
			b.Size(600, 700)
		}
		b.Fits(320)
		b.Quiet()
	}
	b.Size(600, 700)
	for _, lang := range languages {
		for _, kind := range allKinds {
			look(lang, kind, "light")
		}
	}
	b.Dark()
	look("en", Confirm, "dark") // has everything that has a colour
}
