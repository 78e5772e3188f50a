package app

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"rollway/internal/access"
	"rollway/internal/id"
	"rollway/xapi"
)

// A statement that the receiver forbids, here to void what somebody else stored, is passed over when a later one is taken, and
// not before. The error names it.
func TestForwardForbiddenStatement(t *testing.T) {
	eachSending(t, func(s *sending) {
		weak, err := s.receiver.house.Accounts.Create(s.Context(), s.caller, access.Request{Name: "writer", Scopes: access.StatementsWrite})
		s.must(err)
		r := s.request("archive")
		r.Username, r.Secret = weak.Key, weak.Secret
		s.add(r)
		foreign := voiding(id.NewRandom[id.StatementID]().String())
		ids := s.put(xapi.V1, did, foreign)
		s.until("it is named", func() bool {
			return strings.Contains(s.get("archive").LastError, "403 Forbidden to the statement "+ids[1])
		})
		s.arrive(ids[:1])
		if f := s.get("archive"); f.Refused != 0 || f.Sent != 1 || f.Waiting.IsZero() {
			s.Errorf("%+v", f)
		}
		more := s.put(xapi.V1, foreign, did, foreign, did)
		s.must(s.house.Forwards.Retry(s.Context(), s.caller, "archive", false))
		want := []string{ids[0], more[1], more[3]}
		s.arrive(want)
		s.refused([]string{ids[1], more[0], more[2]}, 403)

		s.must(s.house.Forwards.Retry(s.Context(), s.caller, "archive", true))
		s.arrive(append(want, s.put(xapi.V1, did)...))
		s.refused([]string{ids[1], more[0], more[2]}, 403)
		s.until("all is well", func() bool { f := s.get("archive"); return f.LastError == "" && f.Sent == 4 && f.Waiting.IsZero() })
	})
}

// refused waits until these statements are noted with a status, not to be sent again.
func (s *sending) refused(want []string, status int) {
	s.Helper()
	slices.Sort(want)
	s.until(fmt.Sprint(status, " to ", want), func() bool {
		list, err := s.house.Forwards.Refusals(s.Context(), s.caller, "archive", 100)
		s.must(err)
		var got []string
		for _, r := range list {
			if r.Status == status && !r.Again {
				got = append(got, r.Statement.String())
			}
		}
		slices.Sort(got)
		return len(got) == len(list) && slices.Equal(got, want)
	})
}

// A sender that may store nothing for a while, from whichever request on, passes nothing over, and all comes in order when it
// may again.
func TestForwardForbiddenSender(t *testing.T) {
	sender := func(from int64, status int) func(*sending) { // the first request is forbidden in any case, so that the others are of one statement
		return func(s *sending) {
			var n atomic.Int64
			s.spoilBy(func(w http.ResponseWriter, _ *http.Request, _ []string) bool {
				if at := n.Add(1); at > 1 && at < from {
					return false
				}
				w.WriteHeader(status)
				return true
			})
			ids := s.put(xapi.V1, times(130, did)...)
			s.add(s.request("archive"))
			s.until("two attempts have failed", func() bool { return s.get("archive").Attempts > 1 })
			taken := from - 2
			if f := s.get("archive"); f.Refused != 0 || f.Sent != taken || !strings.Contains(f.LastError, ids[taken]) {
				s.Errorf("%+v", f)
			}
			s.spoilBy(nil)
			s.must(s.house.Forwards.Retry(s.Context(), s.caller, "archive", false))
			s.arrive(ids)
			s.until("all is well", func() bool { f := s.get("archive"); return f.LastError == "" && f.Refused == 0 && f.Sent == 130 })
		}
	}
	t.Run("at first", func(t *testing.T) { eachSending(t, sender(2, 403)) })
	t.Run("between two", func(t *testing.T) { eachSending(t, sender(5, 403)) })
	t.Run("while the receiver is full", func(t *testing.T) { eachSending(t, sender(5, 413)) })
}

// What was forbidden right before the sender got the right to store is sent again by itself.
func TestForwardAllowedMeanwhile(t *testing.T) {
	eachSending(t, func(s *sending) {
		var n atomic.Int64
		s.spoilBy(func(w http.ResponseWriter, _ *http.Request, _ []string) bool {
			if n.Add(1) > 2 { // all of them, and the first
				return false
			}
			w.WriteHeader(403)
			return true
		})
		ids := s.put(xapi.V1, times(5, did)...)
		s.add(s.request("archive"))
		s.arrive(append(ids[1:], ids[0]))
		s.refused(nil, 403)
	})
}
