package web

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"time"
)

// start serves an echo of method and body on a real listener.
func start(t *testing.T, c Config) (addr string) {
	t.Helper()
	if c.Log == nil {
		c.Log, _ = logged()
	}
	l, err := Listen(t.Context(), "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := Server(c, Handle(Envelope, func(w http.ResponseWriter, r *http.Request) error {
		b, err := Body(r, 1000)
		if err != nil {
			return err
		}
		_, err = fmt.Fprintf(w, "%s %d %v", r.Method, len(b), r.Header["X_forwarded_for"])
		return err
	}))
	done := make(chan error, 1)
	go func() { done <- s.Serve(l) }()
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
		if err := <-done; err != http.ErrServerClosed {
			t.Error(err)
		}
	})
	return l.Addr().String()
}

// talk sends raw requests over one connection and reads an answer to each.
func talk(t *testing.T, addr string, requests ...string) (answers []string) {
	t.Helper()
	c, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if err := c.SetDeadline(time.Now().Add(20 * time.Second)); err != nil {
		t.Fatal(err)
	}
	in := bufio.NewReader(c)
	for _, req := range requests {
		if _, err := io.WriteString(c, req); err != nil {
			return append(answers, "closed")
		}
		method, _, _ := strings.Cut(req, " ")
		res, err := http.ReadResponse(in, &http.Request{Method: method})
		if err != nil {
			return append(answers, "closed")
		}
		b, err := io.ReadAll(res.Body)
		if err != nil {
			t.Fatal(err)
		}
		if res.StatusCode != 200 {
			b = nil
		}
		answers = append(answers, fmt.Sprintf("%d %s", res.StatusCode, b))
	}
	return answers
}

func TestRawRequests(t *testing.T) {
	t.Parallel()
	addr := start(t, Config{Hosts: []string{"lrs.example", "*.content.example"}, AnyHost: []string{"/healthz"}})
	get := "GET / HTTP/1.1\r\nHost: lrs.example\r\n\r\n"
	post := func(n int, more string) string {
		return fmt.Sprintf("POST / HTTP/1.1\r\nHost: lrs.example\r\n%sContent-Length: %d\r\n\r\n%s", more, n, strings.Repeat("x", n))
	}
	for name, c := range map[string]struct {
		send []string
		want []string
	}{
		"keep-alive":               {[]string{get, get}, []string{"200 GET 0 []", "200 GET 0 []"}},
		"413 keeps the connection": {[]string{post(5000, ""), get}, []string{"413 ", "200 GET 0 []"}},
		"413 in chunks keeps it too": {[]string{"POST / HTTP/1.1\r\nHost: lrs.example\r\nTransfer-Encoding: chunked\r\n\r\n1388\r\n" + strings.Repeat("x", 5000) + "\r\n0\r\n\r\n", get},
			[]string{"413 ", "200 GET 0 []"}},
		"both lengths": {[]string{"POST / HTTP/1.1\r\nHost: lrs.example\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET", get},
			[]string{"400 ", "closed"}},
		"both lengths, later, other order": {[]string{post(3, ""), "POST / HTTP/1.1\r\nHost: lrs.example\r\ntransfer-encoding: chunked\r\nX: y\r\ncontent-length: 4\r\n\r\n0\r\n\r\n"},
			[]string{"200 POST 3 []", "400 "}},
		"a part header is no length": {[]string{"POST / HTTP/1.1\r\nHost: lrs.example\r\nTransfer-Encoding: chunked\r\n\r\n1a\r\n\r\nContent-Length: 3\r\n\r\nabc\r\n0\r\n\r\n", get},
			[]string{"200 POST 26 []", "200 GET 0 []"}},
		"TRACE":                 {[]string{"TRACE / HTTP/1.1\r\nHost: lrs.example\r\n\r\n", get}, []string{"405 ", "200 GET 0 []"}},
		"GET with a body":       {[]string{"GET / HTTP/1.1\r\nHost: lrs.example\r\nContent-Length: 3\r\n\r\nabc", get}, []string{"400 ", "200 GET 0 []"}},
		"GET with none":         {[]string{"GET / HTTP/1.1\r\nHost: lrs.example\r\nContent-Length: 0\r\n\r\n"}, []string{"200 GET 0 []"}},
		"gzip":                  {[]string{post(3, "Content-Encoding: gzip\r\n"), post(3, "Content-Encoding: identity\r\n")}, []string{"415 ", "200 POST 3 []"}},
		"underscores":           {[]string{post(3, "X_Forwarded_For: 1.2.3.4\r\n")}, []string{"200 POST 3 []"}},
		"other host":            {[]string{"GET / HTTP/1.1\r\nHost: evil.example\r\n\r\n"}, []string{"421 "}},
		"a probe":               {[]string{"GET /healthz HTTP/1.1\r\nHost: 10.0.0.7:80\r\n\r\n"}, []string{"200 GET 0 []"}},
		"below a probe":         {[]string{"GET /healthz/x HTTP/1.1\r\nHost: 10.0.0.7:80\r\n\r\n"}, []string{"421 "}},
		"absolute form":         {[]string{"GET http://evil.example/ HTTP/1.1\r\nHost: lrs.example\r\n\r\n"}, []string{"421 "}},
		"host with port":        {[]string{"GET / HTTP/1.1\r\nHost: LRS.example:80\r\n\r\n"}, []string{"200 GET 0 []"}},
		"package host":          {[]string{"GET / HTTP/1.1\r\nHost: p-1.content.example\r\n\r\n"}, []string{"200 GET 0 []"}},
		"its parent":            {[]string{"GET / HTTP/1.1\r\nHost: content.example\r\n\r\n"}, []string{"421 "}},
		"two credentials":       {[]string{"GET / HTTP/1.1\r\nHost: lrs.example\r\nAuthorization: Basic YTpi\r\nauthorization: Basic YTpj\r\n\r\n", get}, []string{"400 ", "200 GET 0 []"}},
		"an empty one, and one": {[]string{"GET / HTTP/1.1\r\nHost: lrs.example\r\nAuthorization:\r\nAuthorization: Basic YTpj\r\n\r\n"}, []string{"400 "}},
		"one credential":        {[]string{"GET / HTTP/1.1\r\nHost: lrs.example\r\nAuthorization: Basic YTpi\r\n\r\n"}, []string{"200 GET 0 []"}},
		"two lengths":           {[]string{post(3, "Content-Length: 4\r\n")}, []string{"400 "}},
		"long header":           {[]string{"GET / HTTP/1.1\r\nHost: lrs.example\r\nX: " + strings.Repeat("x", 80<<10) + "\r\n\r\n"}, []string{"431 "}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := talk(t, addr, c.send...)
			if fmt.Sprint(got) != fmt.Sprint(c.want) {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

// However a connection's bytes are cut into reads, the same heads are noticed.
func FuzzWatched(f *testing.F) {
	f.Add([]byte("POST / HTTP/1.1\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n"), 3)
	f.Add([]byte("Content-Length: 1\r\n\r\nTransfer-Encoding: chunked\r\n"), 1)
	f.Add([]byte("transfer-encoding:\n\nCONTENT-LENGTH:\n"), 7)
	f.Fuzz(func(t *testing.T, b []byte, step int) {
		var whole, cut watched
		whole.look(b)
		for c := range chunks(b, max(1, step%50)) {
			cut.look(c)
		}
		if whole.both.Load() != cut.both.Load() {
			t.Fatalf("whole %v, cut %v", whole.both.Load(), cut.both.Load())
		}
		want := false
		text := bytes.ReplaceAll(b, []byte("\r\n"), []byte("\n"))
		for block := range bytes.SplitSeq(text, []byte("\n\n")) {
			var length, coding bool
			lines := bytes.Split(block, []byte("\n"))
			for _, line := range lines[:len(lines)-1] {
				length = length || begins(line, "content-length:")
				coding = coding || begins(line, "transfer-encoding:")
			}
			want = want || length && coding
		}
		if want && !whole.both.Load() {
			t.Fatalf("missed in %q", b)
		}
	})
}

func chunks(b []byte, n int) func(func([]byte) bool) {
	return func(yield func([]byte) bool) {
		for len(b) > 0 {
			k := min(n, len(b))
			if !yield(b[:k]) {
				return
			}
			b = b[k:]
		}
	}
}

func TestForwardedFor(t *testing.T) {
	t.Parallel()
	trusted := []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("::1/128")}
	for _, c := range []struct {
		peer string
		xff  []string
		want string
	}{
		{"203.0.113.9:1", nil, "203.0.113.9"},
		{"203.0.113.9:1", []string{"1.2.3.4"}, "203.0.113.9"},
		{"10.0.0.1:1", []string{"1.2.3.4"}, "1.2.3.4"},
		{"10.0.0.1:1", []string{"6.6.6.6, 1.2.3.4, 10.0.0.2"}, "1.2.3.4"},
		{"10.0.0.1:1", []string{"6.6.6.6", "1.2.3.4:99"}, "1.2.3.4"},
		{"10.0.0.1:1", []string{"1.2.3.4, rubbish"}, "10.0.0.1"},
		{"10.0.0.1:1", []string{"10.0.0.3"}, "10.0.0.3"},
		{"10.0.0.1:1", nil, "10.0.0.1"},
		{"[::1]:1", []string{"[2001:db8::1]:5"}, "2001:db8::1"},
		{"[::ffff:10.0.0.1]:1", []string{"2001:db8::1"}, "2001:db8::1"},
	} {
		r := httptest.NewRequest("GET", "/", nil)
		r.RemoteAddr = c.peer
		r.Header["X-Forwarded-For"] = c.xff
		if got := forwardedFor(r, trusted).String(); got != c.want {
			t.Errorf("%s %q: %s, want %s", c.peer, c.xff, got, c.want)
		}
	}
}

func BenchmarkGuard(b *testing.B) {
	log, _ := logged()
	h := Guard(Config{Log: log}, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusSeeOther) }))
	r := httptest.NewRequest("GET", "/api/activities/launch?activityId=https%3A%2F%2Fh%2Fa&auth=Basic%20abc", nil)
	b.ReportAllocs()
	for b.Loop() {
		h.ServeHTTP(httptest.NewRecorder(), r)
	}
}
