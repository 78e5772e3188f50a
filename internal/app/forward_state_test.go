package app

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"rollway/internal/access"
	"rollway/internal/db"
	"rollway/internal/db/dbtest"
	"rollway/internal/fault"
	"rollway/internal/id"
	"rollway/xapi"
)

func TestForwardPauseResumeRemove(t *testing.T) {
	eachSending(t, func(s *sending) {
		fs := s.house.Forwards
		s.add(s.request("archive"))
		ids := s.put(xapi.V1, did, did)
		s.arrive(ids)
		s.must(fs.Pause(s.Context(), s.caller, "archive"))
		s.must(fs.Pause(s.Context(), s.caller, "archive"))
		ids = append(ids, s.put(xapi.V1, did, did)...)
		time.Sleep(200 * time.Millisecond)
		if f := s.get("archive"); !f.Paused || !f.NextTry.IsZero() || f.Waiting.IsZero() || len(s.has(s.receiver.house)) != 2 {
			s.Errorf("%+v", f)
		}
		if err := fs.Retry(s.Context(), s.caller, "archive", false); !fault.Is(err, fault.Conflict) {
			s.Error(err)
		}
		s.must(fs.Resume(s.Context(), s.caller, "archive"))
		s.must(fs.Resume(s.Context(), s.caller, "archive"))
		s.arrive(ids)
		if _, err := fs.Add(s.Context(), s.caller, s.request("archive")); !fault.Is(err, fault.Conflict) {
			s.Error(err)
		}
		s.must(fs.Remove(s.Context(), s.caller, "archive"))
		if err := fs.Remove(s.Context(), s.caller, "archive"); !fault.Is(err, fault.NotFound) {
			s.Error(err)
		}
		jobs, err := s.house.Outbox.List(s.Context(), id.DefaultOrg, "forward", "", 0, 10)
		if err != nil || len(jobs) != 0 {
			s.Errorf("%+v, %v", jobs, err)
		}
		lines, err := access.Trail(s.Context(), s.house.DB, s.caller, id.EntryID{}, 100)
		s.must(err)
		var actions []string
		for _, l := range lines {
			actions = append(actions, l.Action)
		}
		if got := fmt.Sprint(actions); got != "[forward.remove forward.resume forward.resume forward.pause forward.pause forward.add]" {
			s.Error(got)
		}
		weak := s.caller
		weak.Scopes = access.All
		if _, err := fs.List(s.Context(), weak); !fault.Is(err, fault.Forbidden) {
			s.Error(err)
		}
		owner := access.SignedIn(s.caller.Org, id.New[id.PersonID](), id.SigninID{}, access.Admin)
		if _, err := fs.Add(s.Context(), owner, s.request("theirs")); fault.Of(err).Code != "operator_only" {
			s.Errorf("an owner has the server reach out: %v", err)
		}
		if err := fs.Resume(s.Context(), owner, "archive"); fault.Of(err).Code != "operator_only" {
			s.Error(err)
		}
	})
}

// A receiver that is down for a day, which is some 400 attempts, is still asked at least every five minutes, its state says
// since when it waits, and when it is back it gets everything without anybody's help.
func TestForwardAfterADay(t *testing.T) {
	eachSending(t, func(s *sending) {
		const most, day = 5 * time.Minute, 400
		s.spoilBy(func(w http.ResponseWriter, _ *http.Request, _ []string) bool {
			hangUp(s.T, w)
			return true
		})
		s.add(s.request("archive"))
		ids := s.put(xapi.V1, times(130, did)...)
		first := s.get("archive").Waiting
		for _, failed := range []int{1, 2, 12, day} {
			if failed > 2 {
				s.pass5Minutes(failed - 1)
			}
			s.until(fmt.Sprintf("attempt %d has failed", failed), func() bool { return s.get("archive").Attempts >= failed })
			f := s.get("archive")
			if wait := time.Until(f.NextTry); f.NextTry.IsZero() || wait > most || failed > 10 && wait < most/2-time.Minute {
				s.Errorf("after %d attempts the next comes in %v", failed, wait)
			}
			if f.LastError == "" || f.Sent != 0 || f.Refused != 0 || first.IsZero() || !f.Waiting.Equal(first) {
				s.Errorf("%+v", f)
			}
		}
		s.spoilBy(nil)
		s.pass5Minutes(day)
		s.arrive(ids)
		s.until("all is well", func() bool { f := s.get("archive"); return f.LastError == "" && f.Waiting.IsZero() && f.Attempts == 0 })
	})
}

// pass5Minutes lets five minutes pass for the job that waits, after so many attempts.
func (s *sending) pass5Minutes(attempts int) {
	s.Helper()
	s.until("the job waits", func() (waits bool) {
		s.must(s.house.DB.Write(s.Context(), func(tx *db.Tx) error {
			n, err := tx.Exec(s.Context(), "UPDATE outbox_jobs SET attempts = ?, due = due - ? WHERE kind = 'forward' AND lease IS NULL", attempts, (5 * time.Minute).Microseconds())
			waits = n == 1
			return err
		}))
		return waits
	})
}

// Several nodes on one database share the work: nothing is sent twice, and in order.
func TestForwardFromTwoNodes(t *testing.T) {
	t.Parallel()
	s := &sending{T: t, receiver: furnished(t, db.PostgreSQL), caller: access.CommandLine(id.DefaultOrg)}
	front := httptest.NewServer(http.HandlerFunc(s.front))
	t.Cleanup(front.Close)
	s.address = front.URL + "/xapi/"
	url, data := dbtest.URL(t, db.PostgreSQL), t.TempDir()
	s.house = s.node(url, data)
	s.node(url, data)
	s.add(s.request("archive"))
	var ids []string
	for range 30 {
		ids = append(ids, s.put(xapi.V1, times(7, did)...)...)
	}
	s.arrive(ids)
	seen := map[string]int{}
	for _, post := range s.posts {
		for _, sid := range post {
			if seen[sid]++; seen[sid] > 1 {
				t.Errorf("%s was sent %d times", sid, seen[sid])
			}
		}
	}
}
