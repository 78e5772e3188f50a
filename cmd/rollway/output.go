package main

import (
	"fmt"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// Output is how a command prints its data.
type Output struct {
	Output string `short:"o" help:"How to print data: ${enum}." enum:"table,json" default:"table"`
}

// print writes the value as JSON, or the rows as a table under the heads.
func (o Output) print(s *surroundings, value any, heads []string, rows [][]string) error {
	if o.Output == "json" {
		return printJSON(s, value)
	}
	if len(rows) == 0 {
		fmt.Fprintln(s.err, "None.")
		return nil
	}
	lines := []string{strings.ToUpper(strings.Join(heads, "\t"))}
	for _, r := range rows {
		lines = append(lines, strings.Join(r, "\t"))
	}
	w := tabwriter.NewWriter(s.out, 0, 0, 2, ' ', 0)
	if _, err := fmt.Fprintln(w, strings.Join(lines, "\n")); err != nil {
		return err
	}
	return w.Flush()
}

// count is a number of things, as in "1 statement" and "2 statements".
func count[N int | int64](n N, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	return fmt.Sprintf("%d %ss", n, thing)
}

// done says what was done, unless it failed.
func (s *surroundings) done(err error, format string, args ...any) error {
	if err == nil {
		fmt.Fprintln(s.err, fmt.Sprintf(format, args...))
	}
	return err
}

func printJSON(s *surroundings, value any) error {
	b, err := json.Marshal(value, json.Deterministic(true), jsontext.EscapeForHTML(false))
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(s.out, "%s\n", b)
	return err
}

// when prints a time for people and programs alike; the zero time is empty.
func when(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339)
}
