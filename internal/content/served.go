package content

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"strings"

	"rollway/internal/db"
	"rollway/internal/fault"
	"rollway/internal/id"
)

// Served is a file of a package, open for reading. Its bytes never change.
type Served struct {
	Body      *os.File // to be closed by who asked
	SHA256    [32]byte
	Size      int64
	MediaType string
	Download  bool // not to be shown by a browser
}

type fileKey struct {
	org  id.OrgID
	pkg  id.PackageID
	path string
}

type fileRow struct {
	sum  [32]byte
	size int64
}

// File opens a file of a package by its path, percent-decoded, with or without Unicode normalization; nothing else about it
// is bent to fit. The path is a key into a table and never meets the file system. Faults: NotFound (no_such_file); an
// internal error if the bytes are missing or are not as many as they should be.
func (c *Catalogue) File(ctx context.Context, org id.OrgID, pkg id.PackageID, path string) (Served, error) {
	path, err := NormalPath(path)
	if err != nil {
		return Served{}, errNoSuchFile
	}
	row, err := c.fileRow(ctx, fileKey{org, pkg, path})
	if err != nil {
		return Served{}, err
	}
	body, size, err := c.blobs.Open(row.sum)
	if err != nil {
		return Served{}, fmt.Errorf("the file %q of package %v: %w", path, pkg, err)
	}
	if size != row.size {
		return Served{}, errors.Join(fmt.Errorf("the file %q of package %v has %d bytes instead of %d", path, pkg, size, row.size), body.Close())
	}
	s := Served{Body: body, SHA256: row.sum, Size: size}
	s.MediaType, s.Download = MediaType(path)
	return s, nil
}

// Ready returns an error unless the file with which a content from a package begins can be read; of a link nothing is known.
// Fault: Unavailable (content_unreadable).
func (c *Catalogue) Ready(ctx context.Context, org id.OrgID, item Content) error {
	if item.Kind == Link {
		return nil
	}
	path, err := url.PathUnescape(item.Launch[:endOfPath(item.Launch)])
	if err != nil {
		return err
	}
	f, err := c.File(ctx, org, item.Package, path)
	if err != nil {
		return fault.New(fault.Unavailable, "content_unreadable", "The files of this course cannot be read at the moment.").Because(err)
	}
	return f.Body.Close()
}

func endOfPath(address string) int {
	if i := strings.IndexAny(address, "?#"); i >= 0 {
		return i
	}
	return len(address)
}

// fileRow finds the row of a file. Rows are never changed, so that those in memory stay true.
func (c *Catalogue) fileRow(ctx context.Context, key fileKey) (fileRow, error) {
	row, ok := c.rows.get(key)
	if ok {
		return row, nil
	}
	err := c.db.Read(ctx, func(tx *db.Tx) (err error) {
		row, err = readFileRow(ctx, tx, key)
		return err
	})
	if errors.Is(err, db.ErrNoRows) {
		return row, errNoSuchFile
	}
	if err != nil {
		return row, err
	}
	c.rows.put(c.rows.round(), key, row)
	return row, nil
}

var errNoSuchFile = fault.New(fault.NotFound, "no_such_file", "There is no such file in this package.")
