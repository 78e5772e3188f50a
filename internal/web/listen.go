package web

import (
	"bytes"
	"context"
	"io"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
)

// maxConns bounds the connections of one listener; more wait in the kernel's queue.
const maxConns = 10_000

// Listen listens on a TCP address. Its connections are watched for requests with both Content-Length and Transfer-Encoding:
// net/http drops the former without a word, so that Guard could not refuse them otherwise.
func Listen(ctx context.Context, address string) (net.Listener, error) {
	var c net.ListenConfig
	l, err := c.Listen(ctx, "tcp", address)
	if err != nil {
		return nil, err
	}
	return &listener{Listener: l, free: make(chan struct{}, maxConns), closed: make(chan struct{})}, nil
}

type listener struct {
	net.Listener
	free   chan struct{}
	closed chan struct{}
	once   sync.Once
}

func (l *listener) Accept() (net.Conn, error) {
	select {
	case l.free <- struct{}{}:
	case <-l.closed:
		return nil, net.ErrClosed
	}
	c, err := l.Listener.Accept()
	if err != nil {
		<-l.free
		return nil, err
	}
	return &watched{Conn: c, release: sync.OnceFunc(func() { <-l.free })}, nil
}

func (l *listener) Close() error {
	l.once.Do(func() { close(l.closed) })
	return l.Listener.Close()
}

// watched is a connection that looks at the lines passing by.
type watched struct {
	net.Conn
	release func()

	line           [20]byte // how the current line begins
	n              int      // bytes of it, at most len(line)
	length, coding bool     // seen since the last blank line
	both           atomic.Bool
}

func (w *watched) Close() error {
	defer w.release()
	return w.Conn.Close()
}

func (w *watched) Read(p []byte) (int, error) {
	n, err := w.Conn.Read(p)
	w.look(p[:n])
	return n, err
}

// ReadFrom keeps sendfile(2).
func (w *watched) ReadFrom(src io.Reader) (int64, error) { return io.Copy(w.Conn, src) }

// CloseWrite lets net/http close politely, as it does with a TCPConn.
func (w *watched) CloseWrite() error {
	if c, ok := w.Conn.(interface{ CloseWrite() error }); ok {
		return c.CloseWrite()
	}
	return nil
}

// look follows the lines of heads and bodies alike, since telling them apart is the very thing that may go wrong. What it has
// seen stays seen, since the reads that it looks at run ahead of the requests: a body that quotes such a head makes the next
// chunked request of its connection fail, which closes the connection. Behind a proxy that one may be another client's.
func (w *watched) look(b []byte) {
	for len(b) > 0 {
		end := bytes.IndexByte(b, '\n')
		part := b
		if end >= 0 {
			part = b[:end]
		}
		w.n += copy(w.line[w.n:], part)
		if end < 0 {
			return
		}
		b = b[end+1:]
		w.endLine()
	}
}

func (w *watched) endLine() {
	line := w.line[:w.n]
	w.n = 0
	switch {
	case len(line) == 0 || len(line) == 1 && line[0] == '\r':
		w.length, w.coding = false, false
		return
	case begins(line, "content-length:"):
		w.length = true
	case begins(line, "transfer-encoding:"):
		w.coding = true
	}
	if w.length && w.coding {
		w.both.Store(true)
	}
}

func begins(line []byte, name string) bool {
	return len(line) >= len(name) && bytes.EqualFold(line[:len(name)], []byte(name))
}

type connKey struct{}

func rememberConn(ctx context.Context, c net.Conn) context.Context {
	if w, ok := c.(*watched); ok {
		return context.WithValue(ctx, connKey{}, w)
	}
	return ctx
}

// ambiguous reports whether a chunked request came with a Content-Length too.
func ambiguous(r *http.Request) bool {
	if len(r.TransferEncoding) == 0 {
		return false
	}
	w, ok := r.Context().Value(connKey{}).(*watched)
	return ok && w.both.Load()
}
