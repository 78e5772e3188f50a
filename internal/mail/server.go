package mail

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/textproto"
	"os"
	"slices"
	"strings"
	"syscall"
	"time"

	gomail "github.com/wneessen/go-mail"
	"github.com/wneessen/go-mail/smtp"

	"rollway/internal/fault"
)

// Time limits: of one step, and of the answer to a message, which a server gives when it has taken it in. One that we do not
// wait for costs a message that arrives twice.
const (
	stepTime = 30 * time.Second
	lastTime = 3 * time.Minute
)

// server is a mail server that takes messages by SMTP (RFC 5321).
type server struct {
	host           string
	port           int
	user, password string
	implicit       bool // TLS from the first byte (RFC 8314)
	startTLS       bool // and nothing without it (RFC 3207)
	helo           string
	roots          *x509.CertPool
	step, last     time.Duration
}

// mechanisms are the ways to prove who we are, the best first.
var (
	mechanisms = []gomail.SMTPAuthType{gomail.SMTPAuthSCRAMSHA256, gomail.SMTPAuthPlain, gomail.SMTPAuthLogin}
	inClear    = []gomail.SMTPAuthType{gomail.SMTPAuthSCRAMSHA256, gomail.SMTPAuthPlainNoEnc, gomail.SMTPAuthLoginNoEnc} // on this machine only
)

// dial connects, secures the line and signs in. The connection ends with the context, and is closed when any of that fails,
// which the library leaves to others.
func (s *server) dial(whole context.Context) (*smtp.Client, net.Conn, error) {
	var conn net.Conn
	config := &tls.Config{ServerName: s.host, MinVersion: tls.VersionTLS12, RootCAs: s.roots}
	options := []gomail.Option{gomail.WithPort(s.port), gomail.WithTimeout(s.step), gomail.WithHELO(s.helo), gomail.WithTLSConfig(config), gomail.WithoutSMTPUTF8(),
		gomail.WithTLSPolicy(gomail.NoTLS),
		gomail.WithDialContextFunc(func(ctx context.Context, network, _ string) (net.Conn, error) {
			var err error
			if conn, err = new(net.Dialer).DialContext(ctx, network, s.address()); err != nil {
				return nil, err
			}
			context.AfterFunc(whole, func() { conn.Close() }) // whatever is waited for then fails
			if s.implicit {
				return tls.Client(conn, config), nil
			}
			return conn, nil
		})}
	switch {
	case s.implicit:
		options = append(options, gomail.WithSSL())
	case s.startTLS:
		options = append(options, gomail.WithTLSPolicy(gomail.TLSMandatory))
	}
	if s.user != "" {
		ways := mechanisms
		if !s.implicit && !s.startTLS {
			ways = inClear
		}
		options = append(options, gomail.WithUsername(s.user), gomail.WithPassword(s.password), gomail.WithOpportunisticSMTPAuth(ways...))
	}
	c, err := gomail.NewClient(s.host, options...)
	if err != nil {
		return nil, nil, err
	}
	client, err := c.DialToSMTPClientWithContext(whole)
	if err != nil {
		if conn != nil {
			conn.Close() // what went wrong before counts
		}
		return nil, nil, err
	}
	return client, conn, nil
}

// send is one message on a connection of its own. Once the server has taken it, nothing can go wrong any more.
func (s *server) send(ctx context.Context, m mailing) (string, error) {
	client, conn, err := s.dial(ctx)
	if err != nil {
		return "", s.trouble(ctx, "connecting", err, false)
	}
	defer conn.Close() // the answer counts, not how the line ends
	var data io.WriteCloser
	for _, step := range []struct {
		name  string
		limit time.Duration
		do    func() error
	}{
		{"MAIL", s.step, func() error { return client.Mail("<" + m.from + ">") }},
		{"RCPT", s.step, func() error { return client.Rcpt("<" + m.to + ">") }},
		{"DATA", s.step, func() (err error) { data, err = client.Data(); return err }},
		{"the message", s.step, func() error { _, err := data.Write(m.text); return err }},
		{"the message", s.last, func() error { return data.Close() }},
	} {
		err := conn.SetDeadline(time.Now().Add(step.limit))
		if err == nil {
			err = step.do()
		}
		if err != nil {
			return "", s.trouble(ctx, step.name, err, true)
		}
	}
	said := ""
	if taken, ok := data.(*smtp.DataCloser); ok {
		said = taken.ServerResponse()
	}
	if conn.SetDeadline(time.Now().Add(s.step)) == nil {
		client.Quit() // out of courtesy
	}
	return said, nil
}

func (s *server) probe(ctx context.Context) (string, error) {
	client, conn, err := s.dial(ctx)
	if err != nil {
		return "", s.trouble(ctx, "connecting", err, false)
	}
	defer conn.Close()
	how := "without TLS"
	if state, ok := client.TLSConnectionState(); ok {
		how = "with " + tls.VersionName(state.Version)
	}
	client.Quit() // out of courtesy
	return s.address() + " answers " + how, nil
}

// ours are refusals that are about this installation's rights at the server, which an operator can repair: RFC 4954 section 6.
var ours = []int{530, 534, 535, 538}

// trouble is what went wrong, in words for operators. Only what is said to the message itself can be final.
func (s *server) trouble(ctx context.Context, step string, err error, aboutMessage bool) error {
	var reply *textproto.Error
	var late interface{ Timeout() bool }
	text := ""
	switch {
	case errors.As(err, &reply):
		text = fmt.Sprintf("%s answers %d to %s: %s", s.address(), reply.Code, step, reply.Msg)
		if aboutMessage && reply.Code >= 500 && !slices.Contains(ours, reply.Code) {
			return fault.New(fault.Invalid, "mail_refused", "%s", text)
		}
	case ctx.Err() != nil:
		text = fmt.Sprintf("The attempt was broken off (%s)", step)
	case errors.Is(err, os.ErrDeadlineExceeded), errors.As(err, &late) && late.Timeout():
		text = fmt.Sprintf("%s did not answer in time (%s)", s.address(), step)
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, net.ErrClosed), errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE):
		text = fmt.Sprintf("%s closed the connection (%s)", s.address(), step)
	default:
		text = fmt.Sprintf("%s: %s failed: %v", s.address(), step, err)
	}
	return fault.New(fault.Unavailable, "mail_server", "%s", strings.TrimRight(text, "."))
}
