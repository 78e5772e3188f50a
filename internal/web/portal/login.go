package portal

import (
	"net/http"

	"rollway/internal/fault"
	"rollway/internal/signin"
	"rollway/internal/web"
)

// showLogin is GET /login?next=…; whoever is signed in goes on at once.
func showLogin(v *visit) error {
	if v.who != nil {
		return v.redirect(local(v.query.Get("next")))
	}
	_, address := v.pending()
	return v.show(http.StatusOK, "login", v.loginPage(address, v.query.Get("next")))
}

func (v *visit) loginPage(address, next string) *loginPage {
	f := v.frame("login.title", "")
	p := &loginPage{frame: f, Email: f.email(address), Password: f.password(), MaySignUp: v.maySignUp()}
	p.Email.Complete = "username" // which password managers look for
	if next = local(next); next != "/" {
		p.Next = next
	}
	return p
}

// postLogin is POST /login.
func postLogin(v *visit) error {
	typed, err := v.form()
	if err != nil {
		return err
	}
	if err := v.signIn(typed.Get("email"), typed.Get("password")); err != nil {
		return v.refuseLogin(typed, err)
	}
	return v.redirect(arrivedPath(typed.Get("next")))
}

// signIn begins a session and has the browser keep it. Faults: those of [signin.Signin.SignIn].
func (v *visit) signIn(address, password string) error {
	from := v.knownDevice()
	s, token, err := v.Signin.SignIn(v.r.Context(), signin.Browser, address, password, from)
	if err != nil {
		return err
	}
	v.keep(s, token)
	v.Cookies.Set(v.w, browserCookie, from.Browser, signin.PlaceLife)
	v.Cookies.Set(v.w, signupCookie, "", -1)
	return nil
}

func (v *visit) refuseLogin(typed web.Params, err error) error {
	code := fault.Of(err).Code
	list, status, err := v.complain(err)
	if err != nil {
		return err
	}
	p := v.loginPage(typed.Get("email"), typed.Get("next"))
	handle, _ := v.pending()
	p.Problems, p.Unconfirmed = list, code == "not_validated" && handle != ""
	return v.show(status, "login", p)
}

// postLogout is POST /logout. It works for whoever is signed out already.
func postLogout(v *visit) error {
	if err := v.Signin.SignOut(v.r.Context(), v.Cookies.Get(v.r, SessionCookie)); err != nil {
		return err
	}
	v.Cookies.Set(v.w, SessionCookie, "", -1)
	return v.redirect("/")
}

// showPassword is GET /password: asking for a link to choose a new password.
func showPassword(v *visit) error {
	address := ""
	if v.who != nil {
		address = v.who.Address
	}
	return v.show(http.StatusOK, "password", v.passwordPage(address))
}

func (v *visit) passwordPage(address string) *passwordPage {
	f := v.frame("password.title", "")
	return &passwordPage{frame: f, Email: f.email(address)}
}

// postPassword is POST /password. The answer is the same whether anybody has the address.
func postPassword(v *visit) error {
	typed, err := v.form()
	if err != nil {
		return err
	}
	p := v.passwordPage(first(typed.Get("email")))
	if err := v.Signin.AskReset(v.r.Context(), p.Email.Value, v.device()); err != nil {
		list, status, err := v.complain(err)
		if err != nil {
			return err
		}
		p.Problems = list
		list.on(&p.Email)
		return v.show(status, "password", p)
	}
	p.Title, p.Sent = v.say("password.sent.title"), true
	return v.show(http.StatusOK, "password", p)
}

// showReset is GET /password/{token}, the address in the mail. It changes nothing.
func showReset(v *visit) error {
	if err := v.Signin.CheckReset(v.r.Context(), v.r.PathValue("token")); err != nil {
		return err
	}
	return v.show(http.StatusOK, "reset", v.resetPage())
}

func (v *visit) resetPage() *resetPage {
	f := v.frame("reset.title", "")
	return &resetPage{frame: f, Password: f.newPassword("field.password.new", v.Signin.Policy.Min), Action: v.r.URL.EscapedPath()}
}

// postReset is POST /password/{token}: the link is used up, and everybody who was signed in as this person is out.
func postReset(v *visit) error {
	typed, err := v.form()
	if err != nil {
		return err
	}
	from := v.knownDevice()
	err = v.Signin.Reset(v.r.Context(), signin.ResetRequest{Token: v.r.PathValue("token"), Password: typed.Get("password")}, from)
	if fault.Is(err, fault.Gone) {
		return err
	}
	p := v.resetPage()
	if err != nil {
		list, status, err := v.complain(err)
		if err != nil {
			return err
		}
		p.Problems = list
		list.on(&p.Password)
		return v.show(status, "reset", p)
	}
	v.Cookies.Set(v.w, SessionCookie, "", -1)
	v.Cookies.Set(v.w, browserCookie, from.Browser, signin.PlaceLife)
	p.Title, p.Done = v.say("reset.done.title"), true
	return v.show(http.StatusOK, "reset", p)
}
