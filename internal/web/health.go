package web

import (
	"context"
	"io"
	"net/http"
	"time"

	"rollway/internal/fault"
)

// Healthz answers 200 as long as the process answers at all.
func Healthz(w http.ResponseWriter, r *http.Request) error {
	hush(r)
	return say(w, "ok\n")
}

// readyWithin is how long a check may take.
const readyWithin = 3 * time.Second

// Readyz answers 200 while check succeeds and 503 otherwise; the reason goes to the log only.
func Readyz(check func(context.Context) error) Handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		ctx, cancel := context.WithTimeout(r.Context(), readyWithin)
		defer cancel()
		if err := check(ctx); err != nil {
			return fault.New(fault.Unavailable, "not_ready", "The server is not ready.").Because(err)
		}
		hush(r)
		return say(w, "ready\n")
	}
}

// hush keeps the line of a probe that went well out of the log, unless debugging is on.
func hush(r *http.Request) {
	if x := exchangeOf(r.Context()); x != nil {
		x.quiet = true
	}
}

func say(w http.ResponseWriter, text string) error {
	NoStore(w.Header())
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	_, err := io.WriteString(w, text)
	return err
}
