package mail

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"strconv"
	"time"

	"github.com/go-json-experiment/json"

	"rollway/internal/access"
	"rollway/internal/fault"
	"rollway/internal/id"
)

// letter is a message as it waits: everything that each attempt to send it has in common.
type letter struct {
	Message
	ID string    // its Message-ID, without brackets
	At time.Time // when it was put
}

// sealer keeps letters: AES-256-GCM under a key derived from the installation's key file, so that the database alone opens none.
type sealer struct{ cipher.AEAD }

func newSealer(key access.Key) (sealer, error) {
	block, err := aes.NewCipher(key.Hash("letters that wait"))
	if err != nil {
		return sealer{}, err
	}
	aead, err := cipher.NewGCM(block)
	return sealer{aead}, err
}

// seal binds the letter to its organization: in another's outbox it does not open.
func (s sealer) seal(l letter) ([]byte, error) {
	text, err := json.Marshal(l)
	if err != nil {
		return nil, err
	}
	nonce := make([]byte, s.NonceSize(), s.NonceSize()+len(text)+s.Overhead())
	rand.Read(nonce)
	return s.Seal(nonce, nonce, text, boundTo(l.Org)), nil
}

func (s sealer) open(org id.OrgID, sealed []byte) (l letter, err error) {
	if n := s.NonceSize(); len(sealed) > n {
		if text, err := s.Open(nil, sealed[:n], sealed[n:], boundTo(org)); err == nil {
			return l, json.Unmarshal(text, &l)
		}
	}
	return l, fault.New(fault.Unavailable, "mail_sealed", "The mail cannot be opened: its row was changed, or the key file is another.")
}

func boundTo(org id.OrgID) []byte { return strconv.AppendInt([]byte("mail of "), int64(org), 10) }
