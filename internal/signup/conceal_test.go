package signup

import (
	"slices"
	"strings"
	"testing"

	"rollway/internal/fault"
	"rollway/internal/id"
)

// Whoever signed up learns nothing of whether the address had an account, or was that of somebody known, by coming back: with
// passwords, codes, made-up links, for more mails.
func TestKnownIsNotToldApart(t *testing.T) {
	each(t, Settings{Join: id.DefaultOrg}, func(h *house) {
		h.begin("ada@example.org")
		_, err := h.confirm("ada@example.org", 1)
		h.must(err)
		h.known("eve@example.org")
		told := h.returns("new@example.org")
		for _, email := range []string{"ada@example.org", "eve@example.org"} {
			h.exec("DELETE FROM limits") // as many mails in the hour as the other
			if again := h.returns(email); !slices.Equal(told, again) {
				h.Errorf("a new address: %q\n%s: %q", told, email, again)
			}
		}
		h.must(h.signIn("ada@example.org", password))
		if list, err := h.List(h.Context(), operate, 0, 10); err != nil || len(list) != 1 {
			h.Errorf("%d are listed, %v", len(list), err)
		}
	})
}

// returns signs up and lists what whoever did so is told afterwards, until the sign-up is forgotten.
func (h *house) returns(email string) (told []string) {
	h.Helper()
	tell := func(what string, err error) {
		if err == nil {
			what += ": yes"
		} else {
			what += ": " + fault.Of(err).Code
		}
		told = append(told, what)
	}
	r := h.ask(email)
	r.Password = "the words of whoever asks"
	b, err := h.Begin(h.Context(), r)
	h.must(err)
	number, _, _ := strings.Cut(b.Handle, ".")
	n := parseNumber(h, number)
	tell("the password", h.signIn(email, r.Password))
	tell("another", h.signIn(email, r.Password+"!"))
	_, err = h.Peek(h.Context(), n, strings.Repeat("0", 64), here)
	tell("a look", err)
	for range 4 {
		tell("a mail", h.Resend(h.Context(), b.Handle))
	}
	for range 25 {
		_, err = h.ValidateCode(h.Context(), b.Handle, "x", here)
		tell("a code", err)
	}
	h.exec("DELETE FROM limits")
	_, err = h.Confirm(h.Context(), Proof{Number: n, From: here, Handle: b.Handle, Password: r.Password})
	tell("no link", err)
	_, err = h.Validate(h.Context(), n, strings.Repeat("0", 64), here)
	tell("a link", err)
	h.exec("UPDATE signups SET expires = expires - 90000000000 WHERE number = ?", n)
	_, err = h.Validate(h.Context(), n, strings.Repeat("0", 64), here)
	tell("an old link", err)
	tell("the password", h.signIn(email, r.Password))
	h.exec("UPDATE signups SET expires = expires - 90000000000 WHERE number = ?", n)
	h.must(h.Work(h.Context()))
	_, err = h.Validate(h.Context(), n, strings.Repeat("0", 64), here)
	tell("a forgotten link", err)
	tell("the password", h.signIn(email, r.Password))
	return told
}

// The numbers of organizations and groups, which owners see, go on alike.
func TestNumbersTellNothing(t *testing.T) {
	each(t, Settings{}, func(h *house) {
		h.begin("ada@example.org")
		_, err := h.confirm("ada@example.org", 1)
		h.must(err)
		made := func(email string) (org id.OrgID, group int64) {
			h.begin(email)
			v, err := h.confirm(email, 1)
			h.must(err)
			groups, err := h.people.Groups(h.Context(), system(v.Org), id.PersonID{})
			h.must(err)
			return v.Org, groups[0].Number
		}
		var orgs [2]id.OrgID
		var groups [2]int64
		for i, email := range []string{"new@example.org", "ada@example.org"} {
			org, group := made([]string{"a@example.net", "c@example.net"}[i])
			h.begin(email)
			next, later := made([]string{"b@example.net", "d@example.net"}[i])
			orgs[i], groups[i] = next-org, later-group
		}
		if orgs[0] != orgs[1] || groups[0] != groups[1] {
			h.Errorf("the numbers of organizations go on by %v, of groups by %v", orgs, groups)
		}
		if h.count("organizations") != 7 || h.count("groups") != 7 {
			h.Errorf("%d organizations, %d groups", h.count("organizations"), h.count("groups"))
		}
	})
}

// Whoever makes up links ends nobody's sign-up for good: the next mail has another link.
func TestAnotherMailAfterManyWrong(t *testing.T) {
	each(t, Settings{}, func(h *house) {
		b := h.begin("ada@example.org")
		number, token := h.letters("ada@example.org", 1)[0].link(h)
		n := parseNumber(h, number)
		for range 10 {
			_, err := h.Validate(h.Context(), n, strings.Repeat("0", 64), here)
			h.wants(err, fault.Invalid, "validation_invalid")
		}
		_, err := h.Validate(h.Context(), n, token, here)
		h.wants(err, fault.Invalid, "validation_invalid")
		h.must(h.Resend(h.Context(), b.Handle))
		_, err = h.confirm("ada@example.org", 2)
		h.must(err)
	})
}
