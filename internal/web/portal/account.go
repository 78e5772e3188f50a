package portal

import (
	"net/http"
	"strings"

	"rollway/internal/fault"
	"rollway/internal/id"
	"rollway/internal/signin"
)

// showAccount is GET /account: who is signed in, and with which browsers.
func showAccount(v *visit) error {
	sessions, err := v.Signin.List(v.r.Context(), v.caller, id.PersonID{})
	if err != nil {
		return err
	}
	p := accountPage{frame: v.frame("account.title", "account"), Name: v.who.Name, Address: v.who.Address, Ended: v.query.Has("ended")}
	if p.Address == p.Name {
		p.Address = ""
	}
	for _, s := range sessions {
		d := device{ID: s.ID.String(), Name: p.deviceName(s), Network: s.Group, Since: p.at(s.Created), Seen: p.at(s.Seen), Here: s.ID == v.caller.Signin}
		if d.Here {
			p.Devices = append([]device{d}, p.Devices...)
		} else {
			p.Devices = append(p.Devices, d)
		}
	}
	return v.show(http.StatusOK, "account", &p)
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
