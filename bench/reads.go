package main

import (
	"context"
	"errors"
	"fmt"
	"math"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
)

// leastRead is the least ratio of answers a second to the floor's; docs/decisions/speed.md says why.
const leastRead = 0.5

// readings are the questions that are asked as fast as it goes.
func readings() []question {
	verb := questions[1]
	verb.title += ", limit 25"
	verb.like = func(d *drawn) { d.verb %= common }
	verb.path = func(b []byte, d drawn) []byte { return append(questions[1].path(b, d), "&limit=25"...) }
	verb.sql = strings.Replace(verb.sql, "LIMIT 100", "LIMIT 25", 1)
	return []question{questions[0], verb}
}

// reads measures how many questions are answered over 16 connections, in turns with a server that asks the floor the same
// and does nothing else, and with one that has as many bytes in memory.
func (s *site) reads(ctx context.Context) error {
	for _, q := range readings() {
		var speeds, floors, bare, ratios, others []float64
		var p50, p99 []time.Duration
		rows, floorRows := &counted{}, &counted{}
		for range s.rounds {
			l := s.world.asks(q, "", s.store, s.store)
			l.conns, l.seen = readConns, rows.seen
			var round [3]tally
			for i, measure := range []func() (tally, error){
				func() (tally, error) { return s.drive(ctx, l) },
				func() (tally, error) { return s.askedHTTP(ctx, q, floorRows) },
				func() (tally, error) { return s.bareHTTP(ctx, rows.size(), readConns, 0) },
			} {
				t, _, err := calmly(s, func() (tally, float64, error) {
					t, err := measure()
					return t, t.Others, err
				})
				if err != nil {
					return err
				}
				round[i] = t
			}
			ours, floor := round[0], round[1]
			speeds, others, p50, p99 = append(speeds, ours.PerSecond), append(others, ours.Others), append(p50, ours.P50), append(p99, ours.P99)
			floors, ratios, bare = append(floors, floor.PerSecond), append(ratios, ours.PerSecond/floor.PerSecond), append(bare, round[2].PerSecond)
		}
		if per, floor := rows.mean(), floorRows.mean(); per == 0 || math.Abs(per-floor) > per/10 {
			return fmt.Errorf("%s has %.3g rows, of the engine %.3g", q.title, per, floor)
		}
		r := result{engine: s.engine, title: fmt.Sprintf("Read %s (%s), %d connections, of %s statements; floor: HTTP and the engine; HTTP alone %s", q.title, rows, readConns, thousands(s.store), perSecond(median(bare))),
			ours: perSecond(median(speeds)), p50: milli(median(p50)), p99: milli(median(p99)), floor: perSecond(median(floors)), ratio: fmt.Sprintf("%.2f", median(ratios)), others: fmt.Sprintf("%.2f", median(others))}
		r.judge(median(ratios) >= leastRead, fmt.Sprintf("≥ %.2f", leastRead))
		s.results = append(s.results, r)
		s.say("%-9s reads      %s %s, p50 %s, p99 %s; HTTP and the engine %s, HTTP alone %s", s.engine, q.title, r.ours, r.p50, r.p99, r.floor, perSecond(median(bare)))
	}
	return nil
}

// readConns is over how many connections a store is read from as fast as it goes.
const readConns = 16

// asked is the floor of reading: net/http and the raw driver, and nothing between them that knows who asks, what for, or
// what becomes of it. GET /QUESTION/STATEMENT asks the floor's tables one of the questions of [readings] for what is like
// that statement, and answers with the rows.
type asked struct {
	questions []question
	readers   chan []asker // idle connections, each with the questions prepared
}

// askedConns is how many connections to the database answer. More answer no more on two processors.
const askedConns = 4

func openAsked(ctx context.Context, f floor) (*asked, func() error, error) {
	a := &asked{readings(), make(chan []asker, askedConns)}
	var dones []func() error
	done := func() error {
		var errs []error
		for _, d := range dones {
			errs = append(errs, d())
		}
		return errors.Join(errs...)
	}
	for conn := range askedConns {
		var r []asker
		for _, q := range a.questions {
			ask, end, err := f.asker(ctx, conn, q.sql)
			if err != nil {
				return nil, nil, errors.Join(err, done())
			}
			r, dones = append(r, ask), append(dones, end)
		}
		a.readers <- r
	}
	return a, done, nil
}

func (a *asked) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	number, statement, _ := strings.Cut(r.URL.Path[1:], "/")
	i, err := strconv.Atoi(number)
	n, wrong := strconv.ParseUint(statement, 10, 64)
	if err != nil || wrong != nil || i < 0 || i >= len(a.questions) {
		http.NotFound(w, r)
		return
	}
	var body []byte
	reader := <-a.readers
	err = reader[i](a.questions[i].args(a.questions[i].about(n)), func(row []byte) { body = append(body, row...) })
	a.readers <- reader
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	if _, err := w.Write(body); err != nil {
		fmt.Fprintln(os.Stderr, "asked:", err)
	}
}

// engineAlone serves what the floor's database answers.
func engineAlone(ctx context.Context, engine, database string) error {
	f, err := openFloor(ctx, engine, database)
	if err != nil {
		return err
	}
	a, done, err := openAsked(ctx, f)
	if err != nil {
		return errors.Join(err, f.close())
	}
	return errors.Join(answer(ctx, a), done(), f.close())
}

// askedHTTP asks the floor a question over as many connections as the product, as fast as it goes.
func (s *site) askedHTTP(ctx context.Context, q question, rows *counted) (t tally, err error) {
	i := slices.IndexFunc(readings(), func(r question) bool { return r.title == q.title })
	p, err := spawn(ctx, filepath.Join(s.dir, "asked.log"), "asked", s.engine, s.floorDB)
	if err != nil {
		return t, err
	}
	tail := []byte(" HTTP/1.1\r\nHost: " + p.address + "\r\n\r\n")
	l := load{name: q.title, want: 200, conns: readConns, seen: rows.seen, next: func(conn int) func() []byte {
		var buf []byte
		m := newMaker(conn, 1)
		return func() []byte {
			buf = fmt.Appendf(buf[:0], "GET /%d/%d", i, m.Uint64()%uint64(s.store))
			buf = append(buf, tail...)
			return buf
		}
	}}
	meter := meterOf(p.pid(), s.database)
	t, err = drive(ctx, p.address, l, span{s.warm, s.seconds, meter.begin, meter.end})
	t.Others = meter.others
	return t, errors.Join(err, p.end())
}
