package main

import (
	"encoding/hex"
	"strconv"
	"time"
)

// The load's world: statements as in the field. Most actors do a little and a few do much, as with verbs, so that
// questions with many answers and with few can be asked of a store of any size.
const (
	people      = 1000
	eager       = 10 // of the people, about whom a fifth of the statements are
	activities  = 200
	perCourse   = 20 // activities; a registration is a person's for a course
	instructors = 50
	common      = 3 // verbs that half of the statements have
	hot         = 20
	homePage    = "https://lms.example/"
)

// verbs are the verbs of statements: what follows http://adlnet.gov/expapi/verbs/, which is also their display.
var verbs = [30]string{
	"experienced", "answered", "progressed", "abandoned", "asked", "attempted", "attended", "commented", "completed", "exited",
	"failed", "imported", "initialized", "interacted", "launched", "mastered", "passed", "preferred", "registered", "responded",
	"resumed", "satisfied", "scored", "shared", "suspended", "terminated", "voted", "waived", "logged-in", "logged-out",
}

// drawn is what a statement is about.
type drawn struct {
	id         uuid
	actor      int
	members    int // of the actor, when it is a Group
	verb       int
	activity   int
	instructor int
}

// draw is statement number n of a world that has any number of them, always the same one.
func draw(n uint64) (d drawn) {
	a, b := mix(n), mix(^n)
	for i := range 8 {
		d.id[i], d.id[8+i] = byte(a>>(8*i)), byte(b>>(8*i))
	}
	d.id[6], d.id[8] = d.id[6]&0x0f|0x40, d.id[8]&0x3f|0x80
	r := mix(a ^ b<<1)
	d.actor, d.verb = int(r>>8%people), int(r>>24%uint64(len(verbs)))
	if r%5 == 0 {
		d.actor %= eager
	}
	if r>>4%2 == 0 {
		d.verb %= common
	}
	r = mix(r)
	d.activity, d.instructor = int(r%activities), int(r>>32%instructors)
	return d
}

// mix makes a number of another (splitmix64): two differ in about half of their bits.
func mix(n uint64) uint64 {
	n += 0x9e3779b97f4a7c15
	n = (n ^ n>>30) * 0xbf58476d1ce4e5b9
	n = (n ^ n>>27) * 0x94d049bb133111eb
	return n ^ n>>31
}

// registration is a person's for a course.
func (d drawn) registration() (u uuid) {
	course := d.activity / perCourse
	u[0], u[1], u[2], u[3] = byte(d.actor), byte(d.actor>>8), byte(d.actor>>16), byte(d.actor>>24)
	u[4], u[5], u[6], u[8], u[9], u[10] = byte(course), byte(course>>8), 0x40, 0x80, byte(course>>16), byte(d.members)
	return u
}

const (
	activityPrefix = "https://courses.example/safety/activity-"
	coursePrefix   = "https://courses.example/safety/course-"
	verbPrefix     = "http://adlnet.gov/expapi/verbs/"
)

// appendStatement adds a statement of 1.2 KB, such as a quiz sends.
func appendStatement(b []byte, d drawn, at time.Time) []byte {
	b = append(b, `{"id":"`...)
	b = appendUUID(b, d.id)
	b = append(b, `","actor":`...)
	if d.members > 0 {
		b = appendGroup(b, d)
	} else {
		b = appendActor(b, d.actor)
	}
	b = append(append(b, `,"verb":{"id":"`+verbPrefix...), verbs[d.verb]...)
	b = append(append(b, `","display":{"en-US":"`...), verbs[d.verb]...)
	b = append(b, `"}},"object":{"objectType":"Activity","id":"`+activityPrefix...)
	b = appendDigits(b, d.activity)
	b = append(b, `","definition":{"type":"http://adlnet.gov/expapi/activities/cmi.interaction","name":{"en-US":"Question `...)
	b = appendDigits(b, d.activity)
	b = append(b, `"},"description":{"en-US":"What do you do when the alarm goes off?"},`+
		`"interactionType":"choice","correctResponsesPattern":["walk[,]calm"]}},`+
		`"result":{"score":{"scaled":0.85,"raw":85,"min":0,"max":100},"success":true,"response":"walk[,]calm","duration":"PT42.5S"},`+
		`"context":{"registration":"`...)
	b = appendUUID(b, d.registration())
	b = append(b, `","instructor":`...)
	b = appendInstructor(b, d.instructor)
	b = append(b, `,"contextActivities":{"parent":[{"id":"`+coursePrefix...)
	b = appendDigits(b, d.activity/perCourse)
	b = append(b, `"}],"grouping":[{"id":"https://courses.example/catalogs/`...)
	b = appendDigits(b, d.activity/perCourse%5)
	b = append(b, `"}],"category":[{"id":"https://w3id.org/xapi/cmi5/context/categories/cmi5"}]},"platform":"Rollway bench",`+
		`"language":"en-US","extensions":{"https://courses.example/ext/session":"`...)
	b = appendUUID(b, d.id)
	b = append(b, `"}},"timestamp":"`...)
	b = at.UTC().AppendFormat(b, "2006-01-02T15:04:05.000Z")
	return append(b, `"}`...)
}

// appendActor adds the agent of person n.
func appendActor(b []byte, n int) []byte {
	b = append(b, `{"objectType":"Agent","name":"Learner `...)
	b = appendDigits(b, n)
	b = append(b, `","account":{"homePage":"`+homePage+`","name":"learner-`...)
	b = appendDigits(b, n)
	return append(b, `"}}`...)
}

func appendInstructor(b []byte, n int) []byte {
	b = append(b, `{"account":{"homePage":"`+homePage+`","name":"instructor-`...)
	b = appendDigits(b, n)
	return append(b, `"}}`...)
}

// appendGroup adds a team with an account and its members.
func appendGroup(b []byte, d drawn) []byte {
	b = append(b, `{"objectType":"Group","account":{"homePage":"`+homePage+`","name":"team-`...)
	b = appendDigits(b, d.actor/d.members)
	b = append(b, `"},"member":[`...)
	for i := range d.members {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendActor(b, d.actor/d.members*d.members+i)
	}
	return append(b, `]}`...)
}

// appendDigits adds a number as 8 digits.
func appendDigits(b []byte, n int) []byte {
	const width = 8
	var buf [20]byte
	text := strconv.AppendInt(buf[:0], int64(n), 10)
	for range width - len(text) {
		b = append(b, '0')
	}
	return append(b, text...)
}

func appendUUID(b []byte, u uuid) []byte {
	for i, cut := range [...][2]int{{0, 4}, {4, 6}, {6, 8}, {8, 10}, {10, 16}} {
		if i > 0 {
			b = append(b, '-')
		}
		b = hex.AppendEncode(b, u[cut[0]:cut[1]])
	}
	return b
}
