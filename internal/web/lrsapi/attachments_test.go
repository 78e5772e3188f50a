package lrsapi_test

import (
	"bytes"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/hex"
	"fmt"
	"io"
	"math/rand/v2"
	"mime"
	"mime/multipart"
	"net/http"
	"net/url"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/go-json-experiment/json"

	"rollway/internal/db"
	"rollway/internal/db/dbtest"
	"rollway/internal/id"
	"rollway/internal/lrs"
)

func sha(data string) string { return fmt.Sprintf("%x", sha256.Sum256([]byte(data))) }

// attachment is an attachment of a statement; members given replace its own, and leave out those given empty.
func attachment(data string, members ...string) string {
	all := []string{"usageType", `"http://example.com/usage"`, "display", `{"en":"A file"}`, "contentType", `"text/plain; charset=utf-8"`, "length", fmt.Sprint(len(data)), "sha2", `"` + sha(data) + `"`, "fileUrl", ""}
	text := ""
	for i := 0; i < len(all); i += 2 {
		if at := slices.Index(members, all[i]); at >= 0 {
			all[i+1] = members[at+1]
		}
		if all[i+1] != "" {
			text += `,"` + all[i] + `":` + all[i+1]
		}
	}
	return "{" + text[1:] + "}"
}

// attaching is a statement with an id and attachments.
func attaching(sid, actor string, attachments ...string) string {
	s := strings.TrimSuffix(statement(actor, "http://example.com/handed-in"), "}") + `,"attachments":[` + strings.Join(attachments, ",") + `]}`
	if sid != "" {
		s = strings.Replace(s, "{", `{"id":"`+sid+`",`, 1)
	}
	return s
}

const boundary = "-------314159265358979323846"

func mixedType() string { return "Content-Type: multipart/mixed; boundary=" + boundary }

// part is the data of an attachment as it is sent; headers given replace its own, and leave out those given empty.
func part(data string, headers ...string) string {
	all := []string{"Content-Type", "text/plain", "Content-Transfer-Encoding", "binary", "X-Experience-API-Hash", sha(data), "Content-Length", ""}
	text := "\r\n--" + boundary + "\r\n"
	for i := 0; i < len(all); i += 2 {
		if at := slices.Index(headers, all[i]); at >= 0 {
			all[i+1] = headers[at+1]
		}
		if all[i+1] != "" {
			text += all[i] + ": " + all[i+1] + "\r\n"
		}
	}
	return text + "\r\n" + data
}

// mixed is a body of statements and parts.
func mixed(statements string, parts ...string) string {
	return "--" + boundary + "\r\nContent-Type: application/json\r\n\r\n" + statements + strings.Join(parts, "") + "\r\n--" + boundary + "--\r\n"
}

// given is an answer with attachments, read as clients read it.
type given struct {
	json  string
	parts map[string]string // data by hash
	types map[string]string
	order []string
}

func (s *server) given(t *testing.T, path string, header ...string) given {
	t.Helper()
	a := s.do(t, exchange{method: "GET", path: path, header: strings.Join(header, "\n")})
	if a.status != 200 {
		t.Fatalf("%s: %d %s", path, a.status, a.body)
	}
	return readGiven(t, a)
}

func readGiven(t *testing.T, a answer) given {
	t.Helper()
	sent := a.header.Get("Content-Type")
	before, mark, ok := strings.Cut(sent, "boundary=")
	if media, _, err := mime.ParseMediaType(sent); err != nil || !ok || media != "multipart/mixed" || before != "multipart/mixed; " || strings.ContainsAny(mark, `"; `) {
		t.Fatalf("Content-Type %q", sent)
	}
	if !strings.HasPrefix(a.body, "--"+mark+"\r\nContent-Type: application/json\r\n\r\n{") || !strings.HasSuffix(a.body, "\r\n--"+mark+"--\r\n") {
		t.Fatalf("begins or ends with something else: %.200q", a.body)
	}
	if n := strings.Count(a.body, "\r\nX-Experience-API-Hash: "); n != strings.Count(a.body, "--"+mark)-2 {
		t.Errorf("%d hashes in the letters of the standard", n)
	}
	g := given{parts: map[string]string{}, types: map[string]string{}}
	for r := multipart.NewReader(strings.NewReader(a.body), mark); ; {
		p, err := r.NextRawPart()
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		data, err := io.ReadAll(p)
		if err != nil {
			t.Fatal(err)
		}
		if g.json == "" {
			g.json = string(data)
			continue
		}
		hash := p.Header.Get("X-Experience-API-Hash")
		if _, twice := g.parts[hash]; twice || p.Header.Get("Content-Transfer-Encoding") != "binary" {
			t.Errorf("part %v, twice: %v", p.Header, twice)
		}
		g.parts[hash], g.types[hash] = string(data), p.Header.Get("Content-Type")
		g.order = append(g.order, hash)
	}
	if strings.ContainsAny(g.json, "\r\n") {
		t.Errorf("the statements are on several lines")
	}
	return g
}

// noise is data in which every byte and pieces of boundaries occur.
func noise(n int) string {
	b := make([]byte, 0, n+64)
	for len(b) < n {
		switch rand.IntN(20) {
		case 0:
			b = append(b, "\r\n--"...)
		case 1:
			b = append(b, ("\r\n--" + boundary)[:2+rand.IntN(len(boundary))]...)
		default:
			b = append(b, byte(rand.Uint32()))
		}
	}
	return string(b)
}

// What goes in comes out byte for byte, whatever it is, by every way of asking.
func TestAttachmentsComeBack(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := serve(t, d)
		long, empty, page := noise(300_000), "", "<b>page\r\n</b>\r\n"
		hash224, hash384, hash512 := hex.EncodeToString(sum224(page)), fmt.Sprintf("%x", sha512.Sum384([]byte(page))), strings.ToUpper(fmt.Sprintf("%x", sha512.Sum512([]byte(page))))
		body := "[" + attaching(first, ann, attachment(long, "contentType", `"image/png"`), attachment(empty)) + "," +
			attaching(second, bob, attachment(long, "contentType", `"image/png"`, "usageType", `"http://example.com/again"`), attachment(page, "sha2", `"`+hash224+`"`), attachment(page, "sha2", `"`+hash384+`"`), attachment(page, "sha2", `"`+hash512+`"`)) + "," +
			attaching(third, bob, attachment("elsewhere", "fileUrl", `"http://example.com/f"`)) + "]"
		parts := []string{part(empty), part(long, "Content-Type", "image/png", "Content-Length", fmt.Sprint(len(long))), part(page, "X-Experience-API-Hash", hash224), part(page, "X-Experience-API-Hash", hash384), part(page, "X-Experience-API-Hash", strings.ToLower(hash512), "Content-Type", "")}
		for range 2 { // sending it again is harmless
			if a := s.do(t, exchange{method: "POST", path: "statements", header: mixedType(), body: mixed(body, parts...)}); a.status != 200 {
				t.Fatal(a)
			}
		}
		g := s.given(t, "statements?attachments=true&ascending=true")
		want := map[string]string{sha(long): long, sha(empty): empty, hash224: page, hash384: page, hash512: page}
		if len(g.parts) != len(want) {
			t.Errorf("parts %v", g.order)
		}
		for hash, data := range want {
			if got, ok := g.parts[hash]; !ok || got != data {
				t.Errorf("%s: %d bytes instead of %d, there: %v", hash, len(got), len(data), ok)
			}
		}
		if g.types[sha(long)] != "image/png" || g.types[hash224] != "text/plain; charset=utf-8" {
			t.Errorf("types %v", g.types)
		}
		for path, hashes := range map[string][]string{
			"statements?attachments=true&statementId=" + first:               {sha(empty), sha(long)},
			"statements?attachments=true&format=ids&statementId=" + first:    {sha(empty), sha(long)},
			"statements?attachments=true&statementId=" + third:               {},
			"statements?attachments=true&limit=1":                            {},
			"statements?attachments=true&limit=2&format=canonical":           {hash224, hash384, hash512, sha(long)},
			"statements?attachments=true&agent=" + q(ann):                    {sha(empty), sha(long)},
			"statements?attachments=true&verb=" + q("http://example.com/no"): {},
		} {
			if got := s.given(t, path).order; !slices.Equal(slices.Sorted(slices.Values(got)), slices.Sorted(slices.Values(hashes))) {
				t.Errorf("%s: %v", path, got)
			}
		}
		for _, path := range []string{"statements?statementId=" + first, "statements?attachments=false&statementId=" + first, "statements"} {
			if a := s.do(t, exchange{method: "GET", path: path}); a.status != 200 || a.header.Get("Content-Type") != "application/json" || a.body[0] != '{' {
				t.Errorf("%s: %d %v", path, a.status, a.header)
			}
		}
		if a := s.do(t, exchange{method: "HEAD", path: "statements?attachments=true"}); a.status != 200 || !strings.HasPrefix(a.header.Get("Content-Type"), "multipart/mixed; boundary=") || a.body != "" {
			t.Errorf("HEAD: %d %v", a.status, a.header)
		}
		voids := `{"actor":` + ann + `,"verb":{"id":"http://adlnet.gov/expapi/verbs/voided"},"object":{"objectType":"StatementRef","id":"` + first + `"}}`
		if a := s.do(t, exchange{method: "POST", path: "statements", body: voids}); a.status != 200 {
			t.Fatal(a)
		}
		if g := s.given(t, "statements?attachments=true&voidedStatementId="+first); g.parts[sha(long)] != long {
			t.Error("the attachments of a voided statement are gone")
		}
	})
}

func sum224(s string) []byte {
	sum := sha256.Sum224([]byte(s))
	return sum[:]
}

// The pages after the first have their attachments too, and a caller gets those of statements it may read.
func TestAttachmentsFollowTheirStatements(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := serve(t, d)
		var want []string
		for i := range 7 {
			actor := []string{ann, bob}[i%2]
			data := fmt.Sprint("data ", i)
			body := mixed(attaching(fmt.Sprintf("00000000-0000-4000-8000-0000000000%02d", i+10), actor, attachment(data)), part(data))
			if a := s.do(t, exchange{method: "POST", path: "statements", header: mixedType(), body: body}); a.status != 200 {
				t.Fatal(a)
			}
			want = append(want, sha(data))
		}
		for as, hashes := range map[string][]string{"service": want, "ann": {want[0], want[2], want[4], want[6]}} {
			header := "Authorization: Test " + as
			var got []string
			for path := "statements?ascending=true&limit=2&format=ids&attachments=true"; path != ""; {
				g := s.given(t, path, header)
				got = append(got, g.order...)
				var p page
				if err := json.Unmarshal([]byte(g.json), &p); err != nil || len(g.order) != len(p.Statements) {
					t.Fatalf("%d parts of %d statements: %v", len(g.order), len(p.Statements), err)
				}
				if !strings.Contains(g.json, `"id":`) || strings.Contains(g.json, `"definition"`) {
					t.Error("the format was forgotten")
				}
				path = strings.TrimPrefix(p.More, "/xapi/")
			}
			if !slices.Equal(got, hashes) {
				t.Errorf("%s gets %v", as, got)
			}
		}
		if a := s.do(t, exchange{method: "GET", path: "statements?attachments=true&statementId=00000000-0000-4000-8000-000000000011", header: "Authorization: Test ann"}); a.status != 404 {
			t.Errorf("Ann reads Bob's: %d %s", a.status, a.body)
		}
	})
}

// What is wrong with a request is said with 400, and nothing of it is stored.
func TestAttachmentsRefused(t *testing.T) {
	t.Parallel()
	one, two := "one", "two"
	of := attaching("", ann, attachment(one))
	cases := []struct{ title, body, code string }{
		{"no part", mixed(of), "attachment_missing"},
		{"one part of two", mixed(attaching("", ann, attachment(one), attachment(two)), part(one)), "attachment_missing"},
		{"a SubStatement's part is missing", mixed(`{"actor":` + ann + `,"verb":{"id":"http://example.com/v"},"object":{"objectType":"SubStatement",` + attaching("", ann, attachment(one))[1:] + `}`), "attachment_missing"},
		{"a part too many", mixed(of, part(one), part(two)), "surplus_attachment"},
		{"a part for nothing", mixed(statement(ann, "http://example.com/v"), part(one)), "surplus_attachment"},
		{"a part twice", mixed(of, part(one), part(one)), "attachment_twice"},
		{"other data", mixed(of, part(two, "X-Experience-API-Hash", sha(one))), "attachment_hash"},
		{"other data, SHA-512", mixed(attaching("", ann, attachment(one, "sha2", `"`+strings.Repeat("0", 128)+`"`)), part(one, "X-Experience-API-Hash", strings.Repeat("0", 128))), "attachment_hash"},
		{"another hash", mixed(of, part(one, "X-Experience-API-Hash", sha(two))), "surplus_attachment"},
		{"a hash that is none", mixed(of, part(one, "X-Experience-API-Hash", "x")), "surplus_attachment"},
		{"no hash", mixed(of, part(one, "X-Experience-API-Hash", "")), "bad_multipart"},
		{"no encoding", mixed(of, part(one, "Content-Transfer-Encoding", "")), "bad_multipart"},
		{"base64", mixed(of, part(one, "Content-Transfer-Encoding", "base64")), "bad_multipart"},
		{"another type", mixed(of, part(one, "Content-Type", "text/html")), "attachment_type"},
		{"another length", mixed(of, part(one, "Content-Length", "4")), "attachment_length"},
		{"the wrong length", mixed(attaching("", ann, attachment(one, "length", "4")), part(one, "Content-Length", "4")), "attachment_length"},
		{"a length that is none", mixed(of, part(one, "Content-Length", "-3")), "bad_multipart"},
		{"cut off", strings.TrimSuffix(mixed(of, part(one)), "--\r\n"), "bad_multipart"},
		{"no boundary in the body", of, "bad_multipart"},
		{"no boundary before the statements", strings.TrimPrefix(mixed(of, part(one)), "--"+boundary+"\r\n"), "bad_multipart"},
		{"no boundary after the statements", strings.Replace(mixed(of, part(one)), "\r\n--"+boundary, "", 1), "invalid_statement"},
		{"the statements are no JSON by type", strings.Replace(mixed(of, part(one)), "application/json", "text/plain", 1), "bad_multipart"},
		{"the statements have no type", strings.Replace(mixed(of, part(one)), "Content-Type: application/json\r\n", "", 1), "bad_multipart"},
		{"statements in two parts", mixed(of, "\r\n--"+boundary+"\r\nContent-Type: application/json\r\n\r\n"+of, part(one)), "bad_multipart"},
		{"a statement that breaks a rule", mixed(`{"actor":1}`, part(one)), "invalid_statement"},
		{"a signature of another type", mixed(attaching("", ann, attachment(one, "usageType", signatureUsage)), part(one)), "bad_signature"},
		{"a signature that is none", mixed(attaching("", ann, attachment(one, "usageType", signatureUsage, "contentType", `"application/octet-stream"`)), part(one, "Content-Type", "application/octet-stream")), "bad_signature"},
	}
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := serve(t, d)
		for _, version := range []string{"1.0.3", "2.0.0"} {
			for _, c := range cases {
				for _, e := range []exchange{{method: "POST", path: "statements"}, {method: "PUT", path: "statements?statementId=" + missing}} {
					e.header, e.body = mixedType()+"\nX-Experience-API-Version: "+version, c.body
					if a := s.do(t, e); a.status != 400 || !strings.Contains(a.body, `"`+c.code+`"`) {
						t.Errorf("%s, %s: %d %s", c.title, e.method, a.status, a.body)
					}
				}
			}
			for _, header := range []string{"Content-Type: multipart/mixed", "Content-Type: multipart/mixed;", `Content-Type: multipart/mixed; boundary=""`, "Content-Type: multipart/mixed; boundary=" + strings.Repeat("x", 71), "Content-Type: multipart/form-data; boundary=" + boundary, "Content-Type: application/octet-stream"} {
				if a := s.do(t, exchange{method: "POST", path: "statements", header: header, body: mixed(of, part(one))}); a.status != 400 || !strings.Contains(a.body, "bad_content_type") {
					t.Errorf("%s: %d %s", header, a.status, a.body)
				}
			}
		}
		if a := s.do(t, exchange{method: "GET", path: "statements"}); !strings.Contains(a.body, `"statements":[]`) {
			t.Errorf("something was stored: %s", a.body)
		}
	})
}

// These are taken, though they look odd.
func TestAttachmentsTaken(t *testing.T) {
	t.Parallel()
	one := "one"
	cases := map[string]string{
		"no attachments":                    mixed(statement(ann, "http://example.com/v")),
		"a fileUrl and no part":             mixed(attaching("", ann, attachment(one, "fileUrl", `"http://example.com/f"`))),
		"a fileUrl and a part":              mixed(attaching("", ann, attachment(one, "fileUrl", `"http://example.com/f"`)), part(one)),
		"one part for all":                  mixed("["+attaching("", ann, attachment(one), attachment(one, "sha2", `"`+strings.ToUpper(sha(one))+`"`))+","+attaching("", bob, attachment(one))+"]", part(one)),
		"a SubStatement's":                  mixed(`{"actor":`+ann+`,"verb":{"id":"http://example.com/v"},"object":{"objectType":"SubStatement",`+attaching("", ann, attachment(one))[1:]+`}`, part(one)),
		"headers in other letters":          mixed(attaching("", ann, attachment(one)), strings.Replace(part(one, "Content-Transfer-Encoding", "BINARY"), "X-Experience-API-Hash", "x-experience-api-hash", 1)),
		"a type with other parameters":      mixed(attaching("", ann, attachment(one)), part(one, "Content-Type", "Text/Plain;charset=ascii")),
		"a length that nobody else repeats": mixed(attaching("", ann, attachment(one, "length", "4")), part(one)),
		"a signature elsewhere":             mixed(attaching("", ann, attachment(one, "usageType", signatureUsage, "contentType", `"application/octet-stream"`, "fileUrl", `"http://example.com/f"`))),
		"an empty batch":                    mixed("[]"),
	}
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := serve(t, d)
		for title, body := range cases {
			if a := s.do(t, exchange{method: "POST", path: "statements", header: mixedType(), body: body}); a.status != 200 {
				t.Errorf("%s: %d %s", title, a.status, a.body)
			}
		}
		quoted := `Content-Type: multipart/mixed; charset=x; boundary="abcABC0123'()+_,-./:=?"`
		body := strings.ReplaceAll(mixed(attaching("", ann, attachment(one)), part(one)), boundary, "abcABC0123'()+_,-./:=?")
		if a := s.do(t, exchange{method: "PUT", path: "statements?statementId=" + first, header: quoted, body: body}); a.status != 204 {
			t.Errorf("quoted boundary: %d %s", a.status, a.body)
		}
	})
}

// zeros is a stream of data with one byte only.
type zeros struct{ left int64 }

func (z *zeros) Read(p []byte) (int, error) {
	if z.left == 0 {
		return 0, io.EOF
	}
	n := min(int64(len(p)), z.left)
	clear(p[:n])
	z.left -= n
	return int(n), nil
}

// stream posts a statement with attachments of zeros, which are never in memory.
func (s *server) stream(t *testing.T, sizes ...int64) answer {
	t.Helper()
	const end = "\r\n--" + boundary + "--\r\n"
	var attachments []string
	var parts []io.Reader
	length := int64(len(end))
	for _, n := range sizes {
		h := sha256.New()
		if _, err := io.Copy(h, &zeros{n}); err != nil {
			t.Fatal(err)
		}
		hash := hex.EncodeToString(h.Sum(nil))
		attachments = append(attachments, attachment("", "length", fmt.Sprint(n), "sha2", `"`+hash+`"`))
		head := part("", "X-Experience-API-Hash", hash)
		parts = append(parts, strings.NewReader(head), &zeros{n})
		length += int64(len(head)) + n
	}
	begin := strings.TrimSuffix(mixed(attaching(first, ann, attachments...)), end)
	parts = append(append([]io.Reader{strings.NewReader(begin)}, parts...), strings.NewReader(end))
	r, err := http.NewRequestWithContext(t.Context(), "POST", s.URL+"/xapi/statements", io.MultiReader(parts...))
	if err != nil {
		t.Fatal(err)
	}
	r.ContentLength = int64(len(begin)) + length
	r.Header = http.Header{"Authorization": {"Test service"}, "X-Experience-Api-Version": {"1.0.3"}, "Content-Type": {"multipart/mixed; boundary=" + boundary}}
	res, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer{res.StatusCode, res.Header, string(b)}
}

// A large attachment goes in and comes out without being in memory. This test runs alone, for it counts what is allocated.
func TestAttachmentsAreStreamed(t *testing.T) {
	s := serve(t, dbtest.Open(t, db.SQLite))
	const size = lrs.MaxAttachment
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	if a := s.stream(t, size); a.status != 200 {
		t.Fatal(a)
	}
	r, err := http.NewRequestWithContext(t.Context(), "GET", s.URL+"/xapi/statements?attachments=true", http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	r.Header = http.Header{"Authorization": {"Test service"}, "X-Experience-Api-Version": {"1.0.3"}}
	res, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	n, err := io.Copy(io.Discard, res.Body)
	if err != nil || n < size || n > size+10_000 {
		t.Errorf("%d bytes came back: %v", n, err)
	}
	runtime.ReadMemStats(&after)
	if used := after.TotalAlloc - before.TotalAlloc; used > size/4 {
		t.Errorf("%d MB were allocated", used>>20)
	}
}

func TestAttachmentsHaveLimits(t *testing.T) {
	t.Parallel()
	s := serve(t, dbtest.Open(t, db.SQLite))
	if a := s.stream(t, lrs.MaxAttachment+1); a.status != 413 || !strings.Contains(a.body, "attachment_too_large") {
		t.Errorf("one too large: %d %s", a.status, a.body)
	}
	if a := s.stream(t, lrs.MaxAttachment-1, lrs.MaxAttachments-2*lrs.MaxAttachment+2, lrs.MaxAttachment); a.status != 413 || !strings.Contains(a.body, "attachment_too_large") {
		t.Errorf("together too large: %d %s", a.status, a.body)
	}
	var attachments, parts []string
	for i := range lrs.MaxParts + 1 {
		attachments, parts = append(attachments, attachment(fmt.Sprint(i))), append(parts, part(fmt.Sprint(i)))
	}
	if a := s.do(t, exchange{method: "POST", path: "statements", header: mixedType(), body: mixed(attaching("", ann, attachments...), parts...)}); a.status != 413 || !strings.Contains(a.body, "too_many_attachments") {
		t.Errorf("too many: %d %s", a.status, a.body)
	}
	if a := s.do(t, exchange{method: "POST", path: "statements", header: mixedType(), body: mixed(attaching("", ann, attachments[1:]...), parts[1:]...)}); a.status != 200 {
		t.Errorf("many: %d %s", a.status, a.body)
	}
	long := strings.Repeat(" ", lrs.MaxBody) + statement(ann, "http://example.com/v")
	if a := s.do(t, exchange{method: "POST", path: "statements", header: mixedType(), body: mixed(long)}); a.status != 413 {
		t.Errorf("long statements: %d %s", a.status, a.body)
	}
	signature := string(bytes.Repeat([]byte("x"), lrs.MaxSignature+1))
	of := attaching("", ann, attachment(signature, "usageType", signatureUsage, "contentType", `"application/octet-stream"`))
	if a := s.do(t, exchange{method: "POST", path: "statements", header: mixedType(), body: mixed(of, part(signature, "Content-Type", ""))}); a.status != 413 {
		t.Errorf("a long signature: %d %s", a.status, a.body)
	}
}

// An organization that is full is told so in plain words, whatever it sends; it reads and resends what it has.
func TestQuotaIsTold(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := serve(t, d)
		half, sid := strings.Repeat("h", 600<<10), id.NewRandom[id.StatementID]().String()
		send := func(sid, who, data string) answer {
			return s.do(t, exchange{method: "PUT", path: "statements?statementId=" + sid, header: mixedType() + "\nAuthorization: Test " + who, body: mixed(attaching(sid, ann, attachment(data)), part(data))})
		}
		document := func(who string) answer {
			return s.do(t, exchange{method: "PUT", path: "agents/profile?profileId=p&agent=" + url.QueryEscape(ann), header: "If-None-Match: *\nAuthorization: Test " + who, body: `"` + half + `"`})
		}
		for _, again := range []bool{false, true} {
			if a := send(sid, "guest", half); a.status != 204 {
				t.Errorf("again %v: %d %s", again, a.status, a.body)
			}
		}
		other := id.NewRandom[id.StatementID]().String()
		for what, a := range map[string]answer{"attachment": send(other, "guest", "o"+half), "document": document("guest")} {
			if a.status != 413 || !strings.Contains(a.body, "quota_records") || !strings.Contains(a.body, "the 1 MB that may be kept") || a.header.Get("Access-Control-Allow-Origin") != "*" {
				t.Errorf("%s: %d %s", what, a.status, a.body)
			}
		}
		if a := s.do(t, exchange{method: "GET", path: "statements?statementId=" + other, header: "Authorization: Test guest"}); a.status != 404 {
			t.Errorf("what was refused: %d %s", a.status, a.body)
		}
		if g := s.given(t, "statements?attachments=true&statementId="+sid, "Authorization: Test guest"); g.parts[sha(half)] != half {
			t.Errorf("%d parts", len(g.parts))
		}
		if a, b := send(other, "service", "o"+half+half), document("service"); a.status != 204 || b.status != 204 {
			t.Errorf("the first organization: %d %s, %d %s", a.status, a.body, b.status, b.body)
		}
	})
}

const signatureUsage = `"http://adlnet.gov/expapi/attachments/signature"`
