package main

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	"io"
	"os"
	"path/filepath"
	"testing"

	"rollway/internal/signin/breached"
)

// TestGenerate: the same passwords in a text, a zip and a tar make the same file, twice.
func TestGenerate(t *testing.T) {
	t.Parallel()
	const list = "dragon\nmonkey\nTangleMosaic4\nseven quiet herons\n\xff\xfe broken line of text\nshort\n"
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	var z, g bytes.Buffer
	zw := zip.NewWriter(&z)
	for name, text := range map[string]string{"lists/a.txt": list, "code.py": "not a password list\n", "x.dist-info/LICENSE.txt": "a licence of some length\n"} {
		w, err := zw.Create(name)
		must(err)
		_, err = io.WriteString(w, text)
		must(err)
	}
	must(zw.Close())
	gw := gzip.NewWriter(&g)
	tw := tar.NewWriter(gw)
	must(tw.WriteHeader(&tar.Header{Name: "package/a.txt", Mode: 0o600, Size: int64(len(list))}))
	_, err := io.WriteString(tw, list)
	must(err)
	must(tw.Close())
	must(gw.Close())

	var first []byte
	for name, data := range map[string][]byte{"list": []byte(list), "list.zip": z.Bytes(), "list.tgz": g.Bytes(), "again": []byte(list)} {
		in, out := filepath.Join(t.TempDir(), name), filepath.Join(t.TempDir(), "out")
		must(os.WriteFile(in, data, 0o600))
		must(generate(out, []string{in}))
		made, err := os.ReadFile(out)
		must(err)
		if first == nil {
			first = made
		}
		if !bytes.Equal(made, first) {
			t.Errorf("%s makes another file", name)
		}
	}
	if err := generate(filepath.Join(t.TempDir(), "out"), nil); err == nil {
		t.Error("no list is no error")
	}
}

// TestDerived: what people make of common passwords is known, and of short ones nothing is.
func TestDerived(t *testing.T) {
	t.Parallel()
	g := gathered{}
	derive([]string{"dragon", "abc", "Monkey"}, g.add)
	runs(g.add)
	for _, p := range []string{"dragonmonkey", "dragon123456", "monkey12345!", "qwertyuiopas", "098765432109"} {
		if !g.medium[breached.Fold(p)] {
			t.Errorf("%s is missing", p)
		}
	}
	for _, p := range []string{"123456789101112131415", "1qaz2wsx3edc4rfv5tgb", "zyxwvutsrqponmlkj"} {
		if !g.long[p] {
			t.Errorf("%s is missing", p)
		}
	}
	if g.medium["abc123456789"] || g.medium["abc"] {
		t.Error("too short a word is padded, or kept")
	}
}
