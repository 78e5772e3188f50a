package limit

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"net/netip"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"rollway/internal/db"
	"rollway/internal/db/dbtest"
	"rollway/internal/fault"
)

func hash(text string) []byte {
	h := sha256.Sum256([]byte("a key " + text))
	return h[:]
}

var challenge = Rule{Name: "challenge", Windows: []Window{{6, 5 * time.Minute}, {15, 15 * time.Minute}, {20, time.Hour}}}

// clock is a time that only tests move.
type clock struct{ at atomic.Int64 }

func newClock() *clock {
	c := &clock{}
	c.at.Store(time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC).UnixMicro())
	return c
}

func (c *clock) now() time.Time          { return time.UnixMicro(c.at.Load()).UTC() }
func (c *clock) advance(d time.Duration) { c.at.Add(d.Microseconds()) }

func ledger(d *db.DB) (*Ledger, *clock) {
	l, c := New(d, hash), newClock()
	l.Now = c.now
	return l, c
}

func TestSlidingWindowsAsPrinted(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		l, clock := ledger(d)
		var allowed []time.Duration // since the start; one try each 10 s for two hours
		for at := time.Duration(0); at < 2*time.Hour; at += 10 * time.Second {
			if err := l.Take(t.Context(), Try{challenge, "192.0.2.1"}); err == nil {
				allowed = append(allowed, at)
			} else if !fault.Is(err, fault.TooMany) || fault.Of(err).Code != "too_many_tries" {
				t.Fatal(err)
			}
			clock.advance(10 * time.Second)
		}
		for _, w := range challenge.Windows {
			full := false
			for i, from := range allowed {
				n := 0
				for _, at := range allowed[i:] {
					if at-from < w.Per {
						n++
					}
				}
				if n > w.Max {
					t.Errorf("%d within %v after %v, not %v", n, w.Per, from, w)
				}
				full = full || n == w.Max
			}
			if !full {
				t.Errorf("the window %v was never used up", w)
			}
		}
		if len(allowed) != 40 {
			t.Errorf("%d allowed in two hours, not 40: %v", len(allowed), allowed)
		}
	})
}

func TestRetryAfterIsExact(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		l, clock := ledger(d)
		rules := []Rule{challenge, {Name: "mail", Rate: &Rate{Burst: 3, Per: 20 * time.Second}}}
		for _, rule := range rules {
			try := Try{rule, "somebody"}
			refused := 0
			for range 60 {
				err := l.Take(t.Context(), try)
				var e *Exceeded
				if !errors.As(err, &e) {
					if err != nil {
						t.Fatal(err)
					}
					clock.advance(7 * time.Second)
					continue
				}
				refused++
				clock.advance(e.RetryAfter() - time.Microsecond)
				if err := l.Take(t.Context(), try); err == nil {
					t.Fatalf("%s: allowed before Retry-After was over", rule.Name)
				}
				clock.advance(time.Microsecond)
				if err := l.Take(t.Context(), try); err != nil {
					t.Fatalf("%s: refused once Retry-After was over: %v", rule.Name, err)
				}
			}
			if refused == 0 {
				t.Errorf("%s refused nothing", rule.Name)
			}
		}
	})
}

func TestAllOrNone(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		l, _ := ledger(d)
		one := Rule{Name: "one", Windows: []Window{{1, time.Hour}}}
		both := []Try{{challenge, "a"}, {one, "b"}}
		if err := l.Take(t.Context(), both...); err != nil {
			t.Fatal(err)
		}
		for range 10 {
			var e *Exceeded
			if err := l.Take(t.Context(), both...); !errors.As(err, &e) || e.Rule != "one" {
				t.Fatalf("got %v", err)
			}
		}
		for i := range 5 { // the ten were not counted for the other rule
			if err := l.Take(t.Context(), both[0]); err != nil {
				t.Fatalf("try %d: %v", i, err)
			}
		}
		if err := l.Take(t.Context(), both[0]); err == nil {
			t.Fatal("a seventh")
		}
		// The same subject twice in one call counts twice.
		if err := l.Take(t.Context(), Try{one, "c"}, Try{one, "c"}); err == nil {
			t.Fatal("two at once of a rule that allows one")
		}
		if err := l.Take(t.Context(), Try{one, "c"}); err != nil {
			t.Fatal(err)
		}
		// What allows everything keeps nothing.
		if err := l.Take(t.Context(), Try{Rule{Name: "none"}, "c"}); err != nil {
			t.Fatal(err)
		}
	})
}

func TestTakeTxCountsOnlyIfItCommits(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		l, _ := ledger(d)
		try := Try{Rule{Name: "one", Windows: []Window{{1, time.Hour}}}, "a"}
		undo := errors.New("undo")
		for range 3 {
			err := d.Write(t.Context(), func(tx *db.Tx) error {
				if err := l.TakeTx(t.Context(), tx, try); err != nil {
					return err
				}
				return undo
			})
			if !errors.Is(err, undo) {
				t.Fatal(err)
			}
		}
		for range 3 {
			if err := l.Check(t.Context(), try); err != nil {
				t.Fatal(err)
			}
		}
		if err := l.Take(t.Context(), try); err != nil {
			t.Fatal(err)
		}
		if err := l.Check(t.Context(), try); !fault.Is(err, fault.TooMany) {
			t.Fatal(err)
		}
	})
}

// Many at once get exactly what the window allows, whatever order their subjects are named in.
func TestParallelTakes(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		l := New(d, hash)
		six := Rule{Name: "six", Windows: []Window{{6, time.Hour}}}
		many := Rule{Name: "many", Rate: &Rate{Burst: 1000, Per: time.Hour}}
		var taken atomic.Int64
		var wg sync.WaitGroup
		for i := range 60 {
			wg.Go(func() {
				tries := []Try{{six, "a"}, {many, "b"}, {many, "c"}}
				tries[0], tries[i%3] = tries[i%3], tries[0]
				err := l.Take(context.Background(), tries...)
				switch {
				case err == nil:
					taken.Add(1)
				case !fault.Is(err, fault.TooMany):
					t.Error(err)
				}
			})
		}
		wg.Wait()
		if n := taken.Load(); n != 6 {
			t.Errorf("%d of 60 parallel tries were allowed, not 6", n)
		}
	})
}

func TestSweep(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		l, clock := ledger(d)
		rows := func() (n int) {
			if err := d.Read(t.Context(), func(tx *db.Tx) error { return tx.Row(t.Context(), "SELECT count(*) FROM limits").Scan(&n) }); err != nil {
				t.Fatal(err)
			}
			return n
		}
		slow := Rule{Name: "slow", Rate: &Rate{Burst: 1, Per: 2 * time.Hour}}
		for i := range 10 {
			if err := l.Take(t.Context(), Try{challenge, fmt.Sprint(i)}, Try{slow, fmt.Sprint(i)}); err != nil {
				t.Fatal(err)
			}
		}
		for _, step := range []struct {
			wait time.Duration
			left int
		}{{time.Hour - time.Microsecond, 20}, {time.Microsecond, 10}, {time.Hour - time.Microsecond, 10}, {time.Microsecond, 0}} {
			clock.advance(step.wait)
			if _, err := l.Sweep(t.Context()); err != nil {
				t.Fatal(err)
			}
			if n := rows(); n != step.left {
				t.Fatalf("%d rows are left, not %d", n, step.left)
			}
		}
	})
}

func TestRunSweepsUntilItsContextEnds(t *testing.T) {
	t.Parallel()
	d := dbtest.Open(t, db.SQLite)
	l, clock := ledger(d)
	l.Every = time.Millisecond
	if err := l.Take(t.Context(), Try{challenge, "a"}); err != nil {
		t.Fatal(err)
	}
	clock.advance(time.Hour)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		l.Run(ctx, func(err error) { t.Error(err) })
	}()
	for n := 1; n > 0; time.Sleep(time.Millisecond) {
		if err := d.Read(t.Context(), func(tx *db.Tx) error { return tx.Row(t.Context(), "SELECT count(*) FROM limits").Scan(&n) }); err != nil {
			t.Fatal(err)
		}
	}
	cancel()
	<-done
}

func TestNothingIsKeptInClear(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		l, _ := ledger(d)
		if err := l.Take(t.Context(), Try{challenge, "ada@example.com"}); err != nil {
			t.Fatal(err)
		}
		err := d.Read(t.Context(), func(tx *db.Tx) error {
			return tx.Each(t.Context(), "SELECT subject, times FROM limits", nil, func(r *db.Rows) error {
				var subject, times []byte
				if err := r.Scan(&subject, &times); err != nil {
					return err
				}
				if len(subject) != 32 || len(times) != 8 || bytes.Contains(append(subject, times...), []byte("ada")) {
					t.Errorf("kept %q %q", subject, times)
				}
				return nil
			})
		})
		if err != nil {
			t.Fatal(err)
		}
	})
}

func TestWaitInWords(t *testing.T) {
	t.Parallel()
	for d, want := range map[time.Duration]string{
		time.Microsecond: "a second", time.Second: "a second", time.Second + 1: "2 seconds", time.Minute: "60 seconds", 2 * time.Minute: "2 minutes",
		2*time.Minute + 1: "3 minutes", time.Hour: "60 minutes", 119 * time.Minute: "119 minutes", 2 * time.Hour: "2 hours", 25 * time.Hour: "25 hours",
	} {
		if got := inWords(d); got != want {
			t.Errorf("%v is %s, not %s", d, got, want)
		}
	}
}

func TestAddressGroup(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ address, group string }{
		{"192.0.2.7", "192.0.2.7"},
		{"::ffff:192.0.2.7", "192.0.2.7"},
		{"2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"},
		{"2001:db8:1:2::", "2001:db8:1:2::/64"},
		{"2001:db8:1:3::", "2001:db8:1:3::/64"},
		{"fe80::1%eth0", "fe80::/64"},
		{"::1", "::/64"},
	} {
		if got := AddressGroup(netip.MustParseAddr(c.address)); got != c.group {
			t.Errorf("%s is in %s, not %s", c.address, got, c.group)
		}
	}
	if got := AddressGroup(netip.Addr{}); got == "" {
		t.Error("no group for an unknown address")
	}
}
