package signup

import (
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"
)

const nonceSize = 16

func newNonce() []byte {
	nonce := make([]byte, nonceSize)
	rand.Read(nonce)
	return nonce
}

// linkToken is what confirms a sign-up: 64 hexadecimal digits, as both dashboards of Flyve MDM demand. It is made from the
// number and the nonce, so that a mail that is sent again carries the same. Of an address that has an account there is none.
func (s *Signup) linkToken(r *row) string {
	if r.State == known {
		return ""
	}
	return hex.EncodeToString(s.key.Hash("signup validation", strconv.FormatInt(r.Number, 10), string(r.nonce)))
}

// code is the same for people to type on our page: six digits, for a person who is new. A dashboard has no place for it.
func (s *Signup) code(r *row) string {
	if r.claimed || r.Via == ByGLPI {
		return ""
	}
	sum := s.key.Hash("signup code", strconv.FormatInt(r.Number, 10), string(r.nonce))
	return fmt.Sprintf("%06d", binary.BigEndian.Uint64(sum)%1_000_000)
}

// carried tells whether somebody gave what their mail carries, if it does.
func carried(given, carries string) bool { return carries != "" && same(given, carries) }

// handle names a sign-up to whoever made it, so that nobody else asks for its mail again or tries codes.
func (s *Signup) handle(number int64) string {
	text := strconv.FormatInt(number, 10)
	return text + "." + base64.RawURLEncoding.EncodeToString(s.key.Hash("signup handle", text)[:16])
}

func (s *Signup) parseHandle(handle string) (number int64, ok bool) {
	text, _, _ := strings.Cut(handle, ".")
	number, err := strconv.ParseInt(text, 10, 64)
	return number, err == nil && same(handle, s.handle(number))
}

// unsubscribeToken ends the newsletter of one person.
func (s *Signup) unsubscribeToken(org int64, person string, nonce []byte) string {
	return strconv.FormatInt(org, 10) + "." + person + "." + base64.RawURLEncoding.EncodeToString(s.key.Hash("newsletter", strconv.FormatInt(org, 10), person, string(nonce)))
}

func same(a, b string) bool { return subtle.ConstantTimeCompare([]byte(a), []byte(b)) == 1 }
