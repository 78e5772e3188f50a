package glpi

import (
	"net/http"
	"slices"
	"strings"

	"rollway/internal/web"
)

// Base is where GLPI's own paths begin; the dialect is spoken at the root as well.
const Base = "/apirest.php"

// Handler answers what is the dialect's and leaves every other request to rest: all below /apirest.php/, and at the root the
// endpoints and itemtypes of the tables, in any case.
func (d *Door) Handler(rest http.Handler) http.Handler {
	own := web.Handle(Refuse, d.serve)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if d.Speaks(r) {
			own.ServeHTTP(w, r)
		} else {
			rest.ServeHTTP(w, r)
		}
	})
}

// Refusals renders failures that come before any door: in the dialect where it is spoken, otherwise by rest.
func (d *Door) Refusals(rest web.Render) web.Render {
	return func(w http.ResponseWriter, r *http.Request, f web.Failure) {
		if d.Speaks(r) {
			Refuse(w, r, f)
		} else {
			rest(w, r, f)
		}
	}
}

// Speaks reports whether a request is the dialect's.
func (d *Door) Speaks(r *http.Request) bool {
	base, parts := split(r.URL.Path)
	if base != "" {
		return true
	}
	if len(parts) == 0 {
		return false
	}
	if folded(parts[0]) == "search" {
		return len(parts) == 2 && itemtypes[folded(parts[1])] != nil
	}
	name := folded(parts[0])
	return endpoints[name] != nil || itemtypes[name] != nil
}

// split takes a path apart; slashes more than needed are harmless.
func split(path string) (base string, parts []string) {
	if rest, ok := strings.CutPrefix(path, Base); ok && (rest == "" || rest[0] == '/') {
		base, path = Base, rest
	}
	return base, slices.DeleteFunc(strings.Split(path, "/"), func(s string) bool { return s == "" })
}

func folded(s string) string { return strings.ToLower(s) }

// ask is one request, taken apart.
type ask struct {
	*http.Request
	params
	base  string // as the client said it: "" or /apirest.php
	parts []string
	from  session
}

// answer is what a request gets.
type answer struct {
	status int // default 200
	header map[string]string
	body   any    // as JSON; nothing if nil
	media  string // type of raw
	raw    []byte
}

func (d *Door) serve(w http.ResponseWriter, r *http.Request) error {
	h := w.Header()
	allowOrigin(h, r)
	if r.Method == http.MethodOptions {
		preflight(h, r)
		w.WriteHeader(http.StatusOK)
		return nil
	}
	a, err := d.answer(r)
	if err != nil {
		return refusalOf(opOther, err).outgoing()
	}
	for name, value := range a.header {
		h.Set(name, value)
	}
	write(w, r, a)
	return nil
}

// answer goes the way of every request: parameters, the right to ask at all, the table, the session.
func (d *Door) answer(r *http.Request) (answer, error) {
	a := &ask{Request: r}
	a.base, a.parts = split(r.URL.Path)
	r.Pattern = Base
	if d.Config.Off {
		return answer{}, refuse(http.StatusBadRequest, codeError, "API disabled")
	}
	var err error
	if a.params, err = paramsOf(r); err != nil {
		return answer{}, err
	}
	if err := d.appToken(a); err != nil {
		return answer{}, err
	}
	if opens := len(a.parts) == 1 && folded(a.parts[0]) == "initsession"; d.Config.NeedType && (opens || a.body) && !isJSON(r) {
		return answer{}, refuse(http.StatusBadRequest, codeError, "the header Content-Type must be application/json")
	}
	if len(a.parts) == 0 {
		return answer{}, refuse(http.StatusBadRequest, codeMissing, "missing resource")
	}
	if e := endpoints[folded(a.parts[0])]; e != nil {
		r.Pattern = Base + "/" + e.name
		return d.endpoint(a, e)
	}
	return d.items(a)
}

func (d *Door) appToken(a *ask) error {
	switch sent := a.text("app_token"); {
	case sent == "" && d.Config.AppToken != "":
		return refuse(http.StatusBadRequest, codeAppTokenMissing, "missing parameter app_token")
	case !same(sent, d.Config.AppToken):
		return refuse(http.StatusBadRequest, codeAppTokenWrong, "parameter app_token seems wrong")
	}
	return nil
}

func (d *Door) endpoint(a *ask, e *endpoint) (answer, error) {
	if a.Method == http.MethodHead && e.acts {
		return answer{}, refuse(http.StatusMethodNotAllowed, codeMethod, "Method Not Allowed")
	}
	if e.session {
		var err error
		if a.from, err = d.session(a); err != nil {
			return answer{}, err
		}
	}
	return e.answer(d, a)
}
