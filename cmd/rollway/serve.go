package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"reflect"
	"runtime"
	"runtime/debug"
	"slices"
	"sort"
	"strings"
	"time"

	"github.com/alecthomas/kong"

	"rollway/internal/app"
)

// ServeCommand is `serve`.
type ServeCommand struct{}

// Run serves until SIGTERM or Ctrl-C, then drains.
func (*ServeCommand) Run(s *surroundings) (err error) {
	app.TuneCollector()
	lines := app.NewLines(s.err)
	defer func() { err = errors.Join(err, lines.Close()) }()
	s.err, s.config.Serves = lines, true
	return s.house(func(h *app.House) error {
		serving, err := h.Serve(s, slog.New(slog.NewTextHandler(s.err, nil)))
		if err != nil {
			return err
		}
		fmt.Fprintf(s.err, "Rollway %s serves %s (packages at %s) from %s, %v.\n", version(), h.Config.PublicURL, h.Config.CoursewareURL, h.Config.Data, h.DB.Engine())
		return s.until(serving)
	})
}

// until waits for the end and shuts down.
func (s *surroundings) until(serving *app.Serving) error {
	var died error
	select {
	case <-s.Done():
		fmt.Fprintln(s.err, "Stopping; requests in flight are finished.")
	case died = <-serving.Failed():
	}
	if err := serving.Shutdown(context.WithoutCancel(s)); err != nil {
		return err
	}
	return died
}

// VersionCommand is `version`.
type VersionCommand struct{ Output }

type versionAnswer struct {
	Version string `json:"version"`
	Commit  string `json:"commit"`
	Go      string `json:"go"`
}

// Run prints the version.
func (c *VersionCommand) Run(s *surroundings) error {
	v := versionAnswer{version(), commit(), runtime.Version()}
	return c.print(s, v, []string{"version", "commit", "go"}, [][]string{{v.Version, v.Commit, v.Go}})
}

func version() string {
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" {
		return info.Main.Version
	}
	return "(devel)"
}

func commit() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return ""
	}
	i := slices.IndexFunc(info.Settings, func(s debug.BuildSetting) bool { return s.Key == "vcs.revision" })
	if i < 0 {
		return ""
	}
	return info.Settings[i].Value
}

// ConfigCommand groups the commands on the configuration.
type ConfigCommand struct {
	Show ConfigShow `cmd:"" help:"Print the configuration in force."`
}

// ConfigShow is `config show`.
type ConfigShow struct {
	Origin bool `help:"Say where each value comes from."`
	Output
}

type setting struct {
	Name   string `json:"name"`
	Value  string `json:"value"`
	Origin string `json:"origin,omitempty"`
}

// Run prints the settings.
func (c *ConfigShow) Run(s *surroundings) error {
	inForce := map[string]string{}                        // defaults that depend on other settings
	if full, err := s.config.WithDefaults(); err == nil { // doctor says what is wrong with them
		inForce = map[string]string{"data": full.Data, "db": full.DB, "public-url": full.PublicURL, "courseware-url": full.CoursewareURL}
	}
	var out []setting
	for _, f := range s.parsed.Model.Flags {
		if f.Name == "help" {
			continue
		}
		out = append(out, c.of(s, f, inForce))
	}
	sort.Slice(out, func(i, j int) bool { return out[i].Name < out[j].Name })
	var rows [][]string
	heads := []string{"name", "value"}
	if c.Origin {
		heads = append(heads, "origin")
	}
	for _, o := range out {
		rows = append(rows, []string{o.Name, o.Value, o.Origin})
	}
	return c.print(s, out, heads, rows)
}

func (c *ConfigShow) of(s *surroundings, f *kong.Flag, inForce map[string]string) setting {
	o := setting{Name: f.Name, Value: written(s.parsed.FlagValue(f)), Origin: "default"}
	if from := s.settings.used[f.Name]; from != "" {
		o.Origin = from
	}
	if s.given(f.Name) {
		o.Origin = "flag"
	}
	if o.Value == "" {
		o.Value = inForce[f.Name]
	}
	switch {
	case o.Value == "" || !f.Tag.Has("secret"):
	case f.Tag.Get("secret") == "all":
		o.Value = "(not shown)"
	default: // the password of a URL
		o.Value = redacted(o.Value)
	}
	if !c.Origin {
		o.Origin = ""
	}
	return o
}

// written is a value as its flag takes it.
func written(value any) string {
	if d, ok := value.(time.Duration); ok {
		text := d.String()
		if strings.HasSuffix(text, "m0s") {
			text = strings.TrimSuffix(text, "0s")
		}
		if strings.HasSuffix(text, "h0m") {
			text = strings.TrimSuffix(text, "0m")
		}
		return text
	}
	v := reflect.ValueOf(value)
	if v.Kind() != reflect.Slice {
		return fmt.Sprint(value)
	}
	parts := make([]string, v.Len())
	for i := range parts {
		parts[i] = fmt.Sprint(v.Index(i))
	}
	return strings.Join(parts, ",")
}

// DoctorCommand is `doctor`.
type DoctorCommand struct{ Output }

// Run checks the installation; findings that must be repaired make it fail.
func (c *DoctorCommand) Run(s *surroundings) error {
	findings := app.Examine(s, s.config)
	rows := make([][]string, len(findings))
	bad := 0
	for i, f := range findings {
		rows[i] = []string{string(f.State), f.What, f.Finding, f.Fix}
		if f.State == app.Bad {
			bad++
		}
	}
	if err := c.print(s, findings, []string{"state", "what", "finding", "fix"}, rows); err != nil {
		return err
	}
	if bad > 0 {
		return fmt.Errorf("%s to be repaired", count(bad, "finding"))
	}
	return nil
}
