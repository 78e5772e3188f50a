package lrs

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"

	"rollway/internal/access"
	"rollway/internal/blob"
	"rollway/internal/db"
)

// Attachment is the data of an attachment that came with a statement.
type Attachment struct {
	SHA2        string // as in the statement
	ContentType string // as in the statement
	Size        int64  // bytes

	sum   [32]byte
	store *Store
}

// WriteTo writes the data.
func (a Attachment) WriteTo(w io.Writer) (int64, error) {
	f, size, err := a.store.blobs.Open(a.sum)
	if err != nil {
		return 0, err
	}
	if size != a.Size {
		return 0, errors.Join(fmt.Errorf("%w: %x has %d bytes instead of %d", blob.ErrDamaged, a.sum, size, a.Size), f.Close())
	}
	n, err := io.Copy(w, f)
	return n, errors.Join(err, f.Close())
}

var findAttachments = db.NewLookup(`SELECT a.pos, a.sha2, a.content_type, a.sha256, a.size FROM @ n
	JOIN attachments a ON a.org_id = n.org_id AND a.pos = n.pos ORDER BY a.pos, a.sha2`,
	db.Column{Name: "org_id", Type: "bigint"}, db.Column{Name: "pos", Type: "bigint"})

// Attachments returns the data of the attachments of statements that Find, More or Get gave to this caller: what is kept of
// it, each sha2 once, in the order of the statements. Nobody can name a statement here that was not given to them.
func (s *Store) Attachments(ctx context.Context, c access.Caller, statements []Statement) ([]Attachment, error) {
	var asked [][]any
	for _, st := range statements {
		if mayAttach(st.JSON) {
			asked = append(asked, []any{int64(c.Org), st.pos})
		}
	}
	at := map[int64][]Attachment{}
	err := s.db.Read(ctx, func(tx *db.Tx) error {
		clear(at)
		err := findAttachments.Ask(ctx, tx, asked, func(r *db.Rows) error {
			a := Attachment{store: s}
			var pos int64
			var sum []byte
			err := r.Scan(&pos, &a.SHA2, &a.ContentType, &sum, &a.Size)
			if err == nil && copy(a.sum[:], sum) != len(a.sum) {
				err = fmt.Errorf("the hash of an attachment has %d bytes", len(sum))
			}
			at[pos] = append(at[pos], a)
			return err
		})
		if err != nil {
			return err
		}
		return tx.Flush(ctx)
	})
	if err != nil {
		return nil, err
	}
	var list []Attachment
	seen := map[string]bool{}
	for _, st := range statements {
		for _, a := range at[st.pos] {
			if !seen[a.SHA2] {
				seen[a.SHA2] = true
				list = append(list, a)
			}
		}
	}
	return list, nil
}

// mayAttach is false for most statements without attachments. A name may be escaped.
func mayAttach(text []byte) bool {
	return bytes.Contains(text, []byte(`"attachments"`)) || bytes.Contains(text, []byte(`\u`))
}

// NamedBlobs calls add with the hash of each blob that a statement names and that begins with a byte.
func (s *Store) NamedBlobs(ctx context.Context, first byte, add func(sum [32]byte)) error {
	return blob.Names(ctx, s.db, "attachments", first, add)
}
