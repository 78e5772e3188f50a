// Package db is the one door to the database: SQLite inside the process, or PostgreSQL. Rooms hand it SQL written once,
// with ? for each argument, and it runs on either engine. See DESIGN.md for how writes are grouped and made durable.
//
// A transaction function may run more than once, so it does nothing outside the database; what must happen after the commit
// is handed to [Tx.AfterCommit].
//
// Values: a zero identifier and a zero time.Time are NULL; a time is stored as integer microseconds since 1970, UTC.
package db
