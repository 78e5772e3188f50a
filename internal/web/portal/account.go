package portal

import (
	"net/http"
	"strings"

	"rollway/internal/fault"
	"rollway/internal/id"
	"rollway/internal/signin"
)

// showAccount is GET /account: who is signed in, with which browsers, and a new password.
func showAccount(v *visit) error {
	p, err := v.accountPage()
	if err != nil {
		return err
	}
	p.Ended, p.Changed = v.query.Has("ended"), v.query.Has("changed")
	return v.show(http.StatusOK, "account", p)
}

func (v *visit) accountPage() (*accountPage, error) {
	sessions, err := v.Signin.List(v.r.Context(), v.caller, id.PersonID{})
	if err != nil {
		return nil, err
	}
	login, err := v.Signin.Account(v.r.Context(), v.caller)
	if err != nil && !fault.Is(err, fault.NotFound) {
		return nil, err
	}
	p := &accountPage{frame: v.frame("account.title", "account"), Name: v.who.Name, Address: v.who.Address, Login: login.Address}
	p.Path = "/account"
	if p.Address == p.Name {
		p.Address = ""
	}
	p.Present = p.password()
	p.Present.ID, p.Present.Label = "present", v.say("field.password.present")
	p.Password = p.newPassword("field.password.new", v.Signin.Policy.Min)
	for _, s := range sessions {
		d := device{ID: s.ID.String(), Name: p.deviceName(s), Network: s.Group, Since: p.at(s.Created), Seen: p.at(s.Seen), Here: s.ID == v.caller.Signin}
		if d.Here {
			p.Devices = append([]device{d}, p.Devices...)
		} else {
			p.Devices = append(p.Devices, d)
		}
	}
	return p, nil
}

// postAccountPassword is POST /account/password: it asks for the present password, and ends all other sessions.
func postAccountPassword(v *visit) error {
	typed, err := v.form()
	if err != nil {
		return err
	}
	err = v.Signin.ChangePassword(v.r.Context(), v.caller, typed.Get("present"), typed.Get("password"), v.device())
	if err == nil {
		return v.redirect("/account?changed=yes")
	}
	if fault.Is(err, fault.NotFound) {
		return err
	}
	wrong := fault.Of(err).Code == "bad_login"
	list, status, err := v.complain(err)
	if err != nil {
		return err
	}
	if wrong {
		list = problems{{Field: "present", Text: v.say("error.present_password")}}
	}
	p, err := v.accountPage()
	if err != nil {
		return err
	}
	p.Problems = list
	list.on(&p.Present, &p.Password)
	return v.show(status, "account", p)
}

// postEnd is POST /account/end: it ends one session, or without one all but this.
func postEnd(v *visit) error {
	typed, err := v.form()
	if err != nil {
		return err
	}
	if !typed.Has("session") {
		_, err = v.Signin.EndAll(v.r.Context(), v.caller, id.PersonID{})
	} else {
		var session id.SigninID
		if session, err = id.Parse[id.SigninID](typed.Get("session")); err == nil {
			err = v.Signin.End(v.r.Context(), v.caller, session)
		}
	}
	if err != nil && !fault.Is(err, fault.NotFound) { // it is over, as was asked
		return err
	}
	return v.redirect("/account?ended=yes")
}

// Names of browsers and systems by what they call themselves, those first that call themselves others as well.
var (
	browsers = [][2]string{{"Edg", "Edge"}, {"OPR/", "Opera"}, {"Firefox/", "Firefox"}, {"FxiOS", "Firefox"}, {"CriOS", "Chrome"}, {"Chrome/", "Chrome"}, {"Safari/", "Safari"}}
	systems  = [][2]string{{"iPhone", "iPhone"}, {"iPad", "iPad"}, {"Android", "Android"}, {"Windows", "Windows"}, {"Mac OS X", "Mac"}, {"CrOS", "ChromeOS"}, {"Linux", "Linux"}}
)

// deviceName is what people call the device of a session.
func (f *frame) deviceName(s signin.Session) string {
	browser, system := find(browsers, s.Agent), find(systems, s.Agent)
	switch {
	case browser != "" && system != "":
		return f.say("account.device", "browser", browser, "system", system)
	case s.Kind == signin.Dialect && s.Agent != "":
		word, _, _ := strings.Cut(s.Agent, " ")
		return word
	}
	return first(browser, system, f.say("account.device.unknown"))
}

func find(names [][2]string, text string) string {
	for _, n := range names {
		if strings.Contains(text, n[0]) {
			return n[1]
		}
	}
	return ""
}
