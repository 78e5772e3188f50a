package mail

import (
	"strings"
	"unicode/utf8"

	"golang.org/x/net/idna"

	"rollway/internal/fault"
)

// Lengths in bytes, RFC 5321 sections 4.5.3.1.1 and 4.5.3.1.3 (the path's 256 less the brackets).
const (
	maxAddress = 254
	maxLocal   = 64
)

// domains maps names for look-up as UTS 46 says, without its transitional rules, and refuses what no name may hold.
var domains = idna.New(idna.MapForLookup(), idna.Transitional(false), idna.StrictDomainName(true), idna.ValidateLabels(true),
	idna.CheckHyphens(true), idna.CheckJoiners(true), idna.BidiRule(), idna.VerifyDNSLength(true))

// ParseAddress reads one e-mail address and returns it as mail is sent to it: its domain in lower case and an international
// one in Punycode, the local part as given. It takes a narrow form of RFC 5321's Mailbox: a dot-string of ASCII, one @ and a
// domain of at least two labels; no comments, display names, quoted local parts or address literals, at most 254 bytes.
// Fault: Invalid, code bad_address.
func ParseAddress(s string) (string, error) {
	local, domain, found := strings.Cut(s, "@")
	switch {
	case s == "":
		return "", badAddress("An e-mail address is needed.")
	case len(s) > maxAddress:
		return "", badAddress("An e-mail address has at most %d bytes.", maxAddress)
	case !found || local == "" || domain == "" || strings.Contains(domain, "@"):
		return "", badAddress("An e-mail address has a name, one @ and a domain, like ada@example.com.")
	case len(local) > maxLocal || !isDotString(local):
		return "", badAddress("What stands before the @ may have at most %d letters (without accents), digits, single dots and !#$%%&'*+-/=?^_`{|}~.", maxLocal)
	}
	ascii, ok := foldDomain(domain)
	if !ok {
		return "", badAddress("What stands behind the @ is no domain.")
	}
	if len(local)+1+len(ascii) > maxAddress {
		return "", badAddress("An e-mail address has at most %d bytes.", maxAddress)
	}
	return local + "@" + ascii, nil
}

// Fold returns the form by which addresses are compared and looked up: two spellings of one mailbox have the same. It is
// [ParseAddress]'s with the local part in lower case too, as no mail system in use tells these apart.
func Fold(s string) (string, error) {
	address, err := ParseAddress(s)
	return strings.ToLower(address), err
}

// Domain is what stands behind the @ of a parsed address.
func Domain(address string) string { return address[strings.LastIndexByte(address, '@')+1:] }

func badAddress(format string, args ...any) error {
	return fault.New(fault.Invalid, "bad_address", format, args...)
}

// isDotString is RFC 5321's Dot-string.
func isDotString(s string) bool {
	for atom := range strings.SplitSeq(s, ".") {
		if atom == "" || strings.ContainsFunc(atom, func(r rune) bool { return !isAlnum(r) && !strings.ContainsRune("!#$%&'*+-/=?^_`{|}~", r) }) {
			return false
		}
	}
	return true
}

func isAlnum(r rune) bool {
	return 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9'
}

// foldDomain turns a domain into its one ASCII form. A label in Punycode must be the one that its meaning is written with:
// one that decodes to plain ASCII, or comes out differently, is another spelling that nobody types by accident.
func foldDomain(s string) (string, bool) {
	if !utf8.ValidString(s) {
		return "", false
	}
	ascii, err := domains.ToASCII(s)
	if err != nil {
		return "", false
	}
	meant, err := domains.ToUnicode(ascii)
	if err != nil {
		return "", false
	}
	back, err := domains.ToASCII(meant)
	if err != nil || back != ascii {
		return "", false
	}
	labels, shown := strings.Split(ascii, "."), strings.Split(meant, ".")
	if len(labels) < 2 || len(labels) != len(shown) {
		return "", false
	}
	for i, label := range labels {
		if !isLabel(label) || strings.HasPrefix(label, "xn--") && isASCII(shown[i]) {
			return "", false
		}
	}
	top := labels[len(labels)-1]
	return ascii, strings.ContainsFunc(top, func(r rune) bool { return r < '0' || r > '9' }) // or it is an IP address
}

// isLabel is the preferred name syntax of RFC 1034 section 3.5, digits in front allowed (RFC 1123), in lower case.
func isLabel(s string) bool {
	return s != "" && len(s) <= 63 && s[0] != '-' && s[len(s)-1] != '-' &&
		!strings.ContainsFunc(s, func(r rune) bool { return !(isAlnum(r) && (r < 'A' || r > 'Z')) && r != '-' })
}

func isASCII(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool { return r >= utf8.RuneSelf })
}

// masked shows enough of an address for an operator to recognize it.
func masked(address string) string {
	local, domain, _ := strings.Cut(address, "@")
	if local == "" {
		return ""
	}
	return local[:1] + "…@" + domain
}
