package glpi

import (
	"testing"

	"rollway/internal/access"
	"rollway/internal/db"
	"rollway/internal/id"
	"rollway/internal/signup"
)

// TestLostPassword: the token of the mail sets a new password, once, and ends the sessions there are.
func TestLostPassword(t *testing.T) {
	each(t, func(w *world) {
		const address, fresh = "quinn@example.org", "seven slow green trams"
		w.signUp(address)
		s := "Session-Token: " + w.person(address)
		asked := w.want(200, `["…"]`, "PUT", "/lostPassword", `{"email":"Quinn@example.org"}`)
		if unknown := w.want(200, `["…"]`, "PUT", "/lostPassword", `{"email":"stranger@example.org"}`); unknown.text != asked.text {
			w.Errorf("a known address is answered %s, another %s", asked.text, unknown.text)
		}
		token := w.mailed(address, resetting)[2]
		reset := func(email, token, password string) string {
			return `{"email":"` + email + `","password_forget_token":"` + token + `","password":"` + password + `"}`
		}
		w.want(400, `["ERROR","…"]`, "PUT", "/lostPassword", reset(address, "wrong", fresh))
		w.want(400, `["ERROR","…"]`, "PUT", "/lostPassword", reset("other@example.org", token, fresh))
		w.want(400, `["ERROR","Password too short!"]`, "PUT", "/lostPassword", reset(address, token, "short"))
		w.want(400, `["ERROR","…"]`, "PUT", "/lostPassword", reset("not an address", token, fresh))
		w.want(200, `["…"]`, "PUT", "/lostPassword", reset(address, token, fresh))
		w.want(400, `["ERROR","…"]`, "PUT", "/lostPassword", reset(address, token, fresh))
		w.want(401, `["ERROR_SESSION_TOKEN_INVALID",…`, "GET", "/getFullSession", "", s)
		w.want(401, `["ERROR_GLPI_LOGIN",…`, "GET", "/initSession", "", w.basic(address, password))
		w.want(200, `{"session_token":"…"}`, "GET", "/initSession", "", w.basic(address, fresh))
	})
}

// TestLateValidation: the link is good for a day, and a fresh sign-up needs not wait for the old one to be forgotten.
func TestLateValidation(t *testing.T) {
	each(t, func(w *world) {
		const address = "rae@example.org"
		s := "Session-Token: " + w.service()
		w.want(201, `{"id":…,"message":""}`, "POST", users, w.form(address, w.captcha(s), ""), s)
		number, token := w.mailTo(address)
		w.must(w.db.Write(t.Context(), func(tx *db.Tx) error { return tx.Defer(t.Context(), "UPDATE signups SET expires = ?", tx.Now()) }))
		w.want(400, `["ERROR_GLPI_UPDATE","Validation token expired"]`, "PUT", validations+"/"+number, `{"input":{"_validate":"`+token+`"}}`, s)
		w.want(401, `["ERROR_GLPI_LOGIN",…`, "GET", "/initSession", "", w.basic(address, password))
		w.want(201, `{"id":…,"message":""}`, "POST", users, w.form(address, w.captcha(s), ""), s)
		w.must(w.db.Write(t.Context(), func(tx *db.Tx) error {
			return tx.Defer(t.Context(), "UPDATE signups SET expires = expires + 86400000000")
		}))
		w.want(200, `[{"`+number+`":true,"message":""}]`, "PUT", validations+"/"+number, `{"input":{"_validate":"`+token+`"}}`, s)
		w.person(address)
	})
}

// TestJoining: where everybody joins one organization, each sees it and themselves, and none of the others.
func TestJoining(t *testing.T) {
	each(t, func(w *world) {
		w.Signup.Settings.Join = id.DefaultOrg
		one, two := w.signUp("sam@example.org"), w.signUp("tia@example.org")
		s := "Session-Token: " + w.person("sam@example.org")
		w.want(200, `[{…"entities_id":1,…"id":`+one+`,…}]`, "GET", "/User", "", s)
		w.want(404, `["ERROR_ITEM_NOT_FOUND",…`, "GET", "/User/"+two, "", s)
		w.want(404, `["ERROR_ITEM_NOT_FOUND",…`, "GET", "/User/"+two+"/UserEmail", "", s)
		w.want(200, `{…"id":1,…}`, "GET", "/Entity/1", "", s)
		w.want(200, `[{…"entities_id":1,…"is_default":1,…}]`, "GET", "/PluginFlyvemdmFleet", "", s)
	})
}

// TestApproval: who confirmed and waits for the operator is not told to confirm.
func TestApproval(t *testing.T) {
	each(t, func(w *world) {
		w.Signup.Settings.Approval = true
		w.signUp("uma@example.org")
		w.want(401, `["ERROR_GLPI_LOGIN","Your account is not open yet. Follow the link in the mail, then wait…"]`, "GET", "/initSession", "", w.basic("uma@example.org", password))
		w.want(401, `["ERROR_GLPI_LOGIN","Incorrect username or password"]`, "GET", "/initSession", "", w.basic("uma@example.org", "wrong"))
		list, err := w.Signup.List(t.Context(), access.CommandLine(0), 0, 10)
		w.must(err)
		w.must(w.Signup.Approve(t.Context(), access.CommandLine(0), list[0].Number))
		w.person("uma@example.org")
	})
}

// TestLanguages: mail is in the language that suits the client best, and the newsletter's list says which that is.
func TestLanguages(t *testing.T) {
	each(t, func(w *world) {
		for address, c := range map[string]struct{ header, want string }{
			"none@example.org": {"", "en"}, "fr@example.org": {"fr-CH, fr;q=0.9, en;q=0.8", "fr"}, "it@example.org": {"it, es;q=0.7, de;q=0.8", "de"}, "any@example.org": {"*", "en"},
		} {
			w.nextAddress()
			s := "Session-Token: " + w.service()
			w.want(201, `{"id":…,"message":""}`, "POST", users, w.form(address, w.captcha(s), `,"_newsletter":"1"`), s, "Accept-Language: "+c.header)
			number, token := w.mailTo(address)
			w.want(200, `[{"`+number+`":true,"message":""}]`, "PUT", validations, `{"input":{"id":`+number+`,"_validate":"`+token+`"}}`, s)
			found := ""
			w.must(w.Signup.Subscribers(t.Context(), access.CommandLine(0), func(b signup.Subscriber) error {
				if b.Address == address {
					found = b.Lang
				}
				return nil
			}))
			if found != c.want {
				t.Errorf("who asks for %q gets news in %q, want %q", c.header, found, c.want)
			}
		}
	})
}
