package launch

import (
	"fmt"
	"strings"

	"github.com/go-json-experiment/json"

	"rollway/internal/content"
	"rollway/internal/id"
)

// address builds where the browser goes: the content's registered address with the launch parameters of the Tin Can
// convention (Rustici's launch document) added to whatever query it has of its own.
func (l *Launcher) address(s *start) (string, error) {
	agent := s.text
	if s.agent != s.was {
		text, err := json.Marshal(s.agent)
		if err != nil {
			return "", err
		}
		agent = string(text)
	}
	return withParameters(l.base(s), []parameter{
		{"endpoint", l.where.Public + "/xapi/"},
		{"auth", s.child.Header()},
		{"actor", agent},
		{"activity_id", s.Activity},
		{"registration", s.done.Registration.String()},
	}), nil
}

func (l *Launcher) base(s *start) string {
	if s.item.Kind == content.Link {
		return s.item.URL
	}
	origin, prefix := PackageOrigin(l.where, s.item.Package)
	return origin + prefix + "/" + l.tokens.make(s.caller.Org, s.child.ID, s.item.Package) + "/" + s.item.Launch
}

// PackageOrigin returns the origin that serves a package and the path in front of the token: "http://p-ID.host" and "", or
// with a single host "http://host" and "/p-ID".
func PackageOrigin(where Addresses, p id.PackageID) (origin, prefix string) {
	label := "p-" + strings.ReplaceAll(p.String(), "-", "")
	if where.SingleHost {
		return where.Courseware, "/" + label
	}
	scheme, host, _ := strings.Cut(where.Courseware, "://")
	return scheme + "://" + label + "." + host, ""
}

// CheckPath is where the site of a package tells whether it answers and may keep things in the browser.
const CheckPath = "/check"

// CheckURL is the address of the check for the site of a content from a package.
func (l *Launcher) CheckURL(item content.Content) string {
	origin, _ := PackageOrigin(l.where, item.Package)
	return origin + CheckPath
}

// ParsePackageLabel reads "p-ID".
func ParsePackageLabel(label string) (id.PackageID, error) {
	hex, ok := strings.CutPrefix(strings.ToLower(label), "p-")
	if !ok || len(hex) != 32 {
		return id.PackageID{}, fmt.Errorf("%.64q names no package", label)
	}
	return id.Parse[id.PackageID](hex[:8] + "-" + hex[8:12] + "-" + hex[12:16] + "-" + hex[16:20] + "-" + hex[20:])
}

type parameter struct{ name, value string }

// withParameters adds query parameters and keeps the address's own query and fragment.
func withParameters(address string, more []parameter) string {
	address, fragment, hasFragment := strings.Cut(address, "#")
	b := make([]byte, 0, 1024)
	b = append(b, address...)
	sep := byte('?')
	if strings.Contains(address, "?") {
		sep = '&'
	}
	for _, p := range more {
		b = append(b, sep)
		sep = '&'
		b = append(append(b, p.name...), '=')
		b = appendEscaped(b, p.value)
	}
	if hasFragment {
		b = append(append(b, '#'), fragment...)
	}
	return string(b)
}

// appendEscaped writes all but the unreserved characters as %XX (RFC 3986 section 2). A blank is %20, never +: content
// decodes with decodeURIComponent, which leaves a + alone.
func appendEscaped(b []byte, s string) []byte {
	const digits = "0123456789ABCDEF"
	for i := range len(s) {
		c := s[i]
		if 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || c == '-' || c == '_' || c == '.' || c == '~' {
			b = append(b, c)
		} else {
			b = append(b, '%', digits[c>>4], digits[c&15])
		}
	}
	return b
}
