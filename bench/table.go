package main

import (
	"fmt"
	"io"
	"math"
	"strings"
	"time"
	"unicode/utf8"
)

// result is a line of the table.
type result struct {
	engine, title       string
	ours, p50, p99      string
	floor, single       string
	ratio, target, met  string
	cpu, dbcpu, loadcpu string // processor time of a request
	floorcpu, cpuratio  string // of an item of the floor, and its ratio to all of ours
	others              string // cores that other work took
}

var heads = []string{"engine", "measure", "ours", "p50", "p99", "floor", "one by one", "ratio", "target", "met", "server CPU", "database CPU", "load CPU", "floor CPU", "CPU ratio", "other load"}

func (r result) cells() []string {
	return []string{r.engine, r.title, r.ours, r.p50, r.p99, r.floor, r.single, r.ratio, r.target, r.met, r.cpu, r.dbcpu, r.loadcpu, r.floorcpu, r.cpuratio, r.others}
}

func (r *result) judge(met bool, target string) {
	r.target, r.met = target, "no"
	if met {
		r.met = "yes"
	}
}

// note adds how many answers were wrong.
func (r *result) note(wrong int) {
	if wrong > 0 {
		r.met += fmt.Sprintf(" (%d wrong answers)", wrong)
	}
}

// result is the medians of the rounds.
func (r *series) result(engine string) result {
	var speed, others []float64
	var p50, p99, cpu, dbcpu, loadcpu []time.Duration
	wrong := 0
	for _, t := range r.tallies {
		wrong += t.Wrong
		speed, others = append(speed, t.PerSecond), append(others, t.Others)
		n := time.Duration(t.Counted)
		p50, p99 = append(p50, t.P50), append(p99, t.P99)
		cpu, dbcpu, loadcpu = append(cpu, t.ServerCPU/n), append(dbcpu, t.DBCPU/n), append(loadcpu, t.LoadCPU/n)
	}
	out := result{engine: engine, title: r.measure.title, ours: perSecond(median(speed)), p50: milli(median(p50)), p99: milli(median(p99)),
		cpu: micro(median(cpu)), loadcpu: micro(median(loadcpu)), others: fmt.Sprintf("%.2f", median(others))}
	if engine == "postgres" {
		out.dbcpu = micro(median(dbcpu))
	}
	if len(r.floor) == 0 {
		return out
	}
	group, single := medianLaid(r.floor), medianLaid(r.single)
	out.floor, out.single = perSecond(group.speed), perSecond(single.speed)
	floor := group
	if r.measure.single {
		floor = single
	}
	ratio := median(speed) / floor.speed
	out.ratio = fmt.Sprintf("%.2f", ratio)
	out.floorcpu, out.cpuratio = micro(floor.cpu), fmt.Sprintf("%.2f", float64(floor.cpu)/float64(median(cpu)+median(dbcpu)+median(loadcpu)))
	if least, ok := r.measure.target[engine]; ok {
		met, target := ratio >= least && wrong == 0, fmt.Sprintf("≥ %.2f", least)
		if most := r.measure.tail; most > 0 {
			mean := float64(r.conns) / median(speed) // seconds, since all connections are always waiting
			met, target = met && median(p99).Seconds() <= most*mean, fmt.Sprintf("%s, p99 ≤ %v × mean", target, most)
		}
		if r.measure.each > 0 {
			target += ", no wrong answer"
		}
		out.judge(met, target)
	}
	out.note(wrong)
	return out
}

func medianLaid(all []laid) laid {
	var speeds []float64
	var cpus []time.Duration
	for _, l := range all {
		speeds, cpus = append(speeds, l.speed), append(cpus, l.cpu)
	}
	return laid{median(speeds), median(cpus)}
}

func perSecond(v float64) string { return thousands(int(math.Round(v))) + "/s" }

func milli(d time.Duration) string { return fmt.Sprintf("%.1f ms", d.Seconds()*1e3) }

// milliseconds is for times of which thousandths count.
func milliseconds(d time.Duration) string { return fmt.Sprintf("%.3f ms", d.Seconds()*1e3) }

func micro(d time.Duration) string { return fmt.Sprintf("%.1f µs", d.Seconds()*1e6) }

func micros(d time.Duration) string { return fmt.Sprintf("%.2f µs", d.Seconds()*1e6) }

func thousands(n int) string {
	s := fmt.Sprint(n)
	for at := len(s) - 3; at > 0; at -= 3 {
		s = s[:at] + "," + s[at:]
	}
	return s
}

// print writes the tables, as text or in Markdown.
func (b *bench) print(w io.Writer) {
	lines := [][]string{heads}
	for _, r := range b.results {
		lines = append(lines, r.cells())
	}
	fmt.Fprintf(w, "%s; %s; %d connections, %d × %v\n\n", time.Now().UTC().Format("2006-01-02 15:04 UTC"), machine(), b.conns, b.rounds, b.seconds)
	b.printTable(w, lines)
	b.printCases(w)
}

func (b *bench) printTable(w io.Writer, lines [][]string) {
	if b.markdown {
		for i, l := range lines {
			fmt.Fprintf(w, "| %s |\n", strings.Join(l, " | "))
			if i == 0 {
				fmt.Fprintf(w, "|%s\n", strings.Repeat("---|", len(l)))
			}
		}
		return
	}
	widths := make([]int, len(lines[0]))
	for _, l := range lines {
		for i, cell := range l {
			widths[i] = max(widths[i], utf8.RuneCountInString(cell))
		}
	}
	for _, l := range lines {
		for i, cell := range l {
			fmt.Fprint(w, cell, strings.Repeat(" ", widths[i]-utf8.RuneCountInString(cell)+2))
		}
		fmt.Fprintln(w)
	}
}
