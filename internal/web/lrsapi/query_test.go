package lrsapi_test

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/go-json-experiment/json"

	"rollway/internal/db"
	"rollway/internal/db/dbtest"
)

type page struct {
	Statements []struct {
		ID string `json:"id"`
	} `json:"statements"`
	More string `json:"more"`
}

func (s *server) page(t *testing.T, e exchange) page {
	t.Helper()
	a := s.do(t, e)
	var p page
	if err := json.Unmarshal([]byte(a.body), &p); err != nil || a.status != 200 {
		t.Fatalf("%s: %d %s %v", e.path, a.status, a.body, err)
	}
	return p
}

// Following more from page to page with the same credential gives each statement once and in order.
func TestMore(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := serve(t, d)
		const n = 23
		var batch []string
		for i := range n {
			batch = append(batch, strings.Replace(statement(ann, "http://example.com/did"), "{", fmt.Sprintf(`{"id":"00000000-0000-4000-8000-0000000000%02d",`, i+10), 1))
		}
		if a := s.do(t, exchange{method: "POST", path: "statements", body: "[" + strings.Join(batch, ",") + "]"}); a.status != 200 {
			t.Fatal(a)
		}
		for _, order := range []string{"true", "false"} {
			for _, as := range []string{"service", "ann"} {
				var got []string
				path := "statements?limit=5&format=ids&ascending=" + order
				for path != "" {
					p := s.page(t, exchange{method: "GET", path: path, header: "Authorization: Test " + as})
					if len(p.Statements) > 5 {
						t.Fatalf("%d statements in a page of 5", len(p.Statements))
					}
					for _, st := range p.Statements {
						got = append(got, st.ID)
					}
					if p.More != "" && !strings.HasPrefix(p.More, "/xapi/") {
						t.Fatalf("more is %q", p.More)
					}
					path = strings.TrimPrefix(p.More, "/xapi/")
				}
				for i := range n {
					at := i
					if order == "false" {
						at = n - 1 - i
					}
					if len(got) != n || got[i] != fmt.Sprintf("00000000-0000-4000-8000-0000000000%02d", at+10) {
						t.Fatalf("%s, ascending %s: %v", as, order, got)
					}
				}
			}
		}
		more := strings.TrimPrefix(s.page(t, exchange{method: "GET", path: "statements?limit=1"}).More, "/xapi/")
		if a := s.do(t, exchange{method: "GET", path: more, header: "Authorization: Test ann"}); a.status != 400 {
			t.Errorf("another's more: %d", a.status)
		}
		if a := s.do(t, exchange{method: "GET", path: more + "&limit=2"}); a.status != 400 {
			t.Errorf("more with a parameter: %d", a.status)
		}
	})
}

// The patch that is answered is the latest of the line asked for, whatever the resource and the outcome.
func TestVersionMatrix(t *testing.T) {
	t.Parallel()
	s := serve(t, dbtest.Open(t, db.SQLite))
	for sent, want := range map[string]string{
		"1.0": "200 1.0.3", "1.0.0": "200 1.0.3", "1.0.1": "200 1.0.3", "1.0.2": "200 1.0.3", "1.0.3": "200 1.0.3", "1.0.9": "200 1.0.3",
		"2.0": "200 2.0.0", "2.0.0": "200 2.0.0", "2.0.1": "200 2.0.0",
		"": "400 0.95", "0.9": "400 1.0.3", "0.95": "400 1.0.3", "1": "400 1.0.3", "1.1.0": "400 1.0.3", "1.0.x": "400 1.0.3", "v2": "400 2.0.0", "2.1.0": "400 2.0.0", "3.0.0": "400 2.0.0",
	} {
		for _, path := range []string{"statements", "activities?activityId=" + q("http://example.com/a"), "agents?agent=" + q(ann), "activities/state?" + place, "agents/profile?agent=" + q(ann)} {
			a := s.do(t, exchange{method: "GET", path: path, header: "X-Experience-API-Version: " + sent})
			if got := fmt.Sprintf("%d %s", a.status, a.header.Get("X-Experience-API-Version")); got != want {
				t.Errorf("%s with %q: %s, want %s", path, sent, got, want)
			}
			if a := s.do(t, exchange{method: "GET", path: path, header: "Authorization: Test wrong\nX-Experience-API-Version: " + sent}); a.status < 400 || !strings.HasSuffix(want, a.header.Get("X-Experience-API-Version")) {
				t.Errorf("%s with %q and a bad credential: %d %v", path, sent, a.status, a.header)
			}
		}
		about := s.do(t, exchange{method: "GET", path: "about", header: "Authorization:\nX-Experience-API-Version: " + sent})
		if about.status != 200 || about.header.Get("X-Experience-API-Version") == "" {
			t.Errorf("about with %q: %d", sent, about.status)
		}
	}
}

// Bytes that are no text are the sender's fault, also where an answer repeats them.
func TestBytesThatAreNoText(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := serve(t, d)
		for _, e := range []exchange{
			{method: "GET", path: "statements", header: "X-Experience-API-Version: \xff\xfe1"},
			{method: "GET", path: "statements?since=a" + strings.Repeat("%C3%A9", 60)},
			{method: "PUT", path: profile, header: "If-Match: \xff" + strings.Repeat("\xc3\xa9", 60), body: "{}"},
			{method: "PUT", path: state, header: "Content-Type: text/\xff\xff", body: "x"},
			{method: "POST", path: "statements", header: "Content-Type: text/\xff\xff", body: "x"},
			{method: "POST", path: "statements?method=PUT", header: "Content-Type: text/\xff\xff", body: "x"},
			{method: "GET", path: "\xff"},
		} {
			if a := s.do(t, e); a.status < 400 || a.status > 499 || !utf8.ValidString(a.body) || strings.Contains(a.body, "�…") {
				t.Errorf("%q %q: %d %q", e.path, e.header, a.status, a.body)
			}
		}
	})
}

// Two credentials are refused, wherever they stand; the same twice is one.
func TestFormsTakeOneCredential(t *testing.T) {
	t.Parallel()
	s := serve(t, dbtest.Open(t, db.SQLite))
	for body, want := range map[string]int{
		"Authorization=Test%20service":                              200,
		"Authorization=Test%20service&authorization=Test%20service": 200,
		"authorization=Test%20wrong&Authorization=Test%20service":   400,
		"Authorization=&authorization=Test%20service":               400,
	} {
		if a := s.do(t, exchange{method: "POST", path: "statements?method=GET", header: form + "\nAuthorization:", body: body}); a.status != want {
			t.Errorf("%s: %d %s", body, a.status, a.body)
		}
	}
}

// HEAD is GET without the body, of every resource, and leaves the connection usable.
func TestHeadIsGetWithoutBody(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := serve(t, d)
		long := strings.Repeat(`"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",`, 2000) + `""`
		shared := "activities/profile?activityId=" + q("http://example.com/activity")
		for _, e := range []exchange{
			{method: "PUT", path: state, body: "[" + long + "]"},
			{method: "PUT", path: profile, header: "If-None-Match: *", body: "[" + long + "]"},
			{method: "PUT", path: shared + "&profileId=p", header: "If-None-Match: *", body: "[" + long + "]"},
			{method: "PUT", path: "statements?statementId=" + first, body: statement(ann, "http://example.com/did")},
			{method: "POST", path: "statements", header: mixedType(), body: mixed(attaching("", ann, attachment(long)), part(long))},
			{method: "POST", path: "statements", body: strings.Replace(statement(ann, "http://example.com/did"), `activity"}`, `activity"},"result":{"response":"`+strings.Repeat("long ", 20_000)+`"}`, 1)},
		} {
			if a := s.do(t, e); a.status >= 300 {
				t.Fatal(a)
			}
		}
		more := strings.TrimPrefix(s.page(t, exchange{method: "GET", path: "statements?limit=1"}).More, "/xapi/")
		for range 3 {
			for _, path := range []string{"about", state, "activities/state?" + place, profile, "agents/profile?agent=" + q(ann), shared + "&profileId=p", shared, "agents?agent=" + q(ann), "activities?activityId=" + q("http://example.com/a"),
				"statements?statementId=" + first, "statements?attachments=true&statementId=" + first, "statements", "statements?attachments=true", more, "nothing", "statements?x=1", "statements?statementId=" + missing} {
				s.checkHead(t, path)
			}
		}
	})
}

// checkHead holds the answer to HEAD against that to GET.
func (s *server) checkHead(t *testing.T, path string) {
	t.Helper()
	get, head := s.do(t, exchange{method: "GET", path: path}), s.do(t, exchange{method: "HEAD", path: path})
	// Of a multipart answer the boundary is another each time.
	typeOf := func(a answer) string {
		kind, _, _ := strings.Cut(a.header.Get("Content-Type"), "boundary=")
		return kind
	}
	if head.body != "" || get.body == "" || head.status != get.status || typeOf(head) != typeOf(get) || head.header.Get("ETag") != get.header.Get("ETag") || head.header.Get("Last-Modified") != get.header.Get("Last-Modified") {
		t.Errorf("%s: GET %d %v, HEAD %d %v", path, get.status, get.header, head.status, head.header)
	}
	if n := head.header.Get("Content-Length"); n != "" && n != fmt.Sprint(len(get.body)) {
		t.Errorf("%s: HEAD says %s bytes, GET has %d", path, n, len(get.body))
	}
	if (head.header.Get(through) == "") != (get.header.Get(through) == "") {
		t.Errorf("%s: GET %v, HEAD %v", path, get.header, head.header)
	}
}

func TestCanonicalFormat(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := serve(t, d)
		for i, name := range []string{`"en":"Knots"`, `"de":"Knoten"`} {
			body := strings.Replace(statement(ann, "http://example.com/did"), `activity"}`, `activity","definition":{"name":{`+name+`}}}`, 1)
			if a := s.do(t, exchange{method: "PUT", path: fmt.Sprintf("statements?statementId=00000000-0000-4000-8000-00000000000%d", i+1), body: body}); a.status != 204 {
				t.Fatal(a)
			}
		}
		for language, want := range map[string]string{"de": `{"de":"Knoten"}`, "en-GB,de;q=0.5": `{"en":"Knots"}`} {
			for _, path := range []string{"statements?format=canonical", "statements?format=canonical&statementId=" + first} {
				a := s.do(t, exchange{method: "GET", path: path, header: "Accept-Language: " + language})
				if a.status != 200 || !strings.Contains(a.body, want) || strings.Count(a.body, "Kno") != strings.Count(a.body, want) {
					t.Errorf("%s in %s: %s", path, language, a.body)
				}
			}
		}
	})
}

// A page that names one activity many times is not much longer for the long definition that it has.
func TestCanonicalFormatIsBounded(t *testing.T) {
	t.Parallel()
	s := serve(t, dbtest.Open(t, db.SQLite))
	long, plain := strings.Repeat("x", 60_000), statement(ann, "http://example.com/did")
	list := []string{strings.Replace(plain, `activity"}`, `activity","definition":{"description":{"en":"`+long+`"}}}`, 1)}
	for range 299 {
		list = append(list, plain)
	}
	if a := s.do(t, exchange{method: "POST", path: "statements", body: "[" + strings.Join(list, ",") + "]"}); a.status != 200 {
		t.Fatal(a)
	}
	a := s.do(t, exchange{method: "GET", path: "statements?format=canonical&limit=300"})
	if n := strings.Count(a.body, long); a.status != 200 || n < 200 || n > 290 || strings.Count(a.body, `"stored"`) != 300 {
		t.Errorf("%d: %d definitions in %d bytes of %d statements", a.status, n, len(a.body), strings.Count(a.body, `"stored"`))
	}
}

func TestTooLargeBodies(t *testing.T) {
	t.Parallel()
	s := serve(t, dbtest.Open(t, db.SQLite))
	for path, size := range map[string]int64{"statements": 16<<20 + 1, state: 10<<20 + 1} {
		r, err := http.NewRequestWithContext(t.Context(), "POST", s.URL+"/xapi/"+path, io.LimitReader(blanks{}, size))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Authorization", "Test service")
		r.Header.Set("X-Experience-API-Version", "1.0.3")
		r.Header.Set("Content-Type", "application/json")
		res, err := http.DefaultTransport.RoundTrip(r)
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		if res.StatusCode != 413 || res.Header.Get("Access-Control-Allow-Origin") != "*" {
			t.Errorf("%s: %d %v", path, res.StatusCode, res.Header)
		}
	}
}

type blanks struct{}

func (blanks) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = ' '
	}
	return len(p), nil
}

// Neither credentials nor what people did may be read from the log.
func TestNothingSecretIsLogged(t *testing.T) {
	t.Parallel()
	s := serve(t, dbtest.Open(t, db.SQLite))
	const canary = "Canary7secret"
	for _, e := range []exchange{
		{method: "GET", path: "statements?agent=" + q(ann), header: "Authorization: Test " + canary},
		{method: "GET", path: "statements?" + canary},
		{method: "GET", path: "statements?auth=Basic%20" + canary},
		{method: "GET", path: "statements?more=" + canary},
		{method: "GET", path: "auth=" + canary},
		{method: "POST", path: "statements?method=GET", header: form + "\nAuthorization:", body: "Authorization=Basic%20" + canary},
		{method: "POST", path: "statements", body: `{"actor":"` + canary + `"}`},
		{method: "PUT", path: state, header: "Content-Type: " + canary, body: canary},
		{method: "GET", path: "about", header: "Referer: https://h/?auth=" + canary},
	} {
		s.do(t, e)
	}
	s.Close() // the log is written after the answer
	s.mu.Lock()
	defer s.mu.Unlock()
	text := s.log.String()
	if strings.Contains(text, canary) || strings.Contains(text, "ann@") || strings.Count(text, "\n") != 9 {
		t.Error(text)
	}
	if !strings.Contains(text, `"caller":"service account lms"`) || !strings.Contains(text, `"route":"/xapi/activities/state"`) {
		t.Error(text)
	}
}
