package glpi

import (
	"fmt"
	"strconv"
	"testing"

	"rollway/internal/access"
	"rollway/internal/id"
	"rollway/internal/signup"
)

// TestCaptchaLimits: the seventh captcha in five minutes is refused to its address and network, and says when to come again.
func TestCaptchaLimits(t *testing.T) {
	each(t, func(w *world) {
		s := "Session-Token: " + w.service()
		for range 6 {
			w.captcha(s)
		}
		r := w.want(400, `["ERROR_GLPI_ADD","Too many captcha requests"]`, "POST", captchas, `{"input":{}}`, s)
		if seconds, err := strconv.Atoi(r.header.Get("Retry-After")); err != nil || seconds < 100 || seconds > 300 {
			w.Errorf("Retry-After: %s", r.header.Get("Retry-After"))
		}
		w.want(400, `["ERROR_GLPI_ADD",[{"id":false,"message":"Too many captcha requests"}]]`, "POST", captchas, `{"input":[{}]}`, "Session-Token: "+w.service())
		for i := range 7 {
			status := 201
			if i == 6 {
				status = 400
			}
			w.want(status, "…", "POST", captchas, `{"input":{}}`, s, fmt.Sprintf("From: [2001:db8:1:2::%d]:9", i+1))
		}
		w.want(201, "…", "POST", captchas, `{"input":{}}`, s, "From: [2001:db8:1:3::1]:9")
		w.nextAddress()
		w.captcha(s)
	})
}

// TestCaptchaEnds: three wrong answers end it, three pictures are shown, and it says the same each time.
func TestCaptchaEnds(t *testing.T) {
	each(t, func(w *world) {
		s := "Session-Token: " + w.service()
		n := w.captcha(s)
		right := w.form("kim@example.org", n, "")
		for range 3 {
			w.want(400, `["ERROR_GLPI_ADD","Turing test failed"]`, "POST", users, w.form("kim@example.org", n, "")[:len(right)-len(w.answerOf(n))-3]+`never"}}`, s)
		}
		w.want(400, `["ERROR_GLPI_ADD","Turing test not found"]`, "POST", users, right, s)
		n = w.captcha(s)
		first := w.want(200, "\xff\xd8…", "GET", captchas+"/"+n+"?alt=media", "", s)
		for range 2 {
			if again := w.want(200, "…", "GET", captchas+"/"+n+"?alt=media", "", s); again.text != first.text {
				w.Error("the picture is drawn anew")
			}
		}
		r := w.want(400, `["ERROR","…"]`, "GET", captchas+"/"+n+"?alt=media", "", s)
		if r.header.Get("Retry-After") == "" {
			w.Errorf("%v", r.header)
		}
		w.want(201, `{"id":…,"message":""}`, "POST", users, w.form("kim@example.org", n, ""), s)
		w.want(404, `["ERROR_ITEM_NOT_FOUND",…`, "GET", captchas+"/"+n+"?alt=media", "", s) // it is used up
	})
}

// TestPrintedPassword: the password that the guide prints is too short, unless the operator takes such.
func TestPrintedPassword(t *testing.T) {
	each(t, func(w *world) {
		s := "Session-Token: " + w.service()
		n := w.captcha(s)
		printed := fmt.Sprintf(`{"input":{"name":"emailaddress@domain.com","password":"p@ssw0rd","password2":"p@ssw0rd","firstname":"John","realname":"Doe","_newsletter":"1","_plugin_flyvemdmdemo_captchas_id":%q,"_answer":%q}}`, n, w.answerOf(n))
		w.want(400, `["ERROR_GLPI_ADD","Password too short!"]`, "POST", users, printed, s)
		w.want(200, `{…"password_min_length":15,…}`, "GET", "/getGlpiConfig", "", s)
		w.Config.Lenient = true
		w.want(200, `{…"password_min_length":8,…}`, "GET", "/getGlpiConfig", "", s)
		w.want(201, `{"id":…,"message":""}`, "POST", users, printed, s)
	})
}

// TestServiceTokens: one of an origin works for its pages; revoked and rotated ones, and those of a closed sign-up, do not.
func TestServiceTokens(t *testing.T) {
	each(t, func(w *world) {
		operator := access.CommandLine(id.DefaultOrg)
		of, err := w.Signup.CreateToken(t.Context(), operator, signup.TokenRequest{Name: "one origin", Origins: []string{"https://dashboard.example"}})
		w.must(err)
		open := "/initSession?user_token=" + of.Secret
		w.want(200, `{"session_token":"…"}`, "GET", open, "", "Origin: https://dashboard.example")
		w.want(400, `["ERROR_NOT_ALLOWED_IP","This user_token is not for pages of https://other.example"]`, "GET", open, "", "Origin: https://other.example")
		s := w.text(w.want(200, `{"session_token":"…"}`, "GET", open, ""), "session_token")
		n := w.captcha("Session-Token: " + s)
		// A captcha is the token's: another token neither sees nor answers it.
		other := "Session-Token: " + w.service()
		w.want(404, `["ERROR_ITEM_NOT_FOUND",…`, "GET", captchas+"/"+n+"?alt=media", "", other)
		w.want(400, `["ERROR_GLPI_ADD","Turing test not found"]`, "POST", users, w.form("lea@example.org", n, ""), other)
		w.must(w.Signup.RevokeToken(t.Context(), operator, of.ID))
		w.want(401, `["ERROR_SESSION_TOKEN_INVALID",…`, "GET", "/getFullSession?session_token="+s, "")
		w.want(401, `["ERROR_GLPI_LOGIN_USER_TOKEN",…`, "GET", open, "")
		w.Signup.Settings.Off = true
		w.want(401, `["ERROR_GLPI_LOGIN_USER_TOKEN",…`, "GET", "/initSession?user_token="+w.secret, "")
		w.want(401, `["ERROR_SESSION_TOKEN_INVALID",…`, "POST", captchas, "", other)
	})
}

// TestSignInLimits: wrong passwords are counted, and the answer stays one that clients understand.
func TestSignInLimits(t *testing.T) {
	each(t, func(w *world) {
		w.signUp("max@example.org")
		for range 10 {
			w.want(401, `["ERROR_GLPI_LOGIN","Incorrect username or password"]`, "GET", "/initSession", "", w.basic("max@example.org", "wrong"))
		}
		r := w.want(401, `["ERROR_GLPI_LOGIN","…"]`, "GET", "/initSession", "", w.basic("max@example.org", password))
		if r.header.Get("Retry-After") == "" {
			w.Errorf("%s %v", r.text, r.header)
		}
		w.nextAddress()
		w.person("max@example.org")
	})
}
