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
