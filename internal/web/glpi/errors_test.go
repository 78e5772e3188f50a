package glpi

import (
	"strings"
	"testing"
)

// TestErrorTable makes each error that the dialect knows and we can have.
func TestErrorTable(t *testing.T) {
	each(t, func(w *world) {
		s := "Session-Token: " + w.service()
		captcha := "/PluginFlyvemdmdemoCaptcha"
		for _, c := range []struct {
			status int
			says   string
			method string
			path   string
			body   string
			header string
		}{
			{400, `["ERROR_WRONG_APP_TOKEN_PARAMETER","parameter app_token seems wrong"]`, "GET", "/initSession?app_token=x&user_token=y", "", ""},
			{400, `["ERROR_WRONG_APP_TOKEN_PARAMETER",…`, "GET", "/apirest.php/Computer", "", "App-Token: x"},
			{400, `["ERROR_LOGIN_PARAMETERS_MISSING","parameter(s) login, password or user_token are missing"]`, "GET", "/initSession", "", ""},
			{400, `["ERROR_LOGIN_PARAMETERS_MISSING",…`, "GET", "/initSession?login=a@example.org", "", ""},
			{401, `["ERROR_GLPI_LOGIN_USER_TOKEN","parameter user_token seems invalid"]`, "GET", "/initSession?user_token=wrong", "", ""},
			{401, `["ERROR_GLPI_LOGIN_USER_TOKEN",…`, "GET", "/initSession?user_token=" + w.secret + "?session_token=old", "", ""},
			{401, `["ERROR_GLPI_LOGIN","Incorrect username or password"]`, "GET", "/initSession", "", "Authorization: Basic eDp5"},
			{400, `["ERROR_SESSION_TOKEN_MISSING","parameter session_token is missing or empty"]`, "GET", "/killSession", "", ""},
			{400, `["ERROR_SESSION_TOKEN_MISSING",…`, "GET", "/getFullSession?session_token=", "", ""},
			{401, `["ERROR_SESSION_TOKEN_INVALID","session_token seems invalid"]`, "GET", "/killSession?session_token=undefined", "", ""},
			{401, `["ERROR_SESSION_TOKEN_INVALID","session_token seems invalid"]`, "POST", captcha, "{}", "Session-Token: x"},
			{401, `["ERROR_SESSION_TOKEN_INVALID",…`, "GET", captcha + "/1?alt=media", "", "Session-Token: x"},
			{400, `["ERROR_RESOURCE_NOT_FOUND_NOR_COMMONDBTM","resource not found or not an instance of CommonDBTM"]`, "GET", "/apirest.php/Computer/1", "", ""},
			{400, `["ERROR_RESOURCE_NOT_FOUND_NOR_COMMONDBTM",…`, "POST", "/apirest.php/Nothing", `{"input":{}}`, "Session-Token: x"},
			{400, `["ERROR_RESOURCE_NOT_FOUND_NOR_COMMONDBTM",…`, "GET", "/apirest.php/User/1/Computer", "", s},
			{400, `["ERROR_RESOURCE_NOT_FOUND_NOR_COMMONDBTM",…`, "GET", "/apirest.php/search/Computer", "", s},
			{400, `["ERROR_RESOURCE_NOT_FOUND_NOR_COMMONDBTM",…`, "GET", "/apirest.php/listSearchOptions/User", "", s},
			{400, `["ERROR_RESOURCE_MISSING","missing resource"]`, "GET", "/apirest.php/", "", ""},
			{400, `["ERROR_RESOURCE_MISSING","missing resource"]`, "GET", "/apirest.php/search/", "", s},
			{400, `["ERROR_BAD_ARRAY","input parameter must be an array of objects"]`, "POST", "/PluginFlyvemdmdemoUser", `{}`, s},
			{400, `["ERROR_BAD_ARRAY",…`, "POST", "/PluginFlyvemdmdemoUser", `{"input":"x"}`, s},
			{400, `["ERROR_BAD_ARRAY",…`, "POST", "/PluginFlyvemdmdemoUser", `{"input":["x"]}`, s},
			{400, `["ERROR_BAD_ARRAY",…`, "PUT", "/PluginFlyvemdmdemoAccountvalidation", `{"input":{"_validate":"x"}}`, s},
			{400, `["ERROR_BAD_ARRAY",…`, "PUT", "/PluginFlyvemdmdemoAccountvalidation/4", ``, s},
			{400, `["ERROR_JSON_PAYLOAD_INVALID","JSON payload seems not valid"]`, "POST", captcha, `{"input":`, s},
			{400, `["ERROR_JSON_PAYLOAD_INVALID","JSON payload seems not valid"]`, "POST", captcha, `[]`, s},
			{400, `["ERROR_JSON_PAYLOAD_FORBIDDEN","GET Request should not have json payload (http body)"]`, "GET", "/initSession?user_token=" + w.secret, `{}`, ""},
			{401, `["ERROR_RIGHT_MISSING","You don't have permission to perform this action."]`, "GET", "/User/1", "", s},
			{401, `["ERROR_RIGHT_MISSING",…`, "GET", "/PluginFlyvemdmdemoAccountvalidation/4", "", s},
			{401, `["ERROR_RIGHT_MISSING",…`, "GET", "/PluginFlyvemdmdemoCaptcha", "", s},
			{401, `["ERROR_RIGHT_MISSING",…`, "GET", "/search/Entity", "", s},
			{404, `["ERROR_ITEM_NOT_FOUND","Item not found"]`, "GET", captcha + "/999999", "", s},
			{404, `["ERROR_ITEM_NOT_FOUND","Item not found"]`, "GET", captcha + "/x", "", s},
			{404, `["ERROR_ITEM_NOT_FOUND",…`, "POST", "/changeActiveProfile", `{"profiles_id":2}`, s},
			{400, `["ERROR",…`, "POST", "/changeActiveProfile/", `{}`, s},
			{400, `["ERROR",…`, "POST", "/changeActiveEntities/", `{"is_recursive":"yes"}`, s},
			{400, `["ERROR",…`, "POST", "/changeActiveEntities/", `{"entities_id":77}`, s},
			{400, `["ERROR_RANGE_EXCEED_TOTAL","Provided range exceed total count of data: 1"]`, "GET", "/Plugin?range=2-3", "", s},
			{400, `["ERROR","range must be…`, "GET", "/Plugin?range=x", "", s},
			{400, `["ERROR_GLPI_ADD","You don't have permission to perform this action."]`, "POST", "/User", `{"input":{"name":"x"}}`, s},
			{400, `["ERROR_GLPI_ADD","You don't have permission to perform this action."]`, "POST", "/Entity", `{"input":{"name":"x"}}`, s},
			{400, `["ERROR_GLPI_ADD","You don't have permission to perform this action."]`, "POST", "/PluginFlyvemdmdemoAccountvalidation", `{"input":{"_validate":"x"}}`, s},
			{400, `["ERROR_GLPI_UPDATE","You don't have permission to perform this action."]`, "PUT", "/User/1", `{"input":{"name":"x"}}`, s},
			{400, `["ERROR_GLPI_UPDATE","You don't have permission to perform this action."]`, "PATCH", "/PluginFlyvemdmdemoUser/1", `{"input":{"name":"x"}}`, s},
			{400, `["ERROR_GLPI_UPDATE","Item not found"]`, "PUT", "/PluginFlyvemdmdemoAccountvalidation/9999", `{"input":{"_validate":"x"}}`, s},
			{400, `["ERROR_GLPI_UPDATE","Item not found"]`, "PUT", "/PluginFlyvemdmdemoAccountvalidation/x", `{"input":{"_validate":"x"}}`, s},
			{400, `["ERROR_GLPI_UPDATE","The id in the address…`, "PUT", "/PluginFlyvemdmdemoAccountvalidation/4", `{"input":{"id":5,"_validate":"x"}}`, s},
			{400, `["ERROR_GLPI_UPDATE","Validation token missing"]`, "PUT", "/PluginFlyvemdmdemoAccountvalidation/4", `{"input":{"_validate":""}}`, s},
			{400, `["ERROR_GLPI_DELETE","You don't have permission to perform this action."]`, "DELETE", "/User/1", ``, s},
			{400, `["ERROR_GLPI_DELETE",[{"1":false,"message":"You don't have permission to perform this action."}]]`, "DELETE", "/User", `{"input":[{"id":1}]}`, s},
			{400, `["ERROR_GLPI_ADD",[]]`, "POST", "/PluginFlyvemdmdemoUser", `{"input":[]}`, s},
			{400, `["ERROR_BAD_ARRAY","input parameter has more than 10 objects"]`, "POST", captcha, `{"input":[` + strings.Repeat(`{},`, 10) + `{}]}`, s},
			{405, `["ERROR_METHOD_NOT_ALLOWED","Method Not Allowed"]`, "TRACE", "/initSession", ``, ""},
			{405, ``, "HEAD", "/initSession?user_token=" + w.secret, ``, ""},
			{400, `["ERROR","…`, "GET", "/initSession?user_token=a&user_token=b", "", ""},
			{413, `["ERROR","…`, "POST", "/PluginFlyvemdmdemoUser", `{"x":"` + strings.Repeat("x", maxBody) + `"}`, s},
			{400, `["ERROR","lostPassword takes the verb PUT"]`, "GET", "/lostPassword?email=a@example.org", "", ""},
			{400, `["ERROR","parameter email is missing"]`, "PUT", "/lostPassword", "{}", ""},
			{400, `["ERROR","A session is active. Close it first."]`, "PUT", "/lostPassword", `{"email":"a@example.org"}`, s},
		} {
			var headers []string
			if c.header != "" {
				headers = append(headers, c.header)
			}
			for _, base := range []string{"", Base} {
				path := c.path
				if !strings.HasPrefix(path, Base) {
					path = base + path
				}
				r := w.want(c.status, c.says, c.method, path, c.body, headers...)
				if strings.Contains(r.text, ";") || r.header.Get("Content-Type") != "application/json; charset=UTF-8" || r.header.Get("Cache-Control") != "no-store" {
					w.Errorf("%s %s: %s %v", c.method, path, r.text, r.header)
				}
			}
		}
		for _, media := range []string{"text/plain", "multipart/form-data; boundary=x", "application/xml"} {
			w.want(400, `["ERROR_BAD_ARRAY",…`, "POST", captcha, `{"input":{}}`, s, "Content-Type: "+media)
			w.want(400, `["ERROR_BAD_ARRAY",…`, "PUT", "/PluginFlyvemdmdemoAccountvalidation/4", `{"input":{"_validate":"x"}}`, s, "Content-Type: "+media)
		}
		for _, body := range []string{`{"input":{"a":"a"}}`, ` [{"a":"b=c&d"}]`, `{"input":{"password":"a=b"}}`} { // what curl -d sends
			w.want(400, `["ERROR_JSON_PAYLOAD_INVALID","JSON payload is sent as a form. Add the header Content-Type: application/json (…`, "POST", captcha, body, s, "Content-Type: application/x-www-form-urlencoded")
		}
		w.want(201, `{"id":…`, "POST", captcha, `input[a]=a`, s, "Content-Type: application/x-www-form-urlencoded")
		w.want(415, `["ERROR_JSON_PAYLOAD_INVALID","The body must not be compressed."]`, "POST", captcha, `{}`, s, "Content-Encoding: gzip")
	})
}

// TestSettings: what an operator may set differently.
func TestSettings(t *testing.T) {
	each(t, func(w *world) {
		s := "Session-Token: " + w.service()
		w.Config = Config{AppToken: "apptoken"}
		w.want(400, `["ERROR_APP_TOKEN_PARAMETERS_MISSING","missing parameter app_token"]`, "GET", "/initSession?user_token="+w.secret, "")
		w.want(400, `["ERROR_WRONG_APP_TOKEN_PARAMETER",…`, "GET", "/initSession?user_token="+w.secret, "", "App-Token: other")
		w.want(200, `{"session_token":"…"}`, "GET", "/initSession?user_token="+w.secret, "", "App-Token: apptoken")
		w.want(200, `{"session_token":"…"}`, "GET", "/initSession?app_token=apptoken&user_token="+w.secret, "")
		w.Config = Config{NoPasswords: true}
		w.want(400, `["ERROR_LOGIN_WITH_CREDENTIALS_DISABLED","usage of initSession resource with credentials is disabled"]`, "GET", "/initSession", "", "Authorization: Basic eDp5")
		w.Config = Config{NeedType: true}
		w.want(400, `["ERROR","the header Content-Type must be application/json"]`, "GET", "/initSession?user_token="+w.secret, "")
		w.want(200, `{"session_token":"…"}`, "GET", "/initSession?user_token="+w.secret, "", "Content-Type: application/json")
		w.want(400, `["ERROR","the header Content-Type…`, "POST", "/PluginFlyvemdmdemoCaptcha", "{}", s, "Content-Type:")
		w.want(200, ``, "GET", "/killSession", "", s)
		w.Config = Config{Off: true}
		w.want(400, `["ERROR","API disabled"]`, "GET", "/initSession?user_token="+w.secret, "")
		for set, status := range map[int]int{200: 200, 201: 201} {
			w.Config = Config{CreatedStatus: set}
			s := w.service()
			w.want(status, `{"id":…,"message":""}`, "POST", "/PluginFlyvemdmdemoCaptcha", "{}", "Session-Token: "+s)
			w.want(status, `{"id":…,"message":""}`, "POST", "/PluginFlyvemdmdemoCaptcha?session_token="+s, "{}")
		}
	})
}

// TestCrossOrigin: pages of any origin may speak to the door, and are told so before and after.
func TestCrossOrigin(t *testing.T) {
	each(t, func(w *world) {
		const origin = "Origin: https://dashboard.example"
		for _, path := range []string{"/initSession", "/apirest.php/PluginFlyvemdmdemoUser", "/apirest.php/nothing"} {
			r := w.want(200, "", "OPTIONS", path, "", origin, "Access-Control-Request-Method: POST", "Access-Control-Request-Headers: session-token")
			for name, value := range map[string]string{
				"Access-Control-Allow-Origin": "*", "Access-Control-Allow-Methods": "PUT, GET, POST, DELETE, OPTIONS",
				"Access-Control-Allow-Headers":  "origin, content-type, accept, session-token, authorization, app-token",
				"Access-Control-Expose-Headers": "content-type, content-range, accept-range",
			} {
				if r.header.Get(name) != value {
					w.Errorf("%s: %s is %q", path, name, r.header.Get(name))
				}
			}
		}
		if r := w.want(200, "", "OPTIONS", "/initSession", ""); len(r.header["Access-Control-Allow-Origin"])+len(r.header["Access-Control-Allow-Methods"]) != 0 {
			w.Errorf("without an origin: %v", r.header)
		}
		for _, r := range []reply{
			w.want(200, `{"session…`, "GET", "/initSession?user_token="+w.secret, "", origin),
			w.want(401, `["ERROR_GLPI_LOGIN_USER_TOKEN",…`, "GET", "/initSession?user_token=x", "", origin),
			w.want(400, `["ERROR_JSON_PAYLOAD_FORBIDDEN",…`, "GET", "/initSession", "{}", origin),
			w.want(400, `["ERROR_BAD_ARRAY",…`, "POST", "/PluginFlyvemdmdemoUser", "{}", origin, "Session-Token: "+w.service()),
		} {
			if r.header.Get("Access-Control-Allow-Origin") != "*" || r.header.Get("Access-Control-Allow-Credentials") != "" {
				w.Errorf("%d: %v", r.status, r.header)
			}
		}
	})
}
