package clearxp

import (
	"context"
	"net/http"
	"strings"
	"unicode"

	"rollway/internal/access"
	"rollway/internal/credential"
	"rollway/internal/directory"
	"rollway/internal/launch"
	"rollway/internal/web"
)

// Door answers /api/actors, /api/auth and /api/activities.
type Door struct {
	Web         web.Door
	Directory   *directory.Directory
	Credentials *credential.Vault
	Launcher    *launch.Launcher
	Fail        web.Render // shows browsers a page, and programs the envelope
	// Learner authenticates the credential of a launch, as it would stand in an Authorization header.
	Learner func(ctx context.Context, header string) (access.Caller, error)
	// Hub tells whether an activity stands for our own pages instead of a content, and Enter signs the person whom a launch's
	// credential belongs to in there; it answers the request. Both nil: there are none.
	Hub   func(activity string) bool
	Enter func(w http.ResponseWriter, r *http.Request, c access.Caller) error
}

// maxBody bounds the requests of this door; the largest are actors with their attributes.
const maxBody = 1 << 20

// Mount puts the door's routes into mux.
func (d *Door) Mount(mux *http.ServeMux) {
	web.Mount(mux, "/api/", d.Fail, web.Routes{
		"PUT /api/actors/agents":            d.upsertAgent,
		"POST /api/actors/agents":           d.upsertAgent,
		"POST /api/auth/basic":              d.mint,
		"GET /api/auth/basic":               d.listCredentials,
		"DELETE /api/auth/basic/{username}": d.revokeCredential,
		"GET /api/activities/launch":        d.openLaunch,
		"POST /api/activities/launch":       d.postLaunch,
	})
}

// printable keeps at most n printable characters.
func printable(s string, n int) string {
	var b strings.Builder
	for _, r := range s {
		if unicode.IsPrint(r) && n > 0 {
			b.WriteRune(r)
			n--
		}
	}
	return b.String()
}
