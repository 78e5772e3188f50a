package directory

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"rollway/internal/fault"
)

// clean trims blanks and composes characters (NFC).
func clean(s string) string { return norm.NFC.String(strings.TrimSpace(s)) }

// ParseName is what people are called, as it is kept and shown: blanks and line ends of every kind are one blank, and characters
// that nobody sees, such as those that turn the direction of writing round, are left out. The joiners that Persian, Indic and
// Mongolian names are written with, and emoji, stay behind what they join.
//
// Fault: Invalid (invalid_name) for more than [MaxName] characters, control characters or what is not UTF-8.
func ParseName(text string) (string, error) {
	before := ' '
	seen := strings.Map(func(r rune) rune {
		if unicode.Is(unicode.Cf, r) && (!joins(r) || joins(before) || unicode.IsSpace(before)) {
			return -1
		}
		before = r
		return r
	}, text)
	name := clean(strings.Join(strings.Fields(seen), " "))
	if !utf8.ValidString(text) || longer(name, MaxName) || !printable(name) {
		return "", fault.New(fault.Invalid, "invalid_name", "A name has at most %d characters and no control characters.", MaxName)
	}
	return name, nil
}

// joins reports whether a character only tells how its neighbours are written: zero width joiner and non-joiner, and the
// Mongolian vowel separator.
func joins(r rune) bool { return r == '\u200c' || r == '\u200d' || r == '\u180e' }

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
