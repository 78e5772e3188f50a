package app

import (
	"cmp"
	"fmt"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"rollway/internal/fault"
	"rollway/internal/signin"
)

// Config is how an operator sets a house up. The zero value works: it serves on loopback and keeps its data under the
// user's data directory. The tags are the command line's (flag > environment > file > default).
type Config struct {
	Data                 string       `help:"Data directory; created 0700. Default: the user's data directory, under systemd STATE_DIRECTORY." placeholder:"DIR"`
	HTTP                 string       `name:"http" help:"Address to serve on." default:"127.0.0.1:8080" placeholder:"ADDR"`
	CoursewareHTTP       string       `name:"courseware-http" help:"Address of the second origin, which serves package files and nothing else." default:"127.0.0.1:8081" placeholder:"ADDR"`
	PublicURL            string       `name:"public-url" help:"What links are built from, and the host name answered: a proxy must pass Host. Default: the server's, for the server http://localhost and the port of --http." placeholder:"URL"`
	CoursewareURL        string       `name:"courseware-url" help:"What package links are built from; packages live at p-ID.HOST. Default: the server's, for the server http://localhost and the port of --courseware-http." placeholder:"URL"`
	DB                   string       `name:"db" help:"postgres://user@host/db, or a file path for SQLite. Default: rollway.db in the data directory." placeholder:"URL" secret:""`
	Mail                 string       `help:"How mail leaves: smtp://USER:PASSWORD@HOST:587 (with STARTTLS), smtps://HOST, file:DIR (a file for each), or none, then it waits." default:"none" placeholder:"URL" secret:""`
	MailFrom             string       `name:"mail-from" help:"Address that mail comes from. Default: no-reply at the host of --public-url." placeholder:"ADDRESS"`
	MailFromName         string       `name:"mail-from-name" help:"Name that mail comes from, also in its text. Default: the host of --public-url." placeholder:"NAME"`
	PasswordMin          int          `name:"password-min" help:"Characters that a password of a person has at least, 12 to 64." default:"15" placeholder:"N"`
	Signin               SigninConfig `embed:"" prefix:"signin-"`
	HubURL               string       `name:"hub-url" help:"Another activity id that launches our own pages, as --public-url does." placeholder:"URL"`
	Signup               string       `help:"Whether people may make their own account: ${enum}." enum:"on,off" default:"on"`
	SignupConfig         `embed:"" prefix:"signup-"`
	GLPI                 string `name:"glpi" help:"Whether dashboards may speak GLPI's dialect: ${enum}." enum:"on,off" default:"on"`
	GLPIConfig           `embed:"" prefix:"glpi-"`
	TrustedProxies       []Network `name:"trusted-proxies" help:"Peers whose X-Forwarded-For is believed, as addresses or networks." placeholder:"CIDR"`
	CoursewareSingleHost bool      `name:"courseware-single-host" help:"No host per package (no wildcard DNS): packages are sandboxed instead."`
	Dev                  bool      `help:"Development: refuses any listener that is not loopback."`
	Existing             bool      `kong:"-"` // only an installation that is there: none is made
	Serves               bool      `kong:"-"` // this is the server: its addresses are its own, not those that another server told
}

// WithDefaults fills what is empty from what is there, and checks it. Commands take the addresses that they are not told from the
// server instead.
func (c Config) WithDefaults() (Config, error) {
	if c.HTTP == "" {
		c.HTTP = "127.0.0.1:8080"
	}
	if c.CoursewareHTTP == "" {
		c.CoursewareHTTP = "127.0.0.1:8081"
	}
	if c.Data == "" {
		dir, err := defaultData()
		if err != nil {
			return c, err
		}
		c.Data = dir
	}
	if c.DB == "" {
		c.DB = filepath.Join(c.Data, database)
	}
	if c.PasswordMin == 0 {
		c.PasswordMin = signin.Usual
	}
	err := cmp.Or(checkListen("--http", c.HTTP), checkListen("--courseware-http", c.CoursewareHTTP))
	if err != nil {
		return c, err
	}
	if c.PublicURL, err = origin("--public-url", c.PublicURL, c.HTTP); err != nil {
		return c, err
	}
	if c.CoursewareURL, err = origin("--courseware-url", c.CoursewareURL, c.CoursewareHTTP); err != nil {
		return c, err
	}
	return c, c.check()
}

// wrong is the fault of a setting that cannot be used as it is.
func wrong(format string, args ...any) error {
	return fault.New(fault.Invalid, "configuration", format, args...)
}

// checkListen checks the address of a listener.
func checkListen(flag, addr string) error {
	_, port, err := net.SplitHostPort(addr)
	if err == nil {
		_, err = net.LookupPort("tcp", port)
	}
	if err != nil {
		return wrong("%s %q is not HOST:PORT.", flag, addr)
	}
	return nil
}

// origin checks a URL that links are built from; an empty one is localhost at the listener's port.
func origin(flag, given, listen string) (string, error) {
	if given == "" {
		_, port, err := net.SplitHostPort(listen)
		return "http://localhost:" + port, err
	}
	u, err := url.Parse(given)
	if err != nil || u.Host == "" || (u.Scheme != "http" && u.Scheme != "https") || u.RawQuery != "" || u.Fragment != "" || u.User != nil {
		return "", wrong("%s %q is not an http or https address.", flag, given)
	}
	if strings.ContainsFunc(u.Host, func(r rune) bool { return r >= 0x80 }) { // as browsers send it
		return "", wrong("%s %q: write an international name in Punycode (xn--…).", flag, given)
	}
	if strings.Trim(u.Path, "/") != "" {
		return "", wrong("%s %q has a path; Rollway answers at the root of its host.", flag, given)
	}
	return u.Scheme + "://" + strings.ToLower(u.Host), nil
}

func (c Config) check() error {
	if c.Dev {
		for _, addr := range []string{c.HTTP, c.CoursewareHTTP} {
			host, _, err := net.SplitHostPort(addr)
			if ip := net.ParseIP(host); err != nil || (host != "localhost" && (ip == nil || !ip.IsLoopback())) {
				return wrong("--dev serves on loopback only, and %q is not.", addr)
			}
		}
	}
	if scheme, _, ok := strings.Cut(c.DB, "://"); ok && scheme != "postgres" && scheme != "postgresql" { // the rest may hold a password
		return wrong("--db begins with %s://; it is postgres://user@host/db or the path of a file.", scheme)
	}
	if c.PasswordMin < signin.Low || c.PasswordMin > 64 {
		return wrong("--password-min is %d; it can be from %d to 64.", c.PasswordMin, signin.Low)
	}
	if c.PublicURL == c.CoursewareURL {
		return wrong("--public-url and --courseware-url are both %s: uploaded packages are other people's scripts and need an origin of their own.", c.PublicURL)
	}
	return nil
}

func defaultData() (string, error) {
	if dir := os.Getenv("STATE_DIRECTORY"); dir != "" {
		return dir, nil
	}
	if dir := os.Getenv("XDG_DATA_HOME"); dir != "" {
		return filepath.Join(dir, "rollway"), nil
	}
	home, err := os.UserHomeDir()
	if err != nil {
		return "", fmt.Errorf("no data directory: give --data, or set HOME: %w", err)
	}
	return filepath.Join(home, ".local", "share", "rollway"), nil
}
