package xapi

import (
	"crypto/rand"
	"encoding/hex"
)

// UUID is a universally unique identifier (RFC 4122).
type UUID [16]byte

// NewUUID makes a random UUID (version 4).
func NewUUID() UUID {
	var u UUID
	rand.Read(u[:]) // never fails
	u[6] = u[6]&0x0f | 0x40
	u[8] = u[8]&0x3f | 0x80
	return u
}

// ParseUUID reads the standard form, 8-4-4-4-12 hexadecimal digits of either
// case (Data 4.4). Version and variant are not looked at: the standard's own
// examples use others than RFC 4122 defines. The error is an [*Error].
func ParseUUID(s string) (UUID, error) {
	u, ok := parseUUID([]byte(s))
	if !ok {
		return UUID{}, ruleUUID.broken(s)
	}
	return u, nil
}

func parseUUID(s []byte) (u UUID, ok bool) {
	if len(s) != 36 || s[8] != '-' || s[13] != '-' || s[18] != '-' || s[23] != '-' {
		return UUID{}, false
	}
	at := 0
	for i := range u {
		if i == 4 || i == 6 || i == 8 || i == 10 { // a dash
			at++
		}
		hi, lo := hexValue[s[at]], hexValue[s[at+1]]
		if hi|lo > 15 {
			return UUID{}, false
		}
		u[i] = hi<<4 | lo
		at += 2
	}
	return u, true
}

// String is the standard form in lower case.
func (u UUID) String() string { return string(u.append(make([]byte, 0, 36))) }

// IsZero tells whether no bit is set; as a field of a struct it is then absent.
func (u UUID) IsZero() bool { return u == UUID{} }

// MarshalText gives the standard form.
func (u UUID) MarshalText() ([]byte, error) { return u.append(nil), nil }

// UnmarshalText is [ParseUUID].
func (u *UUID) UnmarshalText(text []byte) error {
	parsed, err := ParseUUID(string(text))
	*u = parsed
	return err
}

func (u UUID) append(dst []byte) []byte {
	dst = hex.AppendEncode(dst, u[:4])
	for _, part := range [4][]byte{u[4:6], u[6:8], u[8:10], u[10:]} {
		dst = append(dst, '-')
		dst = hex.AppendEncode(dst, part)
	}
	return dst
}

// hexValue maps a byte to the value of the hexadecimal digit, others to 0xff.
var hexValue = func() (table [256]byte) {
	for i := range table {
		table[i] = 0xff
	}
	for i := range byte(10) {
		table['0'+i] = i
	}
	for i := range byte(6) {
		table['a'+i] = 10 + i
		table['A'+i] = 10 + i
	}
	return table
}()

func isHex(s []byte) bool {
	for _, c := range s {
		if hexValue[c] > 15 {
			return false
		}
	}
	return true
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }

func isAlpha(c byte) bool { return 'a' <= c|0x20 && c|0x20 <= 'z' }
