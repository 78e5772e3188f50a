package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"
)

// pgFloor writes rows with pgx and nothing around it: one INSERT … SELECT FROM unnest for each table, all of a transaction
// in one pipelined round trip, on several connections at once.
type pgFloor struct{ conns []*pgx.Conn }

const pgFloorConns = 4

func openPgFloor(ctx context.Context, url string) (*pgFloor, error) {
	f := &pgFloor{}
	for range pgFloorConns {
		c, err := pgx.Connect(ctx, url)
		if err != nil {
			return nil, errors.Join(err, f.close())
		}
		f.conns = append(f.conns, c)
	}
	return f, nil
}

func (f *pgFloor) close() error {
	var errs []error
	for _, c := range f.conns {
		errs = append(errs, c.Close(context.Background()))
	}
	return errors.Join(errs...)
}

// run writes items, so many in each transaction, as long as there are more to write, and returns how many a second.
func (f *pgFloor) run(ctx context.Context, it item, each int, more func() bool) (float64, error) {
	inserts := make([]string, len(it.tables))
	for i, t := range it.tables {
		arrays := make([]string, len(t.columns))
		for n, c := range t.columns {
			arrays[n] = fmt.Sprintf("$%d::%s[]", n+1, c.kind)
		}
		inserts[i] = fmt.Sprintf("INSERT INTO %s (%s) SELECT * FROM unnest(%s)", t.name, t.list(), strings.Join(arrays, ", "))
	}
	var work sync.WaitGroup
	conns := f.conns
	if each == 1 {
		conns = conns[:1]
	}
	counts, errs := make([]int, len(conns)), make([]error, len(conns))
	start := time.Now()
	for i, c := range conns {
		m := newMaker(i, len(conns))
		work.Go(func() {
			for errs[i] == nil && more() {
				errs[i] = writeBatch(ctx, c, it, inserts, m, each)
				counts[i] += each
			}
		})
	}
	work.Wait()
	took := time.Since(start)
	n := 0
	for _, c := range counts {
		n += c
	}
	if err := errors.Join(errs...); err != nil {
		return 0, fmt.Errorf("floor of %s: %w", it.name, err)
	}
	return float64(n) / took.Seconds(), nil
}

// writeBatch stores items in one implicit transaction: a pipeline without BEGIN commits as a whole.
func writeBatch(ctx context.Context, c *pgx.Conn, it item, inserts []string, m *maker, each int) error {
	arrays := make([][]array, len(it.tables))
	for i, t := range it.tables {
		for _, c := range t.columns {
			arrays[i] = append(arrays[i], newArray(c.kind, each*t.rows))
		}
	}
	for range each {
		it.fill(m, func(t int, values ...any) {
			for i, v := range values {
				arrays[t][i].add(v)
			}
		})
	}
	b := &pgx.Batch{}
	for i, insert := range inserts {
		args := make([]any, len(arrays[i]))
		for n, a := range arrays[i] {
			args[n] = a.value()
		}
		b.Queue(insert, args...)
	}
	return c.SendBatch(ctx, b).Close()
}

func (f *pgFloor) count(ctx context.Context, table string) (n int, err error) {
	err = f.conns[0].QueryRow(ctx, "SELECT count(*) FROM "+table).Scan(&n)
	return n, err
}

// look reads a row by its primary key so many times, one after the other, and returns how long one takes.
func (f *pgFloor) look(ctx context.Context, n int) (time.Duration, error) {
	keys, err := f.conns[0].Query(ctx, "SELECT name_hash FROM credential_names LIMIT 1000")
	if err != nil {
		return 0, err
	}
	return timeLooks(n, keys, func(key []byte) error {
		var id pgtype.UUID
		return f.conns[1].QueryRow(ctx, "SELECT credential_id FROM credential_names WHERE name_hash = $1", key).Scan(&id)
	})
}

// asker asks on one of the connections; pgx prepares the question when it is first asked.
func (f *pgFloor) asker(ctx context.Context, conn int, query string) (ask asker, done func() error, err error) {
	c := f.conns[conn%len(f.conns)]
	ask = func(args []any, row func([]byte)) error {
		for i, a := range args {
			if u, ok := a.(uuid); ok {
				args[i] = pgtype.UUID{Bytes: u, Valid: true}
			}
		}
		rows, err := c.Query(ctx, query, args...)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			row(rows.RawValues()[0])
		}
		return rows.Err()
	}
	return ask, func() error { return nil }, nil
}

// analyze does what autovacuum does a minute after tables have grown: plans made for empty tables are made anew.
func (f *pgFloor) analyze(ctx context.Context) error {
	_, err := f.conns[0].Exec(ctx, "ANALYZE")
	return err
}

// array is one column of several rows, on its way into unnest.
type array interface {
	add(v any)
	value() any
}

type typed[P any] struct {
	list []P
	wrap func(v any) P
}

func (t *typed[P]) add(v any) {
	var none P
	if v != nil {
		none = t.wrap(v)
	}
	t.list = append(t.list, none)
}

func (t *typed[P]) value() any { return t.list }

func newArray(kind string, size int) array {
	switch kind {
	case "uuid":
		return &typed[pgtype.UUID]{make([]pgtype.UUID, 0, size), func(v any) pgtype.UUID { return pgtype.UUID{Bytes: v.(uuid), Valid: true} }}
	case "bytea":
		return &typed[[]byte]{make([][]byte, 0, size), func(v any) []byte { return v.([]byte) }}
	case "bigint":
		return &typed[int64]{make([]int64, 0, size), func(v any) int64 { return v.(int64) }}
	case "boolean":
		return &typed[bool]{make([]bool, 0, size), func(v any) bool { return v.(bool) }}
	case "text":
		return &typed[string]{make([]string, 0, size), func(v any) string { return v.(string) }}
	}
	panic("bench: no such kind of column: " + kind)
}
