package main

import (
	"bytes"
	"io"
	"strings"
	"testing"

	"github.com/go-json-experiment/json"
)

// A person's attributes stand in the same order each time.
func TestPersonGetOrder(t *testing.T) {
	t.Parallel()
	house := []string{"--data", t.TempDir()}
	add := []string{"person", "add", "--attribute", "Email=ada@example.com"}
	for _, name := range []string{"Zone", "Country", "Team", "Building", "Office"} {
		add = append(add, "--attribute", name+"=x")
	}
	if got := run(t.Context(), append(add, house...), io.Discard, io.Discard); got != 0 {
		t.Fatalf("person add: status %d", got)
	}
	var out, errs bytes.Buffer
	if got := run(t.Context(), append([]string{"person", "get", "ada@example.com"}, house...), &out, &errs); got != 0 {
		t.Fatalf("person get: status %d\n%s", got, errs.String())
	}
	rest := out.String()
	for _, name := range []string{"Building", "Country", "Email", "Office", "Team", "Zone"} {
		_, after, found := strings.Cut(rest, "attribute "+name)
		if !found {
			t.Fatalf("%s does not come next:\n%s", name, out.String())
		}
		rest = after
	}
}

// What config show prints can be written into the configuration.
func TestConfigShowIsWritten(t *testing.T) {
	t.Parallel()
	var out, errs bytes.Buffer
	args := []string{"config", "show", "-o", "json", "--signup-domains", "a.example,b.example", "--signup-delay", "90m", "--trusted-proxies", "10.0.0.7,10.1.0.0/16"}
	if got := run(t.Context(), args, &out, &errs); got != 0 {
		t.Fatalf("status %d\n%s", got, errs.String())
	}
	var settings []setting
	if err := json.Unmarshal(out.Bytes(), &settings); err != nil {
		t.Fatal(err)
	}
	values := map[string]string{}
	for _, s := range settings {
		values[s.Name] = s.Value
	}
	for name, want := range map[string]string{
		"signup-domains": "a.example,b.example", "signup-blocked": "", "signup-fields": "name,newsletter", "signup-delay": "1h30m", "trusted-proxies": "10.0.0.7/32,10.1.0.0/16",
		"password-min": "15", "signup-approval": "false", "signin-limit": "10/15m,50/24h",
	} {
		if values[name] != want {
			t.Errorf("%s is %q, want %q", name, values[name], want)
		}
	}
}
