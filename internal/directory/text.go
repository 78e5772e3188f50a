package directory

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// clean trims blanks and composes characters (NFC).
func clean(s string) string { return norm.NFC.String(strings.TrimSpace(s)) }

// fold removes differences of case. A letter outside ASCII never becomes one inside: whoever may choose their own address
// must not reach the owner of another that merely looks alike (İ, ſ and the Kelvin sign have such lower-case forms).
func fold(s string) string {
	return norm.NFC.String(strings.Map(func(r rune) rune {
		if low := unicode.ToLower(r); r < utf8.RuneSelf || low >= utf8.RuneSelf {
			return low
		}
		return r
	}, clean(s)))
}

// normalize is the form in which unique values of the attribute with this folded name are compared.
func normalize(folded, text string) string {
	if strings.Contains(folded, "mail") {
		return fold(text)
	}
	return clean(text)
}

// printable reports whether s is UTF-8 without control characters, as names have to be.
func printable(s string) bool {
	return utf8.ValidString(s) && strings.IndexFunc(s, unicode.IsControl) < 0
}

// storable reports whether both databases can keep s as text.
func storable(s string) bool { return utf8.ValidString(s) && strings.IndexByte(s, 0) < 0 }

// longer reports whether s has more than n characters.
func longer(s string, n int) bool { return len(s) > n && utf8.RuneCountInString(s) > n }

const clipAt = 200

// clip shortens what is shown or kept for explanation only.
func clip(s string) string {
	if !longer(s, clipAt) {
		return s
	}
	return string([]rune(s)[:clipAt]) + "…"
}
