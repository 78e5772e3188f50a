package launch

import (
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"rollway/internal/access"
	"rollway/internal/content/sample"
	"rollway/internal/fault"
	"rollway/internal/id"
	"rollway/internal/limit"
	"rollway/internal/mail"
	"rollway/internal/outbox"
	"rollway/internal/signin"
)

// doorkeeper signs people in.
func (h *house) doorkeeper() *signin.Signin {
	h.Helper()
	key := access.NewKey()
	office, err := mail.New(h.db, outbox.New(h.db), key, mail.Config{PublicURL: "http://localhost:8080"})
	h.must(err)
	s := signin.New(h.db, key, h.changes, h.ledger, office, "http://localhost:8080")
	s.Ended = h.vault.EndLaunchesTx
	return s
}

// alive tells whether the credential that a launch handed out is accepted.
func (h *house) alive(l Launch) bool {
	h.Helper()
	u, err := url.Parse(l.URL)
	h.must(err)
	_, err = h.vault.Authenticate(h.Context(), u.Query().Get("auth"), false)
	if err != nil && !fault.Is(err, fault.Unauthenticated) {
		h.Fatal(err)
	}
	return err == nil
}

// What is launched from a session ends when the session is ended, and not when it is merely over.
func TestLaunchEndsWithTheSession(t *testing.T) {
	each(t, func(h *house) {
		door := h.doorkeeper()
		var passed atomic.Int64
		door.Now = func() time.Time { return time.Now().Add(time.Duration(passed.Load())) }
		ada, _ := h.person("ada")
		var over string // the token of the last one
		begin := func(kind signin.Kind) access.Caller {
			_, token, err := door.Begin(h.Context(), id.DefaultOrg, ada.ID, kind, signin.Device{})
			h.must(err)
			c, _, err := door.Authenticate(h.Context(), token)
			h.must(err)
			over = token
			return c
		}
		launch := func(c access.Caller) Launch {
			l, err := h.launcher.StartOwn(h.Context(), c, Request{Activity: sample.ActivityID})
			h.must(err)
			return l
		}
		one, other, short := begin(signin.Browser), begin(signin.Browser), begin(signin.Dialect)
		first, second, third := launch(one), launch(other), launch(short)
		if !h.alive(first) || !h.alive(second) || !h.alive(third) {
			h.Fatal("a launch is over as it begins")
		}
		h.must(door.End(h.Context(), one, one.Signin))
		if h.alive(first) || !h.alive(second) {
			h.Error("the end of a session ended another launch than its own")
		}
		_, err := h.launcher.StartOwn(h.Context(), one, Request{Activity: sample.ActivityID})
		h.wants(err, fault.Unauthenticated, "session_invalid")
		passed.Add(int64(2 * time.Hour))
		_, _, err = door.Authenticate(h.Context(), over)
		h.wants(err, fault.Unauthenticated, "session_invalid")
		if !h.alive(third) {
			h.Error("a session that is over by time ended its launch")
		}
		_, err = door.EndAll(h.Context(), access.CommandLine(id.DefaultOrg), ada.ID)
		h.must(err)
		if h.alive(second) || h.alive(third) {
			h.Error("launches go on after all sessions were ended")
		}
	})
}

// What is launched from a session that a credential began ends with that credential, too.
func TestLaunchEndsWithWhatBeganTheSession(t *testing.T) {
	each(t, func(h *house) {
		door := h.doorkeeper()
		_, header := h.person("ada")
		minted := h.caller(header)
		_, token, err := door.Arrive(h.Context(), minted, signin.Device{}, false)
		h.must(err)
		c, _, err := door.Authenticate(h.Context(), token)
		h.must(err)
		l, err := h.launcher.StartOwn(h.Context(), c, Request{Activity: sample.ActivityID})
		h.must(err)
		if !h.alive(l) {
			h.Fatal("the launch is over as it begins")
		}
		h.must(h.vault.Revoke(h.Context(), h.lms, strings.TrimPrefix(minted.Name, "credential ")))
		if h.alive(l) {
			h.Error("a launch outlives the credential that began its session")
		}
	})
}

// No launch slips through while its session is being ended.
func TestLaunchWhileTheSessionEnds(t *testing.T) {
	each(t, func(h *house) {
		door := h.doorkeeper()
		h.launcher.Own.Rate = &limit.Rate{Burst: 200, Per: time.Second}
		ada, _ := h.person("ada")
		for range 5 {
			_, token, err := door.Begin(h.Context(), id.DefaultOrg, ada.ID, signin.Browser, signin.Device{})
			h.must(err)
			c, _, err := door.Authenticate(h.Context(), token)
			h.must(err)
			var all sync.WaitGroup
			made := make(chan Launch, 40)
			for i := range 40 {
				all.Go(func() {
					if i == 20 {
						if err := door.SignOut(h.Context(), token); err != nil {
							h.Error(err)
						}
						return
					}
					l, err := h.launcher.StartOwn(h.Context(), c, Request{Activity: sample.ActivityID})
					if err == nil {
						made <- l
					} else if !fault.Is(err, fault.Unauthenticated) {
						h.Error(err)
					}
				})
			}
			all.Wait()
			close(made)
			for l := range made {
				if h.alive(l) {
					h.Error("a launch outlives its session")
				}
			}
		}
	})
}
