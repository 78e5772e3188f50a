package main

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"rollway/internal/db"
)

// dataOf is the data of an attachment, as long as it takes for a kill to fall into it.
func dataOf(sid string) string { return strings.Repeat(sid+"\r\n--", 4000) }

const mixedType = "Content-Type: multipart/mixed; boundary=part"

// mixed is a body of statements and the data of their attachments.
func mixed(statements string, data ...string) string {
	body := "--part\r\nContent-Type: application/json\r\n\r\n" + statements
	for _, d := range data {
		body += fmt.Sprintf("\r\n--part\r\nContent-Type: text/plain\r\nContent-Transfer-Encoding: binary\r\nX-Experience-API-Hash: %x\r\n\r\n%s", sha256.Sum256([]byte(d)), d)
	}
	return body + "\r\n--part--\r\n"
}

// attaching is a statement that says of data that it is attached.
func attaching(statement string, data ...string) string {
	var list []string
	for _, d := range data {
		list = append(list, fmt.Sprintf(`{"usageType":"https://example.org/usage","display":{},"contentType":"text/plain","length":%d,"sha2":"%x"}`, len(d), sha256.Sum256([]byte(d))))
	}
	return strings.TrimSuffix(statement, "}") + `,"attachments":[` + strings.Join(list, ",") + "]}"
}

// attached sends a statement with data. One with a part too many is refused when the data of the first is there already, and
// can never be stored.
func (w *writer) attached(surplus bool) {
	b := w.draw(1)
	data := []string{dataOf(b.ids[0])}
	w.Lock()
	b.data, b.bodies[0] = true, attaching(b.bodies[0], data[0])
	w.Unlock()
	if surplus {
		data = append(data, "surplus")
	}
	a, err := ask(context.Background(), "POST", w.url+"/xapi/statements", append(slices.Clone(w.reader), mixedType), mixed(b.bodies[0], data...))
	f := fateOf(a, err)
	if surplus && f != acknowledged {
		f = refused
	} else {
		w.note("attachment", a, f)
	}
	w.Lock()
	defer w.Unlock()
	b.fate = f
	if surplus && f == acknowledged {
		w.unexpected = append(w.unexpected, fmt.Sprintf("a part too many is answered with %d", a.status))
	}
}

// sameData holds the data of a stored statement against what was sent.
func (o *oracle) sameData(sid string) error {
	a := o.ask("GET", "/xapi/statements?attachments=true&statementId="+sid, o.reader, "")
	if a.status != 200 || !strings.Contains(a.body, "\r\n\r\n"+dataOf(sid)+"\r\n--") {
		return fmt.Errorf("corrupt: the data of the attachment of %s comes back as %d %.300q", sid, a.status, a.body)
	}
	return nil
}

// TestKilledInAnAttachment kills the program while data comes in: one attachment is whole, the next half there, and nothing
// names either. When they have lain for a day they are gone, and what is named stays.
func TestKilledInAnAttachment(t *testing.T) {
	eachEngine(t, func(t *testing.T, e db.Engine) {
		h := newHouse(t, e)
		token := bearer(h.token("all"))
		text, sid := oneStatement()
		kept := dataOf(sid)
		h.want(200, "POST", "/xapi/statements", append(token, mixedType), mixed(attaching(text, kept), kept))
		named := h.blobs()
		if len(named) != 1 {
			t.Fatalf("the files are %v", named)
		}

		broken, brokenID := oneStatement()
		whole, half := "whole", dataOf("half")
		reader, writer := io.Pipe()
		r, err := http.NewRequestWithContext(t.Context(), "POST", h.url+"/xapi/statements", reader)
		h.must(err)
		for _, line := range append(token, mixedType, "X-Experience-API-Version: 1.0.3") {
			name, value, _ := strings.Cut(line, ": ")
			r.Header.Set(name, value)
		}
		answered := make(chan error, 1)
		go func() {
			_, err := send(client, r)
			answered <- err
		}()
		body := mixed(attaching(broken, whole, half), whole, half)
		_, err = io.WriteString(writer, body[:len(body)-len(half)/2])
		h.must(err)
		h.eventually("one attachment is whole and one is not", func() bool { return len(h.blobs()) == 3 })
		h.must(h.kill())
		h.must(writer.Close()) // the client waits for its body
		if err := <-answered; err == nil {
			t.Error("what was killed has answered")
		}
		h.must(h.start())
		h.want(404, "GET", "/xapi/statements?statementId="+brokenID, token, "")
		if left := h.blobs(); len(left) != 3 {
			t.Errorf("what may still be named is gone: %v", left)
		}

		h.must(h.kill())
		long := time.Now().Add(-48 * time.Hour)
		for _, path := range h.blobs() {
			h.must(os.Chtimes(path, long, long))
		}
		h.must(h.start())
		h.eventually("what nothing names is gone", func() bool { return slices.Equal(h.blobs(), named) })
		if a := h.want(200, "GET", "/xapi/statements?attachments=true&statementId="+sid, token, ""); !strings.Contains(a.body, "\r\n\r\n"+kept+"\r\n--") {
			t.Errorf("what is named comes back as %.300q", a.body)
		}
		if out := h.run("statements", "verify", "-o", "json"); !strings.HasPrefix(out, `{"statements":1,"findings":0,`) {
			t.Errorf("verify answers %s", out)
		}
		if !t.Failed() {
			t.Logf("proof: %s: of two attachments, one whole and one half there when the program was killed, nothing is left after a day; what a statement names is", t.Name())
		}
	})
}

// blobs lists the files of attachments and packages, temporary ones too.
func (h *house) blobs() (paths []string) {
	h.Helper()
	data := ""
	for _, setting := range h.env {
		if dir, ok := strings.CutPrefix(setting, "ROLLWAY_DATA="); ok {
			data = dir
		}
	}
	h.must(filepath.WalkDir(filepath.Join(data, "blobs"), func(path string, entry fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) {
			return nil // the server has just removed it
		}
		if err == nil && entry.Type().IsRegular() {
			paths = append(paths, path)
		}
		return err
	}))
	return paths
}

func (h *house) eventually(what string, ok func() bool) {
	h.Helper()
	for end := time.Now().Add(30 * time.Second); !ok(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			h.Fatalf("not within 30 s: %s; the files are %v", what, h.blobs())
		}
	}
}
