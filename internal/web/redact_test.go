package web

import (
	"crypto/rand"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"rollway/internal/fault"
)

func TestRedact(t *testing.T) {
	t.Parallel()
	const token = "9fQ2x-Lm_0aZkW3vRt7YpB"
	for in, want := range map[string]string{
		"/xapi/statements":                                                  "/xapi/statements",
		"/xapi/statements?statementId=1&auth=x":                             "/xapi/statements?statementId=…&auth=…",
		"/x?just-words":                                                     "/x?[…]",
		"/t/" + token + "/index.html":                                       "/t/[secret]/index.html",
		"/p/0190a2b4-7c3d-7e1f-8a9b-0c1d2e3f4a5b/a.js":                      "/p/0190a2b4-7c3d-7e1f-8a9b-0c1d2e3f4a5b/a.js",
		"/PluginFlyvemdmdemoAccountvalidation/1":                            "/PluginFlyvemdmdemoAccountvalidation/1",
		"/courses/introduction-to-fire-safety-for-everybody":                "/courses/introduction-to-fire-safety-for-everybody",
		"/api/activities/launch&auth=Basic abc":                             "/api/activities/launch&auth=[secret]",
		"Get \"https://u:p@h/x?fetch=http%3A%2F%2Fh%2Ff&n=1\": EOF":         "Get \"https://[secret]@h/x?fetch=…&n=…\": EOF",
		"Authorization: Basic dTpw":                                         "Authorization: [secret]",
		"authorization: TOKEN1":                                             "authorization: [secret]",
		`{"auth-token":"dTpw","n":1}`:                                       `{"auth-token":[secret],"n":1}`,
		"ticket=abc&user_token=q2 session_token=z3":                         "ticket=[secret]&user_token=[secret] session_token=[secret]",
		"auth%3DBasic%20dTpw%26x%3D1":                                       "auth%3D[secret]",
		"no such table: people":                                             "no such table: people",
		"Basic%20dTpw":                                                      "Basic%20[secret]",
		"password = 'one two' and more":                                     "password = [secret] and more",
		"/a?Basic%20" + token + "=&dTpwYXNzd29yZDEyMzQ1Njc4=&ok=1#auth=abc": "/a?[…]&[…]&ok=…",
	} {
		if got := Redact(in); got != want {
			t.Errorf("%q\n got  %q\n want %q", in, got, want)
		}
	}
}

// A token never survives, whatever stands around it; a short secret does not where its place is known.
func FuzzRedact(f *testing.F) {
	f.Add("GET /a?", "&b=1", "hunter2")
	f.Add("https://h/p/", "/index.html", "x")
	f.Add(`{"token":"`, `"}`, "aB3")
	f.Add("auth=", "=token=", "s3")
	f.Add("Basic ", "?", "q9")
	f.Fuzz(func(t *testing.T, before, after, short string) {
		canary := rand.Text() + "9"
		if got := Redact(before + canary + after); strings.Contains(got, canary) {
			t.Fatalf("%q survives in %q", canary, got)
		}
		for i := range len(short) {
			if !wordByte(short[i]) {
				return
			}
		}
		if len(short) < 2 {
			return
		}
		short = "Zq7" + short // nothing that our own words contain
		for _, carrier := range []string{"auth", "ticket", "user_token", "session_token", "fetch", "Authorization", "password"} {
			for _, form := range []string{"%s=%s", "?%s=%s", "/x?a=1&%s=%s&b=2", "%s: %s", `{"%s":"%s"}`, "%s=Basic %s", "%s=Basic%%20%s", "%s: Bearer %s", "/x?%s=%%5A%s"} {
				text := fmt.Sprintf(form, carrier, short)
				if got := Redact(text); strings.Contains(got, short) {
					t.Fatalf("%q gives %q", text, got)
				}
			}
		}
	})
}

// Canaries in every place a request has, through handlers that answer, fail, redirect and panic with them: none is logged.
func TestNoCanaryReachesTheLog(t *testing.T) {
	t.Parallel()
	c := func(place string) string { return "canary" + place + rand.Text() }
	launch, referer, header, path, ticket, location, cause := c("1"), c("2"), c("3"), c("4"), c("5"), c("6"), c("7")
	log, lines := logged()
	mux := http.NewServeMux()
	Mount(mux, "", Readable, Routes{
		"GET /ok/{token}/x": func(w http.ResponseWriter, _ *http.Request) error {
			w.Header().Set("Location", "https://h/?auth="+location)
			w.WriteHeader(http.StatusSeeOther)
			return nil
		},
		"GET /fail": func(_ http.ResponseWriter, r *http.Request) error {
			return fmt.Errorf("asking %s: %w", r.URL, errors.New("auth="+cause))
		},
		"GET /refuse": func(_ http.ResponseWriter, r *http.Request) error {
			return fault.New(fault.Gone, "used", "Used.").Because(errors.New("ticket " + ticket + " of https://u:" + cause + "@h/"))
		},
		"GET /panic": func(_ http.ResponseWriter, r *http.Request) error { panic(r.URL.String()) },
	})
	h := Guard(Config{Log: log}, mux)
	for _, target := range []string{"/ok/" + path + "/x", "/ok/short/x", "/fail", "/refuse", "/panic", "/nowhere/" + path, "/ok%2F" + path} {
		for _, query := range []string{"?auth=Basic%20" + launch + "&ticket=" + ticket, "?%61uth=" + launch, "?" + launch, "?a=1;auth=" + launch, "?x=1&user_token=" + launch + "&session_token=" + ticket + "&fetch=https%3A%2F%2Fh%2F" + ticket} {
			r := httptest.NewRequest("GET", target, nil)
			r.URL.RawQuery = query[1:]
			r.Header.Set("Referer", "https://h/x?auth="+referer)
			r.Header.Set("Authorization", "Basic "+header)
			r.Header.Set("Cookie", "s="+header)
			answer(h, r)
		}
	}
	if strings.Contains(lines.String(), "canary") || strings.Contains(lines.String(), "/short/") {
		for line := range strings.Lines(lines.String()) {
			if strings.Contains(line, "canary") || strings.Contains(line, "/short/") {
				t.Fatal(line)
			}
		}
	}
	if strings.Count(lines.String(), "\n") != 35 {
		t.Errorf("%d lines", strings.Count(lines.String(), "\n"))
	}
}
