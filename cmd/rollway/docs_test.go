package main

import (
	"crypto/rand"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"rollway/internal/db"
)

// example is a block of a page that is run, and the answer that the page shows for it, if any.
type example struct {
	line         int
	script, says string
}

// TestThePagesTellTheTruth runs the blocks of README.md and docs that stand below <!-- test -->, in order and in one shell,
// against a demo, and holds the answers that the pages show against the real ones.
func TestThePagesTellTheTruth(t *testing.T) {
	t.Parallel()
	pages, err := filepath.Glob("../../docs/*.md")
	if err != nil {
		t.Fatal(err)
	}
	blocks := 0
	h, d := newDemo(t)
	for _, page := range append(pages, "../../README.md") {
		text, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		examples := examplesOf(string(text), "<!-- test -->", "HTTP/")
		for i, out := range runExamples(h, d, examples) {
			blocks++
			checkExample(t, fmt.Sprintf("%s:%d", page, examples[i].line), examples[i], out)
		}
	}
	if blocks < 6 {
		t.Errorf("only %d blocks were run", blocks)
	}
	t.Logf("proof: %d curl blocks of the README and the pages in docs were run as printed, and answer as shown", blocks)
}

// examplesOf finds the blocks below a mark. A block of no language after one is its answer, if it begins so.
func examplesOf(text, mark, answers string) []example {
	var found []example
	lines := strings.Split(text, "\n")
	for i := 0; i < len(lines); i++ {
		if !strings.HasPrefix(lines[i], "```") {
			continue
		}
		tested := lines[i] == "```sh" && i > 0 && lines[i-1] == mark
		answer := lines[i] == "```"
		begin := i + 1
		for i++; i < len(lines) && lines[i] != "```"; i++ {
		}
		block := strings.Join(lines[begin:i], "\n")
		switch {
		case tested:
			found = append(found, example{line: begin, script: block})
		case answer && len(found) > 0 && found[len(found)-1].says == "" && strings.HasPrefix(block, answers):
			found[len(found)-1].says = block
		}
	}
	return found
}

const blockEnd = "\n--- end of the block ---\n"

// runExamples runs all of a page's blocks in one shell and returns what each prints.
func runExamples(h *house, d demoAnswer, examples []example) []string {
	h.Helper()
	if len(examples) == 0 {
		return nil
	}
	script := "set -eu\n"
	for _, e := range examples {
		script += e.script + "\nprintf '" + strings.ReplaceAll(blockEnd, "\n", `\n`) + "'\n"
	}
	cmd := exec.Command("bash", "-c", script)
	cmd.Env = append(environ(), "HOST="+d.PublicURL, "TOKEN="+d.ServiceAccount.Token, "NAME="+rand.Text(), "KEY="+rand.Text(), "SECRET="+rand.Text())
	out, err := cmd.Output()
	printed := strings.Split(string(out), blockEnd)
	if err != nil || len(printed) != len(examples)+1 {
		h.Fatalf("%v\n%s", err, out)
	}
	return printed[:len(examples)]
}

var (
	success = regexp.MustCompile(`^HTTP/1\.1 [23]\d\d `)
	moment  = regexp.MustCompile(`20\d\d-\d\d-\d\dT\d\d:\d\d:\d\dZ`)
)

// checkExample: each line of the shown answer stands in the real one, where … is anything, a time any time and a port any
// port.
func checkExample(t *testing.T, where string, e example, out string) {
	t.Helper()
	if !success.MatchString(out) {
		t.Errorf("%s answers\n%s", where, out)
	}
	out = strings.ReplaceAll(out, "\r\n", "\n")
	for line := range strings.SplitSeq(e.says, "\n") {
		pattern := regexp.QuoteMeta(moment.ReplaceAllString(line, "…"))
		pattern = `(?m)^` + strings.NewReplacer("…", `.*`, `localhost:8081`, `localhost:\d+`).Replace(pattern) + `$`
		if !regexp.MustCompile(pattern).MatchString(out) {
			t.Errorf("%s: the page shows the line\n%s\nand the answer is\n%s", where, line, out)
		}
	}
}

// TestThePagesOnCommands runs the commands of pages, in order, beside a server with three statements.
func TestThePagesOnCommands(t *testing.T) {
	for name, least := range map[string]int{"statements.md": 4, "signup.md": 4} {
		t.Run(name, func(t *testing.T) { eachEngine(t, func(t *testing.T, e db.Engine) { runPage(t, e, name, least) }) })
	}
}

func runPage(t *testing.T, e db.Engine, name string, least int) {
	text, err := os.ReadFile("../../docs/" + name)
	if err != nil {
		t.Fatal(err)
	}
	h := newHouse(t, e)
	for range 3 {
		h.want(200, "POST", "/xapi/statements", bearer(h.token("all")), `{"actor":{"mbox":"mailto:ann@example.org"},"verb":{"id":"https://example.org/did"},"object":{"id":"https://example.org/course"}}`)
	}
	path, err := program()
	h.must(err)
	dir := t.TempDir()
	examples := examplesOf(string(text), "<!-- run -->", "")
	for _, ex := range examples {
		cmd := exec.Command("bash", "-euc", ex.script)
		cmd.Dir, cmd.Env = dir, append(h.env, "PATH="+filepath.Dir(path)+":"+os.Getenv("PATH"))
		out, err := cmd.Output()
		if err != nil {
			t.Fatalf("line %d: %v", ex.line, err)
		}
		pattern := "^" + strings.ReplaceAll(regexp.QuoteMeta(ex.says), "…", ".*") + "\n$"
		if ex.says == "" || !regexp.MustCompile(pattern).Match(out) {
			t.Errorf("line %d: the page shows\n%s\nand the answer is\n%s", ex.line, ex.says, out)
		}
	}
	if len(examples) < least {
		t.Errorf("only %d blocks were run", len(examples))
	}
}
