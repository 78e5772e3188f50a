// Command generate makes the filter of breached passwords from lists of them: archives (zip, tar.gz) or texts, one password
// a line. The first one is ordered by how common its passwords are; what people make of common words by padding and pairing
// them is derived from it.
//
//	PASSWORD_LISTS=LIST:LIST… go generate ./internal/signin/breached
package main

import (
	"archive/tar"
	"archive/zip"
	"bufio"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"strings"
	"unicode/utf8"

	"rollway/internal/signin/breached"
)

func main() {
	out := flag.String("o", "passwords.gcs", "file to write")
	flag.Parse()
	var lists []string
	for _, arg := range flag.Args() {
		lists = append(lists, filepath.SplitList(arg)...)
	}
	if err := generate(*out, lists); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func generate(out string, lists []string) error {
	if len(lists) == 0 {
		return errors.New("give the lists, the one that is ordered by frequency first")
	}
	g := gathered{}
	for i, list := range lists {
		data, err := os.ReadFile(list)
		if err != nil {
			return err
		}
		before := len(g.long) + len(g.medium)
		var common []string
		err = each(list, data, func(line string) {
			g.add(line)
			if i == 0 && len(common) < bases {
				common = append(common, line)
			}
		})
		if err != nil {
			return fmt.Errorf("%s: %w", list, err)
		}
		derive(common, g.add)
		fmt.Printf("%s\n  SHA-256 %x, %d new\n", path.Base(list), sha256.Sum256(data), len(g.long)+len(g.medium)-before)
	}
	runs(g.add)
	file := append(breached.Build(keys(g.medium), breached.MediumRate), breached.Build(keys(g.long), breached.LongRate)...)
	fmt.Printf("%d of %d to %d code points, %d longer ones, %d bytes\n", len(g.medium), breached.Shortest, breached.Long-1, len(g.long), len(file))
	return os.WriteFile(out, file, 0o644)
}

// gathered are the passwords so far, folded.
type gathered struct{ medium, long map[string]bool }

// longest leaves out what no person types: hashes, lines of other formats.
const longest = 64

func (g *gathered) add(password string) {
	if g.long == nil {
		g.long, g.medium = map[string]bool{}, map[string]bool{}
	}
	folded := breached.Fold(password)
	switch n := utf8.RuneCountInString(folded); {
	case n < breached.Shortest, n > longest, !utf8.ValidString(folded):
	case n < breached.Long:
		g.medium[folded] = true
	default:
		g.long[folded] = true
	}
}

func keys(m map[string]bool) []string {
	out := make([]string, 0, len(m))
	for k := range m {
		out = append(out, k)
	}
	return out
}

// each calls fn for the lines of a text, or of every text in an archive.
func each(name string, data []byte, fn func(string)) error {
	switch {
	case bytes.HasPrefix(data, []byte("PK")):
		z, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
		if err != nil {
			return err
		}
		for _, f := range z.File {
			if !isList(f.Name) {
				continue
			}
			r, err := f.Open()
			if err == nil {
				err = errors.Join(lines(r, fn), r.Close())
			}
			if err != nil {
				return fmt.Errorf("%s: %w", f.Name, err)
			}
		}
		return nil
	case bytes.HasPrefix(data, []byte{0x1f, 0x8b}):
		z, err := gzip.NewReader(bytes.NewReader(data))
		if err != nil {
			return err
		}
		t := tar.NewReader(z)
		for {
			h, err := t.Next()
			if errors.Is(err, io.EOF) {
				return nil
			}
			if err == nil && isList(h.Name) {
				err = lines(t, fn)
			}
			if err != nil {
				return err
			}
		}
	}
	return lines(bytes.NewReader(data), fn)
}

func isList(name string) bool {
	return strings.HasSuffix(name, ".txt") && !strings.Contains(name, "dist-info") && !strings.Contains(strings.ToLower(name), "license")
}

func lines(r io.Reader, fn func(string)) error {
	s := bufio.NewScanner(r)
	for s.Scan() {
		if line := strings.TrimRight(s.Text(), "\r\n"); utf8.ValidString(line) {
			fn(line)
		}
	}
	return s.Err()
}
