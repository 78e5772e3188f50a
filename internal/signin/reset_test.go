package signin

import (
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"rollway/internal/db/dbtest"
	"rollway/internal/fault"
	"rollway/internal/limit"
	"rollway/internal/mail"
)

// ask asks for a link and returns its token; "" when none was sent.
func (r *rig) ask(t testing.TB, address string, from Device) string {
	t.Helper()
	before := len(r.letters(t))
	wantCode(t, "ask", r.AskReset(t.Context(), address, from), "")
	if len(r.letters(t)) == before {
		return ""
	}
	return r.asked.Load().(string)
}

// letters are the kinds of messages that wait.
func (r *rig) letters(t testing.TB) (kinds []mail.Kind) {
	t.Helper()
	list, err := r.office.List(t.Context(), r.boss, 0, 1000)
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range list {
		kinds = append(kinds, l.Kind)
	}
	return kinds
}

const another = "three slow otters"

func TestReset(t *testing.T) {
	t.Parallel()
	eachRig(t, func(t *testing.T, r *rig) {
		ada := r.person(t, "active")
		_, token := r.signIn(t, ada, Browser, laptop)
		reset := r.ask(t, ada.address, laptop)
		second := r.ask(t, ada.address, laptop)
		if len(reset) != tokenLen || second == reset {
			t.Fatal(reset, second)
		}
		do := func(token, address, password string) error {
			return r.Reset(t.Context(), ResetRequest{Token: token, Address: address, Password: password}, laptop)
		}
		wantCode(t, "alive", r.CheckReset(t.Context(), reset), "")
		wantCode(t, "unknown", r.CheckReset(t.Context(), newToken()), "reset_gone")
		wantCode(t, "unknown", do(newToken(), "", another), "reset_gone")
		wantCode(t, "no token", do("", "", another), "reset_gone")
		wantCode(t, "of another address", do(reset, r.person(t, "active").address, another), "reset_gone")
		wantCode(t, "short", do(reset, "", "short"), "password_too_short")
		wantCode(t, "personal", do(reset, "", "ada lovelace ada"), "password_personal")
		r.expect(t, "nothing has changed", token, "")
		wantCode(t, "good", do(reset, "ADA"+ada.address[3:], another), "")
		r.expect(t, "all sessions end", token, "session_invalid")
		wantCode(t, "twice", do(reset, "", goodWord), "reset_gone")
		wantCode(t, "another link", do(second, "", goodWord), "reset_gone")
		if kinds := r.letters(t); len(kinds) != 3 || kinds[2] != mail.Changed {
			t.Errorf("messages %v", kinds)
		}
		wantCode(t, "the old password", r.wrong(t, ada.address, laptop), "bad_login")
		ada.password = another
		r.signIn(t, ada, Browser, laptop)

		late := r.ask(t, ada.address, laptop)
		r.pass(resetLife)
		wantCode(t, "late", do(late, "", goodWord), "reset_gone")
		if err := r.Sweep(t.Context()); err != nil {
			t.Fatal(err)
		}
		if n := r.rows(t, "signin_resets"); n != 0 {
			t.Errorf("%d links are left", n)
		}
		compat := &Policy{Min: Lowest, Listed: true}
		reset = r.ask(t, ada.address, laptop)
		wantCode(t, "in the dialect's way", r.Reset(t.Context(), ResetRequest{Token: reset, Address: ada.address, Password: "p@ssw0rd", Policy: compat}, laptop), "")
	})
}

// TestResetOfNobody looks the same.
func TestResetOfNobody(t *testing.T) {
	t.Parallel()
	eachRig(t, func(t *testing.T, r *rig) {
		for what, address := range map[string]string{"nobody": "nobody@example.com", "pending": r.person(t, "pending").address, "suspended": r.person(t, "suspended").address} {
			if r.ask(t, address, laptop) != "" {
				t.Errorf("%s got a message", what)
			}
			token := r.asked.Load()
			if token != nil {
				t.Errorf("%s: a link was made", what)
			}
		}
		if n := r.rows(t, "signin_resets"); n != 3 {
			t.Errorf("%d rows", n)
		}
		wantCode(t, "no address", r.AskReset(t.Context(), "not an address", laptop), "bad_address")
	})
}

func TestResetsAreLimited(t *testing.T) {
	t.Parallel()
	eachRig(t, func(t *testing.T, r *rig) {
		ada := r.person(t, "active")
		for _, address := range []string{ada.address, "nobody@example.com"} {
			for range 3 {
				r.ask(t, address, laptop)
			}
			wantCode(t, address, r.AskReset(t.Context(), address, from("198.51.100.9")), "too_many_tries")
		}
		n := len(r.letters(t))
		if n != 3 {
			t.Errorf("%d messages", n)
		}
		for range 7 {
			r.pass(time.Hour)
			r.ask(t, ada.address, laptop)
		}
		r.pass(time.Hour)
		wantCode(t, "the eleventh of a day", r.AskReset(t.Context(), ada.address, laptop), "too_many_tries")
		r.Rules.ResetsGroup.Windows = []limit.Window{{Max: 2, Per: time.Hour}}
		for i, want := range []string{"", "", "too_many_tries"} {
			wantCode(t, "one place", r.AskReset(t.Context(), r.person(t, "active").address, from("203.0.113.5")), want)
			_ = i
		}
	})
}

// TestResetRace: of many who use one link, one wins.
func TestResetRace(t *testing.T) {
	t.Parallel()
	eachRig(t, func(t *testing.T, r *rig) {
		ada := r.person(t, "active")
		reset := r.ask(t, ada.address, laptop)
		var won atomic.Int64
		var all sync.WaitGroup
		for range 50 {
			all.Go(func() {
				err := r.Reset(t.Context(), ResetRequest{Token: reset, Password: another}, laptop)
				switch {
				case err == nil:
					won.Add(1)
				case fault.Of(err).Code != "reset_gone":
					t.Error(err)
				}
			})
		}
		all.Wait()
		if won.Load() != 1 {
			t.Errorf("%d used the link", won.Load())
		}
		if kinds := r.letters(t); len(kinds) != 2 {
			t.Errorf("messages %v", kinds)
		}
	})
}

// TestSignInWhileThePasswordChanges: nobody is signed in with the old password once there is a new one.
func TestSignInWhileThePasswordChanges(t *testing.T) {
	t.Parallel()
	eachRig(t, func(t *testing.T, r *rig) {
		for range 5 {
			ada := r.person(t, "active")
			reset := r.ask(t, ada.address, from("192.0.2.30"))
			r.pass(time.Hour / 2)
			var all sync.WaitGroup
			tokens := make(chan string, 30)
			for i := range 30 {
				all.Go(func() {
					if i == 10 {
						if err := r.Reset(t.Context(), ResetRequest{Token: reset, Password: another}, laptop); err != nil {
							t.Error(err)
						}
						return
					}
					_, token, err := r.SignIn(t.Context(), Browser, ada.address, ada.password, laptop)
					if err == nil {
						tokens <- token
					} else if c := fault.Of(err).Code; c != "bad_login" && c != "too_many_tries" {
						t.Error(err)
					}
				})
			}
			all.Wait()
			close(tokens)
			for token := range tokens {
				r.expect(t, "a session of the old password", token, "session_invalid")
			}
		}
	})
}

// TestResetTiming: asking takes the same time for an address that nobody has.
func TestResetTiming(t *testing.T) {
	for _, e := range dbtest.Engines {
		t.Run(e.String(), func(t *testing.T) {
			r := newRig(t, dbtest.Open(t, e))
			r.Rules = Rules{}
			ada := r.person(t, "active")
			sameTime(t, func() { wantCode(t, "known", r.AskReset(t.Context(), ada.address, laptop), "") },
				func() { wantCode(t, "unknown", r.AskReset(t.Context(), "nobody@example.com", laptop), "") })
		})
	}
}

// TestOnePasswordWins: of a change and a reset at once one goes through, and its password is the one that holds.
func TestOnePasswordWins(t *testing.T) {
	t.Parallel()
	eachRig(t, func(t *testing.T, r *rig) {
		for range 15 {
			ada := r.person(t, "active")
			_, token := r.signIn(t, ada, Browser, laptop)
			c, _, err := r.Authenticate(t.Context(), token)
			if err != nil {
				t.Fatal(err)
			}
			reset := r.ask(t, ada.address, from("192.0.2.31"))
			r.pass(time.Hour / 2)
			var all sync.WaitGroup
			var changed, chosen error
			all.Go(func() {
				changed = r.ChangePassword(t.Context(), c, ada.password, "four loud geese abroad", laptop)
			})
			all.Go(func() {
				chosen = r.Reset(t.Context(), ResetRequest{Token: reset, Password: another}, laptop)
			})
			all.Wait()
			switch {
			case changed == nil:
				wantCode(t, "the reset", chosen, "reset_gone")
				ada.password = "four loud geese abroad"
			default:
				wantCode(t, "the change", changed, "bad_login")
				wantCode(t, "the reset", chosen, "")
				ada.password = another
			}
			r.signIn(t, ada, Browser, laptop)
		}
	})
}
