package db

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	_ "modernc.org/sqlite" // the driver "sqlite"
)

// lite is SQLite: one connection that writes, a few that read.
type lite struct {
	pool    *sql.DB
	jobs    chan *job
	readers readers
	batch   sync.Mutex  // held while a batch of writes runs, and by the checkpointer's last resort
	unmoved atomic.Bool // whether the log may have what the checkpointer has not moved yet
	file    *handle     // nil in memory
	stop    chan struct{}
	done    sync.WaitGroup
	closing sync.RWMutex
	closed  bool
}

// Each reader has a page cache of its own; behind it is the system's.
const (
	liteReaders = 8
	readerSetup = "PRAGMA query_only=1; PRAGMA cache_size=-8192" // 8 MB
)

func openLite(ctx context.Context, path string, conns int) (*lite, error) {
	if conns == 0 {
		conns = liteReaders
	}
	pool, err := sql.Open("sqlite", liteDSN(path))
	if err != nil {
		return nil, err
	}
	l := &lite{pool: pool, jobs: make(chan *job, batchCap), stop: make(chan struct{})}
	writer, err := l.connect(ctx, "PRAGMA wal_autocheckpoint=0")
	if err != nil {
		return nil, errors.Join(err, pool.Close())
	}
	l.readers.free = make(chan struct{}, conns)
	for range conns {
		r, err := l.connect(ctx, readerSetup)
		if err != nil {
			return nil, errors.Join(err, pool.Close())
		}
		l.readers.put(r)
	}
	l.done.Go(func() { l.run(writer) })
	if path == "" || path == ":memory:" {
		return l, nil
	}
	cp, err := l.connect(ctx, "PRAGMA busy_timeout=50")
	if err == nil {
		l.file, err = openHandle(path)
	}
	if err != nil {
		close(l.stop)
		return nil, errors.Join(err, pool.Close())
	}
	l.done.Go(func() { l.checkpoint(cp) })
	return l, nil
}

// readers are the connections that read and are idle. The one that read last reads next: what it needs is likely to be in its
// page cache, and that in the processor's.
type readers struct {
	free chan struct{} // holds one for each idle connection; who takes it then takes the connection

	mu   sync.Mutex
	idle []*liteConn
}

func (r *readers) take() *liteConn {
	r.mu.Lock()
	defer r.mu.Unlock()
	last := len(r.idle) - 1
	c := r.idle[last]
	r.idle = r.idle[:last]
	return c
}

func (r *readers) put(c *liteConn) {
	r.mu.Lock()
	r.idle = append(r.idle, c)
	r.mu.Unlock()
	r.free <- struct{}{}
}

// liteDSN asks for WAL with full durability: a commit is on the disk before it is acknowledged. A database in memory has a
// name of its own so that all connections of one DB share it.
func liteDSN(path string) string {
	q := url.Values{"_pragma": {"busy_timeout(5000)", "journal_mode(WAL)", "synchronous(FULL)", "foreign_keys(1)", "cache_size(-65536)", "temp_store(MEMORY)"}}
	if path == "" || path == ":memory:" {
		q.Set("vfs", "memdb")
		return fmt.Sprintf("file:/rollway-%d-%d?%s", os.Getpid(), time.Now().UnixNano(), q.Encode())
	}
	return "file:" + (&url.URL{Path: path}).EscapedPath() + "?" + q.Encode()
}

// liteConn is one connection with its prepared statements.
type liteConn struct {
	conn  *sql.Conn
	stmts map[string]*sql.Stmt
}

func (l *lite) connect(ctx context.Context, setup string) (*liteConn, error) {
	c, err := l.pool.Conn(ctx)
	if err != nil {
		return nil, err
	}
	if _, err := c.ExecContext(ctx, setup); err != nil {
		return nil, errors.Join(err, c.Close())
	}
	return &liteConn{c, map[string]*sql.Stmt{}}, nil
}

const stmtCap = 512

func (c *liteConn) prepare(ctx context.Context, query string) (*sql.Stmt, error) {
	if s := c.stmts[query]; s != nil {
		return s, nil
	}
	s, err := c.conn.PrepareContext(ctx, query)
	if err != nil {
		return nil, err
	}
	if len(c.stmts) >= stmtCap {
		for q, old := range c.stmts {
			delete(c.stmts, q)
			if err := old.Close(); err != nil {
				return nil, err
			}
			break
		}
	}
	c.stmts[query] = s
	return s, nil
}

func (c *liteConn) close() error {
	var errs []error
	for _, s := range c.stmts {
		errs = append(errs, s.Close())
	}
	return errors.Join(append(errs, c.conn.Close())...)
}

// liteTx is a session on one connection. It counts changed rows so that the writer knows whether there is anything to undo.
type liteTx struct {
	c       *liteConn
	changed int64
	// steady statements do not end with their request, which one of a batch must not do to the others.
	steady bool
}

// began returns the context for a statement. The driver and database/sql would each start a goroutine to watch for the end of
// one that can end, which takes longer than a short statement; we look before each statement and at each row instead.
func (t *liteTx) began(ctx context.Context) (context.Context, error) {
	if t.steady {
		return context.WithoutCancel(ctx), nil
	}
	return context.WithoutCancel(ctx), ctx.Err()
}

func (t *liteTx) exec(ctx context.Context, query string, args []any) (int64, error) {
	ctx, err := t.began(ctx)
	if err != nil {
		return 0, err
	}
	s, err := t.c.prepare(ctx, query)
	if err != nil {
		return 0, err
	}
	res, err := s.ExecContext(ctx, bind(SQLite, args)...)
	if err != nil {
		return 0, err
	}
	n, err := res.RowsAffected()
	t.changed += n
	return n, err
}

func (t *liteTx) later(ctx context.Context, query string, args []any, each func(*Rows) error) error {
	if each == nil {
		_, err := t.exec(ctx, query, args)
		return err
	}
	rows, err := t.query(ctx, query, args)
	if err != nil {
		return err
	}
	return rows.each(each)
}

func (t *liteTx) flushed(context.Context) error { return nil }

func (t *liteTx) query(request context.Context, query string, args []any) (*Rows, error) {
	ctx, err := t.began(request)
	if err != nil {
		return nil, err
	}
	s, err := t.c.prepare(ctx, query)
	if err != nil {
		return nil, err
	}
	rows, err := s.QueryContext(ctx, bind(SQLite, args)...)
	if err != nil {
		return nil, err
	}
	if writes(query) { // INSERT … RETURNING
		t.changed++
	}
	r := &Rows{next: rows.Next, scan: func(d []any) error { return rows.Scan(uncopied(d)...) }, err: rows.Err, close: rows.Close}
	if !t.steady && request.Done() != nil {
		r.next = func() bool { return request.Err() == nil && rows.Next() }
		r.err = func() error { return errors.Join(rows.Err(), request.Err()) }
	}
	return r, nil
}

// uncopied has bytes scanned as the driver made them, for this row alone: database/sql would copy them once more.
func uncopied(dest []any) []any {
	for i, d := range dest {
		if b, ok := d.(*[]byte); ok {
			dest[i] = (*blob)(b)
		}
	}
	return dest
}

type blob []byte

// Scan implements [sql.Scanner].
func (b *blob) Scan(v any) error {
	switch v := v.(type) {
	case nil:
		*b = nil
	case []byte:
		*b = v
	case string:
		*b = blob(v)
	default:
		return fmt.Errorf("db: %T where bytes are expected", v)
	}
	return nil
}

func writes(query string) bool {
	q := strings.TrimLeft(query, " \t\n")
	return !strings.HasPrefix(q, "SELECT") && !strings.HasPrefix(q, "WITH") && !strings.HasPrefix(q, "PRAGMA") && !strings.HasPrefix(q, "EXPLAIN")
}

func (l *lite) read(ctx context.Context, now func() time.Time, snapshot bool, fn func(*Tx) error) error {
	select {
	case <-l.readers.free:
	case <-l.stop:
		return errClosed
	case <-ctx.Done():
		return ctx.Err()
	}
	c := l.readers.take()
	defer l.readers.put(c)
	t := &liteTx{c: c}
	tx := &Tx{Engine: SQLite, s: t, now: now}
	if !snapshot {
		return guard(tx, fn)
	}
	// A cancelled context must not leave the connection inside a transaction.
	if _, err := t.exec(context.WithoutCancel(ctx), "BEGIN", nil); err != nil {
		return mapError(err)
	}
	err := guard(tx, fn)
	_, end := t.exec(context.WithoutCancel(ctx), "ROLLBACK", nil)
	return errors.Join(err, mapError(end))
}

func (l *lite) close() error {
	l.closing.Lock()
	already := l.closed
	l.closed = true
	l.closing.Unlock()
	if already {
		return nil
	}
	close(l.stop)
	l.done.Wait()
	var errs []error
	for range cap(l.readers.free) {
		<-l.readers.free
		errs = append(errs, l.readers.take().close())
	}
	errs = append(errs, l.pool.Close())
	if l.file != nil {
		errs = append(errs, l.file.release())
	}
	return errors.Join(errs...)
}
