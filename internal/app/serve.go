package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"sync"
	"time"

	"rollway/internal/db"
	"rollway/internal/web"
)

// drainTime is how long requests in flight are given at the end.
const drainTime = 20 * time.Second

// Serving is a house that answers requests.
type Serving struct {
	Main, Courseware net.Addr
	house            *House
	servers          []*http.Server
	leave, stop      context.CancelFunc // end what is sent to others, then all work in the background
	work             sync.WaitGroup
	failed           chan error
	unlock           func() error
}

// Serve starts answering. A second server on one SQLite database is refused.
func (h *House) Serve(ctx context.Context, log *slog.Logger) (*Serving, error) {
	s := &Serving{house: h, failed: make(chan error, 2), unlock: func() error { return nil }}
	if h.DB.Engine() == db.SQLite {
		unlock, err := lockData(h.Config.Data)
		if err != nil {
			return nil, err
		}
		s.unlock = unlock
		h.Records.Lead()
	}
	main, err := web.Listen(ctx, h.Config.HTTP)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("listen on --http: %w", err), s.unlock())
	}
	courseware, err := web.Listen(ctx, h.Config.CoursewareHTTP)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("listen on --courseware-http: %w", err), main.Close(), s.unlock())
	}
	if err := h.announce(ctx); err != nil {
		return nil, errors.Join(err, main.Close(), courseware.Close(), s.unlock())
	}
	s.Main, s.Courseware = main.Addr(), courseware.Addr()
	work, stop := context.WithCancel(context.WithoutCancel(ctx))
	s.stop = stop
	s.work.Go(func() { h.Changes.Poll(work, func(err error) { log.Error("changes cannot be read", "error", err) }) })
	s.work.Go(func() {
		h.Credentials.Run(work, func(err error) { log.Error("last use cannot be kept", "error", err) })
	})
	s.work.Go(func() {
		h.Signin.Run(work, func(err error) { log.Error("the use of sessions cannot be kept", "error", err) })
	})
	s.work.Go(func() { h.Limits.Run(work, func(err error) { log.Error("old tries cannot be deleted", "error", err) }) })
	s.work.Go(func() { h.tidyBlobs(work, log) })
	s.work.Go(func() {
		h.Records.Run(work, func(err error) { log.Error("the index of statements cannot be written", "error", err) })
	})
	s.work.Go(func() {
		h.Challenges.Run(work, func(err error) { log.Error("old challenges cannot be forgotten", "error", err) })
	})
	s.work.Go(func() {
		h.Signup.Run(work, func(err error) { log.Error("sign-ups that are due cannot be worked", "error", err) })
	})
	sending, leave := context.WithCancel(work)
	s.leave = leave
	s.work.Go(func() {
		h.Forwards.Work(sending, func(err error) { log.Error("statements cannot be forwarded", "error", err) })
	})
	s.work.Go(func() { h.Mail.Work(sending, func(err error) { log.Error("mail cannot be sent", "error", err) }) })
	s.run(main, web.Server(web.Config{Log: log, Proxies: h.Config.proxies(), Hosts: h.mainHosts(), AnyHost: []string{healthz, readyz}, Render: h.dialect().Refusals(web.Readable)}, h.main()))
	s.run(courseware, web.Server(web.Config{Log: log, Proxies: h.Config.proxies(), Hosts: h.coursewareHosts()}, h.courseware()))
	return s, nil
}

func (s *Serving) run(l net.Listener, server *http.Server) {
	s.servers = append(s.servers, server)
	s.work.Go(func() {
		if err := server.Serve(l); err != nil && !errors.Is(err, http.ErrServerClosed) {
			s.failed <- err
		}
	})
}

// Failed yields an error when a listener dies.
func (s *Serving) Failed() <-chan error { return s.failed }

// Shutdown stops taking connections, waits for requests in flight and ends the work in the background.
func (s *Serving) Shutdown(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, drainTime)
	defer cancel()
	s.leave()
	var errs []error
	for _, server := range s.servers {
		if err := server.Shutdown(ctx); err != nil {
			errs = append(errs, err, server.Close())
		}
	}
	s.stop()
	s.work.Wait()
	return errors.Join(append(errs, s.unlock())...)
}

// mainHosts are the names that the first origin answers to, so that no page elsewhere reaches it under a name of its own
// (DNS rebinding): that of its links, those of this machine, and the address listened on unless that is all of them.
func (h *House) mainHosts() []string {
	hosts := []string{hostOf(h.Config.PublicURL), "localhost", "127.0.0.1", "::1"}
	host, _, err := net.SplitHostPort(h.Config.HTTP)
	if ip, bad := netip.ParseAddr(host); err == nil && host != "" && (bad != nil || !ip.IsUnspecified()) {
		hosts = append(hosts, strings.ToLower(host))
	}
	return hosts
}

func (h *House) coursewareHosts() []string {
	host := hostOf(h.Config.CoursewareURL)
	return []string{host, "*." + host}
}

// hostOf is the host name of an address that WithDefaults has parsed.
func hostOf(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		panic(err)
	}
	return web.HostName(u.Host)
}
