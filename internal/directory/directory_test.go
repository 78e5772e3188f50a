package directory

import (
	"slices"
	"strings"
	"testing"

	"rollway/internal/access"
	"rollway/internal/db"
	"rollway/internal/db/dbtest"
	"rollway/internal/fault"
	"rollway/internal/fault/faulttest"
	"rollway/internal/id"
	"rollway/xapi"
)

func TestThreeOutcomesAndNothingTwice(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		dir := newDirectory(d)
		c := claims("jane", "Email=Jane@Example.com", "Country=AU")
		c.Name = "Jane"
		first := provision(t, dir, lms(), c)
		if first.Outcome != Created || first.Person.Number < 1 || first.Person.State != Active || first.Primary.Name != "Jane" || first.Decision.IsZero() {
			t.Fatalf("created: %+v", first)
		}
		before, decisions := contents(t, d), rows(t, d, "decisions")
		again := provision(t, dir, lms(), c)
		if again.Outcome != Unchanged || again.Person.ID != first.Person.ID || !again.Decision.IsZero() || again.Primary != first.Primary {
			t.Errorf("again: %+v", again)
		}
		if contents(t, d) != before || rows(t, d, "decisions") != decisions {
			t.Errorf("the same claims twice left traces")
		}

		c.Attributes = map[string]Value{"Country": Text("NZ"), "Level": {'0', "3"}, "Email": Text("   ")}
		c.Name = ""
		updated := provision(t, dir, lms(), c)
		want := map[string]Value{"Country": Text("NZ"), "Level": {'0', "3"}, "Email": Text("Jane@Example.com")}
		if updated.Outcome != Updated || updated.Person.Name != "Jane" || !equal(updated.Person.Attributes, want) {
			t.Errorf("updated: %+v", updated)
		}

		other := Claims{Source: ByAPI, Agent: account("https://other.example", "42"), Attributes: map[string]Value{"Email": Text(" jane@example.COM ")}}
		matched := provision(t, dir, lms(), other)
		if matched.Outcome != Matched || matched.Person.ID != first.Person.ID || matched.Primary.IFI != c.Agent.IFI || matched.Submitted.IFI != other.Agent.IFI || len(matched.Person.Agents) != 2 {
			t.Errorf("matched: %+v", matched)
		}
		other.Attributes = nil
		if byAgent := provision(t, dir, lms(), other); byAgent.Outcome != Unchanged || byAgent.Person.ID != first.Person.ID || byAgent.Primary.IFI != c.Agent.IFI {
			t.Errorf("the further agent alone: %+v", byAgent)
		}

		p, err := dir.Get(t.Context(), admin, "JANE@example.com")
		if err != nil || p.Attributes["Email"] != Text("jane@example.COM") || p.Number != first.Person.Number {
			t.Errorf("stored: %+v, %v", p, err)
		}
		c.Attributes = map[string]Value{"Country": Null, "Email": Null, "Never": Null}
		if gone := provision(t, dir, lms(), c); gone.Outcome != Updated || len(gone.Person.Attributes) != 1 {
			t.Errorf("removed: %+v", gone)
		}
		if rows(t, d, "unique_values") != 0 || rows(t, d, "people") != 1 || rows(t, d, "group_members") != 1 {
			t.Errorf("rows left over: %v", contents(t, d))
		}
	})
}

func equal(a, b map[string]Value) bool {
	if len(a) != len(b) {
		return false
	}
	for k, v := range a {
		if b[k] != v {
			return false
		}
	}
	return true
}

func TestConflictNamesKeysAndWritesNothing(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		dir := newDirectory(d)
		if _, err := dir.Declare(t.Context(), admin, "Employee ID", true); err != nil {
			t.Fatal(err)
		}
		a := provision(t, dir, lms(), claims("a", "Email=a@example.com"))
		b := provision(t, dir, lms(), claims("b", "Employee ID=007"))
		before := contents(t, d)

		_, err := dir.Provision(t.Context(), lms(), claims("c", "Email=a@example.com", "Employee ID=007", "Country=AU"))
		f := faulttest.Want(t, err, fault.Conflict, "identity_conflict")
		if fieldNames(f) != "/attributes/Email /attributes/Employee ID" || strings.Contains(f.Message, "007") || strings.Contains(f.Message, "a@") {
			t.Errorf("conflict: %+v", f)
		}
		_, err = dir.Provision(t.Context(), lms(), claims("a", "employee id=007"))
		if f := faulttest.Want(t, err, fault.Conflict, "identity_conflict"); fieldNames(f) != "/agent /attributes/Employee ID" {
			t.Errorf("conflict: %+v", f)
		}
		if after := contents(t, d); after != before {
			t.Errorf("a conflict wrote: %v, before %v", after, before)
		}
		for range 3 {
			if _, err := dir.Provision(t.Context(), lms(), claims("a", "employee id=007")); err == nil {
				t.Error("no conflict")
			}
		}
		for _, ref := range []string{a.Person.ID.String(), b.Person.ID.String(), "https://example.com|a"} {
			trace, err := dir.Why(t.Context(), admin, ref)
			if err != nil {
				t.Fatal(err)
			}
			last := trace.Decisions[len(trace.Decisions)-1]
			if last.Outcome != Rejected || last.Code != "identity_conflict" || last.Times != 4 {
				t.Errorf("why %s: %+v", ref, last)
			}
		}
		trace, err := dir.Why(t.Context(), admin, "https://example.com|c")
		if err != nil || trace.Person != nil || len(trace.Decisions) != 1 || !strings.Contains(trace.Sentences()[0], "Nobody is known as https://example.com|c: it was refused on") {
			t.Errorf("why c: %+v, %v", trace, err)
		}
	})
}

func TestMatchingNeedsAScopeAndSparesAdministrators(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		dir := newDirectory(d)
		jane := provision(t, dir, lms(), claims("jane", "Email=jane@example.com"))
		boss := provision(t, dir, admin, claims("boss", "Email=boss@example.com"))
		grant(t, d, boss.Person.ID)
		weak := lms()
		weak.Scopes &^= access.PeopleMatch

		_, err := dir.Provision(t.Context(), weak, claims("x", "Email=jane@example.com"))
		f := faulttest.Want(t, err, fault.Conflict, "value_taken")
		if !strings.Contains(f.Message, "people:match") || fieldNames(f) != "/attributes/Email" {
			t.Errorf("%+v", f)
		}
		_, err = dir.Provision(t.Context(), weak, claims("x", "Email=boss@example.com"))
		if g := faulttest.Want(t, err, fault.Conflict, "value_taken"); g.Message != f.Message {
			t.Errorf("without the scope the answer differs for an administrator: %q, %q", g.Message, f.Message)
		}
		for _, caller := range []access.Caller{lms(), admin} {
			_, err = dir.Provision(t.Context(), caller, claims("x", "Email=boss@example.com"))
			faulttest.Want(t, err, fault.Conflict, "value_taken")
		}
		// By the agent the administrator's fields may change, but not what they are recognized by.
		if res := provision(t, dir, lms(), claims("boss", "Country=AU")); res.Outcome != Updated {
			t.Errorf("%+v", res)
		}
		_, err = dir.Provision(t.Context(), lms(), claims("boss", "Email=evil@example.com"))
		faulttest.Want(t, err, fault.Forbidden, "person_protected")
		if _, err := dir.Set(t.Context(), lms(), boss.Person.ID.String(), "", map[string]Value{"Email": Null}); fault.Of(err).Code != "person_protected" {
			t.Errorf("set: %v", err)
		}
		if res := provision(t, dir, admin, claims("boss", "Email=chief@example.com")); res.Outcome != Updated {
			t.Errorf("%+v", res)
		}
		// The scope is not needed to update by the agent.
		if res := provision(t, dir, weak, claims("jane", "Email=JANE@example.com")); res.Person.ID != jane.Person.ID || res.Outcome != Updated {
			t.Errorf("%+v", res)
		}
	})
}

func TestTheInstallationsOwnHomePageIsItsOwn(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		dir := newDirectory(d)
		for _, own := range []string{publicURL, publicURL + "/", publicURL + ":443/x/..", "HTTPS://Learn.Example.org", "https://user@learn.example.org"} {
			_, err := dir.Provision(t.Context(), lms(), Claims{Source: ByAPI, Agent: account(own, "ada")})
			faulttest.Want(t, err, fault.Forbidden, "home_page_forbidden")
			for _, name := range []string{"rollway", "person:" + id.New[id.PersonID]().String(), "service-account:x", "credential:x"} {
				_, err := dir.Provision(t.Context(), admin, Claims{Source: ByAdmin, Agent: account(own, name)})
				faulttest.Want(t, err, fault.Forbidden, "home_page_forbidden")
			}
		}
		for _, other := range []string{"https://lms.example.org", publicURL + ":8443", publicURL + ".evil.example"} {
			provision(t, dir, lms(), Claims{Source: ByAPI, Agent: account(other, "rollway")})
		}
		made := provision(t, dir, lms(), claims("", "Email=ada@example.com"))
		if made.Primary.IFI.Account.HomePage != publicURL {
			t.Errorf("made %+v", made.Primary)
		}
		ada := provision(t, dir, admin, Claims{Source: ByAdmin, Agent: account(publicURL, "ada")})
		for _, known := range []xapi.Agent{made.Primary, ada.Primary} { // which others may speak of
			if again := provision(t, dir, lms(), Claims{Source: ByAPI, Agent: xapi.Agent{IFI: known.IFI}}); again.Outcome != Unchanged {
				t.Errorf("%v is %s", known.IFI, again.Outcome)
			}
		}
	})
}

func TestHomePagesBindInsertion(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		dir := newDirectory(d)
		bound := lms("https://hr.example.com")
		provision(t, dir, lms(), claims("old", "Email=old@example.com"))
		for _, agent := range []xapi.Agent{account("https://example.com", "new"), account("https://hr.example.com.evil", "new"), mbox("new@hr.example.com")} {
			_, err := dir.Provision(t.Context(), bound, Claims{Source: ByAPI, Agent: agent})
			faulttest.Want(t, err, fault.Forbidden, "home_page_forbidden")
			_, err = dir.Provision(t.Context(), bound, Claims{Source: ByAPI, Agent: agent, Attributes: map[string]Value{"Email": Text("old@example.com")}})
			faulttest.Want(t, err, fault.Forbidden, "home_page_forbidden")
		}
		if res := provision(t, dir, bound, claims("old", "Country=AU")); res.Outcome != Updated {
			t.Errorf("an agent that is known: %+v", res)
		}
		ok := Claims{Source: ByAPI, Agent: account("https://hr.example.com/people", "7"), Attributes: map[string]Value{"Email": Text("old@example.com")}}
		if res := provision(t, dir, bound, ok); res.Outcome != Matched {
			t.Errorf("%+v", res)
		}
		if res := provision(t, dir, bound, claims("", "Email=made@example.com")); res.Outcome != Created || !strings.HasPrefix(res.Primary.IFI.Account.HomePage, publicURL) {
			t.Errorf("a source without agents: %+v", res)
		}
	})
}

func TestPendingPeopleAreMatchedByNobody(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		dir := newDirectory(d)
		signup := access.Caller{Org: id.DefaultOrg, Kind: access.ServiceAccount, Name: "service account public", Scopes: access.Signup}
		c := Claims{Source: BySignup, Pending: true, Attributes: map[string]Value{"Email": Text("eve@example.com")}}
		pending := provision(t, dir, signup, c)
		if pending.Person.State != Pending || rows(t, d, "unique_values") != 0 {
			t.Fatalf("%+v", pending)
		}
		// An address that nobody confirmed keeps no one out, and gets nothing of theirs.
		real := provision(t, dir, lms(), claims("eve", "Email=EVE@example.com"))
		if real.Outcome != Created {
			t.Errorf("%+v", real)
		}
		_, err := dir.Provision(t.Context(), lms(), Claims{Source: ByAPI, Agent: pending.Primary})
		faulttest.Want(t, err, fault.Conflict, "person_pending")
		_, err = dir.Provision(t.Context(), signup, c)
		faulttest.Want(t, err, fault.Conflict, "value_taken")
		confirm := func(who id.PersonID) (p Person, err error) {
			err = d.Write(t.Context(), func(tx *db.Tx) error {
				p, err = dir.ConfirmTx(t.Context(), tx, signup, who, []string{"email"})
				return err
			})
			return p, err
		}
		_, err = confirm(pending.Person.ID)
		faulttest.Want(t, err, fault.Conflict, "value_taken")
		c.Attributes["Email"] = Text("mallory@example.com")
		other := provision(t, dir, signup, c)
		if p, err := confirm(other.Person.ID); err != nil || p.State != Active {
			t.Errorf("%+v, %v", p, err)
		}
		if _, err = confirm(other.Person.ID); fault.Of(err).Code != "person_not_pending" {
			t.Errorf("%v", err)
		}
		if res := provision(t, dir, lms(), claims("mallory", "Email=mallory@example.com")); res.Outcome != Matched || res.Person.ID != other.Person.ID {
			t.Errorf("%+v", res)
		}
	})
}

func TestUnverifiedValuesRecognizeNobody(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		dir := newDirectory(d)
		sso := access.CommandLine(id.DefaultOrg)
		sso.Name = "connector corp"
		jane := provision(t, dir, lms(), claims("jane", "Email=jane@example.com"))
		c := Claims{Source: BySSO, Link: Link{"corp", "sub-1"}, Name: "J", Attributes: map[string]Value{"Email": Text("jane@example.com")}}
		_, err := dir.Provision(t.Context(), sso, c)
		faulttest.Want(t, err, fault.Conflict, "value_taken")
		c.Attributes["Email"] = Text("victim@example.com")
		squatter := provision(t, dir, sso, c)
		if victim := provision(t, dir, lms(), claims("v", "Email=victim@example.com")); victim.Outcome != Created || victim.Person.ID == squatter.Person.ID {
			t.Errorf("an unverified address was matched: %+v", victim)
		}
		c.Attributes["Email"] = Text("Jane@example.com")
		c.Link.Key, c.Verified = "sub-2", []string{"Email"}
		if res := provision(t, dir, sso, c); res.Outcome != Matched || res.Person.ID != jane.Person.ID || len(res.Person.Agents) != 1 {
			t.Errorf("%+v", res)
		}
		// Now known by the link; an unverified change of address does not displace the verified one.
		c.Attributes["Email"], c.Verified = Text("elsewhere@example.com"), nil
		if res := provision(t, dir, sso, c); res.Outcome != Unchanged || res.Person.Attributes["Email"] != Text("Jane@example.com") {
			t.Errorf("%+v", res)
		}
		// An mbox agent is not a verified address.
		if res := provision(t, dir, lms(), Claims{Source: ByAPI, Agent: mbox("jane@example.com")}); res.Outcome != Created {
			t.Errorf("%+v", res)
		}
	})
}

func TestSuspendAndResume(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		dir := newDirectory(d)
		var heard []access.Change
		dir.changes.Listen(func(c access.Change) { heard = append(heard, c) })
		jane := provision(t, dir, lms(), claims("jane", "Email=jane@example.com"))
		for range 2 {
			if p, err := dir.Suspend(t.Context(), lms(), "jane@example.com"); err != nil || p.State != Suspended {
				t.Fatalf("%+v, %v", p, err)
			}
		}
		if len(heard) != 1 || heard[0].Kind != access.PersonChanged || heard[0].Subject != jane.Person.ID {
			t.Errorf("heard %v", heard)
		}
		if res := provision(t, dir, lms(), claims("jane", "Country=AU")); res.Outcome != Updated || res.Person.State != Suspended {
			t.Errorf("%+v", res)
		}
		if p, err := dir.Resume(t.Context(), lms(), "https://example.com|jane"); err != nil || p.State != Active {
			t.Errorf("%+v, %v", p, err)
		}
		grant(t, d, jane.Person.ID)
		if _, err := dir.Suspend(t.Context(), lms(), jane.Person.ID.String()); err != nil {
			t.Error(err)
		}
		_, err := dir.Resume(t.Context(), lms(), jane.Person.ID.String())
		faulttest.Want(t, err, fault.Forbidden, "person_protected")
		_, err = dir.Suspend(t.Context(), lms(), "nobody@example.com")
		faulttest.Want(t, err, fault.NotFound, "person_unknown")
		reader := lms()
		reader.Scopes = access.PeopleRead
		_, err = dir.Suspend(t.Context(), reader, "jane@example.com")
		faulttest.Want(t, err, fault.Forbidden, "scope_missing")
		trace, err := dir.Why(t.Context(), lms(), jane.Person.ID.String())
		var outcomes []string
		for _, x := range trace.Decisions {
			outcomes = append(outcomes, string(x.Outcome))
		}
		if got := strings.Join(outcomes, " "); err != nil || got != "created suspended updated resumed suspended" {
			t.Errorf("trace %q, %v", got, err)
		}
		if text := strings.Join(trace.Sentences(), "\n"); strings.Contains(text, "AU") || !strings.Contains(text, "Country was set.") {
			t.Errorf("values shown to a service account:\n%s", text)
		}
	})
}

func TestListPagesAndAgents(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		dir := newDirectory(d)
		other, err := dir.CreateOrganization(t.Context(), admin, "acme", "Acme")
		if err != nil || other.ID != 2 {
			t.Fatalf("%+v, %v", other, err)
		}
		_, err = dir.CreateOrganization(t.Context(), admin, "acme", "Acme")
		faulttest.Want(t, err, fault.Conflict, "slug_taken")
		acme := access.CommandLine(other.ID)
		var want []id.PersonID
		for _, n := range []string{"a", "b", "c", "d", "e"} {
			want = append(want, provision(t, dir, lms(), claims(n, "Email="+n+"@example.com", "N="+n)).Person.ID)
		}
		foreign := provision(t, dir, acme, claims("a", "Email=a@example.com"))
		if foreign.Outcome != Created || slices.Contains(want, foreign.Person.ID) {
			t.Errorf("organizations share people: %+v", foreign)
		}
		var got []id.PersonID
		after := id.PersonID{}
		for {
			page, err := dir.List(t.Context(), admin, ListOptions{After: after, Limit: 2})
			if err != nil {
				t.Fatal(err)
			}
			for _, p := range page {
				got, after = append(got, p.ID), p.ID
				if len(p.Agents) != 1 || len(p.Attributes) != 2 {
					t.Errorf("%+v", p)
				}
			}
			if len(page) < 2 {
				break
			}
		}
		if !slices.Equal(got, want) {
			t.Errorf("got %v, want %v", got, want)
		}
		if _, err := dir.Suspend(t.Context(), admin, "b@example.com"); err != nil {
			t.Fatal(err)
		}
		if page, err := dir.List(t.Context(), admin, ListOptions{State: Suspended}); err != nil || len(page) != 1 || page[0].ID != want[1] {
			t.Errorf("%v, %v", page, err)
		}
		p, err := dir.PersonOfAgent(t.Context(), id.DefaultOrg, account("https://example.com", "b").IFI)
		if err != nil || p.ID != want[1] || p.State != Suspended || p.Attributes != nil || len(p.Agents) != 1 {
			t.Errorf("%+v, %v", p, err)
		}
		_, err = dir.PersonOfAgent(t.Context(), id.DefaultOrg, mbox("b@example.com").IFI)
		faulttest.Want(t, err, fault.NotFound, "actor_unknown")
		groups, err := dir.Groups(t.Context(), acme, foreign.Person.ID)
		if err != nil || len(groups) != 1 || !groups[0].Default || groups[0].Name != "Everyone" {
			t.Errorf("%v, %v", groups, err)
		}
		if _, err := dir.Get(t.Context(), acme, "b@example.com"); !fault.Is(err, fault.NotFound) {
			t.Errorf("another organization's person: %v", err)
		}
		if o, err := dir.Organization(t.Context(), "acme"); err != nil || o.ID != other.ID || o.Name != "Acme" {
			t.Errorf("%+v, %v", o, err)
		}
	})
}
