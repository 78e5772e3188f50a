package db

import (
	"context"
	"errors"
	"math/rand/v2"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
)

// postgres is PostgreSQL through pgx's own pool.
type postgres struct{ pool *pgxpool.Pool }

const postgresConns = 16

func openPostgres(ctx context.Context, url string, conns int) (*postgres, error) {
	cfg, err := pgxpool.ParseConfig(url)
	if err != nil {
		return nil, err
	}
	cfg.MaxConns = postgresConns
	if conns > 0 {
		cfg.MaxConns = int32(conns)
	}
	// A transaction that hangs must not hold locks for ever, nor freeze what waits for the oldest open write.
	cfg.ConnConfig.RuntimeParams["statement_timeout"] = "30s"
	cfg.ConnConfig.RuntimeParams["idle_in_transaction_session_timeout"] = "30s"
	cfg.ConnConfig.RuntimeParams["lock_timeout"] = "10s"
	cfg.ConnConfig.RuntimeParams["application_name"] = "rollway"
	pool, err := pgxpool.NewWithConfig(ctx, cfg)
	if err != nil {
		return nil, err
	}
	if err := pool.Ping(ctx); err != nil {
		pool.Close()
		return nil, err
	}
	return &postgres{pool}, nil
}

const writeTries = 8

func (p *postgres) write(ctx context.Context, now func() time.Time, fn func(*Tx) error) error {
	for try := 1; ; try++ {
		tx := &Tx{Engine: PostgreSQL, now: now, write: true}
		err := p.transact(ctx, tx, "begin", fn)
		if err == nil {
			tx.committed()
			return nil
		}
		if !errors.Is(err, errRetry) || try == writeTries {
			return err
		}
		select {
		case <-time.After(time.Duration(rand.IntN(10*try)+1) * time.Millisecond):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

func (p *postgres) read(ctx context.Context, now func() time.Time, snapshot bool, fn func(*Tx) error) error {
	begin := ""
	if snapshot {
		begin = "begin isolation level repeatable read read only"
	}
	return p.transact(ctx, &Tx{Engine: PostgreSQL, now: now}, begin, fn)
}

func (p *postgres) transact(ctx context.Context, tx *Tx, begin string, fn func(*Tx) error) error {
	conn, err := p.pool.Acquire(ctx)
	if err != nil {
		return mapError(err)
	}
	defer conn.Release() // a connection whose transaction is still open is closed by the pool, which rolls back
	s := &pgTx{conn: conn.Conn(), begin: begin}
	tx.s = s
	err = guard(tx, fn)
	if err == nil && tx.open {
		err = errRowsOpen
	}
	if err != nil {
		return errors.Join(err, s.rollback(ctx))
	}
	return mapError(s.commit(ctx))
}

// pgTx is a session on one connection. BEGIN goes out with the first statement, deferred statements with the next query or
// with COMMIT, so a transaction that reads once and then writes takes two round trips.
type pgTx struct {
	conn  *pgx.Conn
	begin string // not yet sent
	begun bool
	queue []queued
}

type queued struct {
	query string
	args  []any
}

// flush builds the batch of everything waiting.
func (t *pgTx) flush() *pgx.Batch {
	b := &pgx.Batch{}
	if t.begin != "" {
		b.Queue(t.begin)
		t.begin, t.begun = "", true
	}
	for _, q := range t.queue {
		b.Queue(q.query, q.args...)
	}
	t.queue = t.queue[:0]
	return b
}

func (t *pgTx) later(_ context.Context, query string, args []any) error {
	t.queue = append(t.queue, queued{dollar(query), bind(PostgreSQL, args)})
	return nil
}

func (t *pgTx) exec(ctx context.Context, query string, args []any) (int64, error) {
	b := t.flush()
	b.Queue(dollar(query), bind(PostgreSQL, args)...)
	return t.send(ctx, b)
}

// send runs a batch and returns the row count of its last statement.
func (t *pgTx) send(ctx context.Context, b *pgx.Batch) (int64, error) {
	res := t.conn.SendBatch(ctx, b)
	var tag pgconn.CommandTag
	for range b.Len() {
		var err error
		if tag, err = res.Exec(); err != nil {
			return 0, closeAfter(res, err)
		}
	}
	return tag.RowsAffected(), res.Close()
}

func closeAfter(res pgx.BatchResults, err error) error {
	if closed := res.Close(); closed != nil && closed.Error() != err.Error() {
		return errors.Join(err, closed)
	}
	return err
}

func (t *pgTx) query(ctx context.Context, query string, args []any) (*Rows, error) {
	b := t.flush()
	before := b.Len()
	b.Queue(dollar(query), bind(PostgreSQL, args)...)
	res := t.conn.SendBatch(ctx, b)
	for range before {
		if _, err := res.Exec(); err != nil {
			return nil, closeAfter(res, err)
		}
	}
	rows, err := res.Query()
	if err != nil {
		return nil, closeAfter(res, err)
	}
	return &Rows{next: rows.Next, scan: func(d []any) error { return rows.Scan(d...) }, err: rows.Err, close: func() error {
		rows.Close()
		return res.Close()
	}}, nil
}

func (t *pgTx) commit(ctx context.Context) error {
	if t.begun {
		b := t.flush()
		b.Queue("commit")
		_, err := t.send(ctx, b)
		if err != nil {
			return errors.Join(err, t.rollback(ctx))
		}
		return nil
	}
	if len(t.queue) == 0 {
		return nil
	}
	if t.begin != "" {
		t.begin = "" // a pipeline without BEGIN is one transaction already
	}
	_, err := t.send(ctx, t.flush())
	return err
}

func (t *pgTx) rollback(ctx context.Context) error {
	if !t.begun || t.conn.IsClosed() || t.conn.PgConn().TxStatus() == 'I' {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	_, err := t.conn.Exec(ctx, "rollback")
	return err
}
