package lrsapi

import (
	"context"
	"io"
	"net/http"
	"sync"
	"time"

	"golang.org/x/sync/semaphore"

	"rollway/internal/access"
	"rollway/internal/fault"
	"rollway/internal/web"
)

// held is how many bytes the door holds at once, of all and of each party, so that nobody takes the room of all: of bodies, of
// forms of the alternate syntax, which are read before anybody is asked who they are and are counted by address, and of answers.
type held struct {
	Bodies, BodiesEach   int64
	Forms, FormsEach     int64
	Answers, AnswersEach int64
	Wait                 time.Duration // for the room of a body
}

var usual = held{192 << 20, 64 << 20, 32 << 20, 8 << 20, 128 << 20, 64 << 20, 10 * time.Second}

const (
	small     = 32 << 10 // no more than a request's head may have, and not counted
	firstRoom = 1 << 20  // of a body that does not say how long it is, or of which only the beginning is held
	heldFor   = 5 * time.Minute
)

// budget bounds the bytes held at once, of all and of each party. What finds no room waits for so long, in the
// order of arrival.
type budget struct {
	all  *semaphore.Weighted
	each int64
	wait time.Duration

	mu      sync.Mutex
	parties map[any]*party
}

type party struct {
	room  *semaphore.Weighted
	users int
}

func newBudget(all, each int64, wait time.Duration) *budget {
	return &budget{all: semaphore.NewWeighted(all), each: each, wait: wait, parties: map[any]*party{}}
}

// partyOf is who a caller's bytes are counted for: whoever may have many credentials is one.
func partyOf(c access.Caller) any {
	switch c.Kind {
	case access.ServiceAccount:
		return c.ServiceAccount
	case access.Person:
		return c.Person
	case access.Credential:
		if c.Bound != nil {
			return c.Bound.Person
		}
		return c.Credential
	}
	return c.Kind
}

// room is what a request has of a budget until it leaves.
type room struct {
	of    *budget
	who   any
	party *party // nil until it takes some
	n     int64
}

// take makes room for n bytes more. The error is Unavailable when there is none in time.
func (h *room) take(ctx context.Context, n int64) error {
	if h.party == nil {
		h.party = h.of.enter(h.who)
	}
	if h.party.room.TryAcquire(n) {
		if h.of.all.TryAcquire(n) {
			h.n += n
			return nil
		}
		h.party.room.Release(n)
	}
	ctx, cancel := context.WithTimeout(ctx, h.of.wait)
	defer cancel()
	err := h.party.room.Acquire(ctx, n)
	if err == nil {
		if err = h.of.all.Acquire(ctx, n); err != nil {
			h.party.room.Release(n)
		}
	}
	if err != nil {
		return fault.New(fault.Unavailable, "too_busy", "The server has much at hand that is as large as this. Send it again in a moment.").Because(err)
	}
	h.n += n
	return nil
}

// keep gives room back but for n bytes.
func (h *room) keep(n int64) {
	if n < h.n {
		h.of.all.Release(h.n - n)
		h.party.room.Release(h.n - n)
		h.n = n
	}
}

// leave gives all back.
func (h *room) leave() {
	h.keep(0)
	if h.party != nil {
		h.of.exit(h.who, h.party)
	}
}

func (b *budget) enter(who any) *party {
	b.mu.Lock()
	defer b.mu.Unlock()
	p := b.parties[who]
	if p == nil {
		p = &party{room: semaphore.NewWeighted(b.each)}
		b.parties[who] = p
	}
	p.users++
	return p
}

func (b *budget) exit(who any, p *party) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if p.users--; p.users == 0 {
		delete(b.parties, who)
	}
}

// holdAnswer makes room for an answer of n bytes that is at hand: the client may take its time over it. It does not wait, since
// what waits is held as well.
func (d *door) holdAnswer(ctx context.Context, a asked, n int) (*room, error) {
	h := &room{of: d.answers, who: partyOf(a.caller)}
	if n <= small {
		return h, nil
	}
	return h, h.take(ctx, int64(n))
}

// heldBody is the room of a request's body.
type heldBody struct {
	room
	r *http.Request
	// What is taken of the body before it needs more room, up to limit bytes; none if it has all it may.
	left, limit int64
	read        io.ReadCloser
}

// hold makes room for the body of r, of which at most limit bytes will be held: for as many as it declares, or for its first
// part when it does not say or the first part alone will be held. Then it takes the rest when that comes. A body that has much
// room has to come the faster.
func (b *budget) hold(r *http.Request, who any, limit int64) (*heldBody, error) {
	h := &heldBody{room: room{of: b, who: who}, r: r, limit: limit}
	n := r.ContentLength
	switch grows := n < 0 || isMixed(r); {
	case grows && (n < 0 || n > firstRoom):
		n = min(firstRoom, limit)
		h.left, h.read, r.Body = n, r.Body, h
	case n > limit: // refused unread
		n = 0
	}
	if n <= small {
		return h, nil
	}
	if err := h.take(r.Context(), n); err != nil {
		h.leave()
		return nil, err
	}
	h.hurry()
	return h, nil
}

// hurry has the client use its room within [heldFor], from now on.
func (h *heldBody) hurry() {
	web.Hurry(h.r, web.Pace{Rate: h.n / int64(heldFor/time.Second)})
}

// Read takes more room when the first part is not all.
func (h *heldBody) Read(p []byte) (int, error) {
	if h.limit == 0 {
		return h.read.Read(p)
	}
	if h.left == 0 {
		if err := h.take(h.r.Context(), h.limit-h.n); err != nil {
			return 0, err
		}
		h.limit = 0
		h.hurry()
		return h.read.Read(p)
	}
	n, err := h.read.Read(p[:min(int64(len(p)), h.left)])
	h.left -= int64(n)
	return n, err
}

// holdsOnly gives room back but for n bytes, when no more of the body will be held.
func (h *heldBody) holdsOnly(n int64) {
	if n <= small {
		n = 0
	}
	h.keep(n)
	h.limit = 0
	h.hurry()
}

// Unwrap is for package web, which looks for the pace.
func (h *heldBody) Unwrap() io.ReadCloser { return h.read }

func (h *heldBody) Close() error { return h.read.Close() }
