package signup

import (
	"errors"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"rollway/internal/access"
	"rollway/internal/db"
	"rollway/internal/directory"
	"rollway/internal/fault"
	"rollway/internal/id"
	"rollway/internal/limit"
)

// Somebody signs up, confirms, and is the owner of an organization with its default group; before that they can do nothing.
func TestSignUpAndConfirm(t *testing.T) {
	each(t, Settings{}, func(h *house) {
		const email = "Ada+trial@Example.org"
		r := h.ask(email)
		r.First, r.Last, r.Newsletter, r.Name = "\u202eAda\u2028", "Lovelace", true, ""
		b, err := h.Begin(h.Context(), r)
		h.must(err)
		h.wants(h.signIn(email, password), fault.Forbidden, "not_validated")
		h.wants(h.signIn(email, password+"x"), fault.Unauthenticated, "bad_login")
		if n := h.count("newsletter_consents"); n != 0 {
			h.Errorf("%d consents before it is confirmed", n)
		}
		v, err := h.confirm("Ada+trial@example.org", 1)
		h.must(err)
		if v.Already || v.Waits || v.Org == id.DefaultOrg {
			h.Errorf("validated %+v", v)
		}
		h.must(h.signIn("ada+TRIAL@example.org", password))
		owner := access.CommandLine(v.Org)
		p, err := h.people.Get(h.Context(), owner, v.Person.String())
		h.must(err)
		if p.State != directory.Active || p.Name != "Ada Lovelace" || !p.Privileged || p.Number != b.Person || p.Attributes["FirstName"] != directory.Text("Ada") {
			h.Errorf("person %+v", p)
		}
		if key := p.Primary().IFI.Key(); !strings.Contains(key, public) || strings.Contains(key, "trial") {
			h.Errorf("agent %s", key)
		}
		groups, err := h.people.Groups(h.Context(), owner, v.Person)
		h.must(err)
		if len(groups) != 1 || groups[0].Name != "not managed fleet" || !groups[0].Default {
			h.Errorf("groups %+v", groups)
		}
		org, err := h.people.OrganizationByID(h.Context(), v.Org)
		h.must(err)
		if org.Name != "Ada+trial@example.org" || strings.Contains(org.Slug, "trial") {
			h.Errorf("organization %+v", org)
		}
		again, err := h.confirm("Ada+trial@example.org", 1)
		h.must(err)
		if !again.Already || again.Person != v.Person {
			h.Errorf("the second time %+v", again)
		}
		var subscribers []Subscriber
		h.must(h.Subscribers(h.Context(), operate, func(s Subscriber) error { subscribers = append(subscribers, s); return nil }))
		if len(subscribers) != 1 || subscribers[0].Address != "Ada+trial@example.org" || subscribers[0].Asked.After(subscribers[0].Confirmed) || subscribers[0].Wording != "1" {
			h.Fatalf("subscribers %+v", subscribers)
		}
		token := strings.TrimPrefix(subscribers[0].Unsubscribe, public+"/unsubscribe/")
		h.wants(h.Unsubscribe(h.Context(), token+"x"), fault.NotFound, "unsubscribe_unknown")
		for range 2 {
			h.must(h.Unsubscribe(h.Context(), token))
		}
		if yes, err := h.Subscribed(h.Context(), token); yes || err != nil {
			h.Errorf("still subscribed: %v", err)
		}
		h.wants(h.Subscribers(h.Context(), access.Caller{Org: v.Org, Kind: access.Person, Scopes: access.Admin}, nil), fault.Forbidden, "operator_only")
		if l := h.letters("Ada+trial@example.org", 2); len(l) != 2 || l[0].subject == l[1].subject || !strings.Contains(l[1].text, token) {
			h.Errorf("letters %+v", l)
		}
	})
}

// A known address gets the same answer, and its owner a mail; nothing is made.
func TestKnownAddress(t *testing.T) {
	each(t, Settings{}, func(h *house) {
		first := h.begin("ada@example.org")
		_, err := h.confirm("ada@example.org", 1)
		h.must(err)
		before := []int{h.count("people"), h.count("organizations"), h.count("signups"), h.count("logins")}
		r := h.ask("ADA@example.org")
		r.Password = "another password entirely"
		b, err := h.Begin(h.Context(), r)
		h.must(err)
		if b.Person <= first.Person || b.Handle == "" || b.Handle == first.Handle {
			h.Errorf("begun %+v after %+v", b, first)
		}
		before[2]++ // which pretends to wait
		if after := []int{h.count("people"), h.count("organizations"), h.count("signups"), h.count("logins")}; !slices.Equal(before, after) {
			h.Errorf("rows %v became %v", before, after)
		}
		l := h.letters("ada@example.org", 2)
		if l = append(l, h.letters("ADA@example.org", 1)...); linkText.MatchString(l[len(l)-1].text) {
			h.Errorf("the owner gets a link to confirm: %s", l[len(l)-1].text)
		}
		h.must(h.Resend(h.Context(), b.Handle)) // as of any that waits
		_, err = h.ValidateCode(h.Context(), b.Handle, "123456", here)
		h.wants(err, fault.Invalid, "validation_invalid")
		h.must(h.signIn("ada@example.org", password))
		h.wants(h.signIn("ada@example.org", r.Password), fault.Forbidden, "not_validated") // as of any that waits
		next := h.begin("eve@example.org")
		if next.Person <= b.Person {
			h.Errorf("numbers %d, %d", b.Person, next.Person)
		}
	})
}

// Whoever confirms first has the address; what a stranger began with it, password and all, is gone.
func TestFirstProofWins(t *testing.T) {
	each(t, Settings{}, func(h *house) {
		theirs := h.stranger("ada@example.org")
		before := h.proof("ada@example.org", 1)
		h.begin("ada@example.org")
		if n := h.count("organizations"); n != 3 {
			h.Errorf("%d organizations", n)
		}
		_, err := h.confirm("ada@example.org", 2)
		h.must(err)
		if h.count("organizations") != 2 || h.count("people") != 1 || h.count("signups") != 1 || h.count("newsletter_consents") != 0 {
			h.Error("the stranger's is still there")
		}
		h.must(h.signIn("ada@example.org", password))
		h.wants(h.signIn("ada@example.org", strangers), fault.Unauthenticated, "bad_login")
		before.Handle = theirs.Handle
		_, err = h.Confirm(h.Context(), before)
		h.wants(err, fault.NotFound, "validation_unknown")
		_, err = h.ValidateCode(h.Context(), theirs.Handle, "123456", here)
		h.wants(err, fault.Invalid, "validation_invalid")
		h.must(h.Resend(h.Context(), theirs.Handle)) // which says nothing
		h.delivered()
		if l := h.letters("ada@example.org", 3); len(l) != 3 { // two to confirm, one of welcome
			h.Errorf("%d letters: %+v", len(l), l)
		}
	})
}

// One right answer makes one account, however many try at once.
func TestOneAnswerOneAccount(t *testing.T) {
	wide := limit.Rule{Windows: []limit.Window{{Max: 1 << 20, Per: time.Hour}}}
	each(t, Settings{PerAddress: wide, Mails: wide, AllMails: wide}, func(h *house) {
		r := h.ask("ada@example.org")
		tries := 1000
		if testing.Short() {
			tries = 100
		}
		var made atomic.Int32
		var wg sync.WaitGroup
		for range tries {
			wg.Go(func() {
				_, err := h.Begin(h.Context(), r)
				for fault.Is(err, fault.Unavailable) { // too many wait for a core
					time.Sleep(10 * time.Millisecond)
					_, err = h.Begin(h.Context(), r)
				}
				switch {
				case err == nil:
					made.Add(1)
				case fault.Of(err).Kind != fault.Invalid:
					h.Error(err)
				}
			})
		}
		wg.Wait()
		if made.Load() != 1 || h.count("people") != 1 || h.count("organizations") != 2 || h.count("signups") != 1 {
			h.Errorf("%d made: %d people, %d organizations, %d sign-ups", made.Load(), h.count("people"), h.count("organizations"), h.count("signups"))
		}
	})
}

// A wrong token does nothing; after ten the right one does neither. An expired one can be sent again, and then expires.
func TestTokens(t *testing.T) {
	each(t, Settings{}, func(h *house) {
		b := h.begin("ada@example.org")
		number, token := h.letters("ada@example.org", 1)[0].link(h)
		n := parseNumber(h, number)
		code := codeText.FindStringSubmatch(h.letters("ada@example.org", 1)[0].text)
		if code == nil {
			h.Fatal("no code in the mail")
		}
		_, err := h.Validate(h.Context(), n+1, token, here)
		h.wants(err, fault.NotFound, "validation_unknown")
		h.exec("UPDATE signups SET expires = ?", time.Now().Add(-time.Minute))
		_, err = h.Validate(h.Context(), n, token, here)
		h.wants(err, fault.Gone, "validation_expired")
		h.must(h.Resend(h.Context(), b.Handle))
		_, fresh := h.letters("ada@example.org", 2)[1].link(h)
		if fresh == token {
			h.Error("an expired token is sent again")
		}
		h.must(h.Resend(h.Context(), b.Handle))
		if _, same := h.letters("ada@example.org", 3)[2].link(h); same != fresh {
			h.Error("a good token is replaced")
		}
		err = h.Resend(h.Context(), b.Handle)
		h.wants(err, fault.TooMany, "too_many_tries")
		h.wants(h.Resend(h.Context(), b.Handle+"x"), fault.NotFound, "validation_unknown")
		if p, err := h.Peek(h.Context(), n, fresh, here); err != nil || p.Address != "ada@example.org" || p.State != Waiting {
			h.Errorf("peek %+v %v", p, err)
		}
		for i := range 10 {
			_, err = h.Validate(h.Context(), n, token, netip.AddrFrom4([4]byte{198, 51, 100, byte(i)}))
			h.wants(err, fault.Invalid, "validation_invalid")
		}
		_, err = h.Validate(h.Context(), n, fresh, here)
		h.wants(err, fault.Invalid, "validation_invalid")
		if h.count("logins") != 0 {
			h.Error("it was confirmed")
		}
	})
}

// The code of the mail confirms as the link does, with the handle that only its maker has.
func TestCode(t *testing.T) {
	each(t, Settings{}, func(h *house) {
		b := h.begin("ada@example.org")
		code := codeText.FindStringSubmatch(h.letters("ada@example.org", 1)[0].text)
		if code == nil {
			h.Fatal("no code in the mail")
		}
		_, err := h.ValidateCode(h.Context(), "1.abc", code[1], here)
		h.wants(err, fault.NotFound, "validation_unknown")
		v, err := h.ValidateCode(h.Context(), b.Handle, code[1], here)
		h.must(err)
		if v.Already {
			h.Errorf("%+v", v)
		}
		h.must(h.signIn("ada@example.org", password))
	})
}

// Who signed up on a dashboard has no page of ours to type a code on: the mail has none, first and again.
func TestNoCodeForDashboards(t *testing.T) {
	each(t, Settings{}, func(h *house) {
		r := h.ask("ada@example.org")
		r.Via = ByGLPI
		b, err := h.Begin(h.Context(), r)
		h.must(err)
		h.must(h.Resend(h.Context(), b.Handle))
		for _, l := range h.letters("ada@example.org", 2) {
			if codeText.MatchString(l.text) || !linkText.MatchString(l.text) {
				h.Errorf("the mail is\n%s", l.text)
			}
		}
	})
}

// Everybody joins one organization; somebody it knows by that address gets their account once the address is proven, and
// somebody with rights there does not.
func TestJoin(t *testing.T) {
	each(t, Settings{Join: id.DefaultOrg}, func(h *house) {
		ada, boss := h.known("ada@example.org"), h.known("boss@example.org")
		h.must(h.d.Write(h.Context(), func(tx *db.Tx) error {
			return access.Grant(h.Context(), tx, h.changes, operate, boss.ID, access.Admin)
		}))
		h.begin("ada@example.org")
		h.wants(h.signIn("ada@example.org", password), fault.Forbidden, "not_validated")
		v, err := h.confirm("ada@example.org", 1)
		h.must(err)
		if v.Person != ada.ID || v.Org != id.DefaultOrg {
			h.Errorf("%+v is not %v", v, ada.ID)
		}
		h.begin("boss@example.org")
		if l := h.letters("boss@example.org", 1); linkText.MatchString(l[0].text) {
			h.Error("an administrator's account can be taken")
		}
		h.begin("new@example.org")
		res := h.known("new@example.org") // meanwhile
		v, err = h.confirm("new@example.org", 1)
		h.must(err)
		if v.Person != res.ID || h.count("people") != 3 {
			h.Errorf("%+v is not %v; %d people", v, res.ID, h.count("people"))
		}
		if p, err := h.people.Get(h.Context(), operate, "new@example.org"); err != nil || p.Privileged {
			h.Errorf("%+v %v", p, err)
		}
	})
}

// With approval nobody comes in by their mail alone.
func TestApproval(t *testing.T) {
	each(t, Settings{Approval: true}, func(h *house) {
		h.begin("ada@example.org")
		v, err := h.confirm("ada@example.org", 1)
		h.must(err)
		if !v.Waits {
			h.Errorf("%+v", v)
		}
		h.wants(h.signIn("ada@example.org", password), fault.Forbidden, "not_validated")
		list, err := h.List(h.Context(), operate, 0, 10)
		h.must(err)
		if len(list) != 1 || list[0].State != Approval {
			h.Fatalf("%+v", list)
		}
		h.wants(h.Approve(h.Context(), access.Caller{Org: v.Org, Kind: access.Person, Scopes: access.Admin}, list[0].Number), fault.Forbidden, "operator_only")
		h.must(h.Approve(h.Context(), operate, list[0].Number))
		h.wants(h.Approve(h.Context(), operate, list[0].Number), fault.Conflict, "signup_not_waiting")
		h.must(h.signIn("ada@example.org", password))
		h.wants(h.Delete(h.Context(), operate, list[0].Number), fault.Conflict, "signup_confirmed")
		h.begin("eve@example.org")
		h.must(h.Delete(h.Context(), operate, list[0].Number+1))
		h.wants(h.Delete(h.Context(), operate, list[0].Number+1), fault.NotFound, "signup_unknown")
		if h.count("people") != 1 || h.count("organizations") != 2 {
			h.Error("something is left")
		}
	})
}

// What never was confirmed goes; a trial is reminded of, ends, is told of and can be opened again.
func TestWork(t *testing.T) {
	each(t, Settings{Trial: 90 * 24 * time.Hour}, func(h *house) {
		h.begin("gone@example.org")
		h.letters("gone@example.org", 1)
		h.exec("INSERT INTO outbox_jobs (org_id, kind, lane, payload, due, attempts, error, created) SELECT org_id, 'mail', '', nonce, NULL, 0, '', created FROM signups")
		h.exec("UPDATE signups SET expires = ?", time.Now().Add(-25*time.Hour))
		h.begin("ada@example.org")
		waits, err := h.List(h.Context(), operate, 1, 10)
		h.must(err)
		_, err = h.Extend(h.Context(), operate, waits[0].Number, time.Hour)
		h.wants(err, fault.Conflict, "signup_not_confirmed")
		h.must(h.Work(h.Context()))
		if h.count("signups") != 1 || h.count("organizations") != 2 || h.count("people") != 1 {
			h.Error("an expired sign-up is there still, or another is not")
		}
		h.delivered()
		v, err := h.confirm("ada@example.org", 1)
		h.must(err)
		h.letters("ada@example.org", 2)
		after := func(days int, letters int, can bool) {
			h.Helper()
			h.exec("UPDATE signups SET trial_ends = ?", time.Now().Add(time.Duration(90-days)*24*time.Hour))
			for range 2 {
				h.must(h.Work(h.Context()))
			}
			if err := h.signIn("ada@example.org", password); (err == nil) != can {
				h.Errorf("after %d days: %v", days, err)
			}
			h.delivered()
			if l := h.letters("ada@example.org", letters); len(l) != letters {
				h.Errorf("after %d days %d letters, not %d: %+v", days, len(l), letters, l)
			}
		}
		after(70, 2, true)
		after(76, 3, true)
		after(86, 4, true)
		after(91, 4, false)
		after(96, 5, false)
		list, err := h.List(h.Context(), operate, 0, 10)
		h.must(err)
		ends, err := h.Extend(h.Context(), operate, list[0].Number, 30*24*time.Hour)
		h.must(err)
		if left := time.Until(ends); left < 29*24*time.Hour || left > 30*24*time.Hour {
			h.Errorf("a trial that was over ends in %v", left)
		}
		if later, err := h.Extend(h.Context(), operate, list[0].Number, time.Hour); err != nil || !later.Equal(ends.Add(time.Hour)) {
			h.Errorf("extended from %v to %v: %v", ends, later, err)
		}
		h.must(h.signIn("ada@example.org", password))
		if p, err := h.people.Get(h.Context(), access.CommandLine(v.Org), v.Person.String()); err != nil || p.State != directory.Active {
			h.Errorf("%+v %v", p, err)
		}
	})
}

// Refusals, in their order, make nothing; those about anything but the answer leave the answer good.
func TestRefusals(t *testing.T) {
	each(t, Settings{Blocked: []string{"spam.example", "*.spam.example"}, Reveal: true}, func(h *house) {
		r := h.ask("ada@example.org")
		for _, c := range []struct {
			change func(*Request)
			kind   fault.Kind
			code   string
		}{
			{func(r *Request) { r.Password = "short" }, fault.Invalid, "password_too_short"},
			{func(r *Request) { r.Email = "ada@@example.org" }, fault.Invalid, "bad_address"},
			{func(r *Request) { r.Email = "ada@x.spam.example" }, fault.Invalid, "domain_refused"},
			{func(r *Request) { r.Name = "a\x00b" }, fault.Invalid, "invalid_name"},
			{func(r *Request) { r.Name = ""; r.First, r.Last = strings.Repeat("a", 128), strings.Repeat("b", 128) }, fault.Invalid, "invalid_name"},
			{func(r *Request) { r.Challenge = 0; r.Answer = "" }, fault.Invalid, "challenge_missing"},
			{func(r *Request) { r.Challenge = 1 << 40 }, fault.Invalid, "challenge_unknown"},
			{func(r *Request) { r.Answer = "-----" }, fault.Invalid, "challenge_failed"},
		} {
			bad := r
			c.change(&bad)
			_, err := h.Begin(h.Context(), bad)
			h.wants(err, c.kind, c.code)
		}
		if h.count("people") != 0 || h.count("signups") != 0 || h.count("organizations") != 1 {
			h.Error("something was made")
		}
		_, err := h.Begin(h.Context(), r)
		h.must(err)
		_, err = h.confirm("ada@example.org", 1)
		h.must(err)
		_, err = h.Begin(h.Context(), h.ask("ada@example.org"))
		h.wants(err, fault.Conflict, "address_taken")
		h.Settings.Off = true
		_, err = h.Begin(h.Context(), h.ask("eve@example.org"))
		h.wants(err, fault.Forbidden, "signup_off")
	})
}

// The limits are those of the settings, and a refused one is not counted.
func TestLimits(t *testing.T) {
	each(t, Settings{PerAddress: limit.Rule{Windows: []limit.Window{{Max: 3, Per: time.Hour}}}}, func(h *house) {
		for i := range 3 {
			h.begin(string(rune('a'+i)) + "@example.org")
		}
		_, err := h.Begin(h.Context(), h.ask("d@example.org"))
		h.wants(err, fault.TooMany, "too_many_tries")
		var told interface{ RetryAfter() time.Duration }
		if !errors.As(err, &told) || told.RetryAfter() <= 50*time.Minute || told.RetryAfter() > time.Hour {
			h.Errorf("%v", err)
		}
	})
}
