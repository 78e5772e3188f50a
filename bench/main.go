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
	"strconv"
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
	store    int   // statements
	sizes    []int // at which latencies are measured; the last is store
	soak     time.Duration
	offered  int
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
	if len(args) > 0 && (args[0] == "bare" || args[0] == "house" || args[0] == "asked") {
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
	var engines, measures, sizes string
	f := flag.NewFlagSet("bench", flag.ContinueOnError)
	f.StringVar(&engines, "engines", strings.Join(allEngines, ","), "databases to measure")
	f.StringVar(&measures, "measures", strings.Join(slices.DeleteFunc(measureNames(), func(m string) bool { return m == "soak" }), ","), "what to measure; there is soak too")
	f.DurationVar(&o.seconds, "for", 4*time.Second, "how long each measure runs, each round")
	f.DurationVar(&o.warm, "warm", time.Second, "how long each measure runs before that")
	f.IntVar(&o.rounds, "rounds", 3, "how often; the table shows medians")
	f.Float64Var(&o.quiet, "quiet", 0, "repeat a measure while other work takes more than so many `cores` of the machine; 0 never")
	f.IntVar(&o.conns, "conns", 64, "keep-alive connections")
	f.IntVar(&o.store, "statements", 100_000, "how many statements the store holds that is read from")
	f.StringVar(&sizes, "sizes", "", "ascending `sizes` of that store at which latencies are measured, instead of -statements; the last is used for all else")
	f.DurationVar(&o.soak, "soak", 10*time.Minute, "how long the measure soak runs")
	f.IntVar(&o.offered, "offered", 5000, "statements a second that it offers")
	f.StringVar(&o.postgres, "postgres", os.Getenv("ROLLWAY_TEST_POSTGRES"), "`URL` of a PostgreSQL server where databases may be created; default $ROLLWAY_TEST_POSTGRES")
	f.StringVar(&o.dir, "dir", "", "`directory` for the data; default the system's for temporary files")
	f.BoolVar(&o.markdown, "md", false, "print the table in Markdown")
	f.BoolVar(&o.keep, "keep", false, "keep data and profiles")
	if err := f.Parse(args); err != nil {
		return o, err
	}
	if err := o.readSizes(sizes); err != nil {
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

// readSizes reads the sizes of the store.
func (o *options) readSizes(list string) error {
	o.sizes = []int{o.store}
	if list != "" {
		o.sizes = nil
		for text := range strings.SplitSeq(list, ",") {
			n, err := strconv.Atoi(text)
			if err != nil {
				return fmt.Errorf("-sizes: %w", err)
			}
			o.sizes = append(o.sizes, n)
		}
	}
	if o.store = o.sizes[len(o.sizes)-1]; !slices.IsSorted(o.sizes) || len(slices.Compact(slices.Clone(o.sizes))) < len(o.sizes) || o.sizes[0] < 1000 {
		return errors.New("a store holds at least 1,000 statements, and -sizes ascend")
	}
	if o.soak < soakParts*time.Second || o.offered < 1 {
		return fmt.Errorf("-soak is at least %d s and offers at least one statement a second", soakParts)
	}
	return nil
}

// bench is one run of this program.
type bench struct {
	options
	temp    string
	product string
	results []result
	cases   []useCase
}

func (b *bench) wants(measure string) bool { return slices.Contains(b.measures, measure) }

func (b *bench) wantsOne(measures []string) bool { return slices.ContainsFunc(measures, b.wants) }

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
	floorDB  string // its database
	rows     floor  // counts the product's rows
	database string // PostgreSQL: how the names of ours begin
	world    *world
	server   *server
}

func (b *bench) engine(ctx context.Context, engine string) error {
	if b.wantsOne(mainMeasures()) {
		if err := b.at(ctx, engine, "new", (*site).main); err != nil {
			return err
		}
	}
	if !b.wantsOne(storeMeasures) {
		return nil
	}
	return b.at(ctx, engine, "store", (*site).reading)
}

// at measures at a new installation, which is removed afterwards.
func (b *bench) at(ctx context.Context, engine, name string, measure func(*site, context.Context) error) (err error) {
	s := &site{bench: b, engine: engine, installation: installation{binary: b.product, dir: filepath.Join(b.temp, engine+"-"+name)}}
	remove, err := s.open(ctx)
	if err != nil {
		return err
	}
	defer func() {
		if err = errors.Join(err, remove()); !b.keep {
			err = errors.Join(err, os.RemoveAll(s.dir))
		}
	}()
	account, err := s.furnish(ctx)
	if err != nil {
		return err
	}
	s.world = &world{account: account, conns: b.conns}
	return measure(s, ctx)
}

// serving runs the product while something is measured.
func (s *site) serving(ctx context.Context, measure func(context.Context) error) (err error) {
	if s.server, err = s.serve(ctx); err != nil {
		return err
	}
	s.world.address = s.server.address
	err = measure(ctx)
	if err = errors.Join(err, s.server.stop()); err != nil {
		return fmt.Errorf("%w; the server said %s", err, tail(s.server.log))
	}
	return nil
}

// main measures what needs a server that was just started, or none.
func (s *site) main(ctx context.Context) error {
	if err := s.serving(ctx, s.speeds); err != nil {
		return err
	}
	if s.wants("cpu") {
		if err := s.launchCPU(ctx); err != nil {
			return err
		}
	}
	if s.wants("check") {
		return s.checks(ctx)
	}
	return nil
}
