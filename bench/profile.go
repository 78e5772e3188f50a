package main

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"regexp"
	"strconv"
	"time"
)

// transactions are the functions under which everything that a transaction costs is found: the writer and the checkpointer
// of SQLite, a write on PostgreSQL and what its driver does beside it.
const transactions = `rollway/internal/db\.\(\*lite\)\.(run|checkpoint)$|rollway/internal/db\.\(\*postgres\)\.write$|github\.com/jackc/pgx`

// cost is the processor time that a profile shows, and of how many requests.
type cost struct {
	all, transaction time.Duration
	requests         int
}

func (c cost) each(d time.Duration) time.Duration { return d / time.Duration(c.requests) }

// costOf reads a profile with Go's own tool.
func costOf(ctx context.Context, file string) (c cost, err error) {
	if c.all, err = pprofTotal(ctx, file); err != nil {
		return c, err
	}
	c.transaction, err = pprofTotal(ctx, file, "-focus="+transactions)
	return c, err
}

func pprofTotal(ctx context.Context, file string, more ...string) (time.Duration, error) {
	args := append([]string{"tool", "pprof", "-top", "-unit=ms", "-nodecount=1000000", "-nodefraction=0"}, more...)
	out, err := exec.CommandContext(ctx, "go", append(args, file)...).Output()
	if exit := (*exec.ExitError)(nil); errors.As(err, &exit) {
		return 0, fmt.Errorf("go tool pprof: %w: %s", err, exit.Stderr)
	}
	if err != nil {
		return 0, err
	}
	return parseTotal(string(out), len(more) > 0)
}

var (
	activeLine = regexp.MustCompile(`Showing nodes accounting for ([0-9.]+)ms, +[0-9.]+% of ([0-9.]+)ms total`)
	nothing    = regexp.MustCompile(`Showing nodes accounting for 0,`)
)

// parseTotal reads what the tool prints: the time in all samples, or that in the samples which are in focus. A focus that
// matches nothing is no time at all.
func parseTotal(text string, focused bool) (time.Duration, error) {
	m := activeLine.FindStringSubmatch(text)
	if m == nil {
		if focused && nothing.MatchString(text) {
			return 0, nil
		}
		return 0, fmt.Errorf("the profile cannot be read: %.300q", text)
	}
	n := m[2]
	if focused {
		n = m[1]
	}
	ms, err := strconv.ParseFloat(n, 64)
	return time.Duration(ms * float64(time.Millisecond)), err
}
