// Package breached knows which passwords are common or were found in breaches: a filter of their hashes, without the
// passwords, made from public lists by the command in generate (docs/decisions/passwords.md says which).
package breached

import (
	_ "embed"
	"strings"
	"sync"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

//go:generate go run ./generate -o passwords.gcs $PASSWORD_LISTS

//go:embed passwords.gcs
var data []byte

// The sets, by the length of their members in code points. Passwords shorter than Shortest are in neither: no policy that
// asks this filter takes them.
const (
	Shortest = 12
	Long     = 15 // the shortest that the usual policy takes

	LongRate   = 12 // 1 in 2^12 strong passwords of 15 code points or more is taken for a breached one
	MediumRate = 8  // 1 in 2^8 of those of 12 to 14
)

var sets = sync.OnceValues(func() ([2]*set, error) {
	medium, rest, err := open(data)
	if err != nil {
		return [2]*set{}, err
	}
	long, rest, err := open(rest)
	if err == nil && len(rest) > 0 {
		err = errDamaged
	}
	return [2]*set{medium, long}, err
})

// Fold makes passwords that differ by case or composition alone the same: what is compared is never what is hashed.
func Fold(password string) string {
	return norm.NFC.String(strings.ToLower(norm.NFC.String(password)))
}

// Contains reports whether a folded password is on the lists, or is taken for one that is. Those shorter than Shortest never
// are.
func Contains(folded string) (bool, error) {
	both, err := sets()
	if err != nil {
		return false, err
	}
	switch n := utf8.RuneCountInString(folded); {
	case n < Shortest:
		return false, nil
	case n < Long:
		return both[0].has(folded), nil
	}
	return both[1].has(folded), nil
}
