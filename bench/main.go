// Command bench measures how fast Rollway does its main jobs, next to what the same machine and database could do at most.
// README.md says how to run it, docs/performance.md how it measures and what came out.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"
)

// options are the command line.
type options struct {
	engines  []string
	measures []string
	seconds  time.Duration
	warm     time.Duration
	rounds   int
	quiet    float64
	conns    int
	postgres string
	dir      string
	markdown bool
	keep     bool
}

var allEngines = []string{"sqlite", "postgres"}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:])
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string) error {
	if len(args) > 0 && (args[0] == "bare" || args[0] == "house") {
		return child(ctx, args)
	}
	o, err := readOptions(args)
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp(o.dir, "rollway-bench-")
	if err != nil {
		return err
	}
	if !o.keep {
		defer os.RemoveAll(dir) // what could not be removed is under the system's temporary directory
	}
	if volatile, err := inMemory(dir); err != nil || volatile {
		return errors.Join(err, fmt.Errorf("%s is in memory, where nothing is durable: give another -dir", dir))
	}
	b := &bench{options: o, temp: dir}
	if b.product, err = build(ctx, dir); err != nil {
		return fmt.Errorf("build the product: %w", err)
	}
	b.say("%s", machine())
	for _, e := range o.engines {
		if err := b.engine(ctx, e); err != nil {
			b.print(os.Stdout)
			return fmt.Errorf("%s: %w", e, err)
		}
	}
	b.print(os.Stdout)
	return nil
}

func readOptions(args []string) (options, error) {
	var o options
	var engines, measures string
	f := flag.NewFlagSet("bench", flag.ContinueOnError)
	f.StringVar(&engines, "engines", strings.Join(allEngines, ","), "databases to measure")
	f.StringVar(&measures, "measures", strings.Join(measureNames(), ","), "what to measure")
	f.DurationVar(&o.seconds, "for", 4*time.Second, "how long each measure runs, each round")
	f.DurationVar(&o.warm, "warm", time.Second, "how long each measure runs before that")
	f.IntVar(&o.rounds, "rounds", 3, "how often; the table shows medians")
	f.Float64Var(&o.quiet, "quiet", 0, "repeat a measure while other work takes more than so many `cores` of the machine; 0 never")
	f.IntVar(&o.conns, "conns", 64, "keep-alive connections")
	f.StringVar(&o.postgres, "postgres", os.Getenv("ROLLWAY_TEST_POSTGRES"), "`URL` of a PostgreSQL server where databases may be created; default $ROLLWAY_TEST_POSTGRES")
	f.StringVar(&o.dir, "dir", "", "`directory` for the data; default the system's for temporary files")
	f.BoolVar(&o.markdown, "md", false, "print the table in Markdown")
	f.BoolVar(&o.keep, "keep", false, "keep data and profiles")
	if err := f.Parse(args); err != nil {
		return o, err
	}
	o.engines, o.measures = strings.Split(engines, ","), strings.Split(measures, ",")
	for _, m := range o.measures {
		if !slices.Contains(measureNames(), m) {
			return o, fmt.Errorf("there is no measure %q; there are %s", m, strings.Join(measureNames(), ", "))
		}
	}
	for _, e := range o.engines {
		if !slices.Contains(allEngines, e) {
			return o, fmt.Errorf("there is no engine %q; there are %s", e, strings.Join(allEngines, ", "))
		}
		if e == "postgres" && o.postgres == "" {
			return o, errors.New("give -postgres or ROLLWAY_TEST_POSTGRES, or -engines sqlite")
		}
	}
	if o.conns < 1 || o.conns > 99 || o.rounds < 1 || o.seconds <= 0 {
		return o, errors.New("-conns is 1 to 99, -rounds and -for are more than nothing")
	}
	return o, nil
}

// bench is one run of this program.
type bench struct {
	options
	temp    string
	product string
	results []result
}

func (b *bench) wants(measure string) bool { return slices.Contains(b.measures, measure) }

// say tells how it goes, on stderr.
func (b *bench) say(format string, args ...any) {
	fmt.Fprintf(os.Stderr, time.Now().Format("15:04:05 ")+format+"\n", args...)
}

// site is one engine under measurement.
type site struct {
	*bench
	engine string
	installation
	floor    floor
	rows     floor  // counts the product's rows
	database string // PostgreSQL: how the names of ours begin
	world    *world
	server   *server
}

// floor writes rows with the raw driver, counts those of a table, and times looking one up.
type floor interface {
	run(ctx context.Context, it item, each int, long time.Duration) (float64, error)
	count(ctx context.Context, table string) (int, error)
	look(ctx context.Context, n int) (time.Duration, error)
	close() error
}

func (b *bench) engine(ctx context.Context, engine string) (err error) {
	s := &site{bench: b, engine: engine, installation: installation{binary: b.product, dir: filepath.Join(b.temp, engine)}}
	remove, err := s.open(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, remove()) }()
	account, err := s.furnish(ctx)
	if err != nil {
		return err
	}
	if s.server, err = s.serve(ctx); err != nil {
		return err
	}
	s.world = &world{address: s.server.address, account: account, conns: b.conns}
	err = s.speeds(ctx)
	if err = errors.Join(err, s.server.stop()); err != nil {
		return fmt.Errorf("%w; the server said %s", err, tail(s.server.log))
	}
	if b.wants("cpu") {
		if err := s.launchCPU(ctx); err != nil {
			return err
		}
	}
	if b.wants("check") {
		return s.checks(ctx)
	}
	return nil
}
