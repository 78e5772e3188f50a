package web

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"runtime/debug"
	"slices"
	"strings"

	"rollway/internal/fault"
)

// Handler answers a request or returns why it did not. An error that comes after the first byte of the answer cuts the
// connection, so that nobody takes half an answer for a whole one.
type Handler func(w http.ResponseWriter, r *http.Request) error

// Handle makes an http.Handler whose errors and panics are rendered in a dialect.
func Handle(render Render, h Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		x := exchangeOf(r.Context())
		if x == nil { // not under Guard
			x = newExchange(w)
			w, r = x, r.WithContext(context.WithValue(r.Context(), exchangeKey{}, x))
		}
		err := attempt(h, w, r)
		if err == nil {
			return
		}
		x.note(err)
		if x.status != 0 {
			panic(http.ErrAbortHandler)
		}
		render(w, r, failureOf(err, x.id))
	})
}

// attempt turns a panic into an error; http.ErrAbortHandler stays the panic it is meant to be.
func attempt(h Handler, w http.ResponseWriter, r *http.Request) (err error) {
	defer func() {
		if v := recover(); v != nil {
			if v == http.ErrAbortHandler {
				panic(v)
			}
			err = &panicked{value: v, stack: debug.Stack()}
		}
	}()
	return h(w, r)
}

type panicked struct {
	value any
	stack []byte
}

func (p *panicked) Error() string { return fmt.Sprintf("panic: %v", p.value) }

// Routes is a table of handlers by method and path, as in "PUT /api/actors/agents"; a path alone takes every method that has
// no entry of its own. Paths are patterns of [http.ServeMux]. A GET answers HEAD too. Name a wildcard that holds a secret {token}, {ticket} or {secret}: its value is never logged.
type Routes map[string]Handler

// Mount puts the routes into mux, all errors rendered in one dialect. A known path asked with another method is a 405 with
// Allow; any other path below prefix ("/api/") is a 404. An empty prefix claims nothing but the routes.
func Mount(mux *http.ServeMux, prefix string, render Render, routes Routes) {
	paths := map[string]map[string]Handler{}
	for route, h := range routes {
		method, path, ok := strings.Cut(route, " ")
		if !ok {
			method, path = "", route
		}
		if paths[path] == nil {
			paths[path] = map[string]Handler{}
		}
		paths[path][method] = h
	}
	for path, methods := range paths {
		mux.Handle(path, Handle(render, Methods(methods)))
	}
	if prefix != "" && paths[prefix] == nil {
		mux.Handle(prefix, Handle(render, NotFound))
	}
}

// Methods dispatches on the method. GET answers HEAD, and OPTIONS is answered where the table does not.
func Methods(methods map[string]Handler) Handler {
	allow := allowed(methods)
	return func(w http.ResponseWriter, r *http.Request) error {
		h := methods[r.Method]
		if h == nil && r.Method == http.MethodHead {
			h = methods[http.MethodGet]
		}
		if h == nil {
			h = methods[""]
		}
		if h != nil {
			return h(w, r)
		}
		w.Header().Set("Allow", allow)
		if r.Method == http.MethodOptions {
			w.WriteHeader(http.StatusNoContent)
			return nil
		}
		return WithStatus(http.StatusMethodNotAllowed, fault.New(fault.Invalid, "method_not_allowed", "This address does not take %s. It takes: %s.", r.Method, allow))
	}
}

func allowed(methods map[string]Handler) string {
	names := []string{http.MethodOptions}
	for m := range methods {
		if m != "" {
			names = append(names, m)
		}
	}
	if methods[http.MethodGet] != nil {
		names = append(names, http.MethodHead)
	}
	slices.Sort(names)
	return strings.Join(slices.Compact(names), ", ")
}

// NotFound is the handler of addresses that lead nowhere.
func NotFound(http.ResponseWriter, *http.Request) error {
	return fault.New(fault.NotFound, "no_such_address", "There is nothing at this address.")
}

// Under hands every request whose path lies below prefix ("/xapi/") to door and all others to rest. Unlike http.ServeMux it
// redirects nothing: clients that double or drop a slash cannot follow a redirect with their bodies and credentials.
func Under(prefix string, door, rest http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if Below(prefix, r) {
			door.ServeHTTP(w, r)
			return
		}
		rest.ServeHTTP(w, r)
	})
}

// Below reports whether a request's path is below prefix ("/xapi/"), or is it without the final slash.
func Below(prefix string, r *http.Request) bool {
	return r.URL.Path == strings.TrimSuffix(prefix, "/") || strings.HasPrefix(r.URL.Path, prefix)
}

// statusError gives a fault a status other than that of its kind.
type statusError struct {
	status int
	fault  *fault.Error
}

func (e *statusError) Error() string { return e.fault.Error() }
func (e *statusError) Unwrap() error { return e.fault }

// WithStatus gives a fault a status other than its kind's, for what only HTTP tells apart: 405, 415, 421.
func WithStatus(status int, f *fault.Error) error { return &statusError{status, f} }

// StatusOf is the HTTP status of an error: 500 for one that holds no fault.
func StatusOf(err error) int {
	var s *statusError
	if errors.As(err, &s) {
		return s.status
	}
	return statuses[fault.Of(err).Kind]
}

var statuses = [...]int{
	fault.Internal:        http.StatusInternalServerError,
	fault.Invalid:         http.StatusBadRequest,
	fault.Unauthenticated: http.StatusUnauthorized,
	fault.Forbidden:       http.StatusForbidden,
	fault.NotFound:        http.StatusNotFound,
	fault.Conflict:        http.StatusConflict,
	fault.Gone:            http.StatusGone,
	fault.Precondition:    http.StatusPreconditionFailed,
	fault.TooLarge:        http.StatusRequestEntityTooLarge,
	fault.TooMany:         http.StatusTooManyRequests,
	fault.Unavailable:     http.StatusServiceUnavailable,
}
