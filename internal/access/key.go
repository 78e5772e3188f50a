package access

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"hash"
	"os"
	"path/filepath"
	"sync"

	"rollway/internal/db"
	"rollway/internal/fault"
)

// Key is the secret that all stored secrets are hashed under. It lives in a file outside the database, so that a copy of
// the database alone opens nothing.
type Key struct{ macs *sync.Pool }

const keySize = 32

// NewKey returns a random key that is kept nowhere.
func NewKey() Key { return keyOf(newSecret()) }

func newSecret() []byte {
	secret := make([]byte, keySize)
	rand.Read(secret)
	return secret
}

// keyOf keeps MACs that have taken in the secret already, since one is needed for every name and every secret.
func keyOf(secret []byte) Key {
	return Key{&sync.Pool{New: func() any { return hmac.New(sha256.New, secret) }}}
}

// Hash is HMAC-SHA-256 over the parts for one purpose. What is hashed for one purpose never equals what is hashed for
// another, nor do parts that are divided differently.
func (k Key) Hash(purpose string, parts ...string) []byte {
	m := k.macs.Get().(hash.Hash)
	defer k.macs.Put(m)
	m.Reset()
	buf := make([]byte, 0, 512)
	buf = binary.AppendUvarint(buf, uint64(len(purpose)))
	buf = append(buf, purpose...)
	for _, p := range parts {
		buf = binary.AppendUvarint(buf, uint64(len(p)))
		buf = append(buf, p...)
	}
	m.Write(buf)
	return m.Sum(nil)
}

// OpenKey reads the key of a database from a file (one line, base64url of 32 bytes). For a database that has none yet it
// makes the file, mode 0600, on the disk before it is used, never over another; the database keeps a check value.
//
// Faults: Unavailable when the file is missing, damaged or not the one the database's secrets were hashed under.
func OpenKey(ctx context.Context, d *db.DB, path string) (Key, error) {
	check, err := storedCheck(ctx, d)
	if err != nil {
		return Key{}, err
	}
	k, err := readKey(path)
	if errors.Is(err, os.ErrNotExist) {
		if check != nil {
			return Key{}, fault.New(fault.Unavailable, "key_missing", "The key file %s is missing, and without it no stored secret can be checked. Copy it back from the machine or the backup it belongs to.", path)
		}
		if k, err = makeKey(path); err != nil {
			return Key{}, fmt.Errorf("make key file: %w", err)
		}
	}
	if err != nil {
		return Key{}, err
	}
	if check == nil {
		if check, err = k.claim(ctx, d); err != nil {
			return Key{}, err
		}
	}
	if !hmac.Equal(check, k.Hash("check")) {
		return Key{}, fault.New(fault.Unavailable, "key_differs", "The key file %s is not the one this database's secrets were hashed under. Put the right one there: from the backup of the same day, or from the other machine that serves this database.", path)
	}
	return k, nil
}

func storedCheck(ctx context.Context, d *db.DB) (check []byte, err error) {
	err = d.Read(ctx, func(tx *db.Tx) error { return readCheck(ctx, tx, &check) })
	return check, err
}

func readCheck(ctx context.Context, tx *db.Tx, check *[]byte) error {
	return tx.Each(ctx, "SELECT check_value FROM secret_keys WHERE id = 1", nil, func(r *db.Rows) error { return r.Scan(check) })
}

// claim makes the key the database's, unless another process was first; it returns the check value that stands.
func (k Key) claim(ctx context.Context, d *db.DB) (check []byte, err error) {
	err = d.Write(ctx, func(tx *db.Tx) error {
		if err := tx.Defer(ctx, "INSERT INTO secret_keys (id, check_value, created) VALUES (1, ?, ?) ON CONFLICT DO NOTHING", k.Hash("check"), tx.Now()); err != nil {
			return err
		}
		return readCheck(ctx, tx, &check)
	})
	return check, err
}

func readKey(path string) (Key, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return Key{}, err
	}
	raw, err := base64.RawURLEncoding.Strict().AppendDecode(nil, bytes.TrimSpace(text))
	if err != nil || len(raw) != keySize {
		return Key{}, fault.New(fault.Unavailable, "key_damaged", "The key file %s is damaged: it should hold one line of 43 characters. Copy it back from a backup.", path)
	}
	return keyOf(raw), nil
}

// makeKey writes a new key under another name and links it to its own once it is on the disk, so that a file of that name
// is always whole and is never replaced. When another process was first, its key is returned.
func makeKey(path string) (Key, error) {
	dir := filepath.Dir(path)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return Key{}, err
	}
	if err := writeKey(dir, path); err != nil {
		return Key{}, err
	}
	for _, d := range []string{dir, filepath.Dir(dir)} {
		if err := syncDir(d); err != nil {
			return Key{}, err
		}
	}
	return readKey(path)
}

func writeKey(dir, path string) (err error) {
	f, err := os.CreateTemp(dir, "new-*") // mode 0600
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.Remove(f.Name())) }()
	_, err = f.WriteString(base64.RawURLEncoding.EncodeToString(newSecret()) + "\n")
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return err
	}
	if err = os.Link(f.Name(), path); errors.Is(err, os.ErrExist) {
		return nil
	}
	return err
}

func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
