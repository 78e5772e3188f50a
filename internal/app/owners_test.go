package app

import (
	"archive/zip"
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/go-json-experiment/json"

	"rollway/internal/access"
	"rollway/internal/credential"
	"rollway/internal/db"
	"rollway/internal/directory"
	"rollway/internal/id"
	"rollway/xapi"
)

// owner is somebody who signed up, with an organization full of things that carry the mark: it is in what is stored, and never
// in an identifier that is asked for.
type owner struct {
	*guest
	mark, address  string
	org            id.OrgID
	dialect        string   // session of GLPI's door
	launched       string   // Authorization of a launch
	account        string   // Authorization of a service account with every right
	minted         string   // Authorization of somebody of the organization
	statement      string   // id
	registration   string   //
	more           string   // path of the rest of a list of statements
	file, fileHost string   // a file of a package, with the path token of the launch
	sessionID      string   // of the browser, as the page of devices names it
	numbers        []string // of GLPI's door
	kept           map[string]string
}

const (
	oneLink    = "https://one.example/link" // both owners' courses have the same identifiers
	onePackage = "https://one.example/package"
	oneState   = "/xapi/activities/state?activityId=https%3A%2F%2Fone.example%2Fpackage&stateId=one&agent="
)

// TestOwnersMatrix: two people who signed up ask for all that the other has, at every door, with their own sessions and
// credentials of every kind and with the other's identifiers and tokens: nothing of the other is told or changed.
func TestOwnersMatrix(t *testing.T) {
	eachEngine(t, func(t *testing.T, e db.Engine) {
		g := served(t, e)
		owners := []*owner{settle(g, "mark-a"), settle(g, "mark-b")}
		asked, own := 0, 0
		for _, victim := range owners {
			victim.keep(true)
		}
		for i, victim := range owners {
			other := owners[1-i]
			for _, r := range victim.requests(other) {
				for who, headers := range victim.callers(other) {
					a := g.raw(r, headers)
					asked++
					foreign := other.mark
					if strings.HasPrefix(who, "other") || who == "nobody" {
						foreign = victim.mark
					}
					if strings.Contains(a.text+fmt.Sprint(a.header), foreign) && !strings.Contains(r.body, foreign) {
						t.Errorf("%s of %s: %s %s tells of %s: %d %.300s", who, victim.mark, r.method, r.path, foreign, a.status, a.text)
					}
					if strings.Contains(a.text, victim.mark) {
						own++
					}
					if a.status >= 500 {
						t.Errorf("%s: %s %s: %d %s", who, r.method, r.path, a.status, a.text)
					}
				}
			}
		}
		for i, victim := range owners {
			other := owners[1-i]
			other.wants(other.post("/account/end", "session", victim.sessionID), 200)
			by := func(object string) string {
				return fmt.Sprintf(`{"actor":%s,"verb":{"id":%q},"object":%s}`, matrixActor("colleague", ""), xapi.VerbVoided, object)
			}
			other.done(request{method: "POST", path: "/xapi/statements", body: by(`{"objectType":"StatementRef","id":"` + victim.statement + `"}`)}, other.account, 200)
			other.done(request{method: "PUT", path: "/xapi/statements?statementId=" + victim.statement, body: by(`{"objectType":"StatementRef","id":"` + other.registration + `"}`)}, other.account, 204)
			asked += 3
			victim.wants(victim.get("/account"), 200, victim.sessionID)
			victim.keep(false)
		}
		if own < 60 {
			t.Errorf("only %d answers tell people of themselves", own)
		}
		t.Logf("proof: %s: %d requests at all doors, with each other's sessions, credentials, ids and tokens: 0 tell of another organization, 0 change one (%d tell of one's own)", t.Name(), asked, own)
	})
}

// settle signs somebody up and fills their organization.
func settle(g *guest, mark string) *owner {
	g.Helper()
	g.forget()
	o := &owner{guest: &guest{T: g.T, house: g.house, url: g.url, data: g.data, client: g.client}, mark: mark, address: "me@" + mark + ".example", kept: map[string]string{}}
	number, answer := o.solve(o.wants(o.get("/signup"), 200))
	o.wants(o.post("/signup", "do", "create", "challenge", number, "answer", answer, "email", o.address, "first", mark, "password", passphrase), 200)
	_, text := o.letter(o.address)
	o.wants(o.post(o.find(confirmLink, text)), 200)
	o.wants(o.post("/login", "email", o.address, "password", passphrase), 200)
	o.wants(o.post("/courses/link", "title", mark+" link", "url", "https://"+mark+".example/course", "activity", oneLink), 200)
	o.wants(o.upload(o.course()), 200, mark+" package")
	here := o.client
	o.forget()
	o.wants(o.post("/login", "email", o.address, "password", passphrase), 200)
	o.client = here
	o.sessionID = o.find(regexp.MustCompile(`name="session" value="([^"]+)"`), o.get("/account").text)
	o.dialect = o.member(o.raw(request{method: "GET", path: "/initSession"}, []string{"Authorization: " + basicOf(o.address, passphrase)}).text, "session_token")
	for _, list := range []string{"/User", "/Entity", "/PluginFlyvemdmFleet", "/UserEmail"} {
		var items []map[string]any
		if err := json.Unmarshal([]byte(o.raw(request{method: "GET", path: list}, []string{"Session-Token: " + o.dialect}).text), &items); err != nil || len(items) == 0 {
			o.Fatalf("%s: %v", list, err)
		}
		n := fmt.Sprintf("%.f", items[0]["id"])
		o.numbers = append(o.numbers, n)
		if list == "/Entity" {
			if _, err := fmt.Sscan(n, &o.org); err != nil {
				o.Fatal(err)
			}
		}
	}
	o.hire()
	o.learn()
	return o
}

func (o *owner) member(text, name string) string {
	o.Helper()
	var m map[string]any
	if err := json.Unmarshal([]byte(text), &m); err != nil || m[name] == nil {
		o.Fatalf("%s: no %s: %v", text, name, err)
	}
	return fmt.Sprint(m[name])
}

// course is a package whose title and file carry the mark.
func (o *owner) course() []byte {
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for name, text := range map[string]string{
		"tincan.xml": `<tincan xmlns="http://projecttincan.com/tincan.xsd"><activities><activity id="` + onePackage + `" type="http://adlnet.gov/expapi/activities/course"><name lang="en">` + o.mark + ` package</name><launch lang="en">index.html</launch></activity></activities></tincan>`,
		"index.html": "<!DOCTYPE html><title>" + o.mark + " file</title>",
	} {
		w, err := z.Create(name)
		if err == nil {
			_, err = io.WriteString(w, text)
		}
		if err != nil {
			o.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		o.Fatal(err)
	}
	return b.Bytes()
}

// hire makes somebody of the organization, with a credential, and a service account, as the operator would.
func (o *owner) hire() {
	o.Helper()
	operator := access.CommandLine(o.org)
	agent := matrixAgent("colleague")
	_, err := o.house.Directory.Provision(o.Context(), operator, directory.Claims{Source: directory.ByAdmin, Name: o.mark + " colleague", Agent: agent, Attributes: map[string]directory.Value{"Email": directory.Text("colleague@" + o.mark + ".example")}})
	if err != nil {
		o.Fatal(err)
	}
	m, err := o.house.Credentials.Mint(o.Context(), operator, credential.Request{Agent: agent})
	if err != nil {
		o.Fatal(err)
	}
	o.minted = basicOf(m.Username, m.Password)
	a, err := o.house.Accounts.Create(o.Context(), operator, access.Request{Name: "all", Scopes: access.Admin | access.All | access.PeopleRead | access.PeopleWrite | access.CredentialsMint | access.LaunchCreate})
	if err != nil {
		o.Fatal(err)
	}
	o.account = "Bearer " + a.Token
}

// learn launches the package and records something.
func (o *owner) learn() {
	o.Helper()
	o.client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	defer func() { o.client.CheckRedirect = nil }()
	to := o.wants(o.get("/launch/open?activity="+url.QueryEscape(onePackage)), 303).header.Get("Location")
	at, err := url.Parse(to)
	if err != nil {
		o.Fatal(err)
	}
	q := at.Query()
	o.launched, o.registration, o.fileHost, o.file = q.Get("auth"), q.Get("registration"), at.Host, at.EscapedPath()
	o.statement = id.NewRandom[id.StatementID]().String()
	for _, text := range []string{o.statement, id.NewRandom[id.StatementID]().String()} {
		body := fmt.Sprintf(`{"actor":%s,"verb":{"id":"http://adlnet.gov/expapi/verbs/passed"},"object":{"id":%q,"definition":{"name":{"en":"%s object"}}},"context":{"registration":%q},"result":{"response":"%s response"}}`,
			q.Get("actor"), onePackage, o.mark, o.registration, o.mark)
		o.done(request{method: "PUT", path: "/xapi/statements?statementId=" + text, body: body}, o.launched, 204)
	}
	o.done(request{method: "POST", path: oneState + escape(matrixActor("colleague", "")), body: `{"is":"` + o.mark + ` state"}`}, o.minted, 204)
	o.more = o.member(o.done(request{method: "GET", path: "/xapi/statements?limit=1"}, o.account, 200).text, "more")
}

func (o *owner) done(r request, auth string, status int) seen {
	o.Helper()
	a := o.raw(r, []string{"Authorization: " + auth})
	if a.status != status {
		o.Fatalf("%s %s: %d %s", r.method, r.path, a.status, a.text)
	}
	return a
}

// request is one of the matrix. A host is that of a package.
type request struct{ method, path, body, media, host string }

// raw asks without cookies but those that the headers have, and follows nothing.
func (g *guest) raw(ask request, headers []string) seen {
	g.Helper()
	target := g.url + ask.path
	if ask.host != "" {
		_, port, _ := strings.Cut(ask.host, ":")
		target = "http://127.0.0.1:" + port + ask.path
	}
	r, err := http.NewRequestWithContext(g.Context(), ask.method, target, strings.NewReader(ask.body))
	if err != nil {
		g.Fatal(err)
	}
	if ask.host != "" {
		r.Host = ask.host
	}
	if ask.body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	if ask.media != "" {
		r.Header.Set("Content-Type", ask.media)
	}
	r.Header.Set("X-Experience-API-Version", "1.0.3")
	for _, h := range headers {
		name, value, _ := strings.Cut(h, ": ")
		r.Header.Set(name, value)
	}
	bare := http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	return g.send(&bare, r)
}

func (o *owner) cookie() string {
	u, err := url.Parse(o.url)
	if err != nil {
		o.Fatal(err)
	}
	for _, c := range o.client.Jar.Cookies(u) {
		if strings.HasSuffix(c.Name, "session") {
			return c.Name + "=" + c.Value
		}
	}
	o.Fatal("nobody is signed in")
	return ""
}

// callers are what a victim and the other may hold, by name; those of the other begin with "other".
func (o *owner) callers(other *owner) map[string][]string {
	all := map[string][]string{"nobody": nil}
	for name, who := range map[string]*owner{"own": o, "other": other} {
		cookie := who.cookie()
		_, token, _ := strings.Cut(cookie, "=")
		all[name+" browser"] = []string{"Cookie: " + cookie, "Accept: text/html"}
		all[name+" browser's token as a dashboard's"] = []string{"Session-Token: " + token}
		all[name+" dashboard"] = []string{"Session-Token: " + who.dialect}
		all[name+" launch"] = []string{"Authorization: " + who.launched}
		all[name+" minted"] = []string{"Authorization: " + who.minted}
		all[name+" account"] = []string{"Authorization: " + who.account}
		all[name+" everything"] = []string{"Cookie: " + cookie, "Session-Token: " + who.dialect, "Authorization: " + who.account}
	}
	return all
}

// requests ask for what a victim has, by its identifiers, and try to change it; those of the other stand for what is made up.
func (o *owner) requests(other *owner) (all []request) {
	get := func(paths ...string) {
		for _, p := range paths {
			all = append(all, request{method: "GET", path: p})
		}
	}
	form := func(path string, pairs ...string) {
		values := url.Values{}
		for i := 0; i < len(pairs); i += 2 {
			values.Set(pairs[i], pairs[i+1])
		}
		all = append(all, request{method: "POST", path: path, body: values.Encode(), media: "application/x-www-form-urlencoded"})
	}
	get("/", "/people", "/people?from=1", "/records", "/records?from=0", "/account", "/courses/add", "/signup/check", "/login", "/password")
	for _, activity := range []string{oneLink, onePackage} {
		a := url.QueryEscape(activity)
		get("/launch?activity="+a, "/launch/open?activity="+a, "/launch/saved?activity="+a, "/launch/returned?activity="+a,
			"/api/activities/launch?activityId="+a, "/xapi/activities?activityId="+a, "/xapi/statements?activity="+a)
	}
	get("/xapi/statements", "/xapi/statements?statementId="+o.statement, "/xapi/statements?voidedStatementId="+o.statement, "/xapi/statements?registration="+o.registration,
		"/xapi/statements?agent="+escape(matrixActor("colleague", "")), "/xapi/agents?agent="+escape(matrixActor("colleague", "")), o.more, o.more+"x",
		oneState+escape(matrixActor("colleague", "")), strings.Replace(oneState, "&stateId=one", "", 1)+escape(matrixActor("colleague", "")), "/xapi/about")
	get("/api/actors/agents?agent="+escape(matrixActor("colleague", "")), "/api/auth/basic")
	for _, name := range []string{"getFullSession", "getMyProfiles", "getActiveProfile", "getMyEntities", "getActiveEntities", "getGlpiConfig", "User", "Entity", "PluginFlyvemdmFleet", "UserEmail", "Plugin", "search/User", "search/Entity"} {
		get("/"+name, "/apirest.php/"+name)
	}
	for _, n := range o.numbers {
		for _, name := range []string{"User", "Entity", "PluginFlyvemdmFleet", "UserEmail"} {
			get("/"+name+"/"+n, "/apirest.php/"+name+"?id="+n, "/User/"+n+"/"+name)
		}
		all = append(all, request{method: "POST", path: "/changeActiveEntities", body: `{"entities_id":` + n + `,"is_recursive":true}`},
			request{method: "PUT", path: "/User/" + n, body: `{"input":{"name":"taken"}}`}, request{method: "DELETE", path: "/Entity/" + n},
			request{method: "PUT", path: "/PluginFlyvemdmdemoAccountvalidation/" + n, body: `{"input":{"_validate":"` + strings.Repeat("a", 64) + `"}}`})
	}
	for _, who := range []*owner{o, other} { // each file with each token
		token, rest, _ := strings.Cut(strings.TrimPrefix(o.file, "/"), "/")
		theirs, _, _ := strings.Cut(strings.TrimPrefix(who.file, "/"), "/")
		if who != o {
			all = append(all, request{method: "GET", host: o.fileHost, path: "/" + theirs + "/" + rest}, request{method: "GET", host: who.fileHost, path: "/" + token + "/" + rest}, request{method: "GET", host: o.fileHost, path: "/" + rest})
		}
	}
	form("/courses/link", "title", "taken", "url", "nowhere", "activity", oneLink)
	return all
}

// keep reads what an owner has, or holds it against what was read.
func (o *owner) keep(first bool) {
	o.Helper()
	session := []string{"Session-Token: " + o.dialect}
	for _, r := range []struct {
		request
		headers []string
	}{
		{request{method: "GET", path: "/User/" + o.numbers[0]}, session}, {request{method: "GET", path: "/Entity"}, session}, {request{method: "GET", path: "/PluginFlyvemdmFleet"}, session},
		{request{method: "GET", path: "/xapi/statements?statementId=" + o.statement}, []string{"Authorization: " + o.account}},
		{request{method: "GET", path: oneState + escape(matrixActor("colleague", ""))}, []string{"Authorization: " + o.account}},
		{request{method: "GET", path: "/launch/saved?activity=" + url.QueryEscape(onePackage)}, []string{"Cookie: " + o.cookie()}},
		{request{method: "GET", path: o.file, host: o.fileHost}, nil},
	} {
		a := o.raw(r.request, r.headers)
		if a.status != 200 {
			o.Errorf("%s: what is one's own answers %d %s", r.path, a.status, a.text)
		}
		if first {
			o.kept[r.path] = a.text
		} else if o.kept[r.path] != a.text {
			o.Errorf("%s was %s and is %s", r.path, o.kept[r.path], a.text)
		}
	}
	if s := o.get("/"); !strings.Contains(s.text, o.mark+" link") || !strings.Contains(s.text, o.mark+" package") {
		o.Errorf("the courses are %s", s.text)
	}
}
