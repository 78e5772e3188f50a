package xapi_test

import (
	"bytes"
	"errors"
	"io"
	"testing"

	"github.com/go-json-experiment/json/jsontext"

	"rollway/xapi"
)

// typical is a statement as courses send them.
const typical = `{"id":"5a1f8a4e-6f3c-4a53-9a4c-0d9d6c5f2b11","actor":{"objectType":"Agent","name":"Ada Example",` +
	`"account":{"homePage":"https://people.example.com","name":"ada-0001"}},"verb":{"id":"http://adlnet.gov/expapi/verbs/answered",` +
	`"display":{"en-US":"answered","de-DE":"beantwortete"}},"object":{"objectType":"Activity",` +
	`"id":"https://courses.example.com/safety/quiz/question-3","definition":{"name":{"en-US":"Question 3"},` +
	`"type":"http://adlnet.gov/expapi/activities/cmi.interaction","interactionType":"choice",` +
	`"correctResponsesPattern":["b[,]c"],"choices":[{"id":"a","description":{"en-US":"Run"}},{"id":"b","description":` +
	`{"en-US":"Walk"}},{"id":"c","description":{"en-US":"Stay calm"}}]}},"result":{"score":{"scaled":0.5,"raw":5,"min":0,"max":10},` +
	`"success":true,"response":"b[,]c","duration":"PT12.4S"},"context":{"registration":"0c6b7f54-4c8f-4c9e-8a0f-3d8f9c2b7a10",` +
	`"contextActivities":{"parent":[{"id":"https://courses.example.com/safety/quiz"}],"grouping":[{"id":"https://courses.example.com/safety"}]},` +
	`"language":"en-US","extensions":{"https://example.com/ext/attempt":2}},"timestamp":"2026-03-14T15:09:26.535Z"}`

// BenchmarkTokenScan is the floor: the JSON library reads the tokens, which
// refuses duplicate names and bad UTF-8.
func BenchmarkTokenScan(b *testing.B) {
	src := []byte(typical)
	b.SetBytes(int64(len(src)))
	b.ReportAllocs()
	var dec jsontext.Decoder
	var buf bytes.Buffer
	for b.Loop() {
		buf = *bytes.NewBuffer(src)
		dec.Reset(&buf)
		for {
			if _, err := dec.ReadToken(); err != nil {
				if !errors.Is(err, io.EOF) {
					b.Fatal(err)
				}
				break
			}
		}
	}
}

// BenchmarkRead checks every rule and collects the facts.
func BenchmarkRead(b *testing.B) {
	src := []byte(typical)
	b.SetBytes(int64(len(src)))
	b.ReportAllocs()
	var r xapi.Reader
	for b.Loop() {
		if _, err := r.Read(src, xapi.V1); err != nil {
			b.Fatal(err)
		}
	}
}
