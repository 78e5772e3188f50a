package courseware

import (
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"strconv"
	"strings"

	"rollway/internal/launch"
	"rollway/internal/web"
)

// check is a page that tells the page around it, which is ours, that this site answers, and whether the browser lets it keep
// anything: "ok" or "blocked". It asks for no token and knows no package. In a sandbox nothing can be kept by anybody, which is
// no news of the browser.
type check struct{ page, policy string }

func newCheck(where launch.Addresses) check {
	say := `parent.postMessage("ok", "` + where.Public + `")`
	if !where.SingleHost {
		say = `let said = "ok"; try { localStorage.setItem("check", ""); localStorage.removeItem("check") } catch { said = "blocked" } parent.postMessage(said, "` + where.Public + `")`
	}
	sum := sha256.Sum256([]byte(say))
	c := check{
		page:   `<!DOCTYPE html><html lang="en"><title>Check</title><script>` + say + `</script></html>`,
		policy: "default-src 'none'; script-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'; frame-ancestors " + where.Public,
	}
	if where.SingleHost {
		c.policy += "; sandbox allow-scripts"
	}
	return c
}

func (c check) serve(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	web.NoStore(h)
	web.SecurityHeaders(h, c.policy)
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Length", strconv.Itoa(len(c.page)))
	w.WriteHeader(http.StatusOK)
	if r.Method != http.MethodHead {
		_, _ = w.Write([]byte(c.page)) // an error means that the client has gone
	}
}

// isCheck tells whether a request is for the page, at the host of any package.
func (d *door) isCheck(r *http.Request) bool {
	host := web.HostName(r.Host)
	if !d.singleHost {
		label, rest, _ := strings.Cut(host, ".")
		if _, err := launch.ParsePackageLabel(label); err != nil {
			return false
		}
		host = rest
	}
	return r.URL.Path == launch.CheckPath && host == d.host
}
