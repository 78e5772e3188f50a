package main

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/url"
	"sync"
	"sync/atomic"
	"time"
)

// world is the people and credentials of one installation, and the requests that they are the material of.
type world struct {
	address string // of the server
	account account
	conns   int

	runs   atomic.Int64 // how many loads were made: new names carry the number
	mu     sync.Mutex
	minted []credential // and not used yet
}

// credential is a user name and a secret.
type credential struct{ name, secret string }

func (c credential) basic() string {
	return "Basic " + base64.StdEncoding.EncodeToString([]byte(c.name+":"+c.secret))
}

// learner is the credential of person n that learners' loads use.
func learner(n int) credential {
	return credential{fmt.Sprintf("learner-%08d", n), fmt.Sprintf("secret-of-learner-%08d", n)}
}

// populate provisions the people and mints one credential for each.
func (w *world) populate(ctx context.Context) error {
	each := func(name string, request func(n int) []byte) error {
		var next atomic.Int64
		t, err := drive(ctx, w.address, load{name: name, want: 200, conns: w.conns, next: func(int) func() []byte {
			return func() []byte {
				if n := int(next.Add(1)) - 1; n < people {
					return request(n)
				}
				return nil
			}
		}}, span{warm: time.Minute})
		if err == nil && t.All != people {
			err = fmt.Errorf("%s: %d of %d", name, t.All, people)
		}
		return err
	}
	if err := each("provisioning", func(n int) []byte { return w.upsert(n) }); err != nil {
		return err
	}
	return each("minting", func(n int) []byte { return w.mint(n, learner(n)) })
}

func (w *world) upsert(n int) []byte {
	actor := appendActor(nil, n)
	body := fmt.Appendf(actor[:len(actor)-1], `,"extensions":{"http://clearlrs.com/api/ext/agent/attributes":{"Email":"learner-%08d@example.com","Country":"AU"}}}`, n)
	return post(w.address, "/api/actors/agents", body, "Authorization: "+w.account.Token)
}

func (w *world) mint(person int, c credential) []byte {
	body := fmt.Appendf(nil, `{"username":"%s","password":"%s","data":{"actor":%s}}`, c.name, c.secret, appendActor(nil, person))
	return post(w.address, "/api/auth/basic", body, "Authorization: "+w.account.Token)
}

func (w *world) launch(c credential) []byte {
	return get(w.address, "/api/activities/launch?activityId="+url.QueryEscape(activity)+"&newAttempt=true&auth="+url.PathEscape(c.basic()))
}

// launches are full launches by everybody in turn, each a new attempt.
func (w *world) launches() load {
	all := make([][]byte, people)
	for n := range all {
		all[n] = w.launch(learner(n))
	}
	return load{name: "launch", want: 303, next: func(conn int) func() []byte {
		n := conn * people / w.conns
		return func() []byte {
			n++
			return all[n%people]
		}
	}}
}

// firstLaunches are launches with credentials that were minted before and never used.
func (w *world) firstLaunches() load {
	return load{name: "first launch", want: 303, next: func(int) func() []byte {
		return func() []byte {
			if c, ok := w.unused(); ok {
				return w.launch(c)
			}
			return nil
		}
	}}
}

// unused takes any one of the credentials that were minted and not used.
func (w *world) unused() (credential, bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.minted) == 0 {
		return credential{}, false
	}
	i, last := rand.IntN(len(w.minted)), len(w.minted)-1
	c := w.minted[i]
	w.minted[i] = w.minted[last]
	w.minted = w.minted[:last]
	return c, true
}

// mints are credentials for everybody in turn, with user names and passwords of the client's, as in the guide.
func (w *world) mints() load {
	run := w.runs.Add(1)
	heads := requestHead("POST", w.address, "/api/auth/basic", "Authorization: "+w.account.Token, "Content-Type: application/json")
	answered := make([]int, w.conns)
	name := func(conn, n int) credential {
		return credential{fmt.Sprintf("bench-%02d-%02d-%08d", run, conn, n), "correct-horse-battery-staple"}
	}
	return load{name: "mint", want: 200,
		next: func(conn int) func() []byte {
			var buf, body []byte
			n := 0
			return func() []byte {
				n++
				c := name(conn, n)
				body = append(append(append(append(append(body[:0], `{"username":"`...), c.name...), `","password":"`...), c.secret...), `","data":{"actor":`...)
				body = append(appendActor(body, (conn+n*w.conns)%people), `}}`...)
				buf = appendRequest(buf[:0], heads, body)
				return buf
			}
		},
		seen: func(conn int, _ reply) error {
			answered[conn]++
			w.mu.Lock()
			w.minted = append(w.minted, name(conn, answered[conn]))
			w.mu.Unlock()
			return nil
		},
	}
}

// arrivals are people whom nobody knew; with known set they are known, and nothing of them has changed.
func (w *world) arrivals(known bool) load {
	run := int(w.runs.Add(1))
	return load{name: "provision", want: 200, next: func(conn int) func() []byte {
		n := 0
		return func() []byte {
			n++
			if known {
				return w.upsert((conn*people/w.conns + n) % people)
			}
			return w.upsert(run*1_000_000 + conn*10_000 + n)
		}
	}}
}

// redirects are requests to a server that answers each with a 303.
func redirects(address string) load {
	q := (&world{address: address}).launch(learner(0))
	return load{name: "bare 303", want: 303, next: func(int) func() []byte { return func() []byte { return q } }}
}

var errNoCredentials = errors.New("no credentials were minted that could be used for the first time: measure mint too")
