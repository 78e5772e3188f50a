package dbtest

import (
	"io"
	"net"
	"net/url"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/jackc/pgx/v5/pgconn"
)

// Network stands between a test and PostgreSQL. It counts how often the one waits for the other, and can swallow what is sent.
type Network struct {
	// Silent has nothing arrive any more, either way.
	Silent atomic.Bool

	to    *pgconn.Config
	at    net.Listener
	trips atomic.Int64
	all   sync.WaitGroup

	mu   sync.Mutex
	open []net.Conn
}

// Through returns the address of a database on PostgreSQL by way of a network of its own, which is down after the test.
func Through(t testing.TB, address string) (*Network, string) {
	t.Helper()
	to, err := pgconn.ParseConfig(address)
	if err != nil {
		t.Fatal(err)
	}
	at, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	n := &Network{to: to, at: at}
	n.all.Go(n.accept)
	t.Cleanup(func() {
		n.Down()
		n.all.Wait()
	})
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	u.Host, u.RawQuery = at.Addr().String(), "sslmode=disable"
	return n, u.String()
}

// Down ends every connection and takes no more.
func (n *Network) Down() {
	n.at.Close()
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, c := range n.open {
		c.Close()
	}
}

// RoundTrips is how often something was sent to the database after it had answered what was sent before.
func (n *Network) RoundTrips() int { return int(n.trips.Load()) }

func (n *Network) accept() {
	for {
		from, err := n.at.Accept()
		if err != nil {
			return
		}
		kind, host := pgconn.NetworkAddress(n.to.Host, n.to.Port)
		to, err := net.Dial(kind, host)
		if err != nil { // the test is told by the connection that ends
			from.Close()
			continue
		}
		n.mu.Lock()
		n.open = append(n.open, from, to)
		n.mu.Unlock()
		var answered atomic.Bool
		answered.Store(true)
		n.all.Go(func() {
			n.carry(from, to, func() {
				if answered.Swap(false) {
					n.trips.Add(1)
				}
			})
		})
		n.all.Go(func() { n.carry(to, from, func() { answered.Store(true) }) })
	}
}

// carry calls before whenever something came, before it is sent on.
func (n *Network) carry(from io.Reader, to io.WriteCloser, before func()) {
	defer to.Close()
	buf := make([]byte, 64<<10)
	for {
		got, err := from.Read(buf)
		if err != nil {
			return
		}
		if n.Silent.Load() {
			continue
		}
		before()
		if _, err := to.Write(buf[:got]); err != nil {
			return
		}
	}
}
