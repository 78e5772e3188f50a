package db

import (
	"cmp"
	"context"
	"errors"
	"math/rand/v2"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"rollway/internal/fault"
)

// postgres is PostgreSQL through pgx's own pool.
type postgres struct{ pool *pgxpool.Pool }

const postgresConns = 16

func openPostgres(ctx context.Context, o Options) (*postgres, error) {
	cfg, err := pgxpool.ParseConfig(o.URL)
	if err != nil { // which repeats no password
		return nil, fault.New(fault.Invalid, "db_url", "The address of the database cannot be used: %v.", err)
	}
	cfg.MaxConns = int32(cmp.Or(o.Conns, postgresConns))
	// A transaction that hangs must not hold locks for ever, nor freeze what waits for the oldest open write.
	cfg.ConnConfig.RuntimeParams["statement_timeout"] = statementLimit.String()
	cfg.ConnConfig.RuntimeParams["idle_in_transaction_session_timeout"] = statementLimit.String()
	cfg.ConnConfig.RuntimeParams["lock_timeout"] = "10s"
	// Every statement is prepared and finds its rows by an index. Planning it anew for the rows at hand would give the same
	// plan, and for a single row take longer than running it.
	cfg.ConnConfig.RuntimeParams["plan_cache_mode"] = "force_generic_plan"
	cfg.ConnConfig.RuntimeParams["jit"] = "off"
	cfg.ConnConfig.RuntimeParams["application_name"] = "rollway"
	cfg.AfterConnect = useArrays
	cfg.PingTimeout = pingLimit
	cfg.ConnConfig.ConnectTimeout = min(cfg.ConnConfig.ConnectTimeout, connectLimit)
	cfg.ConnConfig.DialFunc = bounded(cfg.ConnConfig.DialFunc, cmp.Or(o.Silence, silenceLimit))
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
	each  func(*Rows) error // nil when nobody reads the result
}

// flush builds the batch of everything waiting.
func (t *pgTx) flush() (*pgx.Batch, []queued) {
	b := &pgx.Batch{}
	waiting := t.queue
	if t.begin != "" {
		b.Queue(t.begin)
		waiting = append([]queued{{query: t.begin}}, waiting...)
		t.begin, t.begun = "", true
	}
	for _, q := range t.queue {
		b.Queue(q.query, q.args...)
	}
	t.queue = nil
	return b, waiting
}

func (t *pgTx) later(_ context.Context, query string, args []any, each func(*Rows) error) error {
	t.queue = append(t.queue, queued{dollar(query), bind(PostgreSQL, args), each})
	return nil
}

func (t *pgTx) flushed(ctx context.Context) error {
	if len(t.queue) == 0 {
		return nil
	}
	b, waiting := t.flush()
	res := t.conn.SendBatch(ctx, b)
	if err := receive(res, waiting); err != nil {
		return closeAfter(res, err)
	}
	return res.Close()
}

func (t *pgTx) exec(ctx context.Context, query string, args []any) (int64, error) {
	b, waiting := t.flush()
	b.Queue(dollar(query), bind(PostgreSQL, args)...)
	res := t.conn.SendBatch(ctx, b)
	if err := receive(res, waiting); err != nil {
		return 0, closeAfter(res, err)
	}
	tag, err := res.Exec()
	if err != nil {
		return 0, closeAfter(res, err)
	}
	return tag.RowsAffected(), res.Close()
}

// receive reads the results of what was waiting, handing rows to those who asked for them.
func receive(res pgx.BatchResults, waiting []queued) error {
	for _, q := range waiting {
		if q.each == nil {
			if _, err := res.Exec(); err != nil {
				return err
			}
			continue
		}
		rows, err := res.Query()
		if err != nil {
			return err
		}
		r := pgRows(rows)
		for r.Next() && err == nil {
			err = q.each(r)
		}
		rows.Close()
		if err = errors.Join(err, rows.Err()); err != nil {
			return err
		}
	}
	return nil
}

func pgRows(rows pgx.Rows) *Rows {
	return &Rows{next: rows.Next, scan: func(d []any) error { return rows.Scan(d...) }, err: rows.Err, close: func() error {
		rows.Close()
		return nil
	}}
}

func closeAfter(res pgx.BatchResults, err error) error {
	if closed := res.Close(); closed != nil && closed.Error() != err.Error() {
		return errors.Join(err, closed)
	}
	return err
}

func (t *pgTx) query(ctx context.Context, query string, args []any) (*Rows, error) {
	b, waiting := t.flush()
	b.Queue(dollar(query), bind(PostgreSQL, args)...)
	res := t.conn.SendBatch(ctx, b)
	if err := receive(res, waiting); err != nil {
		return nil, closeAfter(res, err)
	}
	rows, err := res.Query()
	if err != nil {
		return nil, closeAfter(res, err)
	}
	r := pgRows(rows)
	r.close = func() error {
		rows.Close()
		return res.Close()
	}
	return r, nil
}

func (t *pgTx) commit(ctx context.Context) error {
	if !t.begun {
		t.begin = "" // a pipeline without BEGIN is one transaction already
		return t.flushed(ctx)
	}
	if _, err := t.exec(ctx, "commit", nil); err != nil {
		return errors.Join(err, t.rollback(ctx))
	}
	return nil
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
