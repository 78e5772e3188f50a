package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"
)

const (
	soakParts = 10 // of which the last is compared with the second
	soakEach  = 50
	soakConns = 4
	soakDrift = 0.1
)

// soaked offers statements for a long time and compares the end with the beginning. Latencies count from when a batch was
// due, unless the machine cannot take what is offered: then it is as fast as it goes. Beside each part stands what the disk
// alone took meanwhile: disks that others use too stand still now and then.
func (s *site) soaked(ctx context.Context) error {
	l := s.world.writes(soakEach, usual)
	l.conns, l.tolerant, l.offered, l.pace = soakConns, true, true, time.Duration(soakConns*soakEach)*time.Second/time.Duration(s.offered)
	part := s.soak / soakParts
	parts, disk := make([][]time.Duration, soakParts), make([][]time.Duration, soakParts)
	var mu sync.Mutex
	var start time.Time
	add := func(to [][]time.Duration, at time.Time, took time.Duration) {
		mu.Lock()
		defer mu.Unlock()
		if n := int(at.Sub(start) / part); !start.IsZero() && at.After(start) && n < soakParts {
			to[n] = append(to[n], took)
		}
	}
	l.record = func(_ int, at time.Time, took time.Duration) { add(parts, at, took) }
	begin := func() error {
		mu.Lock()
		defer mu.Unlock()
		start = time.Now()
		return nil
	}
	probing, stop := context.WithCancel(ctx)
	probed := make(chan error, 1)
	go func() {
		probed <- probeDisk(probing, s.dir, func(at time.Time, took time.Duration) { add(disk, at, took) })
	}()
	t, err := drive(ctx, s.world.address, l, span{warm: s.warm, long: s.soak, begin: begin})
	stop()
	if err = errors.Join(err, <-probed); err != nil {
		return err
	}
	rates, tails := make([]float64, soakParts), make([]time.Duration, soakParts)
	for i, took := range parts {
		slices.Sort(took)
		slices.Sort(disk[i])
		alone := fmt.Sprintf("disk alone p99 %s, most %s", milli(percentile(disk[i], 99)), milli(percentile(disk[i], 100)))
		rates[i], tails[i] = float64(len(took)*soakEach)/part.Seconds(), percentile(took, 99)
		r := result{engine: s.engine, title: fmt.Sprintf("Soak, %v number %d", part, i+1), ours: perSecond(rates[i]), p50: milli(percentile(took, 50)), p99: milli(tails[i]), floor: alone}
		s.results = append(s.results, r)
		s.say("%-9s soak       %s: %s, p99 %s; %s", s.engine, r.title, r.ours, r.p99, r.floor)
	}
	title := fmt.Sprintf("Soak for %v into %s statements, %s offered: the end against the second %v", s.soak, thousands(s.store), perSecond(float64(s.offered)), part)
	if median(rates) < 0.98*float64(s.offered) {
		title += "; the machine could not take what was offered"
	}
	const end, second = soakParts - 1, 1
	rate, tail := rates[end]/rates[second], float64(tails[end])/float64(tails[second])
	r := result{engine: s.engine, title: title, ours: perSecond(rates[end]), p99: milli(tails[end]), ratio: fmt.Sprintf("%.2f, p99 %.2f", rate, tail)}
	met := rate >= 1-soakDrift && tail <= 1+soakDrift && t.Wrong == 0
	r.judge(met, fmt.Sprintf("≥ %.1f, p99 ≤ %.1f, no wrong answer", 1-soakDrift, 1+soakDrift))
	r.note(t.Wrong)
	s.results = append(s.results, r)
	return nil
}
