package forward

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"testing"
	"time"

	"rollway/internal/access"
	"rollway/internal/fault"
	"rollway/internal/id"
	"rollway/internal/lrs"
	"rollway/xapi"
)

func TestMayReach(t *testing.T) {
	t.Parallel()
	for ip, want := range map[string]string{
		"93.184.216.34": "", "2606:2800:220:1::1": "", "8.8.8.8": "",
		"127.0.0.1": "private", "127.9.9.9": "private", "10.1.2.3": "private", "172.16.0.1": "private", "172.31.255.255": "private", "192.168.1.1": "private",
		"100.64.0.1": "private", "198.18.0.1": "private", "::1": "private", "fd00::1": "private", "fc12::9": "private", "::ffff:10.0.0.1": "private",
		"::ffff:127.0.0.1": "private", "64:ff9b::7f00:1": "private", "2002:0a00:0001::": "private", "::a00:1": "private", "172.32.0.1": "",
		"0.0.0.0": "forbidden", "0.1.2.3": "forbidden", "169.254.169.254": "forbidden", "::ffff:169.254.169.254": "forbidden", "64:ff9b::a9fe:a9fe": "forbidden", "64:ff9b:1::a9fe:a9fe": "forbidden",
		"fe80::1%eth0": "forbidden", "::": "forbidden", "224.0.0.1": "forbidden", "255.255.255.255": "forbidden", "240.0.0.1": "forbidden", "ff02::1": "forbidden",
		"fd00:ec2::254": "forbidden", "100.100.100.200": "forbidden", "168.63.129.16": "forbidden", "2002:a9fe:a9fe::": "forbidden", "2001::1": "forbidden",
	} {
		addr := netip.MustParseAddr(ip)
		for allow, want := range map[bool]string{false: want, true: strings.TrimPrefix(want, "private")} {
			got := ""
			if err := mayReach(addr, allow); err != nil {
				got = strings.TrimPrefix(fault.Of(err).Code, "address_")
			}
			if got != want {
				t.Errorf("%s, private allowed %v: %q, want %q", ip, allow, got, want)
			}
		}
	}
}

func TestParseEndpoint(t *testing.T) {
	t.Parallel()
	own := []string{"https://learn.example", "http://localhost:8080"}
	for _, c := range []struct {
		address       string
		private, http bool
		want          string // the endpoint, or the fault's code
	}{
		{"https://lrs.example/xapi", false, false, "https://lrs.example/xapi/"},
		{"https://LRS.example:8443/a/b/", false, false, "https://lrs.example:8443/a/b/"},
		{"https://lrs.example", false, false, "https://lrs.example/"},
		{"http://lrs.example/xapi/", false, false, "endpoint_http"},
		{"http://lrs.example/xapi/", false, true, "http://lrs.example/xapi/"},
		{"http://127.0.0.1:9/xapi/", false, false, "address_private"},
		{"http://localhost:9/xapi/", false, true, "address_private"},
		{"http://localhost:9/xapi/", true, false, "http://localhost:9/xapi/"},
		{"https://10.0.0.1/xapi/", false, false, "address_private"},
		{"https://169.254.169.254/xapi/", true, true, "address_forbidden"},
		{"https://[fe80::1]/xapi/", true, true, "address_forbidden"},
		{"https://user:pass@lrs.example/", false, false, "endpoint"}, {"https://lrs.example/?a=b", false, false, "endpoint"}, {"https://lrs.example/?", false, false, "endpoint"},
		{"https://lrs.example/#x", false, false, "endpoint"}, {"ftp://lrs.example/", false, true, "endpoint"}, {"lrs.example", false, true, "endpoint"}, {"https:///x", false, true, "endpoint"},
		{"https://learn.example/xapi/", false, false, "endpoint_own"}, {"https://Learn.Example.:443/xapi/", false, false, "endpoint_own"},
		{"http://localhost:8080/xapi/", true, false, "endpoint_own"}, {"http://localhost:8081/xapi/", true, false, "http://localhost:8081/xapi/"},
	} {
		got, err := parseEndpoint(Request{Endpoint: c.address, AllowPrivate: c.private, PlainHTTP: c.http}, own)
		if err != nil {
			got = fault.Of(err).Code
		}
		if got != c.want {
			t.Errorf("%s, private %v, http %v: %q, want %q", c.address, c.private, c.http, got, c.want)
		}
	}
}

// The address that is connected to is what counts, whatever name led to it.
func TestNamesThatLeadHome(t *testing.T) {
	t.Parallel()
	asked := false
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { asked = true }))
	t.Cleanup(server.Close)
	port := server.URL[strings.LastIndex(server.URL, ":"):]
	for _, host := range []string{"localhost", "127.0.0.1", "[::ffff:127.0.0.1]"} {
		r := newSender().to(Forward{Endpoint: "http://" + host + port + "/"}, "secret")
		if _, err := r.ask(t.Context(), "GET", "statements", xapi.V1, content{}, 100); fault.Of(err).Code != "address_private" || asked {
			t.Errorf("%s: %v, asked %v", host, err, asked)
		}
	}
	r := newSender().to(Forward{Endpoint: server.URL + "/", AllowPrivate: true}, "secret")
	if a, err := r.ask(t.Context(), "GET", "statements", xapi.V1, content{}, 100); err != nil || a.status != 200 {
		t.Error(a, err)
	}
}

func TestSealing(t *testing.T) {
	t.Parallel()
	s, err := newSealer(access.NewKey())
	if err != nil {
		t.Fatal(err)
	}
	f := Forward{ID: id.New[id.ForwardID](), Name: "a", Username: "u", Endpoint: "https://lrs.example/"}
	sealed := s.seal(1, f, "hunter2")
	if got, err := s.open(1, f, sealed); got != "hunter2" || err != nil {
		t.Error(got, err)
	}
	if strings.Contains(string(sealed), "hunter2") {
		t.Error("it is in clear")
	}
	elsewhere, other := f, f
	elsewhere.Endpoint, other.ID = "https://evil.example/", id.New[id.ForwardID]()
	strange, err := newSealer(access.NewKey())
	if err != nil {
		t.Fatal(err)
	}
	for name, open := range map[string]func() (string, error){
		"another receiver":     func() (string, error) { return s.open(1, elsewhere, sealed) },
		"another forward":      func() (string, error) { return s.open(1, other, sealed) },
		"another organization": func() (string, error) { return s.open(2, f, sealed) },
		"another key":          func() (string, error) { return strange.open(1, f, sealed) },
		"cut short":            func() (string, error) { return s.open(1, f, sealed[:5]) },
	} {
		if got, err := open(); !fault.Is(err, fault.Unavailable) {
			t.Errorf("%s: %q, %v", name, got, err)
		}
	}
}

func TestRetryAfter(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	for value, want := range map[string]time.Duration{
		"": 0, "0": 0, "120": 2 * time.Minute, "soon": 0, "-5": 0, "4000000000": 24 * time.Hour, "99999999999999999999": 0,
		"Fri, 02 Jan 2026 03:05:05 GMT": time.Minute, "Fri, 02 Jan 2026 03:00:00 GMT": 0, "Sat, 02 Jan 2027 03:00:00 GMT": 24 * time.Hour,
	} {
		if got := retryAfter(value, now); got != want {
			t.Errorf("%q: %v, want %v", value, got, want)
		}
	}
}

func TestNextBatch(t *testing.T) {
	t.Parallel()
	plain := func(version, more string) string {
		return fmt.Sprintf(`{"actor":{"mbox":"mailto:a@example.com"},"verb":{"id":"https://example.com/did"},"object":{"id":"https://example.com/c"},"version":%q%s}`, version, more)
	}
	one, two := plain("1.0.0", ""), plain("2.0.0", "")
	big := plain("1.0.0", `,"result":{"response":"`+strings.Repeat("x", 600<<10)+`"}`)
	many := make([]string, 150)
	for i := range many {
		many[i] = one
	}
	for name, c := range map[string]struct {
		texts []string
		n     int
		line  xapi.Version
	}{
		"one":               {[]string{one}, 1, xapi.V1},
		"until the other":   {[]string{one, one, two, one}, 2, xapi.V1},
		"the newer":         {[]string{two, two, one}, 2, xapi.V2},
		"context agents":    {[]string{plain("1.0.0", `,"context":{"contextAgents":[{"objectType":"contextAgent","agent":{"mbox":"mailto:t@example.com"}}]}`), one}, 1, xapi.V2},
		"at most a hundred": {many, 100, xapi.V1},
		"a megabyte":        {[]string{one, big, big}, 2, xapi.V1},
		"a big one alone":   {[]string{plain("1.0.0", `,"result":{"response":"`+strings.Repeat("x", 2<<20)+`"}`), one}, 1, xapi.V1},
	} {
		var found []lrs.Statement
		for _, text := range c.texts {
			found = append(found, lrs.Statement{JSON: []byte(text)})
		}
		b, err := nextBatch(found)
		if err != nil || len(b.statements) != c.n || b.line != c.line {
			t.Errorf("%s: %d statements of %v, want %d of %v; %v", name, len(b.statements), b.line, c.n, c.line, err)
		}
	}
}

func TestReceiverThatNeverAnswers(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	done := make(chan bool)
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-done }))
	t.Cleanup(server.Close)
	t.Cleanup(func() { close(done) })
	r := newSender().to(Forward{Endpoint: server.URL + "/", AllowPrivate: true}, "secret")
	if _, err := r.ask(ctx, "GET", "statements", xapi.V1, content{}, 100); err == nil || err.Error() != "The receiver cannot be reached: no answer in time." {
		t.Error(err)
	}
}

// A receiver that answers with what it was asked does not have the secret written down.
func TestEchoedSecretIsHidden(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		user, secret, _ := r.BasicAuth()
		w.WriteHeader(http.StatusBadRequest)
		if _, err := fmt.Fprintf(w, "%s was asked by %s with %q and %s", r.URL, user, r.Header, secret); err != nil {
			t.Error(err)
		}
	}))
	t.Cleanup(server.Close)
	r := newSender().to(Forward{Endpoint: server.URL + "/", Username: "key", AllowPrivate: true}, "hunter2")
	a, err := r.ask(t.Context(), "GET", "statements", xapi.V1, content{}, 1000)
	if err != nil {
		t.Fatal(err)
	}
	if said := a.said(); !strings.HasPrefix(said, "/statements was asked by key with ") || strings.Contains(said, "hunter2") || strings.Contains(said, "a2V5Omh1bnRlcjI=") || strings.Count(said, "[secret]") != 2 {
		t.Error(said)
	}
}

// An endpoint that is taken is taken again as it is, and leads nowhere that it may not.
func FuzzParseEndpoint(f *testing.F) {
	for _, s := range []string{"https://lrs.example/xapi", "http://127.0.0.1:80/a/../b", "https://[::ffff:10.0.0.1]/", "https://a.example./%2e%2e/?", "http://LOCALHOST", "https://[fe80::1%25eth0]/x"} {
		f.Add(s, true, false)
		f.Add(s, false, true)
	}
	f.Fuzz(func(t *testing.T, address string, private, plain bool) {
		r := Request{Endpoint: address, AllowPrivate: private, PlainHTTP: plain}
		got, err := parseEndpoint(r, []string{"https://learn.example"})
		if err != nil {
			if fault.Of(err).Kind == fault.Internal {
				t.Fatal(err)
			}
			return
		}
		r.Endpoint = got
		if again, err := parseEndpoint(r, nil); err != nil || again != got {
			t.Fatalf("%q becomes %q, then %q, %v", address, got, again, err)
		}
		u, err := url.Parse(got + "statements?statementId=x")
		if err != nil || u.User != nil || u.Fragment != "" || !strings.HasSuffix(u.Path, "/statements") || u.Host == "learn.example" {
			t.Fatalf("%q becomes %q: %v", address, got, err)
		}
		if ip, err := netip.ParseAddr(u.Hostname()); err == nil && mayReach(ip, private) != nil {
			t.Fatalf("%q leads to %s", address, ip)
		}
	})
}
