package app

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// writes keeps each write that reaches it.
type writes struct {
	mu  sync.Mutex
	got []string
	err error
}

func (w *writes) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.got = append(w.got, string(p))
	return len(p), w.err
}

// fail has writes fail from now on, or succeed again.
func (w *writes) fail(err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.err = err
}

func (w *writes) are(t *testing.T, want ...string) {
	t.Helper()
	w.mu.Lock()
	defer w.mu.Unlock()
	if got, want := fmt.Sprintf("%q", w.got), fmt.Sprintf("%q", want); got != want {
		t.Errorf("written: %s, not %s", got, want)
	}
	w.got = nil
}

func TestLinesGather(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var w writes
		l := NewLines(&w)
		line := func(text string) {
			if _, err := fmt.Fprintln(l, text); err != nil {
				t.Error(err)
			}
		}
		line("alone")
		w.are(t, "alone\n")
		line("soon")
		line("after")
		w.are(t)
		time.Sleep(holdFor + time.Millisecond)
		w.are(t, "soon\nafter\n")
		line("still")
		w.are(t)
		time.Sleep(3 * holdFor)
		w.are(t, "still\n")
		line("alone again")
		w.are(t, "alone again\n")

		long := strings.Repeat("x", holdMost)
		line(long)
		w.are(t, long+"\n")
		time.Sleep(3 * holdFor)

		line("first")
		w.are(t, "first\n")
		w.fail(errors.New("full"))
		line("lost")
		time.Sleep(3 * holdFor)
		w.fail(nil)
		if _, err := l.Write([]byte("tells\n")); err == nil || err.Error() != "full" {
			t.Error("nobody is told that a line was lost:", err)
		}
		time.Sleep(3 * holdFor)
		w.are(t, "lost\n", "tells\n")
		line("before the end")
		line("at the end")
		if err := l.Close(); err != nil {
			t.Error(err)
		}
		line("after it")
		line("and more")
		w.are(t, "before the end\n", "at the end\n", "after it\n", "and more\n")
		time.Sleep(3 * holdFor) // for its timers to end
	})
}

// Every line comes whole, once and after those that its writer wrote before.
func TestLinesOfMany(t *testing.T) {
	t.Parallel()
	const writers, each = 8, 2000
	var out bytes.Buffer
	l := NewLines(&out)
	var all sync.WaitGroup
	for n := range writers {
		all.Go(func() {
			for i := range each {
				if _, err := fmt.Fprintf(l, "%d %d\n", n, i); err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
	if err := l.Close(); err != nil {
		t.Error(err)
	}
	var next [writers]int
	for line := range strings.Lines(out.String()) {
		var n, i int
		if _, err := fmt.Sscanf(line, "%d %d\n", &n, &i); err != nil || i != next[n] {
			t.Fatalf("line %q after %v: %v", line, next, err)
		}
		next[n]++
	}
	for n, i := range next {
		if i != each {
			t.Errorf("of writer %d there are %d lines, not %d", n, i, each)
		}
	}
}
