package lrsapi_test

import (
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"rollway/internal/db"
	"rollway/internal/db/dbtest"
	"rollway/internal/lrs"
	"rollway/internal/web"
	"rollway/internal/web/lrsapi"
)

// begin sends a request whose body has no declared length and does not end before finish, which answers its status.
func (s *server) begin(t *testing.T, path, header string, parts ...string) (finish func() int) {
	t.Helper()
	body, send := io.Pipe()
	r, err := http.NewRequestWithContext(t.Context(), "POST", s.URL+"/xapi/"+path, body)
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(header) {
		name, value, _ := strings.Cut(strings.TrimSpace(line), ": ")
		r.Header.Set(name, value)
	}
	status := make(chan int, 1)
	go func() {
		res, err := http.DefaultTransport.RoundTrip(r)
		if err != nil {
			status <- 0
			return
		}
		res.Body.Close()
		status <- res.StatusCode
	}()
	if _, err := io.WriteString(send, parts[0]); err != nil { // taken once the request is on its way
		t.Fatal(err)
	}
	return func() int {
		if _, err := io.WriteString(send, strings.Join(parts[1:], "")); err != nil {
			t.Error(err)
		}
		send.Close()
		return <-status
	}
}

// Bodies beyond what the door holds at once wait, and are refused when there is no room in time; small ones need none.
func TestBodiesHaveABudget(t *testing.T) {
	t.Parallel()
	s := serveWith(t, dbtest.Open(t, db.SQLite), func(w web.Door, store *lrs.Store, person lrsapi.PersonOf) http.Handler {
		return lrsapi.NewWithin(w, store, person, 17<<20, 1<<20+16<<10, 2*time.Second)
	})
	const known = "Authorization: Test service\nX-Experience-API-Version: 1.0.3\nContent-Type: application/json"
	large := strings.Replace(statement(ann, "http://example.com/did"), `activity"}`, `activity"},"result":{"response":"`+strings.Repeat("long ", 1<<18)+`"}`, 1)
	post := exchange{method: "POST", path: "statements", body: large}
	alternate := exchange{method: "POST", path: "statements?method=GET", header: form, body: "limit=1&Accept=" + strings.Repeat("x", 40<<10)}
	for _, c := range []struct {
		path, header, first, last string
		waits                     exchange
		passes                    []exchange
	}{
		{"statements", known, large[:5], large[5:], post, []exchange{alternate, {method: "POST", path: "statements", body: statement(ann, "http://example.com/did")}}},
		{"statements?method=GET", known + "\n" + form, "limit=1&Accept=", strings.Repeat("x", 40<<10), alternate, []exchange{post}},
	} {
		finish := s.begin(t, c.path, c.header, c.first, c.last)
		deadline := time.Now().Add(20 * time.Second)
		refused := s.do(t, c.waits)
		for refused.status != 503 && time.Now().Before(deadline) { // the first request may not have arrived yet
			refused = s.do(t, c.waits)
		}
		if refused.status != 503 || refused.header.Get("Retry-After") == "" || !strings.Contains(refused.body, "too_busy") {
			t.Errorf("%s: %d %v %s", c.path, refused.status, refused.header, refused.body)
		}
		for _, e := range c.passes {
			if a := s.do(t, e); a.status != 200 {
				t.Errorf("%s beside it: %d %s", c.path, a.status, a.body)
			}
		}
		waiting := make(chan answer)
		go func() { waiting <- s.do(t, c.waits) }()
		time.Sleep(100 * time.Millisecond)
		if got := finish(); got != 200 {
			t.Errorf("%s: %d", c.path, got)
		}
		if a := <-waiting; a.status != 200 {
			t.Errorf("%s after waiting: %d %s", c.path, a.status, a.body)
		}
	}
}

// While the data of an attachment arrives, only the statements that it belongs to are held.
func TestAttachmentsNeedNoBudget(t *testing.T) {
	t.Parallel()
	s := serveWith(t, dbtest.Open(t, db.SQLite), func(w web.Door, store *lrs.Store, person lrsapi.PersonOf) http.Handler {
		return lrsapi.NewWithin(w, store, person, 17<<20, 1<<20, time.Second)
	})
	data := strings.Repeat("data ", 200_000)
	body := mixed(attaching("", ann, attachment(data)), part(data))
	const known = "Authorization: Test service\nX-Experience-API-Version: 1.0.3\n"
	var finish []func() int
	for range 4 { // each may hold 16 MB until its statements are read
		deadline := time.Now().Add(20 * time.Second)
		finish = append(finish, s.begin(t, "statements", known+mixedType(), body[:500_000], body[500_000:]))
		large := exchange{method: "POST", path: "statements", body: strings.Repeat(" ", 15<<20) + statement(ann, "http://example.com/did")}
		for a := s.do(t, large); a.status != 200; a = s.do(t, large) { // the statements may not be read yet
			if a.status != 503 || time.Now().After(deadline) {
				t.Fatalf("beside the data: %d %s", a.status, a.body)
			}
		}
	}
	for _, f := range finish {
		if got := f(); got != 200 {
			t.Errorf("the data: %d", got)
		}
	}
}

// A form is read before anybody is asked who they are, and so it is short.
func TestFormsAreShort(t *testing.T) {
	t.Parallel()
	s := serve(t, dbtest.Open(t, db.SQLite))
	for n, want := range map[int]int{1 << 20: 204, 1<<20 + 16<<10: 413} {
		a := s.do(t, exchange{method: "POST", path: "activities/state?method=PUT", header: form, body: place + "&stateId=s&content=" + strings.Repeat("x", n)})
		if a.status != want {
			t.Errorf("%d: %d %s", n, a.status, a.body)
		}
	}
}
