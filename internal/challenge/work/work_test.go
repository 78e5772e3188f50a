package work

import (
	"encoding/base64"
	"encoding/hex"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/go-json-experiment/json"
)

var (
	now   = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	maker = Maker{Cost: 10, Least: 3, Most: 40, Signature: "one secret", Key: "another"}
)

// solve is what a solver does: it tries one counter after the other.
func solve(t testing.TB, text []byte) payload {
	t.Helper()
	p := payload{}
	if err := json.Unmarshal(text, &p.Challenge, json.RejectUnknownMembers(true)); err != nil {
		t.Fatal(err)
	}
	q := p.Challenge.Parameters
	nonce, err1 := hex.DecodeString(q.Nonce)
	salt, err2 := hex.DecodeString(q.Salt)
	if err := errors.Join(err1, err2); err != nil {
		t.Fatal(err)
	}
	for counter := uint32(0); counter < 1000; counter++ {
		key, err := derive(nonce, salt, counter, q.Cost)
		if err != nil {
			t.Fatal(err)
		}
		if text := hex.EncodeToString(key); strings.HasPrefix(text, q.KeyPrefix) {
			p.Solution = solution{Counter: counter, DerivedKey: text, Time: 12.5}
			return p
		}
	}
	t.Fatalf("no counter solves %s", text)
	return p
}

func packed(t testing.TB, p payload) string {
	t.Helper()
	text, err := json.Marshal(p)
	if err != nil {
		t.Fatal(err)
	}
	return base64.StdEncoding.EncodeToString(text)
}

func made(t testing.TB) []byte {
	t.Helper()
	text, err := maker.Make("sign-up", now.Add(time.Minute))
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func TestSolved(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for range 20 {
		p := solve(t, made(t))
		if p.Solution.Counter < 3 || p.Solution.Counter > 40 {
			t.Errorf("the counter is %d", p.Solution.Counter)
		}
		got, err := maker.Check(packed(t, p), "sign-up", now)
		if err != nil || got.Nonce != p.Challenge.Parameters.Nonce || !got.Expires.Equal(now.Add(time.Minute)) || seen[got.Nonce] {
			t.Fatalf("%+v, %v", got, err)
		}
		seen[got.Nonce] = true
	}
}

func TestNotSolved(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		change  func(*payload)
		purpose string
		after   time.Duration
		want    error
	}{
		"nothing changed":    {want: nil},
		"the last second":    {after: time.Minute - time.Microsecond},
		"too late":           {after: time.Minute, want: ErrExpired},
		"a later expiry":     {change: func(p *payload) { p.Challenge.Parameters.ExpiresAt++ }, want: ErrWrong},
		"less work":          {change: func(p *payload) { p.Challenge.Parameters.Cost-- }, want: ErrWrong},
		"another algorithm":  {change: func(p *payload) { p.Challenge.Parameters.Algorithm = "SHA-256" }, want: ErrWrong},
		"another nonce":      {change: func(p *payload) { p.Challenge.Parameters.Nonce = strings.Repeat("00", 16) }, want: ErrWrong},
		"another salt":       {change: func(p *payload) { p.Challenge.Parameters.Salt = strings.Repeat("00", 16) }, want: ErrWrong},
		"a shorter prefix":   {change: func(p *payload) { p.Challenge.Parameters.KeyPrefix = "00" }, want: ErrWrong},
		"a key of one's own": {change: func(p *payload) { p.Challenge.Parameters.KeySignature = sign("", nil) }, want: ErrWrong},
		"another purpose":    {change: func(p *payload) { p.Challenge.Parameters.Data.For = "other" }, purpose: "other", want: ErrWrong},
		"not its purpose":    {purpose: "other", want: ErrWrong},
		"no signature":       {change: func(p *payload) { p.Challenge.Signature = "" }, want: ErrWrong},
		"the prefix alone":   {change: func(p *payload) { p.Solution.DerivedKey = p.Challenge.Parameters.KeyPrefix }, want: ErrWrong},
		"no key":             {change: func(p *payload) { p.Solution.DerivedKey = "" }, want: ErrWrong},
		"no hexadecimal":     {change: func(p *payload) { p.Solution.DerivedKey = "key" }, want: ErrWrong},
		"a wrong key":        {change: func(p *payload) { p.Solution.DerivedKey = strings.Repeat("00", 32) }, want: ErrWrong},
	} {
		p := solve(t, made(t))
		if c.change != nil {
			c.change(&p)
		}
		if c.purpose == "" {
			c.purpose = "sign-up"
		}
		if _, err := maker.Check(packed(t, p), c.purpose, now.Add(c.after)); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, not %v", name, err, c.want)
		}
	}
	stranger := maker
	stranger.Signature = "a guess"
	if _, err := stranger.Check(packed(t, solve(t, made(t))), "sign-up", now); !errors.Is(err, ErrWrong) {
		t.Errorf("another maker's task: %v", err)
	}
}

func TestGarbage(t *testing.T) {
	t.Parallel()
	whole := packed(t, solve(t, made(t)))
	plain, err := base64.StdEncoding.DecodeString(whole)
	if err != nil {
		t.Fatal(err)
	}
	repack := func(old, new string) string {
		return base64.StdEncoding.EncodeToString([]byte(strings.Replace(string(plain), old, new, 1)))
	}
	for _, text := range []string{
		"", "e30=", "bnVsbA==", "W10=", "not base64", whole[:len(whole)-8], strings.Repeat("A", maxPayload+4),
		base64.StdEncoding.EncodeToString([]byte(`{"challenge":null,"solution":null,"test":true}`)),
		repack(`"counter":`, `"counter":-`),
		repack(`"counter":`, `"more":1,"counter":`),
		repack(`"cost":10`, `"cost":10,"cost":10`),
		repack(`"cost":10`, `"cost":1e1`),
	} {
		if got, err := maker.Check(text, "sign-up", now); !errors.Is(err, ErrWrong) {
			t.Errorf("%.80q was taken as %+v, %v", text, got, err)
		}
	}
}

func FuzzCheck(f *testing.F) {
	f.Add(packed(f, solve(f, made(f))))
	f.Add("e30=")
	f.Fuzz(func(t *testing.T, text string) {
		if got, err := maker.Check(text, "", now); err == nil { // nothing was made for this purpose
			t.Fatalf("%q was taken as %+v", text, got)
		}
	})
}

func BenchmarkMake(b *testing.B) {
	m := Maker{Cost: 5000, Least: 100, Most: 500, Signature: "a", Key: "b"}
	for b.Loop() {
		if _, err := m.Make("sign-up", now); err != nil {
			b.Fatal(err)
		}
	}
}
