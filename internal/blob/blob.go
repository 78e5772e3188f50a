// Package blob keeps files by their SHA-256 in a directory: DIR/ab/cdef… for content that hashes to abcdef…. Files never
// change once they are there, and no name of a file ever comes from outside.
//
// # Order of writes
//
// A blob becomes visible whole or not at all, and Put returns only when it would survive a power cut:
//
//  1. the bytes go to a new file in DIR/tmp and are hashed on the way;
//  2. fsync of that file;
//  3. rename to its place, which replaces atomically;
//  4. fsync of the directory it now stands in.
//
// The 256 directories are made, and DIR is synced, when the store is opened. The caller then commits the row that names the
// blob. A process killed before 3 leaves a file in DIR/tmp, which a later Open sweeps; killed between 3 and that commit, it
// leaves a blob no row names, which Collect removes. A row never names a blob that is not there.
//
// # Order of removal
//
// A file's time says when somebody last put it, and Collect leaves alone what was put after the time that it is given: the
// commit of a row that names it may be under way. Looking whether a blob is there already, Renew, placing and removing lock the
// directory that the blob stands in (flock: shared, shared, alone, alone), so that a blob is not removed between the moment it
// is found to be old and the one in which it is found to be there already, and only one of two that put the same makes it. Drop
// removes what a Put made, at once, when nothing is going to name it after all: only if the file still has the very time that
// this Put gave it, so nobody else has put it since.
package blob

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"time"
)

// ErrDamaged says that a stored blob's bytes are not the ones its name promises.
var ErrDamaged = errors.New("the stored blob is damaged")

// ErrMismatch says that the bytes given to PutExpect are not the ones expected.
var ErrMismatch = errors.New("the content does not have the expected SHA-256")

// StaleAfter is the age, since its last write, at which a temporary file counts as left behind by a killed process. Other
// processes may be writing into the same directory, so younger files are left alone.
const StaleAfter = time.Hour

const tmpDir = "tmp"

// Ref names a blob.
type Ref struct {
	SHA256 [32]byte
	Size   int64 // bytes

	made time.Time // the file's time when this Put made it; zero when it was there
}

// Store is a directory of blobs. It holds no state, so several processes may use one directory.
type Store struct {
	dir string
}

// Open makes the directory and what belongs in it where they are missing, and sweeps temporary files older than StaleAfter.
func Open(dir string) (*Store, error) {
	if err := os.MkdirAll(filepath.Join(dir, tmpDir), 0o700); err != nil {
		return nil, fmt.Errorf("make the blob directory: %w", err)
	}
	for i := range 256 {
		err := os.Mkdir(filepath.Join(dir, hex.EncodeToString([]byte{byte(i)})), 0o700)
		if err != nil && !errors.Is(err, fs.ErrExist) {
			return nil, fmt.Errorf("make a blob directory: %w", err)
		}
	}
	s := &Store{dir: dir}
	if err := errors.Join(syncPath(dir), syncPath(filepath.Dir(filepath.Clean(dir)))); err != nil {
		return nil, err
	}
	if err := s.sweep(time.Now().Add(-StaleAfter)); err != nil {
		return nil, fmt.Errorf("sweep temporary blobs: %w", err)
	}
	return s, nil
}

// sweep removes temporary files last written before the time given.
func (s *Store) sweep(before time.Time) error {
	entries, err := os.ReadDir(filepath.Join(s.dir, tmpDir))
	if err != nil {
		return err
	}
	for _, e := range entries {
		info, err := e.Info()
		if errors.Is(err, fs.ErrNotExist) {
			continue // another process has just finished with it
		}
		if err != nil {
			return err
		}
		if !info.ModTime().Before(before) {
			continue
		}
		err = os.Remove(filepath.Join(s.dir, tmpDir, e.Name()))
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return nil
}

func (s *Store) path(sum [32]byte) string {
	name := hex.EncodeToString(sum[:])
	return filepath.Join(s.dir, name[:2], name[2:])
}

// Put stores all that r holds and returns its name. When it returns without an error the blob is durable. An equal blob that
// is already there is kept, unless it is damaged: then it is replaced. The caller bounds r. An error of r or the end of ctx
// comes back wrapped, and nothing is kept.
func (s *Store) Put(ctx context.Context, r io.Reader) (Ref, error) {
	return s.put(ctx, r, nil)
}

// PutExpect is Put for content whose hash was announced: other content is not kept and the error is ErrMismatch.
func (s *Store) PutExpect(ctx context.Context, r io.Reader, sum [32]byte) (Ref, error) {
	return s.put(ctx, r, &sum)
}

func (s *Store) put(ctx context.Context, r io.Reader, expect *[32]byte) (ref Ref, err error) {
	f, err := os.CreateTemp(filepath.Join(s.dir, tmpDir), "put-*")
	if err != nil {
		return Ref{}, fmt.Errorf("begin a blob: %w", err)
	}
	placed := false
	defer func() {
		if !placed {
			if e := errors.Join(f.Close(), os.Remove(f.Name())); e != nil {
				err = errors.Join(err, fmt.Errorf("drop a temporary blob: %w", e))
			}
		}
		if err != nil {
			ref = Ref{}
		}
	}()

	h := sha256.New()
	ref.Size, err = io.Copy(io.MultiWriter(h, f), reader{ctx, r})
	if err != nil {
		return ref, fmt.Errorf("write a blob: %w", err)
	}
	h.Sum(ref.SHA256[:0])
	if expect != nil && ref.SHA256 != *expect {
		return ref, ErrMismatch
	}

	there, err := s.locked(ref.SHA256, syscall.LOCK_SH, s.keep)
	if err != nil || there {
		return ref, err
	}
	now := time.Now()
	if err := os.Chtimes(f.Name(), now, now); err != nil {
		return ref, fmt.Errorf("date a blob: %w", err)
	}
	if err := f.Sync(); err != nil {
		return ref, fmt.Errorf("sync a blob: %w", err)
	}
	there, err = s.locked(ref.SHA256, syscall.LOCK_EX, func(sum [32]byte) (bool, error) {
		if there, err := s.keep(sum); err != nil || there {
			return there, err
		}
		_, gone := os.Lstat(s.path(sum)) // if not, it is damaged, and rows may name it
		if err := os.Rename(f.Name(), s.path(sum)); err != nil {
			return false, fmt.Errorf("place a blob: %w", err)
		}
		if placed = true; gone != nil {
			ref.made = now
		}
		return false, nil
	})
	if err != nil || there {
		return ref, err
	}
	if err := f.Close(); err != nil {
		return ref, fmt.Errorf("close a blob: %w", err)
	}
	return ref, syncPath(filepath.Dir(s.path(ref.SHA256)))
}

// locked does something with a blob while its directory is locked.
func (s *Store) locked(sum [32]byte, how int, do func([32]byte) (bool, error)) (there bool, err error) {
	unlock, err := s.lock(sum[0], how)
	if err != nil {
		return false, err
	}
	there, err = do(sum)
	return there, errors.Join(err, unlock())
}

// keep reports whether the blob is there and sound, and makes it durable if so: whoever renamed it into place may not have
// synced the directory yet, or may have been killed before doing so.
func (s *Store) keep(sum [32]byte) (bool, error) {
	err := s.Verify(sum)
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, ErrDamaged) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	return true, errors.Join(s.touch(sum), syncPath(s.path(sum)), syncPath(filepath.Dir(s.path(sum))))
}

// Open returns a blob for reading and its size in bytes; the caller closes it. A blob that is not there gives an error that
// is fs.ErrNotExist. The file also serves ranges and io.ReaderAt.
func (s *Store) Open(sum [32]byte) (*os.File, int64, error) {
	f, err := os.Open(s.path(sum))
	if err != nil {
		return nil, 0, fmt.Errorf("open a blob: %w", err)
	}
	info, err := f.Stat()
	if err != nil {
		return nil, 0, errors.Join(fmt.Errorf("open a blob: %w", err), f.Close())
	}
	return f, info.Size(), nil
}

// Verify reads a blob and checks it against its name. The error is ErrDamaged if the bytes have another hash, and
// fs.ErrNotExist if there is no such blob.
func (s *Store) Verify(sum [32]byte) error {
	f, _, err := s.Open(sum)
	if err != nil {
		return err
	}
	h := sha256.New()
	_, err = io.Copy(h, f)
	if err := errors.Join(err, f.Close()); err != nil {
		return fmt.Errorf("read a blob: %w", err)
	}
	if !bytes.Equal(h.Sum(nil), sum[:]) {
		return fmt.Errorf("%w: %x", ErrDamaged, sum)
	}
	return nil
}

// syncPath syncs a file or directory by opening it afresh; fsync writes what the file holds, whoever wrote it.
func syncPath(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("sync: %w", err)
	}
	if err := errors.Join(f.Sync(), f.Close()); err != nil {
		return fmt.Errorf("sync: %w", err)
	}
	return nil
}

// reader stops a copy when its context ends. It hides every other method of the reader, so that io.Copy asks before each read.
type reader struct {
	ctx context.Context
	r   io.Reader
}

func (r reader) Read(p []byte) (int, error) {
	if err := r.ctx.Err(); err != nil {
		return 0, err
	}
	return r.r.Read(p)
}
