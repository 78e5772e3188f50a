package glpi

import (
	"bytes"
	"context"
	"encoding/base64"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	stdmail "net/mail"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-json-experiment/json"

	"rollway/internal/access"
	"rollway/internal/challenge"
	"rollway/internal/db"
	"rollway/internal/db/dbtest"
	"rollway/internal/directory"
	"rollway/internal/id"
	"rollway/internal/limit"
	"rollway/internal/mail"
	"rollway/internal/outbox"
	"rollway/internal/signin"
	"rollway/internal/signup"
	"rollway/internal/web"
)

const (
	public   = "https://learn.example.org"
	password = "a field of orange tents"
)

// world is the door over real rooms, and whoever asks it.
type world struct {
	*testing.T
	*Door
	db      *db.DB
	handler http.Handler
	secret  string // of a service token
	box     string // where mail lands
	host    int    // which address asks, see nextAddress
	log     bytes.Buffer

	mu      sync.Mutex
	answers map[string]string // of captchas
}

func each(t *testing.T, f func(w *world)) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) { f(newWorld(t, d)) })
}

func newWorld(t *testing.T, d *db.DB) *world {
	t.Helper()
	w := &world{T: t, db: d, box: t.TempDir(), answers: map[string]string{}}
	key, changes := access.NewKey(), access.NewChanges(d)
	ledger := limit.New(d, func(text string) []byte { return key.Hash("limit", text) })
	office, err := mail.New(d, outbox.New(d), key, mail.Config{URL: "file:" + w.box, PublicURL: public})
	w.must(err)
	w.Door = &Door{Public: public, Directory: directory.New(d, changes, public)}
	w.Signin = signin.New(d, key, changes, ledger, office, public)
	w.Challenges = challenge.New(d, key, ledger, challenge.Config{Dev: func(number int64, answer string) {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.answers[fmt.Sprint(number)] = answer
	}})
	w.Signup, err = signup.New(signup.Config{DB: d, Key: key, Changes: changes, Directory: w.Directory, Challenges: w.Challenges,
		Signin: w.Signin, Mail: office, Limits: ledger, PublicURL: public})
	w.must(err)
	w.Signin.Pending = w.Signup.Pending
	issued, err := w.Signup.CreateToken(t.Context(), access.CommandLine(id.DefaultOrg), signup.TokenRequest{Name: "dashboard"})
	w.must(err)
	w.secret = issued.Secret
	log := slog.New(slog.NewTextHandler(&w.log, nil))
	w.handler = web.Guard(web.Config{Log: log, Render: w.Refusals(web.Readable)}, w.Handler(web.Handle(web.Readable, web.NotFound)))
	ctx, stop := context.WithCancel(context.Background())
	var work sync.WaitGroup
	work.Go(func() { office.Work(ctx, func(err error) { t.Error(err) }) })
	t.Cleanup(func() { stop(); work.Wait() })
	return w
}

func (w *world) must(err error) {
	w.Helper()
	if err != nil {
		w.Fatal(err)
	}
}

// nextAddress lets another address ask from now on, which has used up none of its tries.
func (w *world) nextAddress() { w.host++ }

func (w *world) address() string { return fmt.Sprintf("192.0.2.%d", w.host+1) }

// reply is what the door answered.
type reply struct {
	status int
	header http.Header
	text   string
}

// ask asks; headers are "Name: value". What has a body is said to be JSON unless a header says otherwise.
func (w *world) ask(method, target, body string, headers ...string) reply {
	w.Helper()
	r := httptest.NewRequest(method, target, strings.NewReader(body))
	r.RemoteAddr = w.address() + ":1234"
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	} else {
		r.Body, r.ContentLength = http.NoBody, 0
	}
	for _, h := range headers {
		name, value, _ := strings.Cut(h, ":")
		if name == "From" {
			r.RemoteAddr = strings.TrimSpace(value)
			continue
		}
		if value = strings.TrimSpace(value); value == "" {
			r.Header.Del(name)
		} else {
			r.Header.Set(name, value)
		}
	}
	rec := httptest.NewRecorder()
	w.handler.ServeHTTP(rec, r)
	return reply{rec.Code, rec.Result().Header, rec.Body.String()}
}

// want asks for a status and a body; … in the body stands for anything.
func (w *world) want(status int, says, method, target, body string, headers ...string) reply {
	w.Helper()
	r := w.ask(method, target, body, headers...)
	if r.status != status || !matches(says, r.text) {
		w.Errorf("%s %s %v %s\nanswers %d %s\nwant    %d %s", method, target, headers, body, r.status, r.text, status, says)
	}
	return r
}

func matches(pattern, text string) bool {
	parts := strings.Split(pattern, "…")
	if !strings.HasPrefix(text, parts[0]) {
		return false
	}
	text = text[len(parts[0]):]
	for i, p := range parts[1:] {
		if i == len(parts)-2 {
			return strings.HasSuffix(text, p)
		}
		_, after, ok := strings.Cut(text, p)
		if !ok {
			return false
		}
		text = after
	}
	return text == ""
}

// member is a member of an object that was answered.
func (w *world) member(r reply, name string) any {
	w.Helper()
	var m map[string]any
	if err := json.Unmarshal([]byte(r.text), &m); err != nil {
		w.Fatalf("%s: %v", r.text, err)
	}
	return m[name]
}

// service opens a session of the service token.
func (w *world) service() string {
	w.Helper()
	return w.text(w.want(200, `{"session_token":"…"}`, "GET", "/initSession?user_token="+w.secret, ""), "session_token")
}

// text is a member of an object that was answered, as text.
func (w *world) text(r reply, name string) string {
	w.Helper()
	return textOf(w.member(r, name))
}

// captcha makes one and returns its number.
func (w *world) captcha(s string) string {
	w.Helper()
	return w.text(w.want(201, `{"id":…,"message":""}`, "POST", captchas, `{"input":{}}`, s), "id")
}

func (w *world) answerOf(captcha string) string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.answers[captcha]
}

func (w *world) basic(address, password string) string {
	return "Authorization: Basic " + base64.StdEncoding.EncodeToString([]byte(address+":"+password))
}

// person signs somebody in.
func (w *world) person(address string) string {
	w.Helper()
	return w.text(w.want(200, `{"session_token":"…"}`, "GET", "/initSession", "", w.basic(address, password)), "session_token")
}

// signUp signs somebody up and confirms it, and returns the number of the person.
func (w *world) signUp(address string) string {
	w.Helper()
	w.nextAddress()
	s := "Session-Token: " + w.service()
	user := w.want(201, `{"id":…,"message":""}`, "POST", users, w.form(address, w.captcha(s), ""), s)
	number, token := w.mailTo(address)
	w.want(200, `[{"`+number+`":true,"message":""}]`, "PUT", validations, `{"input":{"id":`+number+`,"_validate":"`+token+`"}}`, s)
	return w.text(user, "id")
}

// form is a sign-up with the right answer; more are further members.
func (w *world) form(address, captcha, more string) string {
	return `{"input":` + w.input(address, captcha, more) + `}`
}

func (w *world) input(address, captcha, more string) string {
	return fmt.Sprintf(`{"name":%q,"password":%q,"password2":%q,"firstname":"John","realname":"Doe","_plugin_flyvemdmdemo_captchas_id":%q,"_answer":%q%s}`,
		address, password, password, captcha, w.answerOf(captcha), more)
}

var (
	confirmation = regexp.MustCompile(`https://learn\.example\.org/confirm/(\d+)/([0-9a-f]{64})`)
	resetting    = regexp.MustCompile(`https://learn\.example\.org/(password)/([\w-]{40,})`)
)

// mailTo waits for the mail that confirms an address, and returns what its link has.
func (w *world) mailTo(address string) (number, token string) {
	w.Helper()
	m := w.mailed(address, confirmation)
	return m[1], m[2]
}

// mailed waits for mail to an address with something in it, and returns what was found.
func (w *world) mailed(address string, something *regexp.Regexp) []string {
	w.Helper()
	for range 1500 { // 30 s, however long the machine stands still
		files, err := filepath.Glob(filepath.Join(w.box, "*.eml"))
		w.must(err)
		for _, f := range files {
			if m := something.FindStringSubmatch(w.letter(f, address)); m != nil {
				return m
			}
		}
		time.Sleep(20 * time.Millisecond)
	}
	w.Fatalf("no such mail for %s", address)
	return nil
}

func (w *world) letter(file, address string) string {
	w.Helper()
	raw, err := os.ReadFile(file)
	w.must(err)
	m, err := stdmail.ReadMessage(bytes.NewReader(raw))
	w.must(err)
	if to, err := stdmail.ParseAddress(m.Header.Get("To")); err != nil || !strings.EqualFold(to.Address, address) {
		return ""
	}
	body, err := io.ReadAll(m.Body)
	w.must(err)
	return strings.NewReplacer("=\r\n", "", "=\n", "", "=3D", "=").Replace(string(body))
}

// organizations counts them.
func (w *world) organizations() (n int) {
	w.Helper()
	w.must(w.db.Read(w.Context(), func(tx *db.Tx) error { return tx.Row(w.Context(), "SELECT count(*) FROM organizations").Scan(&n) }))
	return n
}
