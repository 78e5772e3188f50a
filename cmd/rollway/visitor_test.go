package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"regexp"
	"strings"
)

// unlimited raises the limits of whatever a proof does often from one address; everything else is as shipped.
func unlimited() (flags []string) {
	for _, name := range []string{
		"signup-limit", "signup-token-limit", "signup-mail-limit", "signup-total-mail-limit", "signup-guess-limit", "signup-session-limit", "signup-challenge-limit",
		"signup-challenge-token-limit", "signin-limit", "signin-account-limit", "signin-group-limit", "signin-reset-limit", "signin-reset-group-limit",
	} {
		flags = append(flags, "--"+name, "none")
	}
	return flags
}

// visitor is somebody with a browser, as far as HTTP goes: it keeps cookies and follows nothing by itself.
type visitor struct {
	*dashboard
	client *http.Client
}

func (d *dashboard) visitor() *visitor {
	d.Helper()
	jar, err := cookiejar.New(nil)
	d.must(err)
	return &visitor{d, &http.Client{Jar: jar, Transport: client.Transport, Timeout: client.Timeout, CheckRedirect: client.CheckRedirect}}
}

// open asks for a page, or posts to it unless body is nil.
func (v *visitor) open(method, address, contentType string, body io.Reader) (answer, error) {
	r, err := http.NewRequestWithContext(context.Background(), method, address, body)
	if err != nil {
		return answer{}, err
	}
	r.Header.Set("Accept", "text/html")
	if contentType != "" {
		r.Header.Set("Content-Type", contentType)
	}
	return send(v.client, r)
}

func (v *visitor) get(path string) (answer, error) { return v.open("GET", v.url+path, "", nil) }

// post sends a form of names and values in turn.
func (v *visitor) post(path string, pairs ...string) (answer, error) {
	form := url.Values{}
	for i := 0; i < len(pairs); i += 2 {
		form.Set(pairs[i], pairs[i+1])
	}
	return v.open("POST", v.url+path, "application/x-www-form-urlencoded", strings.NewReader(form.Encode()))
}

// sees fails the test unless a page came with that status and shows all the texts.
func (v *visitor) sees(a answer, err error) func(status int, texts ...string) answer {
	v.Helper()
	v.must(err)
	return func(status int, texts ...string) answer {
		v.Helper()
		if a.status != status {
			v.Fatalf("the page answers %d, not %d: %s", a.status, status, a.body)
		}
		for _, text := range texts {
			if !strings.Contains(a.body, text) {
				v.Fatalf("the page does not show %q:\n%s", text, a.body)
			}
		}
		return a
	}
}

var shownChallenge = regexp.MustCompile(`name="challenge" value="(\d+)"`)

// The requests of the dialect, with its tokens in the query.

func (d *dashboard) session() (answer, error) {
	return ask(context.Background(), "GET", d.url+"/initSession?user_token="+d.service, nil, "")
}

func (d *dashboard) captcha(session string) (answer, error) {
	return ask(context.Background(), "POST", d.url+"/PluginFlyvemdmdemoCaptcha?session_token="+session, nil, `{"input":{}}`)
}

func (d *dashboard) create(session, address, password, captcha, solution string) (answer, error) {
	return ask(context.Background(), "POST", d.url+"/PluginFlyvemdmdemoUser?session_token="+session, nil,
		fmt.Sprintf(`{"input":{"name":%q,"password":%q,"password2":%[2]q,"firstname":"Jane","realname":"Doe","_newsletter":"1","_plugin_flyvemdmdemo_captchas_id":%q,"_answer":%q}}`, address, password, captcha, solution))
}

func (d *dashboard) validate(session, number, token string) (answer, error) {
	return ask(context.Background(), "PUT", d.url+"/PluginFlyvemdmdemoAccountvalidation/"+number+"?session_token="+session, nil, fmt.Sprintf(`{"input":{"_validate":%q}}`, token))
}

func (d *dashboard) signIn(address, password string) (answer, error) {
	return ask(context.Background(), "GET", d.url+"/initSession", basicAuth(address, password), "")
}
