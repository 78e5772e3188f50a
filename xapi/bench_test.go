package xapi_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"math"
	"testing"
	"time"

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

// scanner is the floor: the JSON library reads the tokens, which refuses
// duplicate names and bad UTF-8.
type scanner struct {
	dec jsontext.Decoder
	buf bytes.Buffer
}

func (s *scanner) scan(src []byte) error {
	s.buf = *bytes.NewBuffer(src)
	s.dec.Reset(&s.buf)
	for {
		if _, err := s.dec.ReadToken(); err != nil {
			if errors.Is(err, io.EOF) {
				return nil
			}
			return err
		}
	}
}

func BenchmarkTokenScan(b *testing.B) {
	src := []byte(typical)
	b.SetBytes(int64(len(src)))
	b.ReportAllocs()
	var s scanner
	for b.Loop() {
		if err := s.scan(src); err != nil {
			b.Fatal(err)
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

// BenchmarkRatio runs the two by turns and reports their ratio, from the best
// turn of each, so that it means something on a busy machine too.
func BenchmarkRatio(b *testing.B) {
	src := []byte(typical)
	var s scanner
	var r xapi.Reader
	scan, read := time.Duration(math.MaxInt64), time.Duration(math.MaxInt64)
	for b.Loop() {
		scan = min(scan, turn(b, func() error { return s.scan(src) }))
		read = min(read, turn(b, func() error { _, err := r.Read(src, xapi.V1); return err }))
	}
	b.ReportMetric(float64(read)/float64(scan), "ratio")
}

// BenchmarkDecode is what the standard library takes to decode the statement to maps, which checks no rule.
func BenchmarkDecode(b *testing.B) {
	src := []byte(typical)
	b.SetBytes(int64(len(src)))
	b.ReportAllocs()
	for b.Loop() {
		if err := decode(src); err != nil {
			b.Fatal(err)
		}
	}
}

func decode(src []byte) error {
	var m map[string]any
	return json.Unmarshal(src, &m)
}

// BenchmarkValidation sets Read beside that, by turns: microseconds of each, from its best turn, and their ratio.
func BenchmarkValidation(b *testing.B) {
	src := []byte(typical)
	var r xapi.Reader
	decoded, read := time.Duration(math.MaxInt64), time.Duration(math.MaxInt64)
	for b.Loop() {
		decoded = min(decoded, turn(b, func() error { return decode(src) }))
		read = min(read, turn(b, func() error { _, err := r.Read(src, xapi.V1); return err }))
	}
	b.ReportMetric(float64(read.Nanoseconds())/turnOf/1e3, "µs-read")
	b.ReportMetric(float64(decoded.Nanoseconds())/turnOf/1e3, "µs-decode")
	b.ReportMetric(float64(read)/float64(decoded), "ratio")
}

// turnOf is how often a turn does its work.
const turnOf = 50

func turn(b *testing.B, work func() error) time.Duration {
	start := time.Now()
	for range turnOf {
		if err := work(); err != nil {
			b.Fatal(err)
		}
	}
	return time.Since(start)
}
