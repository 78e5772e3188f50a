package access_test

import (
	"crypto/aes"
	"crypto/cipher"
	"strings"
	"testing"

	"rollway/internal/access"
)

// What was sealed stays in databases for years: it opens by its standard alone, nonce first, and not when anything differs.
func TestSealer(t *testing.T) {
	t.Parallel()
	key := []byte(strings.Repeat("k", 32))
	s, err := access.Sealer(key)
	if err != nil {
		t.Fatal(err)
	}
	sealed := s.Seal(nil, nil, []byte("hunter2"), []byte("of 1"))
	block, err := aes.NewCipher(key)
	if err != nil {
		t.Fatal(err)
	}
	standard, err := cipher.NewGCM(block)
	if err != nil {
		t.Fatal(err)
	}
	if plain, err := standard.Open(nil, sealed[:12], sealed[12:], []byte("of 1")); string(plain) != "hunter2" || err != nil {
		t.Errorf("by the standard: %q, %v", plain, err)
	}
	for n := range sealed {
		if _, err := s.Open(nil, nil, sealed[:n], []byte("of 1")); err == nil {
			t.Errorf("cut to %d bytes it opens", n)
		}
	}
	if _, err := s.Open(nil, nil, sealed, []byte("of 2")); err == nil {
		t.Error("it opens for another")
	}
	if again := s.Seal(nil, nil, []byte("hunter2"), []byte("of 1")); string(again) == string(sealed) {
		t.Error("two nonces are equal")
	}
}
