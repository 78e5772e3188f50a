package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"rollway/internal/db"
)

// signupSteps are the steps of a sign-up, in order.
var signupSteps = []string{"creation", "validation", "mail", "sign-in", "captcha", "initSession"}

// TestSignUpKilled kills the program with SIGKILL at each step of sign-up in turn, while it is taken and right after it was
// acknowledged, under several clients at once, by the dialect and on our pages.
func TestSignUpKilled(t *testing.T) {
	rounds := roundsOf(1, 2, 20)
	eachEngine(t, func(t *testing.T, e db.Engine) {
		k := &signupKiller{registrar: newRegistrar(newDashboard(t, e, unlimited()...)), seed: rand.Uint64()}
		t.Logf("proof: %s: seed %d", t.Name(), k.seed)
		for i := range rounds {
			k.round(i + int(e)) // short runs begin with different steps
			if errs := k.verify(i == rounds-1); len(errs) > 0 {
				t.Fatalf("round %d: %d findings, the first ones: %v", i, len(errs), errs[:min(len(errs), 5)])
			}
		}
		if errs := k.verify(true); len(errs) > 0 { // with those who confirmed since
			t.Fatalf("in the end: %v", errs)
		}
		k.run("doctor")
		t.Logf("proof: %s: %d × kill -9 at the steps of sign-up: %d steps acknowledged, %d unanswered; %d addresses, %d sign-ups kept: 0 half, 0 lost, 0 twice, 0 phantom",
			t.Name(), rounds, k.counts[acknowledged], k.counts[maybe], len(k.applicants), len(k.signups()))
	})
}

// signupKiller lets clients sign up until one of them is where the round wants to kill.
type signupKiller struct {
	*registrar
	seed    uint64
	reading sync.Mutex // of letters
	target  string     // step
	midst   bool       // while it is taken
	left    int        // so many times it is taken before
	there   chan struct{}
}

const signupClients = 6

func (k *signupKiller) round(i int) {
	k.Helper()
	r := newRand(k.seed, i)
	k.target, k.midst, k.left, k.there = signupSteps[i%len(signupSteps)], i/len(signupSteps)%2 == 0, 1+r.IntN(12), make(chan struct{})
	ctx, stop := context.WithCancel(context.Background())
	var group sync.WaitGroup
	for n := range signupClients {
		c := &signupClient{signupKiller: k, ctx: ctx, name: fmt.Sprintf("r%d-%d", i, n), r: newRand(k.seed, 1000*(i+1)+n)}
		group.Go(func() {
			for ctx.Err() == nil {
				c.n++
				c.signsUp()
				time.Sleep(time.Millisecond) // when nothing goes
			}
		})
	}
	select {
	case <-k.there:
	case <-time.After(30 * time.Second):
		stop()
		group.Wait()
		k.Fatalf("nobody got to %s: %v", k.target, k.unexpected[:min(len(k.unexpected), 5)])
	}
	if k.midst {
		time.Sleep(time.Duration(r.Int64N(int64(60 * time.Millisecond))))
	}
	k.must(k.kill())
	stop()
	group.Wait()
	client.CloseIdleConnections()
	k.must(k.start())
}

// arrive tells that a client is at a step.
func (k *signupKiller) arrive(step string, midst bool) {
	k.Lock()
	defer k.Unlock()
	if step != k.target || midst != k.midst || k.left == 0 {
		return
	}
	if k.left--; k.left == 0 {
		close(k.there)
	}
}

// signupClient signs up people, one after another.
type signupClient struct {
	*signupKiller
	ctx  context.Context
	name string
	n    int
	r    *rand.Rand
}

// take takes a step; it is false when the step was not acknowledged. What is refused is noted unless that may be.
func (c *signupClient) take(step string, mayBeRefused bool, do func() (answer, error)) (answer, fate) {
	c.arrive(step, true)
	a, err := do()
	f := fateOf(a, err)
	c.Lock()
	c.counts[f]++
	if f == refused && !mayBeRefused {
		c.unexpected = append(c.unexpected, fmt.Sprintf("%s: %d %s", step, a.status, a.body))
	}
	c.Unlock()
	if f == acknowledged {
		c.arrive(step, false)
	}
	return a, f
}

// address is a new one, or one that other clients use too.
func (c *signupClient) address() string {
	if c.r.IntN(5) == 0 {
		round, _, _ := strings.Cut(c.name, "-")
		return fmt.Sprintf("%s-rival%d@example.org", round, c.r.IntN(3))
	}
	return fmt.Sprintf("%s-%d@example.org", c.name, c.n)
}

func (c *signupClient) signsUp() {
	a, f := c.take("initSession", false, c.session)
	if f != acknowledged {
		return
	}
	session := pick(c, a.body, "/session_token")
	c.Lock()
	c.services = append(c.services, session)
	c.Unlock()
	address := c.address()
	if page := c.r.IntN(3) == 0; page && !c.applyOnPage(address) || !page && !c.apply(session, address) {
		return
	}
	number, token := c.mailFor(address)
	if number == "" || !c.prove(session, address, number, token) {
		return
	}
	c.enter(address)
	if c.r.IntN(4) == 0 {
		c.leave(session)
	}
}

// apply signs up by the dialect; sometimes it burns a captcha first.
func (c *signupClient) apply(session, address string) bool {
	for burn := c.r.IntN(8) == 0; ; burn = false {
		a, f := c.take("captcha", false, func() (answer, error) { return c.captcha(session) })
		if f != acknowledged {
			return false
		}
		u := &usedUp{number: pick(c, a.body, "/id"), session: session}
		if !burn {
			a, f = c.sent(address, u, func() (answer, error) {
				return c.create(session, address, newPassword, u.number, c.answerOf(u.number))
			})
			if f == acknowledged {
				c.Lock()
				c.of(address).numbers = append(c.of(address).numbers, pick(c, a.body, "/id"))
				c.Unlock()
			}
			return f == acknowledged
		}
		for range 3 {
			if a, err := c.create(session, address, newPassword, u.number, "wrong"); err != nil || a.status != 400 {
				return false
			}
		}
		c.Lock()
		c.burned = append(c.burned, u)
		c.Unlock()
	}
}

// sent notes that a sign-up is sent, and what came of it.
func (c *signupClient) sent(address string, u *usedUp, do func() (answer, error)) (answer, fate) {
	c.Lock()
	who := c.of(address)
	who.tried++
	who.captchas = append(who.captchas, u)
	c.Unlock()
	a, f := c.take("creation", false, do)
	c.Lock()
	defer c.Unlock()
	u.fate = f
	if f == acknowledged {
		who.acked++
	}
	return a, f
}

func (c *signupClient) applyOnPage(address string) bool {
	v := c.visitor()
	asks, f := c.take("captcha", false, func() (answer, error) { return v.get("/signup") })
	if f != acknowledged {
		return false
	}
	u := &usedUp{number: shownChallenge.FindStringSubmatch(asks.body)[1]}
	_, f = c.sent(address, u, func() (answer, error) {
		return v.post("/signup", "do", "create", "challenge", u.number, "answer", c.answerOf(u.number), "work", "", "email", address, "password", newPassword, "newsletter", "yes")
	})
	return f == acknowledged
}

// mailFor waits for a message that confirms an address; there is none for one that somebody has confirmed.
func (c *signupClient) mailFor(address string) (number, token string) {
	c.arrive("mail", true)
	for c.ctx.Err() == nil {
		c.reading.Lock()
		c.must(c.letters.read(c.box))
		for n, tokens := range c.letters.tokens {
			for t, to := range tokens {
				if to == address {
					number, token = n, t
				}
			}
		}
		known := c.letters.known[address] > 0
		c.reading.Unlock()
		if number != "" || known {
			c.arrive("mail", false)
			return number, token
		}
		time.Sleep(10 * time.Millisecond)
	}
	return "", ""
}

// prove confirms, by the dialect or with the button of our page. A rival may have been first.
func (c *signupClient) prove(session, address, number, token string) bool {
	_, f := c.take("validation", strings.Contains(address, "rival"), func() (answer, error) {
		if c.r.IntN(2) == 0 {
			return c.visitor().post("/confirm/"+number+"/"+token, "password", newPassword)
		}
		return c.validate(session, number, token)
	})
	c.Lock()
	defer c.Unlock()
	if f != maybe {
		c.of(address).proven = true
	}
	return f != maybe
}

func (c *signupClient) enter(address string) {
	if c.r.IntN(3) == 0 {
		c.take("sign-in", false, func() (answer, error) {
			return c.visitor().post("/login", "email", address, "password", newPassword)
		})
		return
	}
	if a, f := c.take("sign-in", false, func() (answer, error) { return c.signIn(address, newPassword) }); f == acknowledged {
		c.Lock()
		defer c.Unlock()
		c.of(address).sessions = append(c.of(address).sessions, pick(c, a.body, "/session_token"))
	}
}

// leave ends a session.
func (c *signupClient) leave(session string) {
	c.Lock() // it may be over without an answer
	c.services = slices.DeleteFunc(c.services, func(s string) bool { return s == session })
	c.Unlock()
	if _, f := c.take("killSession", false, func() (answer, error) {
		return ask(context.Background(), "GET", c.url+"/killSession?session_token="+session, nil, "")
	}); f == acknowledged {
		c.Lock()
		defer c.Unlock()
		c.ended = append(c.ended, session)
	}
}
