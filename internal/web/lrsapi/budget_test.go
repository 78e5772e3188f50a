package lrsapi_test

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"rollway/internal/db"
	"rollway/internal/db/dbtest"
	"rollway/internal/lrs"
	"rollway/internal/web"
	"rollway/internal/web/lrsapi"
)

// begin sends a request whose body does not end before finish, which answers its status. Its length is declared if the header
// has it.
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
		if name == "Content-Length" {
			if r.ContentLength, err = strconv.ParseInt(value, 10, 64); err != nil {
				t.Fatal(err)
			}
		}
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
		return lrsapi.NewWithin(w, store, person, lrsapi.Held{Bodies: 2 << 20, BodiesEach: 2 << 20, Forms: 1<<20 + 16<<10, FormsEach: 1<<20 + 16<<10, Answers: 4 << 20, AnswersEach: 4 << 20, Wait: 2 * time.Second})
	})
	const known = "Authorization: Test service\nX-Experience-API-Version: 1.0.3\nContent-Type: application/json"
	large := long(ann)
	post := exchange{method: "POST", path: "statements", body: large}
	alternate := exchange{method: "POST", path: "statements?method=GET", header: form, body: "limit=1&Accept=" + strings.Repeat("x", 40<<10)}
	for _, c := range []struct {
		path, header, first, last string
		waits                     exchange
		passes                    []exchange
	}{
		{"statements", fmt.Sprint(known, "\nContent-Length: ", len(large)), large[:5], large[5:], post, []exchange{alternate, {method: "POST", path: "statements", body: statement(ann, "http://example.com/did")}}},
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

// A body that does not say how long it is takes room as it comes.
func TestUndeclaredBodiesTakeRoomAsTheyCome(t *testing.T) {
	t.Parallel()
	s := serveWith(t, dbtest.Open(t, db.SQLite), func(w web.Door, store *lrs.Store, person lrsapi.PersonOf) http.Handler {
		return lrsapi.NewWithin(w, store, person, lrsapi.Held{Bodies: 20 << 20, BodiesEach: 20 << 20, Answers: 4 << 20, AnswersEach: 4 << 20, Wait: 2 * time.Second})
	})
	const known = "Authorization: Test service\nX-Experience-API-Version: 1.0.3\nContent-Type: application/json"
	var finish []func() int
	for range 4 {
		large := long(ann)
		finish = append(finish, s.begin(t, "statements", known, large[:5], large[5:]))
	}
	for range 2 { // the second finds all of them there
		time.Sleep(100 * time.Millisecond)
		if a := s.do(t, exchange{method: "POST", path: "statements", body: strings.Repeat(" ", 14<<20) + long(ann)}); a.status != 200 {
			t.Errorf("beside the beginnings of others: %d %s", a.status, a.body)
		}
	}
	for _, f := range finish {
		if got := f(); got != 200 {
			t.Errorf("a body that goes on: %d", got)
		}
	}
}

// long is a statement of more than a megabyte.
func long(actor string) string {
	return strings.Replace(statement(actor, "http://example.com/did"), `activity"}`, `activity"},"result":{"response":"`+strings.Repeat("long ", 1<<18)+`"}`, 1)
}

// Nobody takes the room of all, for bodies or for answers that are not read.
func TestEachPartyHasItsShare(t *testing.T) {
	t.Parallel()
	s := serveWith(t, dbtest.Open(t, db.SQLite), func(w web.Door, store *lrs.Store, person lrsapi.PersonOf) http.Handler {
		return lrsapi.NewWithin(w, store, person, lrsapi.Held{Bodies: 20 << 20, BodiesEach: 10 << 20, Answers: 20 << 20, AnswersEach: 10 << 20, Wait: time.Second})
	})
	large := strings.Repeat("large ", 8<<20/6) // more than systems keep for a client that does not read
	const known = "X-Experience-API-Version: 1.0.3\nContent-Type: text/plain\nContent-Length: "
	document := func(who, method, name string) exchange {
		e := exchange{method: method, path: "activities/state?stateId=" + name + "&" + place, header: "Authorization: Test " + who + "\nContent-Type: text/plain"}
		if method == "PUT" {
			e.body = large
		}
		return e
	}
	until := func(what string, e exchange, status int) {
		t.Helper()
		a := s.do(t, e)
		for end := time.Now().Add(20 * time.Second); a.status != status && time.Now().Before(end); a = s.do(t, e) {
			time.Sleep(10 * time.Millisecond)
		}
		if a.status != status || status == 503 && (!strings.Contains(a.body, "too_busy") || a.header.Get("Retry-After") == "") {
			t.Errorf("%s: %d %v %.200s", what, a.status, a.header, a.body)
		}
	}

	finish := s.begin(t, "activities/state?stateId=slow&"+place, fmt.Sprint("Authorization: Test service\n", known, len(large)), large[:5], large[5:])
	until("a second body of the same party", document("service", "PUT", "other"), 503)
	until("another's", document("ann", "PUT", "other"), 204)
	if got := finish(); got != 204 {
		t.Errorf("the slow body: %d", got)
	}

	c := s.unread(t, document("service", "GET", "other"))
	until("a second answer for the same party", document("service", "GET", "other"), 503)
	until("another's", document("ann", "GET", "other"), 200)
	c.Close()
	until("once the client has left", document("service", "GET", "other"), 200)
}

// unread sends a request whose answer is never read.
func (s *server) unread(t *testing.T, e exchange) net.Conn {
	t.Helper()
	c, err := net.Dial("tcp", s.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	if err := c.(*net.TCPConn).SetReadBuffer(4 << 10); err != nil {
		t.Fatal(err)
	}
	if _, err := fmt.Fprintf(c, "%s /xapi/%s HTTP/1.1\r\nHost: lrs\r\nX-Experience-API-Version: 1.0.3\r\n%s\r\n\r\n", e.method, e.path, strings.ReplaceAll(e.header, "\n", "\r\n")); err != nil {
		t.Fatal(err)
	}
	return c
}

// While the data of an attachment arrives, only the statements that it belongs to are held.
func TestAttachmentsNeedNoBudget(t *testing.T) {
	t.Parallel()
	s := serveWith(t, dbtest.Open(t, db.SQLite), func(w web.Door, store *lrs.Store, person lrsapi.PersonOf) http.Handler {
		return lrsapi.NewWithin(w, store, person, lrsapi.Held{Bodies: 17 << 20, BodiesEach: 17 << 20, Wait: time.Second})
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
