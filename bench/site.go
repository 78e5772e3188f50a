package main

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"github.com/jackc/pgx/v5"

	"rollway/internal/db"
)

// open makes the databases of the product and of the floors, both with the product's schema, and returns what removes them.
func (s *site) open(ctx context.Context) (remove func() error, err error) {
	if err := os.MkdirAll(s.dir, 0o700); err != nil {
		return nil, err
	}
	if s.engine == "sqlite" {
		return s.openLite(ctx)
	}
	return s.openPostgres(ctx)
}

func (s *site) openLite(ctx context.Context) (func() error, error) {
	file := filepath.Join(s.dir, "floor.db")
	if err := migrate(ctx, file); err != nil {
		return nil, err
	}
	s.floorDB = file
	f, err := openLiteFloor(ctx, file)
	if err != nil {
		return nil, err
	}
	file = filepath.Join(s.dir, "rollway.db") // the product's default
	if err := migrate(ctx, file); err != nil {
		return nil, errors.Join(err, f.close())
	}
	rows, err := openLiteFloor(ctx, file)
	if err != nil {
		return nil, errors.Join(err, f.close())
	}
	s.floor, s.rows = f, rows
	return func() error { return errors.Join(f.close(), rows.close()) }, nil
}

func (s *site) openPostgres(ctx context.Context) (func() error, error) {
	s.database = fmt.Sprintf("rollway_bench_%d", os.Getpid())
	names := []string{s.database, s.database + "_floor"}
	remove := func() error {
		var errs []error
		for _, f := range []floor{s.floor, s.rows} {
			if f != nil {
				errs = append(errs, f.close())
			}
		}
		for _, name := range names {
			errs = append(errs, admin(context.WithoutCancel(ctx), s.postgres, "DROP DATABASE IF EXISTS "+name+" WITH (FORCE)"))
		}
		return errors.Join(errs...)
	}
	for i, name := range names {
		if err := admin(ctx, s.postgres, "CREATE DATABASE "+name); err != nil {
			return nil, errors.Join(err, remove())
		}
		u, err := url.Parse(s.postgres)
		if err != nil {
			return nil, errors.Join(err, remove())
		}
		u.Path = "/" + name
		if err := migrate(ctx, u.String()); err != nil {
			return nil, errors.Join(err, remove())
		}
		f, err := openPgFloor(ctx, u.String())
		if err != nil {
			return nil, errors.Join(err, remove())
		}
		if i == 0 {
			s.db, s.rows = u.String(), f
		} else {
			s.floor, s.floorDB = f, u.String()
		}
	}
	return remove, s.durable(ctx)
}

// durable refuses a server that would acknowledge what a power cut takes back: nothing measured there would count.
func (s *site) durable(ctx context.Context) error {
	for _, setting := range []string{"fsync", "synchronous_commit", "full_page_writes"} {
		var value string
		if err := s.floor.(*pgFloor).conns[0].QueryRow(ctx, "SELECT current_setting($1)", setting).Scan(&value); err != nil {
			return err
		}
		if value != "on" {
			return fmt.Errorf("PostgreSQL runs with %s=%s: what is measured must be durable", setting, value)
		}
	}
	return nil
}

func admin(ctx context.Context, server, sql string) error {
	c, err := pgx.Connect(ctx, server)
	if err != nil {
		return err
	}
	_, err = c.Exec(ctx, sql)
	return errors.Join(err, c.Close(ctx))
}

// migrate gives a database the product's schema, and the tables that only the floor has.
func migrate(ctx context.Context, address string) error {
	d, err := db.Open(ctx, db.Options{URL: address, Conns: 2})
	if err != nil {
		return err
	}
	if _, err = d.Migrate(ctx); err == nil {
		err = d.Write(ctx, func(tx *db.Tx) error {
			for _, text := range floorStatements {
				if d.Engine() == db.SQLite { // there only this is the number of the row itself
					text = strings.Replace(text, "pos bigint PRIMARY KEY", "pos INTEGER PRIMARY KEY", 1)
				} else {
					text = strings.TrimSuffix(text, " WITHOUT ROWID")
				}
				if err := tx.Defer(ctx, text); err != nil {
					return err
				}
			}
			return nil
		})
	}
	return errors.Join(err, d.Close())
}
