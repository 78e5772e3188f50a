// Package schema holds the ordered migrations, one SQL file per step, written once for both engines.
//
// The text uses PostgreSQL's type words (uuid, bytea, bigint, boolean, text) and SQLite's table options (STRICT, WITHOUT
// ROWID); Expand translates. A line that ends in "-- sqlite" or "-- postgres" is for that engine alone. A ? or a ; inside
// a quoted string is not supported. A released file is never edited: its checksum is in every database.
package schema

import (
	"crypto/sha256"
	"embed"
	"fmt"
	"io/fs"
	"regexp"
	"strconv"
	"strings"
	"sync"
)

//go:embed *.sql
var files embed.FS

// Step is one migration.
type Step struct {
	Number   int
	Name     string
	SQL      string
	Checksum [32]byte // SHA-256 of the file
}

// Steps returns the migrations in order; file NNNN_name.sql is step NNNN, without gaps.
var Steps = sync.OnceValue(func() []Step {
	names, err := fs.Glob(files, "*.sql")
	if err != nil {
		panic(err)
	}
	steps := make([]Step, len(names))
	for i, name := range names {
		text, err := files.ReadFile(name)
		if err != nil {
			panic(err)
		}
		number, rest, _ := strings.Cut(strings.TrimSuffix(name, ".sql"), "_")
		if n, err := strconv.Atoi(number); err != nil || n != i+1 {
			panic(fmt.Sprintf("schema: %s is not step %d", name, i+1))
		}
		steps[i] = Step{i + 1, rest, string(text), sha256.Sum256(text)}
	}
	return steps
})

var (
	pgOnly    = regexp.MustCompile(`(?m)^.*-- postgres$`)
	liteOnly  = regexp.MustCompile(`(?m)^.*-- sqlite$`)
	comment   = regexp.MustCompile(`(?m)--.*$`)
	options   = regexp.MustCompile(`\)\s*(STRICT|WITHOUT ROWID)(\s*,\s*(STRICT|WITHOUT ROWID))*`)
	typeWords = regexp.MustCompile(`\b(uuid|bytea|bigint|boolean)\b`)
	liteTypes = map[string]string{"uuid": "BLOB", "bytea": "BLOB", "bigint": "INTEGER", "boolean": "INTEGER"}
)

// Expand translates a step for one engine.
func Expand(text string, postgres bool) string {
	if postgres {
		text = liteOnly.ReplaceAllString(text, "")
		text = options.ReplaceAllString(text, ")")
		return comment.ReplaceAllString(text, "")
	}
	text = pgOnly.ReplaceAllString(text, "")
	text = comment.ReplaceAllString(text, "")
	return typeWords.ReplaceAllStringFunc(text, func(w string) string { return liteTypes[w] })
}

// Split cuts a step into its statements.
func Split(text string) []string {
	var out []string
	for s := range strings.SplitSeq(text, ";") {
		if s = strings.TrimSpace(s); s != "" {
			out = append(out, s)
		}
	}
	return out
}
