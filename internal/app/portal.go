package app

import (
	"context"
	"net/http"
	"slices"
	"strings"

	"rollway/internal/access"
	"rollway/internal/fault"
	"rollway/internal/id"
	"rollway/internal/signin"
	"rollway/internal/web"
	"rollway/internal/web/portal"
)

// portal is the door of the pages for people, who are known by the cookie of their session.
func (h *House) portal() *portal.Door {
	cookies := web.NewCookies(h.Config.PublicURL)
	return &portal.Door{
		Web: web.Door{
			Authenticate: func(ctx context.Context, r *http.Request) (access.Caller, error) {
				c, of, err := h.Signin.Authenticate(ctx, cookies.Get(r, portal.SessionCookie))
				if err == nil && of.Kind == signin.Dialect { // the dialect's tokens stand in addresses
					err = fault.New(fault.Unauthenticated, "session_invalid", "This is a session of another kind.")
				}
				return c, err
			},
			OrgOf: func(string) id.OrgID { return id.DefaultOrg },
		},
		Cookies:    cookies,
		Frames:     h.frames(),
		People:     h.Directory,
		Content:    h.Content,
		Launcher:   h.Launcher,
		Records:    h.Records,
		Signin:     h.Signin,
		Signup:     h.Signup,
		Challenges: h.Challenges,

		NoNames:      !h.asksFor("name"),
		NoNewsletter: !h.asksFor("newsletter"),
	}
}

// asksFor tells whether sign-up asks for a field; it asks for all unless told otherwise.
func (h *House) asksFor(field string) bool {
	return len(h.Config.Fields) == 0 || slices.Contains(h.Config.Fields, field)
}

// frames are the origins of courses: that of all packages, and those of each.
func (h *House) frames() string {
	origin := h.Config.CoursewareURL
	if h.Config.CoursewareSingleHost {
		return origin
	}
	return strings.Replace(origin, "://", "://*.", 1)
}
