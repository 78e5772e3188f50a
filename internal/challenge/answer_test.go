package challenge

import (
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"rollway/internal/challenge/speech"
	"rollway/internal/db"
	"rollway/internal/fault"
	"rollway/internal/id"
)

func TestRightAnswerIsUsedUpOnce(t *testing.T) {
	each(t, Config{}, func(t *testing.T, h *house) {
		ch, answer := h.issue(From{})
		for range 5 { // looking uses nothing up
			want(t, "check", h.Check(t.Context(), ch.Number, answer, ""), 0, "")
		}
		want(t, "consume", h.consume(ch.Number, answer, ""), 0, "")
		want(t, "consume again", h.consume(ch.Number, answer, ""), fault.Invalid, "challenge_unknown")
		want(t, "check again", h.Check(t.Context(), ch.Number, answer, ""), fault.Invalid, "challenge_unknown")
		_, err := h.Picture(t.Context(), ch.Number, Small, Access{Addr: ada})
		want(t, "picture", err, fault.NotFound, "challenge_unknown")
	})
}

func TestConsumptionGoesWithItsTransaction(t *testing.T) {
	each(t, Config{}, func(t *testing.T, h *house) {
		ch, answer := h.issue(From{})
		taken := fault.New(fault.Conflict, "address_taken", "Taken.")
		err := h.db.Write(t.Context(), func(tx *db.Tx) error {
			if err := h.ConsumeTx(t.Context(), tx, ch.Number, answer, ""); err != nil {
				return err
			}
			return taken
		})
		want(t, "another mistake", err, fault.Conflict, "address_taken")
		want(t, "the answer is still good", h.consume(ch.Number, answer, ""), 0, "")
	})
}

func TestAnswersAreForgiving(t *testing.T) {
	each(t, unlimited, func(t *testing.T, h *house) {
		for _, change := range []func(string) string{
			strings.ToUpper,
			func(s string) string { return " " + s + "\n" },
			func(s string) string { return strings.Join(strings.Split(s, ""), " ") },
		} {
			ch, answer := h.issue(From{})
			want(t, fmt.Sprintf("%q for %q", change(answer), answer), h.consume(ch.Number, change(answer), ""), 0, "")
		}
	})
	for _, c := range [][2]string{{"O0oL1l", "ooolll"}, {" a B\tc ", "abc"}, {"", ""}, {" \n", ""}} {
		if got := normal(c[0]); got != c[1] {
			t.Errorf("%q is compared as %q, not %q", c[0], got, c[1])
		}
	}
}

func TestThreeWrongAnswersEndIt(t *testing.T) {
	each(t, unlimited, func(t *testing.T, h *house) {
		ch, answer := h.issue(From{})
		for n := range 3 {
			want(t, "wrong", h.Check(t.Context(), ch.Number, answer+strings.Repeat("x", n+1), ""), fault.Invalid, "challenge_failed")
			if n == 1 {
				want(t, "right after two wrong", h.Check(t.Context(), ch.Number, answer, ""), 0, "")
			}
		}
		want(t, "a fourth", h.Check(t.Context(), ch.Number, "wrong", ""), fault.Invalid, "challenge_unknown")
		want(t, "right, but late", h.Check(t.Context(), ch.Number, answer, ""), fault.Invalid, "challenge_unknown")
		want(t, "used, but late", h.consume(ch.Number, answer, ""), fault.Invalid, "challenge_unknown")
		other, right := h.issue(From{})
		want(t, "another challenge", h.consume(other.Number, right, ""), 0, "")
	})
}

// Unknown challenges and empty answers are refused before anything is compared.
func TestNothingIsNeverRight(t *testing.T) {
	each(t, Config{}, func(t *testing.T, h *house) {
		ch, answer := h.issue(From{})
		for _, c := range []struct {
			number       int64
			answer, code string
		}{
			{ch.Number, "", "challenge_missing"},
			{ch.Number, " \t", "challenge_missing"},
			{0, answer, "challenge_missing"},
			{-1, answer, "challenge_missing"},
			{0, "", "challenge_missing"},
			{ch.Number + 1, answer, "challenge_unknown"},
			{1 << 62, answer, "challenge_unknown"},
		} {
			what := fmt.Sprintf("%q for %d", c.answer, c.number-ch.Number)
			want(t, "check "+what, h.Check(t.Context(), c.number, c.answer, ""), fault.Invalid, c.code)
			want(t, "consume "+what, h.consume(c.number, c.answer, ""), fault.Invalid, c.code)
		}
		want(t, "a wrong one", h.consume(ch.Number, "wrong", ""), fault.Invalid, "challenge_failed")
		want(t, "none of these has counted", h.consume(ch.Number, answer, ""), 0, "")
	})
}

func TestExpiry(t *testing.T) {
	each(t, Config{}, func(t *testing.T, h *house) {
		ch, answer := h.issue(From{})
		if ch.Expires.Sub(ch.Created) != 15*time.Minute {
			t.Errorf("it lives %v", ch.Expires.Sub(ch.Created))
		}
		h.advance(15*time.Minute - time.Microsecond)
		if err := h.Sweep(t.Context()); err != nil {
			t.Fatal(err)
		}
		want(t, "the last moment", h.Check(t.Context(), ch.Number, answer, ""), 0, "")
		h.advance(time.Microsecond)
		want(t, "check", h.Check(t.Context(), ch.Number, answer, ""), fault.Invalid, "challenge_unknown")
		want(t, "consume", h.consume(ch.Number, answer, ""), fault.Invalid, "challenge_unknown")
		_, err := h.Picture(t.Context(), ch.Number, Small, Access{Addr: ada})
		want(t, "picture", err, fault.NotFound, "challenge_unknown")
		h.advance(keep)
		if err := h.Sweep(t.Context()); err != nil {
			t.Fatal(err)
		}
		if n := h.count("challenges"); n != 0 {
			t.Errorf("%d challenges are left after the sweep", n)
		}
	})
}

func (h *house) count(table string) (n int) {
	err := h.db.Read(h.t.Context(), func(tx *db.Tx) error {
		return tx.Row(h.t.Context(), "SELECT count(*) FROM "+table).Scan(&n)
	})
	if err != nil {
		h.t.Fatal(err)
	}
	return n
}

func TestBoundToItsToken(t *testing.T) {
	each(t, Config{}, func(t *testing.T, h *house) {
		ch, answer := h.issue(From{Token: "token a"})
		for _, other := range []string{"", "token b"} {
			want(t, "check", h.Check(t.Context(), ch.Number, answer, other), fault.Invalid, "challenge_unknown")
			want(t, "consume", h.consume(ch.Number, answer, other), fault.Invalid, "challenge_unknown")
		}
		for range 5 { // nor do strangers use up its tries
			want(t, "wrong", h.Check(t.Context(), ch.Number, "wrong", "token b"), fault.Invalid, "challenge_unknown")
		}
		want(t, "its own", h.consume(ch.Number, answer, "token a"), 0, "")
		own, right := h.issue(From{})
		want(t, "that of our page", h.consume(own.Number, right, "token a"), fault.Invalid, "challenge_unknown")
	})
}

// A thousand parallel consumes of one right answer: one wins.
func TestThousandConsumes(t *testing.T) {
	each(t, Config{}, func(t *testing.T, h *house) {
		ch, answer := h.issue(From{})
		if won := parallel(t, 1000, func(int) error { return h.consume(ch.Number, answer, "") }); won != 1 {
			t.Errorf("%d of 1,000 parallel consumes of one answer succeeded", won)
		}
	})
}

// Many wrong answers at once do not get more than three compared: the right one among them, last, comes too late.
func TestThousandGuesses(t *testing.T) {
	each(t, Config{}, func(t *testing.T, h *house) {
		ch, answer := h.issue(From{})
		var compared atomic.Int64
		parallel(t, 300, func(n int) error {
			err := h.Check(t.Context(), ch.Number, fmt.Sprint("wrong", n), "")
			if fault.Of(err).Code == "challenge_failed" {
				compared.Add(1)
			}
			return err
		})
		if n := compared.Load(); n != 3 {
			t.Errorf("%d wrong answers were compared", n)
		}
		want(t, "the right one", h.consume(ch.Number, answer, ""), fault.Invalid, "challenge_unknown")
	})
}

// parallel runs fn so often at once and counts its successes; every failure must be a fault of the caller's.
func parallel(t *testing.T, times int, fn func(n int) error) int64 {
	t.Helper()
	var won atomic.Int64
	var wg sync.WaitGroup
	start := make(chan struct{})
	for n := range times {
		wg.Go(func() {
			<-start
			switch err := fn(n); {
			case err == nil:
				won.Add(1)
			case !fault.Is(err, fault.Invalid):
				t.Error(err)
			}
		})
	}
	close(start)
	wg.Wait()
	return won.Load()
}

// What is kept shows no answer, and neither does another installation with the same database know them.
func TestAnswersAreNotKept(t *testing.T) {
	each(t, unlimited, func(t *testing.T, h *house) {
		answers := map[string]bool{}
		for range 50 {
			ch, answer := h.issue(From{Token: "token a"})
			if len(answer) != 5 || strings.Trim(answer, speech.Alphabet) != "" || ch.Number < 1 || ch.Number > maxNumber {
				t.Errorf("%q is the answer of %d", answer, ch.Number)
			}
			answers[answer] = true
		}
		if len(answers) < 48 {
			t.Errorf("50 challenges have %d answers", len(answers))
		}
		err := h.db.Read(t.Context(), func(tx *db.Tx) error {
			return tx.Each(t.Context(), "SELECT id, number, answer, token, address FROM challenges", nil, func(r *db.Rows) error {
				var challenge id.ChallengeID
				var number int64
				var answer, token, address []byte
				if err := r.Scan(&challenge, &number, &answer, &token, &address); err != nil {
					return err
				}
				if len(answer) != 32 || len(token) != 32 || len(address) != 32 {
					t.Errorf("kept in clear: %q, %q, %q", answer, token, address)
				}
				return nil
			})
		})
		if err != nil {
			t.Fatal(err)
		}
		ch, answer := h.issue(From{})
		stranger := newHouse(t, h.db, Config{})
		stranger.clock.Store(h.clock.Load())
		if stranger.answerOf(ch.ID) == answer {
			t.Error("another key knows the answer")
		}
	})
}
