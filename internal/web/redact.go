package web

import (
	"regexp"
	"strings"
)

const secret = "[secret]"

// Redact takes the secrets out of a text that is to be logged or repeated: a path, a URL, a header, an error, a panic. Gone
// are the values of all query parameters (names stay), credentials after Basic and Bearer, user names and passwords in URLs,
// values named like secrets (auth, ticket, user_token, session_token, fetch, password, …) and anything that looks like a
// random token, such as the path tokens of courseware. UUIDs and words stay.
func Redact(text string) string {
	if harmless(text) {
		return text
	}
	text = inQuery.ReplaceAllStringFunc(text, func(q string) string { return "?" + QueryNames(q[1:]) })
	text = inUserinfo.ReplaceAllString(text, "//"+secret+"@")
	text = inNamed.ReplaceAllString(text, "${1}"+secret)
	text = inScheme.ReplaceAllString(text, "${1}"+secret)
	return inToken.ReplaceAllStringFunc(text, func(run string) string {
		if looksRandom(run) {
			return secret
		}
		return run
	})
}

const gap = `(?:\s|%20|\+)`

var (
	inQuery    = regexp.MustCompile(`\?[^\s"'<>]*`)
	inUserinfo = regexp.MustCompile(`//[^/\s"'<>]+@`)
	inScheme   = regexp.MustCompile(`(?i)\b((?:basic|bearer|digest|negotiate)` + gap + `+)[^\s"'<>,;&]+`)
	inNamed    = regexp.MustCompile(`(?i)([\w-]*(?:token|ticket|secret|password|passwd|cookie|authorization|assertion|api_?key)["']?` + gap + `*(?:=|:|%3d|%3a)` + gap + `*|\b(?:auth|fetch|pwd)["']?` + gap + `*(?:=|:|%3d|%3a)` + gap + `*)` +
		`(?:"[^"]*"|'[^']*'|(?:(?:basic|bearer|digest|user_token)` + gap + `+)?[^\s"'<>,;&…]+)`)
	inToken = regexp.MustCompile(`[A-Za-z0-9_-]{22,}`)
)

// harmless is the quick way out for the paths of most requests: nothing that could introduce a secret, no long word.
func harmless(text string) bool {
	run := 0
	for i := range len(text) {
		switch c := text[i]; {
		case wordByte(c):
			if run++; run >= shortestToken {
				return false
			}
		case c == '/' || c == '.':
			run = 0
		default:
			return false
		}
	}
	return true
}

func wordByte(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || c == '_' || c == '-'
}

// shortestToken is the length of 128 random bits in base64.
const shortestToken = 22

// looksRandom tells a token from a UUID, which names things and opens none, and from words.
func looksRandom(run string) bool {
	if len(run) < shortestToken || isUUID(run) {
		return false
	}
	return !wordy(run)
}

func isUUID(s string) bool {
	if len(s) != 36 {
		return false
	}
	for i := range len(s) {
		c := s[i]
		if dash := i == 8 || i == 13 || i == 18 || i == 23; dash != (c == '-') {
			return false
		} else if !dash && !('0' <= c && c <= '9' || 'a' <= c|0x20 && c|0x20 <= 'f') {
			return false
		}
	}
	return true
}

// wordy reports whether s is made of words as people write them in paths: some-words, some_words, SomeWords.
func wordy(s string) bool {
	lower := 0 // lower-case letters of the current word
	for i := range len(s) {
		switch c := s[i]; {
		case 'a' <= c && c <= 'z':
			if lower++; lower >= shortestToken {
				return false
			}
		case 'A' <= c && c <= 'Z', c == '-', c == '_':
			if i > 0 && lower < 2 && wordByte(s[i-1]) && s[i-1] != '-' && s[i-1] != '_' {
				return false
			}
			lower = 0
		default:
			return false
		}
	}
	return true
}

// QueryNames is a raw query with its values left out, as "activityId=…&auth=…". What has no plain name is left out whole.
func QueryNames(raw string) string {
	if raw == "" {
		return ""
	}
	var b strings.Builder
	for i := 0; raw != ""; i++ {
		var s string
		s, raw, _ = strings.Cut(raw, "&")
		if i > 0 {
			b.WriteByte('&')
		}
		if name, _, ok := strings.Cut(s, "="); ok && plainWord(name, 32) && !looksRandom(name) {
			b.WriteString(name)
			b.WriteString("=…")
		} else {
			b.WriteString("[…]")
		}
	}
	return b.String()
}

// plainWord reports whether what a client sent may stand in our log as a name: 1 to so many plain characters.
func plainWord(s string, most int) bool {
	if s == "" || len(s) > most {
		return false
	}
	for i := range len(s) {
		if !wordByte(s[i]) && s[i] != '.' {
			return false
		}
	}
	return true
}
