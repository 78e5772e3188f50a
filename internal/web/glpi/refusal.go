package glpi

import (
	"errors"
	"math"
	"net/http"
	"strconv"
	"strings"
	"time"

	"rollway/internal/fault"
	"rollway/internal/web"
)

// The codes of the dialect's errors.
const (
	codeError           = "ERROR"
	codeNotAllowedIP    = "ERROR_NOT_ALLOWED_IP"
	codeAppTokenMissing = "ERROR_APP_TOKEN_PARAMETERS_MISSING"
	codeAppTokenWrong   = "ERROR_WRONG_APP_TOKEN_PARAMETER"
	codeLoginMissing    = "ERROR_LOGIN_PARAMETERS_MISSING"
	codeLoginDisabled   = "ERROR_LOGIN_WITH_CREDENTIALS_DISABLED"
	codeUserToken       = "ERROR_GLPI_LOGIN_USER_TOKEN"
	codeLogin           = "ERROR_GLPI_LOGIN"
	codeSessionMissing  = "ERROR_SESSION_TOKEN_MISSING"
	codeSessionInvalid  = "ERROR_SESSION_TOKEN_INVALID"
	codeNotFound        = "ERROR_RESOURCE_NOT_FOUND_NOR_COMMONDBTM"
	codeMissing         = "ERROR_RESOURCE_MISSING"
	codeBadArray        = "ERROR_BAD_ARRAY"
	codeBadJSON         = "ERROR_JSON_PAYLOAD_INVALID"
	codeNoJSON          = "ERROR_JSON_PAYLOAD_FORBIDDEN"
	codeRight           = "ERROR_RIGHT_MISSING"
	codeItem            = "ERROR_ITEM_NOT_FOUND"
	codeRange           = "ERROR_RANGE_EXCEED_TOTAL"
	codeMethod          = "ERROR_METHOD_NOT_ALLOWED"
)

// Texts that stand in more than one place.
const (
	textRight    = "You don't have permission to perform this action."
	textItem     = "Item not found"
	textNoForm   = "JSON payload is sent as a form. Add the header Content-Type: application/json (curl -d says application/x-www-form-urlencoded by itself)"
	textBadArray = "input parameter must be an array of objects"
	textSession  = "session_token seems invalid" // dashboards sign out on exactly this
)

// refusal is an error as the dialect answers it: ["CODE","text"], or the results of several items in place of the text.
type refusal struct {
	status  int
	code    string
	text    string
	results []map[string]any
	retry   time.Duration // Retry-After
	cause   error         // what a room said, for the log
}

func refuse(status int, code, text string) *refusal {
	return &refusal{status: status, code: code, text: text}
}

// because keeps what a room said: its code and cause for the log, and when to come again for the answer.
func (f *refusal) because(err error) *refusal {
	f.cause = err
	var told interface{ RetryAfter() time.Duration }
	if errors.As(err, &told) {
		f.retry = told.RetryAfter()
	}
	return f
}

// ours tells that it is no mistake of the client's.
func (f *refusal) ours() bool { return f.status >= http.StatusInternalServerError }

func (f *refusal) Error() string { return f.code + " " + f.text }

// outgoing is a refusal on its way out: what the house logs, and how Refuse finds the refusal again.
type outgoing struct {
	refusal *refusal
	logged  error
}

func (o *outgoing) Error() string   { return o.refusal.Error() }
func (o *outgoing) Unwrap() []error { return []error{o.logged, o.refusal} }

func (f *refusal) outgoing() error {
	said := fault.Of(f.cause)
	if f.cause == nil {
		said = fault.New(fault.Invalid, f.code, "%s", f.text)
	}
	return &outgoing{f, web.WithStatus(f.status, said)}
}

// Refuse renders a failure in the dialect. Failures that come from before this door are put into its words.
func Refuse(w http.ResponseWriter, r *http.Request, f web.Failure) {
	h := w.Header()
	allowOrigin(h, r)
	f.Headers(h)
	var own *refusal
	if !errors.As(f.Err, &own) {
		own = foreign(f)
	}
	if own.retry > 0 {
		h.Set("Retry-After", strconv.Itoa(max(1, int(math.Ceil(own.retry.Seconds())))))
	}
	var second any = plainText(own.text)
	if own.results != nil {
		second = own.results
	}
	writeJSON(w, r, f.Status, []any{own.code, second})
}

// foreign puts the failure of another part of the house into the dialect's words.
func foreign(f web.Failure) *refusal {
	code := codeError
	switch {
	case f.Fault.Code == "unexpected_body":
		return refuse(f.Status, codeNoJSON, "GET Request should not have json payload (http body)")
	case f.Fault.Code == "bad_content_encoding":
		code = codeBadJSON
	case f.Status == http.StatusMethodNotAllowed:
		return refuse(f.Status, codeMethod, "Method Not Allowed")
	}
	return refuse(f.Status, code, f.Fault.Message)
}

// plainText keeps semicolons and our marks of code out of texts: dashboards cut at the first semicolon.
func plainText(s string) string {
	return strings.NewReplacer(";", ",", "`", "").Replace(s)
}
