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
	"rollway/internal/web/lrsapi"
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
	s.background(work, log)
	sending, leave := context.WithCancel(work)
	s.leave = leave
	s.beside(sending, h.Forwards.Work, log, "statements cannot be forwarded")
	s.beside(sending, h.Mail.Work, log, "mail cannot be sent")
	s.run(main, web.Server(web.Config{Log: log, Proxies: h.Config.proxies(), Hosts: h.mainHosts(), AnyHost: []string{healthz, readyz}, Render: h.dialect().Refusals(lrsapi.Refusals(web.Readable))}, h.main()))
	s.run(courseware, web.Server(web.Config{Log: log, Proxies: h.Config.proxies(), Hosts: h.coursewareHosts()}, h.courseware()))
	return s, nil
}

// background begins what is done beside the requests until ctx ends.
func (s *Serving) background(ctx context.Context, log *slog.Logger) {
	h := s.house
	s.beside(ctx, h.Changes.Poll, log, "changes cannot be read")
	s.beside(ctx, h.Credentials.Run, log, "last use cannot be kept")
	s.beside(ctx, h.Signin.Run, log, "the use of sessions cannot be kept")
	s.beside(ctx, h.Limits.Run, log, "old tries cannot be deleted")
	s.beside(ctx, h.Records.Run, log, "the index of statements cannot be written")
	s.beside(ctx, h.Challenges.Run, log, "old challenges cannot be forgotten")
	s.beside(ctx, h.Signup.Run, log, "sign-ups that are due cannot be worked")
	tidy := func(ctx context.Context, report func(error)) { h.tidyBlobs(ctx, log, report) }
	s.beside(ctx, tidy, log, "files that nothing names cannot be collected")
}

// beside begins one such work; what it reports is logged as trouble.
func (s *Serving) beside(ctx context.Context, do func(context.Context, func(error)), log *slog.Logger, trouble string) {
	s.work.Go(func() { do(ctx, func(err error) { log.Error(trouble, "error", err) }) })
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
