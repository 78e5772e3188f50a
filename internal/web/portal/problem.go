package portal

import (
	"errors"
	"math"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"rollway/internal/fault"
	"rollway/internal/web"
)

// Fail renders an error as a page of its own: what happened, what to do, and what to quote. Programs get the envelope. It is
// also for doors whose addresses people open.
func (d *Door) Fail(w http.ResponseWriter, r *http.Request, f web.Failure) {
	w.Header().Add("Vary", "Accept")
	if !web.PrefersHTML(r) {
		web.Envelope(w, r, f)
		return
	}
	v := &visit{Door: d, w: w, r: r, words: d.wordsFor(r)}
	v.query, _ = web.ParseQuery(r.URL.RawQuery) // one that cannot be read asks for no language

	// Only pages that are there keep a language.
	if f.Fault.Code != "no_such_address" && f.Status != http.StatusMethodNotAllowed {
		v.choose()
	}
	_ = v.meet() // the page does with or without
	f.Headers(w.Header())
	if r.Header.Get("Sec-Fetch-Dest") == "iframe" { // where a course should be
		web.SecurityHeaders(w.Header(), policy("")+"; frame-ancestors 'self'")
	} else {
		web.SecurityHeaders(w.Header(), policy("")+"; frame-ancestors 'none'")
	}
	now := d.now().UTC()
	key := problemKey(v.words, f.Fault)
	p := problemPage{frame: v.frame(key, ""), Text: v.say(key + ".text"), Code: f.Fault.Code, Request: f.RequestID,
		ISO: now.Format(time.RFC3339), Time: v.clock(now), Next: v.wayOut(f.Fault)}
	if f.Status == http.StatusMethodNotAllowed || f.Status == http.StatusNotFound {
		p.Path = "/"
	}
	if err := write(w, f.Status, "problem", &p); err != nil {
		web.Page(w, r, f)
	}
}

// problemKeys are the texts of faults that have one of another name.
var problemKeys = map[string]string{
	"validation_unknown": "link_gone", "validation_invalid": "link_gone", "validation_expired": "link_gone", "unsubscribe_unknown": "invalid",
	"reset_gone": "gone", "method_not_allowed": "not_found", "registration_unknown": "activity_unknown",
	"credential_missing": "launch_link", "credential_invalid": "launch_link", "credential_expired": "launch_link", "credential_revoked": "launch_link",
	"authorization_malformed": "launch_link",
}

// problemKey finds the text for a fault: its own, or that of its kind.
func problemKey(w *words, f *fault.Error) string {
	code := first(problemKeys[f.Code], f.Code)
	if w.has("problem."+code) && w.has("problem."+code+".text") {
		return "problem." + code
	}
	if key := "problem." + f.Kind.String(); w.has(key) {
		return key
	}
	return "problem.invalid"
}

// wayOut is where to go from a problem.
func (v *visit) wayOut(f *fault.Error) *choice {
	back := "/"
	if v.r.Method == http.MethodGet {
		back = strings.Replace(v.r.URL.RequestURI(), "/launch/open?", "/launch?", 1)
	}
	switch {
	case problemKeys[f.Code] == "link_gone":
		return &choice{Name: v.say("problem.new_link"), Href: "/signup"}
	case problemKeys[f.Code] == "gone":
		return &choice{Name: v.say("problem.new_link"), Href: "/password"}
	case problemKeys[f.Code] == "launch_link": // who comes by a link of another system has nothing to sign in with
	case f.Kind == fault.Unauthenticated:
		return &choice{Name: v.say("problem.login"), Href: "/login?next=" + url.QueryEscape(back)}
	case f.Kind == fault.Internal || f.Kind == fault.Unavailable:
		return &choice{Name: v.say("problem.retry"), Href: back}
	}
	return &choice{Name: v.say("problem.home"), Href: "/"}
}

// fieldOf is the field that a fault's code is about.
var fieldOf = map[string]string{
	"bad_address": "email", "domain_refused": "email", "invalid_name": "first",
	"password_malformed": "password", "password_too_short": "password", "password_too_long": "password", "password_common": "password", "password_personal": "password", "password_same": "password", "signup_password": "password",
	"challenge_missing": "answer", "challenge_unknown": "answer", "challenge_failed": "answer",
	"validation_invalid": "code", "validation_unknown": "code", "validation_expired": "code",
	"link_title": "title", "link_url": "url", "link_host": "url", "launch_parameter": "url", "link_activity": "activity",
}

// complain puts faults about what was typed into words, next to their fields, and gives the status of the answer. Other errors
// are returned as they are.
func (v *visit) complain(err error) (list problems, status int, other error) {
	joined, several := err.(interface{ Unwrap() []error })
	if !several {
		return v.complainOf(err)
	}
	for _, one := range joined.Unwrap() {
		next, code, other := v.complainOf(one)
		if other != nil {
			return nil, 0, err
		}
		list, status = append(list, next...), code
	}
	return list, status, nil
}

func (v *visit) complainOf(err error) (problems, int, error) {
	f := fault.Of(err)
	p := problem{Field: fieldOf[f.Code]}
	status := web.StatusOf(err)
	switch f.Kind {
	case fault.TooMany:
		p.Text = v.tooMany(err)
	case fault.Unavailable:
		if p.Text = v.say("error.busy"); v.has("error." + f.Code) {
			p.Text = v.errorText(f)
		}
	case fault.Invalid, fault.TooLarge, fault.Conflict, fault.Gone, fault.Unauthenticated, fault.NotFound, fault.Forbidden:
		if status = http.StatusUnprocessableEntity; !v.has("error." + f.Code) {
			if p.Field == "" && f.Kind != fault.Invalid && f.Kind != fault.TooLarge {
				return nil, 0, err
			}
			p.Text, p.English = f.Message, true
			break
		}
		p.Text = v.errorText(f)
	default:
		return nil, 0, err
	}
	return problems{p}, status, nil
}

// errorText words a fault whose code has a text, which may put in what the fault names.
func (v *visit) errorText(f *fault.Error) string {
	switch {
	case f.Code == "password_too_short":
		return v.say("error.password_too_short", "n", v.Signin.Policy.Min)
	case f.Code == "not_validated" && v.Signup.Settings.Approval:
		return v.say("error.not_approved")
	}
	return v.errorOf(f.Code, f.Args...)
}

// tooMany says when to try again, and tells programs.
func (v *visit) tooMany(err error) string {
	wait := time.Minute
	var late interface{ RetryAfter() time.Duration }
	if errors.As(err, &late) {
		wait = late.RetryAfter()
	}
	v.w.Header().Set("Retry-After", strconv.Itoa(max(1, int(math.Ceil(wait.Seconds())))))
	if wait > 2*time.Hour {
		return v.say("error.too_many_hours", "n", int(math.Ceil(wait.Hours())))
	}
	return v.count("error.too_many", max(1, int(math.Ceil(wait.Minutes()))))
}
