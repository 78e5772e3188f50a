package portal

import (
	"net/http"
	"net/url"
	"strings"
	"time"

	"rollway/internal/access"
	"rollway/internal/fault"
	"rollway/internal/signin"
	"rollway/internal/web"
)

// visit is a request with what every handler wants to know of it.
type visit struct {
	*Door
	*words
	w      http.ResponseWriter
	r      *http.Request
	query  web.Params
	caller access.Caller // who is signed in; zero for nobody
	who    *person       // the same, for the frame; nil for nobody
}

// protection refuses what another site's page posts in the name of whoever is signed in.
var protection = http.NewCrossOriginProtection()

// everybody makes a handler of one that serves people who are signed in or not.
func (d *Door) everybody(serve func(*visit) error) web.Handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		v, err := d.visit(w, r)
		if err != nil {
			return err
		}
		if err := v.meet(); err != nil && !fault.Is(err, fault.Unauthenticated) && !fault.Is(err, fault.Forbidden) {
			return err
		}
		return serve(v)
	}
}

// people makes a handler of one that serves only people who are signed in. Others are asked to sign in and come back.
func (d *Door) people(serve func(*visit) error) web.Handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		v, err := d.visit(w, r)
		if err != nil {
			return err
		}
		err = v.meet()
		if fault.Is(err, fault.Unauthenticated) && r.Method == http.MethodGet && web.PrefersHTML(r) && r.Header.Get("Sec-Fetch-Dest") != "iframe" {
			return v.redirect("/login?next=" + url.QueryEscape(r.URL.RequestURI()))
		}
		if err != nil {
			return err
		}
		return serve(v)
	}
}

func (d *Door) visit(w http.ResponseWriter, r *http.Request) (*visit, error) {
	if err := protection.Check(r); err != nil {
		return nil, fault.New(fault.Forbidden, "cross_origin", "This was sent by a page of another site.").Because(err)
	}
	query, err := web.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return nil, err
	}
	v := &visit{Door: d, w: w, r: r, query: query, words: d.wordsFor(r)}
	v.choose()
	return v, nil
}

// choose takes the language that the address asks for, and has the browser keep it.
func (v *visit) choose() {
	if chosen := catalogue[v.query.Get("lang")]; chosen != nil {
		v.words = chosen
		v.Cookies.Set(v.w, languageCookie, chosen.lang, 365*24*time.Hour)
	}
}

// wordsFor are the words of the language that was chosen before, or that the browser asks for.
func (d *Door) wordsFor(r *http.Request) *words {
	return catalogue[pickLanguage(d.Cookies.Get(r, languageCookie), strings.Join(r.Header["Accept-Language"], ","))]
}

// meet finds out who is signed in.
func (v *visit) meet() error {
	c, err := v.Web.Caller(v.r)
	if err != nil {
		return err
	}
	self, err := v.People.Self(v.r.Context(), c)
	if err != nil {
		return err
	}
	v.caller = c
	v.who = &person{Name: first(self.Name, self.Attributes["Email"].String()), Address: self.Attributes["Email"].String(),
		MayAdd: c.Scopes.Has(access.ContentWrite), SeesPeople: c.Scopes.Has(access.PeopleRead), SeesStatements: c.Scopes.Has(access.StatementsRead)}
	return nil
}

// frame is what stands around a page. The title is a text of the catalogue.
func (v *visit) frame(title, tab string) frame { return v.titled(v.say(title), tab) }

// titled is frame for titles that are no text of the catalogue.
func (v *visit) titled(title, tab string) frame {
	f := frame{words: v.words, Title: title, Path: v.r.URL.Path, query: v.query.Without("lang").Encode(), Person: v.who, tab: tab, now: v.now()}
	if v.r.Method != http.MethodGet && v.r.Method != http.MethodHead {
		f.query = ""
	}
	return f
}

// show answers with a page.
func (v *visit) show(status int, name string, p page) error { return write(v.w, status, name, p) }

// redirect sends the browser to an address of ours.
func (v *visit) redirect(to string) error {
	web.NoStore(v.w.Header())
	web.SecurityHeaders(v.w.Header(), web.StrictPolicy)
	v.w.Header().Set("Location", to)
	v.w.WriteHeader(http.StatusSeeOther)
	return nil
}

// maxForm bounds the body of a form without files.
const maxForm = 64 << 10

// form reads the body of a form.
func (v *visit) form() (web.Params, error) {
	if err := web.ContentType(v.r, "application/x-www-form-urlencoded"); err != nil {
		return web.Params{}, err
	}
	body, err := web.Body(v.r, maxForm)
	if err != nil {
		return web.Params{}, err
	}
	return web.ParseQuery(string(body))
}

// device is where the visit comes from.
func (v *visit) device() signin.Device {
	return signin.Device{Addr: web.ClientAddr(v.r.Context()), Agent: v.r.UserAgent(), Before: v.Cookies.Get(v.r, SessionCookie), Browser: v.Cookies.Get(v.r, browserCookie), Lang: v.lang}
}

// knownDevice is device for where somebody may sign in, who is known there from then on.
func (v *visit) knownDevice() signin.Device {
	d := v.device()
	if d.Browser == "" {
		d.Browser = signin.NewBrowser()
	}
	return d
}

// keep has the browser keep a session.
func (v *visit) keep(s signin.Session, token string) {
	v.Cookies.Set(v.w, SessionCookie, token, v.Signin.Lives[s.Kind].Most)
}

// local is an address of ours to go on to, or "/" for what could lead elsewhere.
func local(next string) string {
	u, err := url.Parse(next)
	if err != nil || u.Scheme != "" || u.Host != "" || u.User != nil || !strings.HasPrefix(next, "/") || strings.HasPrefix(next, "//") || strings.ContainsAny(next, "\\\r\n\t") {
		return "/"
	}
	return next
}
