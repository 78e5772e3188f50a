// Package dbtest hands each test a fresh, migrated database on every engine.
//
// PostgreSQL is the server at ROLLWAY_TEST_POSTGRES (a superuser's URL), or a cluster started for the test process when
// that is unset. Databases are copied from a template that is migrated once.
package dbtest

import (
	"context"
	"crypto/sha256"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/jackc/pgx/v5"

	"rollway/internal/db"
	"rollway/internal/db/dbtest/pgcluster"
	"rollway/internal/db/schema"
)

// Engines are all engines.
var Engines = []db.Engine{db.SQLite, db.PostgreSQL}

// EachEngine runs fn on every engine, in parallel.
func EachEngine(t *testing.T, fn func(t *testing.T, e db.Engine)) {
	t.Helper()
	for _, e := range Engines {
		t.Run(e.String(), func(t *testing.T) {
			t.Parallel()
			fn(t, e)
		})
	}
}

// Each runs fn on every engine, in parallel, with a database of its own.
func Each(t *testing.T, fn func(t *testing.T, d *db.DB)) {
	t.Helper()
	EachEngine(t, func(t *testing.T, e db.Engine) { fn(t, Open(t, e)) })
}

// Open returns a migrated database that is closed and removed with the test.
func Open(t testing.TB, e db.Engine) *db.DB {
	t.Helper()
	return Connect(t, db.Options{URL: URL(t, e), Conns: 8})
}

// Connect opens a database, which may be open elsewhere as if by another process, and migrates it. It is closed with the test.
func Connect(t testing.TB, o db.Options) *db.DB {
	t.Helper()
	d, err := db.Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := d.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	if _, err := d.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	return d
}

// URL returns the address of a fresh database, migrated on PostgreSQL and empty on SQLite.
func URL(t testing.TB, e db.Engine) string {
	t.Helper()
	if e == db.SQLite {
		return filepath.Join(t.TempDir(), "rollway.db")
	}
	base, err := server()
	if err != nil {
		t.Fatal(err)
	}
	name := fmt.Sprintf("rollway_%d_%d", os.Getpid(), counter.Add(1))
	if err := create(context.Background(), base, name); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := admin(context.Background(), base, "DROP DATABASE "+name+" WITH (FORCE)"); err != nil {
			t.Errorf("drop database: %v", err)
		}
	})
	return named(base, name)
}

// With returns the address with a setting of PostgreSQL that those who connect by it get; that of SQLite is left as it is.
func With(t testing.TB, address, setting, value string) string {
	t.Helper()
	if db.EngineOf(address) == db.SQLite {
		return address
	}
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	q := u.Query()
	q.Set(setting, value)
	u.RawQuery = strings.ReplaceAll(q.Encode(), "+", "%20") // pgx takes a plus for one
	return u.String()
}

var counter atomic.Int64

// server returns the address of the server's maintenance database.
var server = sync.OnceValues(func() (string, error) {
	if u := os.Getenv("ROLLWAY_TEST_POSTGRES"); u != "" {
		return u, nil
	}
	var err error
	if cluster, err = pgcluster.Start(); err != nil {
		return "", err
	}
	return cluster.URL(), nil
})

// cluster is this process's own server, if it has one. It ends with the process, and must stay reachable until then.
var cluster *pgcluster.Cluster

func named(base, name string) string {
	u, err := url.Parse(base)
	if err != nil {
		panic(err)
	}
	u.Path = "/" + name
	return u.String()
}

func admin(ctx context.Context, base, sql string) error {
	c, err := pgx.Connect(ctx, base)
	if err != nil {
		return err
	}
	defer c.Close(ctx)
	_, err = c.Exec(ctx, sql)
	return err
}

func create(ctx context.Context, base, name string) error {
	template, err := template(ctx, base)
	if err != nil {
		return err
	}
	return admin(ctx, base, "CREATE DATABASE "+name+" TEMPLATE "+template)
}

var made sync.Map // server → func() (string, error)

// template makes the migrated database the others are copied from, once per schema and server; processes of one test run
// that arrive together wait for the first.
func template(ctx context.Context, base string) (string, error) {
	once, _ := made.LoadOrStore(base, sync.OnceValues(func() (string, error) { return makeTemplate(ctx, base) }))
	return once.(func() (string, error))()
}

func makeTemplate(ctx context.Context, base string) (string, error) {
	h := sha256.New()
	for _, s := range schema.Steps() {
		h.Write(s.Checksum[:])
	}
	name := fmt.Sprintf("rollway_template_%x", h.Sum(nil)[:6])
	c, err := pgx.Connect(ctx, base)
	if err != nil {
		return "", err
	}
	defer c.Close(ctx)
	if _, err := c.Exec(ctx, "SELECT pg_advisory_lock(7077)"); err != nil {
		return "", err
	}
	var n int
	if err := c.QueryRow(ctx, "SELECT count(*) FROM pg_database WHERE datname = $1", name).Scan(&n); err != nil || n == 1 {
		return name, err
	}
	draft := strings.Replace(name, "template", "draft", 1)
	if _, err := c.Exec(ctx, "DROP DATABASE IF EXISTS "+draft+" WITH (FORCE)"); err != nil {
		return "", err
	}
	if _, err := c.Exec(ctx, "CREATE DATABASE "+draft); err != nil {
		return "", err
	}
	d, err := db.Open(ctx, db.Options{URL: named(base, draft), Conns: 2})
	if err != nil {
		return "", err
	}
	_, err = d.Migrate(ctx)
	if closed := d.Close(); err == nil {
		err = closed
	}
	if err != nil {
		return "", err
	}
	_, err = c.Exec(ctx, "ALTER DATABASE "+draft+" RENAME TO "+name)
	return name, err
}
