package web

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/netip"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"rollway/internal/fault"
	"rollway/internal/id"
)

// exchange is one request and its answer: what the log line will say, and the ResponseWriter that finds it out.
type exchange struct {
	http.ResponseWriter
	id       string // request id
	client   netip.Addr
	caller   string
	err      error // the first one
	quiet    bool
	gone     bool // the client took no more of the answer
	status   int  // 0 until the answer began
	bytes    int64
	deadline time.Time // of writing, when it was last set
}

type exchangeKey struct{}

func newExchange(w http.ResponseWriter) *exchange {
	x := &exchange{ResponseWriter: w, id: id.New[id.RequestID]().String()}
	w.Header()["X-Request-Id"] = []string{x.id}
	return x
}

func exchangeOf(ctx context.Context) *exchange {
	x, _ := ctx.Value(exchangeKey{}).(*exchange)
	return x
}

// ClientAddr is the address of the client, taken from X-Forwarded-For only as far as trusted proxies wrote it.
func ClientAddr(ctx context.Context) netip.Addr {
	if x := exchangeOf(ctx); x != nil {
		return x.client
	}
	return netip.Addr{}
}

func (x *exchange) note(err error) {
	if x.err == nil {
		x.err = err
	}
}

// Unwrap is for http.ResponseController.
func (x *exchange) Unwrap() http.ResponseWriter { return x.ResponseWriter }

func (x *exchange) WriteHeader(status int) {
	if x.status == 0 && status >= 200 || status == http.StatusSwitchingProtocols {
		x.status = status
	}
	x.allow()
	x.ResponseWriter.WriteHeader(status)
}

func (x *exchange) Write(b []byte) (int, error) {
	if x.status == 0 {
		x.status = http.StatusOK
	}
	total := 0
	for {
		x.allow()
		n, err := x.ResponseWriter.Write(b[total:min(total+sendAtOnce, len(b))])
		total += n
		x.bytes += int64(n)
		if err != nil {
			x.gone = x.gone || err != http.ErrBodyNotAllowed && err != http.ErrContentLength
			return total, err
		}
		if total == len(b) {
			return total, nil
		}
	}
}

// sendAtOnce is how much is sent before the deadline moves, in bytes: a client has to take so much within [writeStall].
const sendAtOnce = 256 << 10

// ReadFrom keeps sendfile(2) within reach of files that are served.
func (x *exchange) ReadFrom(src io.Reader) (int64, error) {
	if x.status == 0 {
		x.status = http.StatusOK
	}
	var total int64
	for {
		x.allow()
		n, err := io.CopyN(x.ResponseWriter, src, sendAtOnce)
		total += n
		x.bytes += n
		if err == io.EOF {
			return total, nil
		}
		if err != nil {
			return total, err
		}
	}
}

// writeStall is how long a client may take none of the answer.
const writeStall = time.Minute

func (x *exchange) allow() {
	now := time.Now()
	if now.Sub(x.deadline) < time.Second {
		return
	}
	x.deadline = now
	_ = http.NewResponseController(x.ResponseWriter).SetWriteDeadline(now.Add(writeStall)) // test recorders have none
}

// Flush and Hijack are left to http.ResponseController; the two asserted here are all that net/http looks for.
var (
	_ io.ReaderFrom                             = (*exchange)(nil)
	_ interface{ Unwrap() http.ResponseWriter } = (*exchange)(nil)
)

// statusClientGone is logged for requests whose client left before the answer; nobody receives it.
const statusClientGone = 499

// log writes the request's one line.
func (x *exchange) log(l *slog.Logger, r *http.Request, took time.Duration) {
	status, level := x.status, slog.LevelInfo
	if status == 0 {
		status = http.StatusOK
	}
	gone := x.gone || x.err != nil && r.Context().Err() != nil && errors.Is(x.err, context.Canceled)
	switch {
	case gone:
		status = statusClientGone
	case status >= 500 || x.err != nil && StatusOf(x.err) >= 500:
		level = slog.LevelError
	case x.quiet:
		level = slog.LevelDebug
	}
	if !l.Enabled(r.Context(), level) {
		return
	}
	attrs := make([]slog.Attr, 0, 14)
	attrs = append(attrs,
		slog.String("method", r.Method),
		slog.String("route", r.Pattern),
		slog.String("path", loggedPath(r)),
		slog.Int("status", status),
		slog.Duration("took", took),
		slog.Int64("bytes", x.bytes),
		slog.String("request_id", x.id),
		slog.String("client", x.client.String()))
	if r.URL.RawQuery != "" {
		attrs = append(attrs, slog.String("query", QueryNames(r.URL.RawQuery)))
	}
	if x.caller != "" {
		attrs = append(attrs, slog.String("caller", x.caller))
	}
	if theirs := r.Header.Get("X-Request-Id"); plainWord(theirs, 64) {
		attrs = append(attrs, slog.String("client_request_id", theirs))
	}
	if !gone {
		attrs = append(attrs, errorAttrs(x.err)...)
	}
	line := slog.NewRecord(time.Now(), level, "request", 0) // no place in the code, which LogAttrs would look for
	line.AddAttrs(attrs...)
	_ = l.Handler().Handle(r.Context(), line) // as LogAttrs does: there is nobody to tell
}

// errorAttrs tells of an error only what its answer does not: the code of a fault, the cause of a failure of ours.
func errorAttrs(err error) []slog.Attr {
	if err == nil {
		return nil
	}
	f := fault.Of(err)
	attrs := []slog.Attr{slog.String("code", f.Code)}
	if f.Kind == fault.Internal || f.Err != nil && !quotesJSON(f.Err) {
		attrs = append(attrs, slog.String("error", Redact(clip(err.Error(), 4<<10))))
	}
	var p *panicked
	if errors.As(err, &p) {
		attrs = append(attrs, slog.String("stack", string(p.stack)))
	}
	return attrs
}

// quotesJSON tells a decoder's error about JSON that was sent: it quotes the names of members, and people paste secrets as
// names.
func quotesJSON(err error) bool {
	var syntax *jsontext.SyntacticError
	var semantic *json.SemanticError
	return errors.As(err, &syntax) || errors.As(err, &semantic)
}

func clip(s string, n int) string {
	if len(s) > n {
		return s[:n] + "…"
	}
	return s
}

// loggedPath is the path without its secrets: those of wildcards named as such, and all that Redact knows.
func loggedPath(r *http.Request) string {
	path := r.URL.Path
	if r.Pattern != "" {
		for _, name := range [...]string{"token", "ticket", "secret"} {
			if v := r.PathValue(name); v != "" {
				path = strings.ReplaceAll(path, v, secret)
			}
		}
	}
	return Redact(clip(path, 2<<10))
}

// forwardedFor finds the client's address: the connection's peer, or, while that is a trusted proxy, the address which it
// says it heard from (X-Forwarded-For, read from its end).
func forwardedFor(r *http.Request, trusted []netip.Prefix) netip.Addr {
	addr := parseAddr(r.RemoteAddr)
	if len(trusted) == 0 || !within(addr, trusted) {
		return addr
	}
	heard := strings.Split(strings.Join(r.Header["X-Forwarded-For"], ","), ",")
	for i := len(heard) - 1; i >= 0; i-- {
		next := parseAddr(strings.TrimSpace(heard[i]))
		if !next.IsValid() {
			break
		}
		if addr = next; !within(addr, trusted) {
			break
		}
	}
	return addr
}

func within(a netip.Addr, prefixes []netip.Prefix) bool {
	for _, p := range prefixes {
		if p.Contains(a) {
			return true
		}
	}
	return false
}

// parseAddr reads an address with or without a port; the zero Addr if it is none.
func parseAddr(s string) netip.Addr {
	if ap, err := netip.ParseAddrPort(s); err == nil {
		return ap.Addr().Unmap().WithZone("")
	}
	a, err := netip.ParseAddr(strings.Trim(s, "[]"))
	if err != nil {
		return netip.Addr{}
	}
	return a.Unmap().WithZone("")
}
