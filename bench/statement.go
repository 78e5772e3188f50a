package main

import (
	"encoding/hex"
	"strconv"
	"time"
)

// The load's world.
const (
	people     = 1000
	activities = 500
	homePage   = "https://lms.example/"
)

// verbs are the verbs of statements with their display.
var verbs = [5][2]string{
	{"http://adlnet.gov/expapi/verbs/experienced", "experienced"}, {"http://adlnet.gov/expapi/verbs/answered", "answered"},
	{"http://adlnet.gov/expapi/verbs/progressed", "progressed"}, {"http://adlnet.gov/expapi/verbs/completed", "completed"},
	{"http://adlnet.gov/expapi/verbs/passed", "passed"},
}

// appendStatement adds a statement of 1.2 KB, such as a quiz sends.
func appendStatement(b []byte, id uuid, actor, activity int, at time.Time) []byte {
	verb := verbs[(actor+activity+int(id[0]))%len(verbs)]
	b = append(b, `{"id":"`...)
	b = appendUUID(b, id)
	b = append(b, `","actor":`...)
	b = appendActor(b, actor)
	b = append(b, `,"verb":{"id":"`...)
	b = append(append(b, verb[0]...), `","display":{"en-US":"`...)
	b = append(append(b, verb[1]...), `"}},"object":{"objectType":"Activity","id":"https://courses.example/safety/quiz/question-`...)
	b = appendDigits(b, activity)
	b = append(b, `","definition":{"type":"http://adlnet.gov/expapi/activities/cmi.interaction","name":{"en-US":"Question `...)
	b = appendDigits(b, activity)
	b = append(b, `"},"description":{"en-US":"What do you do first when the alarm goes off while you are on the second floor?"},`+
		`"interactionType":"choice","correctResponsesPattern":["walk[,]calm"]}},`+
		`"result":{"score":{"scaled":0.85,"raw":85,"min":0,"max":100},"success":true,"completion":true,"response":"walk[,]calm","duration":"PT42.5S"},`+
		`"context":{"registration":"`...)
	b = appendUUID(b, registrationOf(actor))
	b = append(b, `","contextActivities":{"parent":[{"id":"https://courses.example/safety/quiz-`...)
	b = appendDigits(b, activity/7)
	b = append(b, `","objectType":"Activity"}],"category":[{"id":"https://w3id.org/xapi/cmi5/context/categories/cmi5"}]},`+
		`"platform":"Rollway bench","language":"en-US","extensions":{"https://courses.example/ext/attempt":2,"https://courses.example/ext/session":"`...)
	b = appendUUID(b, id)
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

// registrationOf is the registration that statements of an actor name.
func registrationOf(actor int) (u uuid) {
	u[3], u[4], u[6], u[8] = byte(actor), byte(actor>>8), 0x40, 0x80
	return u
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
