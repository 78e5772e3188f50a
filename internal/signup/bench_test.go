package signup

import (
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"rollway/internal/challenge"
	"rollway/internal/db/dbtest"
	"rollway/internal/limit"
	"rollway/internal/signin"
)

// BenchmarkSignUp makes accounts, challenge and mail included, in turns with the bare hash of a password, which is meant to be
// all that bounds them. ratio is sign-ups by hashes.
func BenchmarkSignUp(b *testing.B) {
	for _, e := range dbtest.Engines {
		b.Run(e.String(), func(b *testing.B) {
			wide := limit.Rule{Windows: []limit.Window{{Max: 1 << 30, Per: time.Hour}}}
			h := furnished(b, dbtest.Open(b, e), Settings{PerAddress: wide, Mails: wide, AllMails: wide})
			h.signin.Passwords = signin.NewPasswords(h.key)
			var n atomic.Int64
			each := func(do func() error) time.Duration {
				var work sync.WaitGroup
				start := time.Now()
				for range 4 {
					work.Go(func() {
						for range b.N {
							if err := do(); err != nil {
								b.Error(err)
							}
						}
					})
				}
				work.Wait()
				return time.Since(start)
			}
			hashes := each(func() error {
				_, err := h.signin.Passwords.Hash(b.Context(), password)
				return err
			})
			signUps := each(func() error {
				c, err := h.challenges.Issue(b.Context(), challenge.From{Addr: here})
				if err != nil {
					return err
				}
				h.mu.Lock()
				answer := h.answers[c.Number]
				h.mu.Unlock()
				_, err = h.Begin(b.Context(), Request{Via: ByPortal, From: here, Email: fmt.Sprintf("ada%d@example.org", n.Add(1)), Password: password, Lang: "en", Challenge: c.Number, Answer: answer})
				return err
			})
			b.ReportMetric(float64(4*b.N)/hashes.Seconds(), "hashes/s")
			b.ReportMetric(float64(4*b.N)/signUps.Seconds(), "sign-ups/s")
			b.ReportMetric(hashes.Seconds()/signUps.Seconds(), "ratio")
		})
	}
}
