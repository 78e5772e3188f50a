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

// validationToken is what confirms a sign-up: 64 hexadecimal digits, as both dashboards of Flyve MDM demand. It is made from
// the number and the nonce, so that a mail that is sent again carries the same.
func (s *Signup) validationToken(number int64, nonce []byte) string {
	return hex.EncodeToString(s.key.Hash("signup validation", strconv.FormatInt(number, 10), string(nonce)))
}

// validationCode is the same for people to type: six digits.
func (s *Signup) validationCode(number int64, nonce []byte) string {
	sum := s.key.Hash("signup code", strconv.FormatInt(number, 10), string(nonce))
	return fmt.Sprintf("%06d", binary.BigEndian.Uint64(sum)%1_000_000)
}

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
