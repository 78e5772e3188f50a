package access

import (
	"net/url"
	"strings"
)

// MayInsertUnder reports whether the caller may create agents with this account home page. A prefix covers whole segments:
// https://lms.example covers https://lms.example/a but not https://lms.example.org.
func (c Caller) MayInsertUnder(homePage string) bool {
	for _, p := range c.HomePages {
		rest, ok := strings.CutPrefix(homePage, p)
		if ok && (rest == "" || strings.HasSuffix(p, "/") || strings.HasSuffix(p, "=") || strings.ContainsRune("/?#", rune(rest[0]))) {
			return true
		}
	}
	return len(c.HomePages) == 0
}

func validPrefix(p string) bool {
	u, err := url.Parse(p)
	return err == nil && u.IsAbs() && u.Host != "" && u.User == nil && len(p) <= 2048
}
