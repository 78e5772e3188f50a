package courseware

import (
	"archive/zip"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"rollway/internal/access"
	"rollway/internal/blob"
	"rollway/internal/content"
	"rollway/internal/content/sample"
	"rollway/internal/db"
	"rollway/internal/db/dbtest"
	"rollway/internal/fault"
	"rollway/internal/id"
	"rollway/internal/launch"
	"rollway/internal/web"
)

// tokens are the launches that are going on: the package each token opens.
type tokens map[string]id.PackageID

func (t tokens) AuthorizeFile(_ context.Context, pkg id.PackageID, token string) (id.OrgID, error) {
	if token == "lost-contact" {
		return 0, fault.New(fault.Unavailable, "unavailable", "The database cannot be reached.")
	}
	if of, ok := t[token]; !ok || of != pkg {
		return 0, fault.New(fault.Gone, "launch_over", "This launch is over. Open the course again.")
	}
	return id.DefaultOrg, nil
}

const token = "launch_Xq3-0001"

// stage is a door with two packages behind it.
type stage struct {
	http.Handler
	where launch.Addresses
	live  tokens
	one   content.Content
	other content.Content
	files *content.Catalogue
	blobs string
}

const manifest = `<?xml version="1.0" encoding="utf-8"?><tincan xmlns="http://projecttincan.com/tincan.xsd"><activities>` +
	`<activity id="ID"><name lang="en">Course</name><launch lang="en">LAUNCH</launch></activity></activities></tincan>`

var files = map[string]string{
	"a b/index.html": "<p>hello</p>", "a b/script.js": "let x", "data.json": "{}", "tool.exe": "MZ", "sheet.csv": "a,b", "page.xhtml": "<x/>",
	"film.mp4": "0123456789", "100%.txt": "percent", "ü.css": "p{}", "a+b.svg": "<svg/>", "semi;colon.txt": "s", "q?.txt": "q", "empty.txt": "",
}

func packed(t *testing.T, activity string, files map[string]string) *bytes.Reader {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	put := func(name, text string) {
		w, err := z.Create(name)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(w, text); err != nil {
			t.Fatal(err)
		}
	}
	start := "a%20b/index.html?x=y"
	if files["a b/index.html"] == "" {
		start = "play/index.html"
	}
	put("tincan.xml", strings.NewReplacer("ID", activity, "LAUNCH", start).Replace(manifest))
	for name, text := range files {
		put(name, text)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return bytes.NewReader(b.Bytes())
}

func open(t *testing.T, d *db.DB, singleHost bool) *stage {
	t.Helper()
	return openWith(t, d, files, launch.Addresses{Public: "https://learn.example", Courseware: "http://content.example:8081", SingleHost: singleHost})
}

func openWith(t *testing.T, d *db.DB, files map[string]string, where launch.Addresses) *stage {
	t.Helper()
	s := &stage{where: where, blobs: filepath.Join(t.TempDir(), "blobs")}
	blobs, err := blob.Open(s.blobs)
	if err != nil {
		t.Fatal(err)
	}
	s.files = content.NewCatalogue(d, blobs, access.NewChanges(d))
	for activity, c := range map[string]*content.Content{"urn:course:one": &s.one, "urn:course:other": &s.other} {
		z := packed(t, activity, files)
		if *c, err = s.files.Add(t.Context(), access.CommandLine(id.DefaultOrg), z, z.Size()); err != nil {
			t.Fatal(err)
		}
	}
	s.live = tokens{token: s.one.Package}
	s.Handler = New(s.live, s.files, s.where)
	return s
}

func eachEngine(t *testing.T, fn func(t *testing.T, s *stage)) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) { fn(t, open(t, d, false)) })
}

// ask sends a request to what is below the package's origin and prefix. Headers are pairs of name and value.
func (s *stage) ask(t *testing.T, method, path string, headers ...string) *http.Response {
	t.Helper()
	origin, prefix := launch.PackageOrigin(s.where, s.one.Package)
	return s.askAt(t, method, origin, prefix+path, headers...)
}

func (s *stage) askAt(t *testing.T, method, origin, path string, headers ...string) *http.Response {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), method, path, nil)
	_, r.Host, _ = strings.Cut(origin, "://")
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	w := httptest.NewRecorder()
	s.ServeHTTP(w, r)
	return w.Result()
}

func text(t *testing.T, r *http.Response) string {
	t.Helper()
	b, err := io.ReadAll(r.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func etag(body string) string {
	sum := sha256.Sum256([]byte(body))
	return `"` + hex.EncodeToString(sum[:]) + `"`
}

func TestFiles(t *testing.T) {
	eachEngine(t, func(t *testing.T, s *stage) {
		const (
			pages = "private, no-cache"
			rest  = "private, max-age=86400, immutable"
		)
		for _, c := range []struct{ path, file, mediaType, cache, disposition string }{
			{"a%20b/index.html", "a b/index.html", "text/html", pages, ""},
			{"a%20b/index.html?auth=secret", "a b/index.html", "text/html", pages, ""},
			{"%61%20b/inde%78.html", "a b/index.html", "text/html", pages, ""},
			{"page.xhtml", "page.xhtml", "application/xhtml+xml", pages, ""},
			{"a%20b/script.js", "a b/script.js", "text/javascript", rest, ""},
			{"data.json", "data.json", "application/json", rest, ""},
			{"tool.exe", "tool.exe", "application/octet-stream", rest, "attachment"},
			{"sheet.csv", "sheet.csv", "text/csv; charset=utf-8", rest, "attachment"},
			{"100%25.txt", "100%.txt", "text/plain; charset=utf-8", rest, ""},
			{"%C3%BC.css", "ü.css", "text/css", rest, ""},
			{"u%CC%88.css", "ü.css", "text/css", rest, ""},
			{"a+b.svg", "a+b.svg", "image/svg+xml", rest, ""},
			{"semi;colon.txt", "semi;colon.txt", "text/plain; charset=utf-8", rest, ""},
			{"q%3F.txt", "q?.txt", "text/plain; charset=utf-8", rest, ""},
			{"empty.txt", "empty.txt", "text/plain; charset=utf-8", rest, ""},
		} {
			for _, method := range []string{http.MethodGet, http.MethodHead} {
				r := s.ask(t, method, "/"+token+"/"+c.path)
				want, size := files[c.file], int64(len(files[c.file]))
				if method == http.MethodHead {
					want = ""
				}
				if got := text(t, r); r.StatusCode != 200 || got != want || r.ContentLength != size {
					t.Errorf("%s %s: %d %q of %d bytes", method, c.path, r.StatusCode, got, r.ContentLength)
				}
				for name, want := range map[string]string{
					"Content-Type": c.mediaType, "Cache-Control": c.cache, "Content-Disposition": c.disposition, "ETag": etag(files[c.file]),
					"X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer", "X-Robots-Tag": "noindex", "Origin-Agent-Cluster": "?1",
					"Cross-Origin-Resource-Policy": "same-origin", "Content-Security-Policy": "frame-ancestors 'self' https://learn.example",
					"Accept-Ranges": "bytes", "Last-Modified": "", "Access-Control-Allow-Origin": "", "Service-Worker-Allowed": "", "Set-Cookie": "",
				} {
					if got := r.Header.Get(name); got != want {
						t.Errorf("%s %s: %s is %q, want %q", method, c.path, name, got, want)
					}
				}
			}
		}
		if r := s.ask(t, "GET", "/"+token+"/"+s.one.Launch); r.StatusCode != 200 || text(t, r) != files["a b/index.html"] {
			t.Errorf("the launch address %s: %d", s.one.Launch, r.StatusCode)
		}
	})
}

func TestNothingElseIsServed(t *testing.T) {
	eachEngine(t, func(t *testing.T, s *stage) {
		for _, path := range []string{
			"/", "/" + token, "/" + token + "/", "//" + token + "/data.json", "/" + token + "//data.json", "/" + token + "/data.json/",
			"/" + token + "/a%20b", "/" + token + "/a%20b/", "/" + token + "/a%20b/./index.html", "/" + token + "/a%20b/../data.json",
			"/" + token + "/a%20b/%2e%2e/data.json", "/" + token + "/a%20b/..%2fdata.json", "/" + token + "/a%20b%2Findex.html", "/" + token + "/a%20b%5Cindex.html",
			"/" + token + "/a%2520b/index.html", "/" + token + "/%2fdata.json", "/" + token + "/..", "/" + token + "/../" + token + "/data.json",
			"/" + token + "/../../../etc/passwd", "/" + token + "/%00data.json", "/" + token + "/data.json%00.html", "/" + token + "/%ff", "/" + token + "/DATA.json",
			"/" + token + "/c:/data.json", "/" + token + "/" + strings.Repeat("x/", 2000), "/data.json", "/healthz", "/" + token + "/nothing.html",
		} {
			r := s.ask(t, "GET", path)
			if body := text(t, r); r.StatusCode != http.StatusNotFound && r.StatusCode != http.StatusGone || strings.Contains(body, "hello") || body == "{}" {
				t.Errorf("%q: %d %q", path, r.StatusCode, body)
			}
			for name, want := range map[string]string{"Cache-Control": "no-store", "Location": "", "ETag": "", "X-Content-Type-Options": "nosniff"} {
				if got := r.Header.Get(name); got != want {
					t.Errorf("%q: %s is %q", path, name, got)
				}
			}
		}
	})
}

func TestHosts(t *testing.T) {
	eachEngine(t, func(t *testing.T, s *stage) {
		origin, _ := launch.PackageOrigin(s.where, s.one.Package)
		_, host, _ := strings.Cut(origin, "://")
		label, _, _ := strings.Cut(host, ".")
		for host, want := range map[string]int{
			host:                                                200,
			strings.ToUpper(host):                               200,
			label + ".content.example":                          200,
			label + ".content.example:1":                        200,
			"content.example:8081":                              404,
			label + ".other.example":                            404,
			label + ".x.content.example":                        404,
			"x." + label + ".content.example":                   404,
			label:                                               404,
			"q" + label[1:] + ".content.example:8081":           404,
			label[:len(label)-1] + ".content.example:8081":      404,
			"p-" + s.one.Package.String() + ".content.example":  404,
			"p-" + strings.Repeat("0", 32) + ".content.example": 410,
			strings.Replace(label, label[2:4], "zz", 1) + ".content.example":                  404,
			"p-" + strings.ReplaceAll(s.other.Package.String(), "-", "") + ".content.example": 410,
		} {
			if r := s.askAt(t, "GET", "http://"+host, "/"+token+"/data.json"); r.StatusCode != want {
				t.Errorf("%s: %d, want %d", host, r.StatusCode, want)
			}
		}
		if r := s.askAt(t, "GET", "http://content.example", "/"+label+"/"+token+"/data.json"); r.StatusCode != 404 {
			t.Errorf("the address of a single host: %d", r.StatusCode)
		}
	})
}

func TestLaunchesThatAreOver(t *testing.T) {
	eachEngine(t, func(t *testing.T, s *stage) {
		for name, path := range map[string]string{
			"no token": "//data.json", "forged": "/forged/data.json", "encoded": "/%6caunch_Xq3-0001/data.json", "longer": "/" + token + "x/data.json", "no such file": "/forged/nothing",
		} {
			r := s.ask(t, "GET", path, "Accept", "text/html,*/*;q=0.8")
			if page := text(t, r); r.StatusCode != 410 || !strings.HasPrefix(r.Header.Get("Content-Type"), "text/html") ||
				!strings.Contains(page, "This launch is over.") || !strings.Contains(page, "launch_over") || !strings.Contains(page, "Go back") {
				t.Errorf("%s: %d %s", name, r.StatusCode, page)
			}
		}
		r := s.ask(t, "GET", "/forged/data.json", "Accept", "application/json")
		if body := text(t, r); r.StatusCode != 410 || r.Header.Get("Content-Type") != "application/json" || !strings.Contains(body, `"launch_over"`) {
			t.Errorf("%d %s", r.StatusCode, body)
		}

		tag := s.ask(t, "GET", "/"+token+"/data.json").Header.Get("ETag")
		delete(s.live, token) // revoked
		if r := s.ask(t, "GET", "/"+token+"/data.json", "If-None-Match", tag); r.StatusCode != 410 || r.Header.Get("ETag") != "" {
			t.Errorf("after it was revoked: %d", r.StatusCode)
		}
		if r := s.ask(t, "GET", "/lost-contact/data.json"); r.StatusCode != 503 || r.Header.Get("Retry-After") == "" {
			t.Errorf("without a database: %d", r.StatusCode)
		}
	})
}

func TestMethods(t *testing.T) {
	eachEngine(t, func(t *testing.T, s *stage) {
		for _, method := range []string{"POST", "PUT", "DELETE", "PATCH", "PROPFIND", "get"} {
			r := s.ask(t, method, "/"+token+"/data.json")
			if r.StatusCode != 405 || r.Header.Get("Allow") != "GET, HEAD, OPTIONS" {
				t.Errorf("%s: %d, %q", method, r.StatusCode, r.Header.Get("Allow"))
			}
		}
	})
}

func TestConditionsAndRanges(t *testing.T) {
	eachEngine(t, func(t *testing.T, s *stage) {
		film := etag(files["film.mp4"])
		for _, c := range []struct {
			headers      []string
			status       int
			body, ranged string
		}{
			{[]string{"If-None-Match", film}, 304, "", ""},
			{[]string{"If-None-Match", "W/" + film}, 304, "", ""},
			{[]string{"If-None-Match", `"a", ` + film}, 304, "", ""},
			{[]string{"If-None-Match", "*"}, 304, "", ""},
			{[]string{"If-None-Match", `"a"`}, 200, "0123456789", ""},
			{[]string{"If-Match", `"a"`}, 412, "", ""},
			{[]string{"If-Modified-Since", "Tue, 01 Jan 2030 00:00:00 GMT"}, 200, "0123456789", ""},
			{[]string{"Range", "bytes=2-4"}, 206, "234", "bytes 2-4/10"},
			{[]string{"Range", "bytes=7-"}, 206, "789", "bytes 7-9/10"},
			{[]string{"Range", "bytes=-2"}, 206, "89", "bytes 8-9/10"},
			{[]string{"Range", "bytes=8-99"}, 206, "89", "bytes 8-9/10"},
			{[]string{"Range", "bytes=0-1", "If-Range", film}, 206, "01", "bytes 0-1/10"},
			{[]string{"Range", "bytes=0-1", "If-Range", `"a"`}, 200, "0123456789", ""},
			{[]string{"Range", "bytes=10-"}, 416, "invalid range: failed to overlap\n", "bytes */10"},
			{[]string{"Range", "bytes=0-9,0-9,0-9"}, 200, "0123456789", ""},
		} {
			r := s.ask(t, "GET", "/"+token+"/film.mp4", c.headers...)
			if body := text(t, r); r.StatusCode != c.status || body != c.body || r.Header.Get("Content-Range") != c.ranged {
				t.Errorf("%v: %d %q %q", c.headers, r.StatusCode, body, r.Header.Get("Content-Range"))
			}
			if r.StatusCode != 416 && r.Header.Get("ETag") != film {
				t.Errorf("%v: ETag %q", c.headers, r.Header.Get("ETag"))
			}
		}
		if r := s.ask(t, "GET", "/"+token+"/film.mp4", "Range", "bytes=0-0,5-5"); r.StatusCode != 206 || !strings.HasPrefix(r.Header.Get("Content-Type"), "multipart/byteranges") {
			t.Errorf("two ranges: %d", r.StatusCode)
		}
	})
}

func TestDamagedFile(t *testing.T) {
	eachEngine(t, func(t *testing.T, s *stage) {
		name := strings.Trim(etag(files["film.mp4"]), `"`)
		place := filepath.Join(s.blobs, name[:2], name[2:])
		for damage, do := range map[string]func() error{
			"longer": func() error { return os.WriteFile(place, []byte("0123456789x"), 0o600) },
			"gone":   func() error { return os.RemoveAll(place) },
		} {
			if err := do(); err != nil {
				t.Fatal(err)
			}
			r := s.ask(t, "GET", "/"+token+"/film.mp4")
			if body := text(t, r); r.StatusCode != 500 || strings.Contains(body, "0123") || strings.Contains(body, s.blobs) || r.Header.Get("ETag") != "" {
				t.Errorf("%s: %d %q", damage, r.StatusCode, body)
			}
			if err := os.WriteFile(place, []byte("0123456789"), 0o600); err != nil {
				t.Fatal(err)
			}
		}
	})
}

func TestSingleHost(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := open(t, d, true)
		for _, path := range []string{"a%20b/index.html", "a%20b/script.js", "tool.exe"} {
			r := s.ask(t, "GET", "/"+token+"/"+path)
			if r.StatusCode != 200 {
				t.Fatalf("%s: %d", path, r.StatusCode)
			}
			for name, want := range map[string]string{
				"Content-Security-Policy":      "sandbox allow-scripts allow-forms allow-popups",
				"Cross-Origin-Resource-Policy": "cross-origin", "Access-Control-Allow-Origin": "*", "Access-Control-Allow-Credentials": "",
				"X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer",
			} {
				if got := r.Header.Get(name); got != want {
					t.Errorf("%s: %s is %q, want %q", path, name, got, want)
				}
			}
		}
		_, prefix := launch.PackageOrigin(s.where, s.one.Package)
		_, others := launch.PackageOrigin(s.where, s.other.Package)
		for _, c := range []struct {
			host, path string
			status     int
		}{
			{"content.example", prefix + "/" + token + "/data.json", 200},
			{"content.example", others + "/" + token + "/data.json", 410},
			{"content.example", "/" + token + "/data.json", 404},
			{"content.example", prefix, 404},
			{"content.example", prefix + "/" + token, 404},
			{"content.example", "/" + prefix + "/" + token + "/data.json", 404},
			{"content.example", prefix + "/" + token + "/.." + others + "/data.json", 404},
			{prefix[1:] + ".content.example", "/" + token + "/data.json", 404}, // there it would not be in a sandbox of its own
			{prefix[1:] + ".content.example", prefix + "/" + token + "/data.json", 404},
			{"learn.example", prefix + "/" + token + "/data.json", 404},
		} {
			if r := s.askAt(t, "GET", "http://"+c.host, c.path); r.StatusCode != c.status {
				t.Errorf("%s %s: %d, want %d", c.host, c.path, r.StatusCode, c.status)
			}
		}
	})
}

// TestOverTheWire follows a relative link and keeps the token out of the log.
func TestOverTheWire(t *testing.T) {
	eachEngine(t, func(t *testing.T, s *stage) {
		var log bytes.Buffer
		done := make(chan struct{})
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			defer close(done)
			web.Guard(web.Config{Log: slog.New(slog.NewTextHandler(&log, nil))}, s).ServeHTTP(w, r)
		}))
		defer server.Close()
		r, err := http.NewRequestWithContext(t.Context(), "GET", server.URL+"/"+token+"/a%20b/../data.json", nil)
		if err != nil {
			t.Fatal(err)
		}
		r.URL = r.URL.JoinPath() // as a browser resolves it
		origin, _ := launch.PackageOrigin(s.where, s.one.Package)
		_, r.Host, _ = strings.Cut(origin, "://")
		answer, err := server.Client().Do(r)
		if err != nil {
			t.Fatal(err)
		}
		defer answer.Body.Close()
		if body := text(t, answer); answer.StatusCode != 200 || body != "{}" {
			t.Errorf("%d %q", answer.StatusCode, body)
		}
		<-done
		if line := log.String(); strings.Contains(line, token) || !strings.Contains(line, "data.json") || !strings.Contains(line, "{token}") {
			t.Errorf("log: %s", line)
		}
	})
}

func TestTheSampleCourseIsServed(t *testing.T) {
	eachEngine(t, func(t *testing.T, s *stage) {
		z, err := sample.Zip()
		if err != nil {
			t.Fatal(err)
		}
		c, err := s.files.Add(t.Context(), access.CommandLine(id.DefaultOrg), bytes.NewReader(z), int64(len(z)))
		if err != nil {
			t.Fatal(err)
		}
		s.one, s.live[token] = c, c.Package
		for path, want := range map[string]string{c.Launch: "text/html", "course.js": "text/javascript", "course.css": "text/css", "img/parts.svg": "image/svg+xml"} {
			if r := s.ask(t, "GET", "/"+token+"/"+path); r.StatusCode != 200 || r.Header.Get("Content-Type") != want || len(text(t, r)) == 0 {
				t.Errorf("%s: %d %s", path, r.StatusCode, r.Header.Get("Content-Type"))
			}
		}
	})
}
