package lrsapi_test

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"rollway/internal/access"
	"rollway/internal/blob"
	"rollway/internal/db"
	"rollway/internal/db/dbtest"
	"rollway/internal/fault"
	"rollway/internal/id"
	"rollway/internal/lrs"
	"rollway/internal/web"
	"rollway/internal/web/lrsapi"
	"rollway/xapi"
)

const (
	ann = `{"mbox":"mailto:ann@example.com"}`
	bob = `{"mbox":"mailto:bob@example.com"}`
)

// callers are who may ask, by the secret they send as "Test secret".
func callers(t testing.TB) map[string]access.Caller {
	t.Helper()
	agent, err := xapi.ParseAgent([]byte(ann))
	if err != nil {
		t.Fatal(err)
	}
	return map[string]access.Caller{
		"service": {Org: id.DefaultOrg, Kind: access.ServiceAccount, Name: "service account lms", Scopes: access.All, ServiceAccount: id.New[id.ServiceAccountID]()},
		"ann":     {Org: id.DefaultOrg, Kind: access.Credential, Name: "credential ann", Scopes: access.Learner, Credential: id.New[id.CredentialID](), Bound: &access.Bound{Person: id.New[id.PersonID](), Agent: agent}},
		"guest":   {Org: 2, Kind: access.ServiceAccount, Name: "service account guest", Scopes: access.All, ServiceAccount: id.New[id.ServiceAccountID]()},
		"nobody":  {Org: id.DefaultOrg, Kind: access.ServiceAccount, Name: "service account none", ServiceAccount: id.New[id.ServiceAccountID]()},
	}
}

// server is the door on a real record store, with the log it writes.
type server struct {
	*httptest.Server
	mu  sync.Mutex
	log bytes.Buffer
}

func (s *server) Write(b []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.log.Write(b)
}

func serve(t testing.TB, d *db.DB) *server { return serveWith(t, d, lrsapi.New) }

func serveWith(t testing.TB, d *db.DB, open func(web.Door, *lrs.Store, lrsapi.PersonOf) http.Handler) *server {
	t.Helper()
	blobs, err := blob.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	store, err := lrs.Open(t.Context(), lrs.Config{DB: d, Blobs: blobs, HomePage: "https://lrs.example.com", Quota: 1 << 20})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(store.Close)
	table := callers(t)
	door := web.Door{Authenticate: func(_ context.Context, r *http.Request) (access.Caller, error) {
		c, ok := table[strings.TrimPrefix(r.Header.Get("Authorization"), "Test ")]
		if !ok {
			return access.Caller{}, fault.New(fault.Unauthenticated, "bad_credential", "The credential is unknown or has expired.")
		}
		return c, nil
	}}
	person := func(_ context.Context, _ access.Caller, a xapi.Agent) (xapi.Person, error) {
		return xapi.Person{Names: []string{"Ann"}, IFIs: []xapi.IFI{a.IFI}}, nil
	}
	s := &server{}
	s.Server = httptest.NewServer(web.Guard(web.Config{Log: slog.New(slog.NewJSONHandler(s, nil)), Render: lrsapi.Refusals(web.Readable)}, web.Under("/xapi/", open(door, store, person), http.NewServeMux())))
	t.Cleanup(s.Close)
	return s
}

// exchange is one request. Its headers are "Name: value" lines; Authorization and version are those of most unless given,
// and left out if given empty.
type exchange struct {
	title  string
	method string
	path   string // below /xapi/
	header string
	body   string
}

// answer is what came back.
type answer struct {
	status int
	header http.Header
	body   string
}

func (s *server) do(t testing.TB, e exchange) answer {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), e.method, s.URL+"/xapi/"+e.path, strings.NewReader(e.body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Test service")
	r.Header.Set("X-Experience-API-Version", "1.0.3")
	if e.body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	for line := range strings.Lines(e.header) {
		name, value, _ := strings.Cut(strings.TrimSpace(line), ":")
		r.Header.Del(name)
		if value = strings.TrimSpace(value); value != "" {
			r.Header.Set(name, value)
		}
	}
	res, err := http.DefaultTransport.RoundTrip(r) // no redirects are followed
	if err != nil {
		t.Fatalf("%s %s: %v", e.method, e.path, err)
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer{res.StatusCode, res.Header, string(b)}
}

var update = flag.Bool("update", false, "write the golden exchanges anew")

// what differs from run to run
var varying = []struct {
	re *regexp.Regexp
	by string
}{
	{regexp.MustCompile(`\d{4}-\d\d-\d\dT[\d:.]+Z`), "TIME"},
	{regexp.MustCompile(`\w{3}, \d\d \w{3} \d{4} [\d:]+ GMT`), "DATE"},
	{regexp.MustCompile(`"requestId":"[^"]+"`), `"requestId":"ID"`},
	{regexp.MustCompile(`"description":"(?:[^"\\]|\\.)*"`), `"description":"…"`}, // each room words its own
	{regexp.MustCompile(`more=[\w-]+`), "more=TOKEN"},
	{regexp.MustCompile(`[A-Z2-7]{52}`), "BOUNDARY"},
	{regexp.MustCompile(`"(person|service-account):[^"]+"`), `"$1:ID"`},
	{regexp.MustCompile(`01[0-9a-f]{6}-[0-9a-f]{4}-7[0-9a-f-]+`), "NEW-ID"},
}

// always are the headers of every answer, checked apart.
var always = map[string]string{
	"Access-Control-Allow-Origin":   "*",
	"Access-Control-Expose-Headers": "ETag, Last-Modified, Content-Type, X-Experience-API-Version, X-Experience-API-Consistent-Through, Retry-After, X-Request-Id",
	"Content-Security-Policy":       "default-src 'none'; frame-ancestors 'none'; sandbox",
	"X-Content-Type-Options":        "nosniff",
}

func (a answer) text() string {
	var b strings.Builder
	fmt.Fprintf(&b, "< %d\n", a.status)
	for _, name := range slices.Sorted(maps.Keys(a.header)) {
		if _, ok := always[name]; !ok && name != "Date" && name != "X-Request-Id" && (name != "Content-Length" || a.status < 300) {
			fmt.Fprintf(&b, "< %s: %s\n", name, strings.Join(a.header[name], " | "))
		}
	}
	if a.body != "" {
		b.WriteString("\n" + a.body + "\n")
	}
	text := b.String()
	for _, v := range varying {
		text = v.re.ReplaceAllString(text, v.by)
	}
	return text
}

// The exchanges in testdata are what the door does, word for word, on every engine.
func TestGoldenExchanges(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := serve(t, d)
		var got strings.Builder
		for _, e := range exchanges {
			a := s.do(t, e)
			for name, want := range always {
				if a.header.Get(name) != want {
					t.Errorf("%s: %s is %q", e.title, name, a.header.Get(name))
				}
			}
			if a.header.Get("X-Request-Id") == "" || a.header.Get("X-Experience-API-Version") == "" {
				t.Errorf("%s: headers %v", e.title, a.header)
			}
			fmt.Fprintf(&got, "## %s\n\n> %s /xapi/%s\n", e.title, e.method, e.path)
			for line := range strings.Lines(e.header) {
				got.WriteString("> " + strings.TrimSpace(line) + "\n")
			}
			if e.body != "" {
				got.WriteString("\n" + e.body + "\n\n")
			}
			got.WriteString(a.text() + "\n")
		}
		compare(t, got.String())
	})
}

func compare(t *testing.T, got string) {
	t.Helper()
	const file = "testdata/exchanges.golden"
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	gotLines, wantLines := strings.Split(got, "\n"), strings.Split(string(want), "\n")
	title := ""
	for i := range max(len(gotLines), len(wantLines)) {
		g, w := "", ""
		if i < len(gotLines) {
			g = gotLines[i]
		}
		if i < len(wantLines) {
			w = wantLines[i]
		}
		if strings.HasPrefix(g, "## ") {
			title = g
		}
		if g != w {
			t.Fatalf("%s, line %d\n got  %s\n want %s", title, i+1, g, w)
		}
	}
}

// The header of every answer of the resource is there whatever that is, and true: what was acknowledged before is covered.
func TestConsistentThrough(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := serve(t, d)
		for i := range 5 {
			sid := fmt.Sprintf("00000000-0000-4000-8000-0000000001%02d", i)
			before := time.Now().UTC()
			a := s.do(t, exchange{method: "PUT", path: "statements?statementId=" + sid, body: statement(ann, "http://example.com/verb")})
			if a.status != 204 {
				t.Fatal(a)
			}
			// Nobody waits for a newer one when storing.
			if at := throughOf(t, a); at.Before(before.Add(-5*time.Second)) || at.After(time.Now()) {
				t.Errorf("what was stored at %v is answered with %v", before, at)
			}
			one := s.do(t, exchange{method: "GET", path: "statements?statementId=" + sid})
			stored := regexp.MustCompile(`"stored":"([^"]+)"`).FindStringSubmatch(one.body)
			// The bound may lag by the millisecond under way and by how long PostgreSQL's answer is used again.
			deadline := time.Now().Add(2 * time.Second)
			for one.header.Get("X-Experience-API-Consistent-Through") < stored[1] {
				if time.Now().After(deadline) {
					t.Fatalf("stored %s, consistent through %s", stored[1], one.header.Get("X-Experience-API-Consistent-Through"))
				}
				one = s.do(t, exchange{method: "GET", path: "statements?limit=1"})
			}
		}
		for _, e := range []exchange{
			{method: "GET", path: "statements", header: "Authorization: Test wrong"},
			{method: "GET", path: "statements", header: "X-Experience-API-Version:"},
			{method: "HEAD", path: "statements?foo=1"},
			{method: "GET", path: "statements?statementId=00000000-0000-4000-8000-00000000dead"},
			{method: "POST", path: "statements?method=GET", header: "Content-Type: application/x-www-form-urlencoded", body: "limit=x"},
			{method: "POST", path: "statements?method=PUT", header: "Content-Type: application/x-www-form-urlencoded", body: "statementId=x"},
			{method: "POST", path: "statements", body: "{}"},
			{method: "POST", path: "statements", header: "Authorization: Test wrong", body: statement(ann, "http://example.com/verb")},
			{method: "PUT", path: "statements", header: "X-Experience-API-Version:", body: statement(ann, "http://example.com/verb")},
			{method: "DELETE", path: "statements"},
		} {
			a := s.do(t, e)
			throughOf(t, a)
			if a.status < 400 {
				t.Errorf("%v: %d", e, a.status)
			}
		}
	})
}

// throughOf is the header of an answer.
func throughOf(t *testing.T, a answer) time.Time {
	t.Helper()
	at, err := time.Parse("2006-01-02T15:04:05.000Z", a.header.Get("X-Experience-API-Consistent-Through"))
	if err != nil {
		t.Errorf("%d: %v", a.status, err)
	}
	return at
}

func statement(actor, verb string) string {
	return `{"actor":` + actor + `,"verb":{"id":"` + verb + `"},"object":{"id":"http://example.com/activity"}}`
}
