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
// with a 303. Both run in processes of their own under the same load.
func (s *site) launchCPU(ctx context.Context) error {
	var mine, bare []time.Duration
	var inside []time.Duration
	for range s.rounds {
		b, all, err := s.profile(ctx, "bare", "bare")
		if err != nil {
			return err
		}
		c, err := s.config()
		if err != nil {
			return err
		}
		config, err := json.Marshal(c)
		if err != nil {
			return err
		}
		h, launches, err := s.profile(ctx, "house", "house", string(config))
		if err != nil {
			return err
		}
		bare = append(bare, b.all/time.Duration(all))
		mine = append(mine, (h.all-h.transaction)/time.Duration(launches))
		inside = append(inside, h.transaction/time.Duration(launches))
		s.say("%-9s cpu        launch %v outside and %v inside the transaction, bare 303 %v", s.engine, mine[len(mine)-1], inside[len(inside)-1], bare[len(bare)-1])
	}
	r := result{engine: s.engine, title: "CPU of a launch outside its transaction; floor: a bare net/http 303", ours: micro(median(mine)), floor: micro(median(bare))}
	ratio := float64(median(mine)) / float64(median(bare))
	r.ratio = fmt.Sprintf("%.2f", ratio)
	r.judge(ratio <= 2, "≤ 2.00")
	s.results = append(s.results, r, result{engine: s.engine, title: "CPU of a launch inside its transaction (server process)", ours: micro(median(inside))})
	return nil
}

// profile starts a child, drives launches at it and returns what its profile shows, and how many requests it was for.
func (s *site) profile(ctx context.Context, name string, args ...string) (c cost, requests int, err error) {
	p, err := spawn(ctx, filepath.Join(s.dir, name+".log"), args...)
	if err != nil {
		return c, 0, err
	}
	file := filepath.Join(s.dir, name+".prof")
	s.world.address = p.address
	l := redirects(p.address)
	if name == "house" {
		l = s.world.launches()
	}
	begin := func() error { return p.tell("profile " + file) }
	end := func() error { return p.tell("stop") }
	t, err := drive(ctx, p.address, s.conns, l, span{s.warm, s.seconds, begin, end})
	if err = errors.Join(err, p.end()); err != nil {
		return c, 0, fmt.Errorf("%w; it said %s", err, tail(p.log))
	}
	if c, err = costOf(ctx, file); err == nil && name == "house" && c.transaction == 0 {
		err = errors.New("no sample of the profile is under a transaction: the functions it is told by have other names now")
	}
	return c, max(t.Counted, 1), err
}

// checkLeast is how many credentials the uncached check is measured with.
const checkLeast = people

// checks measures the check of a credential in this process: one that is remembered, and one that is not.
func (s *site) checks(ctx context.Context) error {
	headers := make([]string, 0, people)
	for n := range people {
		headers = append(headers, learner(n).basic())
	}
	s.world.mu.Lock()
	for _, c := range s.world.minted[:min(len(s.world.minted), 20*people)] {
		headers = append(headers, c.basic())
	}
	s.world.mu.Unlock()
	if len(headers) < checkLeast {
		return errNoCredentials
	}
	var cached, uncached []time.Duration
	for range s.rounds {
		h, err := app.Open(ctx, app.Config{Data: s.installation.dir, DB: s.db})
		if err != nil {
			return err
		}
		check := func() (time.Duration, error) {
			runtime.GC()
			start := time.Now()
			for _, header := range headers {
				if _, err := h.Credentials.Authenticate(ctx, header, false); err != nil {
					return 0, err
				}
			}
			return time.Since(start) / time.Duration(len(headers)), nil
		}
		first, err := check()
		second, more := check()
		if err = errors.Join(err, more, h.Close()); err != nil {
			return err
		}
		uncached, cached = append(uncached, first), append(cached, second)
	}
	for _, c := range []struct {
		title string
		took  []time.Duration
		most  time.Duration
	}{{"Credential check, remembered", cached, time.Microsecond}, {"Credential check, not remembered", uncached, 40 * time.Microsecond}} {
		r := result{engine: s.engine, title: c.title, ours: fmt.Sprintf("%.2f µs", median(c.took).Seconds()*1e6)}
		r.judge(median(c.took) <= c.most, fmt.Sprintf("≤ %d µs", c.most.Microseconds()))
		s.results = append(s.results, r)
	}
	return nil
}
