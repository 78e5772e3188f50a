package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"runtime"
	"time"

	"github.com/go-json-experiment/json"

	"rollway/internal/app"
)

// launchCPU measures by profile what a launch costs outside its transaction, next to a bare net/http handler that answers
// with a 303: as fast as it goes, and, since code that runs rarely runs in a cold cache, as often as launches come while
// the rows of launches are being written beside it. Servers run in processes of their own.
func (s *site) launchCPU(ctx context.Context) error {
	var outside, inside, bare, beside []time.Duration
	for range s.rounds {
		house, others, err := calmly(s, func() (cost, float64, error) {
			c, err := s.config()
			if err != nil {
				return cost{}, 0, err
			}
			config, err := json.Marshal(c)
			if err != nil {
				return cost{}, 0, err
			}
			return s.profile(ctx, 0, "house", string(config))
		})
		if err != nil {
			return err
		}
		plain, _, err := calmly(s, func() (cost, float64, error) { return s.profile(ctx, 0, "bare") })
		if err != nil {
			return err
		}
		rare, _, err := calmly(s, func() (cost, float64, error) { return s.besideFloor(ctx, house.requests) })
		if err != nil {
			return err
		}
		outside, inside = append(outside, house.each(house.all-house.transaction)), append(inside, house.each(house.transaction))
		bare, beside = append(bare, plain.each(plain.all)), append(beside, rare.each(rare.all))
		at := len(bare) - 1
		s.say("%-9s cpu        launch %s outside and %s inside the transaction; bare 303 %s, as rare as launches %s; others %.2f", s.engine, micro(outside[at]), micro(inside[at]), micro(bare[at]), micro(beside[at]), others)
	}
	r := result{engine: s.engine, title: "CPU of a launch outside its transaction; floor: a bare net/http 303", ours: micro(median(outside)), floor: micro(median(bare))}
	ratio := float64(median(outside)) / float64(median(bare))
	r.ratio = fmt.Sprintf("%.2f", ratio)
	r.judge(ratio <= 2, "≤ 2.00")
	again := result{engine: s.engine, title: "The same; floor: the bare 303 as often as launches come, beside their rows being written", ours: micro(median(outside)), floor: micro(median(beside)),
		ratio: fmt.Sprintf("%.2f", float64(median(outside))/float64(median(beside)))}
	s.results = append(s.results, r, again, result{engine: s.engine, title: "CPU of a launch inside its transaction (server process)", ours: micro(median(inside))})
	return nil
}

// besideFloor profiles the bare handler answering so many requests, while the floor writes the rows of launches.
func (s *site) besideFloor(ctx context.Context, requests int) (c cost, others float64, err error) {
	pace := time.Duration(s.conns) * s.seconds / time.Duration(requests)
	done := make(chan error, 1)
	go func() {
		_, err := s.floor.run(ctx, launchItem, floorEach, during(s.warm+s.seconds))
		done <- err
	}()
	c, others, err = s.profile(ctx, pace, "bare")
	return c, others, errors.Join(err, <-done)
}

// profile starts a child, drives launches at it and returns what its profile shows.
func (s *site) profile(ctx context.Context, pace time.Duration, args ...string) (c cost, others float64, err error) {
	p, err := spawn(ctx, filepath.Join(s.dir, args[0]+".log"), args...)
	if err != nil {
		return c, 0, err
	}
	house := args[0] == "house"
	file := filepath.Join(s.dir, args[0]+".prof")
	s.world.address = p.address
	l := redirects(p.address)
	if house {
		l = s.world.launches()
	}
	l.pace, l.conns = pace, s.conns
	meter := meterOf(p.pid(), s.database)
	begin := func() error { return errors.Join(p.tell("profile "+file), meter.begin()) }
	end := func() error { return errors.Join(meter.end(), p.tell("stop")) }
	t, err := drive(ctx, p.address, l, span{s.warm, s.seconds, begin, end})
	if err = errors.Join(err, p.end()); err != nil {
		return c, 0, fmt.Errorf("%w; it said %s", err, tail(p.log))
	}
	if c, err = costOf(ctx, file); err == nil && house && c.transaction == 0 {
		err = errors.New("no sample of the profile is under a transaction: the functions it is told by have other names now")
	}
	c.requests = max(t.Counted, 1)
	return c, meter.others, err
}

// checkTimes is how long a check takes on average.
type checkTimes struct {
	remembered time.Duration // by the process
	asked      time.Duration // of the database, whose pages are in memory
	cold       time.Duration // of the database, just after it was opened
	look       time.Duration // one look-up by primary key with the raw driver
}

// checks measures the check of a credential in this process: one that is remembered, and one that is not.
func (s *site) checks(ctx context.Context) error {
	all := make([]credential, 0, 21*people)
	for n := range people {
		all = append(all, learner(n))
	}
	s.world.mu.Lock()
	all = append(all, s.world.minted[:min(len(s.world.minted), 20*people)]...)
	s.world.mu.Unlock()
	var remembered, asked, cold, look []time.Duration
	for range s.rounds {
		t, others, err := calmly(s, func() (checkTimes, float64, error) { return s.check(ctx, all) })
		if err != nil {
			return err
		}
		remembered, asked, cold, look = append(remembered, t.remembered), append(asked, t.asked), append(cold, t.cold), append(look, t.look)
		s.say("%-9s check      %s remembered, %s asked, %s asked of a cold database, one row %s; others %.2f", s.engine, micros(t.remembered), micros(t.asked), micros(t.cold), micros(t.look), others)
	}
	r := result{engine: s.engine, title: "Credential check, remembered", ours: micros(median(remembered))}
	r.judge(median(remembered) <= time.Microsecond, "≤ 1 µs")
	line := func(title string, took []time.Duration) result {
		return result{engine: s.engine, title: title, ours: micros(median(took)), floor: micros(median(look)), ratio: fmt.Sprintf("%.2f", float64(median(took))/float64(median(look)))}
	}
	n := line("Credential check, not remembered; floor: one row by its key", asked)
	n.judge(median(asked) <= 40*time.Microsecond, "≤ 40 µs")
	s.results = append(s.results, r, n, line("The same just after the start, when no page of the database is in memory", cold))
	return nil
}

// check has a newly opened house check credentials presented in three ways, since each way is remembered by itself. The
// one between the first and the measured one brings more of the database into the memory of each connection.
func (s *site) check(ctx context.Context, all []credential) (t checkTimes, others float64, err error) {
	headers := make([]string, len(all))
	for i, c := range all {
		headers[i] = c.basic()
	}
	h, err := app.Open(ctx, app.Config{Data: s.dir, DB: s.db})
	if err != nil {
		return t, 0, err
	}
	defer func() { err = errors.Join(err, h.Close()) }()
	meter := meterOf(0, s.database)
	if err := meter.begin(); err != nil {
		return t, 0, err
	}
	timed := func(into *time.Duration, authenticate func(i int) error) {
		runtime.GC()
		start := time.Now()
		for i := range all {
			if err == nil {
				err = authenticate(i)
			}
		}
		*into = time.Since(start) / time.Duration(len(all))
	}
	header := func(api bool) func(i int) error {
		return func(i int) error { _, err := h.Credentials.Authenticate(ctx, headers[i], api); return err }
	}
	timed(&t.cold, header(false))
	timed(&t.asked, func(i int) error {
		_, err := h.Credentials.AuthenticateBasic(ctx, all[i].name, all[i].secret)
		return err
	})
	timed(&t.asked, header(true))
	timed(&t.remembered, header(true))
	if err != nil {
		return t, 0, err
	}
	if t.look, err = s.rows.look(ctx, len(all)); err != nil {
		return t, 0, err
	}
	err = meter.end()
	return t, meter.others, err
}
