package web

import (
	"errors"
	"math"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/go-json-experiment/json"

	"rollway/internal/fault"
)

// Failure is an error on its way out.
type Failure struct {
	Status     int
	Fault      *fault.Error // of kind Internal for anything we did not foresee; its cause is not for showing
	Err        error        // what the handler returned, for dialects that put more into it
	RequestID  string
	RetryAfter time.Duration // on 429 and 503: when to come again
}

// Render writes a failure in a dialect.
type Render func(w http.ResponseWriter, r *http.Request, f Failure)

// What Retry-After says of errors that do not know better by having a method RetryAfter() time.Duration.
const (
	retryTooMany     = 30 * time.Second
	retryUnavailable = 5 * time.Second
)

func failureOf(err error, requestID string) Failure {
	f := Failure{Status: StatusOf(err), Fault: readable(fault.Of(err)), Err: err, RequestID: requestID}
	var told interface{ RetryAfter() time.Duration }
	switch {
	case f.Status != http.StatusTooManyRequests && f.Status != http.StatusServiceUnavailable:
	case errors.As(err, &told):
		f.RetryAfter = told.RetryAfter()
	case f.Status == http.StatusTooManyRequests:
		f.RetryAfter = retryTooMany
	default:
		f.RetryAfter = retryUnavailable
	}
	return f
}

// readable replaces bytes that are not UTF-8 in what a fault repeats of a request: no dialect could write them.
func readable(f *fault.Error) *fault.Error {
	c := *f
	c.Message = toUTF8(f.Message)
	c.Fields = slices.Clone(f.Fields)
	for i, field := range c.Fields {
		c.Fields[i] = fault.Field{Name: toUTF8(field.Name), Message: toUTF8(field.Message), Value: toUTF8(field.Value)}
	}
	return &c
}

func toUTF8(s string) string { return strings.ToValidUTF8(s, "\uFFFD") }

// Headers sets what every dialect's failures carry: not stored, Retry-After, and on 401 a challenge (RFC 9110 section
// 11.6.1) which is never Basic, since browsers answer that with a sign-in box in front of whatever page is open.
func (f Failure) Headers(h http.Header) {
	NoStore(h)
	h.Set("X-Content-Type-Options", "nosniff")
	if f.RetryAfter > 0 {
		h.Set("Retry-After", strconv.Itoa(max(1, int(math.Ceil(f.RetryAfter.Seconds())))))
	}
	if f.Status == http.StatusUnauthorized {
		h.Set("WWW-Authenticate", `Bearer realm="Rollway"`)
	}
}

type envelope struct {
	Code      int            `json:"code"`
	Name      string         `json:"name"`
	Body      []envelopeItem `json:"body"`
	RequestID string         `json:"requestId"`
}

type envelopeItem struct {
	Name        string  `json:"name"`
	Description string  `json:"description"`
	Property    string  `json:"property"`
	Value       *string `json:"value"`
	Code        string  `json:"code"`
}

// Envelope renders the error body that ClearXP documents, with the request id and our stable code as added members:
//
//	{"code":400,"name":"Bad Request","body":[{"name":"ValidationError","description":"…","property":"query","value":"…","code":"…"}],"requestId":"…"}
//
// Each field at fault is an item of body, its value null where nothing was received; a fault without fields is one item whose
// property is empty.
func Envelope(w http.ResponseWriter, _ *http.Request, f Failure) {
	e := envelope{Code: f.Status, Name: http.StatusText(f.Status), RequestID: f.RequestID}
	name := strings.ReplaceAll(e.Name, " ", "")
	if f.Fault.Kind == fault.Invalid {
		name = "ValidationError"
	}
	for _, field := range f.Fault.Fields {
		item := envelopeItem{Name: name, Description: sentences(f.Fault.Message, field.Message), Property: field.Name, Code: f.Fault.Code}
		if field.Value != "" {
			item.Value = &field.Value
		}
		e.Body = append(e.Body, item)
	}
	if e.Body == nil {
		e.Body = []envelopeItem{{Name: name, Description: f.Fault.Message, Code: f.Fault.Code}}
	}
	f.Headers(w.Header())
	WriteJSON(w, f.Status, e)
}

// sentences joins what is wrong in all with what is wrong with one field, unless the former says the latter already.
func sentences(all, field string) string {
	switch {
	case strings.Contains(all, strings.TrimSuffix(field, ".")):
		return all
	case all == "":
		return field
	}
	return all + " " + field
}

// WriteJSON answers v. An error in writing means that the client has gone, which net/http notices by itself; one in
// marshalling is ours, and panics.
func WriteJSON(w http.ResponseWriter, status int, v any) {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	h := w.Header()
	h.Set("Content-Type", "application/json")
	h.Set("Content-Length", strconv.Itoa(len(b)))
	w.WriteHeader(status)
	_, _ = w.Write(b)
}

var failurePage = newPlainPage(
	`footer{margin-top:2.5rem;font-size:.875rem;opacity:.8;overflow-wrap:anywhere}`,
	`<p>{{range spans .Fault.Message}}{{if .Code}}<code>{{.Text}}</code>{{else}}{{.Text}}{{end}}{{end}}</p>
{{- with .Fault.Fields}}
<ul>{{range .}}
<li>{{with .Name}}<code>{{.}}</code>: {{end}}{{.Message}}</li>{{end}}
</ul>
{{- end}}
{{- with .Advice}}
<p>{{.}}</p>
{{- end}}
</main>
<footer>Error {{.Status}} · <code>{{.Fault.Code}}</code> · request <code>{{.RequestID}}</code></footer>`,
	"form-action 'none'; frame-ancestors 'self'")

// span is a piece of a message; messages mark code with backquotes.
type span struct {
	Text string
	Code bool
}

func spans(message string) []span {
	var out []span
	for i, text := range strings.Split(message, "`") {
		if text != "" {
			out = append(out, span{text, i%2 == 1})
		}
	}
	return out
}

// Page renders a readable page: what happened, what to do, the code and the request id.
func Page(w http.ResponseWriter, _ *http.Request, f Failure) {
	h := w.Header()
	f.Headers(h)
	SecurityHeaders(h, failurePage.policy)
	h.Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(f.Status)
	words := pageWords[f.Fault.Kind]
	// The template is ours and its data plain, so that an error here means that the client has gone.
	_ = failurePage.Execute(w, struct {
		Failure
		Title, Advice string
	}{f, words[0], words[1]})
}

// pageWords are title and advice per kind.
var pageWords = [...][2]string{
	fault.Internal:        {"Something went wrong", "It was not your doing. Try again in a moment; if it stays, tell whoever sent you here and give the request number below."},
	fault.Invalid:         {"This link is not complete or not right", "Go back to where you found it and open it again, or ask whoever sent it for a new one."},
	fault.Unauthenticated: {"This link does not let you in", "It may have expired. Go back to where you found it and open it again."},
	fault.Forbidden:       {"You may not open this", "If you think you should, ask whoever sent you here."},
	fault.NotFound:        {"There is nothing here", "Check the address, or go back to where you found the link."},
	fault.Conflict:        {"This cannot be done now", ""},
	fault.Gone:            {"This link has been used or has expired", "Go back to where you found it and open it again."},
	fault.Precondition:    {"This has changed meanwhile", "Load it again and repeat what you did."},
	fault.TooLarge:        {"This is too large", ""},
	fault.TooMany:         {"Too many tries", "Wait a little, then try again."},
	fault.Unavailable:     {"We are not ready right now", "Try again in a moment."},
}

// Readable renders a page for browsers and the envelope for programs: the page if the request's Accept header (RFC 9110
// section 12.5.1) likes HTML better than JSON.
func Readable(w http.ResponseWriter, r *http.Request, f Failure) {
	w.Header().Add("Vary", "Accept")
	if PrefersHTML(r) {
		Page(w, r, f)
	} else {
		Envelope(w, r, f)
	}
}

// PrefersHTML reports whether the request's Accept header likes text/html better than application/json.
func PrefersHTML(r *http.Request) bool {
	accept := r.Header["Accept"]
	return len(accept) > 0 && quality(accept, "text/", "text/html") > quality(accept, "application/", "application/json")
}

// quality is the weight of a media type in an Accept header: that of the most specific range that covers it.
func quality(accept []string, family, media string) float64 {
	best, q := 0, 0.0
	for _, line := range accept {
		for part := range strings.SplitSeq(line, ",") {
			name, params, _ := strings.Cut(part, ";")
			specific := 0
			switch name = strings.ToLower(strings.TrimSpace(name)); name {
			case media:
				specific = 3
			case family + "*":
				specific = 2
			case "*/*":
				specific = 1
			}
			if specific > best {
				best, q = specific, weight(params)
			}
		}
	}
	return q
}

func weight(params string) float64 {
	for p := range strings.SplitSeq(params, ";") {
		k, v, _ := strings.Cut(strings.TrimSpace(p), "=")
		if strings.EqualFold(k, "q") {
			if q, err := strconv.ParseFloat(v, 64); err == nil && q >= 0 && q <= 1 {
				return q
			}
			return 0
		}
	}
	return 1
}
