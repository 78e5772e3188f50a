// Package mailtest is a mail server for tests: one that takes messages by SMTP, with and without TLS and signing in, and that
// does whatever a test has it do at each step of a conversation. Only tests import it.
package mailtest

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"io"
	"math/big"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"
)

// Postbox is a mail server that takes messages, or does not.
type Postbox struct {
	testing.TB
	Address string         // host and port, on this machine
	Roots   *x509.CertPool // whose certificate it has; nil without TLS
	Stop    chan struct{}  // closed at the end of the test

	server *smtp.Server
	door   net.Listener
	mu     sync.Mutex
	got    []Parcel
	rule   Rule
}

// Rule decides on one step of a conversation: "MAIL", "RCPT", "DATA" before the message is read, "TAKEN" when it is. hangUp
// ends the connection.
type Rule func(step string, hangUp func()) error

// Parcel is a message as it came in.
type Parcel struct {
	From, To     string // of the envelope
	User         string // who signed in
	TLS          bool
	Raw          []byte
	Acknowledged bool
}

// What a postbox has, added up.
const (
	WithTLS  = 1 << iota // offers STARTTLS
	Implicit             // TLS from the first byte
	WithAuth             // wants ada and her password
	ByLogin              // takes them in the way of AUTH LOGIN only
)

// Password is ada's.
const Password = "p@ss/w:rd?#"

// New returns a server that takes every message until the test ends, with the options.
func New(t testing.TB, options int) *Postbox {
	t.Helper()
	b := &Postbox{TB: t, Stop: make(chan struct{})}
	b.server = smtp.NewServer(smtp.BackendFunc(func(c *smtp.Conn) (smtp.Session, error) {
		s := &conversation{Postbox: b, conn: c}
		if options&WithAuth != 0 {
			return &proving{s, options&ByLogin != 0}, nil
		}
		return s, nil
	}))
	b.server.Domain, b.server.AllowInsecureAuth, b.server.EnableSMTPUTF8 = "box.example", true, true
	b.server.ErrorLog = nothing{}
	if options&(WithTLS|Implicit) != 0 {
		cert, roots := certificate(t)
		b.Roots = roots
		b.server.TLSConfig = &tls.Config{Certificates: []tls.Certificate{cert}}
	}
	b.Address = b.Listen("127.0.0.1:0", options)
	t.Cleanup(func() {
		close(b.Stop)
		b.server.Close()
	})
	return b
}

// Listen begins to answer at an address, and returns it: again after [Postbox.Down].
func (b *Postbox) Listen(at string, options int) string {
	b.Helper()
	l, err := net.Listen("tcp", at)
	if err != nil {
		b.Fatal(err)
	}
	b.door = l
	address := l.Addr().String()
	if options&Implicit != 0 {
		l = tls.NewListener(l, b.server.TLSConfig)
	}
	go func() {
		if err := b.server.Serve(l); err != nil && !errors.Is(err, net.ErrClosed) && !errors.Is(err, smtp.ErrServerClosed) {
			b.Error(err)
		}
	}()
	return address
}

// Down has it answer nobody until it listens again.
func (b *Postbox) Down() {
	if err := b.door.Close(); err != nil {
		b.Error(err)
	}
}

type nothing struct{}

func (nothing) Printf(string, ...any) {}
func (nothing) Println(...any)        {}

// By sets what happens to messages from now on.
func (b *Postbox) By(r Rule) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.rule = r
}

// All is what came in, also what was not acknowledged.
func (b *Postbox) All() []Parcel {
	b.mu.Lock()
	defer b.mu.Unlock()
	return append([]Parcel(nil), b.got...)
}

// conversation is one connection.
type conversation struct {
	*Postbox
	conn *smtp.Conn
	Parcel
}

func (s *conversation) judge(step string) error {
	s.mu.Lock()
	r := s.Postbox.rule
	s.mu.Unlock()
	if r == nil {
		return nil
	}
	return r(step, func() { s.conn.Conn().Close() })
}

func (s *conversation) Reset()        { s.From, s.To = "", "" }
func (s *conversation) Logout() error { return nil }

func (s *conversation) Mail(from string, _ *smtp.MailOptions) error {
	s.From = from
	return s.judge("MAIL")
}

func (s *conversation) Rcpt(to string, _ *smtp.RcptOptions) error {
	s.To = to
	return s.judge("RCPT")
}

func (s *conversation) Data(r io.Reader) error {
	if err := s.judge("DATA"); err != nil {
		return err
	}
	raw, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	_, secure := s.conn.TLSConnectionState()
	p := Parcel{From: s.From, To: s.To, User: s.User, TLS: secure, Raw: raw}
	err = s.judge("TAKEN")
	p.Acknowledged = err == nil
	s.mu.Lock()
	defer s.mu.Unlock()
	s.got = append(s.got, p)
	return err
}

// proving is a conversation in which the other side must prove who it is.
type proving struct {
	*conversation
	byLogin bool
}

func (s *proving) AuthMechanisms() []string {
	if s.byLogin {
		return []string{sasl.Login}
	}
	return []string{sasl.Plain}
}

func (s *proving) Auth(string) (sasl.Server, error) {
	if s.byLogin {
		return &login{proving: s}, nil
	}
	return sasl.NewPlainServer(func(_, user, password string) error { return s.prove(user, password) }), nil
}

func (s *proving) prove(user, password string) error {
	if user != "ada" || password != Password {
		return smtp.ErrAuthFailed
	}
	s.User = user
	return nil
}

// login is the server's side of AUTH LOGIN, which asks twice.
type login struct {
	*proving
	asked int
	name  string
}

func (l *login) Next(said []byte) (challenge []byte, done bool, err error) {
	switch l.asked++; l.asked {
	case 1:
		return []byte("Username:"), false, nil
	case 2:
		l.name = string(said)
		return []byte("Password:"), false, nil
	}
	return nil, true, l.prove(l.name, string(said))
}

func (s *proving) Mail(from string, o *smtp.MailOptions) error {
	if s.User == "" {
		return &smtp.SMTPError{Code: 530, EnhancedCode: smtp.EnhancedCode{5, 7, 0}, Message: "Authentication required"}
	}
	return s.conversation.Mail(from, o)
}

// certificate makes one for 127.0.0.1 and localhost.
func certificate(t testing.TB) (tls.Certificate, *x509.CertPool) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "box"}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		DNSNames: []string{"localhost"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AddCert(leaf)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, roots
}
