package content

import (
	"net/url"
	"slices"
	"strings"
	"unicode"
)

// Launch is where an activity is launched in one language: a file of the package, or an address outside.
type Launch struct {
	Lang     string // language tag, "und" if unknown
	Path     string // path of the file in the package, normal and not percent-encoded; empty for an external address
	Query    string // the address's own query, without "?", fit to stand in a URL
	Fragment string // the address's own fragment, without "#", fit to stand in a URL
	External string // https address without query and fragment; empty for a file of the package
}

// launchParameters are the names that a launch itself adds to the query of an address; content that brought its own could be
// made to report elsewhere or as somebody else.
var launchParameters = []string{"endpoint", "auth", "actor", "registration", "activity_id", "activity_platform", "grouping",
	"content_token", "content_endpoint", "fetch"}

// parseLaunch reads a launch address of a manifest: relative to the package's root, or https at a host that the operator
// allows. Whether the file is there is for the caller to check.
func parseLaunch(address string, o Options) (Launch, error) {
	for _, r := range address {
		if unicode.IsControl(r) || r == '\\' {
			// Browsers drop tabs and line breaks and turn backslashes, so such an address is not what it looks like.
			return Launch{}, refuse("launch_address", "The launch address `{address}` contains a backslash or a control character.", "address", shown(address))
		}
	}
	rest, fragment, _ := strings.Cut(address, "#")
	path, query, _ := strings.Cut(rest, "?")
	l := Launch{Query: escaped(query), Fragment: escaped(fragment)}
	if err := checkParameters(address, query); err != nil {
		return Launch{}, err
	}
	if scheme, _, ok := strings.Cut(path, ":"); ok && isScheme(scheme) {
		external, err := externalAddress(path, o)
		l.External = external
		return l, err
	}

	plain, err := url.PathUnescape(path)
	if err != nil {
		return Launch{}, refuse("launch_address", "The launch address `{address}` has a `%` that does not begin an escape such as `%20`.", "address", shown(address))
	}
	if l.Path, err = NormalPath(strings.TrimPrefix(plain, "./")); err != nil {
		return Launch{}, refuse("launch_address", "The launch address `{address}` must be a relative path of a file in the package, without `..`.", "address", shown(address))
	}
	return l, nil
}

// checkParameters checks the query of a launch address.
func checkParameters(address, query string) error {
	values, err := url.ParseQuery(query)
	if err != nil {
		return refuse("launch_address", "The query of the launch address `{address}` is malformed.", "address", shown(address))
	}
	for _, name := range launchParameters {
		if values.Has(name) {
			return refuse("launch_parameter", "The launch address `{address}` has the parameter `{name}`, which is for the launch to give.", "address", shown(address), "name", name)
		}
	}
	return nil
}

// externalAddress checks an address that has a scheme, without its query and fragment.
func externalAddress(address string, o Options) (string, error) {
	u, err := url.Parse(address)
	if err != nil || u.Scheme != "https" || u.Host == "" || u.User != nil {
		return "", refuse("launch_address", "The launch address `{address}` must be a relative path of a file in the package.", "address", shown(address))
	}
	if !slices.ContainsFunc(o.LaunchHosts, func(h string) bool { return strings.EqualFold(h, u.Host) }) {
		return "", refuse("launch_host", "The launch address `{address}` is outside the package, at a host that is not allowed here.", "address", shown(address))
	}
	return u.String(), nil
}

// escaped percent-encodes what may not stand in a query or fragment, as browsers do, and leaves everything else alone.
func escaped(s string) string {
	const hex = "0123456789ABCDEF"
	var b strings.Builder
	for i := range len(s) {
		if c := s[i]; c <= ' ' || c >= 0x7f || strings.IndexByte("\"'<>#`{}|^", c) >= 0 {
			b.Write([]byte{'%', hex[c>>4], hex[c&15]})
		} else {
			b.WriteByte(c)
		}
	}
	return b.String()
}

// isScheme reports whether s has the form of an address's scheme (RFC 3986 section 3.1).
func isScheme(s string) bool {
	for i := range len(s) {
		c := s[i] | 0x20
		if !('a' <= c && c <= 'z' || i > 0 && strings.IndexByte("0123456789+-.", s[i]) >= 0) {
			return false
		}
	}
	return s != ""
}
