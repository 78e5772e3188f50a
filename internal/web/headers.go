package web

import "net/http"

// NoStore forbids every cache to keep the answer.
func NoStore(h http.Header) { h.Set("Cache-Control", "no-store") }

// StrictPolicy is the content security policy of answers that are no pages.
const StrictPolicy = "default-src 'none'; frame-ancestors 'none'"

// SecurityHeaders sets what every page and answer to a browser carries, with the content security policy given.
func SecurityHeaders(h http.Header, policy string) {
	h.Set("Content-Security-Policy", policy)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
}
