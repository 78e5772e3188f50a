package web

import (
	"net/http"
	"net/http/httptest"
	"slices"
	"testing"
	"time"
)

func TestCookies(t *testing.T) {
	t.Parallel()
	safe, local := NewCookies("https://learn.example"), NewCookies("http://localhost:8080")
	for _, c := range []struct {
		cookies Cookies
		value   string
		life    time.Duration
		want    string
	}{
		{safe, "abc", 90 * time.Second, "__Host-rollway-session=abc; Path=/; Max-Age=90; HttpOnly; Secure; SameSite=Lax"},
		{safe, "abc", 0, "__Host-rollway-session=abc; Path=/; HttpOnly; Secure; SameSite=Lax"},
		{safe, "abc", -1, "__Host-rollway-session=; Path=/; Max-Age=0; HttpOnly; Secure; SameSite=Lax"},
		{local, "abc", time.Hour, "rollway-session=abc; Path=/; Max-Age=3600; HttpOnly; SameSite=Lax"},
	} {
		w := httptest.NewRecorder()
		c.cookies.Set(w, "session", "before", time.Minute)
		c.cookies.Set(w, "session", c.value, c.life)
		if got := w.Result().Header["Set-Cookie"]; !slices.Equal(got, []string{c.want}) {
			t.Errorf("%q, want %q", got, c.want)
		}
	}
	for header, want := range map[string]string{
		"": "", "__Host-rollway-session=abc": "abc", "a=b; __Host-rollway-session=abc; rollway-session=x": "abc", "rollway-session=x": "",
		"__Host-rollway-session=abc; __Host-rollway-session=def": "", "__Host-rollway-language=fr": "",
	} {
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		r.Header.Set("Cookie", header)
		if got := safe.Get(r, "session"); got != want {
			t.Errorf("%q: %q, want %q", header, got, want)
		}
	}
}
