package xapi_test

import (
	"fmt"
	"time"

	"rollway/xapi"
)

// A record store reads a statement, keeps the keys it searches by, and keeps
// the text that it will serve.
func ExampleRead() {
	src := []byte(`{ "actor": {"mbox": "mailto:ada@example.com"},
		"verb": {"id": "http://adlnet.gov/expapi/verbs/completed"},
		"object": {"id": "https://courses.example.com/safety"} }`)
	f, err := xapi.Read(src, xapi.V1)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("%s %s %s\n", f.ActorKey, f.Verb, f.ObjectID)
	stored := time.Date(2026, 1, 31, 12, 0, 0, 0, time.UTC)
	fmt.Printf("%s\n", f.Serve(nil, xapi.UUID{15: 1}, stored, []byte(`{"openid":"https://lrs.example"}`)))
	// Output:
	// mbox:mailto:ada@example.com http://adlnet.gov/expapi/verbs/completed https://courses.example.com/safety
	// {"id":"00000000-0000-0000-0000-000000000001","actor":{"mbox":"mailto:ada@example.com"},"verb":{"id":"http://adlnet.gov/expapi/verbs/completed"},"object":{"id":"https://courses.example.com/safety"},"timestamp":"2026-01-31T12:00:00.000Z","stored":"2026-01-31T12:00:00.000Z","authority":{"openid":"https://lrs.example"},"version":"1.0.0"}
}

// Errors say where, which rule, and what was found.
func ExampleError() {
	_, err := xapi.ParseAgent([]byte(`{"name": "Ada", "mbox": "ada@example.com"}`))
	fmt.Println(err)
	// Output:
	// /mbox: mbox must be mailto: and an e-mail address; found "ada@example.com" (Data 2.4.2.3)
}
