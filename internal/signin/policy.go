package signin

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"rollway/internal/fault"
	"rollway/internal/signin/breached"
)

// Policy is what a new password has to be. It asks for length and for not being guessable, never for kinds of characters
// (NIST SP 800-63B-4 section 3.1.1.2).
type Policy struct {
	Min    int  // code points; Lowest to Longest
	Listed bool // passwords that are common, breached or predictable are taken as well: only for the dialect's compatibility
}

// The lengths of passwords, in code points after composition (NFC).
const (
	Usual   = 15 // the shortest, unless the operator says otherwise
	Low     = 12 // the shortest an operator may ask for
	Lowest  = 8  // the shortest in the dialect's compatibility mode
	Longest = 256
)

// Own words shorter than this may be anywhere; the letters and digits that are added to others have to be this many.
const (
	ownWord  = 3
	ownAdded = 8
)

// Check says what is wrong with a new password; own are words that belong to the person or the site: address, names, the
// site's name.
//
// Fault: Invalid with one Field for each reason. Its code is that of the first: password_malformed, password_too_long,
// password_too_short, password_personal, password_common.
func (p Policy) Check(password string, own ...string) error {
	if len(password) > 4*Longest {
		return tooLong
	}
	if !readable(password) {
		return fault.New(fault.Invalid, "password_malformed", "A password is text without control characters.").With(about("It holds characters that no keyboard types."))
	}
	password = norm.NFC.String(password)
	length := utf8.RuneCountInString(password)
	if length > Longest {
		return tooLong
	}
	var first *fault.Error
	add := func(f *fault.Error) {
		if first == nil {
			first = f
		}
		first = first.With(about(f.Message))
	}
	if length < p.Min {
		add(fault.New(fault.Invalid, "password_too_short", "A password has at least %d characters; this one has %d. A few words that do not belong together are easy to remember.", p.Min, length))
	}
	if !p.Listed {
		folded := breached.Fold(password)
		if personal(folded, own) {
			add(fault.New(fault.Invalid, "password_personal", "This password is made of your name, your address or the name of this site."))
		}
		common, err := breached.Contains(folded)
		if err != nil {
			return err
		}
		if common || repeats(folded) {
			add(fault.New(fault.Invalid, "password_common", "This password is one of those that are tried first: it is common, known from a breach or easy to predict."))
		}
	}
	if first == nil {
		return nil
	}
	return first
}

func about(message string) fault.Field { return fault.Field{Name: "password", Message: message} }

var tooLong = fault.New(fault.Invalid, "password_too_long", "A password has at most %d characters.", Longest).With(about("It is too long."))

// repeats reports whether a text is a shorter one again and again, or made of three characters or fewer.
func repeats(text string) bool {
	r := []rune(text)
	distinct := slices.Clone(r)
	slices.Sort(distinct)
	if len(slices.Compact(distinct)) <= 3 {
		return true
	}
	for unit := 1; unit <= len(r)/2; unit++ {
		again := true
		for i := unit; again && i < len(r); i++ {
			again = r[i] == r[i-unit]
		}
		if again {
			return true
		}
	}
	return false
}

// personal reports whether little is left of a folded password without the person's own words.
func personal(folded string, own []string) bool {
	var list []string
	for _, o := range own {
		o = breached.Fold(strings.TrimSpace(o))
		list = append(list, o)
		list = append(list, strings.FieldsFunc(o, separates)...)
	}
	list = slices.DeleteFunc(list, func(w string) bool { return utf8.RuneCountInString(w) < ownWord })
	slices.SortFunc(list, func(a, b string) int { return len(b) - len(a) })
	rest := folded
	for _, w := range list {
		rest = strings.ReplaceAll(rest, w, "")
	}
	added := 0
	for _, r := range rest {
		if !separates(r) {
			added++
		}
	}
	return rest != folded && added < ownAdded
}

func separates(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsMark(r) && !unicode.IsDigit(r) }
