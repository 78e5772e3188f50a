package mail

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

// postbox is a mail server that takes messages, or does not.
type postbox struct {
	testing.TB
	server  *smtp.Server
	door    net.Listener
	address string
	roots   *x509.CertPool
	stop    chan struct{} // closed at the end of the test

	mu   sync.Mutex
	got  []parcel
	rule rule
}

// rule decides on one step of a conversation: "MAIL", "RCPT", "DATA" before the message is read, "TAKEN" when it is. hangUp
// ends the connection.
type rule func(step string, hangUp func()) error

// parcel is a message as it came in.
type parcel struct {
	from, to, user string
	tls            bool
	raw            []byte
	acknowledged   bool
}

// box options.
const (
	withTLS  = 1 << iota // offers STARTTLS
	implicit             // TLS from the first byte
	withAuth             // wants ada and her password
)

const boxPassword = "p@ss/w:rd?#"

func newPostbox(t testing.TB, options int) *postbox {
	t.Helper()
	b := &postbox{TB: t, stop: make(chan struct{})}
	b.server = smtp.NewServer(smtp.BackendFunc(func(c *smtp.Conn) (smtp.Session, error) {
		s := &conversation{postbox: b, conn: c}
		if options&withAuth != 0 {
			return &proving{s}, nil
		}
		return s, nil
	}))
	b.server.Domain, b.server.AllowInsecureAuth, b.server.EnableSMTPUTF8 = "box.example", true, true
	b.server.ErrorLog = nothing{}
	if options&(withTLS|implicit) != 0 {
		cert, roots := certificate(t)
		b.roots = roots
		b.server.TLSConfig = &tls.Config{Certificates: []tls.Certificate{cert}}
	}
	b.address = b.listen("127.0.0.1:0", options)
	t.Cleanup(func() {
		close(b.stop)
		b.server.Close()
	})
	return b
}

// listen begins to answer.
func (b *postbox) listen(at string, options int) string {
	b.Helper()
	l, err := net.Listen("tcp", at)
	if err != nil {
		b.Fatal(err)
	}
	b.door = l
	address := l.Addr().String()
	if options&implicit != 0 {
		l = tls.NewListener(l, b.server.TLSConfig)
	}
	go func() {
		if err := b.server.Serve(l); err != nil && !errors.Is(err, net.ErrClosed) && !errors.Is(err, smtp.ErrServerClosed) {
			b.Error(err)
		}
	}()
	return address
}

// down has it answer nobody until it listens again.
func (b *postbox) down() {
	if err := b.door.Close(); err != nil {
		b.Error(err)
	}
}

type nothing struct{}

func (nothing) Printf(string, ...any) {}
func (nothing) Println(...any)        {}

// by sets what happens to messages from now on.
func (b *postbox) by(r rule) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.rule = r
}

func (b *postbox) all() []parcel {
	b.mu.Lock()
	defer b.mu.Unlock()
	return append([]parcel(nil), b.got...)
}

// conversation is one connection.
type conversation struct {
	*postbox
	conn *smtp.Conn
	parcel
}

func (s *conversation) judge(step string) error {
	s.mu.Lock()
	r := s.postbox.rule
	s.mu.Unlock()
	if r == nil {
		return nil
	}
	return r(step, func() { s.conn.Conn().Close() })
}

func (s *conversation) Reset()        { s.from, s.to = "", "" }
func (s *conversation) Logout() error { return nil }

func (s *conversation) Mail(from string, _ *smtp.MailOptions) error {
	s.from = from
	return s.judge("MAIL")
}

func (s *conversation) Rcpt(to string, _ *smtp.RcptOptions) error {
	s.to = to
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
	p := parcel{from: s.from, to: s.to, user: s.user, tls: secure, raw: raw}
	err = s.judge("TAKEN")
	p.acknowledged = err == nil
	s.mu.Lock()
	defer s.mu.Unlock()
	s.got = append(s.got, p)
	return err
}

// proving is a conversation in which the other side must prove who it is.
type proving struct{ *conversation }

func (s *proving) AuthMechanisms() []string { return []string{sasl.Plain} }

func (s *proving) Auth(string) (sasl.Server, error) {
	return sasl.NewPlainServer(func(_, user, password string) error {
		if user != "ada" || password != boxPassword {
			return smtp.ErrAuthFailed
		}
		s.user = user
		return nil
	}), nil
}

func (s *proving) Mail(from string, o *smtp.MailOptions) error {
	if s.user == "" {
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
