package lrsapi

import (
	"net/http"
	"unicode/utf8"

	"rollway/internal/fault"
	"rollway/xapi"
)

// Names of headers, in the form in which net/http keeps them.
const (
	versionHeader    = "X-Experience-Api-Version"
	writtenVersion   = "X-Experience-API-Version"
	writtenThrough   = "X-Experience-API-Consistent-Through"
	preStandard      = "0.95"
	latest           = xapi.V2
	exposed          = "ETag, Last-Modified, Content-Type, " + writtenVersion + ", " + writtenThrough + ", Retry-After, X-Request-Id"
	allowedHeaders   = "Authorization, Content-Type, If-Match, If-None-Match, Accept, Accept-Language, " + writtenVersion
	allowedMethods   = "GET, HEAD, PUT, POST, DELETE, OPTIONS"
	preflightSeconds = "7200" // as long as browsers keep it at most
)

// negotiate reads which line of the standard the request follows (Communication 3.3) and answers the latest patch of it. A
// request without the header is by that text a pre-1.0 one: we do not speak that, and say so as 0.95, the only answer that
// neither the 1.0.3 nor the 2.0 conformance tests take for a wrong one.
func negotiate(h http.Header, r *http.Request) (xapi.Version, error) {
	sent := r.Header[versionHeader]
	if len(sent) == 0 {
		set(h, writtenVersion, preStandard)
		return 0, fault.New(fault.Invalid, "version_missing", "Each request needs the header %s: 1.0.3 or 2.0.0.", writtenVersion).
			With(fault.Field{Name: writtenVersion, Message: "It is missing."})
	}
	line, err := xapi.ParseVersionHeader(sent[0])
	if err != nil || len(sent) > 1 {
		line = xapi.V1
		if sent[0] != "" && sent[0][0] >= '2' {
			line = xapi.V2
		}
		set(h, writtenVersion, line.String())
		return 0, fault.New(fault.Invalid, "version_unsupported", "This record store speaks xAPI 1.0.x and 2.0.x.").
			With(fault.Field{Name: writtenVersion, Message: "It must be 1.0.x or 2.0.x, once.", Value: clip(sent[0])})
	}
	set(h, writtenVersion, line.String())
	return line, nil
}

// set writes a header in the letters of the standard, which some clients look for.
func set(h http.Header, name, value string) { h[name] = []string{value} }

// openToPages lets scripts of any origin in (CORS protocol of the Fetch standard): content lives on origins of its own. The
// door knows no cookies, so that a page can do no more than what its own credential may.
func openToPages(h http.Header) {
	set(h, "Access-Control-Allow-Origin", "*")
	set(h, "Access-Control-Expose-Headers", exposed)
}

// preflight answers OPTIONS without asking who is calling, since browsers send no credentials with it.
func preflight(w http.ResponseWriter, r *http.Request, allow string) {
	h := w.Header()
	set(h, "Allow", allow)
	set(h, writtenVersion, latest.String())
	if r.Header.Get("Access-Control-Request-Method") != "" {
		set(h, "Access-Control-Allow-Methods", allowedMethods)
		set(h, "Access-Control-Allow-Headers", allowedHeaders)
		set(h, "Access-Control-Max-Age", preflightSeconds)
	}
	w.WriteHeader(http.StatusNoContent)
}

// clip shortens what a fault repeats, between two characters.
func clip(s string) string {
	if len(s) <= 40 {
		return s
	}
	n := 40
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n] + "…"
}
