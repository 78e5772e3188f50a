package signin

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/crypto/argon2"
	"pgregory.net/rapid"

	"rollway/internal/access"
	"rollway/internal/fault"
)

func TestPolicy(t *testing.T) {
	t.Parallel()
	own := []string{"ada.lovelace@analytical.example", "Ada Lovelace", "Rollway"}
	usual, low, compat := Policy{Min: Usual}, Policy{Min: Low}, Policy{Min: Lowest, Listed: true}
	for _, c := range []struct {
		policy   Policy
		password string
		want     string // codes; the first is the fault's
	}{
		{usual, "seven quiet herons", ""},
		{usual, "correct horse battery staple chair", ""},
		{usual, "zwölf Boxkämpfer jagen", ""},
		{usual, "пятнадцать букв", ""},
		{usual, "a b c d e f g 1", ""},
		{usual, "tangle-mosaic", "password_too_short"},
		{low, "tangle-mosaic", ""},
		{usual, "p@ssw0rd", "password_too_short"},
		{low, "p@ssw0rd", "password_too_short"},
		{compat, "p@ssw0rd", ""},
		{compat, "secret", "password_too_short"},
		{usual, "", "password_too_short password_common"},
		{usual, "passwordpassword", "password_common"},
		{usual, "PASSWORDpassword", "password_common"},
		{usual, "123456789012345", "password_common"},
		{usual, "aaaaaaaaaaaaaaaaaaaaaa", "password_common"},
		{usual, "abcabcabcabcabcabc", "password_common"},
		{usual, "xkcd93 xkcd93 xkcd93 ", "password_common"},
		{usual, "lovelace-ada-1815", "password_personal"},
		{usual, "ADA.LOVELACE@analytical.example", "password_personal"},
		{usual, "RollwayRollway1!", "password_personal"},
		{usual, "rollway", "password_too_short password_personal"},
		{usual, "lovelace wrote the first program", ""},
		{usual, "line\nbreaks are not typed", "password_malformed"},
		{usual, "\xff\xfe not text at all", "password_malformed"},
		{usual, strings.Repeat("é", 1000), "password_too_long"},
		{usual, strings.Repeat("abcdefg ", 32) + "i", "password_too_long"},
		{usual, strings.Repeat("abcdefg ", 31) + "hijklmno", ""},
	} {
		err := c.policy.Check(c.password, own...)
		var got []string
		var f *fault.Error
		if errors.As(err, &f) {
			got = append(got, f.Code)
			if f.Kind != fault.Invalid || len(f.Fields) != max(1, len(strings.Fields(c.want))) {
				t.Errorf("%.40q: %v with %d fields", c.password, f.Kind, len(f.Fields))
			}
			for _, field := range f.Fields {
				if field.Name != "password" || field.Value != "" {
					t.Errorf("%.40q: field %+v", c.password, field)
				}
			}
		} else if err != nil {
			t.Fatal(err)
		}
		if want := strings.Fields(c.want); len(want) > 0 != (len(got) > 0) || len(want) > 0 && want[0] != got[0] {
			t.Errorf("%.40q: got %v, want %v", c.password, got, want)
		}
	}
}

// TestPolicyLength: composition does not change how long a password is.
func TestPolicyLength(t *testing.T) {
	t.Parallel()
	if err := (Policy{Min: 12}).Check("o\u0308a\u0308u\u0308o\u0308a\u0308u\u0308 kran"); fault.Of(err).Code != "password_too_short" {
		t.Errorf("eleven letters in seventeen code points: %v", err)
	}
}

// cheap makes hashing fast where its price is not the subject.
func cheap(p *Passwords) *Passwords {
	p.Cost = Cost{Memory: 64, Passes: 1, Threads: 1}
	return p
}

func TestHash(t *testing.T) {
	t.Parallel()
	key := access.NewKey()
	p := NewPasswords(key)
	phc, err := p.Hash(t.Context(), "zw\u00f6lf Boxk\u00e4mpfer")
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(phc, "$argon2id$v=19$m=19456,t=2,p=1,keyid=") {
		t.Fatal(phc)
	}
	check := func(p *Passwords, phc, password string, wantRight, wantStale bool) {
		t.Helper()
		right, stale, err := p.verify(phc, password)
		if err != nil || right != wantRight || stale != wantStale {
			t.Fatalf("%q: right %v, stale %v, %v", password, right, stale, err)
		}
	}
	check(p, phc, "zwo\u0308lf Boxka\u0308mpfer", true, false)
	check(p, phc, "zw\u00f6lf boxk\u00e4mpfer", false, false)
	check(NewPasswords(access.NewKey()), phc, "zw\u00f6lf Boxk\u00e4mpfer", false, false)
	check(p, p.dummy(), "zw\u00f6lf Boxk\u00e4mpfer", false, false)
	check(cheap(NewPasswords(key)), phc, "zw\u00f6lf Boxk\u00e4mpfer", true, true)
	if again, err := p.Hash(t.Context(), "zw\u00f6lf Boxk\u00e4mpfer"); err != nil || again == phc {
		t.Fatal("two hashes are the same", err)
	}
	// One from elsewhere, without the key: good, and to be replaced.
	salt := []byte("16 bytes of salt")
	foreign := stored{Cost: usual, salt: salt, hash: argon2.IDKey([]byte("imported words"), salt, 2, 19<<10, 1, 32)}
	check(p, foreign.String(), "imported words", true, true)
}

func TestHashQueue(t *testing.T) {
	t.Parallel()
	p := cheap(NewPasswords(access.NewKey()))
	hold, held := make(chan struct{}), make(chan struct{}, cap(p.queue))
	var all sync.WaitGroup
	for range cap(p.cores) {
		all.Go(func() {
			if err := p.turn(t.Context(), func() error { held <- struct{}{}; <-hold; return nil }); err != nil {
				t.Error(err)
			}
		})
	}
	for range cap(p.cores) {
		<-held
	}
	impatient, cancel := context.WithCancel(t.Context())
	for range maxQueue {
		all.Go(func() {
			if _, err := p.Hash(impatient, "who waits in vain"); !errors.Is(err, context.Canceled) {
				t.Error(err)
			}
		})
	}
	for len(p.queue) < cap(p.queue) {
		time.Sleep(time.Millisecond)
	}
	if _, err := p.Hash(t.Context(), "one too many"); fault.Of(err).Code != "sign_in_busy" || !fault.Is(err, fault.Unavailable) {
		t.Error(err)
	}
	cancel()
	close(hold)
	all.Wait()
	if _, err := p.Hash(t.Context(), "room again"); err != nil {
		t.Error(err)
	}
}

func TestStored(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		s := stored{Cost: Cost{rapid.Uint32Range(64, maxMemory).Draw(t, "m"), rapid.Uint32Range(1, maxPasses).Draw(t, "t"), rapid.Uint8Range(1, maxThread).Draw(t, "p")},
			keyID: string(rapid.SliceOfN(rapid.Byte(), 0, 8).Draw(t, "keyid")),
			salt:  rapid.SliceOfN(rapid.Byte(), 8, 64).Draw(t, "salt"), hash: rapid.SliceOfN(rapid.Byte(), 16, 64).Draw(t, "hash")}
		back, err := parseStored(s.String())
		if err != nil || back.String() != s.String() || back.Cost != s.Cost || back.keyID != s.keyID {
			t.Fatal(s, back, err)
		}
	})
	for _, bad := range []string{"", "$argon2id$v=19$m=19456,t=2,p=1$c2FsdHNhbHQ$", "$argon2i$v=19$m=19456,t=2,p=1$c2FsdHNhbHQ$aGFzaGhhc2hoYXNoaGFzaA",
		"$argon2id$v=19$m=019456,t=2,p=1$c2FsdHNhbHQ$aGFzaGhhc2hoYXNoaGFzaA", "$argon2id$v=19$m=99999999,t=2,p=1$c2FsdHNhbHQ$aGFzaGhhc2hoYXNoaGFzaA",
		"$argon2id$v=19$m=8,t=2,p=8$c2FsdHNhbHQ$aGFzaGhhc2hoYXNoaGFzaA", "$argon2id$v=19$m=19456,t=2,p=1,keyid=$c2FsdHNhbHQ$aGFzaGhhc2hoYXNoaGFzaA",
		"$argon2id$v=19$m=19456,t=2,p=1,keyid=AAAA\n$c2FsdHNhbHQ$aGFzaGhhc2hoYXNoaGFzaA", "$argon2id$v=19$m=19456,t=2,p=1$c2FsdHNhbHQ\r\n$aGFzaGhhc2hoYXNoaGFzaA"} {
		if _, err := parseStored(bad); err == nil {
			t.Errorf("%q is taken", bad)
		}
	}
}

func FuzzStored(f *testing.F) {
	f.Add("$argon2id$v=19$m=19456,t=2,p=1,keyid=AAAA$c2FsdHNhbHQ$aGFzaGhhc2hoYXNoaGFzaA")
	f.Fuzz(func(t *testing.T, text string) {
		if s, err := parseStored(text); err == nil && s.String() != text {
			t.Fatalf("%q is read as %q", text, s)
		}
	})
}

func BenchmarkHash(b *testing.B) {
	p := NewPasswords(access.NewKey())
	for b.Loop() {
		if _, err := p.Hash(b.Context(), "seven quiet herons"); err != nil {
			b.Fatal(err)
		}
	}
}
