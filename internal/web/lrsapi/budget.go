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

// room is what a request has of a budget.
type room struct {
	of *semaphore.Weighted
	n  int64
}

// shrink gives room back but for n bytes.
func (h *room) shrink(n int64) {
	if n <= smallBody {
		n = 0
	}
	if n < h.n {
		h.of.Release(h.n - n)
		h.n = n
	}
}

// hold makes room for the body of r, of which at most limit bytes will be held: for as many as it declares, or limit if it
// does not say or its first part only is held. shrink(0) gives the room back. The error is Unavailable when there is none in
// time.
func (b budget) hold(r *http.Request, limit int64) (*room, error) {
	n := r.ContentLength
	switch {
	case n < 0, n > limit && isMixed(r):
		n = limit
	case n > limit: // refused unread
		n = 0
	}
	if n <= smallBody {
		return &room{of: b.room}, nil
	}
	if b.room.TryAcquire(n) {
		return &room{b.room, n}, nil
	}
	ctx, cancel := context.WithTimeout(r.Context(), b.wait)
	defer cancel()
	if err := b.room.Acquire(ctx, n); err != nil {
		return nil, fault.New(fault.Unavailable, "too_busy", "The server has many large requests at hand. Send this one again in a moment.").Because(err)
	}
	web.StartBody(r)
	return &room{b.room, n}, nil
}
