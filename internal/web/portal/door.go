package portal

import (
	"net/http"
	"time"

	"rollway/internal/challenge"
	"rollway/internal/content"
	"rollway/internal/directory"
	"rollway/internal/launch"
	"rollway/internal/lrs"
	"rollway/internal/signin"
	"rollway/internal/signup"
	"rollway/internal/web"
)

// Door answers the pages for people. All fields are required but those that say otherwise.
type Door struct {
	Web     web.Door // knows callers by the session's cookie
	Cookies web.Cookies
	Frames  string // sources of the courses that may stand in a frame, as in a content security policy

	People     *directory.Directory
	Content    *content.Catalogue
	Launcher   *launch.Launcher
	Records    *lrs.Store
	Signin     *signin.Signin
	Signup     *signup.Signup
	Challenges *challenge.Challenger

	NoNames      bool // sign-up asks for no names
	NoNewsletter bool // and offers no newsletter

	Now func() time.Time // default time.Now

	uploads uploads
}

// The names of cookies.
const (
	SessionCookie  = "session"  // the token of whoever is signed in
	browserCookie  = "browser"  // by which people who have signed in with it before are known ([signin.Device])
	languageCookie = "language" // chosen
	signupCookie   = "signup"   // which sign-up the browser waits for
)

// Mount puts the pages into mux, and a page that says so at all addresses that lead nowhere.
func (d *Door) Mount(mux *http.ServeMux) {
	everybody := d.everybody
	people := d.people
	web.Mount(mux, "/", d.Fail, web.Routes{
		"GET /{$}":                        everybody(start),
		"GET " + assetPrefix + "{name}":   serveAsset,
		"GET /signup":                     everybody(showSignup),
		"POST /signup":                    everybody(postSignup),
		"POST /signup/challenge":          everybody(anotherChallenge),
		"POST /signup/work":               everybody(askWork),
		"GET /signup/picture/{challenge}": everybody(picture),
		"GET /signup/audio/{challenge}":   everybody(audio),
		"GET /signup/check":               everybody(showCheck),
		"POST /signup/check":              everybody(postCheck),
		"POST /signup/again":              everybody(sendAgain),
		"GET /confirm/{number}/{token}":   everybody(showConfirm),
		"POST /confirm/{number}/{token}":  everybody(postConfirm),
		"GET /login":                      everybody(showLogin),
		"POST /login":                     everybody(postLogin),
		"GET /arrived":                    d.arrived,
		"POST /logout":                    everybody(postLogout),
		"GET /password":                   everybody(showPassword),
		"POST /password":                  everybody(postPassword),
		"GET /password/{token}":           everybody(showReset),
		"POST /password/{token}":          everybody(postReset),
		"GET /unsubscribe/{token}":        everybody(showUnsubscribe),
		"POST /unsubscribe/{token}":       everybody(postUnsubscribe),
		"GET /launch":                     people(showLaunch),
		"GET /launch/open":                people(openLaunch),
		"GET /launch/saved":               people(saved),
		"GET /launch/returned":            people(showReturned),
		"GET /courses/add":                people(showAdd),
		"POST /courses/package":           people(postPackage),
		"POST /courses/link":              people(postLink),
		"GET /people":                     people(showPeople),
		"GET /records":                    people(showRecords),
		"GET /account":                    people(showAccount),
		"POST /account/end":               people(postEnd),
		"POST /account/password":          people(postAccountPassword),
	})
}

func (d *Door) now() time.Time {
	if d.Now != nil {
		return d.Now()
	}
	return time.Now()
}
