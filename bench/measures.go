package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"time"
)

// measure is a load with the floor for its rows.
type measure struct {
	key, title string
	floor      *item // nil: none is given
	load       func(w *world) load
	target     map[string]float64 // least ratio to the floor, by engine
	tail       float64            // most of the 99th percentile, in mean times of a request; 0 is any
	each       int                // items a request; 0 is one
	conns      int                // 0 is as the command line says
	single     bool               // the floor is the one that commits each item by itself
}

var measures = []measure{
	{key: "launch", title: "Full launch (303)", floor: &launchItem, load: (*world).launches, target: map[string]float64{"sqlite": 0.6, "postgres": 0.35}},
	{key: "mint", title: "Mint a credential", floor: &mintItem, load: (*world).mints, target: map[string]float64{"sqlite": 0.35, "postgres": 0.2}},
	{key: "first", title: "Full launch with a credential never used before", floor: &launchItem, load: (*world).firstLaunches},
	{key: "statement", title: "One statement a request (1.2 KB), service account", floor: &statementItem, load: func(w *world) load { return w.statements(false) },
		target: map[string]float64{"sqlite": 0.55, "postgres": 0.27}, tail: 3.75},
	{key: "learner", title: "One statement a request, learners' own credentials", floor: &statementItem, load: func(w *world) load { return w.statements(true) },
		target: map[string]float64{"sqlite": 0.4, "postgres": 0.2}},
	{key: "one", title: "One statement a request, one connection; floor: one by one", floor: &statementItem, load: func(w *world) load { return w.statements(false) },
		target: map[string]float64{"sqlite": 0.45, "postgres": 0.45}, conns: 1, single: true},
	{key: "batch50", title: "Statements, 50 a request, 4 connections, all about 20 activities", floor: &statementItem, load: func(w *world) load { return w.writes(50, sharing) },
		target: map[string]float64{"sqlite": 0.75, "postgres": 0.65}, conns: 4, each: 50},
	{key: "batch100", title: "Statements, 100 a request, 4 connections, all about 20 activities", floor: &statementItem, load: func(w *world) load { return w.writes(100, sharing) },
		target: map[string]float64{"sqlite": 0.75, "postgres": 0.65}, conns: 4, each: 100},
	{key: "provision", title: "Provision a new person (two attributes, one unique)", load: func(w *world) load { return w.arrivals(false) }},
	{key: "known", title: "Provision a known person, nothing new", load: func(w *world) load { return w.arrivals(true) }},
}

// storeMeasures are those of a store that holds many statements already.
var storeMeasures = []string{"latency", "reads", "pages", "cases", "soak"}

// mainMeasures are those of a server that was just started.
func mainMeasures() []string {
	var names []string
	for _, m := range measures {
		names = append(names, m.key)
	}
	return append(names, "cpu", "check", "idle")
}

// measureNames are what -measures takes.
func measureNames() []string { return append(mainMeasures(), storeMeasures...) }

// floorEach is how many items share a transaction of the floor.
const floorEach = 50

// speeds measures everything that needs the running product, floors and loads taking turns.
func (s *site) speeds(ctx context.Context) error {
	if s.wants("idle") {
		if err := s.idle(ctx, "Idle server, resident after 5 s", 60<<20); err != nil {
			return err
		}
	}
	if err := s.world.populate(ctx); err != nil {
		return err
	}
	runs := map[string]*series{}
	for round := range s.rounds {
		floors := map[string]*series{} // one for all loads that leave the same rows
		for _, m := range measures {
			if !s.wants(m.key) {
				continue
			}
			if runs[m.key] == nil {
				runs[m.key] = &series{measure: m, conns: cmp.Or(m.conns, s.conns)}
			}
			if err := s.one(ctx, runs[m.key], floors); err != nil {
				return fmt.Errorf("%s: %w", m.key, err)
			}
		}
		s.say("%s: round %d of %d is done", s.engine, round+1, s.rounds)
	}
	for _, m := range measures {
		if r := runs[m.key]; r != nil {
			s.results = append(s.results, r.result(s.engine))
		}
	}
	if s.wants("idle") {
		if err := s.idle(ctx, "The same server after all loads, 5 s idle", 0); err != nil {
			return err
		}
	}
	return s.peak("all loads of a server that was just started")
}

// series is what came of a measure's rounds.
type series struct {
	measure       measure
	conns         int
	tallies       []tally
	floor, single []laid
}

// laid is what a floor took.
type laid struct {
	speed float64       // items a second
	cpu   time.Duration // of an item: of the raw driver's process and the database's
}

// attempts is how often a measure is repeated on a machine that is never quiet.
const attempts = 6

// calmly measures until other work took less of the machine meanwhile than -quiet says, or else as often as it may, and
// keeps what was measured in the calmest of these attempts, whatever it was.
func calmly[T any](s *site, measure func() (T, float64, error)) (best T, others float64, err error) {
	others = math.Inf(1)
	for range attempts {
		got, load, err := measure()
		if err != nil {
			return best, load, err
		}
		if load < others {
			best, others = got, load
		}
		if s.quiet == 0 || others <= s.quiet {
			break
		}
	}
	return best, others, nil
}

// one measures the floor, unless this round has it, and then the load.
func (s *site) one(ctx context.Context, r *series, floors map[string]*series) error {
	m := r.measure
	if m.floor != nil {
		f := floors[m.floor.name]
		if f == nil {
			f = &series{}
			if err := s.lay(ctx, f, *m.floor); err != nil {
				return err
			}
			floors[m.floor.name] = f
		}
		r.floor, r.single = append(r.floor, f.floor...), append(r.single, f.single...)
	}
	t, _, err := calmly(s, func() (tally, float64, error) {
		t, err := s.checked(ctx, m)
		return t, t.Others, err
	})
	if err != nil {
		return err
	}
	r.tallies = append(r.tallies, t)
	each := func(d time.Duration) string { return micro(d / time.Duration(max(t.Counted, 1))) }
	s.say("%-9s %-10s %8.0f/s  p50 %s  p99 %s  CPU %s server, %s database, %s load; others %.2f", s.engine, m.key, t.PerSecond, milli(t.P50), milli(t.P99), each(t.ServerCPU), each(t.DBCPU), each(t.LoadCPU), t.Others)
	return nil
}

// checked runs a load and makes sure that it left the rows that the floor is of.
func (s *site) checked(ctx context.Context, m measure) (t tally, err error) {
	if pg, ok := s.rows.(*pgFloor); ok {
		if err := pg.analyze(ctx); err != nil {
			return t, err
		}
	}
	l := m.load(s.world)
	l.conns, l.tolerant = m.conns, m.each > 0
	before, err := s.countRows(ctx, m.floor)
	if err != nil {
		return t, err
	}
	if t, err = s.drive(ctx, l); err != nil {
		return t, err
	}
	if t.Counted == 0 {
		return t, errNoCredentials
	}
	after, err := s.countRows(ctx, m.floor)
	items := (t.All - t.Wrong) * max(m.each, 1)
	for name, rows := range before {
		if added, want := after[name]-rows, rowsOf(*m.floor, name)*items; added != want && err == nil {
			err = fmt.Errorf("%d items added %d rows to %s, and not %d: the floor would not be of the same rows", items, added, name, want)
		}
	}
	t.PerSecond, t.Counted = t.PerSecond*float64(max(m.each, 1)), t.Counted*max(m.each, 1)
	return t, err
}

// lay measures the floor of an item: in groups, and each in a transaction of its own.
func (s *site) lay(ctx context.Context, f *series, it item) error {
	if _, err := s.floor.run(ctx, it, floorEach, during(s.warm)); err != nil {
		return err
	}
	group, others, err := calmly(s, func() (laid, float64, error) { return s.layAlone(ctx, it, floorEach, s.seconds) })
	if err != nil {
		return err
	}
	single, _, err := calmly(s, func() (laid, float64, error) { return s.layAlone(ctx, it, 1, s.seconds/4) })
	f.floor, f.single = append(f.floor, group), append(f.single, single)
	s.say("%-9s %-10s %8.0f/s  floor, CPU %s; one by one %.0f/s, CPU %s; others %.2f", s.engine, it.name, group.speed, micro(group.cpu), single.speed, micro(single.cpu), others)
	return err
}

func (s *site) layAlone(ctx context.Context, it item, each int, long time.Duration) (l laid, others float64, err error) {
	meter := meterOf(0, s.database)
	if err := meter.begin(); err != nil {
		return l, 0, err
	}
	l.speed, err = s.floor.run(ctx, it, each, during(long))
	took := time.Since(meter.start)
	err = errors.Join(err, meter.end())
	l.cpu = time.Duration(float64(meter.loadTook+meter.dbTook) / max(1, l.speed*took.Seconds()))
	return l, meter.others, err
}

// drive runs a load against the server and measures the processor time.
func (s *site) drive(ctx context.Context, l load) (tally, error) {
	if l.conns == 0 {
		l.conns = s.conns
	}
	meter := meterOf(s.server.pid(), s.database)
	t, err := drive(ctx, s.world.address, l, span{s.warm, s.seconds, meter.begin, meter.end})
	t.Others, t.ServerCPU, t.DBCPU, t.LoadCPU = meter.others, meter.serverTook, meter.dbTook, meter.loadTook
	return t, err
}

// countRows counts the rows of the product's tables that an item goes to.
func (s *site) countRows(ctx context.Context, it *item) (map[string]int, error) {
	rows := map[string]int{}
	if it == nil {
		return rows, nil
	}
	for _, t := range it.tables {
		n, err := s.rows.count(ctx, cmp.Or(t.as, t.name))
		if err != nil {
			return nil, err
		}
		rows[t.name] = n
	}
	return rows, nil
}

func rowsOf(it item, name string) int {
	for _, t := range it.tables {
		if t.name == name {
			return t.rows
		}
	}
	return 0
}
