package portal

import (
	"net/http"
	"net/url"

	"rollway/internal/fault"
)

// arrivedPath is where a browser goes on to that has just been given the cookie of a session.
func arrivedPath(next string) string {
	if next = local(next); next == "/" {
		return "/arrived"
	}
	return "/arrived?next=" + url.QueryEscape(next)
}

// arrived is GET /arrived?next=…: it leads on whoever is signed in now, and tells others, whose browser has not kept the
// cookie, what to do about it.
func (d *Door) arrived(w http.ResponseWriter, r *http.Request) error {
	v, err := d.visit(w, r)
	if err != nil {
		return err
	}
	err = v.meet()
	if fault.Is(err, fault.Unauthenticated) {
		return fault.New(fault.Unauthenticated, "cookies_off", "The browser does not keep the cookie by which it would stay signed in.")
	}
	if err != nil {
		return err
	}
	return v.redirect(local(v.query.Get("next")))
}
