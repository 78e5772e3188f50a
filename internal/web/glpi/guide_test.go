package glpi

import (
	"fmt"
	"strings"
	"testing"

	"github.com/go-json-experiment/json"

	"rollway/internal/signin"
)

// TestGuide makes each request that the guide prints, as it prints it, at the root and under /apirest.php, with the tokens in
// the query as there and in headers.
func TestGuide(t *testing.T) {
	each(t, func(w *world) {
		for _, base := range []string{"", Base} {
			for _, inHeader := range []bool{false, true} {
				created, query, header := 200, "session_token=", "X-None: "
				s := w.text(w.want(200, `{"session_token":"…"}`, "GET", base+"/initSession?user_token="+w.secret, "", "Content-Type: application/json"), "session_token")
				if query += s; inHeader {
					created, query, header = 201, "", "Session-Token: "+s
				}
				captcha := w.want(created, `{"id":…,"message":""}`, "POST", base+"/PluginFlyvemdmdemoCaptcha?"+query, `{"input":
  {
    "a": "a"
  }
}`, header)
				number := w.text(captcha, "id")
				if where := captcha.header.Get("Location"); where != public+base+"/PluginFlyvemdmdemoCaptcha/"+number {
					w.Errorf("Location: %s", where)
				}
				picture := w.want(200, "\xff\xd8…", "GET", base+"/PluginFlyvemdmdemoCaptcha/"+number+"?alt=media", "", "Content-Type: application/octet-stream")
				if picture.header.Get("Content-Type") != "image/jpeg" {
					w.Errorf("the picture is %s", picture.header.Get("Content-Type"))
				}
				address := fmt.Sprintf("emailaddress%d%v@domain.com", len(base), inHeader)
				user := w.want(created, `{"id":…,"message":""}`, "POST", base+"/PluginFlyvemdmdemoUser?"+query, `{"input":
  {
    "name": "`+address+`",
    "password": "`+password+`",
    "password2": "`+password+`",
    "firstname": "John",
    "realname": "Doe",
    "_newsletter": "1",
    "_plugin_flyvemdmdemo_captchas_id": "`+number+`",
    "_answer": "`+w.answerOf(number)+`"
  }
}`, header)
				if where := user.header.Get("Location"); where != public+base+"/PluginFlyvemdmdemoUser/"+w.text(user, "id") {
					w.Errorf("Location: %s", where)
				}
				id, token := w.mailTo(address)
				w.want(200, `[{"`+id+`":true,"message":""}]`, "PUT", base+"/PluginFlyvemdmdemoAccountvalidation/"+id+"?"+query, `{"input":
  {
    "_validate": "`+token+`"
  }
}`, header)
				w.want(400, `["ERROR_GLPI_UPDATE","Validation token is invalid"]`, "PUT", base+"/PluginFlyvemdmdemoAccountvalidation/"+id+"?"+query, `{"input":{"_validate":"`+token+`"}}`, header)
				w.want(200, "", "GET", base+"/killSession?"+query, "", "Content-Type: application/json", header)
				w.want(401, `["ERROR_SESSION_TOKEN_INVALID","session_token seems invalid"]`, "GET", base+"/killSession?"+query, "", header)
			}
		}
	})
}

// TestPrintedFailures: the answers of the guide "if the request fails".
func TestPrintedFailures(t *testing.T) {
	each(t, func(w *world) {
		w.want(400, `["…"]`, "POST", "/PluginFlyvemdmdemoCaptcha", `{"input":{"a":"a"}}`)
		w.want(401, `["…"]`, "POST", "/PluginFlyvemdmdemoCaptcha?session_token=83af7e620c83a50a18d3eac2f6ed05a3ca0bea62", `{"input":{"a":"a"}}`)
		s := "?session_token=" + w.service()
		w.want(400, `["ERROR_GLPI_UPDATE","…"]`, "PUT", "/PluginFlyvemdmdemoAccountvalidation/4"+s, `{"input":{"_validate":"6543654dsfjkqs5465786764"}}`)
		w.want(400, `["…"]`, "GET", "/killSession", "")
	})
}

// TestDashboard makes the requests of Flyve MDM's dashboard in its order and with its headers: the sign-in page with one token,
// the sign-up page, the form, the validation page, the sign-in, the password.
func TestDashboard(t *testing.T) {
	each(t, func(w *world) {
		const js = "Content-Type: application/json"
		open := func() string {
			return "Session-Token: " + w.text(w.want(200, `{"session_token":"…"}`, "GET", Base+"/initSession", "", js, "Authorization: user_token "+w.secret), "session_token")
		}
		s := open()
		w.want(200, `{…"totalcount":1}`, "GET", Base+"/search/Plugin/?range=0-0&", "", js, s)
		w.want(200, `[{"directory":"flyvemdmdemo","id":1,"name":"Flyve MDM Demo","state":1,"version":"1.0.0"}]`, "GET", Base+"/Plugin/?range=0-1&", "", js, s)
		w.want(200, ``, "GET", Base+"/killSession", "", js, s)

		s = open()
		number := w.text(w.want(201, `{"id":…,"message":""}`, "POST", Base+"/PluginFlyvemdmdemoCaptcha", `{"input":{}}`, s), "id")
		w.want(200, "\xff\xd8…", "GET", Base+"/PluginFlyvemdmdemoCaptcha/"+number+"?alt=media&", "", "Content-Type: application/octet-stream", s, "From: 198.51.100.7:1")
		config := w.want(200, `{"cfg_glpi":{…}}`, "GET", Base+"/getGlpiConfig", "", js, s)
		for _, name := range []string{"password_min_length", "password_need_number", "password_need_letter", "password_need_caps", "password_need_symbol"} {
			if !strings.Contains(config.text, `"`+name+`":`) {
				w.Errorf("the configuration lacks %s: %s", name, config.text)
			}
		}

		s = open()
		const address = "jane@example.org"
		w.want(201, `{"id":…,"message":""}`, "POST", Base+"/PluginFlyvemdmdemoUser", fmt.Sprintf(
			`{"input":{"name":%q,"realname":"Jane Doe","password":%q,"password2":%q,"_useremails":[%q],"_plugin_flyvemdmdemo_captchas_id":%s,"_answer":%q}}`,
			address, password, password, address, number, w.answerOf(number)), s)
		w.want(200, ``, "GET", Base+"/killSession", "", js, s)

		s = open()
		id, token := w.mailTo(address)
		w.want(200, `[{"`+id+`":true,"message":""}]`, "PUT", Base+"/PluginFlyvemdmdemoAccountvalidation/"+id, `{"input":{"_validate":"`+token+`"}}`, s)

		s = "Session-Token: " + w.person(address)
		me := w.member(w.want(200, `{"session":{…"glpiID":…}}`, "GET", Base+"/getFullSession", "", js, s), "session").(map[string]any)
		mine := fmt.Sprint(me["glpiID"])
		if me["glpiname"] != address || me["glpirealname"] == "" {
			w.Errorf("the session is %v", me)
		}
		w.want(200, `{…"id":`+mine+`,…"name":"`+address+`",…}`, "GET", Base+"/User/"+mine, "", js, s)
		w.want(200, `[{"email":"`+address+`",…}]`, "GET", Base+"/User/"+mine+"/UserEmail", "", js, s)
		w.want(200, `["…"]`, "PUT", Base+"/lostPassword", `{"email":"`+address+`"}`, "Session-Token: null")
		w.want(200, `["…"]`, "PUT", Base+"/lostPassword", `{"email":"nobody@example.org"}`, "Session-Token: undefined")
		w.want(400, `["ERROR","…"]`, "PUT", Base+"/lostPassword", `{"email":"`+address+`","password_forget_token":"wrong","password":"`+password+`"}`)
	})
}

// TestPeople: what somebody sees of themselves, and nobody of others.
func TestPeople(t *testing.T) {
	each(t, func(w *world) {
		w.signUp("ann@example.org")
		bob := w.signUp("bob@example.org")
		s := "Session-Token: " + w.person("ann@example.org")
		session := w.member(w.want(200, `{"session":{…}}`, "GET", "/getFullSession", "", s), "session").(map[string]any)
		mine, entity := fmt.Sprint(session["glpiID"]), fmt.Sprint(session["glpiactive_entity"])
		w.want(200, `{"myprofiles":[{"entities":[{"id":`+entity+`,"is_recursive":0,"name":"…"}],"id":2,"name":"registered users"}]}`, "GET", "/getMyProfiles", "", s)
		w.want(200, `{"active_profile":{…"id":2,"interface":"central",…}}`, "GET", "/getActiveProfile", "", s)
		w.want(200, `true`, "POST", "/changeActiveProfile", `{"profiles_id":"2"}`, s)
		w.want(404, `["ERROR_ITEM_NOT_FOUND",…`, "POST", "/changeActiveProfile", `{"profiles_id":3}`, s)
		w.want(200, `{"myentities":[{"id":`+entity+`,"name":"…"}]}`, "GET", "/getMyEntities?is_recursive=1", "", s)
		w.want(200, `{"active_entity":{"active_entities":[{"id":`+entity+`}],"active_entity_recursive":false,"id":`+entity+`}}`, "GET", "/getActiveEntities", "", s)
		w.want(200, `true`, "POST", "/changeActiveEntities/", `{}`, s)
		w.want(200, `true`, "POST", "/changeActiveEntities", `{"entities_id":`+entity+`,"is_recursive":true}`, s)
		w.want(200, `{…"id":`+entity+`,…"name":"…"}`, "GET", "/Entity/"+entity, "", s)
		w.want(200, `[{…"id":`+entity+`,…}]`, "GET", "/Entity", "", s)
		w.want(200, `[{…"is_default":1,…}]`, "GET", "/PluginFlyvemdmFleet", "", s)
		w.want(200, `[{…"id":`+mine+`,…}]`, "GET", "/User", "", s)
		w.want(200, `{…"totalcount":1}`, "GET", "/search/User?range=0-0", "", s)
		whole := w.want(200, `[{…"id":`+mine+`,…}]`, "GET", "/user/"+mine+"/useremail", "", s).header
		beyond := w.want(206, `[]`, "GET", "/User?range=1-5", "", s).header
		if whole.Get("Content-Range") != "0-0/1" || whole.Get("Accept-Range") != "UserEmail 1000" || beyond.Get("Content-Range") != "" {
			w.Errorf("the ranges are %v and %v", whole, beyond)
		}
		w.want(200, `{…"email":"ann@example.org",…}`, "GET", "/UserEmail/"+mine, "", s)
		w.want(200, `[{…"email":"ann@example.org",…}]`, "GET", "/UserEmail", "", s)
		other := w.want(404, `["ERROR_ITEM_NOT_FOUND","Item not found"]`, "GET", "/User/"+bob, "", s)
		if never := w.want(404, "…", "GET", "/User/999999", "", s); never.text != other.text {
			w.Errorf("somebody else answers %s, nobody %s", other.text, never.text)
		}
		w.want(404, `["ERROR_ITEM_NOT_FOUND",…`, "GET", "/User/"+bob+"/UserEmail", "", s)
		w.want(404, `["ERROR_ITEM_NOT_FOUND",…`, "GET", "/UserEmail/"+bob, "", s)
		w.want(404, `["ERROR_ITEM_NOT_FOUND",…`, "GET", "/Entity/999999", "", s)
		w.want(404, `["ERROR_ITEM_NOT_FOUND",…`, "GET", "/PluginFlyvemdmFleet/999999", "", s)
		var fleets, others []item
		w.must(json.Unmarshal([]byte(w.ask("GET", "/PluginFlyvemdmFleet", "", s).text), &fleets))
		bobs := "Session-Token: " + w.person("bob@example.org")
		w.must(json.Unmarshal([]byte(w.ask("GET", "/PluginFlyvemdmFleet", "", bobs).text), &others))
		if len(fleets) != 1 || len(others) != 1 || fleets[0]["name"] != "not managed fleet" || textOf(fleets[0]["entities_id"]) != entity {
			w.Fatalf("the fleets are %v and %v", fleets, others)
		}
		w.want(200, `{…"is_default":1,…}`, "GET", "/PluginFlyvemdmFleet/"+textOf(fleets[0]["id"]), "", s)
		w.want(404, `["ERROR_ITEM_NOT_FOUND",…`, "GET", "/PluginFlyvemdmFleet/"+textOf(others[0]["id"]), "", s)
		w.want(404, `["ERROR_ITEM_NOT_FOUND",…`, "GET", "/Entity/"+textOf(others[0]["entities_id"]), "", s)
		// People do not sign others up, and a service token sees nobody.
		w.want(400, `["ERROR_GLPI_ADD","You don't have permission to perform this action."]`, "POST", "/PluginFlyvemdmdemoCaptcha", `{"input":{}}`, s)
		w.want(400, `["ERROR_GLPI_ADD","You don't have permission to perform this action."]`, "POST", "/PluginFlyvemdmdemoUser", `{"input":{}}`, s)
		w.want(400, `["ERROR_GLPI_UPDATE","You don't have permission to perform this action."]`, "PUT", "/PluginFlyvemdmdemoAccountvalidation/1", `{"input":{"_validate":"x"}}`, s)
		service := "Session-Token: " + w.service()
		for _, path := range []string{"/User/" + mine, "/User", "/User/" + mine + "/UserEmail", "/UserEmail", "/Entity/" + entity, "/PluginFlyvemdmFleet", "/search/User"} {
			w.want(401, `["ERROR_RIGHT_MISSING",…`, "GET", path, "", service)
		}
		w.want(200, `{"session":{…"glpiID":0,…}}`, "GET", "/getFullSession", "", service)
		w.want(200, `{"myprofiles":[{…"name":"service"}]}`, "GET", "/getMyProfiles", "", service)
		w.want(200, `{"session":{…},"session_token":"…"}`, "GET", "/initSession?get_full_session=true&user_token="+w.secret, "")
		w.want(200, `{"session":{…},"session_token":"…"}`, "GET", "/initSession?get_full_session=1&user_token="+w.secret, "")
		w.want(200, `{"session_token":"…"}`, "GET", "/initSession?get_full_session=false&user_token="+w.secret, "")
		w.want(200, ``, "GET", "/killSession", "", s)
		w.want(401, `["ERROR_SESSION_TOKEN_INVALID",…`, "GET", "/User/"+mine, "", s)
		// What a browser keeps as a cookie opens nothing here.
		_, cookie, err := w.Signin.SignIn(t.Context(), signin.Browser, "ann@example.org", password, signin.Device{})
		w.must(err)
		w.want(401, `["ERROR_SESSION_TOKEN_INVALID",…`, "GET", "/User/"+mine, "", "Session-Token: "+cookie)
	})
}

// TestInitSession: any verb, and the tokens from wherever this dialect takes them.
func TestInitSession(t *testing.T) {
	each(t, func(w *world) {
		w.signUp("nan+tag@Example.org")
		const says = `{"session_token":"…"}`
		for _, verb := range []string{"GET", "POST", "PUT", "PATCH", "DELETE"} {
			w.want(200, says, verb, "/apirest.php/InitSession/?user_token="+w.secret, "")
		}
		w.want(200, says, "POST", "/initSession", `{"user_token":"`+w.secret+`"}`)
		w.want(200, says, "POST", "/initSession", `user_token=`+w.secret, "Content-Type: application/x-www-form-urlencoded")
		w.want(200, says, "POST", "/initSession", `{"login":"NAN+tag@example.org","password":"`+password+`"}`)
		w.want(200, says, "GET", "/initSession?login=nan%2Btag@example.org&password="+strings.ReplaceAll(password, " ", "+"), "")
		w.want(200, says, "GET", "/initSession?user_token=wrong", "", "Authorization: user_token "+w.secret)
		w.want(401, `["ERROR_GLPI_LOGIN_USER_TOKEN",…`, "GET", "/initSession?user_token="+w.secret, "", "Authorization: user_token wrong")
		w.want(400, `["ERROR_LOGIN_PARAMETERS_MISSING",…`, "POST", "/initSession", `{"user_token":"`+w.secret+`"}`, "Content-Type: text/plain")
		// A session that is named already changes nothing.
		w.want(200, says, "GET", "/initSession?user_token="+w.secret, "", "Session-Token: old")
	})
}
