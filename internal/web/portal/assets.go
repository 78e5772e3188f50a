package portal

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"errors"
	"mime"
	"net/http"
	"path"
	"strconv"
	"strings"

	"rollway/internal/web"
)

//go:embed assets
var assetFiles embed.FS

// asset is a file that pages refer to under a name which changes with its bytes, so that browsers may keep it for good.
type asset struct {
	url, mediaType string
	plain, packed  []byte
}

var assets = loadAssets("style.css", "app.js", "icon.svg")

func loadAssets(names ...string) map[string]*asset {
	all := map[string]*asset{}
	for _, name := range names {
		plain, err := assetFiles.ReadFile("assets/" + name)
		if err != nil {
			panic(err)
		}
		sum := sha256.Sum256(plain)
		ext := path.Ext(name)
		var packed bytes.Buffer
		z, err := gzip.NewWriterLevel(&packed, gzip.BestCompression)
		if err != nil {
			panic(err)
		}
		_, err = z.Write(plain)
		if err := errors.Join(err, z.Close()); err != nil {
			panic(err)
		}
		all[name] = &asset{
			url:       assetPrefix + strings.TrimSuffix(name, ext) + "-" + hex.EncodeToString(sum[:6]) + ext,
			mediaType: mime.TypeByExtension(ext), plain: plain, packed: packed.Bytes(),
		}
	}
	return all
}

const assetPrefix = "/assets/"

// serveAsset is GET /assets/{name}.
func serveAsset(w http.ResponseWriter, r *http.Request) error {
	for _, a := range assets {
		if a.url == r.URL.Path {
			a.serve(w, r)
			return nil
		}
	}
	return web.NotFound(w, r)
}

func (a *asset) serve(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	web.SecurityHeaders(h, web.StrictPolicy)
	h.Set("Content-Type", a.mediaType)
	h.Set("Cache-Control", "public, max-age=31536000, immutable")
	h.Set("Vary", "Accept-Encoding")
	body := a.plain
	if takesGzip(r.Header.Get("Accept-Encoding")) {
		h.Set("Content-Encoding", "gzip")
		body = a.packed
	}
	h.Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(http.StatusOK)
	if r.Method != http.MethodHead {
		_, _ = w.Write(body) // an error means that the client has gone
	}
}

// takesGzip reads an Accept-Encoding header (RFC 9110 section 12.5.3) as far as gzip goes.
func takesGzip(header string) bool {
	for part := range strings.SplitSeq(header, ",") {
		name, weight, _ := strings.Cut(strings.ReplaceAll(part, " ", ""), ";")
		if strings.EqualFold(name, "gzip") {
			return weight != "q=0" && !strings.HasPrefix(weight, "q=0.0")
		}
	}
	return false
}
