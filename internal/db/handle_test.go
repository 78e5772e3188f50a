//go:build unix

package db_test

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"rollway/internal/db"
)

// Several that a process opens on one file are each safe from other processes until they are closed: closing one does not end
// the locks of the rest.
func TestLocksOutliveAnotherOfTheProcess(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	path := filepath.Join(t.TempDir(), "house.db")
	var open []*db.DB
	for range 3 {
		d, err := db.Open(ctx, db.Options{URL: path})
		if err != nil {
			t.Fatal(err)
		}
		open = append(open, d)
	}
	table(t, open[0])
	for i, want := range []string{"locked", "locked", "free"} {
		if err := open[i].Close(); err != nil {
			t.Fatal(err)
		}
		cmd := exec.CommandContext(ctx, os.Args[0])
		cmd.Env = append(os.Environ(), lookedAt+"="+path)
		out, err := cmd.CombinedOutput()
		if got := strings.TrimSpace(string(out)); err != nil || got != want {
			t.Errorf("with %d left another process finds the file %q (%v), want %q", len(open)-1-i, got, err, want)
		}
	}
}

// lookedAt names a file of which a process of the tests says whether another has locked it.
const lookedAt = "ROLLWAY_TEST_LOOKED_AT"

func TestMain(m *testing.M) {
	path := os.Getenv(lookedAt)
	if path == "" {
		os.Exit(m.Run())
	}
	state, err := lockOf(path)
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	fmt.Println(state)
}

// lockOf looks at the bytes by which connections share a database file (https://sqlite.org/fileformat.html, The Lock-Byte Page).
func lockOf(path string) (string, error) {
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return "", err
	}
	lock := syscall.Flock_t{Type: syscall.F_WRLCK, Start: 1<<30 + 2, Len: 510}
	err = errors.Join(syscall.FcntlFlock(f.Fd(), syscall.F_GETLK, &lock), f.Close())
	if lock.Type == syscall.F_UNLCK {
		return "free", err
	}
	return "locked", err
}
