package mail

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"rollway/internal/blob"
	"rollway/internal/fault"
)

// mailing is a message that is worded and ready to leave.
type mailing struct {
	id       string // without brackets
	at       time.Time
	from, to string
	text     []byte // RFC 5322, lines end in CR LF
}

// transport takes messages out of the house.
type transport interface {
	// send hands a message over and returns what was said to it. Faults: Invalid when it is refused for good, Unavailable
	// when another attempt may succeed; neither holds anything of the message but what a server said of it.
	send(ctx context.Context, m mailing) (string, error)
	// probe finds out whether messages would be taken, without sending one.
	probe(ctx context.Context) (string, error)
}

// transport reads --mail. Its errors do not repeat what was given, which may hold a password.
func (c Config) transport(host string) (transport, error) {
	scheme, rest, _ := strings.Cut(c.URL, ":")
	switch {
	case c.URL == "" || c.URL == "none":
		return nil, nil
	case scheme == "file":
		dir := rest
		if path, ok := strings.CutPrefix(rest, "//"); ok {
			dir = path
		}
		if dir == "" {
			return nil, badURL("file: needs a directory, like file:mail or file:/var/lib/rollway/mail.")
		}
		return folder(dir), nil
	case scheme != "smtp" && scheme != "smtps":
		return nil, badURL("It begins with smtp://, smtps:// or file:, or is none.")
	}
	u, err := url.Parse(c.URL)
	if err != nil {
		return nil, badURL("It cannot be read. Characters like / ? # %% : @ in a user name or password are written as %%2F %%3F %%23 %%25 %%3A %%40.")
	}
	return newServer(u, c, host)
}

func badURL(format string, args ...any) error {
	return fault.New(fault.Invalid, "mail_url", "--mail does not say how mail leaves. %s", fmt.Sprintf(format, args...))
}

// newServer reads the address of a mail server.
func newServer(u *url.URL, c Config, helo string) (transport, error) {
	s := &server{host: u.Hostname(), port: 587, implicit: u.Scheme == "smtps", helo: hostName(helo), roots: c.roots, step: stepTime, last: lastTime}
	if s.implicit {
		s.port = 465
	}
	if u.Port() != "" {
		port, err := strconv.ParseUint(u.Port(), 10, 16)
		if err != nil || port == 0 {
			return nil, badURL("The port is not a number from 1 to 65535.")
		}
		s.port = int(port)
	}
	if s.host == "" || strings.Trim(u.Path, "/") != "" || u.Fragment != "" {
		return nil, badURL("After %s:// stand user and password if needed, the host and a port, and nothing else.", u.Scheme)
	}
	s.user = u.User.Username()
	s.password, _ = u.User.Password()
	local := isLoopback(s.host)
	s.startTLS = !s.implicit && !local
	for name, values := range u.Query() {
		switch {
		case name != "tls" || len(values) > 1 || values[0] != "none" && values[0] != "starttls" || s.implicit:
			return nil, badURL("The one thing that may stand after ? is tls=none or tls=starttls, for smtp.")
		default:
			s.startTLS = values[0] == "starttls"
		}
	}
	switch {
	case s.user == "" && s.password != "", s.user != "" && s.password == "":
		return nil, badURL("It has a user or a password, and needs both or neither.")
	case s.user != "" && !s.implicit && !s.startTLS && !local:
		return nil, badURL("A password does not leave this machine in clear text: drop ?tls=none, or user and password.")
	}
	return s, nil
}

func isLoopback(host string) bool {
	ip, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && ip.IsLoopback()
}

// hostName is how this installation names itself to mail servers (RFC 5321 section 4.1.3 for numeric addresses).
func hostName(host string) string {
	ip, err := netip.ParseAddr(host)
	switch {
	case host == "":
		return "localhost"
	case err != nil:
		return host
	case ip.Is4():
		return "[" + host + "]"
	}
	return "[IPv6:" + host + "]"
}

// folder is a directory that gets a file for each message.
type folder string

// send writes the file under another name first, so that whoever looks sees whole messages. A message that is sent again is
// the same file.
func (f folder) send(_ context.Context, m mailing) (string, error) {
	number, _, _ := strings.Cut(m.id, "@")
	name := filepath.Join(string(f), m.at.UTC().Format("20060102T150405.000Z")+"-"+number+".eml")
	if err := f.write(name, m.text); err != nil {
		return "", fault.New(fault.Unavailable, "mail_file", "The message cannot be written: %v.", err)
	}
	return name, nil
}

func (f folder) write(name string, text []byte) error {
	if err := os.MkdirAll(string(f), 0o700); err != nil {
		return err
	}
	return blob.WriteFile(name, func(w io.Writer) error {
		_, err := w.Write(text)
		return err
	})
}

func (f folder) probe(context.Context) (string, error) {
	info, err := os.Stat(string(f))
	switch {
	case os.IsNotExist(err):
		return "each message is a file in " + string(f) + ", which is made with the first", nil
	case err != nil:
		return "", err
	case !info.IsDir():
		return "", fmt.Errorf("%s is not a directory", string(f))
	}
	return "each message is a file in " + string(f), nil
}

func (s *server) address() string { return net.JoinHostPort(s.host, strconv.Itoa(s.port)) }
