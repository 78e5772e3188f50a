package xapi

import (
	"slices"
	"strconv"
	"strings"
)

// LanguageMap holds a text in several languages, by RFC 5646 tag (Data 4.2).
type LanguageMap map[string]string

// Pick returns the text that suits the reader best: see [Languages.Pick].
func (m LanguageMap) Pick(readers Languages) string {
	tags := make([]string, 0, len(m))
	for tag := range m {
		tags = append(tags, tag)
	}
	slices.Sort(tags)
	if i := readers.Pick(tags); i >= 0 {
		return m[tags[i]]
	}
	return ""
}

// Languages are the language ranges that a reader prefers, best first.
type Languages []string

// The most ranges of a header that are looked at, and bytes of each. Every
// text of an answer may be compared with all of them.
const (
	maxRanges = 32
	maxRange  = 64
)

// ParseAcceptLanguage reads the header Accept-Language (RFC 9110, 12.5.4): the
// 32 best. Ranges of quality 0 or more than 64 bytes and parts that cannot be
// read are left out: a bad preference must not fail a request.
func ParseAcceptLanguage(header string) Languages {
	type ranged struct {
		tag     string
		quality float64
	}
	var all []ranged
	for part := range strings.SplitSeq(header, ",") {
		tag, params, _ := strings.Cut(part, ";")
		tag = strings.TrimSpace(tag)
		if len(tag) > maxRange || tag != "*" && !validLanguage([]byte(tag)) {
			continue
		}
		quality := 1.0
		if value, ok := strings.CutPrefix(strings.ToLower(strings.TrimSpace(params)), "q="); ok {
			q, err := strconv.ParseFloat(value, 64)
			if err != nil || !(q >= 0 && q <= 1) {
				continue
			}
			quality = q
		}
		if quality > 0 {
			all = append(all, ranged{tag, quality})
		}
	}
	slices.SortStableFunc(all, func(a, b ranged) int {
		switch {
		case a.quality > b.quality:
			return -1
		case a.quality < b.quality:
			return 1
		}
		return 0
	})
	var languages Languages
	for _, r := range all[:min(len(all), maxRanges)] {
		languages = append(languages, r.tag)
	}
	return languages
}

// Pick returns the index of the tag that suits the reader best, or -1 if there
// is none to pick from. For each range in order it looks for the same tag, for
// a tag that the range is a prefix of (en-US for en), and for shorter forms of
// the range (en for en-US, the lookup of RFC 4647). Then relatives will do
// (en-GB for en-US), then "und", then the first.
func (l Languages) Pick(tags []string) int {
	if len(tags) == 0 {
		return -1
	}
	for _, want := range l {
		if want == "*" {
			return 0
		}
		if i := pickPrefixed(want, tags); i >= 0 {
			return i
		}
		for shorter := parentTag(want); shorter != ""; shorter = parentTag(shorter) {
			if i := pickSame(shorter, tags); i >= 0 {
				return i
			}
		}
	}
	for _, want := range l {
		for shorter := parentTag(want); shorter != ""; shorter = parentTag(shorter) {
			if i := pickPrefixed(shorter, tags); i >= 0 {
				return i
			}
		}
	}
	return max(0, pickSame("und", tags))
}

func pickSame(want string, tags []string) int {
	return slices.IndexFunc(tags, func(tag string) bool { return strings.EqualFold(tag, want) })
}

func pickPrefixed(want string, tags []string) int {
	if i := pickSame(want, tags); i >= 0 {
		return i
	}
	return slices.IndexFunc(tags, func(tag string) bool {
		return len(tag) > len(want) && tag[len(want)] == '-' && strings.EqualFold(tag[:len(want)], want)
	})
}

// parentTag drops the last subtag, and with it a single letter before it (RFC 4647, 3.4).
func parentTag(tag string) string {
	cut := strings.LastIndexByte(tag, '-')
	if cut < 0 {
		return ""
	}
	tag = tag[:cut]
	if cut >= 2 && tag[cut-2] == '-' {
		tag = tag[:cut-2]
	}
	return tag
}

// ValidLanguage tells whether tag is well-formed by RFC 5646, with no variant
// and no extension used twice. Subtags are not looked up in the registry.
func ValidLanguage(tag string) bool { return validLanguage([]byte(tag)) }

// irregular lists the tags of RFC 5646 that do not follow its own grammar.
var irregular = []string{
	"en-gb-oed", "i-ami", "i-bnn", "i-default", "i-enochian", "i-hak", "i-klingon", "i-lux", "i-mingo",
	"i-navajo", "i-pwn", "i-tao", "i-tay", "i-tsu", "sgn-be-fr", "sgn-be-nl", "sgn-ch-de",
}

func validLanguage(tag []byte) bool {
	if (len(tag) == 2 || len(tag) == 3) && areAlpha(tag) {
		return true
	}
	if len(tag) == 5 && tag[2] == '-' {
		return areAlpha(tag[:2]) && areAlpha(tag[3:]) || areAlpha(tag[:2]) && validLanguageTag(tag)
	}
	return validLanguageTag(tag)
}

func validLanguageTag(tag []byte) bool {
	lower := strings.ToLower(string(tag))
	if slices.Contains(irregular, lower) {
		return true
	}
	subtags := strings.Split(lower, "-")
	for _, s := range subtags {
		if len(s) < 1 || len(s) > 8 || !areAlphanumeric(s) {
			return false
		}
	}
	if subtags[0] == "x" {
		return len(subtags) > 1
	}
	rest, ok := afterLanguage(subtags)
	if !ok {
		return false
	}
	if len(rest) > 0 && len(rest[0]) == 4 && areAlpha([]byte(rest[0])) { // script
		rest = rest[1:]
	}
	if len(rest) > 0 && isRegion(rest[0]) {
		rest = rest[1:]
	}
	for seen := []string(nil); len(rest) > 0 && isVariant(rest[0]); rest = rest[1:] {
		if slices.Contains(seen, rest[0]) {
			return false
		}
		seen = append(seen, rest[0])
	}
	return validLanguageExtensions(rest)
}

// afterLanguage takes the primary language and up to three extended ones off.
func afterLanguage(subtags []string) (rest []string, ok bool) {
	first := subtags[0]
	if len(first) < 2 || !areAlpha([]byte(first)) {
		return nil, false
	}
	rest = subtags[1:]
	if len(first) > 3 {
		return rest, true
	}
	for n := 0; n < 3 && len(rest) > 0 && len(rest[0]) == 3 && areAlpha([]byte(rest[0])); n++ {
		rest = rest[1:]
	}
	return rest, true
}

func isRegion(s string) bool {
	return len(s) == 2 && areAlpha([]byte(s)) || len(s) == 3 && isDigit(s[0]) && isDigit(s[1]) && isDigit(s[2])
}

func isVariant(s string) bool {
	return len(s) >= 5 || len(s) == 4 && isDigit(s[0])
}

// validLanguageExtensions checks the subtags after the variants: single
// characters, each with subtags of its own, and x with everything after it.
func validLanguageExtensions(rest []string) bool {
	var seen []string
	for len(rest) > 0 {
		single := rest[0]
		if len(single) != 1 || slices.Contains(seen, single) {
			return false
		}
		seen, rest = append(seen, single), rest[1:]
		if single == "x" {
			return len(rest) > 0
		}
		n := 0
		for n < len(rest) && len(rest[n]) >= 2 {
			n++
		}
		if n == 0 {
			return false
		}
		rest = rest[n:]
	}
	return true
}

func areAlpha(s []byte) bool {
	for _, c := range s {
		if !isAlpha(c) {
			return false
		}
	}
	return true
}

func areAlphanumeric(s string) bool {
	for i := range len(s) {
		if !isAlpha(s[i]) && !isDigit(s[i]) {
			return false
		}
	}
	return true
}
