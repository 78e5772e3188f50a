package portal

import (
	"bytes"
	"net/http"
	"strconv"

	"rollway/internal/web"
)

// policy is the content security policy of the pages; frames is what a page may show in frames.
func policy(frames string) string {
	p := "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; media-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'"
	if frames != "" {
		p += "; frame-src " + frames
	}
	return p
}

// write answers with a page. Nothing is sent of a page whose template fails.
func write(w http.ResponseWriter, status int, name string, p page) error {
	var b bytes.Buffer
	if err := templates[name].ExecuteTemplate(&b, "layout", p); err != nil {
		return err
	}
	h := w.Header()
	if h.Get("Content-Security-Policy") == "" {
		web.SecurityHeaders(h, policy("")+"; frame-ancestors 'none'")
	}
	if h.Get("Cache-Control") == "" {
		web.NoStore(h)
	}
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Language", p.framed().lang)
	h.Set("Content-Length", strconv.Itoa(b.Len()))
	h.Add("Vary", "Accept-Language, Cookie")
	w.WriteHeader(status)
	_, _ = w.Write(b.Bytes()) // an error means that the client has gone
	return nil
}
