package db_test

import (
	"context"
	"database/sql"
	"encoding/binary"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"rollway/internal/db"
	"rollway/internal/id"
)

// house is a database with a table, in a file.
func house(t *testing.T) (d *db.DB, path string) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "house.db")
	d, err := db.Open(t.Context(), db.Options{URL: path})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := d.Close(); err != nil {
			t.Error(err)
		}
	})
	table(t, d)
	return d, path
}

// A process that only reads leaves the log of another that writes alone: a checkpoint of its own would stop that one's writer.
func TestTheLogIsMovedByWhoWrites(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	d, path := house(t)
	moved(t, path)

	other, err := sql.Open("sqlite", "file:"+path+"?_pragma=wal_autocheckpoint(0)")
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	if _, err := other.ExecContext(ctx, "INSERT INTO things (id) VALUES (x'01')"); err != nil {
		t.Fatal(err)
	}
	count(t, d)
	time.Sleep(500 * time.Millisecond) // five rounds of the checkpointer
	if written, back := log(t, path); back == written {
		t.Errorf("all %d pages of another's log were moved", written)
	}

	err = d.Write(ctx, func(tx *db.Tx) error {
		_, err := tx.Exec(ctx, "INSERT INTO things (id) VALUES (?)", id.New[id.PersonID]())
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	moved(t, path)
}

// A log that is written without a pause starts over when it is long.
func TestTheLogStartsOver(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	d, path := house(t)
	var writers sync.WaitGroup
	writing, stop := context.WithCancel(ctx)
	for range 2 {
		writers.Go(func() {
			for raw := make([]byte, 64<<10); writing.Err() == nil; {
				err := d.Write(writing, func(tx *db.Tx) error {
					_, err := tx.Exec(writing, "INSERT INTO things (id, raw) VALUES (?, ?)", id.New[id.PersonID](), raw)
					return err
				})
				if err != nil && writing.Err() == nil {
					t.Error(err)
				}
			}
		})
	}
	var longest uint32
	for written := uint32(1); written >= longest && ctx.Err() == nil; time.Sleep(time.Millisecond) {
		longest = max(longest, written)
		written, _ = log(t, path)
	}
	stop()
	writers.Wait()
	if ctx.Err() != nil {
		t.Errorf("the log has %d pages and goes on", longest)
	}
}

// moved waits until all of the log is in the database file.
func moved(t *testing.T, path string) {
	t.Helper()
	for end := time.Now().Add(10 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		written, back := log(t, path)
		if back == written {
			return
		}
		if time.Now().After(end) {
			t.Fatalf("%d of %d pages of the log moved", back, written)
		}
	}
}

// log returns how many pages the log has, and how many of them a checkpoint has moved (https://sqlite.org/walformat.html, 2.1).
func log(t *testing.T, path string) (written, moved uint32) {
	t.Helper()
	index, err := os.ReadFile(path + "-shm")
	if err != nil || len(index) < 100 {
		t.Fatalf("%d bytes of index: %v", len(index), err)
	}
	return binary.NativeEndian.Uint32(index[16:]), binary.NativeEndian.Uint32(index[96:])
}
