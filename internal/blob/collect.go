package blob

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"time"
)

// Renew says anew, as Put does, that a row is about to name the blob. The error is fs.ErrNotExist if it is not there.
func (s *Store) Renew(sum [32]byte) error {
	unlock, err := s.lock(sum[0], syscall.LOCK_SH)
	if err != nil {
		return err
	}
	return errors.Join(s.touch(sum), unlock())
}

// Drop removes a blob that nothing is going to name after all, if it was this Put that made it and nobody has put or renewed
// it since.
func (s *Store) Drop(ref Ref) (err error) {
	if ref.made.IsZero() {
		return nil
	}
	unlock, err := s.lock(ref.SHA256[0], syscall.LOCK_EX)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, unlock()) }()
	info, err := os.Stat(s.path(ref.SHA256))
	if err == nil && info.ModTime().Equal(ref.made) { // never so where the file system keeps no nanoseconds
		err = os.Remove(s.path(ref.SHA256))
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("drop a blob: %w", err)
	}
	return nil
}

func (s *Store) touch(sum [32]byte) error {
	now := time.Now()
	if err := os.Chtimes(s.path(sum), now, now); err != nil {
		return fmt.Errorf("renew a blob: %w", err)
	}
	return nil
}

// lock locks the directory of the blobs whose name begins with a byte.
func (s *Store) lock(first byte, how int) (unlock func() error, err error) {
	d, err := os.Open(filepath.Join(s.dir, hex.EncodeToString([]byte{first})))
	if err != nil {
		return nil, fmt.Errorf("lock a blob directory: %w", err)
	}
	for err = syscall.EINTR; errors.Is(err, syscall.EINTR); {
		err = syscall.Flock(int(d.Fd()), how)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("lock a blob directory: %w", err), d.Close())
	}
	return d.Close, nil // which unlocks
}

// Collect removes the blobs last put or renewed before the time given that nothing names, and stale temporary files. named
// is asked for the names that are in use, of all that begin with a byte, and calls add with each. Whoever commits a row must
// have put or renewed what it names no longer before than that time is ago. It returns how many blobs were removed.
func (s *Store) Collect(ctx context.Context, before time.Time, named func(ctx context.Context, first byte, add func(sum [32]byte)) error) (removed int, err error) {
	if err := s.sweep(time.Now().Add(-StaleAfter)); err != nil {
		return 0, fmt.Errorf("sweep temporary blobs: %w", err)
	}
	for first := range 256 {
		old, err := s.old(byte(first), before)
		if err != nil {
			return removed, err
		}
		if len(old) == 0 {
			continue
		}
		// Asked after the files were listed, and what was put since is left alone below.
		if err := named(ctx, byte(first), func(sum [32]byte) { delete(old, sum) }); err != nil {
			return removed, err
		}
		n, err := s.remove(byte(first), old, before)
		if removed += n; err != nil {
			return removed, err
		}
	}
	return removed, nil
}

// old lists the blobs put before the time given.
func (s *Store) old(first byte, before time.Time) (map[[32]byte]bool, error) {
	prefix := hex.EncodeToString([]byte{first})
	entries, err := os.ReadDir(filepath.Join(s.dir, prefix))
	if err != nil {
		return nil, fmt.Errorf("list blobs: %w", err)
	}
	old := map[[32]byte]bool{}
	for _, e := range entries {
		name, err := hex.DecodeString(prefix + e.Name())
		if err != nil || len(name) != 32 {
			continue // not ours
		}
		info, err := e.Info()
		switch {
		case errors.Is(err, fs.ErrNotExist):
		case err != nil:
			return nil, fmt.Errorf("list blobs: %w", err)
		case info.ModTime().Before(before):
			old[[32]byte(name)] = true
		}
	}
	return old, nil
}

// remove removes blobs unless they were put meanwhile.
func (s *Store) remove(first byte, sums map[[32]byte]bool, before time.Time) (removed int, err error) {
	if len(sums) == 0 {
		return 0, nil
	}
	unlock, err := s.lock(first, syscall.LOCK_EX)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, unlock()) }()
	for sum := range sums {
		info, err := os.Stat(s.path(sum))
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err == nil && info.ModTime().Before(before) {
			if err = os.Remove(s.path(sum)); err == nil {
				removed++
			}
		}
		if err != nil {
			return removed, fmt.Errorf("remove a blob: %w", err)
		}
	}
	return removed, nil
}
