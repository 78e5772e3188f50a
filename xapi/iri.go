package xapi

import (
	"bytes"
	"unicode/utf8"
)

// IRI is an absolute internationalized resource identifier (RFC 3987). Two
// IRIs are the same if their text is: nothing is normalized (Data 3.1).
type IRI string

// ParseIRI checks that s is an absolute IRI: a scheme, something after it, and
// only characters that an IRI may contain. The error is an [*Error].
func ParseIRI(s string) (IRI, error) {
	if !validIRI([]byte(s)) {
		return "", ruleIRI.broken(s)
	}
	return IRI(s), nil
}

// iriByte tells which ASCII bytes may stand in an IRI; '%' and bytes of other
// characters are looked at apart.
var iriByte = func() (table [256]bool) {
	for c := byte('!'); c <= '~'; c++ {
		table[c] = bytes.IndexByte([]byte(`<>"{}|\^%`+"`"), c) < 0
	}
	return table
}()

func validIRI(s []byte) bool {
	colon := bytes.IndexByte(s, ':')
	if colon < 1 || colon == len(s)-1 || !isAlpha(s[0]) {
		return false
	}
	for _, c := range s[1:colon] {
		if !isAlpha(c) && !isDigit(c) && c != '+' && c != '-' && c != '.' {
			return false
		}
	}
	rest := s[colon+1:]
	if !validIRIChars(rest) {
		return false
	}
	scheme := s[:colon]
	if asciiEqualFold(scheme, "http") || asciiEqualFold(scheme, "https") {
		return len(rest) > 2 && rest[0] == '/' && rest[1] == '/' && bytes.IndexByte([]byte("/?#"), rest[2]) < 0
	}
	return true
}

func validIRIChars(s []byte) bool {
	hash := false
	for i := 0; i < len(s); {
		c := s[i]
		switch {
		case c == '#':
			if hash {
				return false
			}
			hash = true
			i++
		case iriByte[c]:
			i++
		case c == '%':
			if i+2 >= len(s) || !isHex(s[i+1:i+3]) {
				return false
			}
			i += 3
		case c < utf8.RuneSelf:
			return false
		default:
			r, n := utf8.DecodeRune(s[i:])
			if !iriRune(r, n) {
				return false
			}
			i += n
		}
	}
	return true
}

// iriRune tells whether a character beyond ASCII may stand in an IRI: no C1
// controls, no specials, no noncharacters, and none that change the direction
// of text (RFC 3987, sections 2.2 and 4.1).
func iriRune(r rune, size int) bool {
	switch {
	case r == utf8.RuneError && size == 1:
		return false
	case r < 0xA0, r&0xFFFE == 0xFFFE, 0xFDD0 <= r && r <= 0xFDEF, 0xFFF0 <= r && r <= 0xFFFF:
		return false
	case r == 0x200E, r == 0x200F, 0x202A <= r && r <= 0x202E, r == 0x2028, r == 0x2029:
		return false
	}
	return true
}

// asciiEqualFold compares s with a lower-case word, ignoring ASCII case.
func asciiEqualFold(s []byte, lower string) bool {
	if len(s) != len(lower) {
		return false
	}
	for i, c := range s {
		if 'A' <= c && c <= 'Z' {
			c |= 0x20
		}
		if c != lower[i] {
			return false
		}
	}
	return true
}
