package signup

import (
	"context"
	"io"
	stdmail "net/mail"
	"net/netip"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"rollway/internal/access"
	"rollway/internal/challenge"
	"rollway/internal/db"
	"rollway/internal/db/dbtest"
	"rollway/internal/directory"
	"rollway/internal/fault"
	"rollway/internal/id"
	"rollway/internal/limit"
	"rollway/internal/mail"
	"rollway/internal/outbox"
	"rollway/internal/signin"
)

const (
	public   = "https://learn.example.org"
	password = "a field of orange tents"
)

var (
	here     = netip.MustParseAddr("192.0.2.7")
	operate  = access.CommandLine(id.DefaultOrg)
	linkText = regexp.MustCompile(`https://learn\.example\.org/confirm/(\d+)/([0-9a-f]{64})`)
	codeText = regexp.MustCompile(`(?m)^\s*(\d{6})\s*$`)
)

// house is what sign-up stands on, with mail that lands in a directory.
type house struct {
	testing.TB
	*Signup
	d      *db.DB
	people *directory.Directory
	office *mail.Office
	box    string

	mu      sync.Mutex
	answers map[int64]string
}

func each(t *testing.T, s Settings, fn func(h *house)) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) { fn(furnished(t, d, s)) })
}

func furnished(t testing.TB, d *db.DB, s Settings) *house {
	t.Helper()
	h := &house{TB: t, d: d, box: t.TempDir(), answers: map[int64]string{}}
	key, changes := access.NewKey(), access.NewChanges(d)
	ledger := limit.New(d, func(text string) []byte { return key.Hash("limit", text) })
	h.people = directory.New(d, changes, public)
	var err error
	h.office, err = mail.New(d, outbox.New(d), key, mail.Config{URL: "file:" + h.box, PublicURL: public})
	h.must(err)
	wide := []limit.Window{{Max: 100_000, Per: time.Hour}}
	if s.PerAddress.Windows == nil {
		s.PerAddress.Windows = wide
	}
	challenges := challenge.New(d, key, ledger, challenge.Config{PerAddress: wide, Dev: func(number int64, answer string) {
		h.mu.Lock()
		defer h.mu.Unlock()
		h.answers[number] = answer
	}})
	h.Signup, err = New(Config{DB: d, Key: key, Changes: changes, Directory: h.people, Challenges: challenges,
		Signin: signin.New(d, key, changes, ledger, h.office, public), Mail: h.office, Limits: ledger, PublicURL: public, Settings: s})
	h.must(err)
	h.signin.Pending = h.Pending
	h.signin.Passwords.Cost = signin.Cost{Memory: 64, Passes: 1, Threads: 1}
	ctx, stop := context.WithCancel(context.Background())
	var work sync.WaitGroup
	work.Go(func() { h.office.Work(ctx, func(err error) { t.Error(err) }) })
	t.Cleanup(func() { stop(); work.Wait() })
	return h
}

func (h *house) must(err error) {
	h.Helper()
	if err != nil {
		h.Fatal(err)
	}
}

func (h *house) wants(err error, kind fault.Kind, code string) {
	h.Helper()
	if f := fault.Of(err); err == nil || f.Kind != kind || f.Code != code {
		h.Errorf("got %v (%v %s), want %v %s", err, f.Kind, f.Code, kind, code)
	}
}

// ask is a request of somebody who looked at the picture.
func (h *house) ask(email string) Request {
	h.Helper()
	c, err := h.challenges.Issue(h.Context(), challenge.From{Addr: here})
	h.must(err)
	h.mu.Lock()
	defer h.mu.Unlock()
	return Request{Via: ByPortal, From: here, Email: email, Name: "Ada Lovelace", Password: password, Lang: "en", Challenge: c.Number, Answer: h.answers[c.Number]}
}

func (h *house) begin(email string) Begun {
	h.Helper()
	b, err := h.Begin(h.Context(), h.ask(email))
	h.must(err)
	return b
}

// known makes somebody whom the organization that everybody joins knows by an address.
func (h *house) known(email string) directory.Person {
	h.Helper()
	res, err := h.people.Provision(h.Context(), operate, directory.Claims{Source: directory.ByAdmin, Name: "Known", Attributes: map[string]directory.Value{"Email": directory.Text(email)}})
	h.must(err)
	return res.Person
}

// letter is a mail that arrived.
type letter struct {
	to, subject, text string
}

func (l letter) link(t testing.TB) (number, token string) {
	t.Helper()
	m := linkText.FindStringSubmatch(l.text)
	if m == nil {
		t.Fatalf("no link in %q: %s", l.subject, l.text)
	}
	return m[1], m[2]
}

// letters waits until so many mails have arrived for an address, and returns them in the order they came.
func (h *house) letters(to string, n int) (out []letter) {
	h.Helper()
	h.until("letters for "+to, func() bool {
		out = nil
		files, err := filepath.Glob(filepath.Join(h.box, "*.eml"))
		h.must(err)
		for _, f := range files { // named by time
			if l := h.read(f); l.to == to {
				out = append(out, l)
			}
		}
		return len(out) >= n
	})
	return out
}

// delivered waits until no mail waits: what has not arrived then was never written.
func (h *house) delivered() {
	h.Helper()
	h.until("an empty outbox", func() bool { return h.count("outbox_jobs") == 0 })
}

func (h *house) until(what string, holds func() bool) {
	h.Helper()
	for deadline := time.Now().Add(time.Minute); !holds(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			h.Fatalf("no %s", what)
		}
	}
}

func (h *house) read(file string) letter {
	h.Helper()
	f, err := os.Open(file)
	h.must(err)
	defer f.Close()
	m, err := stdmail.ReadMessage(f)
	h.must(err)
	body, err := io.ReadAll(m.Body)
	h.must(err)
	to, err := stdmail.ParseAddress(m.Header.Get("To"))
	h.must(err)
	text := strings.NewReplacer("=\r\n", "", "=\n", "", "=3D", "=").Replace(string(body))
	return letter{to.Address, m.Header.Get("Subject"), text}
}

// confirm follows the newest link that an address was sent, once it has got so many mails, in a dashboard.
func (h *house) confirm(to string, n int) (Validated, error) {
	h.Helper()
	p := h.proof(to, n)
	return h.Validate(h.Context(), p.Number, p.Token, p.From)
}

// proof is what the newest link shows that an address was sent, once it has got so many mails.
func (h *house) proof(to string, n int) Proof {
	h.Helper()
	l := slices.DeleteFunc(h.letters(to, n), func(l letter) bool { return !linkText.MatchString(l.text) })
	if len(l) == 0 {
		h.Fatalf("no link for %s", to)
	}
	number, token := l[len(l)-1].link(h)
	return Proof{Number: parseNumber(h, number), Token: token, From: here}
}

func parseNumber(t testing.TB, s string) (n int64) {
	t.Helper()
	for _, c := range s {
		n = n*10 + int64(c-'0')
	}
	return n
}

func (h *house) signIn(address, password string) error {
	_, _, err := h.signin.SignIn(h.Context(), signin.Browser, address, password, signin.Device{Addr: here, Agent: "test"})
	return err
}

func (h *house) count(table string) (n int) {
	h.Helper()
	h.must(h.d.Read(h.Context(), func(tx *db.Tx) error { return tx.Row(h.Context(), "SELECT count(*) FROM "+table).Scan(&n) }))
	return n
}

func (h *house) exec(query string, args ...any) {
	h.Helper()
	h.must(h.d.Write(h.Context(), func(tx *db.Tx) error { return tx.Defer(h.Context(), query, args...) }))
}
