package outbox

import (
	"regexp"
	"strings"
	"unicode"

	"rollway/internal/fault"
)

// errorSize is how many bytes of an error are kept.
const errorSize = 500

var (
	inUserinfo = regexp.MustCompile(`//[^/\s"'<>]+@`)
	inQuery    = regexp.MustCompile(`\?[^\s"'<>]+`)
	inScheme   = regexp.MustCompile(`(?i)\b(basic|bearer)(\s+)[^\s"'<>,;]+`)
)

// textOf is an error as it is kept: a fault's message, anything else whole, without what may be a secret in an address or a
// header, on one line.
func textOf(err error) string {
	text := err.Error()
	if f := fault.Of(err); f.Kind != fault.Internal {
		text = f.Message
	}
	text = inUserinfo.ReplaceAllString(text, "//[secret]@")
	text = inQuery.ReplaceAllString(text, "?[secret]")
	text = inScheme.ReplaceAllString(text, "$1$2[secret]")
	text = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || r == '\u2028' || r == '\u2029' {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(text, "\uFFFD"))
	if len(text) <= errorSize {
		return text
	}
	return strings.ToValidUTF8(text[:errorSize-len("…")], "") + "…"
}
