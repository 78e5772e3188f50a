package housetest

import (
	"bytes"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// root is the repository, seen from this package's folder, in which its tests run.
const root = "../.."

// lineLimit is how many lines a file may have; the aim is 300.
const lineLimit = 500

// longFiles are the exceptions: a file and the lines it may have. The list may only shrink.
var longFiles = map[string]int{}

// limited are the kinds of file that lineLimit is about.
var limited = []string{".go", ".js", ".html", ".sql", ".txtar"}

// layers are names for rooms that say what kind of code is inside instead of what it is about.
var layers = []string{"service", "services", "repository", "handler", "handlers", "model", "models", "util", "utils",
	"common", "manager", "helpers", "misc", "base"}

// strangers are words that belong to somebody's own machine or notes. They are put together here so that this file
// may be searched too.
var strangers = regexp.MustCompile(strings.Join([]string{
	`\.\./` + `shared\b`, `/wo` + `rk/`, `/ro` + `ot/`, `/ho` + `me/\w`, `/Us` + `ers/\w`, `\bspec/\w+(-\w+)*\.` + `md`, `design/` + `house`,
}, "|"))

// goFile is one Go file of the repository.
type goFile struct {
	path   string // slash-separated, below the root
	folder string
	test   bool
	set    *token.FileSet
	tree   *ast.File
}

// files returns every file of the repository, slash-separated below the root. What Git ignores is left out by its folder.
func files(t *testing.T) []string {
	t.Helper()
	var found []string
	err := filepath.WalkDir(root, func(name string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.IsDir() && slices.Contains([]string{".git", ".tools", "node_modules", "dist", "results"}, entry.Name()) {
			return fs.SkipDir
		}
		if entry.Type().IsRegular() && entry.Name() != ".git" { // a file in a linked work tree
			below, err := filepath.Rel(root, name)
			found = append(found, filepath.ToSlash(below))
			return err
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Contains(found, "go.mod") {
		t.Fatalf("%s is not the repository", root)
	}
	return found
}

// read returns a file's bytes.
func read(t *testing.T, name string) []byte {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, filepath.FromSlash(name)))
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// goFiles parses every Go file outside testdata.
func goFiles(t *testing.T) []goFile {
	t.Helper()
	var parsed []goFile
	for _, name := range files(t) {
		if path.Ext(name) != ".go" || slices.Contains(strings.Split(name, "/"), "testdata") {
			continue
		}
		set := token.NewFileSet()
		tree, err := parser.ParseFile(set, name, read(t, name), parser.ParseComments)
		if err != nil {
			t.Fatal(err)
		}
		parsed = append(parsed, goFile{name, path.Dir(name), strings.HasSuffix(name, "_test.go"), set, tree})
	}
	return parsed
}

func TestFileSizes(t *testing.T) {
	t.Parallel()
	lines := map[string]int{}
	for _, name := range files(t) {
		if !slices.Contains(limited, path.Ext(name)) {
			continue
		}
		lines[name] = bytes.Count(read(t, name), []byte("\n"))
		if limit := max(lineLimit, longFiles[name]); lines[name] > limit {
			t.Errorf("%s has %d lines, more than %d: split it by what it is about", name, lines[name], limit)
		}
	}
	for name := range longFiles {
		if lines[name] <= lineLimit {
			t.Errorf("%s has %d lines now: take it off the list of exceptions", name, lines[name])
		}
	}
}

func TestPackageComments(t *testing.T) {
	t.Parallel()
	type about struct{ name, doc string }
	packages := map[string]about{}
	for _, file := range goFiles(t) {
		if file.test {
			continue
		}
		seen := packages[file.folder]
		if doc := file.tree.Doc.Text(); doc != "" {
			if seen.doc != "" {
				t.Errorf("%s has two package comments: keep one", file.folder)
			}
			seen.doc = doc
		}
		seen.name = file.tree.Name.Name
		packages[file.folder] = seen
	}
	for folder, p := range packages {
		opening := "Package " + p.name + " "
		if p.name == "main" {
			opening = "Command " + path.Base(folder) + " "
		}
		if !strings.HasPrefix(p.doc, opening) {
			t.Errorf("%s: its package comment must open with %q and say what it is; it opens with %.40q", folder, opening, p.doc)
		}
	}
}

func TestRoomNames(t *testing.T) {
	t.Parallel()
	for _, file := range goFiles(t) {
		for _, name := range append(strings.Split(file.folder, "/"), file.tree.Name.Name) {
			if slices.Contains(layers, name) {
				t.Errorf("%s: %q is a layer, not a noun of the domain", file.path, name)
			}
		}
	}
}

func TestStrangers(t *testing.T) {
	t.Parallel()
	for _, name := range files(t) {
		text := read(t, name)
		if bytes.IndexByte(text, 0) >= 0 {
			continue // not a text
		}
		for number, line := range strings.Split(string(text), "\n") {
			if word := strangers.FindString(line); word != "" {
				t.Errorf("%s:%d says %q, which belongs to one machine or to somebody's notes", name, number+1, word)
			}
		}
	}
}
