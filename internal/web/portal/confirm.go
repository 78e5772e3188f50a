package portal

import (
	"net/http"
	"strconv"

	"rollway/internal/fault"
	"rollway/internal/signup"
	"rollway/internal/web"
)

// showConfirm is GET /confirm/{number}/{token}, the address in the mail. It changes nothing: programs that look through mail
// open every link.
func showConfirm(v *visit) error {
	proof, err := v.proof()
	if err != nil {
		return err
	}
	found, err := v.Signup.Peek(v.r.Context(), proof.Number, proof.Token, proof.From)
	if err != nil {
		return err
	}
	if found.State != signup.Waiting {
		return v.showConfirmed(signup.Validated{Already: true, Waits: found.State == signup.Approval, TrialEnds: found.TrialEnds}, false)
	}
	proof.New = v.query.Has("choose")
	return v.show(http.StatusOK, "confirm", v.confirmPage(proof, found.Address))
}

// proof is what the visit shows without a form.
func (v *visit) proof() (p signup.Proof, err error) {
	p.Number, err = strconv.ParseInt(v.r.PathValue("number"), 10, 64)
	if err != nil {
		err = web.NotFound(v.w, v.r)
	}
	p.Token, p.From = v.r.PathValue("token"), v.addr()
	p.Handle, _ = v.pending()
	return p, err
}

// confirmPage asks for a password as well, unless the browser is the one that signed up: anybody may have done so with this
// address, and the password that they chose is not to be the owner's.
func (v *visit) confirmPage(proof signup.Proof, address string) *confirmPage {
	p := &confirmPage{frame: v.frame("confirm.title", ""), Address: address, Action: v.r.URL.EscapedPath(), New: proof.New}
	p.Elsewhere = !v.Signup.Began(proof.Handle, proof.Number)
	if p.Password = p.password(); p.New {
		p.query = "choose=yes"
		p.Password = p.newPassword("field.password.new", v.Signin.Policy.Min)
	}
	return p
}

// postConfirm is POST /confirm/{number}/{token}: the button of that page. It may be pressed again.
func postConfirm(v *visit) error {
	proof, err := v.proof()
	if err != nil {
		return err
	}
	typed, err := v.form()
	if err != nil {
		return err
	}
	proof.Password, proof.New = typed.Get("password"), typed.Has("choose")
	done, err := v.Signup.Confirm(v.r.Context(), proof)
	if err != nil {
		return v.refuseConfirm(proof, err)
	}
	in, err := v.enterConfirmed(proof, done)
	if err != nil {
		return err
	}
	return v.showConfirmed(done, in)
}

// enterConfirmed signs in whoever has just typed the password that is theirs from now on, so that they need not type it again
// on the next page, and tells whether it did. When that cannot be at the moment they do it themselves.
func (v *visit) enterConfirmed(proof signup.Proof, done signup.Validated) (bool, error) {
	if done.Already || done.Waits || done.Chooses || v.Signup.Began(proof.Handle, proof.Number) {
		return false, nil
	}
	err := v.signIn(done.Address, proof.Password)
	if fault.Is(err, fault.TooMany) || fault.Is(err, fault.Unavailable) {
		return false, nil
	}
	return err == nil, err
}

// refuseConfirm shows the page again when the password was the only thing wrong.
func (v *visit) refuseConfirm(proof signup.Proof, err error) error {
	if fieldOf[fault.Of(err).Code] != "password" {
		return err
	}
	list, status, err := v.complain(err)
	if err != nil {
		return err
	}
	found, err := v.Signup.Peek(v.r.Context(), proof.Number, proof.Token, proof.From)
	if err != nil {
		return err
	}
	p := v.confirmPage(proof, found.Address)
	p.Problems = list
	list.on(&p.Password)
	return v.show(status, "confirm", p)
}

// showConfirmed shows what was confirmed; in tells that they are signed in.
func (v *visit) showConfirmed(done signup.Validated, in bool) error {
	title := "confirmed.title"
	if done.Already {
		title = "confirmed.already"
	}
	p := confirmedPage{frame: v.frame(title, ""), Already: done.Already, Waiting: done.Waits, Chooses: done.Chooses, In: in}
	if !done.TrialEnds.IsZero() && !done.Waits {
		p.TrialEnds = v.Day(done.TrialEnds)
	}
	return v.show(http.StatusOK, "confirmed", &p)
}

// showUnsubscribe is GET /unsubscribe/{token}; it changes nothing.
func showUnsubscribe(v *visit) error {
	yes, err := v.Signup.Subscribed(v.r.Context(), v.r.PathValue("token"))
	if err != nil {
		return err
	}
	return v.showNews(!yes)
}

// postUnsubscribe is POST /unsubscribe/{token}: the button of that page, and what mail programs send in one click (RFC 8058).
func postUnsubscribe(v *visit) error {
	if err := v.Signup.Unsubscribe(v.r.Context(), v.r.PathValue("token")); err != nil {
		return err
	}
	return v.showNews(true)
}

func (v *visit) showNews(done bool) error {
	title := "unsubscribe.title"
	if done {
		title = "unsubscribe.done"
	}
	return v.show(http.StatusOK, "unsubscribe", &unsubscribePage{frame: v.frame(title, ""), Action: v.r.URL.EscapedPath(), Done: done})
}
