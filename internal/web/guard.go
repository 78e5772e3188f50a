package web

import (
	"context"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"time"

	"rollway/internal/fault"
)

// Config is how a listener treats its requests. The zero value works.
type Config struct {
	Log     *slog.Logger     // default slog.Default()
	Proxies []netip.Prefix   // peers whose X-Forwarded-For is believed; default none
	Hosts   []string         // host names answered, without port; "*.example.org" covers names one or more labels below. Default any
	AnyHost []string         // paths answered whatever the host name, for probes
	Render  Render           // dialect of refusals that come before any door; default Readable
	Now     func() time.Time // default time.Now
}

func (c Config) withDefaults() Config {
	if c.Log == nil {
		c.Log = slog.Default()
	}
	if c.Render == nil {
		c.Render = Readable
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	return c
}

// Guard is what every request of a listener passes: it gets an id (X-Request-Id), its client's address, a deadline for its
// body, and one log line; what no door should see is refused; a panic is a 500.
func Guard(c Config, next http.Handler) http.Handler {
	c = c.withDefaults()
	guarded := Handle(c.Render, func(w http.ResponseWriter, r *http.Request) error {
		if err := c.refuse(w, r); err != nil {
			return err
		}
		next.ServeHTTP(w, r)
		return nil
	})
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		start := c.Now()
		x := newExchange(w)
		x.client, x.deadline = forwardedFor(r, c.Proxies), time.Now()
		r = r.WithContext(context.WithValue(r.Context(), exchangeKey{}, x))
		pace(w, r, time.Now())
		defer func() { x.log(c.Log, r, c.Now().Sub(start)) }()
		guarded.ServeHTTP(x, r)
	})
}

// refuse tells what no door takes: requests that two parties could read in two ways (RFC 9112 section 6.1), hosts that are
// not ours, methods and codings that nothing here uses.
func (c Config) refuse(w http.ResponseWriter, r *http.Request) error {
	for name := range r.Header {
		if strings.Contains(name, "_") { // some proxies take X_Forwarded_For for X-Forwarded-For
			delete(r.Header, name)
		}
	}
	switch {
	case ambiguous(r):
		w.Header().Set("Connection", "close")
		return fault.New(fault.Invalid, "ambiguous_length", "The request has both Content-Length and Transfer-Encoding.")
	case r.Method == http.MethodTrace || r.Method == http.MethodConnect:
		return WithStatus(http.StatusMethodNotAllowed, fault.New(fault.Invalid, "method_not_allowed", "The method %s is not taken here.", r.Method))
	case !hostAllowed(c.Hosts, r.Host) && !slices.Contains(c.AnyHost, r.URL.Path):
		return WithStatus(http.StatusMisdirectedRequest, fault.New(fault.NotFound, "unknown_host", "This server does not answer for the host name in the address."))
	case len(r.Header["Authorization"]) > 1:
		return fault.New(fault.Invalid, "two_credentials", "The request has more than one header Authorization.").With(fault.Field{Name: "Authorization", Message: "It may be there once."})
	case (r.Method == http.MethodGet || r.Method == http.MethodHead) && r.ContentLength != 0:
		return fault.New(fault.Invalid, "unexpected_body", "A %s request has no body.", r.Method)
	}
	if coding := r.Header.Get("Content-Encoding"); coding != "" && !strings.EqualFold(coding, "identity") {
		w.Header().Set("Accept-Encoding", "identity")
		return WithStatus(http.StatusUnsupportedMediaType, fault.New(fault.Invalid, "bad_content_encoding", "The body must not be compressed."))
	}
	return nil
}

func hostAllowed(allowed []string, host string) bool {
	if len(allowed) == 0 {
		return true
	}
	host = HostName(host)
	for _, a := range allowed {
		a = strings.ToLower(a)
		if suffix, ok := strings.CutPrefix(a, "*"); ok && len(host) > len(suffix) && strings.HasSuffix(host, suffix) || a == host {
			return true
		}
	}
	return false
}

// HostName is a host as in the Host header, in lower case, without port and final dot.
func HostName(host string) string {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	return strings.ToLower(strings.TrimSuffix(strings.Trim(host, "[]"), "."))
}

// The limits of a connection. A body has its own pace, see Guard.
const (
	headerTimeout = 5 * time.Second
	idleTimeout   = 75 * time.Second // longer than the 60 s for which reverse proxies keep idle connections
	maxHeader     = 64 << 10
)

// Server serves h behind Guard with the limits of a server that strangers reach. Serve it on a listener from Listen.
func Server(c Config, h http.Handler) *http.Server {
	c = c.withDefaults()
	return &http.Server{
		Handler:           Guard(c, h),
		ReadHeaderTimeout: headerTimeout,
		WriteTimeout:      writeStall, // for the first byte; later ones move it
		IdleTimeout:       idleTimeout,
		MaxHeaderBytes:    maxHeader,
		ConnContext:       rememberConn,
		ErrorLog:          slog.NewLogLogger(c.Log.Handler(), slog.LevelWarn),
	}
}
