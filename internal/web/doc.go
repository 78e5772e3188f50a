// Package web is the HTTP plumbing under the doors: handlers that return errors, one renderer of errors per dialect, strict
// queries and bodies, limits, and one log line a request with every secret redacted.
//
// A door writes its routes as a table of [Routes] and mounts them with its own [Render]. The house wraps its mux in [Guard],
// which every request passes, and serves it with [Server] on a listener from [Listen].
package web

import (
	"context"
	"net/http"

	"rollway/internal/access"
	"rollway/internal/id"
)

// Door is what the house hands to each door, so that none reads Authorization headers, cookies or host names by itself.
type Door struct {
	// Authenticate says who is calling, or returns an Unauthenticated fault.
	Authenticate func(ctx context.Context, r *http.Request) (access.Caller, error)
	// OrgOf names the organization of a host name, for routes that nobody authenticates on; zero if there is none.
	OrgOf func(host string) id.OrgID
}

// Caller authenticates the request and notes the caller's name for the request's log line.
func (d Door) Caller(r *http.Request) (access.Caller, error) {
	c, err := d.Authenticate(r.Context(), r)
	if err != nil {
		return access.Caller{}, err
	}
	NoteCaller(r, c)
	return c, nil
}

// NoteCaller puts the caller's name into the request's log line, for doors that learn it otherwise than by Authenticate.
func NoteCaller(r *http.Request, c access.Caller) {
	if x := exchangeOf(r.Context()); x != nil {
		x.caller = c.Name
	}
}
