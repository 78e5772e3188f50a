package lrsapi

import (
	"context"
	"net/http"
	"time"

	"golang.org/x/sync/semaphore"

	"rollway/internal/fault"
	"rollway/internal/web"
)

// The bytes of request bodies that the door holds at once. Forms of the alternate syntax are read before anybody is asked
// who they are, and so cannot take the room of the others.
const (
	heldBodies = 256 << 20
	heldForms  = 32 << 20
	heldWait   = 10 * time.Second
	smallBody  = 32 << 10 // no more than a request's head may have, and not counted
)

// budget bounds the bytes of bodies held at once. What finds no room waits for it, in the order of arrival.
type budget struct {
	room *semaphore.Weighted
	wait time.Duration
}

func newBudget(bytes int64, wait time.Duration) budget {
	return budget{semaphore.NewWeighted(bytes), wait}
}

// hold makes room for the body of r, of which at most limit bytes will be read: for as many as it declares, or limit if it
// does not say. release gives the room back. The error is Unavailable when there is none in time.
func (b budget) hold(r *http.Request, limit int64) (release func(), err error) {
	n := r.ContentLength
	switch {
	case n < 0:
		n = limit
	case n > limit: // refused unread
		n = 0
	}
	if n <= smallBody || b.room.TryAcquire(n) {
		return b.release(n), nil
	}
	ctx, cancel := context.WithTimeout(r.Context(), b.wait)
	defer cancel()
	if err := b.room.Acquire(ctx, n); err != nil {
		return nil, fault.New(fault.Unavailable, "too_busy", "The server has many large requests at hand. Send this one again in a moment.").Because(err)
	}
	web.StartBody(r)
	return b.release(n), nil
}

func (b budget) release(n int64) func() {
	return func() {
		if n > smallBody {
			b.room.Release(n)
		}
	}
}
