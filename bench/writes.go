package main

import (
	"sync/atomic"
	"time"
)

const (
	fillBatch = 100
	fillConns = 4
)

// statementHead is a request that stores statements, up to where its length follows.
func (w *world) statementHead(c credential) []byte {
	return requestHead("POST", w.address, "/xapi/statements", "Authorization: "+c.basic(), "X-Experience-API-Version: 1.0.3", "Content-Type: application/json")
}

func (w *world) service() credential { return credential{w.account.Key, w.account.Secret} }

// usual is a statement as in the field, and none that was there before.
func usual(m *maker) drawn { return draw(m.Uint64()) }

// sharing is one about an activity that all others are about too, of 20.
func sharing(m *maker) drawn {
	d := draw(m.Uint64())
	d.activity %= hot
	return d
}

// statements are statements of everybody, one a request: each person's sent with the person's own credential, or all of them
// with the service account's.
func (w *world) statements(own bool) load {
	if !own {
		return w.writes(1, usual)
	}
	return load{name: "statement", want: 200, next: func(conn int) func() []byte {
		var buf, body []byte
		m := newMaker(conn, 1)
		heads := map[int][]byte{}
		return func() []byte {
			d := usual(m)
			head := heads[d.actor]
			if head == nil {
				head = w.statementHead(learner(d.actor))
				heads[d.actor] = head
			}
			body = appendStatement(body[:0], d, time.Now())
			buf = appendRequest(buf[:0], head, body)
			return buf
		}
	}}
}

// writes are requests of so many statements each, sent with the service account's credential.
func (w *world) writes(each int, of func(m *maker) drawn) load {
	return load{name: "statements", want: 200, next: func(conn int) func() []byte {
		var buf, body []byte
		m := newMaker(conn, 1)
		head := w.statementHead(w.service())
		return func() []byte {
			body = appendBatch(body[:0], each, func() drawn { return of(m) })
			buf = appendRequest(buf[:0], head, body)
			return buf
		}
	}}
}

// appendBatch adds one statement, or an array of more.
func appendBatch(b []byte, each int, of func() drawn) []byte {
	now := time.Now()
	if each == 1 {
		return appendStatement(b, of(), now)
	}
	b = append(b, '[')
	for i := range each {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendStatement(b, of(), now)
	}
	return append(b, ']')
}

// filling is the statements of a store from one number up to another, in batches.
func (w *world) filling(from, to int) load {
	var next atomic.Int64
	next.Store(int64(from))
	return load{name: "filling", want: 200, conns: fillConns, next: func(int) func() []byte {
		var buf, body []byte
		head := w.statementHead(w.service())
		return func() []byte {
			n := int(next.Add(fillBatch)) - fillBatch
			if n >= to {
				return nil
			}
			body = appendBatch(body[:0], min(fillBatch, to-n), func() drawn { n++; return draw(uint64(n - 1)) })
			buf = appendRequest(buf[:0], head, body)
			return buf
		}
	}}
}

// The kinds of statements that use cases are about. Their ids are nobody else's.

// narrow is a statement of one of few people about one of few activities.
func narrow(m *maker) drawn {
	n := m.Uint64()
	return drawn{id: m.random(), actor: int(n % 5), verb: int(n >> 8 % 2), activity: int(n >> 16 % 5)}
}

// wide is a statement of somebody, and about something, that hardly ever occurred before.
func wide(m *maker) drawn {
	n := m.Uint64()
	return drawn{id: m.random(), actor: int(1e6 + n%90e6), verb: int(n >> 8 % uint64(len(verbs))), activity: int(1e6 + n>>32%90e6), instructor: int(n % instructors)}
}

// team is a statement of a Group of five.
func team(m *maker) drawn {
	d := usual(m)
	d.members = 5
	return d
}
