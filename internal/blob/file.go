package blob

import (
	"errors"
	"io"
	"os"
	"path/filepath"
)

// WriteFile makes a file that is no blob as blobs are made, whole or not at all: under another name beside it first, in mode
// 0600. It replaces a file of that name. When it returns without an error the file is durable.
func WriteFile(path string, write func(io.Writer) error) error {
	dir := filepath.Dir(path)
	f, err := os.CreateTemp(dir, ".writing-*")
	if err != nil {
		return err
	}
	err = write(f)
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		return errors.Join(err, os.Remove(f.Name()))
	}
	return syncPath(dir)
}
