package credential

import (
	"runtime"
	"sync"
	"sync/atomic"
	"testing"

	"rollway/internal/access"
	"rollway/internal/db/dbtest"
)

// BenchmarkMint has 64 callers mint at the same time.
func BenchmarkMint(b *testing.B) {
	for _, e := range dbtest.Engines {
		b.Run(e.String(), func(b *testing.B) {
			r := newRig(b, dbtest.Open(b, e))
			p := r.person(b, "active")
			inParallel(b, 64, func() error {
				_, err := r.Mint(b.Context(), r.lms, Request{Agent: p.agent})
				return err
			})
		})
	}
}

// inParallel shares b.N calls of fn among goroutines.
func inParallel(b *testing.B, callers int, fn func() error) {
	var next atomic.Int64
	var all sync.WaitGroup
	b.ResetTimer()
	for range callers {
		all.Go(func() {
			for next.Add(1) <= int64(b.N) {
				if err := fn(); err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	all.Wait()
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "mints/s")
}

func BenchmarkAuthenticateCached(b *testing.B) {
	for _, e := range dbtest.Engines {
		b.Run(e.String(), func(b *testing.B) {
			r := newRig(b, dbtest.Open(b, e))
			m := r.mint(b, r.person(b, "active"))
			header := (&Child{Username: m.Username, Secret: m.Password}).Header()
			b.ReportAllocs()
			for b.Loop() {
				if _, err := r.Authenticate(b.Context(), header, false); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkAuthenticateUncached asks the database each time, among 20,000 credentials.
func BenchmarkAuthenticateUncached(b *testing.B) {
	for _, e := range dbtest.Engines {
		b.Run(e.String(), func(b *testing.B) {
			r := newRig(b, dbtest.Open(b, e))
			p := r.person(b, "active")
			var all sync.WaitGroup
			headers := make([]string, 20_000)
			for w := range 64 {
				all.Go(func() {
					for i := w; i < len(headers); i += 64 {
						m := r.mint(b, p)
						headers[i] = (&Child{Username: m.Username, Secret: m.Password}).Header()
					}
				})
			}
			all.Wait()
			runtime.GC()
			b.ReportAllocs()
			i := 0
			for b.Loop() {
				r.known.Hear(access.Change{Kind: access.PersonChanged, Subject: p.id})
				if _, err := r.Authenticate(b.Context(), headers[i%len(headers)], false); err != nil {
					b.Fatal(err)
				}
				i++
			}
		})
	}
}
