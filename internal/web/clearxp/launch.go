package clearxp

import (
	"mime"
	"net/http"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/go-json-experiment/json/jsontext"

	"rollway/internal/access"
	"rollway/internal/fault"
	"rollway/internal/id"
	"rollway/internal/launch"
	"rollway/internal/web"
	"rollway/xapi"
)

// openLaunch is GET /api/activities/launch: it authenticates, launches and redirects. HEAD and a declared prefetch start
// nothing; a prefetch is shown a page whose button does (POST), so that link previews cannot use a ticket up.
func (d *Door) openLaunch(w http.ResponseWriter, r *http.Request) error {
	private(w.Header())
	q, err := web.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return err
	}
	switch {
	case r.Method == http.MethodHead:
		w.WriteHeader(http.StatusOK)
		return nil
	case r.Method == http.MethodGet && (web.Prefetched(r) || previewed(r)):
		return web.Ask(w, web.Question{Title: "Open the course", Text: "This link starts a course for one person. It is opened when you press the button.", Button: "Open", Action: r.URL.RequestURI()})
	}
	if d.Hub != nil && !q.Has("ticket") && d.Hub(q.Get("activityId")) {
		c, err := d.learner(r, q)
		if err != nil {
			return err
		}
		return d.Enter(w, r, c)
	}
	started, err := d.start(r, q)
	if err != nil {
		return err
	}
	w.Header().Set("Location", started.URL)
	w.WriteHeader(http.StatusSeeOther) // 303, so that nothing is sent twice
	return nil
}

func (d *Door) start(r *http.Request, q web.Params) (launch.Launch, error) {
	sent := len(r.Header["Authorization"]) > 0 // an empty one is one too
	if q.Has("ticket") {
		if sent || q.Has("auth") {
			return launch.Launch{}, errTwoCredentials
		}
		return d.Launcher.Redeem(r.Context(), q.Get("ticket"))
	}
	if q.Has("auth") && sent {
		return launch.Launch{}, errTwoCredentials
	}
	request, err := launchRequest(q)
	if err != nil {
		return launch.Launch{}, err
	}
	c, err := d.learner(r, q)
	if err != nil {
		return launch.Launch{}, err
	}
	return d.Launcher.Start(r.Context(), c, request)
}

// learner authenticates the credential of a launch, which comes in the parameter auth or in the header.
func (d *Door) learner(r *http.Request, q web.Params) (access.Caller, error) {
	header := r.Header.Get("Authorization")
	if q.Has("auth") {
		if len(r.Header["Authorization"]) > 0 {
			return access.Caller{}, errTwoCredentials
		}
		header = restorePlus(q.Get("auth"))
	}
	c, err := d.Learner(r.Context(), header)
	if f := fault.Of(err); err != nil && q.Has("auth") && f.Code == "authorization_malformed" {
		return c, fault.New(fault.Invalid, "auth_malformed", "The parameter `auth` cannot be read.").With(fault.Field{Name: "auth", Message: "It must be `Basic`, a blank, and base64 of username:password, percent-encoded."})
	}
	if err == nil {
		web.NoteCaller(r, c)
	}
	return c, err
}

var errTwoCredentials = fault.New(fault.Invalid, "two_credentials", "Send one credential: the parameter `auth`, the parameter `ticket` or the header Authorization.")

func launchRequest(q web.Params) (launch.Request, error) {
	r := launch.Request{Activity: q.Get("activityId")}
	if r.Activity == "" {
		return r, fault.New(fault.Invalid, "activity_missing", "The parameter `activityId` says what to launch.").With(fault.Field{Name: "activityId", Message: "It is missing."})
	}
	if strings.ContainsFunc(r.Activity, unicode.IsControl) { // anything else is just unknown
		return r, activityInvalid("activityId")
	}
	var err error
	if r.Registration, err = registrationID(q.Get("registration")); err != nil {
		return r, err
	}
	switch v := q.Get("newAttempt"); v {
	case "", "false":
	case "true":
		r.NewAttempt = true
	default:
		return r, fault.New(fault.Invalid, "new_attempt_invalid", "`newAttempt` is true or false.").With(fault.Field{Name: "newAttempt", Message: "It is neither true nor false.", Value: v})
	}
	return r, nil
}

func activityInvalid(pointer string) error {
	return fault.New(fault.Invalid, "activity_invalid", "`activityId` is the IRI of an activity.").With(fault.Field{Name: pointer, Message: "It is not an IRI."})
}

func registrationID(s string) (id.RegistrationID, error) {
	if s == "" {
		return id.RegistrationID{}, nil
	}
	reg, err := id.Parse[id.RegistrationID](s)
	if err != nil || reg.IsZero() {
		return reg, fault.New(fault.Invalid, "registration_invalid", "`registration` must be a UUID, such as 6f1c2a58-0000-4000-8000-000000000001.").With(fault.Field{Name: "registration", Message: "This is not a UUID.", Value: s})
	}
	return reg, nil
}

// restorePlus undoes what form decoding did to base64 that was not escaped: blanks after the scheme were plus signs.
func restorePlus(auth string) string {
	scheme, rest, ok := strings.Cut(auth, " ")
	if !ok {
		return auth
	}
	return scheme + " " + strings.ReplaceAll(rest, " ", "+")
}

// previews are programs that open links before people do.
var previews = []string{"bot", "crawler", "spider", "facebookexternalhit", "slackbot", "whatsapp", "skypeuripreview", "telegrambot", "discordbot", "linkedinbot", "preview", "safelinks", "proofpoint", "barracuda", "mimecast"}

func previewed(r *http.Request) bool {
	agent := strings.ToLower(r.UserAgent())
	return slices.ContainsFunc(previews, func(p string) bool { return strings.Contains(agent, p) })
}

// private marks an answer of a launch: it and its address hold secrets.
func private(h http.Header) {
	web.NoStore(h)
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("X-Robots-Tag", "noindex")
}

// ticketRequest is the body of POST /api/activities/launch.
type ticketRequest struct {
	ActivityID   string         `json:"activityId"`
	Actor        jsontext.Value `json:"actor"`
	Registration string         `json:"registration"`
	NewAttempt   bool           `json:"newAttempt"`
}

type ticketAnswer struct {
	URL       string `json:"url"`
	ExpiresAt string `json:"expiresAt"`
}

// postLaunch is POST /api/activities/launch: with a JSON body a service account asks for a one-time link; a form without
// one is the button of the prefetch page.
func (d *Door) postLaunch(w http.ResponseWriter, r *http.Request) error {
	if t, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err == nil && t == "application/x-www-form-urlencoded" {
		return d.openLaunch(w, r)
	}
	private(w.Header())
	c, err := d.caller(r)
	if err != nil {
		return err
	}
	var body ticketRequest
	if err := web.JSON(r, maxBody, &body); err != nil {
		return err
	}
	if body.ActivityID == "" {
		return fault.New(fault.Invalid, "activity_missing", "`activityId` says what to launch.").With(fault.Field{Name: "/activityId", Message: "It is missing."})
	}
	agent, err := actor(body.Actor, "/actor")
	if err != nil {
		return err
	}
	if _, err := xapi.ParseIRI(body.ActivityID); err != nil {
		return activityInvalid("/activityId")
	}
	reg, err := registrationID(body.Registration)
	if err != nil {
		return err
	}
	t, err := d.Launcher.Ticket(r.Context(), c, d.Directory, agent, launch.Request{Activity: body.ActivityID, Registration: reg, NewAttempt: body.NewAttempt})
	if err != nil {
		return err
	}
	web.WriteJSON(w, http.StatusOK, ticketAnswer{t.URL, t.Expires.Format(time.RFC3339)})
	return nil
}

// actor reads an agent of a request; on this path the extensions that ClearXP allows on actors are no error.
func actor(v jsontext.Value, pointer string) (xapi.Agent, error) {
	if len(v) == 0 {
		return xapi.Agent{}, fault.New(fault.Invalid, "actor_missing", "`%s` says who it is for.", strings.TrimPrefix(pointer, "/")).With(fault.Field{Name: pointer, Message: "It is missing."})
	}
	if agent, err := xapi.ParseAgent(v); err == nil { // without extensions, as most are
		return agent, nil
	}
	_, agent, err := splitActor(v, pointer)
	return agent, err
}

// caller authenticates a service account or another caller of /api.
func (d *Door) caller(r *http.Request) (access.Caller, error) {
	c, err := d.Web.Caller(r)
	if err != nil {
		return c, err
	}
	if note := r.Header.Get("Clear-Account-Source"); note != "" {
		c.Note = printable(note, 256)
	}
	return c, nil
}
