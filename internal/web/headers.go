package web

import (
	"net/http"
	"strings"
)

// NoStore forbids every cache to keep the answer.
func NoStore(h http.Header) { h.Set("Cache-Control", "no-store") }

// StrictPolicy is the content security policy of answers that are no pages.
const StrictPolicy = "default-src 'none'; frame-ancestors 'none'"

// SecurityHeaders sets what every page and answer to a browser carries, with the content security policy given.
func SecurityHeaders(h http.Header, policy string) {
	h.Set("Content-Security-Policy", policy)
	h.Set("X-Content-Type-Options", "nosniff")
	// Addresses of pages may be secrets, so that browsers tell no path, not even to us. With no-referrer they would not say
	// either that a form of ours comes from us, by which it is told from another site's.
	h.Set("Referrer-Policy", "strict-origin")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
}

// Prefetched tells whether a browser asks for a page that nobody has opened yet.
func Prefetched(r *http.Request) bool {
	for _, h := range []string{"Sec-Purpose", "Purpose", "X-Moz", "X-Purpose"} {
		if v := strings.ToLower(r.Header.Get(h)); strings.Contains(v, "prefetch") || strings.Contains(v, "preview") || strings.Contains(v, "prerender") {
			return true
		}
	}
	return false
}
