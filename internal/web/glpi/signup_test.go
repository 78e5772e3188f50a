package glpi

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"rollway/internal/fault"
	"rollway/internal/signup"
)

const (
	captchas    = "/PluginFlyvemdmdemoCaptcha"
	users       = "/PluginFlyvemdmdemoUser"
	validations = "/PluginFlyvemdmdemoAccountvalidation"
)

// TestCaptcha: what is taken as input, and the ways to ask for the picture.
func TestCaptcha(t *testing.T) {
	each(t, func(w *world) {
		s := "Session-Token: " + w.service()
		for _, body := range []string{``, `{}`, `{"input":{}}`, `{"input":[]}`, `{"input":{"a":"a"}}`, `{"input":null}`} {
			w.want(201, `{"id":…,"message":""}`, "POST", "/pluginFLYVEMDMDEMOcaptcha/", body, s)
		}
		w.nextAddress()
		w.want(201, `{"id":…,"message":""}`, "POST", captchas, `{"input":{"a":"a"}}`, s, "Content-Type:")
		w.want(201, `{"id":…,"message":""}`, "POST", captchas, `input[a]=a`, s, "Content-Type: application/x-www-form-urlencoded")
		w.want(201, `[{"id":…,"message":""}]`, "POST", captchas, `{"input":[{}]}`, s)
		two := w.want(201, `[{"id":…,"message":""},{"id":…,"message":""}]`, "POST", captchas, `{"input":[{"a":1},{}]}`, s)
		if links := strings.Split(two.header.Get("Link"), ","); len(links) != 2 || !strings.HasPrefix(links[1], public+captchas+"/") {
			w.Errorf("Link: %s", two.header.Get("Link"))
		}
		w.nextAddress()
		for _, ask := range []struct{ query, header, more string }{
			{"?alt=media", s, ""}, {"", s, "Accept: application/octet-stream"}, {"", s, "Accept: image/jpeg"}, {"", s, "Accept: text/html, image/*;q=0.8"},
			{"", s, "Content-Type: application/octet-stream"}, {"?alt=media&", s, "From: 198.51.100.9:1"}, {"?alt=media", "X-No: session", ""},
		} {
			if ask.query == "" {
				w.nextAddress()
			}
			n := w.captcha(s)
			r := w.want(200, "\xff\xd8…", "GET", captchas+"/"+n+ask.query, "", ask.header, ask.more)
			if r.header.Get("Content-Type") != "image/jpeg" || r.header.Get("Cache-Control") != "no-store" {
				w.Errorf("%v: %v", ask, r.header)
			}
			w.want(200, "", "HEAD", captchas+"/"+n+ask.query, "", ask.header, ask.more)
		}
		w.nextAddress()
		n := w.captcha(s)
		w.want(200, `{"date_creation":"2…","id":`+n+`}`, "GET", captchas+"/"+n, "", s)
		w.want(200, `{"date_creation":"2…","id":`+n+`}`, "GET", captchas+"/"+n, "")
		elsewhere := w.want(404, `["ERROR_ITEM_NOT_FOUND","Item not found"]`, "GET", captchas+"/"+n+"?alt=media", "", "From: 203.0.113.77:9")
		if never := w.want(404, `…`, "GET", captchas+"/999999?alt=media", "", "From: 203.0.113.77:9"); never.text != elsewhere.text {
			w.Errorf("another address's captcha answers %s, none %s", elsewhere.text, never.text)
		}
	})
}

// TestRefusedSignUps: the checks in their order, with the plugin's words, and that nothing is left of what was refused.
func TestRefusedSignUps(t *testing.T) {
	each(t, func(w *world) {
		s := "Session-Token: " + w.service()
		n := w.captcha(s)
		const address = "carl+x@Example.ORG"
		before := w.organizations()
		good := map[string]string{"firstname": `"Carl"`, "name": `"` + address + `"`, "password": `"` + password + `"`, "password2": `"` + password + `"`, "_plugin_flyvemdmdemo_captchas_id": n, "_answer": `"` + w.answerOf(n) + `"`}
		with := func(changed ...string) string {
			var members []string
			for name, v := range good {
				if i := slices.Index(changed, name); i >= 0 {
					if v = changed[i+1]; v == "" {
						continue
					}
				}
				members = append(members, fmt.Sprintf("%q:%s", name, v))
			}
			return `{"input":{` + strings.Join(members, ",") + `}}`
		}
		for _, c := range []struct {
			says string
			body string
		}{
			{"Passwords are different", with("password2", `"x"`, "name", `"x"`, "_answer", "")},
			{"Passwords are different", with("password2", "")},
			{"Passwords are different", with("password", "")},
			{"Passwords are different", with("password2", "true")},
			{"Password too short!", with("password", `"short"`, "password2", `"short"`, "name", `"x"`, "_answer", "")},
			{"Password too short!", with("password", "", "password2", "")},
			{"Password too short!", with("password", `"short"`, "password2", `"short"`, "_plugin_flyvemdmdemo_captchas_id", `"x"`)},
			{"password must be text", with("password", "12345678901234567890", "password2", "12345678901234567890")},
			{"firstname must be text", with("firstname", "[1]")},
			{"Password too short!", with("password", `""`, "password2", `""`)},
			{"Email address is not valid", with("name", `"x"`, "_answer", "")},
			{"Email address is not valid", with("name", "", "_answer", "")},
			{"Email address is not valid", with("name", `"a@b@example.org"`)},
			{"Email address is not valid", with("name", `"a@example.org\r\nBcc: b@example.org"`)},
			{"Turing test not specified", with("_answer", "")},
			{"Turing test not specified", with("_answer", `""`)},
			{"Turing test not specified", with("_plugin_flyvemdmdemo_captchas_id", "")},
			{"Turing test not found", with("_plugin_flyvemdmdemo_captchas_id", "999999")},
			{"Turing test not found", with("_plugin_flyvemdmdemo_captchas_id", `"x"`)},
			{"Turing test failed", with("_answer", `"wrong"`)},
			{"Turing test failed", with("_answer", `0.5`)},
		} {
			w.want(400, `["ERROR_GLPI_ADD","`+c.says+`"]`, "POST", users, c.body, s)
			w.nextAddress()
		}
		if after := w.organizations(); after != before {
			w.Errorf("refused sign-ups left %d organizations", after-before)
		}
		// The captcha is still good: what else was wrong does not use it up.
		w.want(201, `{"id":…,"message":""}`, "POST", users, with(), s)
		w.want(400, `["ERROR_GLPI_ADD","Turing test not found"]`, "POST", users, with("name", `"dave@example.org"`), s)
	})
}

// TestNothingElseIsTaken: members that nobody asked for have no effect, in sign-ups and in validations.
func TestNothingElseIsTaken(t *testing.T) {
	each(t, func(w *world) {
		s := "Session-Token: " + w.service()
		const address = "erin@example.org"
		w.want(201, `{"id":…,"message":""}`, "POST", users, w.form(address, w.captcha(s),
			`,"id":1,"is_active":1,"profiles_id":4,"_profiles_id":4,"entities_id":1,"is_recursive":1,"api_token":"x","_useremails":["evil@example.org"],"username":"evil","state":"active","verified":true`), s)
		w.want(401, `["ERROR_GLPI_LOGIN","Your account is not validated yet. Follow the link in the mail first."]`, "GET", "/initSession", "", w.basic(address, password))
		w.want(401, `["ERROR_GLPI_LOGIN","Incorrect username or password"]`, "GET", "/initSession", "", w.basic(address, password+"x"))
		id, token := w.mailTo(address)
		chosen := strings.Repeat("0", 64)
		w.want(400, `["ERROR_GLPI_UPDATE","Validation token missing"]`, "PUT", validations+"/"+id, `{"input":{"validation_pass":"`+chosen+`","date_end_trial":"2099-01-01","users_id":1}}`, s)
		w.want(400, `["ERROR_GLPI_UPDATE","Validation token is invalid"]`, "PUT", validations+"/"+id, `{"input":{"_validate":"`+chosen+`"}}`, s)
		for _, v := range []string{`true`, `1`, `[1]`, `{"a":1}`, `"` + strings.ToUpper(token) + `"`, `"6543654dsfjkqs5465786764"`, `" ` + token + `"`} {
			w.want(400, `["ERROR_GLPI_UPDATE","Validation token is invalid"]`, "PUT", validations+"/"+id, `{"input":{"_validate":`+v+`}}`, s)
		}
		for _, v := range []string{`""`, `"0"`, `0`, `false`, `null`, `[]`} {
			w.want(400, `["ERROR_GLPI_UPDATE","Validation token missing"]`, "PUT", validations+"/"+id, `{"input":{"_validate":`+v+`}}`, s)
		}
		w.want(400, `["ERROR_GLPI_DELETE","You don't have permission to perform this action."]`, "DELETE", validations+"/"+id, "", s)
		w.want(200, `[{"`+id+`":true,"message":""}]`, "PUT", validations+"/"+id, `{"input":{"id":"`+id+`","_validate":"`+token+`","date_end_trial":"2099-01-01","users_id":1}}`, s)
		person := w.want(200, `[{…"name":"erin@example.org",…}]`, "GET", "/User", "", "Session-Token: "+w.person(address))
		if strings.Contains(person.text, "evil") {
			w.Errorf("the person is %s", person.text)
		}
	})
}

// TestBulk: lists of items, some or all of them refused.
func TestBulk(t *testing.T) {
	each(t, func(w *world) {
		s := "Session-Token: " + w.service()
		good, bad := w.input("fay@example.org", w.captcha(s), ""), w.input("not an address", "1", "")
		w.want(201, `[{"id":…,"message":""}]`, "POST", users, `{"input":[`+good+`]}`, s)
		good = w.input("gus@example.org", w.captcha(s), "")
		w.want(207, `["ERROR_GLPI_PARTIAL_ADD",[{"id":false,"message":"Email address is not valid"},{"id":…,"message":""}]]`, "POST", users, `{"input":[`+bad+`,`+good+`]}`, s)
		w.want(400, `["ERROR_GLPI_ADD",[{"id":false,"message":"Email address is not valid"},{"id":false,"message":"Email address is not valid"}]]`, "POST", users, `{"input":[`+bad+`,`+bad+`]}`, s)
		fay, token := w.mailTo("fay@example.org")
		gus, _ := w.mailTo("gus@example.org")
		w.want(207, `["ERROR_GLPI_PARTIAL_UPDATE",[{"`+fay+`":true,"message":""},{"`+gus+`":false,"message":"Validation token is invalid"}]]`, "PUT", validations,
			`{"input":[{"id":`+fay+`,"_validate":"`+token+`"},{"id":"`+gus+`","_validate":"`+token+`x"}]}`, s)
		w.want(400, `["ERROR_GLPI_UPDATE",[{"`+fay+`":false,"message":"Validation token is invalid"}]]`, "PUT", validations, `{"input":[{"id":`+fay+`,"_validate":"`+token+`"}]}`, s)
	})
}

// TestBulkIsToldWhole: what was done of a list is told, whatever comes after it; what cannot be told apart is not begun.
func TestBulkIsToldWhole(t *testing.T) {
	each(t, func(w *world) {
		s := "Session-Token: " + w.service()
		w.want(201, `{"id":…,"message":""}`, "POST", users, w.form("ned@example.org", w.captcha(s), ""), s)
		id, token := w.mailTo("ned@example.org")
		w.want(400, `["ERROR_BAD_ARRAY",…`, "PUT", validations, `{"input":[{"id":`+id+`,"_validate":"`+token+`"},{"_validate":"`+token+`"}]}`, s)
		w.want(200, `[{"`+id+`":true,"message":""}]`, "PUT", validations, `{"input":[{"id":`+id+`,"_validate":"`+token+`"}]}`, s)

		failing := func(at int64) *itemtype {
			n := int64(0)
			one := func() (int64, error) {
				if n++; n == at {
					return 0, fault.New(fault.Unavailable, "busy", "Come again later; soon.")
				}
				return n, nil
			}
			return &itemtype{name: "X", add: func(*Door, *ask, map[string]any) (int64, error) { return one() },
				change: func(*Door, *ask, int64, map[string]any) error { _, err := one(); return err }}
		}
		a := &ask{Request: request("POST", "/X", ""), params: params{values: map[string]any{"input": []any{map[string]any{"id": 1.0}, map[string]any{"id": 2.0}}}},
			parts: []string{"X"}, from: session{service: &signup.TokenSession{}}}
		for _, c := range []struct {
			do   func(*ask, *itemtype) (answer, error)
			at   int64
			says string
		}{
			{w.create, 1, "503 ERROR []"}, {w.update, 1, "503 ERROR []"},
			{w.create, 2, "207 ERROR_GLPI_PARTIAL_ADD [map[id:1 message:] map[id:false message:Come again later, soon.]]"},
			{w.update, 2, "207 ERROR_GLPI_PARTIAL_UPDATE [map[1:true message:] map[2:false message:Come again later, soon.]]"},
		} {
			_, err := c.do(a, failing(c.at))
			var f *refusal
			if !errors.As(err, &f) || fault.Of(f.cause).Code != "busy" || fmt.Sprint(f.status, " ", f.code, " ", f.results) != c.says {
				t.Errorf("%+v, want %s", err, c.says)
			}
		}
	})
}

// TestKnownAddresses: an address that has an account is answered like one that has none.
func TestKnownAddresses(t *testing.T) {
	each(t, func(w *world) {
		first := w.signUp("hal@example.org")
		s := "Session-Token: " + w.service()
		fresh := w.want(201, `{"id":…,"message":""}`, "POST", users, w.form("ian@example.org", w.captcha(s), ""), s)
		known := w.want(201, `{"id":…,"message":""}`, "POST", users, w.form("HAL@Example.org", w.captcha(s), ""), s)
		ids := []string{first, w.text(fresh, "id"), w.text(known, "id")}
		if len(slices.Compact(slices.Clone(ids))) != 3 {
			w.Errorf("the ids are %v", ids)
		}
		for name := range fresh.header {
			if name != "Location" && name != "X-Request-Id" && name != "Content-Length" && fresh.header.Get(name) != known.header.Get(name) {
				w.Errorf("%s: %q and %q", name, fresh.header.Get(name), known.header.Get(name))
			}
		}
		hal := "Session-Token: " + w.person("hal@example.org")
		for _, id := range ids[1:] {
			w.want(404, `["ERROR_ITEM_NOT_FOUND","Item not found"]`, "GET", "/User/"+id, "", hal)
		}
		w.Signup.Settings.Reveal = true
		n := w.captcha(s)
		w.want(400, `["ERROR_GLPI_ADD","Turing test failed"]`, "POST", users, strings.Replace(w.form("hal@example.org", n, ""), w.answerOf(n), "never", 1), s) // before it tells
		w.want(400, `["ERROR_GLPI_ADD","An entity already exists for your email. You probably already have an account."]`, "POST", users, w.form("hal@example.org", n, ""), s)
	})
}

// TestNothingLeaks: addresses in headers are not believed, and no token stands in the log.
func TestNothingLeaks(t *testing.T) {
	each(t, func(w *world) {
		session := w.service()
		n := w.text(w.want(200, `{"id":…,"message":""}`, "POST", captchas+"?session_token="+session, `{}`), "id")
		w.want(404, `["ERROR_ITEM_NOT_FOUND",…`, "GET", captchas+"/"+n+"?alt=media", "", "From: 203.0.113.5:1", "X-Forwarded-For: "+w.address())
		w.want(401, `…`, "GET", "/initSession", "", w.basic("jo@example.org", "canary-password"))
		w.want(401, `…`, "GET", "/initSession?user_token=canarytoken", "")
		log := w.log.String()
		for _, secret := range []string{session, w.secret, "canary"} {
			if strings.Contains(log, secret) {
				w.Errorf("the log has %s", secret)
			}
		}
		if !strings.Contains(log, "session_token=…") {
			w.Errorf("the log is %s", log)
		}
		// What a public token learns is what the sign-up page needs.
		config := w.member(w.want(200, `{"cfg_glpi":{…}}`, "GET", "/getGlpiConfig?session_token="+session, ""), "cfg_glpi").(map[string]any)
		full := w.member(w.want(200, `{"session":{…}}`, "GET", "/getFullSession?session_token="+session, ""), "session").(map[string]any)
		if len(config) != 6 || len(full) != 9 {
			w.Errorf("the configuration has %v, the session %v", config, full)
		}
	})
}
