package lrsapi

import (
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"rollway/internal/fault"
	"rollway/internal/web"
	"rollway/xapi"
)

// formHeaders are the form fields of the alternate request syntax that stand for headers.
var formHeaders = []string{"Authorization", writtenVersion, "Content-Type", "Content-Length", "If-Match", "If-None-Match", "Accept", "Accept-Language"}

// maxForm bounds a form of the alternate syntax, in bytes as sent: 1 MB of content and 16 KB for the rest. It is read before
// anybody is asked who they are, and only old browsers send it.
const maxForm = 1<<20 + 16<<10

// mayBeAlternate tells requests that alternate has to look at.
func mayBeAlternate(r *http.Request) bool {
	return r.Method == http.MethodPost && strings.Contains(r.URL.RawQuery, "method=")
}

// alternate unpacks the alternate request syntax of 1.0 (Communication 1.3): a POST whose only query parameter, method, says
// what is meant, and whose form fields are the parameters, some headers, and the body as content. Any other request is
// returned as it came. 2.0 has no such thing. A form larger than maxForm is a TooLarge fault: longer batches and documents are
// sent as the requests that they are.
func alternate(r *http.Request) (*http.Request, error) {
	if !mayBeAlternate(r) {
		return r, nil
	}
	query, err := web.ParseQuery(r.URL.RawQuery)
	if err != nil || !query.Has("method") {
		return r, nil // for the resource to refuse
	}
	if err := query.Only("method"); err != nil {
		return nil, err
	}
	if media, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || media != "application/x-www-form-urlencoded" {
		return nil, badForm("The body must be a form (application/x-www-form-urlencoded).")
	}
	body, err := web.Body(r, maxForm)
	if err != nil {
		return nil, err
	}
	form, err := web.ParseQuery(string(body))
	if err != nil {
		return nil, badForm("The body is not a form: %v", err)
	}
	return unpack(r, query.Get("method"), form)
}

// unpack makes the request that was meant.
func unpack(r *http.Request, method string, form web.Params) (*http.Request, error) {
	if !slices.Contains([]string{http.MethodGet, http.MethodHead, http.MethodPut, http.MethodPost, http.MethodDelete}, method) {
		return nil, badForm("The method must be GET, HEAD, PUT, POST or DELETE.")
	}
	meant := *r
	meant.Method = method
	meant.Header = r.Header.Clone()
	meant.Header.Del("Content-Type")
	special := []string{"content"}
	for _, name := range form.Names() {
		i := slices.IndexFunc(formHeaders, func(h string) bool { return strings.EqualFold(h, name) })
		if i < 0 {
			continue
		}
		special = append(special, name)
		value := form.Get(name)
		if sent := meant.Header["Authorization"]; formHeaders[i] == "Authorization" && len(sent) > 0 && sent[0] != value {
			return nil, badForm("There are two credentials, in the header and the form or in the form alone.")
		}
		if strings.ContainsAny(value, "\r\n") {
			return nil, badForm("The field %s is no value of a header.", name)
		}
		meant.Header.Set(formHeaders[i], value)
	}
	if line, err := xapi.ParseVersionHeader(meant.Header.Get(versionHeader)); err == nil && line != xapi.V1 {
		return nil, badForm("xAPI 2.0 has no alternate request syntax; send the request itself.")
	}
	address := *r.URL
	address.RawQuery = form.Without(special...).Encode()
	meant.URL = &address
	if err := attach(&meant, form); err != nil {
		return nil, err
	}
	return &meant, nil
}

// attach gives the request its body, where its method has one.
func attach(meant *http.Request, form web.Params) error {
	meant.Body, meant.ContentLength = http.NoBody, 0
	if meant.Method != http.MethodPut && meant.Method != http.MethodPost {
		return nil
	}
	if !form.Has("content") {
		return badForm("The form has no field content, which is the body.")
	}
	content := form.Get("content")
	meant.Body, meant.ContentLength = io.NopCloser(strings.NewReader(content)), int64(len(content))
	if meant.Header.Get("Content-Type") == "" && resource(meant.URL) == "statements" {
		meant.Header.Set("Content-Type", "application/json")
	}
	return nil
}

func badForm(format string, args ...any) error {
	return fault.New(fault.Invalid, "bad_alternate_request", "This is no request in the alternate syntax. %s", fmt.Sprintf(format, args...))
}

// resource is what the path below /xapi/ names, with doubled and final slashes left out: content appends "/statements" to
// endpoints that end in a slash.
func resource(u *url.URL) string {
	parts := strings.FieldsFunc(u.Path, func(c rune) bool { return c == '/' })
	if len(parts) == 0 {
		return ""
	}
	return strings.Join(parts[1:], "/")
}
