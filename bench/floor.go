package main

import (
	"context"
	"sync/atomic"
	"time"
)

// floor writes rows with the raw driver and counts those of a table, asks what is asked of the product, and times looking a
// row up. One item in each transaction means one connection; otherwise there may be several.
type floor interface {
	run(ctx context.Context, it item, each int, more func() bool) (float64, error)
	asker(ctx context.Context, conn int, query string) (ask asker, done func() error, err error)
	count(ctx context.Context, table string) (int, error)
	look(ctx context.Context, n int) (time.Duration, error)
	close() error
}

// openFloor opens a database of the floor: a file or a URL.
func openFloor(ctx context.Context, engine, database string) (floor, error) {
	if engine == "sqlite" {
		return openLiteFloor(ctx, database)
	}
	return openPgFloor(ctx, database)
}

// asker asks a prepared question and hands over the row of each answer, which is valid until row returns.
type asker func(args []any, row func([]byte)) error

// during is true for a time from now.
func during(long time.Duration) func() bool {
	start := time.Now()
	return func() bool { return time.Since(start) < long }
}

// upTo is true so many times.
func upTo(times int) func() bool {
	var n atomic.Int64
	return func() bool { return n.Add(1) <= int64(times) }
}

// timeLooks reads the keys and looks them up in turn, so many times in all.
func timeLooks(n int, rows interface {
	Next() bool
	Scan(...any) error
	Err() error
}, look func([]byte) error) (time.Duration, error) {
	var keys [][]byte
	for rows.Next() {
		var key []byte
		if err := rows.Scan(&key); err != nil {
			return 0, err
		}
		keys = append(keys, key)
	}
	if err := rows.Err(); err != nil {
		return 0, err
	}
	if len(keys) == 0 {
		return 0, errNoCredentials
	}
	start := time.Now()
	for i := range n {
		if err := look(keys[i%len(keys)]); err != nil {
			return 0, err
		}
	}
	return time.Since(start) / time.Duration(n), nil
}
