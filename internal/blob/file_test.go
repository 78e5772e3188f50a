package blob

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"
)

// A file is replaced whole; one that cannot be written leaves the old one, and nothing beside it.
func TestWriteFile(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path := filepath.Join(dir, "a.eml")
	broken := errors.New("broken")
	for _, c := range []struct {
		text string
		fail error
		want string
	}{{"one", nil, "one"}, {"two", broken, "one"}, {"three", nil, "three"}} {
		err := WriteFile(path, func(w io.Writer) error {
			_, err := io.WriteString(w, c.text)
			return errors.Join(err, c.fail)
		})
		if !errors.Is(err, c.fail) || err != nil && c.fail == nil {
			t.Errorf("%s: %v", c.text, err)
		}
		if got, err := os.ReadFile(path); string(got) != c.want || err != nil {
			t.Errorf("after %s: %q, %v", c.text, got, err)
		}
	}
	left, err := os.ReadDir(dir)
	if err != nil || len(left) != 1 {
		t.Errorf("%v is left, %v", left, err)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info, err)
	}
}
