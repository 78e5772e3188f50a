package blob

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/iotest"
	"time"

	"pgregory.net/rapid"
)

func open(t *testing.T) *Store {
	t.Helper()
	s, err := Open(filepath.Join(t.TempDir(), "blobs"))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func put(t *testing.T, s *Store, content string) Ref {
	t.Helper()
	ref, err := s.Put(t.Context(), strings.NewReader(content))
	if err != nil {
		t.Fatal(err)
	}
	return ref
}

func read(t *testing.T, s *Store, sum [32]byte) string {
	t.Helper()
	f, size, err := s.Open(sum)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	b, err := io.ReadAll(f)
	if err != nil || int64(len(b)) != size {
		t.Fatalf("read %d of %d bytes: %v", len(b), size, err)
	}
	return string(b)
}

// files returns the paths of all files below the store, relative to it.
func files(t *testing.T, s *Store) []string {
	t.Helper()
	var out []string
	err := filepath.WalkDir(s.dir, func(p string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		rel, err := filepath.Rel(s.dir, p)
		out = append(out, rel)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestPutAndOpen(t *testing.T) {
	t.Parallel()
	s := open(t)
	for _, content := range []string{"", "a", strings.Repeat("long ", 100_000)} {
		ref := put(t, s, content)
		if ref.SHA256 != sha256.Sum256([]byte(content)) || ref.Size != int64(len(content)) {
			t.Fatalf("%d bytes stored as %x, %d", len(content), ref.SHA256, ref.Size)
		}
		if got := read(t, s, ref.SHA256); got != content {
			t.Fatalf("got %d bytes back, want %d", len(got), len(content))
		}
		if err := s.Verify(ref.SHA256); err != nil {
			t.Fatal(err)
		}
	}
	sum := fmt.Sprintf("%x", sha256.Sum256([]byte("a")))
	got := files(t, s)
	if len(got) != 3 {
		t.Fatalf("files: %v", got)
	}
	if _, err := os.Stat(filepath.Join(s.dir, sum[:2], sum[2:])); err != nil {
		t.Fatal(err)
	}
}

func TestStoreReopens(t *testing.T) {
	t.Parallel()
	s := open(t)
	ref := put(t, s, "kept")
	again, err := Open(s.dir)
	if err != nil {
		t.Fatal(err)
	}
	if got := read(t, again, ref.SHA256); got != "kept" {
		t.Fatalf("got %q", got)
	}
}

func TestMissing(t *testing.T) {
	t.Parallel()
	s := open(t)
	if _, _, err := s.Open([32]byte{1}); !errors.Is(err, fs.ErrNotExist) {
		t.Fatalf("open: %v", err)
	}
	if err := s.Verify([32]byte{1}); !errors.Is(err, fs.ErrNotExist) {
		t.Fatalf("verify: %v", err)
	}
}

func TestEqualPutsAtOnce(t *testing.T) {
	t.Parallel()
	s := open(t)
	content := strings.Repeat("same ", 50_000)
	var wg sync.WaitGroup
	for i := range 32 {
		wg.Go(func() {
			mine := content
			if i%4 == 0 {
				mine = fmt.Sprint("other ", i%8)
			}
			ref, err := s.Put(context.Background(), strings.NewReader(mine))
			if err != nil || ref.SHA256 != sha256.Sum256([]byte(mine)) {
				t.Errorf("put %d: %x %v", i, ref.SHA256, err)
				return
			}
			if err := s.Verify(ref.SHA256); err != nil {
				t.Errorf("verify %d: %v", i, err)
			}
		})
	}
	wg.Wait()
	if got := files(t, s); len(got) != 3 {
		t.Fatalf("files: %v", got)
	}
}

func TestFailedPutKeepsNothing(t *testing.T) {
	t.Parallel()
	s := open(t)
	broken := errors.New("the upload broke off")
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	cases := []struct {
		name string
		put  func() (Ref, error)
		want error
	}{
		{"reader fails", func() (Ref, error) {
			return s.Put(t.Context(), io.MultiReader(strings.NewReader("begun"), iotest.ErrReader(broken)))
		}, broken},
		{"context over", func() (Ref, error) { return s.Put(ended, strings.NewReader("x")) }, context.Canceled},
		{"other content", func() (Ref, error) {
			return s.PutExpect(t.Context(), strings.NewReader("x"), sha256.Sum256([]byte("y")))
		}, ErrMismatch},
	}
	for _, c := range cases {
		ref, err := c.put()
		if !errors.Is(err, c.want) || ref != (Ref{}) {
			t.Errorf("%s: %+v, %v", c.name, ref, err)
		}
	}
	if got := files(t, s); len(got) != 0 {
		t.Fatalf("left behind: %v", got)
	}
}

func TestPutExpect(t *testing.T) {
	t.Parallel()
	s := open(t)
	sum := sha256.Sum256([]byte("announced"))
	ref, err := s.PutExpect(t.Context(), strings.NewReader("announced"), sum)
	if err != nil || ref.SHA256 != sum || read(t, s, sum) != "announced" {
		t.Fatalf("%+v %v", ref, err)
	}
}

func TestDamageIsNoticedAndHealed(t *testing.T) {
	t.Parallel()
	s := open(t)
	ref := put(t, s, "sound content")
	for name, bytes := range map[string]string{"other bytes": "sOund content", "cut short": "sound", "longer": "sound content!", "empty": ""} {
		if err := os.WriteFile(s.path(ref.SHA256), []byte(bytes), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := s.Verify(ref.SHA256); !errors.Is(err, ErrDamaged) {
			t.Errorf("%s: %v", name, err)
		}
		put(t, s, "sound content")
		if err := s.Verify(ref.SHA256); err != nil {
			t.Errorf("%s: after storing it again: %v", name, err)
		}
	}
}

func TestSweepLeavesYoungFilesAndBlobs(t *testing.T) {
	t.Parallel()
	s := open(t)
	ref := put(t, s, "kept")
	long := time.Now().Add(-2 * StaleAfter)
	left, young := filepath.Join(s.dir, tmpDir, "put-left"), filepath.Join(s.dir, tmpDir, "put-young")
	for _, p := range []string{left, young} {
		if err := os.WriteFile(p, []byte("half"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, p := range []string{left, s.path(ref.SHA256)} {
		if err := os.Chtimes(p, long, long); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := Open(s.dir); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(left); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the file left behind: %v", err)
	}
	if _, err := os.Stat(young); err != nil {
		t.Errorf("the young file: %v", err)
	}
	if got := read(t, s, ref.SHA256); got != "kept" {
		t.Errorf("the blob: %q", got)
	}
}

func TestOpenRefusesAFileInPlaceOfTheDirectory(t *testing.T) {
	t.Parallel()
	p := filepath.Join(t.TempDir(), "blobs")
	if err := os.WriteFile(p, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(p); err == nil {
		t.Fatal("opened a file as a store")
	}
}

func TestWhateverGoesInComesOut(t *testing.T) {
	t.Parallel()
	s := open(t)
	rapid.Check(t, func(r *rapid.T) {
		b := rapid.SliceOf(rapid.Byte()).Draw(r, "content")
		ref, err := s.Put(context.Background(), iotest.HalfReader(bytes.NewReader(b)))
		if err != nil {
			r.Fatal(err)
		}
		if got := read(t, s, ref.SHA256); got != string(b) {
			r.Fatalf("got %x", got)
		}
	})
}
