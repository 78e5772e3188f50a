package directory

import (
	"net/url"
	"slices"
	"strings"

	"rollway/xapi"
)

// within reports whether a caller that is bound to home pages may bring the identifier in. Without any it may; with some,
// only accounts on one of them or below.
func within(homePages []string, i xapi.IFI) bool {
	if len(homePages) == 0 {
		return true
	}
	return i.Kind == xapi.OnAccount && slices.ContainsFunc(homePages, func(p string) bool { return below(p, i.Account.HomePage) })
}

// below reports whether a home page is the prefix or lies below it, by whole parts: same scheme, same host and port, and
// path segments that begin with the prefix's. "https://example.com" covers "https://example.com/a" and neither
// "https://example.com.evil" nor "https://example.com@evil". An IRI that is no such URL is below nothing but itself.
func below(prefix, homePage string) bool {
	if prefix == homePage {
		return true
	}
	p, err := url.Parse(prefix)
	if err != nil {
		return false
	}
	h, err := url.Parse(homePage)
	if err != nil {
		return false
	}
	if p.Host == "" || h.Host == "" || p.User != nil || h.User != nil || p.RawQuery != "" || p.Fragment != "" {
		return false
	}
	if p.Scheme != h.Scheme || authority(p) != authority(h) {
		return false
	}
	for segment := range strings.SplitSeq(strings.ReplaceAll(h.Path, `\`, "/"), "/") {
		if segment == ".." || segment == "." {
			return false
		}
	}
	base := strings.TrimSuffix(p.EscapedPath(), "/")
	rest, ok := strings.CutPrefix(h.EscapedPath(), base)
	return ok && (rest == "" || rest[0] == '/')
}

// sameOrigin reports whether a home page is on the host and port of another, whatever its path.
func sameOrigin(own, homePage string) bool {
	o, err := url.Parse(own)
	if err != nil || o.Host == "" {
		return own == homePage
	}
	h, err := url.Parse(homePage)
	return err == nil && authority(o) == authority(h)
}

// reserved reports whether the account name is one that Rollway writes as the authority of statements. Nobody may be called
// so on its home page: statements would seem to be vouched for by somebody else.
func reserved(name string) bool {
	return name == "rollway" || slices.ContainsFunc([]string{"person:", "service-account:", "credential:"}, func(p string) bool { return strings.HasPrefix(name, p) })
}

func authority(u *url.URL) string {
	host, port := strings.ToLower(u.Hostname()), u.Port()
	if port == "" {
		port = map[string]string{"http": "80", "https": "443"}[u.Scheme]
	}
	return host + " " + port
}
