package challenge

import (
	"bytes"
	"errors"
	"image/jpeg"
	"net/netip"
	"testing"
	"time"

	"rollway/internal/db"
	"rollway/internal/fault"
	"rollway/internal/id"
	"rollway/internal/limit"
)

// Six in 5 minutes, 15 in 15 minutes, 20 in 60 minutes; what would exceed is refused, says when to come back, and is not
// counted.
func TestIssueLimits(t *testing.T) {
	each(t, Config{}, func(t *testing.T, h *house) {
		allowed := 0
		for range 60 { // one a minute
			for range 10 {
				_, err := h.Issue(t.Context(), From{Org: id.DefaultOrg, Addr: ada})
				var e *limit.Exceeded
				if errors.As(err, &e) {
					want(t, "refusal", err, fault.TooMany, "too_many_tries")
					if e.RetryAfter() <= 0 || e.RetryAfter() > time.Hour {
						t.Errorf("come back after %v", e.RetryAfter())
					}
					break
				}
				if err != nil {
					t.Fatal(err)
				}
				allowed++
			}
			h.advance(time.Minute)
		}
		if allowed != 20 {
			t.Errorf("%d challenges in an hour, not 20", allowed)
		}
		if n := h.count("challenges"); n != allowed {
			t.Errorf("%d of %d are kept", n, allowed)
		}
		h.issue(From{Addr: brian})
	})
}

func TestIssueLimitsPerNetworkAndToken(t *testing.T) {
	each(t, Config{PerToken: []limit.Window{{Max: 8, Per: time.Hour}}}, func(t *testing.T, h *house) {
		address := netip.MustParseAddr("2001:db8:0:1::1")
		for range 6 {
			h.issue(From{Addr: address, Token: "token a"})
			address = address.Next()
		}
		_, err := h.Issue(t.Context(), From{Org: id.DefaultOrg, Addr: address, Token: "token a"})
		want(t, "a seventh of the network", err, fault.TooMany, "too_many_tries")
		h.issue(From{Addr: ada, Token: "token a"})
		h.issue(From{Addr: brian, Token: "token a"})
		_, err = h.Issue(t.Context(), From{Org: id.DefaultOrg, Addr: netip.MustParseAddr("198.51.100.1"), Token: "token a"})
		want(t, "a ninth of the token", err, fault.TooMany, "too_many_tries")
		h.issue(From{Addr: brian, Token: "token b"})
		h.issue(From{Addr: brian})
	})
}

// A picture never changes and may be had three times by one address.
func TestPicture(t *testing.T) {
	each(t, Config{}, func(t *testing.T, h *house) {
		ch, _ := h.issue(From{})
		get := func(form Form, ask Access) ([]byte, error) { return h.Picture(t.Context(), ch.Number, form, ask) }
		small, err := get(Small, Access{Addr: ada})
		if err != nil {
			t.Fatal(err)
		}
		if img, err := jpeg.DecodeConfig(bytes.NewReader(small)); err != nil || img.Width != 150 || img.Height != 40 {
			t.Errorf("%+v, %v", img, err)
		}
		again, err := get(Small, Access{Addr: ada})
		if err != nil || !bytes.Equal(again, small) {
			t.Errorf("drawn again it differs, or %v", err)
		}
		large, err := get(Large, Access{Addr: ada})
		if err != nil {
			t.Fatal(err)
		}
		if img, err := jpeg.DecodeConfig(bytes.NewReader(large)); err != nil || img.Width != 300 || img.Height != 80 {
			t.Errorf("%+v, %v", img, err)
		}
		_, err = get(Small, Access{Addr: ada})
		want(t, "a fourth time", err, fault.TooMany, "too_many_tries")
		_, err = get(Small, Access{Addr: ada, Anywhere: true})
		want(t, "a fourth time with a session", err, fault.TooMany, "too_many_tries")
		for range 3 {
			_, err = get(Small, Access{Addr: brian, Anywhere: true})
			want(t, "another address", err, 0, "")
		}
		_, err = get(Small, Access{Addr: brian, Anywhere: true})
		want(t, "another address, a fourth time", err, fault.TooMany, "too_many_tries")
	})
}

func TestWhoMaySeeIt(t *testing.T) {
	each(t, Config{}, func(t *testing.T, h *house) {
		address := netip.MustParseAddr("2001:db8:0:1::1")
		ch, _ := h.issue(From{Addr: address, Token: "token a"})
		for _, c := range []struct {
			who string
			ask Access
			may bool
		}{
			{"who asked", Access{Addr: address}, true},
			{"the same network", Access{Addr: netip.MustParseAddr("2001:db8:0:1:2::3")}, true},
			{"another network", Access{Addr: netip.MustParseAddr("2001:db8:0:2::1")}, false},
			{"nobody", Access{}, false},
			{"anywhere with a session", Access{Addr: brian, Anywhere: true, Token: "token a"}, true},
			{"a session of another token", Access{Addr: brian, Anywhere: true, Token: "token b"}, false},
			{"the same network, a session of another token", Access{Addr: address, Token: "token b"}, false},
		} {
			code := ""
			if !c.may {
				code = "challenge_unknown"
			}
			got, err := h.Get(t.Context(), ch.Number, c.ask)
			want(t, c.who, err, fault.NotFound, code)
			if c.may && got != ch {
				t.Errorf("%s got %+v, not %+v", c.who, got, ch)
			}
			_, err = h.Picture(t.Context(), ch.Number, Small, c.ask)
			want(t, c.who+", picture", err, fault.NotFound, code)
			_, err = h.Audio(t.Context(), ch.Number, "en", c.ask)
			want(t, c.who+", audio", err, fault.NotFound, code)
		}
		_, err := h.Get(t.Context(), ch.Number+1, Access{Addr: address, Anywhere: true})
		want(t, "another number", err, fault.NotFound, "challenge_unknown")
	})
}

func TestAudio(t *testing.T) {
	each(t, Config{Listens: 2}, func(t *testing.T, h *house) {
		ch, _ := h.issue(From{})
		first, err := h.Audio(t.Context(), ch.Number, "fr", Access{Addr: ada})
		if err != nil || !bytes.HasPrefix(first, []byte("RIFF")) {
			t.Fatalf("%.8q, %v", first, err)
		}
		again, err := h.Audio(t.Context(), ch.Number, "fr", Access{Addr: ada})
		if err != nil || !bytes.Equal(first, again) {
			t.Errorf("said again it differs, or %v", err)
		}
		_, err = h.Audio(t.Context(), ch.Number, "fr", Access{Addr: ada})
		want(t, "a third time", err, fault.TooMany, "too_many_tries")
		// All languages that it cannot speak are one.
		for n, lang := range []string{"en", "it", "EN"} {
			_, err := h.Audio(t.Context(), ch.Number, lang, Access{Addr: ada})
			want(t, lang, err, fault.TooMany, []string{"", "", "too_many_tries"}[n])
		}
	})
}

// A number that is another challenge's is drawn again.
func TestNumbersDoNotMeet(t *testing.T) {
	each(t, unlimited, func(t *testing.T, h *house) {
		seen := map[int64]bool{}
		for range 100 {
			ch, _ := h.issue(From{})
			if seen[ch.Number] {
				t.Fatalf("%d twice", ch.Number)
			}
			seen[ch.Number] = true
			err := h.db.Write(t.Context(), func(tx *db.Tx) error { return h.insert(t.Context(), tx, ch, From{Org: id.DefaultOrg}, "other") })
			if !errors.Is(err, db.ErrUnique) {
				t.Fatalf("a second challenge %d: %v", ch.Number, err)
			}
		}
	})
}
