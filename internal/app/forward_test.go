package app

import (
	"crypto/sha256"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"rollway/internal/db"
	"rollway/internal/forward"
	"rollway/internal/id"
	"rollway/internal/lrs"
	"rollway/xapi"
)

// Everything arrives once and in order, in few requests: what was there and what comes, of both versions, voided ones too.
func TestForwardKeepsOrder(t *testing.T) {
	eachSending(t, func(s *sending) {
		ids := s.put(xapi.V1, times(130, did)...)
		s.add(s.request("archive"))
		s.arrive(ids)
		ids = append(ids, s.put(xapi.V2, did, `"context":{"contextAgents":[{"objectType":"contextAgent","agent":{"mbox":"mailto:t@example.com"}}]},`+did)...)
		ids = append(ids, s.put(xapi.V1, did, voiding(ids[3]), voiding(ids[131]))...)
		s.arrive(ids)
		for i, voided := range map[int]bool{0: false, 3: true, 131: true} {
			sid, err := id.Parse[id.StatementID](ids[i])
			s.must(err)
			if _, err := s.receiver.house.Records.Get(s.Context(), s.caller, sid, voided); err != nil {
				s.Errorf("statement %d, voided %v: %v", i, voided, err)
			}
		}
		s.until("the state says so", func() bool { f := s.get("archive"); return f.Waiting.IsZero() && f.Sent == int64(len(ids)) })
		f := s.get("archive")
		if f.LastSuccess.IsZero() || f.LastError != "" || f.Attempts != 0 || f.Refused != 0 || time.Since(f.Through) > time.Minute || f.NextTry.IsZero() {
			s.Errorf("%+v", f)
		}
		if len(s.posts) > 12 {
			s.Errorf("%d requests", len(s.posts))
		}
	})
}

// The filter holds, and what is found only by what it points at is sent when it is found.
func TestForwardFilter(t *testing.T) {
	eachSending(t, func(s *sending) {
		r := s.request("some")
		r.Filter = forward.Filter{Verb: "https://example.com/did", Activity: "https://example.com/course"}
		s.add(r)
		late := id.NewRandom[id.StatementID]().String()
		early := s.put(xapi.V1, tried, voiding(late))
		passed := s.put(xapi.V1, tried, did)
		s.arrive(passed[1:])
		s.until("the place is behind it", func() bool { return s.get("some").Sent == 1 })
		text := fmt.Sprintf(`{"id":%q,"actor":{"mbox":"mailto:ada@example.com"},%s}`, late, did)
		_, err := s.house.Records.Put(s.Context(), s.caller, xapi.V1, id.StatementID{}, []byte(text))
		s.must(err)
		last := s.put(xapi.V1, tried, did)
		s.arrive([]string{passed[1], late, early[1], last[1]})

		r = s.request("later")
		r.Since = time.Now().Add(time.Second)
		s.add(r)
		if f := s.get("later"); !f.Waiting.IsZero() {
			s.Errorf("%+v", f)
		}
	})
}

// Hundreds that are found only by what they point at, which comes last, are sent behind it, each once and in their order.
func TestForwardManyFoundLate(t *testing.T) {
	eachSending(t, func(s *sending) {
		r := s.request("some")
		r.Filter = forward.Filter{Verb: "https://example.com/did"}
		s.add(r)
		late := id.NewRandom[id.StatementID]().String()
		pointing := fmt.Sprintf(`"verb":{"id":"https://example.com/quoted"},"object":{"objectType":"StatementRef","id":%q}`, late)
		early := s.put(xapi.V1, times(330, pointing)...)
		passed := s.put(xapi.V1, did)
		s.arrive(passed)
		s.until("the place is behind them", func() bool { return s.get("some").Sent == 1 })
		text := fmt.Sprintf(`{"id":%q,"actor":{"mbox":"mailto:ada@example.com"},%s}`, late, did)
		_, err := s.house.Records.Put(s.Context(), s.caller, xapi.V1, id.StatementID{}, []byte(text))
		s.must(err)
		last := s.put(xapi.V1, did)
		s.arrive(slices.Concat(passed, []string{late}, early, last))
		s.until("the state says so", func() bool { return s.get("some").Waiting.IsZero() })
		if f := s.get("some"); f.Sent != 333 || len(s.posts) > 8 {
			s.Errorf("%d sent in %d requests", f.Sent, len(s.posts))
		}
	})
}

// A receiver that is down, slow to be ready or closed to us keeps the place; the state says why and until when.
func TestForwardWaits(t *testing.T) {
	eachSending(t, func(s *sending) {
		answers := []struct {
			status int
			header string
			says   string
			least  time.Duration
		}{
			{503, "", "503 Service Unavailable. stop it", 0}, {429, "3600", "429", 59 * time.Minute}, {401, "", "user and secret", 0},
			{403, "3600", "403", 59 * time.Minute}, {404, "", "endpoint may be wrong", 0}, {302, "", "Redirects are not followed", 0}, {0, "", "cannot be reached", 0},
		}
		var mu sync.Mutex
		at := 0
		s.spoilBy(func(w http.ResponseWriter, _ *http.Request, _ []string) bool {
			mu.Lock()
			a := answers[at]
			mu.Unlock()
			if a.status == 0 {
				hangUp(s.T, w)
				return true
			}
			w.Header().Set("Retry-After", a.header)
			w.Header().Set("Location", "http://169.254.169.254/")
			w.WriteHeader(a.status)
			fmt.Fprint(w, "stop\nit"+strings.Repeat("!", 5000))
			return true
		})
		s.add(s.request("archive"))
		ids := s.put(xapi.V1, times(3, did)...)
		for i, a := range answers {
			mu.Lock()
			at = i
			mu.Unlock()
			s.must(s.house.Forwards.Retry(s.Context(), s.caller, "archive", false))
			s.until(a.says, func() bool { return strings.Contains(s.get("archive").LastError, a.says) })
			if f := s.get("archive"); time.Until(f.NextTry) < a.least || f.Attempts == 0 || f.Waiting.IsZero() || f.Sent != 0 {
				s.Errorf("%d: %+v", a.status, f)
			}
		}
		s.spoilBy(nil)
		s.arrive(ids)
		s.until("all is well", func() bool { return s.get("archive").LastError == "" })
	})
}

// hangUp ends a connection without an answer.
func hangUp(t *testing.T, w http.ResponseWriter) {
	c, _, err := w.(http.Hijacker).Hijack()
	if err != nil {
		t.Error(err)
		return
	}
	if err := c.Close(); err != nil {
		t.Error(err)
	}
}

// An answer that is lost has the statements sent again, and they are there once.
func TestForwardAgainAfterLostAnswer(t *testing.T) {
	eachSending(t, func(s *sending) {
		n := 0
		s.spoilBy(func(w http.ResponseWriter, r *http.Request, _ []string) bool {
			if n++; n > 2 {
				return false
			}
			s.pass(httptest.NewRecorder(), r)
			hangUp(s.T, w)
			return true
		})
		ids := s.put(xapi.V1, times(30, did)...)
		s.add(s.request("archive"))
		s.until("all was answered", func() bool { return s.get("archive").Sent == 30 })
		s.arrive(ids)
	})
}

// A statement that is refused for good is noted and passed over; it can be sent again.
func TestForwardRefusal(t *testing.T) {
	eachSending(t, func(s *sending) {
		ids := s.put(xapi.V1, times(10, did)...)
		s.spoilBy(func(w http.ResponseWriter, _ *http.Request, posted []string) bool {
			if !slices.Contains(posted, ids[4]) {
				return false
			}
			w.WriteHeader(400)
			fmt.Fprint(w, "no such <b>\x00verb", strings.Repeat("é", 400))
			return true
		})
		other := fmt.Sprintf(`{"id":%q,"actor":{"mbox":"mailto:eve@example.com"},%s}`, ids[7], tried)
		_, err := s.receiver.house.Records.Put(s.Context(), s.caller, xapi.V1, id.StatementID{}, []byte(other))
		s.must(err)
		s.add(s.request("archive"))
		s.until("the rest is sent", func() bool { return s.get("archive").Sent == 8 })
		want := append([]string{ids[7]}, slices.DeleteFunc(slices.Clone(ids), func(sid string) bool { return sid == ids[4] || sid == ids[7] })...)
		s.arrive(want)
		refused, err := s.house.Forwards.Refusals(s.Context(), s.caller, "archive", 10)
		s.must(err)
		slices.SortFunc(refused, func(a, b forward.Refusal) int { return a.Status - b.Status })
		if len(refused) != 2 || refused[0].Statement.String() != ids[4] || refused[0].Status != 400 || !strings.HasPrefix(refused[0].Answer, "no such <b> verbéé") || len(refused[0].Answer) > 500 {
			s.Fatalf("%+v", refused)
		}
		if refused[1].Statement.String() != ids[7] || refused[1].Status != 409 || s.get("archive").Refused != 2 {
			s.Errorf("%+v", refused)
		}
		s.spoilBy(nil)
		s.must(s.house.Forwards.Retry(s.Context(), s.caller, "archive", true))
		s.until("one of them is taken", func() bool { return s.get("archive").Refused == 1 })
		s.arrive(append(want, ids[4]))
		s.arrive(append(append(want, ids[4]), s.put(xapi.V1, did)...))
	})
}

// A receiver that answers 409 to what it has already is asked what it has.
func TestForwardConflictWithEqual(t *testing.T) {
	eachSending(t, func(s *sending) {
		ids := s.put(xapi.V1, append(times(4, did), did, did)...)
		ids = append(ids, s.put(xapi.V1, voiding(ids[2]))...)
		s.add(s.request("first"))
		s.arrive(ids)
		s.spoilBy(func(w http.ResponseWriter, _ *http.Request, posted []string) bool {
			if posted != nil {
				w.WriteHeader(409)
			}
			return posted != nil
		})
		s.add(s.request("second"))
		s.until("all are found to be there", func() bool { return s.get("second").Sent == int64(len(ids)) })
		if f := s.get("second"); f.Refused != 0 {
			s.Errorf("%+v", f)
		}
	})
}

// The data of attachments goes with their statements, which keep their place among the others.
func TestForwardAttachments(t *testing.T) {
	eachSending(t, func(s *sending) {
		data := strings.Repeat("\r\n--data\x00", 20_000)
		sum := fmt.Sprintf("%x", sha256.Sum256([]byte(data)))
		attached := func(sum, more string) string {
			return fmt.Sprintf(`%s,"attachments":[{"usageType":"https://example.com/u","display":{"en":"x"},"contentType":"text/plain; charset=utf-8","length":%d,"sha2":%q%s}]`, did, len(data), sum, more)
		}
		withData := func(sid string) {
			parts := []lrs.Part{{Hash: sum, ContentType: "text/plain", Length: int64(len(data)), Data: strings.NewReader(data)}}
			text := fmt.Sprintf(`{"id":%q,"actor":{"mbox":"mailto:ada@example.com"},%s}`, sid, attached(sum, ""))
			_, err := s.house.Records.PutWith(s.Context(), s.caller, xapi.V1, id.StatementID{}, []byte(text), func() (lrs.Part, error) {
				if len(parts) == 0 {
					return lrs.Part{}, io.EOF
				}
				defer func() { parts = nil }()
				return parts[0], nil
			})
			s.must(err)
		}
		first, lost := id.NewRandom[id.StatementID]().String(), id.NewRandom[id.StatementID]().String()
		ids := s.put(xapi.V1, did, did)
		withData(first)
		ids = append(append(ids, first), s.put(xapi.V1, attached(strings.Repeat("ab", 32), `,"fileUrl":"https://example.com/f"`), did)...)
		withData(lost)
		after := s.put(xapi.V1, did)
		s.must(s.house.DB.Write(s.Context(), func(tx *db.Tx) error {
			_, err := tx.Exec(s.Context(), "DELETE FROM attachments WHERE pos = (SELECT max(pos) FROM attachments)")
			return err
		}))
		s.add(s.request("archive"))
		s.arrive(append(ids, after...))
		sid, err := id.Parse[id.StatementID](first)
		s.must(err)
		there, err := s.receiver.house.Records.Get(s.Context(), s.caller, sid, false)
		s.must(err)
		list, err := s.receiver.house.Records.Attachments(s.Context(), s.caller, []lrs.Statement{there})
		if err != nil || len(list) != 1 {
			s.Fatal(list, err)
		}
		var got strings.Builder
		if _, err := list[0].WriteTo(&got); err != nil || got.String() != data || list[0].ContentType != "text/plain; charset=utf-8" {
			s.Errorf("%d bytes of %s, %v", got.Len(), list[0].ContentType, err)
		}
		s.until("the one without data is noted", func() bool { return s.get("archive").Refused == 1 })
		refused, err := s.house.Forwards.Refusals(s.Context(), s.caller, "archive", 10)
		if err != nil || refused[0].Statement.String() != lost || refused[0].Status != 0 || !strings.Contains(refused[0].Answer, "without a fileUrl") {
			s.Errorf("%+v, %v", refused, err)
		}
	})
}
