package mail

import (
	"context"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/emersion/go-smtp"

	"rollway/internal/fault"
	"rollway/internal/mail/mailtest"
)

func TestTransports(t *testing.T) {
	t.Parallel()
	for given, want := range map[string]string{ // what comes of it, or what the error says
		"": "none", "none": "none", "file:mail": "file mail", "file:/var/mail": "file /var/mail", "file:///var/mail": "file /var/mail", "file:": "needs a directory", "file://": "needs a directory",
		"smtp://mail.example": "587 starttls", "smtp://mail.example:25": "25 starttls", "smtp://u:p@mail.example:25/": "25 starttls", "smtps://u:p@mail.example": "465 implicit",
		"smtp://mail.example?tls=none": "587 clear", "smtp://mail.example?tls=starttls": "587 starttls", "smtp://127.0.0.1:1025": "1025 clear", "smtp://localhost": "587 clear", "smtp://u:p@[::1]:1025": "1025 clear",
		"smtp://localhost?tls=starttls": "587 starttls", "smtp://u:secret@mail.example?tls=none": "clear text", "smtp://mail.example?tls=maybe": "tls=none", "smtps://mail.example?tls=none": "tls=none",
		"smtp://mail.example?tls=none&tls=starttls": "tls=none", "smtp://mail.example?x=y": "tls=none", "smtp://u@mail.example": "both or neither", "smtp://:secret@mail.example": "both or neither",
		"smtp://mail.example/path": "nothing else", "smtp://mail.example#x": "nothing else", "smtp://": "nothing else", "smtp://mail.example:0": "port", "smtp://mail.example:70000": "port",
		"smtp://u:sec%ret@mail.example": "cannot be read", "smtp://u:secret@mail.example:x": "cannot be read", "http://mail.example": "begins with", "mail.example:25": "begins with", "NONE": "begins with",
	} {
		_, out, err := Config{URL: given, From: "a@learn.example", PublicURL: "https://learn.example"}.read()
		got := ""
		switch out := out.(type) {
		case nil:
			got = "none"
			if err != nil {
				got = err.Error()
			}
		case folder:
			got = "file " + string(out)
		case *server:
			how := map[[2]bool]string{{true, false}: "implicit", {false, true}: "starttls", {false, false}: "clear"}[[2]bool{out.implicit, out.startTLS}]
			got = strings.TrimPrefix(out.address()[strings.LastIndex(out.address(), ":"):], ":") + " " + how
		}
		if !strings.Contains(got, want) || strings.Contains(got, "secret") || err != nil && !fault.Is(err, fault.Invalid) {
			t.Errorf("%s: %q, want %q", given, got, want)
		}
	}
	for _, c := range []struct {
		Config
		want string // the sender, or what the error says
	}{
		{Config{URL: "smtp://mail.example", PublicURL: "https://learn.example:8443"}, "no-reply@learn.example"},
		{Config{URL: "smtp://mail.example", PublicURL: "http://localhost:8080"}, "--mail-from is needed"},
		{Config{URL: "file:x", PublicURL: "http://localhost:8080"}, "no-reply@rollway.invalid"},
		{Config{PublicURL: "http://127.0.0.1:8080"}, "no-reply@rollway.invalid"},
		{Config{From: "x@Example.com", PublicURL: "http://localhost"}, "x@example.com"},
		{Config{From: "X <x@example.com>", PublicURL: "http://localhost"}, "--mail-from is no"},
		{Config{From: "x@example.com", FromName: "A\r\nBcc: b@c.d"}, "--mail-from-name"},
		{Config{From: "x@example.com", FromName: " A"}, "--mail-from-name"},
	} {
		from, _, err := c.read()
		got := from.address
		if err != nil {
			got = err.Error()
		}
		if !strings.Contains(got, c.want) {
			t.Errorf("%+v: %q, want %q", c.Config, got, c.want)
		}
	}
	for host, want := range map[string]string{"": "localhost", "learn.example": "learn.example", "10.0.0.1": "[10.0.0.1]", "::1": "[IPv6:::1]"} {
		if got := hostName(host); got != want {
			t.Errorf("%q: %q, want %q", host, got, want)
		}
	}
}

// serverAt is the transport to a postbox, with short patience.
func serverAt(t testing.TB, b *mailtest.Postbox, user, how string) *server {
	t.Helper()
	scheme, query, _ := strings.Cut(how, "?")
	u := url.URL{Scheme: scheme, Host: b.Address, RawQuery: query}
	if user != "" {
		u.User = url.UserPassword(user, mailtest.Password)
	}
	_, out, err := Config{URL: u.String(), From: "office@learn.example", FromName: "Lernhaus Süd", PublicURL: "https://learn.example", roots: b.Roots}.read()
	if err != nil {
		t.Fatal(err)
	}
	s := out.(*server)
	s.step, s.last = 10*time.Second, 10*time.Second
	return s
}

func sample(t testing.TB) mailing {
	t.Helper()
	m, err := somebody.compose(full(Confirm, "fr"))
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// Every way to connect takes the message whole, with the security it stands for, or takes none.
func TestServerWays(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name    string
		options int
		user    string
		how     string
		distrust,
		tls bool
		fails string
	}{
		{name: "clear", how: "smtp"},
		{name: "clear, signed in on this machine", options: mailtest.WithAuth, user: "ada", how: "smtp"},
		{name: "STARTTLS", options: mailtest.WithTLS, how: "smtp?tls=starttls", tls: true},
		{name: "STARTTLS, signed in", options: mailtest.WithTLS | mailtest.WithAuth, user: "ada", how: "smtp?tls=starttls", tls: true},
		{name: "STARTTLS, signed in by LOGIN", options: mailtest.WithTLS | mailtest.WithAuth | mailtest.ByLogin, user: "ada", how: "smtp?tls=starttls", tls: true},
		{name: "a wrong user by LOGIN", options: mailtest.WithTLS | mailtest.WithAuth | mailtest.ByLogin, user: "bob", how: "smtp?tls=starttls", fails: "535"},
		{name: "TLS from the start", options: mailtest.Implicit, how: "smtps", tls: true},
		{name: "TLS from the start, signed in", options: mailtest.Implicit | mailtest.WithAuth, user: "ada", how: "smtps", tls: true},
		{name: "no STARTTLS there", how: "smtp?tls=starttls", fails: "does not support STARTTLS"},
		{name: "a certificate of somebody's", options: mailtest.WithTLS, how: "smtp?tls=starttls", distrust: true, fails: "certificate"},
		{name: "a certificate of somebody's, TLS from the start", options: mailtest.Implicit, how: "smtps", distrust: true, fails: "certificate"},
		{name: "a wrong user", options: mailtest.WithTLS | mailtest.WithAuth, user: "bob", how: "smtp?tls=starttls", fails: "535"},
		{name: "no user", options: mailtest.WithTLS | mailtest.WithAuth, how: "smtp?tls=starttls", fails: "530"},
		{name: "no signing in there", options: mailtest.WithTLS, user: "ada", how: "smtp?tls=starttls", fails: "AUTH"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			b := mailtest.New(t, c.options)
			if c.distrust {
				b.Roots = nil
			}
			s := serverAt(t, b, c.user, c.how)
			m := sample(t)
			said, err := s.send(t.Context(), m)
			probed, errProbe := s.probe(t.Context())
			got := b.All()
			if c.fails != "" {
				if !fault.Is(err, fault.Unavailable) || !strings.Contains(err.Error(), c.fails) || strings.Contains(err.Error(), mailtest.Password) || len(got) != 0 {
					t.Fatalf("%v, %d taken", err, len(got))
				}
				if c.fails != "530" && errProbe == nil {
					t.Errorf("probed: %s", probed)
				}
				return
			}
			if err != nil || len(got) != 1 || said == "" || errProbe != nil || strings.Contains(probed, "with TLS") != c.tls {
				t.Fatalf("%q %v, probed %q %v, %d taken", said, err, probed, errProbe, len(got))
			}
			p := got[0]
			if p.From != "office@learn.example" && p.From != m.from || p.To != "ada@example.com" || p.TLS != c.tls || p.User != c.user || strings.TrimSpace(string(p.Raw)) != strings.TrimSpace(string(m.text)) {
				t.Errorf("%+v", p)
			}
		})
	}
}

// What a server says is final only when it is said to the message and begins with 5, but for what is about our own account there.
func TestServerTrouble(t *testing.T) {
	t.Parallel()
	refuse := func(at string, code int) mailtest.Rule {
		return func(step string, _ func()) error {
			if step != at {
				return nil
			}
			return &smtp.SMTPError{Code: code, EnhancedCode: smtp.EnhancedCode{code / 100, 1, 1}, Message: "because\nof it"}
		}
	}
	for _, c := range []struct {
		name  string
		rule  mailtest.Rule
		final bool
		says  string
	}{
		{"unknown recipient", refuse("RCPT", 550), true, "550 to RCPT: "},
		{"refused sender", refuse("MAIL", 553), true, "553 to MAIL"},
		{"refused content", refuse("TAKEN", 554), true, "554 to the message"},
		{"refused before", refuse("DATA", 554), true, "554 to "},
		{"greylisted", refuse("RCPT", 450), false, "450 to RCPT"},
		{"full", refuse("TAKEN", 452), false, "452 to the message"},
		{"our account", refuse("MAIL", 530), false, "530 to MAIL"},
		{"our password", refuse("RCPT", 535), false, "535 to RCPT"},
		{"hangs up at once", func(_ string, hangUp func()) error { hangUp(); return nil }, false, "closed the connection (MAIL)"},
		{"hangs up after the message", func(step string, hangUp func()) error {
			if step == "TAKEN" {
				hangUp()
			}
			return nil
		}, false, "closed the connection (the message)"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			b := mailtest.New(t, 0)
			b.By(c.rule)
			_, err := serverAt(t, b, "", "smtp").send(t.Context(), sample(t))
			if fault.Is(err, fault.Invalid) != c.final || !fault.Is(err, fault.Unavailable) != c.final || !strings.Contains(err.Error(), c.says) {
				t.Errorf("%v, want %q", err, c.says)
			}
		})
	}
	t.Run("silent", func(t *testing.T) {
		t.Parallel()
		b := mailtest.New(t, 0)
		s := serverAt(t, b, "", "smtp")
		s.last = 200 * time.Millisecond
		b.By(func(step string, _ func()) error {
			if step == "TAKEN" {
				<-b.Stop
			}
			return nil
		})
		if _, err := s.send(t.Context(), sample(t)); !fault.Is(err, fault.Unavailable) || !strings.Contains(err.Error(), "did not answer in time (the message)") {
			t.Error(err)
		}
		s.last = time.Minute
		ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
		defer cancel()
		if _, err := s.send(ctx, sample(t)); !fault.Is(err, fault.Unavailable) || !strings.Contains(err.Error(), "broken off") {
			t.Error(err)
		}
	})
	for _, how := range []string{"smtp", "smtp?tls=starttls", "smtps"} {
		t.Run("silent from the start, "+how, func(t *testing.T) {
			t.Parallel()
			l, err := net.Listen("tcp", "127.0.0.1:0") // whose backlog takes connections that nobody serves
			if err != nil {
				t.Fatal(err)
			}
			defer l.Close()
			s := serverAt(t, &mailtest.Postbox{Address: l.Addr().String()}, "", how)
			s.step = 200 * time.Millisecond
			if _, err := s.send(t.Context(), sample(t)); !fault.Is(err, fault.Unavailable) || !strings.Contains(err.Error(), "did not answer in time (connecting)") {
				t.Error(err)
			}
		})
	}
	t.Run("down", func(t *testing.T) {
		t.Parallel()
		b := mailtest.New(t, 0)
		b.Down()
		if _, err := serverAt(t, b, "", "smtp").send(t.Context(), sample(t)); !fault.Is(err, fault.Unavailable) || !strings.Contains(err.Error(), "refused") {
			t.Error(err)
		}
	})
}

// A message that is written twice is one file, whole and for its owner only.
func TestFolder(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "mail", "out")
	f, m := folder(dir), sample(t)
	if said, err := f.probe(t.Context()); err != nil || !strings.Contains(said, "is made") {
		t.Error(said, err)
	}
	for range 2 {
		name, err := f.send(t.Context(), m)
		if err != nil || name != filepath.Join(dir, "20260301T093000.000Z-0190-0.eml") {
			t.Fatal(name, err)
		}
	}
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) != 1 {
		t.Fatal(entries, err)
	}
	info, err := entries[0].Info()
	if err != nil || info.Mode() != 0o600 {
		t.Error(info.Mode(), err)
	}
	text, err := os.ReadFile(filepath.Join(dir, entries[0].Name()))
	if err != nil || string(text) != string(m.text) {
		t.Errorf("%q, %v", text, err)
	}
	if said, err := f.probe(t.Context()); err != nil || strings.Contains(said, "is made") {
		t.Error(said, err)
	}
	file := folder(filepath.Join(dir, entries[0].Name()))
	if _, err := file.probe(t.Context()); err == nil {
		t.Error("a file is a directory")
	}
	if _, err := file.send(t.Context(), m); !fault.Is(err, fault.Unavailable) {
		t.Error(err)
	}
}
