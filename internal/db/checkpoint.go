package db

import (
	"context"
	"time"
)

const (
	checkpointEvery = 100 * time.Millisecond
	walPages        = 8192 // 32 MB of 4 KB pages: above this the writer is paused so that the log can start over
)

// checkpoint copies the write-ahead log back into the database file, off the commit path. A PASSIVE checkpoint never
// blocks the writer but cannot shorten a log that is written all the time; above walPages the writer is held between two
// batches for one RESTART. That holds our writer, not one of another process, which would have to try again and again
// meanwhile: so a process leaves the log alone as long as it writes nothing. An error is left for the next round: the log
// only grows meanwhile.
func (l *lite) checkpoint(c *liteConn) {
	tick := time.NewTicker(checkpointEvery)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			if l.unmoved.Swap(false) && !l.move(c) {
				l.unmoved.Store(true)
			}
		case <-l.stop:
			if err := c.close(); err != nil {
				return // nothing was written on it
			}
			return
		}
	}
}

// move brings the log into the database file and lets it start over when it is long. It tells whether all of it was moved.
//
// SQLite syncs the file only with a checkpoint during which nobody commits: under load that is the RESTART, for all that was
// copied since the last one, while the writer waits. So the file is synced here before.
func (l *lite) move(c *liteConn) (all bool) {
	pages, all := l.wal(c, "PASSIVE")
	if l.unmoved.Load() { // somebody has committed meanwhile
		if err := l.file.Sync(); err != nil {
			return false // SQLite comes to know of it as well, by its own handle
		}
	}
	if pages > walPages {
		l.wal(c, "PASSIVE") // what came meanwhile
		l.batch.Lock()
		_, all = l.wal(c, "RESTART")
		l.batch.Unlock()
	}
	return all
}

// wal runs a checkpoint and returns the length of the log in pages, and whether all of it is in the database file now.
func (l *lite) wal(c *liteConn, kind string) (pages int, all bool) {
	var busy, moved int
	if err := c.conn.QueryRowContext(context.Background(), "PRAGMA wal_checkpoint("+kind+")").Scan(&busy, &pages, &moved); err != nil {
		return 0, false
	}
	return pages, busy == 0 && moved == pages
}
