package main

import (
	"net/url"
	"sync"
)

// question is something that is asked of a store of statements: of the product in words of xAPI, and of the floor in SQL.
// Each time it asks for what is like another statement of the store.
type question struct {
	title string
	like  func(d *drawn) // limits what is asked for; nil asks for anything
	path  func(b []byte, d drawn) []byte
	sql   string
	args  func(d drawn) []any
}

const floorRows = "SELECT body FROM floor_statements WHERE "

// frequent limits questions to what many statements answer in a store of any size.
func frequent(d *drawn) { d.actor, d.verb = d.actor%eager, d.verb%common }

// questions are those whose latency is measured.
var questions = []question{
	{title: "by id", path: byID, sql: floorRows + "id = $1", args: func(d drawn) []any { return []any{d.id} }},
	{title: "by agent and verb", like: frequent, path: func(b []byte, d drawn) []byte { return byVerb(byAgent(b, d), d) },
		sql: floorRows + "actor = $1 AND verb = $2 ORDER BY pos DESC LIMIT 100", args: func(d drawn) []any { return []any{floorAgent(d.actor), floorVerb(d.verb)} }},
	{title: "by activity", path: byActivity, sql: floorRows + "activity = $1 ORDER BY pos DESC LIMIT 100", args: func(d drawn) []any { return []any{floorActivity(d.activity)} }},
	{title: "by registration", like: frequent, path: byRegistration, sql: floorRows + "registration = $1 ORDER BY pos DESC LIMIT 100", args: func(d drawn) []any { return []any{floorRegistration(d)} }},
	{title: "by related agent", path: byInstructor, sql: "SELECT s.body FROM floor_related r JOIN floor_statements s ON s.pos = r.pos WHERE r.agent = $1 ORDER BY r.pos DESC LIMIT 100",
		args: func(d drawn) []any { return []any{floorInstructor(d.instructor)} }},
}

// Names of agents as parameters.
var (
	agentNames      = sync.OnceValue(func() []string { return escaped(people, appendActor) })
	instructorNames = sync.OnceValue(func() []string { return escaped(instructors, appendInstructor) })
	verbNames       = sync.OnceValue(func() []string {
		return escaped(len(verbs), func(b []byte, n int) []byte { return append(append(b, verbPrefix...), verbs[n]...) })
	})
)

func escaped(n int, appendName func(b []byte, n int) []byte) []string {
	names := make([]string, n)
	for i := range names {
		names[i] = url.QueryEscape(string(appendName(nil, i)))
	}
	return names
}

// Each adds the parameters of a question; the first character of each parameter parts it from those before.
func byID(b []byte, d drawn) []byte { return appendUUID(append(b, "&statementId="...), d.id) }
func byAgent(b []byte, d drawn) []byte {
	return append(append(b, "&agent="...), agentNames()[d.actor]...)
}
func byVerb(b []byte, d drawn) []byte {
	return append(append(b, "&verb="...), verbNames()[d.verb]...)
}
func byActivity(b []byte, d drawn) []byte {
	return appendDigits(append(b, "&activity="+activityPrefix...), d.activity)
}
func byRegistration(b []byte, d drawn) []byte {
	return appendUUID(append(b, "&registration="...), d.registration())
}
func byInstructor(b []byte, d drawn) []byte {
	return append(append(b, "&related_agents=true&agent="...), instructorNames()[d.instructor]...)
}
func byCourse(b []byte, d drawn) []byte {
	return appendDigits(append(b, "&related_activities=true&activity="+coursePrefix...), d.activity/perCourse)
}
func newest(b []byte, _ drawn) []byte { return b }

// readTail is a reading request after its path.
func (w *world) readTail() []byte {
	return []byte(" HTTP/1.1\r\nHost: " + w.address + "\r\nAuthorization: " + w.service().basic() + "\r\nX-Experience-API-Version: 1.0.3\r\n\r\n")
}

// asks are a question asked over and over, like so many statements of a store of that size.
func (w *world) asks(q question, limit string, size, different int) load {
	tail := w.readTail()
	return load{name: q.title, want: 200, next: func(conn int) func() []byte {
		var buf []byte
		m := newMaker(conn, 1)
		return func() []byte {
			const start = "GET /xapi/statements"
			buf = append(q.path(append(buf[:0], start...), q.draw(m, size, different)), limit...)
			if len(buf) > len(start) {
				buf[len(start)] = '?' // instead of the first &
			}
			buf = append(buf, tail...)
			return buf
		}
	}}
}

// draw draws what is asked for: like one of so many statements, which are spread over the whole store.
func (q question) draw(m *maker, size, different int) drawn {
	different = min(different, size)
	return q.about(m.Uint64() % uint64(different) * uint64(size/different))
}

// about is what is asked for when it is to be like statement number n.
func (q question) about(n uint64) drawn {
	d := draw(n)
	if q.like != nil {
		q.like(&d)
	}
	return d
}
