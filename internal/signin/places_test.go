package signin

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"rollway/internal/access"
	"rollway/internal/db"
	"rollway/internal/db/dbtest"
	"rollway/internal/fault"
	"rollway/internal/id"
	"rollway/internal/limit"
)

// flood is one wrong password from each of so many networks.
func (r *rig) flood(t *testing.T, address string, networks int) {
	t.Helper()
	for range networks {
		wantCode(t, "wrong", r.wrong(t, address, from(fmt.Sprintf("198.18.%d.%d", count.Add(1)/250, count.Load()%250))), "bad_login")
	}
}

func (r *rig) with(t *testing.T, h human, from Device) error {
	t.Helper()
	_, _, err := r.SignIn(t.Context(), Browser, h.address, h.password, from)
	return err
}

// TestGuessesFromEverywhere: however many networks somebody guesses from, an account is guessed at no more often than the limit
// allows, and its person is let in where they have been before.
func TestGuessesFromEverywhere(t *testing.T) {
	t.Parallel()
	eachRig(t, func(t *testing.T, r *rig) {
		r.Rules.FailuresAccount.Windows = []limit.Window{{Max: 5, Per: 24 * time.Hour}}
		ada, bob := r.person(t, "active"), r.person(t, "active")
		home := Device{Addr: laptop.Addr, Browser: NewBrowser()}
		away := Device{Addr: from("192.0.2.77").Addr, Browser: home.Browser}
		r.signIn(t, ada, Browser, home)
		r.signIn(t, bob, Browser, Device{Addr: from("192.0.2.50").Addr, Browser: NewBrowser()})
		const nobody = "nobody@example.com"
		r.flood(t, ada.address, 4)
		wantCode(t, "wrong at home", r.wrong(t, ada.address, home), "bad_login")
		r.flood(t, nobody, 5)

		// Closed to everybody from elsewhere, who do not learn whether there is such an account or whether they were right.
		elsewhere := Device{Addr: from("203.0.113.1").Addr, Browser: NewBrowser()}
		wrong, unknown, right := r.wrong(t, ada.address, elsewhere), r.wrong(t, nobody, elsewhere), r.with(t, ada, elsewhere)
		for name, err := range map[string]error{"wrong": wrong, "unknown": unknown, "right": right, "wrong at home": r.wrong(t, ada.address, home)} {
			var e *limit.Exceeded
			if !errors.As(err, &e) || fault.Of(err).Message != fault.Of(unknown).Message || e.RetryAfter() <= 0 {
				t.Errorf("%s: %v", name, err)
			}
		}
		stranger := Device{Addr: elsewhere.Addr, Browser: "x" + home.Browser}
		wantCode(t, "with a browser that is none", r.with(t, ada, stranger), "too_many_tries")
		wantCode(t, "another account", r.with(t, bob, elsewhere), "")
		wantCode(t, "in another's browser", r.with(t, human{address: ada.address, password: ada.password}, Device{Addr: from("192.0.2.50").Addr}), "too_many_tries")

		// Open where the person has been: in that network, and with that browser wherever it is.
		wantCode(t, "at home", r.with(t, ada, from(laptop.Addr.String())), "")
		wantCode(t, "with the browser", r.with(t, ada, away), "")
		wantCode(t, "where the browser was then", r.with(t, ada, from(away.Addr.String())), "")

		// That is no way to guess without end either.
		for i := range 10 {
			wantCode(t, "with the browser", r.wrong(t, ada.address, Device{Addr: from(fmt.Sprintf("198.19.0.%d", i)).Addr, Browser: home.Browser}), "too_many_tries")
		}
		wantCode(t, "with the browser, too often", r.with(t, ada, Device{Addr: elsewhere.Addr, Browser: home.Browser}), "too_many_tries")

		r.pass(24 * time.Hour)
		wantCode(t, "a day later", r.with(t, ada, elsewhere), "")
	})
}

// TestWayBackIn: whoever is kept out of a new place gets in with a message to their address, and is known there.
func TestWayBackIn(t *testing.T) {
	t.Parallel()
	eachRig(t, func(t *testing.T, r *rig) {
		r.Rules.FailuresAccount.Windows = []limit.Window{{Max: 3, Per: 24 * time.Hour}}
		ada := r.person(t, "active")
		_, token := r.signIn(t, ada, Browser, laptop)
		r.flood(t, ada.address, 3)
		c, _, err := r.Authenticate(t.Context(), token)
		if err != nil {
			t.Fatal(err)
		}
		phone := Device{Addr: from("203.0.113.9").Addr, Browser: NewBrowser()}
		wantCode(t, "a new place", r.with(t, ada, phone), "too_many_tries")
		wantCode(t, "out of a session, wherever it is", r.ChangePassword(t.Context(), c, ada.password, another, phone), "")
		ada.password = another
		r.flood(t, ada.address, 3)
		wantCode(t, "a new place", r.with(t, ada, phone), "too_many_tries")
		reset := r.ask(t, ada.address, phone)
		wantCode(t, "the link", r.Reset(t.Context(), ResetRequest{Token: reset, Password: goodWord}, phone), "")
		ada.password = goodWord
		r.flood(t, ada.address, 3)
		wantCode(t, "where the link was opened", r.with(t, ada, phone), "")
	})
}

// TestGuessesInSessions: sessions open a closed account to no more guesses than one place does, however many there are.
func TestGuessesInSessions(t *testing.T) {
	t.Parallel()
	eachRig(t, func(t *testing.T, r *rig) {
		r.Rules.FailuresAccount.Windows = []limit.Window{{Max: 3, Per: 24 * time.Hour}}
		ada := r.person(t, "active")
		r.flood(t, ada.address, 2)
		change := func(what, present, want string) {
			t.Helper()
			s, _, err := r.Begin(t.Context(), id.DefaultOrg, ada.id, Launched, Device{})
			if err != nil {
				t.Fatal(err)
			}
			c := access.SignedIn(id.DefaultOrg, ada.id, s.ID, 0)
			wantCode(t, what, r.ChangePassword(t.Context(), c, present, another, from(fmt.Sprintf("198.19.1.%d", count.Add(1)%250))), want)
		}
		change("the last guess of an open account", "a wrong word", "bad_login")
		for range 2 {
			change("a guess at a closed one", "a wrong word", "too_many_tries")
		}
		change("right, but too late", ada.password, "too_many_tries")
		r.pass(24 * time.Hour)
		change("a day later", ada.password, "")
	})
}

// TestPlacesAreForgotten some time after the last sign-in, and with nothing that the database shows of them.
func TestPlacesAreForgotten(t *testing.T) {
	t.Parallel()
	eachRig(t, func(t *testing.T, r *rig) {
		r.Rules.FailuresAccount.Windows = []limit.Window{{Max: 1, Per: time.Hour}}
		ada := r.person(t, "active")
		home := Device{Addr: laptop.Addr, Browser: NewBrowser()}
		r.signIn(t, ada, Browser, home)
		r.pass(PlaceLife - time.Minute)
		r.flood(t, ada.address, 1)
		wantCode(t, "in time", r.with(t, ada, home), "")
		r.pass(PlaceLife + time.Minute)
		r.flood(t, ada.address, 1)
		wantCode(t, "too late", r.with(t, ada, home), "too_many_tries")
		rows := func() (n int) {
			err := r.db.Read(t.Context(), func(tx *db.Tx) error {
				return tx.Row(t.Context(), "SELECT count(*) FROM signin_places WHERE length(place_hash) = 32").Scan(&n)
			})
			if err != nil {
				t.Fatal(err)
			}
			return n
		}
		if n := rows(); n != 2 {
			t.Errorf("%d places", n)
		}
		if err := r.Sweep(t.Context()); err != nil || rows() != 0 {
			t.Errorf("%d places are left, %v", rows(), err)
		}
	})
}

// TestClosedTiming: where an account is closed, the right password, a wrong one and an address that nobody has take the same
// time.
func TestClosedTiming(t *testing.T) {
	for _, e := range dbtest.Engines { // one after the other
		t.Run(e.String(), func(t *testing.T) {
			r := newRig(t, dbtest.Open(t, e))
			r.Passwords.Cost = usual
			many := []limit.Window{{Max: 1000, Per: time.Hour}}
			r.Rules.Failures.Windows, r.Rules.FailuresGroup.Windows, r.Rules.FailuresAccount.Windows = many, many, []limit.Window{{Max: 1, Per: time.Hour}}
			ada := r.person(t, "active")
			r.signIn(t, ada, Browser, laptop)
			const nobody = "nobody@example.com"
			for _, address := range []string{ada.address, nobody} {
				wantCode(t, "the first", r.wrong(t, address, from("203.0.113.1")), "bad_login")
			}
			elsewhere := from("203.0.113.2")
			sameTime(t, func() { wantCode(t, "right", r.with(t, ada, elsewhere), "too_many_tries") },
				func() { wantCode(t, "unknown", r.wrong(t, nobody, elsewhere), "too_many_tries") })
			sameTime(t, func() { wantCode(t, "wrong where ada has been", r.wrong(t, ada.address, laptop), "too_many_tries") },
				func() { wantCode(t, "unknown", r.wrong(t, nobody, laptop), "too_many_tries") })
		})
	}
}
