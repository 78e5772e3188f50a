package forward

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"fmt"

	"rollway/internal/access"
	"rollway/internal/fault"
	"rollway/internal/id"
)

// sealer keeps receivers' secrets: AES-256-GCM under a key derived from the installation's key file, so that the database
// alone holds none.
type sealer struct{ cipher.AEAD }

func newSealer(key access.Key) (sealer, error) {
	block, err := aes.NewCipher(key.Hash("secrets of forwards"))
	if err != nil {
		return sealer{}, err
	}
	aead, err := cipher.NewGCM(block)
	return sealer{aead}, err
}

// seal binds the secret to the forward and its receiver: it opens for no other.
func (s sealer) seal(org id.OrgID, f Forward, secret string) []byte {
	nonce := make([]byte, s.NonceSize(), 64+len(secret))
	rand.Read(nonce)
	return s.Seal(nonce, nonce, []byte(secret), boundTo(org, f))
}

func (s sealer) open(org id.OrgID, f Forward, sealed []byte) (string, error) {
	if n := s.NonceSize(); len(sealed) > n {
		if plain, err := s.Open(nil, sealed[:n], sealed[n:], boundTo(org, f)); err == nil {
			return string(plain), nil
		}
	}
	return "", fault.New(fault.Unavailable, "forward_secret", "The secret of the forward %s cannot be opened: its row was changed, or the key file is another. Remove the forward and add it again.", f.Name)
}

func boundTo(org id.OrgID, f Forward) []byte {
	return fmt.Appendf(nil, "%d %s %q %s", org, f.ID, f.Username, f.Endpoint)
}
