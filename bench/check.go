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
		_, err := s.floor.run(ctx, launchItem, floorEach, s.warm+s.seconds)
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
	l.pace = pace
	meter := meterOf(p.pid(), s.database)
	begin := func() error { return errors.Join(p.tell("profile "+file), meter.begin()) }
	end := func() error { return errors.Join(meter.end(), p.tell("stop")) }
	t, err := drive(ctx, p.address, s.conns, l, span{s.warm, s.seconds, begin, end})
	if err = errors.Join(err, p.end()); err != nil {
		return c, 0, fmt.Errorf("%w; it said %s", err, tail(p.log))
	}
	if c, err = costOf(ctx, file); err == nil && house && c.transaction == 0 {
		err = errors.New("no sample of the profile is under a transaction: the functions it is told by have other names now")
	}
	c.requests = max(t.Counted, 1)
	return c, meter.others, err
}

// checks measures the check of a credential in this process: one that is remembered, and one that is not, whose floor is
// one look-up by primary key with the raw driver.
func (s *site) checks(ctx context.Context) error {
	headers := make([]string, 0, 21*people)
	for n := range people {
		headers = append(headers, learner(n).basic())
	}
	s.world.mu.Lock()
	for _, c := range s.world.minted[:min(len(s.world.minted), 20*people)] {
		headers = append(headers, c.basic())
	}
	s.world.mu.Unlock()
	var cached, uncached, floor []time.Duration
	for range s.rounds {
		took, others, err := calmly(s, func() ([3]time.Duration, float64, error) { return s.checkAndLook(ctx, headers) })
		if err != nil {
			return err
		}
		uncached, cached, floor = append(uncached, took[0]), append(cached, took[1]), append(floor, took[2])
		s.say("%-9s check      %s remembered, %s not, one row %s; others %.2f", s.engine, micros(took[1]), micros(took[0]), micros(took[2]), others)
	}
	r := result{engine: s.engine, title: "Credential check, remembered", ours: micros(median(cached))}
	r.judge(median(cached) <= time.Microsecond, "≤ 1 µs")
	n := result{engine: s.engine, title: "Credential check, not remembered; floor: one row by its key", ours: micros(median(uncached)), floor: micros(median(floor))}
	n.ratio = fmt.Sprintf("%.2f", float64(median(uncached))/float64(median(floor)))
	n.judge(median(uncached) <= 40*time.Microsecond, "≤ 40 µs")
	s.results = append(s.results, r, n)
	return nil
}

func (s *site) checkAndLook(ctx context.Context, headers []string) (took [3]time.Duration, others float64, err error) {
	meter := meterOf(0, s.database)
	if err := meter.begin(); err != nil {
		return took, 0, err
	}
	if took[0], took[1], err = s.check(ctx, headers); err != nil {
		return took, 0, err
	}
	took[2], err = s.rows.look(ctx, len(headers))
	err = errors.Join(err, meter.end())
	return took, meter.others, err
}

// check has a newly opened house check the headers twice.
func (s *site) check(ctx context.Context, headers []string) (first, second time.Duration, err error) {
	h, err := app.Open(ctx, app.Config{Data: s.dir, DB: s.db})
	if err != nil {
		return 0, 0, err
	}
	defer func() { err = errors.Join(err, h.Close()) }()
	each := func() (time.Duration, error) {
		runtime.GC()
		start := time.Now()
		for _, header := range headers {
			if _, err := h.Credentials.Authenticate(ctx, header, false); err != nil {
				return 0, err
			}
		}
		return time.Since(start) / time.Duration(len(headers)), nil
	}
	if first, err = each(); err != nil {
		return 0, 0, err
	}
	second, err = each()
	return first, second, err
}
