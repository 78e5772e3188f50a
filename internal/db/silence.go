package db

import (
	"context"
	"errors"
	"net"
	"os"
	"sync"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
)

// How long PostgreSQL may take. A network that swallows what is sent tells nobody: without these a connection would wait for
// as long as TCP tries, a quarter of an hour, and so would everybody behind it.
const (
	connectLimit   = 10 * time.Second
	pingLimit      = 5 * time.Second        // of a connection that was idle
	statementLimit = 30 * time.Second       // PostgreSQL ends what takes longer, and what idles in a transaction
	silenceLimit   = statementLimit * 3 / 2 // of one that should have answered
)

// errSilent ends what waits for a database that says nothing. It is no timeout of the caller's, so that pgx closes the
// connection.
var errSilent net.Error = &net.OpError{Op: "wait", Err: errors.New("the database says nothing")}

// bounded dials connections that end when PostgreSQL takes nothing, or gives nothing though it is waited for, for so long.
func bounded(dial pgconn.DialFunc, limit time.Duration) pgconn.DialFunc {
	return func(ctx context.Context, network, addr string) (net.Conn, error) {
		c, err := dial(ctx, network, addr)
		if err != nil {
			return nil, err
		}
		return &boundedConn{Conn: c, limit: limit}, nil
	}
}

type boundedConn struct {
	net.Conn
	limit time.Duration

	mu    sync.Mutex
	given bool // a deadline of pgx's, which counts
}

// SetDeadline is what pgx calls when a context ends, and with zero after that.
func (c *boundedConn) SetDeadline(t time.Time) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.given = !t.IsZero()
	return c.Conn.SetDeadline(t)
}

func (c *boundedConn) Read(b []byte) (int, error) {
	return c.within(c.Conn.SetReadDeadline, c.Conn.Read, b)
}

func (c *boundedConn) Write(b []byte) (int, error) {
	return c.within(c.Conn.SetWriteDeadline, c.Conn.Write, b)
}

func (c *boundedConn) within(set func(time.Time) error, do func([]byte) (int, error), b []byte) (int, error) {
	until := time.Now().Add(c.limit)
	if err := c.bound(set, until); err != nil {
		return 0, err
	}
	n, err := do(b)
	if errors.Is(err, os.ErrDeadlineExceeded) && !time.Now().Before(until) {
		return n, errSilent
	}
	return n, err
}

func (c *boundedConn) bound(set func(time.Time) error, until time.Time) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.given {
		return nil
	}
	return set(until)
}
