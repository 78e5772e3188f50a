package lrs_test

import (
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"rollway/internal/blob"
	"rollway/internal/lrs"
)

// holds lets the store elsewhere answer for the data of one statement. Each piece becomes a part; cut ends the answer before
// its end, that many times.
func (e *elsewhere) holds(sid string, cut int, data ...string) {
	old := e.Config.Handler
	e.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		q := r.URL.Query()
		if q.Get("attachments") != "true" || q.Get("statementId")+q.Get("voidedStatementId") != sid {
			old.ServeHTTP(w, r)
			return
		}
		e.mu.Lock()
		e.asked = append(e.asked, r.URL.Path+"?"+sid)
		breaks := cut > 0
		cut--
		e.mu.Unlock()
		w.Header().Set("Content-Type", `multipart/mixed; boundary="a b"`)
		io.WriteString(w, "--a b\r\nContent-Type: application/json\r\n\r\n{}")
		for _, d := range data {
			fmt.Fprintf(w, "\r\n--a b\r\nContent-Type: text/other\r\nContent-Transfer-Encoding: binary\r\nx-experience-api-hash: %s\r\n\r\n", strings.ToUpper(sha(d)))
			if breaks {
				io.WriteString(w, d[:len(d)/2])
				http.NewResponseController(w).Flush()
				panic(http.ErrAbortHandler)
			}
			io.WriteString(w, d)
		}
		io.WriteString(w, "\r\n--a b--\r\n")
	})
}

// The data of attachments comes from the store elsewhere too, that of voided statements as well, and again when it breaks
// off. What is not to be had there is a problem of its statement alone.
func TestImportDataFromElsewhere(t *testing.T) {
	t.Parallel()
	eachKeeping(t, func(t *testing.T, s *lrs.Store, _ *blob.Store, _ string) {
		c := operator()
		long := strings.Repeat("essay ", 100_000)
		two, gone := with(newID(), usage, "one", long), with(newID(), usage, "gone")
		none, torn, plain := with(newID(), usage, "none"), with(newID(), usage, "torn"), simple(newID())
		changed := with(newID(), usage, "changed")
		linked := with(newID(), usage, "linked")
		linked.extra = strings.Replace(linked.extra, `"length"`, `"fileUrl":"https://example.org/file","length"`, 1)
		e := newElsewhere(t, sent(0, two), sent(1, none), sent(2, torn), sent(3, voids(newID(), gone.id)), sent(4, linked), sent(5, changed), sent(6, plain))
		e.voided[gone.id] = sent(1, gone)
		e.holds(two.id, 2, "surplus", "one", long, "one")
		e.holds(gone.id, 0, "gone")
		e.holds(torn.id, 1000, "torn")
		e.holds(changed.id, 0, "other")
		var waits []time.Duration
		got := importFrom(t, s, c, remote(t, e, &waits), lrs.ImportOptions{})
		wantCounts(t, got, 5, 0, 3)
		said := ""
		for _, p := range got.problems {
			said += p.ID + " " + p.Message + "\n"
		}
		for _, want := range []string{none.id + " An attachment has no fileUrl", torn.id + " The data of its attachments breaks off, 3 times", changed.id + " An attachment has no fileUrl"} {
			if !strings.Contains(said, want) {
				t.Errorf("no %q in %s", want, said)
			}
		}
		if fmt.Sprint(waits) != "[2s 4s 2s 4s]" {
			t.Errorf("waited %v", waits)
		}
		if data := kept(t, s, c, lrs.Query{}); !slices.Equal(data, []string{long, "one"}) && !slices.Equal(data, []string{"one", long}) {
			t.Errorf("kept %.100q", data)
		}
		verify(t, s, c, 0)
	})
}

// A store that knows nothing of attachments answers with statements alone, and one that refuses to is told of.
func TestImportFromElsewhereWithoutData(t *testing.T) {
	t.Parallel()
	eachKeeping(t, func(t *testing.T, s *lrs.Store, _ *blob.Store, _ string) {
		one, two := with(newID(), usage, "one"), with(newID(), usage, "two")
		e := newElsewhere(t, sent(0, one), sent(1, two))
		old := e.Config.Handler
		e.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Query().Get("statementId") == two.id {
				http.Error(w, "no attachments here", http.StatusBadRequest)
				return
			}
			old.ServeHTTP(w, r)
		})
		got := importFrom(t, s, operator(), remote(t, e, nil), lrs.ImportOptions{})
		wantCounts(t, got, 0, 0, 2)
		if m := got.problems[0].Message; !strings.HasPrefix(m, "An attachment has no fileUrl") {
			t.Error(m)
		}
		if m := got.problems[1].Message; !strings.Contains(m, "answers 400 Bad Request. It says: no attachments here") {
			t.Error(m)
		}
	})
}
