package web

import (
	"net/http"
	"slices"
	"strings"
	"time"
)

// Cookies keep small things in a browser. Under https their names begin with __Host- (RFC 6265bis section 4.1.3.2), so that no
// other host, not even one below this one, can set or read them; scripts never can.
type Cookies struct {
	prefix string
	secure bool
}

// NewCookies returns the cookies of an installation that people reach at this address.
func NewCookies(publicURL string) Cookies {
	if strings.HasPrefix(publicURL, "https://") {
		return Cookies{"__Host-rollway-", true}
	}
	return Cookies{"rollway-", false} // browsers keep no __Host- cookie of http://localhost
}

// Get returns the value that a request carries under a name, and "" for none. Of two values one was put there by somebody
// else, and neither is taken.
func (c Cookies) Get(r *http.Request, name string) string {
	found := r.CookiesNamed(c.prefix + name)
	if len(found) != 1 {
		return ""
	}
	return found[0].Value
}

// Set keeps a value of cookie characters under a name for so long: until the browser closes for 0, no more for less. Of several
// in one answer only the last is sent (RFC 6265 section 4.1.1).
func (c Cookies) Set(w http.ResponseWriter, name, value string, life time.Duration) {
	k := &http.Cookie{Name: c.prefix + name, Value: value, Path: "/", Secure: c.secure, HttpOnly: true, SameSite: http.SameSiteLaxMode, MaxAge: int(life / time.Second)}
	if life < 0 {
		k.Value, k.MaxAge = "", -1
	}
	h := w.Header()
	h["Set-Cookie"] = slices.DeleteFunc(h["Set-Cookie"], func(line string) bool { return strings.HasPrefix(line, k.Name+"=") })
	http.SetCookie(w, k)
}
