package forward

import (
	"crypto/cipher"
	"fmt"

	"rollway/internal/access"
	"rollway/internal/fault"
	"rollway/internal/id"
)

// sealer keeps receivers' secrets under a key derived from the installation's key file, so that the database alone holds none.
type sealer struct{ cipher.AEAD }

func newSealer(key access.Key) (sealer, error) {
	aead, err := access.Sealer(key.Hash("secrets of forwards"))
	return sealer{aead}, err
}

// seal binds the secret to the forward and its receiver: it opens for no other.
func (s sealer) seal(org id.OrgID, f Forward, secret string) []byte {
	return s.Seal(nil, nil, []byte(secret), boundTo(org, f))
}

func (s sealer) open(org id.OrgID, f Forward, sealed []byte) (string, error) {
	plain, err := s.Open(nil, nil, sealed, boundTo(org, f))
	if err == nil {
		return string(plain), nil
	}
	return "", fault.New(fault.Unavailable, "forward_secret", "The secret of the forward %s cannot be opened: its row was changed, or the key file is another. Remove the forward and add it again.", f.Name)
}

func boundTo(org id.OrgID, f Forward) []byte {
	return fmt.Appendf(nil, "%d %s %q %s", org, f.ID, f.Username, f.Endpoint)
}
