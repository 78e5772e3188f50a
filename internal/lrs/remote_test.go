package lrs_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"rollway/internal/db"
	"rollway/internal/db/dbtest"
	"rollway/internal/fault"
	"rollway/internal/lrs"
)

// elsewhere is another record store: pages of two, and what goes wrong with each request first.
type elsewhere struct {
	*httptest.Server
	mu       sync.Mutex
	texts    []string // with stored, ascending
	voided   map[string]string
	trouble  []func(http.ResponseWriter)
	asked    []string
	more     func(next int) string
	through  string
	password string
	version  string // it answers to
}

func newElsewhere(t *testing.T, texts ...string) *elsewhere {
	e := &elsewhere{texts: texts, voided: map[string]string{}, password: "secret", version: "1.0.3"}
	e.more = func(next int) string { return fmt.Sprintf("/other/path?from=%d", next) }
	e.Server = httptest.NewServer(http.HandlerFunc(e.serve))
	t.Cleanup(e.Close)
	return e
}

func (e *elsewhere) serve(w http.ResponseWriter, r *http.Request) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.asked = append(e.asked, r.URL.String())
	if len(e.trouble) > 0 {
		happens := e.trouble[0]
		e.trouble = e.trouble[1:]
		happens(w)
		return
	}
	user, password, _ := r.BasicAuth()
	if user != "key" || password != e.password {
		http.Error(w, "no such key", http.StatusUnauthorized)
		return
	}
	if r.Header.Get("X-Experience-API-Version") != e.version {
		http.Error(w, "no such version", http.StatusBadRequest)
		return
	}
	q := r.URL.Query()
	if v := q.Get("voidedStatementId"); v != "" {
		if text, ok := e.voided[v]; ok {
			fmt.Fprint(w, text)
		} else {
			http.Error(w, "not found", http.StatusNotFound)
		}
		return
	}
	from := 0
	fmt.Sscan(q.Get("from"), &from)
	if since := q.Get("since"); since != "" {
		at, err := time.Parse(time.RFC3339Nano, since)
		if err != nil {
			http.Error(w, "since", http.StatusBadRequest)
			return
		}
		for from < len(e.texts) && !storedOf(from).After(at) {
			from++
		}
	}
	to := min(from+2, len(e.texts))
	more := ""
	if to < len(e.texts) {
		more = e.more(to)
	}
	if e.through != "" {
		w.Header().Set("X-Experience-API-Consistent-Through", e.through)
	}
	fmt.Fprintf(w, `{"more":%q,"statements":[%s]}`, more, strings.Join(e.texts[from:to], ","))
}

func storedOf(i int) time.Time { return time.Date(2021, 5, 6, 7, 8, 9+i, 0, time.UTC) }

// sent is a statement as another store serves it, the ith.
func sent(i int, st statement) string {
	st.extra += `,"timestamp":"2021-05-06T07:08:09.000Z","authority":{"mbox":"mailto:lrs@example.org"},"version":"1.0.0","stored":"` + storedOf(i).Format(time.RFC3339Nano) + `"`
	return st.String()
}

func remote(t *testing.T, e *elsewhere, waits *[]time.Duration) *lrs.Remote {
	t.Helper()
	r, err := lrs.NewRemote(lrs.RemoteConfig{Endpoint: e.URL + "/xapi/statements/", User: "key", Password: "secret", Sleep: func(_ context.Context, d time.Duration) error {
		if waits != nil {
			*waits = append(*waits, d)
		}
		return nil
	}})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// Another store's statements come page by page, the voided ones too, through its moments of weakness, and the next import
// asks only for what came since.
func TestImportFromElsewhere(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s *lrs.Store) {
		c := operator()
		gone := simple(newID())
		e := newElsewhere(t, sent(0, simple(newID())), sent(1, simple(newID())), sent(2, voids(newID(), gone.id)), `{"id":"`+newID()+`","stored":"2021-05-06T07:08:12Z","verb":3}`, sent(4, simple(newID())))
		e.voided[gone.id] = sent(1, gone)
		status := func(code int, after string) func(http.ResponseWriter) {
			return func(w http.ResponseWriter) {
				if after != "" {
					w.Header().Set("Retry-After", after)
				}
				w.WriteHeader(code)
			}
		}
		e.trouble = []func(http.ResponseWriter){status(503, "17"), status(429, "1"), status(500, ""), func(http.ResponseWriter) { panic(http.ErrAbortHandler) }}
		var waits []time.Duration
		got := importFrom(t, s, c, remote(t, e, &waits), lrs.ImportOptions{Batch: 3})
		wantCounts(t, got, 5, 0, 1)
		if fmt.Sprint(waits) != "[17s 2s 4s]" { // a connection that breaks is tried again at once
			t.Errorf("waited %v", waits)
		}
		if _, err := s.Get(t.Context(), c, parse(t, gone.id), true); err != nil {
			t.Errorf("the voided statement: %v", err)
		}
		verify(t, s, c, 0)
		e.mu.Lock()
		e.texts, e.asked = append(e.texts, sent(5, simple(newID()))), nil
		e.mu.Unlock()
		next := importFrom(t, s, c, remote(t, e, nil), lrs.ImportOptions{Resume: true})
		wantCounts(t, next, 6, 1, 1)
		if len(e.asked) != 1 || !strings.Contains(e.asked[0], "since=2021-05-06T07%3A08%3A12.999Z") {
			t.Errorf("asked %v", e.asked)
		}
		e.through = storedOf(1).Format(time.RFC3339Nano) // what is stored later may not be all there yet
		importFrom(t, s, c, remote(t, e, nil), lrs.ImportOptions{})
		e.asked = nil
		importFrom(t, s, c, remote(t, e, nil), lrs.ImportOptions{Resume: true})
		if !strings.Contains(e.asked[0], "since=2021-05-06T07%3A08%3A09.999Z") {
			t.Errorf("asked %v", e.asked[0])
		}
	})
}

// A store that speaks 2.0 only is asked by that.
func TestImportFromANewerStore(t *testing.T) {
	t.Parallel()
	s, c := open(t, dbtest.Open(t, db.SQLite)), operator()
	e := newElsewhere(t, sent(0, simple(newID())), sent(1, simple(newID())), sent(2, simple(newID())))
	e.version = "2.0.0"
	wantCounts(t, importFrom(t, s, c, remote(t, e, nil), lrs.ImportOptions{}), 3, 0, 0)
	if len(e.asked) != 3 {
		t.Errorf("asked %v", e.asked)
	}
	e.version = "3.0.0"
	_, err := s.Import(t.Context(), c, remote(t, e, nil), lrs.ImportOptions{})
	wantFault(t, err, fault.Invalid)
}

// One that gives up leaves what was read; going on asks for the rest.
func TestImportFromElsewhereResumes(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s *lrs.Store) {
		c := operator()
		var texts []string
		for i := range 10 {
			texts = append(texts, sent(i, simple(newID())))
		}
		e := newElsewhere(t, texts...)
		pages := 0
		e.more = func(next int) string {
			if pages++; pages == 3 {
				for range 8 {
					e.trouble = append(e.trouble, func(w http.ResponseWriter) { w.WriteHeader(http.StatusBadGateway) })
				}
			}
			return fmt.Sprintf("http://%s/other/path?from=%d", strings.TrimPrefix(e.URL, "http://"), next)
		}
		_, err := s.Import(t.Context(), c, remote(t, e, nil), lrs.ImportOptions{})
		wantFault(t, err, fault.Unavailable)
		if n := len(find(t, s, c, lrs.Query{})); n != 6 {
			t.Fatalf("%d statements", n)
		}
		wantCounts(t, importFrom(t, s, c, remote(t, e, nil), lrs.ImportOptions{Resume: true}), 10, 1, 0)
	})
}

// The password goes to the address it is for and to no other.
func TestImportKeepsThePassword(t *testing.T) {
	t.Parallel()
	thief := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		t.Errorf("%s was asked, with %q", r.Host, r.Header.Get("Authorization"))
	}))
	t.Cleanup(thief.Close)
	s, c := open(t, dbtest.Open(t, db.SQLite)), operator()
	e := newElsewhere(t, sent(0, simple(newID())))
	for range 8 {
		e.trouble = append(e.trouble, func(http.ResponseWriter) { panic(http.ErrAbortHandler) })
	}
	_, err := s.Import(t.Context(), c, remote(t, e, nil), lrs.ImportOptions{})
	wantFault(t, err, fault.Unavailable)
	for name, set := range map[string]func(e *elsewhere){
		"more":     func(e *elsewhere) { e.more = func(int) string { return thief.URL + "/xapi/statements" } },
		"the same": func(e *elsewhere) { e.more = func(int) string { return e.asked[0] } },
		"redirect": func(e *elsewhere) {
			e.trouble = append(e.trouble, func(w http.ResponseWriter) {
				w.Header().Set("Location", thief.URL)
				w.WriteHeader(http.StatusFound)
			})
		},
		"no store": func(e *elsewhere) { e.trouble = append(e.trouble, func(w http.ResponseWriter) { fmt.Fprint(w, "{}") }) },
		"no JSON": func(e *elsewhere) {
			e.trouble = append(e.trouble, func(w http.ResponseWriter) { fmt.Fprint(w, "<html>") })
		},
	} {
		e := newElsewhere(t, sent(0, simple(newID())), sent(1, simple(newID())), sent(2, simple(newID())))
		set(e)
		if _, err := s.Import(t.Context(), c, remote(t, e, nil), lrs.ImportOptions{}); !fault.Is(err, fault.Invalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
	e = newElsewhere(t)
	e.password = "another"
	_, err = s.Import(t.Context(), c, remote(t, e, nil), lrs.ImportOptions{})
	wantFault(t, err, fault.Forbidden)
	for address, good := range map[string]bool{
		"https://lrs.example/xapi": true, "http://lrs.example/xapi": false, "http://localhost:8080/xapi": true, "http://[::1]/xapi": true, "http://127.0.0.1.example/xapi": false,
		"lrs.example/xapi": false, "https://key:secret@lrs.example/xapi": false, "ftp://lrs.example": false, "https://lrs.example/xapi?x=1": false,
	} {
		if _, err := lrs.NewRemote(lrs.RemoteConfig{Endpoint: address}); (err == nil) != good {
			t.Errorf("%s: %v", address, err)
		}
	}
}
