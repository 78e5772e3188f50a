package launch

import (
	"net/url"
	"testing"
	"time"

	"rollway/internal/access"
	"rollway/internal/content/sample"
	"rollway/internal/db"
	"rollway/internal/fault"
	"rollway/internal/id"
	"rollway/internal/limit"
	"rollway/internal/signin"
)

// Whoever is signed in launches for themselves, in the registration that they have; a right they hold stays behind.
func TestStartOwn(t *testing.T) {
	each(t, func(h *house) {
		ada, header := h.person("ada")
		before := h.start(header, Request{Activity: sample.ActivityID})
		h.must(h.db.Write(h.Context(), func(tx *db.Tx) error {
			return access.Grant(h.Context(), tx, h.changes, access.CommandLine(id.DefaultOrg), ada.ID, access.Admin)
		}))
		begun, _, err := h.doorkeeper().Begin(h.Context(), id.DefaultOrg, ada.ID, signin.Browser, signin.Device{})
		h.must(err)
		session := access.SignedIn(id.DefaultOrg, ada.ID, begun.ID, access.Admin)
		l, err := h.launcher.StartOwn(h.Context(), session, Request{Activity: sample.ActivityID})
		h.must(err)
		if l.Registration != before.Registration {
			h.Errorf("another registration: %v, %v", l.Registration, before.Registration)
		}
		u, err := url.Parse(l.URL)
		h.must(err)
		child := h.caller(u.Query().Get("auth"))
		if child.Scopes != access.Learner || child.Bound == nil || child.Bound.Person != ada.ID || child.Bound.Agent.IFI != ada.Agents[0].IFI || child.Bound.Agent.Name != "ada" {
			h.Errorf("the credential is %+v", child)
		}
		_, err = h.launcher.Start(h.Context(), h.caller(header), Request{Activity: sample.ActivityID})
		h.wants(err, fault.Forbidden, "person_privileged")
		h.must(h.db.Write(h.Context(), func(tx *db.Tx) error {
			return h.vault.EndLaunchesTx(h.Context(), tx, id.DefaultOrg, ada.ID, []id.SigninID{id.New[id.SigninID](), session.Signin})
		}))
		_, err = h.vault.Authenticate(h.Context(), u.Query().Get("auth"), false)
		h.wants(err, fault.Unauthenticated, "credential_revoked")
		h.caller(header) // nothing else has ended
		_, err = h.launcher.StartOwn(h.Context(), h.lms, Request{Activity: sample.ActivityID})
		h.wants(err, fault.Forbidden, "not_signed_in")
		_, err = h.launcher.StartOwn(h.Context(), session, Request{Activity: "https://example.com/none"})
		h.wants(err, fault.NotFound, "activity_unknown")
		_, err = h.people.Suspend(h.Context(), access.CommandLine(id.DefaultOrg), ada.ID.String())
		h.must(err)
		_, err = h.launcher.StartOwn(h.Context(), session, Request{Activity: sample.ActivityID})
		h.wants(err, fault.Forbidden, "person_suspended")
	})
}

// Nobody launches for themselves without end, and that does not keep anybody else from it.
func TestOwnLaunchesAreLimited(t *testing.T) {
	each(t, func(h *house) {
		h.launcher.Own.Rate = &limit.Rate{Burst: 2, Per: time.Minute}
		start := func(name string) func() error {
			p, _ := h.person(name)
			begun, _, err := h.doorkeeper().Begin(h.Context(), id.DefaultOrg, p.ID, signin.Browser, signin.Device{})
			h.must(err)
			return func() error {
				_, err := h.launcher.StartOwn(h.Context(), access.SignedIn(id.DefaultOrg, p.ID, begun.ID, 0), Request{Activity: sample.ActivityID})
				return err
			}
		}
		ada, bob := start("ada"), start("bob")
		h.must(ada())
		h.must(ada())
		h.wants(ada(), fault.TooMany, "too_many_tries")
		h.must(bob())
		h.ledger.Now = func() time.Time { return time.Now().Add(time.Minute) }
		h.must(ada())
		h.wants(ada(), fault.TooMany, "too_many_tries")
	})
}
