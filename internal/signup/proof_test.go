package signup

import (
	"net/netip"
	"regexp"
	"testing"

	"rollway/internal/directory"
	"rollway/internal/fault"
	"rollway/internal/id"
	"rollway/internal/signin"
)

const (
	strangers = "the stranger's own words" // a password
	owners    = "what the owner chose instead"
)

var resetText = regexp.MustCompile(`https://learn\.example\.org/password/([\w-]+)`)

// stranger signs up with somebody's address and wants news sent there.
func (h *house) stranger(email string) Begun {
	h.Helper()
	r := h.ask(email)
	r.Password, r.Newsletter = strangers, true
	b, err := h.Begin(h.Context(), r)
	h.must(err)
	return b
}

// The link alone makes nobody's password good: whoever opens it elsewhere than where the sign-up was begun knows the password,
// or chooses one.
func TestTheLinkIsNotEnough(t *testing.T) {
	each(t, Settings{}, func(h *house) {
		h.stranger("ada@example.org")
		mine := h.begin("eve@example.org") // in the browser that the link is opened in
		p := h.proof("ada@example.org", 1)
		p.Handle = mine.Handle
		for _, wrong := range []string{"", password, strangers + "!", "\x00"} {
			p.Password = wrong
			_, err := h.Confirm(h.Context(), p)
			h.wants(err, fault.Invalid, "signup_password")
		}
		p.New, p.Password = true, "too short"
		_, err := h.Confirm(h.Context(), p)
		h.wants(err, fault.Invalid, "password_too_short")
		p.Password = "ada@example.org!"
		_, err = h.Confirm(h.Context(), p)
		h.wants(err, fault.Invalid, "password_personal")
		h.wants(h.signIn("ada@example.org", strangers), fault.Forbidden, "not_validated")
		p.Password = owners
		v, err := h.Confirm(h.Context(), p)
		h.must(err)
		if v.Already || v.Chooses {
			h.Errorf("%+v", v)
		}
		h.must(h.signIn("ada@example.org", owners))
		h.wants(h.signIn("ada@example.org", strangers), fault.Unauthenticated, "bad_login")
		if n := h.count("newsletter_consents"); n != 0 {
			h.Error("the stranger has news sent to the owner")
		}
		p.Password = strangers
		if v, err = h.Confirm(h.Context(), p); err != nil || !v.Already {
			h.Errorf("the second time %+v %v", v, err)
		}
		h.wants(h.signIn("ada@example.org", strangers), fault.Unauthenticated, "bad_login")
	})
}

// Whoever signed up is known by the browser or by the password, and gets what they asked for.
func TestConfirmedByWhoSignedUp(t *testing.T) {
	each(t, Settings{}, func(h *house) {
		for i, email := range []string{"ada@example.org", "eve@example.org"} {
			b := h.stranger(email) // who has the address
			p := h.proof(email, 1)
			if p.Password = strangers; i == 0 {
				p.Handle, p.Password = b.Handle, ""
			}
			v, err := h.Confirm(h.Context(), p)
			h.must(err)
			if v.Already || v.Org == id.DefaultOrg {
				h.Errorf("%s: %+v", email, v)
			}
			h.must(h.signIn(email, strangers))
			if n := h.count("newsletter_consents"); n != i+1 {
				h.Errorf("%d get news", n)
			}
		}
	})
}

// Wrong passwords count like wrong links, and do not use the link up.
func TestWrongPasswordsAreCounted(t *testing.T) {
	each(t, Settings{}, func(h *house) {
		h.begin("ada@example.org")
		p := h.proof("ada@example.org", 1)
		for range 20 {
			_, err := h.Confirm(h.Context(), p)
			h.wants(err, fault.Invalid, "signup_password")
		}
		p.Password = password
		_, err := h.Confirm(h.Context(), p)
		h.wants(err, fault.TooMany, "too_many_tries")
		p.From = netip.MustParseAddr("198.51.100.1")
		_, err = h.Confirm(h.Context(), p)
		h.must(err)
		h.must(h.signIn("ada@example.org", password))
	})
}

// With approval the owner's choice is kept until somebody lets them in.
func TestChosenBeforeApproval(t *testing.T) {
	each(t, Settings{Approval: true}, func(h *house) {
		h.stranger("ada@example.org")
		p := h.proof("ada@example.org", 1)
		p.New, p.Password = true, owners
		v, err := h.Confirm(h.Context(), p)
		h.must(err)
		if !v.Waits {
			h.Errorf("%+v", v)
		}
		h.wants(h.signIn("ada@example.org", owners), fault.Forbidden, "not_validated")
		h.wants(h.signIn("ada@example.org", strangers), fault.Unauthenticated, "bad_login")
		h.must(h.Approve(h.Context(), operate, p.Number))
		h.must(h.signIn("ada@example.org", owners))
		if n := h.count("newsletter_consents"); n != 0 {
			h.Error("the stranger has news sent to the owner")
		}
	})
}

// Somebody who was there before gets their own password and nobody else's, whichever way the address is proven.
func TestKnownPeopleChoose(t *testing.T) {
	each(t, Settings{Join: id.DefaultOrg}, func(h *house) {
		ways := map[string]func(email string, b Begun) (Validated, error){
			"dashboard": func(email string, _ Begun) (Validated, error) { return h.confirm(email, 1) },
			"code": func(email string, b Begun) (Validated, error) { // known only since the mail was sent
				code := codeText.FindStringSubmatch(h.letters(email, 1)[0].text)
				h.known(email)
				return h.ValidateCode(h.Context(), b.Handle, code[1], here)
			},
			"late": func(email string, _ Begun) (Validated, error) {
				h.known(email)
				return h.confirm(email, 1)
			},
			"approved": func(email string, _ Begun) (v Validated, err error) {
				h.Settings.Approval = true
				defer func() { h.Settings.Approval = false }()
				if v, err = h.confirm(email, 1); err != nil || !v.Waits {
					return v, err
				}
				h.known(email)
				v.Chooses, v.Waits = true, false
				return v, h.Approve(h.Context(), operate, h.proof(email, 1).Number)
			},
		}
		for name, confirm := range ways {
			email := name + "@example.org"
			if name == "dashboard" {
				h.known(email)
			}
			b := h.stranger(email)
			v, err := confirm(email, b)
			h.must(err)
			if !v.Chooses || v.Waits || v.Org != id.DefaultOrg {
				h.Errorf("%s: %+v", name, v)
			}
			h.wants(h.signIn(email, strangers), fault.Unauthenticated, "bad_login")
			l := h.letters(email, 2)
			reset := resetText.FindStringSubmatch(l[len(l)-1].text)
			if reset == nil {
				h.Fatalf("%s: no link to a password in %s", name, l[len(l)-1].text)
			}
			h.must(h.signin.Reset(h.Context(), signin.ResetRequest{Token: reset[1], Password: owners}, signin.Device{Addr: here, Lang: "en"}))
			h.must(h.signIn(email, owners))
		}
		if n := h.count("newsletter_consents"); n != 0 {
			h.Errorf("%d get news that a stranger asked for", n)
		}
	})
}

// Six digits guard nobody who was there before: the mail has none, and none are taken. The link with the password is enough.
func TestKnownPeopleHaveNoCode(t *testing.T) {
	each(t, Settings{Join: id.DefaultOrg}, func(h *house) {
		ada := h.known("ada@example.org")
		b := h.begin("ada@example.org")
		if l := h.letters("ada@example.org", 1); codeText.MatchString(l[0].text) {
			h.Errorf("the mail has a code: %s", l[0].text)
		}
		p := h.proof("ada@example.org", 1)
		guessed, err := h.look(h.Context(), p.Number, p.Token, here)
		h.must(err)
		guessed.claimed = false
		for _, code := range []string{h.code(&guessed), ""} {
			_, err = h.ValidateCode(h.Context(), b.Handle, code, here)
			h.wants(err, fault.Invalid, "validation_invalid")
		}
		p.Handle = b.Handle
		v, err := h.Confirm(h.Context(), p)
		h.must(err)
		if v.Person != ada.ID || v.Chooses {
			h.Errorf("%+v is not %v", v, ada.ID)
		}
		h.must(h.signIn("ada@example.org", password))
	})
}

// Who signs in with one address does not get a second login by another: that is answered like an address that has an account.
func TestOneLoginEach(t *testing.T) {
	each(t, Settings{Join: id.DefaultOrg}, func(h *house) {
		h.begin("old@example.org")
		v, err := h.confirm("old@example.org", 1)
		h.must(err)
		p, err := h.people.Get(h.Context(), operate, v.Person.String())
		h.must(err)
		_, err = h.people.Provision(h.Context(), operate, directory.Claims{Source: directory.ByAdmin, Agent: p.Primary(), Attributes: map[string]directory.Value{"Email": directory.Text("new@example.org")}})
		h.must(err)
		h.begin("new@example.org")
		if l := h.letters("new@example.org", 1); linkText.MatchString(l[0].text) {
			h.Errorf("there is a link to confirm: %s", l[0].text)
		}
		h.must(h.signIn("old@example.org", password))
	})
}

// Whose address was corrected since the sign-up began stays who they are, however it is completed; whoever has it by then is
// the one who signed up.
func TestNoLongerTheirs(t *testing.T) {
	each(t, Settings{Join: id.DefaultOrg}, func(h *house) {
		approve := func(p Proof) error { return h.Approve(h.Context(), operate, p.Number) }
		ways := map[string]func(Proof) error{
			"late": func(p Proof) error {
				_, err := h.Validate(h.Context(), p.Number, p.Token, p.From)
				return err
			},
			"page": func(p Proof) error {
				_, err := h.Confirm(h.Context(), p)
				return err
			},
			"approved": approve,
		}
		for name, complete := range ways {
			email := name + "@example.org"
			ada := h.known(email) // by mistake
			b := h.stranger(email)
			p := h.proof(email, 1)
			p.Handle = b.Handle
			if name == "approved" {
				h.Settings.Approval = true
				_, err := h.Confirm(h.Context(), p)
				h.must(err)
				h.Settings.Approval = false
			}
			_, err := h.people.Provision(h.Context(), operate, directory.Claims{Source: directory.ByAdmin, Agent: ada.Primary(),
				Attributes: map[string]directory.Value{"Email": directory.Text("ada." + email)}})
			h.must(err)
			h.wants(complete(p), fault.Conflict, "address_taken")
			h.delivered()
			if l := h.letters(email, 1); len(l) != 1 {
				h.Errorf("%s: %+v", name, l)
			}
			bob := h.known(email)
			h.must(complete(p))
			list, err := h.List(h.Context(), operate, p.Number-1, 1)
			h.must(err)
			if len(list) != 1 || list[0].State != Confirmed || list[0].Person != bob.ID {
				h.Errorf("%s: %+v is not %v", name, list, bob.ID)
			}
		}
	})
}
