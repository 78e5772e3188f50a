package app

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"log/slog"
	"mime"
	"mime/multipart"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/mail"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"mime/quotedprintable"

	"github.com/go-json-experiment/json"

	"rollway/internal/content/sample"
	"rollway/internal/db"
	"rollway/internal/db/dbtest"
)

// guest is somebody with a browser, as far as HTTP goes, in front of a house that serves.
type guest struct {
	*testing.T
	url, data string
	client    *http.Client
	language  string
}

// freeAddress is a loopback address that nobody listens on.
func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// served opens a house that keeps its mail in files and tells the answers of its challenges, and serves it until the test ends.
func served(t *testing.T, e db.Engine) *guest {
	t.Helper()
	data := t.TempDir()
	post := filepath.Join(data, "post")
	if err := os.MkdirAll(post, 0o700); err != nil {
		t.Fatal(err)
	}
	h, err := Open(t.Context(), Config{Data: data, DB: dbtest.URL(t, e), HTTP: freeAddress(t), CoursewareHTTP: freeAddress(t), Mail: "file:" + post, Dev: true, Serves: true})
	if err != nil {
		t.Fatal(err)
	}
	serving, err := h.Serve(t.Context(), slog.New(slog.NewTextHandler(io.Discard, nil)))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := serving.Shutdown(t.Context()); err != nil {
			t.Log(err) // the context is over by now, so that nothing is waited for
		}
		if err := h.Close(); err != nil {
			t.Error(err)
		}
	})
	g := &guest{T: t, url: h.Config.PublicURL, data: data}
	g.forget()
	return g
}

// forget makes the guest somebody whom nobody has seen before.
func (g *guest) forget() {
	jar, err := cookiejar.New(nil)
	if err != nil {
		g.Fatal(err)
	}
	g.client = &http.Client{Jar: jar}
}

// seen is a page with the path it was found at in the end.
type seen struct {
	status int
	path   string
	header http.Header
	text   string
}

func (g *guest) do(r *http.Request) seen {
	g.Helper()
	r.Header.Set("Accept", "text/html")
	if g.language != "" {
		r.Header.Set("Accept-Language", g.language)
	}
	res, err := g.client.Do(r)
	if err != nil {
		g.Fatal(err)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		g.Fatal(err)
	}
	return seen{res.StatusCode, res.Request.URL.Path, res.Header, string(text)}
}

func (g *guest) get(path string) seen {
	g.Helper()
	r, err := http.NewRequestWithContext(g.Context(), "GET", g.url+path, nil)
	if err != nil {
		g.Fatal(err)
	}
	return g.do(r)
}

// post sends a form of names and values in turn.
func (g *guest) post(path string, pairs ...string) seen {
	g.Helper()
	form := url.Values{}
	for i := 0; i < len(pairs); i += 2 {
		form.Set(pairs[i], pairs[i+1])
	}
	r, err := http.NewRequestWithContext(g.Context(), "POST", g.url+path, strings.NewReader(form.Encode()))
	if err != nil {
		g.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return g.do(r)
}

// wants fails the test unless a page has that status and shows all the texts.
func (g *guest) wants(s seen, status int, texts ...string) seen {
	g.Helper()
	if s.status != status {
		g.Fatalf("%s answers %d, not %d\n%s", s.path, s.status, status, s.text)
	}
	for _, text := range texts {
		if !strings.Contains(s.text, text) {
			g.Fatalf("%s does not show %q\n%s", s.path, text, s.text)
		}
	}
	return s
}

var challengeNumber = regexp.MustCompile(`name="challenge" value="(\d+)"`)

// solve finds the number of the challenge on a page, and its answer.
func (g *guest) solve(s seen) (number, answer string) {
	g.Helper()
	found := challengeNumber.FindStringSubmatch(s.text)
	if found == nil {
		g.Fatalf("%s shows no challenge\n%s", s.path, s.text)
	}
	file, err := os.Open(filepath.Join(g.data, "challenges.jsonl"))
	if err != nil {
		g.Fatal(err)
	}
	defer file.Close()
	for lines := bufio.NewScanner(file); lines.Scan(); {
		var told struct {
			ID     int64  `json:"id"`
			Answer string `json:"answer"`
		}
		if err := json.Unmarshal(lines.Bytes(), &told); err != nil {
			g.Fatal(err)
		}
		if fmt.Sprint(told.ID) == found[1] {
			answer = told.Answer
		}
	}
	return found[1], answer
}

// letter waits for the next message to an address, and returns its subject and plain text.
func (g *guest) letter(to string) (subject, text string) {
	g.Helper()
	for deadline := time.Now().Add(20 * time.Second); time.Now().Before(deadline); time.Sleep(50 * time.Millisecond) {
		files, err := filepath.Glob(filepath.Join(g.data, "post", "*.eml"))
		if err != nil {
			g.Fatal(err)
		}
		for _, name := range files {
			subject, text, ok := g.read(name, to)
			if !ok {
				continue
			}
			if err := os.Remove(name); err != nil {
				g.Fatal(err)
			}
			return subject, text
		}
	}
	g.Fatalf("no message came to %s", to)
	return "", ""
}

func (g *guest) read(name, to string) (subject, text string, ok bool) {
	g.Helper()
	raw, err := os.ReadFile(name)
	if err != nil {
		g.Fatal(err)
	}
	m, err := mail.ReadMessage(bytes.NewReader(raw))
	if err != nil || !strings.Contains(m.Header.Get("To"), to) {
		return "", "", false // it is still being written, or is somebody else's
	}
	_, params, err := mime.ParseMediaType(m.Header.Get("Content-Type"))
	if err != nil {
		g.Fatal(err)
	}
	part, err := multipart.NewReader(m.Body, params["boundary"]).NextRawPart()
	if err != nil {
		g.Fatal(err)
	}
	plain, err := io.ReadAll(quotedprintable.NewReader(part))
	if err != nil {
		g.Fatal(err)
	}
	subject, err = new(mime.WordDecoder).DecodeHeader(m.Header.Get("Subject"))
	if err != nil {
		g.Fatal(err)
	}
	return subject, string(plain), true
}

var (
	confirmLink = regexp.MustCompile(`http://[^\s/]+(/confirm/\d+/\w+)`)
	resetLink   = regexp.MustCompile(`http://[^\s/]+(/password/[\w-]+)`)
	sixDigits   = regexp.MustCompile(`\b\d{6}\b`)
)

func (g *guest) find(pattern *regexp.Regexp, text string) string {
	g.Helper()
	found := pattern.FindStringSubmatch(text)
	if found == nil {
		g.Fatalf("no %v in %s", pattern, text)
	}
	return found[len(found)-1]
}

const passphrase = "green boats on a quiet lake"

// signUp signs somebody up, and returns the link and the digits of the message.
func (g *guest) signUp(address string) (link, digits string) {
	g.Helper()
	number, answer := g.solve(g.wants(g.get("/signup"), 200))
	s := g.post("/signup", "do", "create", "challenge", number, "answer", answer, "work", "", "email", address, "first", "Ada", "last", "Lovelace", "password", passphrase, "newsletter", "yes")
	if g.wants(s, 200, address); s.path != "/signup/check" {
		g.Fatalf("after signing up the page is %s", s.path)
	}
	_, text := g.letter(address)
	return g.find(confirmLink, text), g.find(sixDigits, text)
}

// join signs somebody up, confirms and signs them in.
func (g *guest) join(address string) {
	g.Helper()
	link, _ := g.signUp(address)
	g.wants(g.post(link), 200)
	g.letter(address) // welcome
	g.wants(g.post("/login", "email", address, "password", passphrase), 200)
}

// From the first page to the last, without a script.
func TestPagesForPeople(t *testing.T) {
	eachEngine(t, func(t *testing.T, e db.Engine) {
		g := served(t, e)
		g.wants(g.get("/"), 200, `href="/login"`, `href="/signup"`)
		if s := g.get("/people"); s.path != "/login" {
			t.Errorf("a stranger sees %s", s.path)
		}
		first := g.wants(g.get("/signup"), 200)
		number, answer := g.solve(first)

		// What is wrong is told, what was typed is there again but for the password, and so is the picture.
		s := g.post("/signup", "do", "create", "challenge", number, "answer", answer, "work", "", "email", "ada@nowhere", "first", "Ada <b>", "last", "Lovelace", "password", "short", "newsletter", "yes")
		g.wants(s, 422, `href="#password"`, `value="ada@nowhere"`, `value="Ada &lt;b&gt;"`, `value="Lovelace"`, `checked`, `value="`+answer+`"`, `value="`+number+`"`, "autofocus")
		if strings.Contains(s.text, `value="short"`) {
			t.Error("the password is on the page")
		}
		s = g.post("/signup", "do", "create", "challenge", number, "answer", "zzzzz", "work", "", "email", "ada@example.org", "password", passphrase)
		g.wants(s, 422, `href="#answer"`, `value="ada@example.org"`)
		if next, _ := g.solve(s); next == number {
			t.Error("after a wrong answer the picture is the same")
		}
		s = g.post("/signup", "do", "picture", "challenge", number, "answer", "", "work", "", "email", "ada@example.org", "first", "Ada")
		if next, _ := g.solve(g.wants(s, 200, `value="ada@example.org"`, `value="Ada"`)); next == number {
			t.Error("the new picture is the old one")
		}
		for path, media := range map[string]string{"picture": "image/jpeg", "audio": "audio/wav"} {
			next, _ := g.solve(s)
			if p := g.get("/signup/" + path + "/" + next); p.status != 200 || p.header.Get("Content-Type") != media || len(p.text) < 1000 {
				t.Errorf("the %s: %d %v", path, p.status, p.header)
			}
		}

		link, digits := g.signUp("ada@example.org")
		s = g.post("/login", "email", "ada@example.org", "password", "not the right password")
		g.wants(s, 422, `value="ada@example.org"`)
		wrong := "000000"
		if digits == wrong {
			wrong = "000001"
		}
		g.wants(g.post("/signup/check", "code", wrong), 422, `href="#code"`)
		if s = g.post("/signup/again"); s.path != "/signup/check" {
			t.Errorf("sending again leads to %s", s.path)
		}
		if _, text := g.letter("ada@example.org"); g.find(confirmLink, text) != link {
			t.Error("the message sent again has another link")
		}
		g.wants(g.get(link), 200, "ada@example.org", `<form method="post" action="`+link)
		g.wants(g.get(link), 200, `<form method="post" action="`+link) // looking changes nothing
		g.wants(g.post("/signup/check", "code", digits[:3]+" "+digits[3:]), 200, `href="/login"`)
		g.wants(g.post(link), 200, "already", `href="/login"`)
		g.wants(g.get(link), 200, "already")
		g.wants(g.get(link[:len(link)-1]+"x"), 400, `href="/signup"`)
		g.letter("ada@example.org") // welcome

		if s = g.post("/login", "email", "Ada@Example.org", "password", passphrase, "next", "/people"); s.path != "/people" {
			t.Errorf("after signing in the page is %s", s.path)
		}
		g.wants(s, 200, "ada@example.org", "not managed fleet", "Ada Lovelace")
		g.wants(g.get("/"), 200, `href="/courses/add"`)
		g.wants(g.get("/records"), 200)
		g.owner()
		g.account()
	})
}

// owner adds courses, takes one and looks at the record.
func (g *guest) owner() {
	g.Helper()
	g.wants(g.get("/courses/add"), 200)
	g.wants(g.post("/courses/link", "title", "Elsewhere", "url", "nowhere", "activity", ""), 422, `href="#url"`, `value="Elsewhere"`)
	s := g.wants(g.post("/courses/link", "title", "Elsewhere", "url", "https://courses.example.com/bees", "activity", ""), 200, "Elsewhere")
	if s.path != "/" {
		g.Errorf("after a link was added the page is %s", s.path)
	}
	zip, err := sample.Zip()
	if err != nil {
		g.Fatal(err)
	}
	g.wants(g.upload([]byte("no zip")), 422, `href="#file"`)
	g.wants(g.upload(nil), 422, `href="#file"`)
	g.wants(g.upload(zip), 200, "Knots")

	activity := url.QueryEscape(sample.ActivityID)
	g.wants(g.get("/launch?activity="+url.QueryEscape("https://courses.example.com/bees")), 200, "courses.example.com", "/launch/open")
	s = g.wants(g.get("/launch?activity="+activity), 200, `<iframe src="/launch/open?activity=`, "/launch/returned")
	if !strings.Contains(s.header.Get("Content-Security-Policy"), "frame-src 'self' http://*.localhost:") {
		g.Errorf("the policy is %s", s.header.Get("Content-Security-Policy"))
	}
	g.wants(g.get("/launch?activity=https%3A%2F%2Fexample.com%2Fnone"), 404)
	g.take(activity)
	g.wants(g.get("/launch/saved?activity="+activity), 200, `{"saved":"20`)
	g.wants(g.get("/launch/returned?activity="+activity), 200, "Knots", "92%", "Elsewhere")
	g.wants(g.get("/records"), 200, "Ada Lovelace", "passed", "92%")
	g.wants(g.get("/"), 200, "92%")
}

// upload sends a file to be added as a package.
func (g *guest) upload(file []byte) seen {
	g.Helper()
	var body bytes.Buffer
	form := multipart.NewWriter(&body)
	part, err := form.CreateFormFile("file", "course.zip")
	if err != nil {
		g.Fatal(err)
	}
	if _, err := part.Write(file); err != nil {
		g.Fatal(err)
	}
	if err := form.Close(); err != nil {
		g.Fatal(err)
	}
	r, err := http.NewRequestWithContext(g.Context(), "POST", g.url+"/courses/package", &body)
	if err != nil {
		g.Fatal(err)
	}
	r.Header.Set("Content-Type", form.FormDataContentType())
	return g.do(r)
}

// take opens a course as the frame does and says, as the course, that it was passed.
func (g *guest) take(activity string) {
	g.Helper()
	g.client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	defer func() { g.client.CheckRedirect = nil }()
	r, err := http.NewRequestWithContext(g.Context(), "GET", g.url+"/launch/open?activity="+activity, nil)
	if err != nil {
		g.Fatal(err)
	}
	r.Header.Set("Sec-Fetch-Site", "cross-site")
	if s := g.do(r); !strings.HasPrefix(s.header.Get("Location"), "/launch?") {
		g.Errorf("from another site: %d %s", s.status, s.header.Get("Location"))
	}
	s := g.wants(g.get("/launch/open?activity="+activity), 303)
	u, err := url.Parse(s.header.Get("Location"))
	if err != nil {
		g.Fatal(err)
	}
	q := u.Query()
	statement := fmt.Sprintf(`{"actor":%s,"verb":{"id":"http://adlnet.gov/expapi/verbs/passed","display":{"en":"passed"}},"object":{"id":%q,"definition":{"name":{"en":"Knots"}}},"context":{"registration":%q},"result":{"score":{"scaled":0.92},"success":true}}`,
		q.Get("actor"), sample.ActivityID, q.Get("registration"))
	r, err = http.NewRequestWithContext(g.Context(), "POST", q.Get("endpoint")+"statements", strings.NewReader(statement))
	if err != nil {
		g.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("X-Experience-API-Version", "1.0.3")
	r.Header.Set("Authorization", q.Get("auth"))
	g.wants(g.do(r), 200)
}

// account looks at devices, gets a new password and signs out.
func (g *guest) account() {
	g.Helper()
	here := g.client
	g.forget()
	g.wants(g.post("/login", "email", "ada@example.org", "password", passphrase), 200)
	elsewhere := g.client
	g.client = here
	s := g.wants(g.get("/account"), 200, "ada@example.org", `name="session"`)
	if strings.Count(s.text, `action="/account/end"`) != 2 {
		g.Errorf("two devices are not shown as such\n%s", s.text)
	}
	g.wants(g.post("/account/end"), 200)
	g.client = elsewhere
	if s := g.get("/account"); s.path != "/login" {
		g.Errorf("a session that was ended sees %s", s.path)
	}
	g.wants(g.post("/password", "email", "nobody@example.org"), 200, "nobody@example.org")
	g.wants(g.post("/password", "email", "ada@example.org"), 200, "ada@example.org")
	_, text := g.letter("ada@example.org")
	link := g.find(resetLink, text)
	g.wants(g.get(link), 200, `name="password"`)
	g.wants(g.post(link, "password", "too short"), 422, `href="#password"`)
	g.wants(g.post(link, "password", "a wholly other passphrase"), 200, `href="/login"`)
	g.wants(g.post(link, "password", "a wholly other passphrase"), 410, `href="/password"`)
	g.client = here
	if s := g.get("/account"); s.path != "/login" {
		g.Errorf("after a new password a session sees %s", s.path)
	}
	g.wants(g.post("/login", "email", "ada@example.org", "password", "a wholly other passphrase"), 200, "Ada")
	g.wants(g.post("/logout"), 200, `href="/login"`)
	g.wants(g.post("/logout"), 200, `href="/login"`)
}
