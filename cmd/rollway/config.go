package main

import (
	"errors"
	"fmt"
	"net/url"
	"os"
	"slices"
	"strings"

	"github.com/alecthomas/kong"
	"github.com/pelletier/go-toml/v2"
)

// settings finds values for flags that the command line leaves out: in the environment (ROLLWAY_NAME, and for a secret
// ROLLWAY_NAME_FILE), then in the TOML file.
type settings struct {
	file  map[string]any
	used  map[string]string // flag → origin, for `config show --origin`
	apart bool              // the command has nothing to do with the house that they are of
}

// readFor reads what these arguments have to do with: nothing for a command that is tagged apart, but where this machine listens.
func (s *settings) readFor(parser *kong.Kong, args []string) error {
	traced, err := kong.Trace(parser, args)
	if err != nil {
		return err
	}
	if command := traced.Selected(); command != nil && command.Tag.Has("apart") {
		s.apart = true
		return nil
	}
	return s.readFile(configFile(args))
}

// configFile is where --config points; it is read before the flags so that the file can fill them.
func configFile(args []string) string {
	for i, a := range args {
		if a == "--" {
			break
		}
		if v, ok := strings.CutPrefix(a, "--config="); ok {
			return v
		}
		if a == "--config" && i+1 < len(args) {
			return args[i+1]
		}
	}
	return os.Getenv("ROLLWAY_CONFIG")
}

func (s *settings) readFile(path string) error {
	if path == "" {
		return nil
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	if err := toml.Unmarshal(text, &s.file); err != nil {
		var at *toml.DecodeError
		if errors.As(err, &at) {
			row, col := at.Position()
			return fmt.Errorf("%s line %d column %d: %w", path, row, col, err)
		}
		return fmt.Errorf("%s: %w", path, err)
	}
	return nil
}

func envName(flag string) string {
	return "ROLLWAY_" + strings.ToUpper(strings.ReplaceAll(flag, "-", "_"))
}

// Validate refuses keys of the file that are no flag, with the nearest one as a hint.
func (s *settings) Validate(app *kong.Application) error {
	var names []string
	if err := kong.Visit(app, func(n kong.Visitable, next kong.Next) error {
		if f, ok := n.(*kong.Flag); ok {
			names = append(names, f.Name)
		}
		return next(nil)
	}); err != nil {
		return err
	}
	for key := range s.file {
		if !slices.Contains(names, key) {
			return fmt.Errorf("the configuration file has the unknown key %q%s", key, hint(key, names))
		}
	}
	return nil
}

// Resolve implements kong.Resolver.
func (s *settings) Resolve(_ *kong.Context, _ *kong.Path, flag *kong.Flag) (any, error) {
	if s.apart && flag.Name != "http" && flag.Name != "courseware-http" {
		return nil, nil
	}
	name := envName(flag.Name)
	if v, ok := os.LookupEnv(name); ok {
		s.used[flag.Name] = "environment " + name
		return v, nil
	}
	if flag.Tag.Has("secret") {
		if path, ok := os.LookupEnv(name + "_FILE"); ok {
			text, err := os.ReadFile(path)
			if err != nil {
				return nil, fmt.Errorf("%s_FILE: %w", name, err)
			}
			s.used[flag.Name] = "environment " + name + "_FILE"
			return strings.TrimSpace(string(text)), nil
		}
	}
	v, ok := s.file[flag.Name]
	if !ok {
		return nil, nil
	}
	s.used[flag.Name] = "file"
	if list, ok := v.([]any); ok {
		parts := make([]string, len(list))
		for i, p := range list {
			parts[i] = fmt.Sprint(p)
		}
		return strings.Join(parts, ","), nil
	}
	return fmt.Sprint(v), nil
}

// hint names the nearest known word, if one is near, and otherwise where all stand.
func hint(word string, known []string) string {
	best, at := "", 4
	for _, k := range known {
		if d := distance(word, k); d < at {
			best, at = k, d
		}
	}
	if best == "" {
		return "; rollway --help lists those there are"
	}
	return fmt.Sprintf(", did you mean %q?", best)
}

// distance is the Levenshtein distance.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := 1; i <= len(a); i++ {
		diagonal := row[0]
		row[0] = i
		for j := 1; j <= len(b); j++ {
			cost := diagonal
			if a[i-1] != b[j-1] {
				cost++
			}
			diagonal = row[j]
			row[j] = min(cost, row[j]+1, row[j-1]+1)
		}
	}
	return row[len(b)]
}

// redacted hides the password of a URL.
func redacted(value string) string {
	u, err := url.Parse(value)
	if err != nil {
		return "(not shown)"
	}
	return u.Redacted()
}
