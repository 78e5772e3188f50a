package directory

import (
	"strings"
	"testing"

	"rollway/internal/access"
	"rollway/internal/fault"
	"rollway/internal/id"
	"rollway/xapi"
)

// What nobody sees is left out of names, however they come; what names are written with stays.
func TestNames(t *testing.T) {
	t.Parallel()
	const refused = "refused"
	for text, want := range map[string]string{
		"": "", " \u2028\t": "", "Ada": "Ada", "  Ada \u00a0\r\n Lovelace\u3000": "Ada Lovelace", "Ada\u2028Lovelace": "Ada Lovelace", "Ada\u2029Lovelace": "Ada Lovelace",
		"e\u0301": "é", "O’Brien-Łukasiewicz, Jr.": "O’Brien-Łukasiewicz, Jr.", "李\ufe00小龍": "李\ufe00小龍",
		"\u202eadA\u202c": "adA", "\u2066Ada\u2069": "Ada", "\u200eAda\u200f\u061c": "Ada", // overrides, isolates, marks of direction
		"A\u200bd\u2060a\ufeff": "Ada", "A\u00adda": "Ada", "Ada\U000e0001\U000e0061\U000e007f": "Ada", // zero width, soft hyphens, tags
		"نیلی\u200cپور": "نیلی\u200cپور", "ශ\u0dca\u200dරී": "ශ\u0dca\u200dරී", "ന\u0d4d\u200d": "ന\u0d4d\u200d", "ᠠᠯᠲᠠᠨ\u180eᠠ": "ᠠᠯᠲᠠᠨ\u180eᠠ", "👩\u200d🚀": "👩\u200d🚀",
		"\u200d\u200c": "", "\u200dAda \u200d Lovelace": "Ada Lovelace", "Ada\u200d\u200d": "Ada\u200d", "Ada\u200b \u200b Lovelace": "Ada Lovelace",
		"Ada\x00": refused, "A\x1b[2Jda": refused, "Ada\u0090": refused, "Ada\x7f": refused, "Ada\xff": refused,
		strings.Repeat("ä", MaxName): strings.Repeat("ä", MaxName), strings.Repeat("ä", MaxName+1): refused, strings.Repeat("\u202d", MaxName+1) + "Ada": "Ada",
	} {
		got, err := ParseName(text)
		if err != nil {
			got = refused
		}
		if got != want {
			t.Errorf("%+q: %+q, want %+q", text, got, want)
		}
		for _, c := range []Claims{{Source: ByAdmin, Name: text}, {Source: ByAdmin, Agent: xapi.Agent{Name: text}}} {
			switch r, err := check(access.CommandLine(id.DefaultOrg), c); {
			case want == refused && (err == nil || fault.Of(err).Code != "invalid_claims"):
				t.Errorf("%+q: %v", text, err)
			case want != refused && (err != nil || r.Name != want):
				t.Errorf("%+q becomes %+q: %v", text, r.Name, err)
			}
		}
	}
}
