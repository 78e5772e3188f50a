package app

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-json-experiment/json"

	"rollway/internal/access"
	"rollway/internal/db"
	"rollway/internal/db/dbtest"
	"rollway/internal/forward"
	"rollway/internal/id"
	"rollway/internal/lrs"
	"rollway/xapi"
)

// sending is a house that forwards to another one, by way of something that may spoil what passes.
type sending struct {
	*testing.T
	house    *House
	receiver *tenant
	address  string // of the front before the receiver, ending in /xapi/
	caller   access.Caller

	mu    sync.Mutex
	spoil func(w http.ResponseWriter, r *http.Request, posted []string) bool // true when it has answered
	posts [][]string                                                         // ids of the statements of each request
}

func eachSending(t *testing.T, fn func(s *sending)) {
	eachEngine(t, func(t *testing.T, e db.Engine) { fn(newSending(t, e)) })
}

func newSending(t *testing.T, e db.Engine) *sending {
	t.Helper()
	s := &sending{T: t, receiver: furnished(t, e), caller: access.CommandLine(id.DefaultOrg)}
	s.house = s.node(dbtest.URL(t, e), t.TempDir())
	front := httptest.NewServer(http.HandlerFunc(s.front))
	t.Cleanup(front.Close)
	s.address = front.URL + "/xapi/"
	return s
}

// node opens the sender's house and has it work until the test ends.
func (s *sending) node(url, data string) *House {
	s.Helper()
	h, err := Open(s.Context(), Config{Data: data, DB: url})
	s.must(err)
	if h.DB.Engine() == db.SQLite {
		h.Records.Lead()
	}
	h.Outbox.Poll = 20 * time.Millisecond
	ctx, stop := context.WithCancel(context.Background())
	var group sync.WaitGroup
	group.Go(func() { h.Forwards.Work(ctx, func(err error) { s.Error(err) }) })
	s.Cleanup(func() {
		stop()
		group.Wait()
		s.must(h.Close())
	})
	return h
}

func (s *sending) must(err error) {
	s.Helper()
	if err != nil {
		s.Fatal(err)
	}
}

func (s *sending) front(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	var posted []struct {
		ID string `json:"id"`
	}
	var ids []string
	if r.Header.Get("Content-Type") == "application/json" {
		if err := json.Unmarshal(body, &posted); err != nil {
			s.Errorf("posted %s: %v", body, err)
		}
		for _, p := range posted {
			ids = append(ids, p.ID)
		}
	}
	s.mu.Lock()
	if ids != nil {
		s.posts = append(s.posts, ids)
	}
	spoil := s.spoil
	s.mu.Unlock()
	r.Body = io.NopCloser(bytes.NewReader(body))
	if spoil == nil || !spoil(w, r, ids) {
		s.pass(w, r)
	}
}

// pass hands the request on to the receiver.
func (s *sending) pass(w http.ResponseWriter, r *http.Request) {
	s.receiver.server.Config.Handler.ServeHTTP(w, r)
}

func (s *sending) spoilBy(fn func(w http.ResponseWriter, r *http.Request, posted []string) bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.spoil = fn
}

func (s *sending) request(name string) forward.Request {
	s.Helper()
	a, err := s.receiver.house.Accounts.Create(s.Context(), s.caller, access.Request{Name: "sender " + name, Scopes: access.All})
	s.must(err)
	return forward.Request{Name: name, Endpoint: s.address, Username: a.Key, Secret: a.Secret, AllowPrivate: true}
}

func (s *sending) add(r forward.Request) {
	s.Helper()
	_, err := s.house.Forwards.Add(s.Context(), s.caller, r)
	s.must(err)
}

func (s *sending) get(name string) forward.Forward {
	s.Helper()
	f, err := s.house.Forwards.Get(s.Context(), s.caller, name)
	s.must(err)
	return f
}

// put stores statements in the sender, at once, and returns their ids.
func (s *sending) put(line xapi.Version, statements ...string) (ids []string) {
	s.Helper()
	var texts []string
	for _, st := range statements {
		sid := id.NewRandom[id.StatementID]().String()
		texts = append(texts, fmt.Sprintf(`{"id":%q,"actor":{"mbox":"mailto:ada@example.com"},%s}`, sid, st))
		ids = append(ids, sid)
	}
	_, err := s.house.Records.Put(s.Context(), s.caller, line, id.StatementID{}, []byte("["+strings.Join(texts, ",")+"]"))
	s.must(err)
	return ids
}

const did, tried = `"verb":{"id":"https://example.com/did"},"object":{"id":"https://example.com/course"}`, `"verb":{"id":"https://example.com/tried"},"object":{"id":"https://example.com/course"}`

func times(n int, statement string) []string { return slices.Repeat([]string{statement}, n) }

func voiding(sid string) string {
	return fmt.Sprintf(`"verb":{"id":"http://adlnet.gov/expapi/verbs/voided"},"object":{"objectType":"StatementRef","id":%q}`, sid)
}

// has lists what a house has, in order, voided ones too.
func (s *sending) has(h *House) (ids []string) {
	s.Helper()
	for at, more := lrs.Position(0), true; more; {
		var found []lrs.Statement
		var err error
		found, more, err = h.Records.After(s.Context(), s.caller, lrs.Query{Limit: 1000}, at, lrs.End)
		s.must(err)
		for _, st := range found {
			ids = append(ids, st.ID.String())
			at = st.Position()
		}
	}
	return ids
}

func (s *sending) until(what string, ok func() bool) {
	s.Helper()
	for end := time.Now().Add(30 * time.Second); !ok(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			s.Fatalf("not within 30 s: %s; %+v", what, s.has(s.receiver.house))
		}
	}
}

func (s *sending) arrive(want []string) {
	s.Helper()
	s.until("they arrive", func() bool { return len(s.has(s.receiver.house)) >= len(want) })
	if got := s.has(s.receiver.house); !slices.Equal(got, want) {
		s.Fatalf("%d arrived, want %d in this order:\n%s\n%s", len(got), len(want), got, want)
	}
}
