package content

import (
	"context"
	"net/url"
	"strings"
	"unicode"
	"unicode/utf8"

	"rollway/internal/access"
	"rollway/internal/db"
	"rollway/internal/id"
	"rollway/xapi"
)

// Limits of a link, in bytes.
const (
	maxURL   = 2048
	maxTitle = 1000
)

// AddLink makes an activity launch an address elsewhere, whatever it launched before; a package that it launched so far is
// kept, as are launches of it that are going on. The address is where the browser is sent, with the launch's own parameters
// added to its query.
//
// Faults: Forbidden without the scope content:write, Invalid (link_activity, link_title, link_url, launch_parameter),
// TooLarge (quota_links).
func (c *Catalogue) AddLink(ctx context.Context, caller access.Caller, activity, address, title string) (Content, error) {
	if err := caller.Require(access.ContentWrite); err != nil {
		return Content{}, err
	}
	link, err := ParseLink(activity, address, title)
	if err != nil {
		return Content{}, err
	}
	var added Content
	err = c.db.Write(ctx, func(tx *db.Tx) error {
		if err := lockOrg(ctx, tx, caller.Org); err != nil {
			return err
		}
		added, err = c.put(ctx, tx, caller, link, map[string]any{})
		return err
	})
	return added, err
}

// ParseLink returns the content that a link makes. Faults: Invalid, as of [Catalogue.AddLink].
func ParseLink(activity, address, title string) (Content, error) {
	if _, err := xapi.ParseIRI(activity); err != nil || len(activity) > maxIRI {
		return Content{}, refuse("link_activity", "The activity `{activity}` is not an absolute IRI of at most {n} bytes, such as https://example.com/course.", "activity", shown(activity), "n", maxIRI)
	}
	address, err := linkURL(address)
	if err != nil {
		return Content{}, err
	}
	if title = strings.TrimSpace(title); title == "" || len(title) > maxTitle || !utf8.ValidString(title) || strings.ContainsFunc(title, unicode.IsControl) {
		return Content{}, refuse("link_title", "A link needs a title of 1 to {n} bytes without control characters.", "n", maxTitle)
	}
	return Content{Activity: activity, Kind: Link, URL: address, Title: title}, nil
}

func (c *Catalogue) checkLinks(ctx context.Context, tx *db.Tx, org id.OrgID) error {
	n, err := countLinks(ctx, tx, org)
	if err == nil && n >= c.quota(org).Links {
		err = tooLarge("quota_links", "There are already {n} links, which is as many as may be kept.", "n", n)
	}
	return err
}

// linkURL checks the address of a link and returns it fit for a Location header.
func linkURL(address string) (string, error) {
	wrong := refuse("link_url", "The address `{address}` must be complete, begin with https:// or http://, be without user name and password, and have at most {n} bytes.", "address", shown(address), "n", maxURL)
	for _, r := range address {
		if unicode.IsControl(r) || unicode.IsSpace(r) || r == '\\' || r == utf8.RuneError {
			return "", wrong // browsers drop or turn these, so that it would lead elsewhere than it seems to
		}
	}
	rest, fragment, hasFragment := strings.Cut(address, "#")
	base, query, hasQuery := strings.Cut(rest, "?")
	u, err := url.Parse(base)
	if err != nil || (u.Scheme != "https" && u.Scheme != "http") || u.Hostname() == "" || u.User != nil {
		return "", wrong
	}
	if strings.ContainsFunc(u.Host, func(r rune) bool { return r > unicode.MaxASCII || r == '%' }) {
		return "", refuse("link_host", "The host name in `{address}` must be in its ASCII form (xn--…).", "address", shown(address))
	}
	if err := checkParameters(address, query); err != nil {
		return "", err
	}
	fit := u.String()
	if hasQuery {
		fit += "?" + escaped(query)
	}
	if hasFragment {
		fit += "#" + escaped(fragment)
	}
	if _, err := url.Parse(fit); err != nil || len(fit) > maxURL {
		return "", wrong
	}
	return fit, nil
}

// clip shortens a text to at most n bytes, at the end of a character.
func clip(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for n -= len("…"); !utf8.RuneStart(s[n]); n-- {
	}
	return s[:n] + "…"
}
