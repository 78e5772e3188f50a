package db

import (
	"context"
	"errors"
	"net"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"rollway/internal/fault"
)

// ErrUnique is in the chain of an error that a unique index caused.
var ErrUnique = errors.New("db: unique index violated")

// errRetry is in the chain of an error after which the transaction is run again.
var errRetry = errors.New("db: transaction must run again")

// kinded keeps the driver's error and adds what it means.
type kinded struct {
	means error
	err   error
}

func (k *kinded) Error() string   { return k.err.Error() }
func (k *kinded) Unwrap() []error { return []error{k.means, k.err} }

func unavailable(err error) error {
	return &kinded{fault.New(fault.Unavailable, "unavailable", "The database cannot be reached or written to at the moment. Try again in a few seconds."), err}
}

// mapError gives a driver's error its meaning, the same on both engines.
func mapError(err error) error {
	if err == nil {
		return nil
	}
	var known *kinded
	if errors.As(err, &known) {
		return err
	}
	if errors.Is(err, pgx.ErrNoRows) {
		return ErrNoRows
	}
	var pg *pgconn.PgError
	if errors.As(err, &pg) {
		return mapPostgres(err, pg.Code)
	}
	var lite *sqlite.Error
	if errors.As(err, &lite) {
		return mapLite(err, lite.Code())
	}
	var refused *pgconn.ConnectError
	var network net.Error
	if errors.As(err, &refused) || (errors.As(err, &network) && !errors.Is(err, context.DeadlineExceeded)) {
		return unavailable(err)
	}
	return err
}

func mapPostgres(err error, code string) error {
	switch code {
	case "23505":
		return &kinded{ErrUnique, err}
	case "40001", "40P01": // serialization failure, deadlock
		return &kinded{errRetry, err}
	case "53100", "53200", "53300", "57P01", "57P02", "57P03", "25006", // disk full, out of memory, too many connections, shutting down, read-only
		"55P03", "57014", "25P03": // lock_timeout, statement_timeout, idle_in_transaction_session_timeout
		return unavailable(err)
	}
	return err
}

func mapLite(err error, code int) error {
	switch code {
	case sqlite3.SQLITE_CONSTRAINT_UNIQUE, sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY, sqlite3.SQLITE_CONSTRAINT_ROWID:
		return &kinded{ErrUnique, err}
	}
	switch code & 0xff {
	case sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_READONLY:
		return unavailable(err)
	}
	return err
}
