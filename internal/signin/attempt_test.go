package signin

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"rollway/internal/db"
	"rollway/internal/db/dbtest"
	"rollway/internal/fault"
	"rollway/internal/fault/faulttest"
	"rollway/internal/id"
	"rollway/internal/limit"
)

func (r *rig) wrong(t testing.TB, address string, from Device) error {
	t.Helper()
	_, _, err := r.SignIn(t.Context(), Browser, address, "not the password", from)
	if err == nil {
		t.Fatal("a wrong password is right")
	}
	return err
}

// TestUnknownAndWrong get the same answer, also in how often they may be tried.
func TestUnknownAndWrong(t *testing.T) {
	t.Parallel()
	eachRig(t, func(t *testing.T, r *rig) {
		ada := r.person(t, "active")
		for i := range 12 {
			wrong, unknown := r.wrong(t, ada.address, laptop), r.wrong(t, "nobody@example.com", laptop)
			if wrong.Error() != unknown.Error() && !fault.Is(wrong, fault.TooMany) || fault.Of(wrong).Code != fault.Of(unknown).Code || fault.Of(wrong).Kind != fault.Of(unknown).Kind {
				t.Fatalf("try %d: %v and %v", i, wrong, unknown)
			}
			if want := map[bool]string{true: "bad_login", false: "too_many_tries"}[i < 10]; fault.Of(wrong).Code != want {
				t.Fatalf("try %d: %v", i, wrong)
			}
		}
		for _, address := range []string{"", "no address", "@", ada.address + "\x00"} {
			wantCode(t, address, r.wrong(t, address, from("192.0.2.99")), "bad_login")
		}
	})
}

// TestFailuresAreLimited where they come from, and nowhere else: nobody locks somebody else out.
func TestFailuresAreLimited(t *testing.T) {
	t.Parallel()
	eachRig(t, func(t *testing.T, r *rig) {
		ada := r.person(t, "active")
		for range 10 {
			wantCode(t, "wrong", r.wrong(t, ada.address, laptop), "bad_login")
		}
		_, _, err := r.SignIn(t.Context(), Browser, ada.address, ada.password, laptop)
		var e *limit.Exceeded
		if !errors.As(err, &e) || e.RetryAfter() <= 0 || !fault.Is(err, fault.TooMany) {
			t.Fatalf("the right password after ten wrong ones: %v", err)
		}
		r.signIn(t, ada, Browser, from("192.0.2.8"))
		r.signIn(t, r.person(t, "active"), Browser, laptop)
		r.pass(e.RetryAfter())
		r.signIn(t, ada, Browser, laptop)

		// An IPv6 network is one place.
		for i := range 10 {
			wantCode(t, "wrong", r.wrong(t, ada.address, from(fmt.Sprintf("2001:db8:1:2::%x", i+1))), "bad_login")
		}
		wantCode(t, "from the same network", r.wrong(t, ada.address, from("2001:db8:1:2:ffff::1")), "too_many_tries")

		// One place that tries many addresses.
		r.Rules.FailuresGroup.Windows = []limit.Window{{Max: 20, Per: time.Hour}}
		for i := range 20 {
			wantCode(t, "wrong", r.wrong(t, fmt.Sprintf("nobody%d@example.com", i), from("198.51.100.1")), "bad_login")
		}
		wantCode(t, "one more", r.wrong(t, "nobody@example.com", from("198.51.100.1")), "too_many_tries")
	})
}

// TestManyAtOnce: guesses that arrive together are no more than the limit, but for one for each core.
func TestManyAtOnce(t *testing.T) {
	t.Parallel()
	eachRig(t, func(t *testing.T, r *rig) {
		ada := r.person(t, "active")
		var tried atomic.Int64
		var all sync.WaitGroup
		for range 60 {
			all.Go(func() {
				switch err := r.wrong(t, ada.address, laptop); fault.Of(err).Code {
				case "bad_login":
					tried.Add(1)
				case "too_many_tries":
				default:
					t.Error(err)
				}
			})
		}
		all.Wait()
		if n := tried.Load(); n > 10 || n < 5 {
			t.Errorf("%d of 60 guesses were answered", n)
		}
	})
}

// TestRefusedDoNotQueue: whoever has tried too often is told so while others wait for a core.
func TestRefusedDoNotQueue(t *testing.T) {
	t.Parallel()
	eachRig(t, func(t *testing.T, r *rig) {
		ada := r.person(t, "active")
		for range 10 {
			wantCode(t, "wrong", r.wrong(t, ada.address, laptop), "bad_login")
		}
		for range cap(r.Passwords.queue) {
			r.Passwords.queue <- struct{}{}
		}
		wantCode(t, "too often", r.wrong(t, ada.address, laptop), "too_many_tries")
		faulttest.Want(t, r.wrong(t, ada.address, from("198.51.100.1")), fault.Unavailable, "sign_in_busy")
	})
}

// TestTiming: an unknown address and a wrong password take the same time, whatever else the machine does.
func TestTiming(t *testing.T) {
	for _, e := range dbtest.Engines { // one after the other
		t.Run(e.String(), func(t *testing.T) {
			r := newRig(t, dbtest.Open(t, e))
			r.Passwords.Cost = usual
			r.Rules.Failures.Windows, r.Rules.FailuresGroup.Windows = []limit.Window{{Max: 1000, Per: time.Hour}}, []limit.Window{{Max: 1000, Per: time.Hour}}
			ada := r.person(t, "active")
			sameTime(t, func() { wantCode(t, "wrong", r.wrong(t, ada.address, laptop), "bad_login") },
				func() { wantCode(t, "unknown", r.wrong(t, "nobody@example.com", laptop), "bad_login") })
		})
	}
}

// sameTime fails when the medians of two things differ by more than 5 ms and 10 %, each time that it looks: the machine is
// never quiet, but a difference in the work is always there.
func sameTime(t *testing.T, one, other func()) {
	t.Helper()
	const rounds, looks = 20, 8
	for look := range looks {
		var times [2][]time.Duration
		for range rounds {
			for _, i := range rand.Perm(2) {
				start := time.Now()
				[]func(){one, other}[i]()
				times[i] = append(times[i], time.Since(start))
			}
		}
		slices.Sort(times[0])
		slices.Sort(times[1])
		a, b := times[0][rounds/2], times[1][rounds/2]
		t.Logf("%v and %v", a, b)
		if (a - b).Abs() <= max(5*time.Millisecond, a/10) {
			return
		}
		if look == looks-1 {
			t.Errorf("one takes %v, the other %v", a, b)
		}
	}
}

// TestRenewal: a hash of another cost is replaced at the next sign-in, and only then.
func TestRenewal(t *testing.T) {
	t.Parallel()
	eachRig(t, func(t *testing.T, r *rig) {
		ada := r.person(t, "active")
		before := r.stored(t, ada)
		r.signIn(t, ada, Browser, laptop)
		if r.stored(t, ada) != before {
			t.Fatal("replaced without need")
		}
		r.Passwords.Cost = Cost{Memory: 128, Passes: 2, Threads: 1}
		wantCode(t, "wrong", r.wrong(t, ada.address, laptop), "bad_login")
		if r.stored(t, ada) != before {
			t.Fatal("replaced by a wrong password")
		}
		r.signIn(t, ada, Browser, laptop)
		after := r.stored(t, ada)
		if h, err := parseStored(after); err != nil || h.Cost != r.Passwords.Cost {
			t.Fatal(after, err)
		}
		r.signIn(t, ada, Browser, laptop)
		if r.stored(t, ada) != after {
			t.Fatal("replaced again")
		}
	})
}

func (r *rig) stored(t *testing.T, h human) (phc string) {
	t.Helper()
	err := r.db.Read(t.Context(), func(tx *db.Tx) error {
		return tx.Row(t.Context(), "SELECT password FROM logins WHERE org_id = 1 AND person_id = ?", h.id).Scan(&phc)
	})
	if err != nil {
		t.Fatal(err)
	}
	return phc
}

func TestLogins(t *testing.T) {
	t.Parallel()
	eachRig(t, func(t *testing.T, r *rig) {
		ada := r.person(t, "active")
		phc := r.stored(t, ada)
		enrol := func(org id.OrgID, person id.PersonID, address string) error {
			return r.db.Write(t.Context(), func(tx *db.Tx) error { return r.EnrolTx(t.Context(), tx, org, person, address, phc) })
		}
		wantCode(t, "an address twice", enrol(1, id.New[id.PersonID](), ada.address), "address_taken")
		wantCode(t, "in another organization", enrol(2, id.New[id.PersonID](), ada.address), "address_taken")
		wantCode(t, "a second login", enrol(1, ada.id, "second@example.com"), "login_exists")
		wantCode(t, "no address", enrol(1, id.New[id.PersonID](), ""), "bad_address")
		r.write(t, func(tx *db.Tx) error {
			l, ok, err := r.FindTx(t.Context(), tx, ada.address)
			if err != nil || !ok || l.Person != ada.id || l.Org != 1 {
				t.Error(l, ok, err)
			}
			if _, ok, err := r.FindTx(t.Context(), tx, "nobody@example.com"); ok || err != nil {
				t.Error(ok, err)
			}
			return nil
		})
	})
}

// TestEnrolRace: of many who enrol with one address, one has it.
func TestEnrolRace(t *testing.T) {
	t.Parallel()
	eachRig(t, func(t *testing.T, r *rig) {
		phc, err := r.Passwords.Hash(t.Context(), goodWord)
		if err != nil {
			t.Fatal(err)
		}
		var won atomic.Int64
		var all sync.WaitGroup
		for range 30 {
			all.Go(func() {
				err := r.db.Write(t.Context(), func(tx *db.Tx) error {
					return r.EnrolTx(t.Context(), tx, 1, id.New[id.PersonID](), "one@example.com", phc)
				})
				switch {
				case err == nil:
					won.Add(1)
				case fault.Of(err).Code != "address_taken":
					t.Error(err)
				}
			})
		}
		all.Wait()
		if won.Load() != 1 {
			t.Errorf("%d have the address", won.Load())
		}
	})
}

func TestChangePassword(t *testing.T) {
	t.Parallel()
	eachRig(t, func(t *testing.T, r *rig) {
		ada := r.person(t, "active")
		_, token := r.signIn(t, ada, Browser, laptop)
		_, other := r.signIn(t, ada, Dialect, laptop)
		c, _, err := r.Authenticate(t.Context(), token)
		if err != nil {
			t.Fatal(err)
		}
		change := func(present, password string) error {
			return r.ChangePassword(t.Context(), c, present, password, laptop)
		}
		const next = "three slow otters"
		wantCode(t, "a wrong one", change("not it", next), "bad_login")
		wantCode(t, "short", change(ada.password, "short"), "password_too_short")
		wantCode(t, "personal", change(ada.password, "Ada Lovelace 1815"), "password_personal")
		wantCode(t, "the site's", change(ada.password, "Example Academy!"), "password_personal")
		wantCode(t, "common", change(ada.password, "passwordpassword"), "password_common")
		wantCode(t, "the present one", change(ada.password, ada.password), "password_same")
		wantCode(t, "the present one instead of the present one", change("not it at all, no", "not it at all, no"), "bad_login")
		r.expect(t, "nothing has changed", other, "")
		wantCode(t, "good", change(ada.password, next), "")
		r.expect(t, "where it was changed", token, "")
		r.expect(t, "elsewhere", other, "session_invalid")
		wantCode(t, "the old one", fromSignIn(r.SignIn(t.Context(), Browser, ada.address, ada.password, laptop)), "bad_login")
		wantCode(t, "composed", change(next, "sieben große Bären"), "")
		wantCode(t, "the same, decomposed", change("sieben große Bären", "sieben große Ba\u0308ren"), "password_same")
		wantCode(t, "back", change("sieben große Ba\u0308ren", next), "")
		wantCode(t, "the new one", fromSignIn(r.SignIn(t.Context(), Browser, ada.address, next, laptop)), "")
		wantCode(t, "nobody", r.ChangePassword(t.Context(), r.boss, next, goodWord, laptop), "session_missing")
	})
}

func fromSignIn(_ Session, _ string, err error) error { return err }
