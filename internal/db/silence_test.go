package db_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"rollway/internal/db"
	"rollway/internal/db/dbtest"
	"rollway/internal/fault"
)

// network stands between us and PostgreSQL and can swallow what is sent.
type network struct {
	net.Listener
	to     *pgconn.Config
	silent atomic.Bool
	all    sync.WaitGroup

	mu   sync.Mutex
	open []net.Conn
}

// through returns the address of a database by way of a network of its own.
func through(t *testing.T, address string) (*network, string) {
	t.Helper()
	to, err := pgconn.ParseConfig(address)
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	n := &network{Listener: l, to: to}
	n.all.Go(n.accept)
	t.Cleanup(func() {
		n.down()
		n.all.Wait()
	})
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	u.Host, u.RawQuery = l.Addr().String(), "sslmode=disable"
	return n, u.String()
}

func (n *network) accept() {
	for {
		from, err := n.Accept()
		if err != nil {
			return
		}
		to, err := net.Dial(pgconn.NetworkAddress(n.to.Host, n.to.Port))
		if err != nil {
			panic(err)
		}
		n.mu.Lock()
		n.open = append(n.open, from, to)
		n.mu.Unlock()
		n.all.Go(func() { n.carry(from, to) })
		n.all.Go(func() { n.carry(to, from) })
	}
}

func (n *network) carry(from io.Reader, to io.WriteCloser) {
	defer to.Close()
	buf := make([]byte, 64<<10)
	for {
		got, err := from.Read(buf)
		if err != nil {
			return
		}
		if n.silent.Load() {
			continue
		}
		if _, err := to.Write(buf[:got]); err != nil {
			return
		}
	}
}

// down ends every connection and takes no more.
func (n *network) down() {
	n.Close()
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, c := range n.open {
		c.Close()
	}
}

// A network that swallows everything holds up those who write for no longer than the limit, and one that is back is used at
// once. What takes its time, and who has nothing to say, is left alone.
func TestASilentDatabaseIsGivenUp(t *testing.T) {
	t.Parallel()
	const limit = 600 * time.Millisecond
	n, address := through(t, dbtest.URL(t, db.PostgreSQL))
	d := dbtest.Connect(t, db.Options{URL: address, Silence: limit})
	t.Cleanup(n.down) // before the pool is closed, which says goodbye on each
	table(t, d)
	ctx := t.Context()
	g := db.NewGroup(d, 1, func(ctx context.Context, tx *db.Tx, names []string) error {
		for _, name := range names {
			if err := tx.Defer(ctx, "INSERT INTO things (id, name) VALUES (gen_random_uuid(), ?)", name); err != nil {
				return err
			}
		}
		return nil
	})
	defer g.Close()
	write := func(what string, want error) {
		t.Helper()
		begun := time.Now()
		var all sync.WaitGroup
		for i := range 40 {
			all.Go(func() {
				err := g.Do(ctx, fmt.Sprint(what, i))
				if want == nil && err != nil || want != nil && !fault.Is(err, fault.Unavailable) {
					t.Errorf("%s: %v", what, err)
				}
			})
		}
		all.Wait()
		if took := time.Since(begun); took > 10*limit {
			t.Errorf("%s: took %v", what, took)
		}
	}
	sleep := func(ctx context.Context, d2 time.Duration) error {
		return d.Read(ctx, func(tx *db.Tx) error {
			_, err := tx.Exec(ctx, "SELECT pg_sleep(?)", d2.Seconds())
			return err
		})
	}

	write("before ", nil)
	if err := sleep(ctx, limit/2); err != nil {
		t.Errorf("slow, but within the limit: %v", err)
	}
	time.Sleep(limit * 3 / 2)
	write("after a pause ", nil)

	n.silent.Store(true)
	write("swallowed ", fault.New(fault.Unavailable, "", ""))
	n.silent.Store(false)
	write("back ", nil)

	// A caller's own limit counts as before.
	short, cancel := context.WithTimeout(ctx, limit/6)
	defer cancel()
	begun := time.Now()
	if err := sleep(short, limit/2); !errors.Is(err, context.DeadlineExceeded) || time.Since(begun) > limit/3 {
		t.Errorf("a caller's limit: %v after %v", err, time.Since(begun))
	}
	write("in the end ", nil)
	if got := count(t, d); got != 4*40 {
		t.Errorf("%d rows, want %d", got, 4*40)
	}
}
