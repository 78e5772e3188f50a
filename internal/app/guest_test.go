package app

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"log/slog"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
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

	"github.com/go-json-experiment/json"

	"rollway/internal/db"
	"rollway/internal/db/dbtest"
	"rollway/internal/web/webtest"
)

// guest is somebody with a browser, as far as HTTP goes, in front of a house that serves.
type guest struct {
	*testing.T
	house     *House
	url, data string
	client    *http.Client
	language  string
}

// freeAddress is a loopback address that nobody listens on.
func freeAddress(t *testing.T) string {
	t.Helper()
	port, err := webtest.Port()
	if err != nil {
		t.Fatal(err)
	}
	return "127.0.0.1:" + port
}

// hub is another activity that stands for our own pages.
const hub = "https://portal.example/hub"

// served opens a house that keeps its mail in files and tells the answers of its challenges, and serves it until the test ends.
func served(t *testing.T, e db.Engine, change ...func(*Config)) *guest {
	t.Helper()
	data := t.TempDir()
	post := filepath.Join(data, "post")
	if err := os.MkdirAll(post, 0o700); err != nil {
		t.Fatal(err)
	}
	c := Config{Data: data, DB: dbtest.URL(t, e), HTTP: freeAddress(t), CoursewareHTTP: freeAddress(t), Mail: "file:" + post, HubURL: hub, Dev: true, Serves: true}
	for _, f := range change {
		f(&c)
	}
	h, err := Open(t.Context(), c)
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
	g := &guest{T: t, house: h, url: h.Config.PublicURL, data: data}
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
	return g.send(g.client, r)
}

func (g *guest) send(c *http.Client, r *http.Request) seen {
	g.Helper()
	res, err := c.Do(r)
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
