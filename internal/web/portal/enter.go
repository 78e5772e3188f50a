package portal

import (
	"net/http"

	"rollway/internal/access"
	"rollway/internal/fault"
	"rollway/internal/id"
)

// Enter signs in the person whom a launch credential acts for, and sends the browser to their courses. When somebody else is
// signed in with it, a page asks first, whose button posts to the same address: another site can lead people to it, but
// cannot make them somebody else. Faults are those of [signin.Signin.Arrive].
func (d *Door) Enter(w http.ResponseWriter, r *http.Request, c access.Caller) error {
	v, err := d.visit(w, r)
	if err != nil {
		return err
	}
	sure := false
	if r.Method == http.MethodPost {
		typed, err := v.form()
		if err != nil {
			return err
		}
		sure = typed.Has("instead")
	}
	s, token, err := d.Signin.Arrive(r.Context(), c, v.device(), sure)
	if f := fault.Of(err); err != nil && f.Code == "signed_in_as_another" {
		return v.askWho(c)
	}
	if err != nil {
		return err
	}
	v.keep(s, token)
	return v.redirect(arrivedPath("/"))
}

// askWho is the page that asks who of two people it is.
func (v *visit) askWho(c access.Caller) error {
	if err := v.meet(); err != nil {
		return err
	}
	other, err := v.People.Self(v.r.Context(), access.SignedIn(c.Org, c.Bound.Person, id.SigninID{}, 0))
	if err != nil {
		return err
	}
	name := first(other.Name, other.Attributes["Email"].String(), v.say("enter.nameless"))
	f := v.frame("enter.title", "")
	f.query = v.query.Without("lang").Encode() // also after a button was pressed
	p := enterPage{frame: f, Text: v.say("enter.text", "here", v.who.Name, "other", name),
		Action: v.r.URL.RequestURI(), GoOn: v.say("enter.go", "other", name), Stay: v.say("enter.stay", "here", v.who.Name)}
	return v.show(http.StatusOK, "enter", &p)
}
