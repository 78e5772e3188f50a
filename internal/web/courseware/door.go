package courseware

import (
	"context"
	"encoding/hex"
	"net/http"
	"net/url"
	"strings"
	"time"

	"rollway/internal/content"
	"rollway/internal/id"
	"rollway/internal/launch"
	"rollway/internal/web"
)

// Authorizer says which organization a package belongs to for whoever holds a launch's token, or returns a Gone fault.
// It is [launch.Launcher].
type Authorizer interface {
	AuthorizeFile(ctx context.Context, pkg id.PackageID, token string) (id.OrgID, error)
}

type door struct {
	launches   Authorizer
	files      *content.Catalogue
	host       string // name of the content host, or of which those of packages are made
	singleHost bool
	headers    map[string]string // of every file
	check      check
}

// New returns the handler of the second origin, for GET and HEAD.
func New(launches Authorizer, files *content.Catalogue, where launch.Addresses) http.Handler {
	_, host, _ := strings.Cut(where.Courseware, "://")
	d := &door{launches: launches, files: files, host: web.HostName(host), singleHost: where.SingleHost, headers: headers(where), check: newCheck(where)}
	return web.Handle(web.Readable, web.Methods(map[string]web.Handler{http.MethodGet: d.serve}))
}

// headers are those of every file. What a package may load and run is for its author to say; whoever wants to frame it is
// for us. The address of its first page holds the launch's secrets, so that no address may be passed on as a referrer.
func headers(where launch.Addresses) map[string]string {
	h := map[string]string{
		"X-Content-Type-Options":       "nosniff",
		"Referrer-Policy":              "no-referrer",
		"X-Robots-Tag":                 "noindex",
		"Origin-Agent-Cluster":         "?1",
		"Content-Security-Policy":      "frame-ancestors 'self' " + where.Public,
		"Cross-Origin-Resource-Policy": "same-origin",
	}
	if where.SingleHost {
		h["Content-Security-Policy"] = "sandbox allow-scripts allow-forms allow-popups"
		h["Cross-Origin-Resource-Policy"] = "cross-origin"
		h["Access-Control-Allow-Origin"] = "*"
	}
	return h
}

func (d *door) serve(w http.ResponseWriter, r *http.Request) error {
	if d.isCheck(r) {
		d.check.serve(w, r)
		return nil
	}
	a, ok := d.read(r)
	if !ok {
		return web.NotFound(w, r)
	}
	org, err := d.launches.AuthorizeFile(r.Context(), a.pkg, a.token)
	if err != nil {
		return err
	}
	f, err := d.files.File(r.Context(), org, a.pkg, a.path)
	if err != nil {
		return err
	}
	defer f.Body.Close()
	h := w.Header()
	for name, value := range d.headers {
		h.Set(name, value)
	}
	h.Set("Content-Type", f.MediaType)
	h.Set("Cache-Control", "private, max-age=86400, immutable")
	if page(f.MediaType) {
		h.Set("Cache-Control", "private, no-cache")
	}
	if f.Download {
		h.Set("Content-Disposition", "attachment")
	}
	h.Set("ETag", `"`+hex.EncodeToString(f.SHA256[:])+`"`)
	http.ServeContent(w, r, "", time.Time{}, f.Body)
	return nil
}

func page(mediaType string) bool {
	return mediaType == "text/html" || mediaType == "application/xhtml+xml"
}

// address is where a file of a package is.
type address struct {
	pkg   id.PackageID
	token string
	path  string // decoded
}

// read takes a request's address apart, and tells the request's log line which part of it is secret.
func (d *door) read(r *http.Request) (a address, ok bool) {
	label, host, _ := strings.Cut(web.HostName(r.Host), ".")
	path, ok := strings.CutPrefix(r.URL.EscapedPath(), "/")
	r.Pattern = "/{token}/{path...}"
	if d.singleHost {
		r.Pattern, host = "/{package}/{token}/{path...}", web.HostName(r.Host)
		if label, path, ok = strings.Cut(path, "/"); !ok {
			return a, false
		}
	}
	var file string
	a.token, file, _ = strings.Cut(path, "/")
	r.SetPathValue("token", a.token)
	if !ok || host != d.host {
		return a, false
	}
	var err error
	if a.pkg, err = launch.ParsePackageLabel(label); err != nil {
		return a, false
	}
	a.path, ok = decode(file)
	return a, ok
}

// decode undoes the percent-encoding of a path part by part. A part that holds a slash when decoded is no part of ours.
func decode(path string) (string, bool) {
	parts := strings.Split(path, "/")
	for i, p := range parts {
		plain, err := url.PathUnescape(p)
		if err != nil || strings.Contains(plain, "/") {
			return "", false
		}
		parts[i] = plain
	}
	return strings.Join(parts, "/"), true
}
