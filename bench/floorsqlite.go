package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	_ "modernc.org/sqlite" // the driver "sqlite"
)

// liteFloor writes rows with the SQLite driver and nothing around it: prepared statements, one for all rows that an item has
// in a table, one writer, write-ahead log, synchronous=FULL. Checkpoints run on a second connection, as measured best: PASSIVE all the time, one RESTART between two
// transactions above 8 MB of log; only while it writes, since the product's own server may have the same file.
type liteFloor struct {
	db         *sql.DB
	writer, cp *sql.Conn
	gate       sync.Mutex // held by the writer for each transaction
}

func openLiteFloor(ctx context.Context, path string) (*liteFloor, error) {
	const pragmas = "_pragma=busy_timeout(5000)&_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)&_pragma=cache_size(-65536)&_pragma=wal_autocheckpoint(0)"
	db, err := sql.Open("sqlite", "file:"+path+"?"+pragmas)
	if err != nil {
		return nil, err
	}
	f := &liteFloor{db: db}
	if f.writer, err = db.Conn(ctx); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	if f.cp, err = db.Conn(ctx); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return f, nil
}

func (f *liteFloor) close() error {
	return errors.Join(f.writer.Close(), f.cp.Close(), f.db.Close())
}

// checkpoint runs until stop is closed.
func (f *liteFloor) checkpoint(stop <-chan struct{}) error {
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case <-stop:
			return nil
		case <-tick.C:
		}
		pages, err := f.wal("PASSIVE")
		if err == nil && pages > 2048 {
			_, again := f.wal("PASSIVE") // what came meanwhile, so that little is left for the writer to wait for
			f.gate.Lock()
			_, last := f.wal("RESTART")
			f.gate.Unlock()
			err = errors.Join(again, last)
		}
		if err != nil {
			return fmt.Errorf("checkpoint of the floor: %w", err)
		}
	}
}

// wal runs a checkpoint and returns the length of the log in pages.
func (f *liteFloor) wal(kind string) (pages int, err error) {
	var busy, moved int
	err = f.cp.QueryRowContext(context.Background(), "PRAGMA wal_checkpoint("+kind+")").Scan(&busy, &pages, &moved)
	return pages, err
}

// run writes items, so many in each transaction, as long as there are more to write, and returns how many a second.
func (f *liteFloor) run(ctx context.Context, it item, each int, more func() bool) (float64, error) {
	stop, checkpoints := make(chan struct{}), make(chan error, 1)
	go func() { checkpoints <- f.checkpoint(stop) }()
	rate, err := f.write(ctx, it, each, more)
	close(stop)
	return rate, errors.Join(err, <-checkpoints)
}

func (f *liteFloor) write(ctx context.Context, it item, each int, more func() bool) (float64, error) {
	begin, commit, inserts, err := f.prepare(ctx, it)
	if err != nil {
		return 0, err
	}
	m := newMaker(1, 1)
	var failed error
	waiting := make([][]any, len(it.tables)) // values of rows that one statement inserts
	add := func(t int, values ...any) {
		for _, v := range values {
			if u, ok := v.(uuid); ok {
				v = u[:]
			}
			waiting[t] = append(waiting[t], v)
		}
		if len(waiting[t]) < it.tables[t].rows*len(values) {
			return
		}
		if _, err := inserts[t].ExecContext(ctx, waiting[t]...); err != nil && failed == nil {
			failed = err
		}
		waiting[t] = waiting[t][:0]
	}
	start, n := time.Now(), 0
	for more() {
		f.gate.Lock()
		_, err := begin.ExecContext(ctx)
		for range each {
			it.fill(m, add)
		}
		if err == nil && failed == nil {
			_, err = commit.ExecContext(ctx)
		}
		f.gate.Unlock()
		if err = errors.Join(err, failed); err != nil {
			return 0, fmt.Errorf("floor of %s: %w", it.name, err)
		}
		n += each
	}
	took := time.Since(start)
	for _, s := range append(inserts, begin, commit) {
		if err := s.Close(); err != nil {
			return 0, err
		}
	}
	return float64(n) / took.Seconds(), nil
}

func (f *liteFloor) prepare(ctx context.Context, it item) (begin, commit *sql.Stmt, inserts []*sql.Stmt, err error) {
	if begin, err = f.writer.PrepareContext(ctx, "BEGIN IMMEDIATE"); err != nil {
		return nil, nil, nil, err
	}
	if commit, err = f.writer.PrepareContext(ctx, "COMMIT"); err != nil {
		return nil, nil, nil, err
	}
	for _, t := range it.tables {
		marks := "(" + strings.TrimSuffix(strings.Repeat("?, ", len(t.columns)), ", ") + "), "
		insert := "INSERT"
		if t.rows > 1 {
			insert = "INSERT OR FAIL" // else SQLite would keep what it takes to undo the one statement
		}
		s, err := f.writer.PrepareContext(ctx, fmt.Sprintf("%s INTO %s (%s) VALUES %s", insert, t.name, t.list(), strings.TrimSuffix(strings.Repeat(marks, t.rows), ", ")))
		if err != nil {
			return nil, nil, nil, err
		}
		inserts = append(inserts, s)
	}
	return begin, commit, inserts, nil
}

func (f *liteFloor) count(ctx context.Context, table string) (n int, err error) {
	err = f.db.QueryRowContext(ctx, "SELECT count(*) FROM "+table).Scan(&n)
	return n, err
}

// look reads a row by its primary key so many times and returns how long one takes.
func (f *liteFloor) look(ctx context.Context, n int) (time.Duration, error) {
	s, err := f.writer.PrepareContext(ctx, "SELECT credential_id FROM credential_names WHERE name_hash = ?")
	if err != nil {
		return 0, err
	}
	defer s.Close()
	keys, err := f.writer.QueryContext(ctx, "SELECT name_hash FROM credential_names LIMIT 1000")
	if err != nil {
		return 0, err
	}
	return timeLooks(n, keys, func(key []byte) (err error) {
		var id []byte
		return s.QueryRowContext(context.Background(), key).Scan(&id)
	})
}

// asker prepares a question on a connection of its own; what it returns asks it.
func (f *liteFloor) asker(ctx context.Context, _ int, query string) (ask asker, done func() error, err error) {
	c, err := f.db.Conn(ctx)
	if err != nil {
		return nil, nil, err
	}
	s, err := c.PrepareContext(ctx, strings.ReplaceAll(query, "$", "?"))
	if err != nil {
		return nil, nil, errors.Join(err, c.Close())
	}
	ctx = context.WithoutCancel(ctx) // or a goroutine would watch each question
	ask = func(args []any, row func([]byte)) error {
		for i, a := range args {
			if u, ok := a.(uuid); ok {
				args[i] = u[:]
			}
		}
		rows, err := s.QueryContext(ctx, args...)
		if err != nil {
			return err
		}
		var body sql.RawBytes
		for rows.Next() && err == nil {
			err = rows.Scan(&body)
			row(body)
		}
		return errors.Join(err, rows.Err(), rows.Close())
	}
	return ask, func() error { return errors.Join(s.Close(), c.Close()) }, nil
}
