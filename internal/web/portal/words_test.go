package portal

import (
	"bytes"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

var (
	placeholder = regexp.MustCompile(`\{[a-z]+\}`)
	keyInCode   = regexp.MustCompile(`"([a-z]+(?:\.[a-z_0-9]+)+)"|(?:T |N |say\()"([a-z]+)"`)
	keyPrefixes = []string{"month.", "error.", "problem.", "field.", "add.link.", "state.", "people.", "trouble."} // of keys put together by code
)

// Every language has every text, in the forms of its plural rule, with the same things put in.
func TestLanguagesAreComplete(t *testing.T) {
	t.Parallel()
	english := catalogue["en"].phrases
	for lang, w := range catalogue {
		for key, p := range w.phrases {
			e, ok := english[key]
			if !ok {
				t.Errorf("%s: %q is not in English", lang, key)
				continue
			}
			if (p.one == "") != (e.one == "") || p.other == "" {
				t.Errorf("%s: %q has not the forms that it needs", lang, key)
			}
			if got, want := marks(p.other), marks(e.other); !slices.Equal(got, want) {
				t.Errorf("%s: %q puts in %v, in English %v", lang, key, got, want)
			}
			for _, form := range []string{p.one, p.other} {
				if strings.TrimSpace(form) != form || strings.Contains(form, "  ") || strings.ContainsAny(form, "<>\"'") {
					t.Errorf("%s: %q has blanks, quotes or markup that do not belong there: %s", lang, key, form)
				}
			}
		}
		for key := range english {
			if !w.has(key) {
				t.Errorf("%s: %q is missing", lang, key)
			}
		}
	}
}

func marks(text string) []string {
	found := placeholder.FindAllString(text, -1)
	slices.Sort(found)
	return slices.Compact(found)
}

// The keys in code and templates are there, and those that are there are used.
func TestKeysAreUsed(t *testing.T) {
	t.Parallel()
	used := map[string]bool{}
	err := fs.WalkDir(os.DirFS("."), ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || strings.HasSuffix(name, "_test.go") || !strings.HasSuffix(name, ".go") && !strings.HasSuffix(name, ".html") {
			return err
		}
		text, err := os.ReadFile(name)
		for _, m := range keyInCode.FindAllSubmatch(text, -1) {
			used[string(bytes.Join(m[1:], nil))] = true
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	w := catalogue["en"]
	for key := range w.phrases {
		if !used[key] && !slices.ContainsFunc(keyPrefixes, func(p string) bool { return strings.HasPrefix(key, p) }) {
			t.Errorf("nobody says %q", key)
		}
	}
	families := map[string]bool{}
	for key := range w.phrases {
		family, _, _ := strings.Cut(key, ".")
		families[family] = true
	}
	for key := range used {
		if family, _, _ := strings.Cut(key, "."); families[family] && !w.has(key) && !strings.HasSuffix(key, ".html") {
			t.Errorf("there is no %q", key)
		}
	}
}

// Every reason that the content room gives has words in every language, which put in only what all faults of its code name.
func TestReasonsHaveWords(t *testing.T) {
	t.Parallel()
	reasons := map[string][][]string{}
	files, err := filepath.Glob("../../content/*.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(file, func(n ast.Node) bool {
			call, ok := n.(*ast.CallExpr)
			if !ok {
				return true
			}
			if f, ok := call.Fun.(*ast.Ident); ok && (f.Name == "refuse" || f.Name == "tooLarge") {
				code := literal(t, call.Args[0])
				var named []string
				for i := 2; i < len(call.Args); i += 2 {
					named = append(named, "{"+literal(t, call.Args[i])+"}")
				}
				reasons[code] = append(reasons[code], named)
			}
			return true
		})
	}
	if len(reasons) < 50 {
		t.Fatalf("only %d reasons are found", len(reasons))
	}
	for code, all := range reasons {
		for lang, w := range catalogue {
			text := w.phrases["error."+code].other
			if text == "" {
				t.Errorf("%s has no words for %s", lang, code)
			}
			for _, mark := range marks(text) {
				for _, named := range all {
					if !slices.Contains(named, mark) {
						t.Errorf("%s: %s puts in %s, which not all its faults name", lang, code, mark)
					}
				}
			}
		}
	}
}

func literal(t *testing.T, e ast.Expr) string {
	t.Helper()
	text, ok := e.(*ast.BasicLit)
	if !ok {
		t.Fatalf("%T stands where a string should", e)
	}
	value, err := strconv.Unquote(text.Value)
	if err != nil {
		t.Fatal(err)
	}
	return value
}

func TestPickLanguage(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ chosen, accept, want string }{
		{"", "", "en"}, {"", "de-CH,en;q=0.5", "de"}, {"", "it,es-MX;q=0.8,fr;q=0.7", "es"}, {"fr", "de", "fr"}, {"xx", "de", "de"},
		{"", "ja", "en"}, {"", "en;q=0.1,fr", "fr"}, {"", "*", "en"}, {"", ";;;", "en"},
	} {
		if got := pickLanguage(c.chosen, c.accept); got != c.want {
			t.Errorf("%q %q: %s, want %s", c.chosen, c.accept, got, c.want)
		}
	}
}

func TestPluralsAndTimes(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	for lang, want := range map[string][]string{
		"en": {"0 days ago", "1 day ago", "2 days ago", "just now", "3 November 2026"},
		"fr": {"il y a 0 jour", "il y a 1 jour", "il y a 2 jours", "à l’instant", "3 novembre 2026"},
		"de": {"vor 0 Tagen", "vor 1 Tag", "vor 2 Tagen", "gerade eben", "3. November 2026"},
		"es": {"hace 0 días", "hace 1 día", "hace 2 días", "ahora mismo", "3 de noviembre de 2026"},
	} {
		w := catalogue[lang]
		var got []string
		for n := range 3 {
			text, err := w.N("time.days", n)
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, text)
		}
		got = append(got, w.since(now.Add(-time.Second), now), w.since(now.AddDate(0, 0, -20), now))
		if !slices.Equal(got, want) {
			t.Errorf("%s: %q, want %q", lang, got, want)
		}
		for d, key := range map[time.Duration]string{3 * time.Minute: "time.minutes", 3 * time.Hour: "time.hours", 72 * time.Hour: "time.days"} {
			if text, _ := w.N(key, 3); w.since(now.Add(-d), now) != text {
				t.Errorf("%s: %v is %q", lang, d, w.since(now.Add(-d), now))
			}
		}
	}
}

func TestMissingWordsFail(t *testing.T) {
	t.Parallel()
	w := catalogue["de"]
	if _, err := w.T("no.such.key"); err == nil {
		t.Error("a key that is not there is no error")
	}
	if _, err := w.N("no.such.key", 1); err == nil {
		t.Error("a counted key that is not there is no error")
	}
	if _, err := w.T("home.hello", "nobody", "x"); err == nil {
		t.Error("a name that has no place is no error")
	}
	defer func() {
		if fmt.Sprint(recover()) == "<nil>" {
			t.Error("say takes a key that is not there")
		}
	}()
	w.say("no.such.key")
}
