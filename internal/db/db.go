package db

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"rollway/internal/fault"
)

// Engine is the database that runs underneath.
type Engine uint8

// The engines.
const (
	SQLite Engine = iota
	PostgreSQL
)

func (e Engine) String() string {
	if e == PostgreSQL {
		return "PostgreSQL"
	}
	return "SQLite"
}

// Clock is the SQL text of the database's own clock: microseconds since 1970 UTC, of SQLite to the millisecond. It is for
// what several processes compare, since on several machines their clocks differ.
func (e Engine) Clock() string {
	if e == PostgreSQL {
		return "(extract(epoch FROM clock_timestamp()) * 1000000)::bigint"
	}
	return "CAST(unixepoch('subsec') * 1000000 AS INTEGER)"
}

// Options say which database to open. The zero value opens a private SQLite database in memory.
type Options struct {
	// URL is a file path for SQLite (optionally as "sqlite:PATH") or postgres://user@host/name.
	URL string
	// Writers is the most transactions of a group commit that run at a time on PostgreSQL; 2 when 0.
	Writers int
	// Conns bounds the PostgreSQL pool and the SQLite readers; 16 and 8 when 0.
	Conns int
	// Silence is how long PostgreSQL may say nothing while it is waited for; 45 seconds when 0.
	Silence time.Duration
	// Now is the clock of Tx.Now; time.Now when nil.
	Now func() time.Time
}

// DB is an open database. It is safe for use by many goroutines.
type DB struct {
	engine  Engine
	lite    *lite
	pg      *postgres
	writers int
	now     func() time.Time
}

// EngineOf tells which database an [Options].URL is of.
func EngineOf(url string) Engine {
	if strings.HasPrefix(url, "postgres://") || strings.HasPrefix(url, "postgresql://") {
		return PostgreSQL
	}
	return SQLite
}

// File is the file of a SQLite database that an [Options].URL names.
func File(url string) string { return strings.TrimPrefix(url, "sqlite:") }

// Open opens the database and checks that it answers. It does not migrate: see [DB.Migrate].
func Open(ctx context.Context, o Options) (*DB, error) {
	d := &DB{now: o.Now, writers: o.Writers}
	if d.now == nil {
		d.now = time.Now
	}
	if d.writers == 0 {
		d.writers = 2
	}
	var err error
	if d.engine = EngineOf(o.URL); d.engine == PostgreSQL {
		d.pg, err = openPostgres(ctx, o)
	} else {
		d.lite, err = openLite(ctx, File(o.URL), o.Conns)
	}
	if err != nil {
		return nil, fmt.Errorf("open %v database: %w", d.engine, mapError(err))
	}
	return d, nil
}

// Close waits for running transactions and closes the database.
func (d *DB) Close() error {
	if d.pg != nil {
		d.pg.pool.Close()
		return nil
	}
	return d.lite.close()
}

// Engine tells which database runs underneath.
func (d *DB) Engine() Engine { return d.engine }

// Ping reports whether the database answers.
func (d *DB) Ping(ctx context.Context) error {
	return d.Read(ctx, func(tx *Tx) error {
		var one int
		return tx.Row(ctx, "SELECT 1").Scan(&one)
	})
}

// Write runs fn in one transaction and returns after it is durable. When fn returns an error nothing it did is kept.
// Serialization failures and deadlocks run fn again. An error from Write itself means "maybe": the commit may have happened.
func (d *DB) Write(ctx context.Context, fn func(*Tx) error) error {
	if d.lite != nil {
		return d.lite.write(ctx, d.now, fn)
	}
	return d.pg.write(ctx, d.now, fn)
}

// Read runs fn's queries without a transaction: each sees what is committed when it starts.
func (d *DB) Read(ctx context.Context, fn func(*Tx) error) error { return d.read(ctx, false, fn) }

// Snapshot runs fn's queries against one state of the database.
func (d *DB) Snapshot(ctx context.Context, fn func(*Tx) error) error { return d.read(ctx, true, fn) }

func (d *DB) read(ctx context.Context, snapshot bool, fn func(*Tx) error) error {
	if d.lite != nil {
		return d.lite.read(ctx, d.now, snapshot, fn)
	}
	return d.pg.read(ctx, d.now, snapshot, fn)
}

// session is what an engine does for a transaction.
type session interface {
	exec(ctx context.Context, query string, args []any) (int64, error)
	query(ctx context.Context, query string, args []any) (*Rows, error)
	// later hands over a statement that may wait for the next flush; each, unless nil, gets its rows.
	later(ctx context.Context, query string, args []any, each func(*Rows) error) error
	flushed(ctx context.Context) error
}

// Tx is a running transaction, or in [DB.Read] a connection. It is not safe for use by several goroutines, and the rows of
// one query are closed before the next statement starts.
type Tx struct {
	Engine Engine
	s      session
	now    func() time.Time
	hooks  []func()
	open   bool // rows are open
	write  bool
}

var errRowsOpen = errors.New("db: the rows of the query before are still open")

// Exec runs a statement and returns the number of rows it changed.
func (tx *Tx) Exec(ctx context.Context, query string, args ...any) (int64, error) {
	if tx.open {
		return 0, errRowsOpen
	}
	n, err := tx.s.exec(ctx, query, args)
	return n, mapError(err)
}

// Defer hands over a statement whose result nobody reads: it runs before the commit, on PostgreSQL in the same round trip
// as the next query or the commit. Its error surfaces there.
func (tx *Tx) Defer(ctx context.Context, query string, args ...any) error {
	if tx.open {
		return errRowsOpen
	}
	return mapError(tx.s.later(ctx, query, args, nil))
}

// Ask hands over a query whose rows are wanted only after [Tx.Flush] (or the next query): many questions then take one
// round trip on PostgreSQL. each scans and does not query.
func (tx *Tx) Ask(ctx context.Context, query string, args []any, each func(*Rows) error) error {
	if tx.open {
		return errRowsOpen
	}
	return mapError(tx.s.later(ctx, query, args, each))
}

// Flush runs what was handed over by Defer and Ask.
func (tx *Tx) Flush(ctx context.Context) error { return mapError(tx.s.flushed(ctx)) }

// Query runs a query. The caller closes the rows.
func (tx *Tx) Query(ctx context.Context, query string, args ...any) (*Rows, error) {
	if tx.open {
		return nil, errRowsOpen
	}
	rows, err := tx.s.query(ctx, query, args)
	if err != nil {
		return nil, mapError(err)
	}
	tx.open = true
	rows.tx = tx
	return rows, nil
}

// Row runs a query of which at most one row is wanted.
func (tx *Tx) Row(ctx context.Context, query string, args ...any) Row {
	rows, err := tx.Query(ctx, query, args...)
	return Row{rows, err}
}

// Each calls fn for every row of a query; fn scans and does not query.
func (tx *Tx) Each(ctx context.Context, query string, args []any, fn func(*Rows) error) error {
	rows, err := tx.Query(ctx, query, args...)
	if err != nil {
		return err
	}
	return rows.each(fn)
}

// each calls fn for every row and closes them.
func (r *Rows) each(fn func(*Rows) error) error {
	defer r.Close()
	for r.Next() {
		if err := fn(r); err != nil {
			return err
		}
	}
	return r.Err()
}

// Lock makes transactions that name one of the same keys wait for each other until they end. SQLite has one writer and
// needs none.
func (tx *Tx) Lock(ctx context.Context, keys ...string) error {
	if tx.Engine == SQLite {
		return nil
	}
	if len(keys) == 0 {
		return nil
	}
	// unnest yields the keys in their order.
	return tx.Defer(ctx, "SELECT pg_advisory_xact_lock(k) FROM unnest(?::bigint[]) AS k", lockKeys(keys))
}

// Share makes the transaction wait for those that [Tx.Lock] the key, and they for it; those that share it do not wait for
// each other. SQL expressions given besides are evaluated in the same statement.
func (tx *Tx) Share(ctx context.Context, key string, besides ...string) error {
	if tx.Engine == SQLite {
		return nil
	}
	text := strings.Join(append([]string{"SELECT pg_advisory_xact_lock_shared(?)"}, besides...), ", ")
	return tx.Defer(ctx, text, lockKeys([]string{key})[0])
}

// AfterCommit has fn called once the transaction is durable and before Write returns.
func (tx *Tx) AfterCommit(fn func()) { tx.hooks = append(tx.hooks, fn) }

// Now is the time to the microsecond, as the database keeps it.
func (tx *Tx) Now() time.Time { return tx.now().UTC().Truncate(time.Microsecond) }

func (tx *Tx) committed() {
	for _, fn := range tx.hooks {
		fn()
	}
}

// ErrNoRows is what Row.Scan returns when there is none.
var ErrNoRows = errors.New("db: no rows")

// Row is at most one row.
type Row struct {
	rows *Rows
	err  error
}

// Scan reads the row's columns into dest, or returns ErrNoRows.
func (r Row) Scan(dest ...any) error {
	if r.err != nil {
		return r.err
	}
	defer r.rows.Close()
	if !r.rows.Next() {
		if err := r.rows.Err(); err != nil {
			return err
		}
		return ErrNoRows
	}
	if err := r.rows.Scan(dest...); err != nil {
		return err
	}
	r.rows.Close()
	return r.rows.Err()
}

// Rows is a running query.
type Rows struct {
	tx    *Tx
	next  func() bool
	scan  func(dest []any) error
	err   func() error
	close func() error
	once  sync.Once
	fail  error
}

// Next moves to the next row.
func (r *Rows) Next() bool { return r.next() }

// Scan reads the row's columns into dest.
func (r *Rows) Scan(dest ...any) error {
	for i, d := range dest {
		if t, ok := d.(*time.Time); ok {
			dest[i] = (*micros)(t)
		}
	}
	return r.scan(dest)
}

// Err is what ended the rows early, if anything did.
func (r *Rows) Err() error {
	if err := r.err(); err != nil {
		return mapError(err)
	}
	return mapError(r.fail)
}

// Close ends the query. It may be called more than once.
func (r *Rows) Close() {
	r.once.Do(func() {
		r.fail = r.close()
		if r.tx != nil {
			r.tx.open = false
		}
	})
}

// guard turns a panic of a transaction function into an error, so that one request cannot take the writer down.
func guard(tx *Tx, fn func(*Tx) error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = panicked(p)
		}
	}()
	return fn(tx)
}

func panicked(p any) error {
	return fault.New(fault.Internal, "internal", "Something went wrong on our side.").Because(fmt.Errorf("panic in a transaction: %v\n%s", p, stack()))
}
