// Package chore is what a server does now and then for as long as it runs.
package chore

import (
	"context"
	"time"
)

// Every does something at once, and again whenever so much time has passed, until ctx ends. It reports each error and goes on,
// but for those that come of the end of ctx.
func Every(ctx context.Context, interval time.Duration, do func(context.Context) error, report func(error)) {
	tick := time.NewTicker(interval)
	defer tick.Stop()
	for {
		if err := do(ctx); err != nil && ctx.Err() == nil {
			report(err)
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// lastFor is how long what is done at the end may take.
const lastFor = 5 * time.Second

// Last does something although ctx has ended, and reports its error.
func Last(ctx context.Context, do func(context.Context) error, report func(error)) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), lastFor)
	defer cancel()
	if err := do(ctx); err != nil {
		report(err)
	}
}
