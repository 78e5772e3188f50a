package app

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"rollway/internal/access"
	"rollway/internal/content/sample"
	"rollway/internal/db"
	"rollway/internal/db/dbtest"
	"rollway/internal/id"
	"rollway/internal/lrs"
	"rollway/xapi"
)

// Of files that are old, those of packages and of attachments stay, and those that refused requests left behind go.
func TestCollectBlobs(t *testing.T) {
	eachEngine(t, func(t *testing.T, e db.Engine) {
		h, err := Open(t.Context(), Config{Data: t.TempDir(), DB: dbtest.URL(t, e)})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			if err := h.Close(); err != nil {
				t.Error(err)
			}
		})
		c := access.Caller{Org: id.DefaultOrg, Kind: access.ServiceAccount, Name: "test", ServiceAccount: id.New[id.ServiceAccountID](), Scopes: access.All | access.ContentWrite}
		zip, err := sample.Zip()
		if err != nil {
			t.Fatal(err)
		}
		if _, err := h.Content.Add(t.Context(), c, bytes.NewReader(zip), int64(len(zip))); err != nil {
			t.Fatal(err)
		}
		if err := h.attach(t, c, "kept"); err != nil {
			t.Fatal(err)
		}
		named := len(blobFiles(t, h))
		if _, err := h.Blobs.Put(t.Context(), strings.NewReader("of a killed process")); err != nil {
			t.Fatal(err)
		}
		if n, err := h.CollectBlobs(t.Context()); n != 0 || err != nil {
			t.Errorf("%d young files were removed: %v", n, err)
		}
		for _, path := range blobFiles(t, h) {
			long := time.Now().Add(-2 * collectAfter)
			if err := os.Chtimes(path, long, long); err != nil {
				t.Fatal(err)
			}
		}
		if n, err := h.CollectBlobs(t.Context()); n != 1 || err != nil {
			t.Errorf("%d removed: %v", n, err)
		}
		if n := len(blobFiles(t, h)); n != named || n < 3 {
			t.Errorf("%d files are left of %d", n, named)
		}
	})
}

// attach stores a statement with an attachment.
func (h *House) attach(t *testing.T, c access.Caller, data string) error {
	t.Helper()
	hash := fmt.Sprintf("%x", sha256.Sum256([]byte(data)))
	attachment := fmt.Sprintf(`{"usageType":"x:y","display":{},"contentType":"text/plain","length":%d,"sha2":%q}`, len(data), hash)
	statement := `{"actor":{"mbox":"mailto:ann@example.org"},"verb":{"id":"https://example.org/v"},"object":{"id":"https://example.org/o"},"attachments":[` + attachment + `]}`
	sent := false
	_, err := h.Records.PutWith(t.Context(), c, xapi.V1, id.StatementID{}, []byte(statement), func() (lrs.Part, error) {
		if sent {
			return lrs.Part{}, io.EOF
		}
		sent = true
		return lrs.Part{Hash: hash, Length: -1, Data: strings.NewReader(data)}, nil
	})
	return err
}

func blobFiles(t *testing.T, h *House) (paths []string) {
	t.Helper()
	err := filepath.WalkDir(filepath.Join(h.Config.Data, "blobs"), func(path string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			paths = append(paths, path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return paths
}
