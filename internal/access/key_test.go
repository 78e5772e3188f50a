package access_test

import (
	"bytes"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"rollway/internal/access"
	"rollway/internal/db"
	"rollway/internal/db/dbtest"
	"rollway/internal/fault"
)

func TestKeyIsMadeOnceAndFoundAgain(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		path := filepath.Join(t.TempDir(), "keys", "secret.key")
		var keys [8]access.Key
		var all sync.WaitGroup
		for i := range keys {
			all.Go(func() {
				var err error
				if keys[i], err = access.OpenKey(t.Context(), d, path); err != nil {
					t.Errorf("open %d: %v", i, err)
				}
			})
		}
		all.Wait()
		for i, k := range keys {
			if !bytes.Equal(k.Hash("x"), keys[0].Hash("x")) {
				t.Fatalf("process %d got another key", i)
			}
		}
		info, err := os.Stat(path)
		if err != nil || info.Mode().Perm() != 0o600 {
			t.Fatalf("the file is %v, %v", info, err)
		}
		left, err := os.ReadDir(filepath.Dir(path))
		if err != nil || len(left) != 1 {
			t.Fatalf("left behind: %v, %v", left, err)
		}
	})
}

func TestKeyThatIsNotTheDatabasesIsRefused(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		dir := t.TempDir()
		path := filepath.Join(dir, "secret.key")
		if _, err := access.OpenKey(t.Context(), d, path); err != nil {
			t.Fatal(err)
		}
		right, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		expect := func(code string) {
			t.Helper()
			_, err := access.OpenKey(t.Context(), d, path)
			if !fault.Is(err, fault.Unavailable) || fault.Of(err).Code != code {
				t.Fatalf("want %s, got %v", code, err)
			}
		}
		for name, text := range map[string]string{"empty": "", "short": "abc\n", "long": string(right[:43]) + "A\n", "other alphabet": "+" + string(right[1:])} {
			if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
				t.Fatal(name, err)
			}
			expect("key_damaged")
		}
		other := bytes.Repeat([]byte("A"), 43)
		if err := os.WriteFile(path, other, 0o600); err != nil {
			t.Fatal(err)
		}
		expect("key_differs")
		if err := os.Remove(path); err != nil {
			t.Fatal(err)
		}
		expect("key_missing")
		if _, err := os.Stat(path); !os.IsNotExist(err) {
			t.Fatalf("a key was made for a database that has another: %v", err)
		}
		if err := os.WriteFile(path, right, 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := access.OpenKey(t.Context(), d, path); err != nil {
			t.Fatal(err)
		}
	})
}

func TestHashKeepsPurposesAndPartsApart(t *testing.T) {
	k := access.NewKey()
	seen := map[string]string{}
	for name, h := range map[string][]byte{
		"a/b":  k.Hash("a", "b"),
		"ab":   k.Hash("ab"),
		"a/b/": k.Hash("a", "b", ""),
		"a//b": k.Hash("a", "", "b"),
		"ab/":  k.Hash("ab", ""),
		"b/a":  k.Hash("b", "a"),
		"key":  access.NewKey().Hash("a", "b"),
	} {
		if other, ok := seen[string(h)]; ok {
			t.Errorf("%s and %s are the same", name, other)
		}
		seen[string(h)] = name
	}
}
