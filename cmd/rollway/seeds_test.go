package main

import (
	"bytes"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"
	"testing"

	"rollway/internal/content/sample"
	"rollway/internal/db"
)

// TestFromTheFirstRequestToARecord walks from the first request of Flyve MDM's guide to the record of a course that was
// taken: a dashboard signs somebody up, who signs in on our own pages, adds a course, opens it, and sees what it recorded.
func TestFromTheFirstRequestToARecord(t *testing.T) {
	eachEngine(t, func(t *testing.T, e db.Engine) {
		d := newDashboard(t, e)
		const address = "emailaddress@domain.com"
		person := d.guide(address)

		p := newPerson(d)
		p.sees(p.send("POST", "/login", "application/x-www-form-urlencoded", url.Values{"email": {address}, "password": {newPassword}}.Encode()), 200, `href="/courses/add"`)
		zip, err := sample.Zip()
		d.must(err)
		var form bytes.Buffer
		w := multipart.NewWriter(&form)
		file, err := w.CreateFormFile("file", "course.zip")
		d.must(err)
		_, err = file.Write(zip)
		d.must(err)
		d.must(w.Close())
		p.sees(p.send("POST", "/courses/package", w.FormDataContentType(), form.String()), 200, "Knots")
		activity := url.QueryEscape(sample.ActivityID)
		p.sees(p.send("GET", "/launch?activity="+activity, "", ""), 200, "<iframe")
		p.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
		opened := p.sees(p.send("GET", "/launch/open?activity="+activity, "", ""), 303)
		p.CheckRedirect = nil

		at, err := url.Parse(opened.header.Get("Location"))
		d.must(err)
		q := at.Query()
		statement := fmt.Sprintf(`{"actor":%s,"verb":{"id":"http://adlnet.gov/expapi/verbs/passed","display":{"en":"passed"}},"object":{"id":%q,"definition":{"name":{"en":"Knots"}}},"context":{"registration":%q},"result":{"success":true}}`,
			q.Get("actor"), sample.ActivityID, q.Get("registration"))
		d.want(200, "POST", "/xapi/statements", []string{"Authorization: " + q.Get("auth")}, statement)
		if strings.Contains(q.Get("actor"), address) {
			t.Errorf("the statement names the address: %s", q.Get("actor"))
		}
		p.sees(p.send("GET", "/records", "", ""), 200, "passed", "Knots")

		// The same person by the other door, and nothing of theirs for another organization.
		basic := d.want(200, "POST", "/initSession", nil, fmt.Sprintf(`{"login":%q,"password":%q}`, address, newPassword))
		session := []string{"Session-Token: " + pick(t, basic.body, "/session_token")}
		if me := d.want(200, "GET", "/User/"+person, session, ""); pick(t, me.body, "/name") != address {
			t.Errorf("the person is %s", me.body)
		}
		if others := d.records(d.token("all/read"), ""); len(others) != 0 {
			t.Errorf("the first organization sees %d statements of another", len(others))
		}
		t.Logf("proof: %s: from initSession to a stored statement and its sentence on a page", t.Name())
	})
}

// guide makes the guide's requests as printed and returns the number of the person.
func (d *dashboard) guide(address string) (person string) {
	d.Helper()
	session := "?session_token=" + pick(d, d.want(200, "GET", "/initSession?user_token="+d.service, nil, "").body, "/session_token")
	captcha := pick(d, d.want(200, "POST", "/PluginFlyvemdmdemoCaptcha"+session, nil, `{"input":{"a":"a"}}`).body, "/id")
	d.want(200, "GET", "/PluginFlyvemdmdemoCaptcha/"+captcha+"?alt=media", []string{"Content-Type: application/octet-stream"}, "")
	person = pick(d, d.want(200, "POST", "/PluginFlyvemdmdemoUser"+session, nil, fmt.Sprintf(
		`{"input":{"name":%q,"password":%[2]q,"password2":%[2]q,"firstname":"John","realname":"Doe","_newsletter":"1","_plugin_flyvemdmdemo_captchas_id":%q,"_answer":%q}}`,
		address, newPassword, captcha, d.answerOf(captcha))).body, "/id")
	id, token := d.validation(address)
	d.want(200, "PUT", "/PluginFlyvemdmdemoAccountvalidation/"+id+session, nil, `{"input":{"_validate":"`+token+`"}}`)
	d.want(200, "GET", "/killSession"+session, nil, "")
	return person
}

// person is somebody with a browser that runs no scripts.
type person struct {
	http.Client
	*dashboard
}

func newPerson(d *dashboard) *person {
	jar, err := cookiejar.New(nil)
	d.must(err)
	return &person{http.Client{Jar: jar}, d}
}

func (p *person) send(method, path, media, body string) answer {
	p.Helper()
	r, err := http.NewRequestWithContext(p.Context(), method, p.url+path, strings.NewReader(body))
	p.must(err)
	if media != "" {
		r.Header.Set("Content-Type", media)
	}
	r.Header.Set("Accept", "text/html")
	res, err := p.Do(r)
	p.must(err)
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	p.must(err)
	return answer{res.StatusCode, res.Header, string(text)}
}

func (p *person) sees(a answer, status int, texts ...string) answer {
	p.Helper()
	if a.status != status {
		p.Fatalf("%d: %.2000s", a.status, a.body)
	}
	for _, text := range texts {
		if !strings.Contains(a.body, text) {
			p.Errorf("the page lacks %q: %.2000s", text, a.body)
		}
	}
	return a
}
