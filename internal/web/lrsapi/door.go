package lrsapi

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"time"

	"rollway/internal/access"
	"rollway/internal/fault"
	"rollway/internal/lrs"
	"rollway/internal/web"
	"rollway/xapi"
)

// routes are the resources by their path below /xapi/, and what answers which method.
func (d *door) routes() map[string]methods {
	return map[string]methods{
		"statements":         {"GET": d.getStatements, "PUT": d.putStatement, "POST": d.postStatements},
		"activities/state":   d.documents(lrs.State, "stateId", []string{"activityId", "agent"}, "registration"),
		"activities/profile": d.documents(lrs.ActivityProfile, "profileId", []string{"activityId"}),
		"agents/profile":     d.documents(lrs.AgentProfile, "profileId", []string{"agent"}),
		"agents":             {"GET": d.getPerson},
		"activities":         {"GET": d.getActivity},
		"about":              {"GET": d.getAbout},
	}
}

// asked is what every handler of this door knows of a request.
type asked struct {
	line   xapi.Version
	caller access.Caller
	query  web.Params
	room   *heldBody
}

type verb func(w http.ResponseWriter, r *http.Request, a asked) error

type methods map[string]verb

type door struct {
	web      web.Door
	store    *lrs.Store
	personOf PersonOf
	table    map[string]methods
	bodies   *budget // of callers that are known
	forms    *budget // of the alternate syntax
	answers  *budget
}

// PersonOf tells what is known of an agent (Communication 2.4), and for one that nobody knows just what was asked.
type PersonOf func(ctx context.Context, c access.Caller, agent xapi.Agent) (xapi.Person, error)

// place is where the door is.
const place = "/xapi/"

// New returns the door. It cleans paths by itself: mount it with [web.Under] on "/xapi/", before any http.ServeMux.
func New(w web.Door, store *lrs.Store, personOf PersonOf) http.Handler {
	return open(w, store, personOf, usual)
}

func open(w web.Door, store *lrs.Store, personOf PersonOf, h held) http.Handler {
	d := &door{web: w, store: store, personOf: personOf,
		bodies: newBudget(h.Bodies, h.BodiesEach, h.Wait), forms: newBudget(h.Forms, h.FormsEach, h.Wait), answers: newBudget(h.Answers, h.AnswersEach, 0)}
	d.table = d.routes()
	return web.Handle(web.Envelope, d.answer)
}

func (d *door) answer(w http.ResponseWriter, r *http.Request) error {
	begin(w.Header())
	name := resource(r.URL)
	known, ok := d.table[name]
	if !ok {
		set(w.Header(), writtenVersion, latest.String())
		return fault.New(fault.NotFound, "no_such_resource", "There is no such resource here. There are: %s.", strings.Join(d.names(), ", "))
	}
	r.Pattern = place + name
	if r.Method == http.MethodOptions {
		preflight(w, r, known.allow())
		return nil
	}
	if name == "statements" {
		if err := d.consistentThrough(w, r); err != nil {
			return err
		}
	}
	if mayBeAlternate(r) {
		return d.answerForm(w, r, name, known)
	}
	return d.dispatch(w, r, name, known)
}

// begin sets the headers that every answer has.
func begin(h http.Header) {
	openToPages(h)
	// Documents come back with the type they were sent with, and none of them is a page of ours.
	h.Set("Content-Security-Policy", web.StrictPolicy+"; sandbox")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Cache-Control", "no-cache") // Last-Modified alone would let browsers guess how long an answer stays true
}

// Refusals renders failures that come before any door: below /xapi/ as this one does, otherwise by rest.
func Refusals(rest web.Render) web.Render {
	return func(w http.ResponseWriter, r *http.Request, f web.Failure) {
		if !web.Below(place, r) {
			rest(w, r, f)
			return
		}
		begin(w.Header())
		_, _ = negotiate(w.Header(), r) // only for its header: what is wrong is told already
		web.Envelope(w, r, f)
	}
}

// answerForm answers a request in the alternate syntax.
func (d *door) answerForm(w http.ResponseWriter, r *http.Request, name string, known methods) error {
	room, err := d.forms.hold(r, web.ClientAddr(r.Context()), maxForm)
	meant := r
	if err == nil {
		defer room.leave()
		meant, err = alternate(r)
	}
	if err != nil {
		_, _ = negotiate(w.Header(), r) // only for its header: the form is what is wrong
		return err
	}
	return d.dispatch(w, meant, name, known)
}

func (d *door) dispatch(w http.ResponseWriter, r *http.Request, name string, known methods) error {
	line, err := negotiate(w.Header(), r)
	if name == "about" { // open to everybody, with or without a version
		if line == 0 {
			set(w.Header(), writtenVersion, latest.String())
		}
		err = nil
	}
	if err != nil {
		return err
	}
	do := known.of(r.Method)
	if do == nil {
		w.Header().Set("Allow", known.allow())
		return web.WithStatus(http.StatusMethodNotAllowed, fault.New(fault.Invalid, "method_not_allowed", "This resource does not take %s. It takes: %s.", r.Method, known.allow()))
	}
	a := asked{line: line}
	if a.query, err = web.ParseQuery(r.URL.RawQuery); err != nil {
		return err
	}
	if name != "about" {
		if a.caller, err = d.web.Caller(r); err != nil {
			return err
		}
	}
	if a.room, err = d.bodies.hold(r, partyOf(a.caller), lrs.MaxBody); err != nil { // bodies are read by known callers only
		return err
	}
	defer a.room.leave()
	return do(w, r, a)
}

// consistentThrough sets the header that every answer of the resource carries, errors too (Communication 2.1.3). It is asked
// before a query starts, so that the query sees all that it promises.
func (d *door) consistentThrough(w http.ResponseWriter, r *http.Request) error {
	method := r.Method
	if query, err := web.ParseQuery(r.URL.RawQuery); err == nil && method == http.MethodPost && query.Has("method") {
		method = query.Get("method") // alternate syntax
	}
	ask := d.store.ThroughAlong
	if method == http.MethodGet || method == http.MethodHead {
		ask = d.store.ConsistentThrough
	}
	through, err := ask(r.Context())
	if err != nil {
		set(w.Header(), writtenVersion, latest.String())
		return err
	}
	set(w.Header(), writtenThrough, xapi.FormatTimestamp(through))
	return nil
}

// of is what answers the method: a GET answers HEAD, whose body net/http leaves out.
func (m methods) of(method string) verb {
	if method == http.MethodHead {
		method = http.MethodGet
	}
	return m[method]
}

func (m methods) allow() string {
	names := []string{http.MethodHead, http.MethodOptions}
	for name := range m {
		names = append(names, name)
	}
	slices.Sort(names)
	return strings.Join(names, ", ")
}

func (d *door) names() []string {
	names := make([]string, 0, len(d.table))
	for name := range d.table {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// lastModified sets the header to whole seconds, which is all that HTTP dates have.
func lastModified(h http.Header, t time.Time) {
	h.Set("Last-Modified", t.UTC().Format(http.TimeFormat))
}

func (d *door) getAbout(w http.ResponseWriter, _ *http.Request, a asked) error {
	if err := a.query.Only(); err != nil {
		return err
	}
	web.WriteJSON(w, http.StatusOK, struct {
		Version []string `json:"version"`
	}{[]string{xapi.V1.String(), xapi.V2.String()}})
	return nil
}
