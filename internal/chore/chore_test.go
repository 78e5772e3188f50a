package chore

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"
)

// It is done at once and then in time, whether or not it fails, and its end is no failure.
func TestEvery(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		begun := time.Now()
		var at []time.Duration
		var reported []error
		broken := errors.New("broken")
		Every(ctx, time.Minute, func(ctx context.Context) error {
			at = append(at, time.Since(begun))
			switch len(at) {
			case 1:
				return broken
			case 4:
				cancel()
				return ctx.Err()
			}
			return nil
		}, func(err error) { reported = append(reported, err) })
		for n, when := range at {
			if want := time.Duration(n) * time.Minute; when != want {
				t.Errorf("round %d came after %v, want %v", n, when, want)
			}
		}
		if len(at) != 4 || len(reported) != 1 || reported[0] != broken {
			t.Errorf("%d rounds, reported %v", len(at), reported)
		}
	})
}

// What is done last has some time of its own, and its failure is told.
func TestLast(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		begun := time.Now()
		var told error
		Last(ctx, func(ctx context.Context) error {
			if err := ctx.Err(); err != nil {
				t.Error("there is no time:", err)
			}
			<-ctx.Done()
			return ctx.Err()
		}, func(err error) { told = err })
		if took := time.Since(begun); took != lastFor || !errors.Is(told, context.DeadlineExceeded) {
			t.Errorf("it took %v and ended with %v", took, told)
		}
	})
}
