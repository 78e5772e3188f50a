package portal

import (
	"net/http"

	"rollway/internal/access"
	"rollway/internal/signin"
)

// Enter signs in the person whom a launch credential acts for, and sends the browser to their courses. Faults are those of
// [signin.Signin.Arrive].
func (d *Door) Enter(w http.ResponseWriter, r *http.Request, c access.Caller) error {
	v := &visit{Door: d, w: w, r: r, words: d.wordsFor(r)}
	_, token, err := d.Signin.Arrive(r.Context(), c, v.device())
	if err != nil {
		return err
	}
	d.Cookies.Set(w, SessionCookie, token, d.Signin.Lives[signin.Browser].Most)
	return v.redirect("/")
}
