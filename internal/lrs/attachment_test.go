package lrs_test

import (
	"bytes"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
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
	"rollway/xapi"
)

// eachKeeping runs a test with a store that keeps attachments in blobs, on every engine.
func eachKeeping(t *testing.T, fn func(t *testing.T, s *lrs.Store, blobs *blob.Store, dir string)) {
	t.Helper()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s, blobs, dir := openKeeping(t, d, 0)
		fn(t, s, blobs, dir)
	})
}

// openKeeping opens a store that keeps attachments in blobs, which lie in dir.
func openKeeping(t *testing.T, d *db.DB, quota int64) (s *lrs.Store, blobs *blob.Store, dir string) {
	t.Helper()
	dir = t.TempDir()
	blobs, err := blob.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	s, err = lrs.Open(t.Context(), lrs.Config{DB: d, Blobs: blobs, HomePage: "https://rollway.example", Quota: quota})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s, blobs, dir
}

func sha(data string) string { return fmt.Sprintf("%x", sha256.Sum256([]byte(data))) }

// parts yields data as parts of a request.
func parts(data ...string) lrs.Parts {
	return func() (lrs.Part, error) {
		if len(data) == 0 {
			return lrs.Part{}, io.EOF
		}
		part := lrs.Part{Hash: sha(data[0]), Length: -1, Data: strings.NewReader(data[0])}
		data = data[1:]
		return part, nil
	}
}

// with is a statement with data attached to it.
func with(sid, usage string, data ...string) statement {
	texts := make([]string, len(data))
	for i, d := range data {
		texts[i] = fmt.Sprintf(`{"usageType":%q,"display":{},"contentType":"application/octet-stream","length":%d,"sha2":%q}`, usage, len(d), sha(d))
	}
	st := simple(sid)
	st.extra = `,"attachments":[` + strings.Join(texts, ",") + `]`
	return st
}

const usage = "https://example.org/usage"

func kept(t *testing.T, s *lrs.Store, c access.Caller, q lrs.Query) (data []string) {
	t.Helper()
	page, err := s.Find(t.Context(), c, q)
	if err != nil {
		t.Fatal(err)
	}
	list, err := s.Attachments(t.Context(), c, page.Statements)
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range list {
		var b bytes.Buffer
		if n, err := a.WriteTo(&b); err != nil || n != a.Size || sha(b.String()) != a.SHA2 {
			t.Errorf("%s: %d of %d bytes: %v", a.SHA2, n, a.Size, err)
		}
		data = append(data, b.String())
	}
	return data
}

func collect(t *testing.T, s *lrs.Store, blobs *blob.Store) int {
	t.Helper()
	n, err := blobs.Collect(t.Context(), time.Now().Add(time.Hour), s.NamedBlobs)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// Data belongs to the statement that was stored with it, and what no statement names is collected.
func TestAttachmentsAreKeptWithTheirStatement(t *testing.T) {
	t.Parallel()
	eachKeeping(t, func(t *testing.T, s *lrs.Store, blobs *blob.Store, _ string) {
		c, other := system(), system()
		put := func(c access.Caller, st string, next lrs.Parts) error {
			_, err := s.PutWith(t.Context(), c, xapi.V1, id.StatementID{}, []byte(st), next)
			return err
		}
		sid := newID()
		for _, err := range []error{
			put(c, with(sid, usage, "one", "two").String(), parts("two", "one")),
			put(c, with(sid, usage, "one", "two").String(), parts("one", "two")), // again
			put(c, batch(with("", usage, "two"), simple(""), with("", usage, "three")), parts("two", "three")),
			put(other, with(sid, usage, "one").String(), parts("one")),
		} {
			if err != nil {
				t.Fatal(err)
			}
		}
		wantFault(t, put(c, with(sid, usage, "four").String(), parts("four")), fault.Conflict)
		wantFault(t, put(c, with("", usage, "one").String(), parts()), fault.Invalid) // that it is here already helps nobody
		wantFault(t, put(c, batch(with("", usage, "five"), voids("", newID()).plus(`,"nonsense":1`)), parts("five")), fault.Invalid)
		broke := errors.New("the client left")
		err := put(c, with("", usage, "six", "seven").String(), func() func() (lrs.Part, error) {
			next := parts("six")
			return func() (lrs.Part, error) {
				part, err := next()
				if err == io.EOF {
					err = broke
				}
				return part, err
			}
		}())
		if !errors.Is(err, broke) {
			t.Fatal(err)
		}
		if n := collect(t, s, blobs); n != 0 { // four and six went at once; of five nothing was read
			t.Errorf("%d collected", n)
		}
		if got := kept(t, s, c, lrs.Query{Ascending: true}); len(got) != 3 || strings.Join(got[2:], "") != "three" {
			t.Errorf("kept %q", got)
		}
		if got := kept(t, s, other, lrs.Query{}); len(got) != 1 || got[0] != "one" {
			t.Errorf("the other organization has %q", got)
		}
	})
}

func (st statement) plus(extra string) statement {
	st.extra += extra
	return st
}

// Names may be written with escapes.
func TestAttachmentsBehindEscapes(t *testing.T) {
	t.Parallel()
	eachKeeping(t, func(t *testing.T, s *lrs.Store, _ *blob.Store, _ string) {
		c := system()
		text := strings.Replace(with("", usage, "one").String(), `"attachments"`, `"\u0061ttachments"`, 1)
		if _, err := s.PutWith(t.Context(), c, xapi.V1, id.StatementID{}, []byte(text), parts("one")); err != nil {
			t.Fatal(err)
		}
		if got := kept(t, s, c, lrs.Query{}); len(got) != 1 {
			t.Errorf("kept %q", got)
		}
	})
}

// A damaged file is noticed before or while it is served, never served for the data.
func TestDamagedAttachment(t *testing.T) {
	t.Parallel()
	eachKeeping(t, func(t *testing.T, s *lrs.Store, blobs *blob.Store, dir string) {
		c := system()
		if _, err := s.PutWith(t.Context(), c, xapi.V1, id.StatementID{}, []byte(with("", usage, "one").String()), parts("one")); err != nil {
			t.Fatal(err)
		}
		page, err := s.Find(t.Context(), c, lrs.Query{})
		if err != nil {
			t.Fatal(err)
		}
		list, err := s.Attachments(t.Context(), c, page.Statements)
		if err != nil || len(list) != 1 {
			t.Fatal(list, err)
		}
		name := sha("one")
		if err := os.WriteFile(dir+"/"+name[:2]+"/"+name[2:], []byte("on"), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := list[0].WriteTo(io.Discard); !errors.Is(err, blob.ErrDamaged) {
			t.Errorf("cut short: %v", err)
		}
		// Whoever sends the data again repairs it.
		if _, err := s.PutWith(t.Context(), c, xapi.V1, id.StatementID{}, []byte(with("", usage, "one").String()), parts("one")); err != nil {
			t.Fatal(err)
		}
		if got := kept(t, s, c, lrs.Query{}); len(got) != 1 || got[0] != "one" {
			t.Errorf("kept %q", got)
		}
	})
}

// Data that was lost comes back when its statement is sent again; that of an attachment which never had any does not stay.
func TestLostAttachment(t *testing.T) {
	t.Parallel()
	eachKeeping(t, func(t *testing.T, s *lrs.Store, blobs *blob.Store, dir string) {
		c := system()
		st := with(newID(), usage, "one", "two").String()
		named := `"sha2":"` + sha("two") + `"`
		st = strings.Replace(st, named, named+`,"fileUrl":"https://example.org/two"`, 1)
		send := func(data ...string) {
			t.Helper()
			if _, err := s.PutWith(t.Context(), c, xapi.V1, id.StatementID{}, []byte(st), parts(data...)); err != nil {
				t.Fatal(err)
			}
		}
		send("one")
		if err := os.Remove(dir + "/" + sha("one")[:2] + "/" + sha("one")[2:]); err != nil {
			t.Fatal(err)
		}
		send("one", "two")
		if got := kept(t, s, c, lrs.Query{}); len(got) != 1 || got[0] != "one" {
			t.Errorf("kept %q", got)
		}
		if err := blobs.Verify(sha256.Sum256([]byte("two"))); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("data that nothing names: %v", err)
		}
	})
}

// Data that killed processes left behind long ago is sent again beside the collector that takes it: what is acknowledged has
// its data.
func TestAttachmentsBesideTheCollector(t *testing.T) {
	t.Parallel()
	eachKeeping(t, func(t *testing.T, s *lrs.Store, blobs *blob.Store, dir string) {
		c := system()
		const n = 60
		data := make([]string, n)
		for i := range n {
			data[i] = fmt.Sprint("data ", i)
			if _, err := blobs.Put(t.Context(), strings.NewReader(data[i])); err != nil {
				t.Fatal(err)
			}
			name, long := sha(data[i]), time.Now().Add(-time.Hour)
			if err := os.Chtimes(dir+"/"+name[:2]+"/"+name[2:], long, long); err != nil {
				t.Fatal(err)
			}
		}
		var working sync.WaitGroup
		removed := 0
		working.Go(func() {
			for range 4 {
				n, err := blobs.Collect(t.Context(), time.Now().Add(-time.Minute), s.NamedBlobs)
				if removed += n; err != nil {
					t.Error(err)
				}
			}
		})
		for sender := range 3 {
			working.Go(func() {
				for i := sender; i < n; i += 3 {
					if _, err := s.PutWith(t.Context(), c, xapi.V1, id.StatementID{}, []byte(with("", usage, data[i]).String()), parts(data[i])); err != nil {
						t.Error(err)
					}
				}
			})
		}
		working.Wait()
		if got := kept(t, s, c, lrs.Query{Limit: 1000}); len(got) != n {
			t.Errorf("%d kept of %d; %d were removed before they were sent again", len(got), n, removed)
		}
	})
}

// sign makes the signature of a text, by the header's word for it.
func sign(t *testing.T, alg, payload string) string {
	t.Helper()
	hash := map[string]crypto.Hash{"RS256": crypto.SHA256, "RS384": crypto.SHA384, "RS512": crypto.SHA512}[alg]
	key := signer()
	encode := base64.RawURLEncoding.EncodeToString
	text := encode([]byte(`{"alg":"`+alg+`"}`)) + "." + encode([]byte(payload))
	h := hash.New()
	h.Write([]byte(text))
	value, err := rsa.SignPKCS1v15(nil, key, hash, h.Sum(nil))
	if err != nil {
		t.Fatal(err)
	}
	return text + "." + encode(value)
}

var signer = sync.OnceValue(func() *rsa.PrivateKey {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(err)
	}
	return key
})

func TestSignedStatements(t *testing.T) {
	t.Parallel()
	const usage = string(xapi.SignatureUsage)
	eachKeeping(t, func(t *testing.T, s *lrs.Store, _ *blob.Store, _ string) {
		c := system()
		for _, line := range []xapi.Version{xapi.V1, xapi.V2} {
			for _, alg := range []string{"RS256", "RS384", "RS512"} {
				sid := newID()
				signature := sign(t, alg, simple(sid).String())
				if _, err := s.PutWith(t.Context(), c, line, id.StatementID{}, []byte(with(sid, usage, signature).String()), parts(signature)); err != nil {
					t.Errorf("%s: %v", alg, err)
				}
			}
			sid := newID()
			altered := sign(t, "RS256", simple(sid).plus(`,"result":{"success":true}`).String())
			none := base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"none"}`)) + sign(t, "RS256", simple(sid).String())[len("eyJhbGciOiJSUzI1NiJ9"):]
			for name, signature := range map[string]string{"another statement": altered, "none": none, "no JWS": "x", "nothing": ""} {
				_, err := s.PutWith(t.Context(), c, line, id.StatementID{}, []byte(with(sid, usage, signature).String()), parts(signature))
				if fault.Of(err).Code != "bad_signature" {
					t.Errorf("%s: %v", name, err)
				}
			}
			// In a batch each signature is of its own statement.
			other := newID()
			mine, its := sign(t, "RS256", simple(sid).String()), sign(t, "RS256", simple(other).String())
			swapped := batch(with(sid, usage, its), with(other, usage, mine))
			_, err := s.PutWith(t.Context(), c, line, id.StatementID{}, []byte(swapped), parts(mine, its))
			wantFault(t, err, fault.Invalid)
			right := batch(with(sid, usage, mine), with(other, usage, its))
			if _, err := s.PutWith(t.Context(), c, line, id.StatementID{}, []byte(right), parts(mine, its)); err != nil {
				t.Error(err)
			}
		}
	})
}
