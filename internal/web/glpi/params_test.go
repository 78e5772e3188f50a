package glpi

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strings"
	"testing"
)

func request(method, target, body string, headers ...string) *http.Request {
	r := httptest.NewRequest(method, target, strings.NewReader(body))
	for _, h := range headers {
		name, value, _ := strings.Cut(h, ": ")
		r.Header.Add(name, value)
	}
	return r
}

func TestParameters(t *testing.T) {
	t.Parallel()
	const basic = "Authorization: Basic YWRhQGV4YW1wbGUub3JnOnBhc3M6d29yZA==" // ada@example.org:pass:word
	for _, c := range []struct {
		target, body string
		headers      []string
		want         map[string]any
		inQuery      bool
	}{
		{"/x", "", nil, map[string]any{}, false},
		{"/x?user_token=A?session_token=B", "", nil, map[string]any{"user_token": "A?session_token=B"}, false},
		{"/x?session_token=q&", "", nil, map[string]any{"session_token": "q"}, true},
		{"/x?session_token=q", `{"session_token":"b"}`, nil, map[string]any{"session_token": "b"}, false},
		{"/x?session_token=q", `{"session_token":"b"}`, []string{"session-token: h"}, map[string]any{"session_token": "h"}, false},
		{"/x?session_token=q", "", []string{"Session-Token: "}, map[string]any{"session_token": "q"}, true},
		{"/x?app_token=q", "", []string{"APP-TOKEN: h"}, map[string]any{"app_token": "h"}, false},
		{"/x?login=q&password=q", `{"login":"b","password":"b"}`, nil, map[string]any{"login": "b", "password": "b"}, false},
		{"/x?login=q", `{"login":"b","password":"b"}`, []string{basic}, map[string]any{"login": "ada@example.org", "password": "pass:word"}, false},
		{"/x?user_token=q", `{"user_token":"b"}`, []string{"Authorization: user_token h"}, map[string]any{"user_token": "h"}, false},
		{"/x", "", []string{"Authorization: Bearer h user_token"}, map[string]any{"user_token": "h"}, false},
		{"/x", "", []string{"Authorization: user_token"}, map[string]any{}, false},
		{"/x", "", []string{"Authorization: Basic !"}, map[string]any{}, false},
		{"/x?a=true&b=false&c=TRUE&d=%2B+1", "", nil, map[string]any{"a": true, "b": false, "c": "TRUE", "d": "+ 1"}, false},
		{"/x", `{"input":{"a":[1,null,"x"]},"n":4}`, []string{"Content-Type: application/json; charset=UTF-8"}, map[string]any{"input": map[string]any{"a": []any{1.0, nil, "x"}}, "n": 4.0}, false},
		{"/x", `input%5Bname%5D=a%40b&input[id]=4&login=x`, []string{"Content-Type: application/x-www-form-urlencoded"}, map[string]any{"input": map[string]any{"name": "a@b", "id": "4"}, "login": "x"}, false},
		{"/x", `{"login":"x"}`, []string{"Content-Type: text/plain"}, map[string]any{}, false},
	} {
		p, err := paramsOf(request("POST", c.target, c.body, c.headers...))
		if err != nil || !reflect.DeepEqual(p.values, c.want) || p.inQuery != c.inQuery {
			t.Errorf("%s %q %s: %v (query %v), %v", c.target, c.headers, c.body, p.values, p.inQuery, err)
		}
	}
}

func TestParametersRefused(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		target, body string
		status       int
		code         string
	}{
		{"/x?a", "", 400, codeError}, {"/x?a=1&a=2", "", 400, codeError}, {"/x?a=%zz", "", 400, codeError}, {"/x?a=%ff", "", 400, codeError},
		{"/x?a=1;b=2", "", 400, codeError}, {"/x?" + strings.Repeat("a=1&", 100), "", 400, codeError},
		{"/x", "{", 400, codeBadJSON}, {"/x", "[]", 400, codeBadJSON}, {"/x", "0", 400, codeBadJSON}, {"/x", "false", 400, codeBadJSON},
		{"/x", "null", 400, codeBadJSON}, {"/x", `""`, 400, codeBadJSON}, {"/x", " ", 400, codeBadJSON}, {"/x", `{"a":1,"a":2}`, 400, codeBadJSON},
		{"/x", strings.Repeat(`{"a":`, 100) + "1" + strings.Repeat("}", 100), 400, codeBadJSON}, {"/x", "{\"a\":\"\xff\"}", 400, codeBadJSON},
		{"/x", `{"a":"` + strings.Repeat("x", maxBody) + `"}`, 413, codeError},
	} {
		_, err := paramsOf(request("POST", c.target, c.body))
		var f *refusal
		if !errors.As(err, &f) || f.status != c.status || f.code != c.code || strings.Contains(plainText(f.text), ";") {
			t.Errorf("%s %.40s: %v", c.target, c.body, err)
		}
	}
	r := request("GET", "/x", "", "Session-Token: a", "Session-Token: b")
	if _, err := paramsOf(r); err == nil {
		t.Error("two session tokens are taken")
	}
}

// FuzzParameters: whatever comes, parameters are read or refused with a pair that has no semicolon; what the later place
// says wins; and values are what JSON has.
func FuzzParameters(f *testing.F) {
	f.Add("session_token=a&user_token=b&x=true", `{"input":{"_validate":"x"},"session_token":"c"}`, "application/json", "user_token abc", "")
	f.Add("a=1;b", "input[a]=b&c=d", "application/x-www-form-urlencoded", "Basic YTpi", "s")
	f.Add("", "[]", "", "Basic", "")
	f.Add("range=0-0&", `{"input":[{"id":4},{"id":"5"}]}`, "text/plain", "x user_token", "undefined")
	f.Fuzz(func(t *testing.T, query, body, media, authorization, session string) {
		r := httptest.NewRequest("POST", "/", strings.NewReader(body))
		r.URL.RawQuery = query
		r.Header = http.Header{"Content-Type": {media}, "Authorization": {authorization}, "Session-Token": {session}}
		p, err := paramsOf(r)
		if err != nil {
			var f *refusal
			if !errors.As(err, &f) || f.status < 400 || f.status >= 500 || strings.Contains(plainText(f.text), ";") {
				t.Fatalf("refused with %v", err)
			}
			return
		}
		if session != "" && p.values["session_token"] != session {
			t.Fatalf("the header says %q, the parameter %q", session, p.values["session_token"])
		}
		if p.inQuery && (session != "" || !strings.Contains(query, "=")) {
			t.Fatal("the token is not the query's")
		}
		a := &ask{params: p, parts: []string{"x"}}
		inputs, many, err := a.inputs(false)
		if err == nil && (!many && len(inputs) != 1 || len(inputs) > maxItems) {
			t.Fatalf("%d inputs, many %v", len(inputs), many)
		}
		for _, v := range p.values {
			given(v)
			if n, ok := numberOf(v); ok && textOf(v) == "" {
				t.Fatalf("%v is the number %d and no text", v, n)
			}
		}
	})
}

func TestPathsOfTheDialect(t *testing.T) {
	t.Parallel()
	d := &Door{}
	for path, ours := range map[string]bool{
		"/": false, "": false, "/initSession": true, "/initsession/": true, "//INITSESSION": true, "/init": false, "/apirest.php": true, "/apirest.php/": true,
		"/apirest.php/anything": true, "/apirest.phpx": false, "/api/": false, "/apirest": false, "/PluginFlyvemdmdemoAccountvalidation/4": true,
		"/pluginflyvemdmdemocaptcha/3": true, "/User/5/UserEmail": true, "/users": false, "/search": false, "/search/Plugin/": true, "/search/courses": false,
		"/search/Plugin/x": false, "/Computer/1": false, "/xapi/statements": false, "/signup": false, "/login": false, "/confirm/1/x": false, "/Entity": true,
	} {
		r := request("GET", "/", "")
		r.URL.Path = path
		if d.Speaks(r) != ours {
			t.Errorf("%s: ours %v", path, !ours)
		}
	}
	for path, want := range map[string]string{"/apirest.php//User///5/": "/apirest.php[User 5]", "/User/5/UserEmail": "[User 5 UserEmail]", "/apirest.php": "/apirest.php[]"} {
		base, parts := split(path)
		if got := base + fmt.Sprint(parts); got != want {
			t.Errorf("%s: %s", path, got)
		}
	}
}

func TestSpans(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]span{"": {0, 50}, "0-0": {0, 1}, "0-49": {0, 50}, "10-19": {10, 10}, "0-999999999": {0, maxSpan}} {
		a := &ask{params: params{values: map[string]any{"range": text}}}
		if s, err := a.span(); err != nil || s != want {
			t.Errorf("%q: %v, %v", text, s, err)
		}
	}
	for _, text := range []string{"1", "a-b", "5-2", "-1", "1-", " 0-1", "0-9999999999", "0-1-2"} {
		a := &ask{params: params{values: map[string]any{"range": text}}}
		if s, err := a.span(); err == nil {
			t.Errorf("%q: %v", text, s)
		}
	}
	list := []item{{"id": 1}, {"id": 2}, {"id": 3}}
	for s, n := range map[span]int{{0, 50}: 3, {0, 1}: 1, {1, 2}: 2, {3, 5}: 0, {9, 1}: 0} {
		if got := s.of(list); len(got) != n {
			t.Errorf("%v: %v", s, got)
		}
	}
}
