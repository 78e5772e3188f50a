package mail

import (
	"crypto/cipher"
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

// sealer keeps letters under a key derived from the installation's key file, so that the database alone opens none.
type sealer struct{ cipher.AEAD }

func newSealer(key access.Key) (sealer, error) {
	aead, err := access.Sealer(key.Hash("letters that wait"))
	return sealer{aead}, err
}

// seal binds the letter to its organization: in another's outbox it does not open.
func (s sealer) seal(l letter) ([]byte, error) {
	text, err := json.Marshal(l)
	if err != nil {
		return nil, err
	}
	return s.Seal(nil, nil, text, boundTo(l.Org)), nil
}

func (s sealer) open(org id.OrgID, sealed []byte) (l letter, err error) {
	if text, err := s.Open(nil, nil, sealed, boundTo(org)); err == nil {
		return l, json.Unmarshal(text, &l)
	}
	return l, fault.New(fault.Unavailable, "mail_sealed", "The mail cannot be opened: its row was changed, or the key file is another.")
}

func boundTo(org id.OrgID) []byte { return strconv.AppendInt([]byte("mail of "), int64(org), 10) }
