package app

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
)

// lockData keeps a second server from one data directory. The lock is the operating system's and ends with the process.
func lockData(dir string) (unlock func() error, err error) {
	f, err := os.OpenFile(filepath.Join(dir, "serve.lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		if errors.Is(err, syscall.EWOULDBLOCK) {
			err = fmt.Errorf("another rollway serves %s already; stop it, or use a PostgreSQL database for several servers", dir)
		}
		return nil, errors.Join(err, f.Close())
	}
	return f.Close, nil
}
