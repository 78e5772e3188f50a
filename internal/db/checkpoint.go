package db

import (
	"context"
	"time"
)

const (
	checkpointEvery = 100 * time.Millisecond
	walPages        = 2048 // 8 MB of 4 KB pages: above this the writer is paused so that the log can start over
)

// checkpoint copies the write-ahead log back into the database file, off the commit path. A PASSIVE checkpoint never
// blocks the writer but cannot shorten a log that is written all the time; above walPages the writer is held between two
// batches for one RESTART. An error is left for the next round: the log only grows meanwhile.
func (l *lite) checkpoint(c *liteConn) {
	tick := time.NewTicker(checkpointEvery)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			if l.passive(c) > walPages && l.passive(c) >= 0 {
				l.batch.Lock()
				l.wal(c, "PRAGMA wal_checkpoint(RESTART)")
				l.batch.Unlock()
			}
		case <-l.stop:
			if err := c.close(); err != nil {
				return // nothing was written on it
			}
			return
		}
	}
}

func (l *lite) passive(c *liteConn) int { return l.wal(c, "PRAGMA wal_checkpoint(PASSIVE)") }

// wal runs a checkpoint and returns the length of the log in pages, or -1.
func (l *lite) wal(c *liteConn, pragma string) int {
	var busy, pages, moved int
	if err := c.conn.QueryRowContext(context.Background(), pragma).Scan(&busy, &pages, &moved); err != nil {
		return -1
	}
	return pages
}
