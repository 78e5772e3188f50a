package lrs

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"rollway/internal/fault"
	"rollway/xapi"
)

// response is an answer, read to its end unless it has a stream.
type response struct {
	status int
	header http.Header
	body   []byte
	stream io.ReadCloser
}

func (a response) refused(u *url.URL) error {
	said := strings.Join(strings.Fields(strings.ToValidUTF8(string(a.body[:min(len(a.body), 200)]), "")), " ")
	if a.status == http.StatusUnauthorized || a.status == http.StatusForbidden {
		return fault.New(fault.Forbidden, "refused", "%s refuses this user and password (%d). It says: %s", u.Host, a.status, said)
	}
	return fault.New(fault.Invalid, "unexpected_answer", "%s answers %d %s. It says: %s", u.Redacted(), a.status, http.StatusText(a.status), said)
}

// get asks for an answer to its end. It asks by 1.0.3, and from the first question on by 2.0 if the store refuses that one by
// 1.0.3 and answers it by 2.0.
func (r *Remote) get(ctx context.Context, u *url.URL) (response, error) {
	res, err := r.insist(ctx, u, r.whole)
	if err == nil && res.status == http.StatusBadRequest && !r.agreed {
		r.line = xapi.V2
		newer, err := r.insist(ctx, u, r.whole)
		if err == nil && newer.status == http.StatusOK {
			res = newer
		} else {
			r.line = xapi.V1
		}
	}
	r.agreed = r.agreed || err == nil && res.status == http.StatusOK
	return res, err
}

// insist asks again, later and later, while the store is not to be reached or says that it cannot answer now.
func (r *Remote) insist(ctx context.Context, u *url.URL, once func(context.Context, *url.URL) (response, error)) (response, error) {
	for try := 1; ; try++ {
		res, err := once(ctx, u)
		var why string
		switch {
		case ctx.Err() != nil:
			return res, ctx.Err()
		case errors.Is(err, errStranger), errors.Is(err, errTooLong):
			return res, fault.New(fault.Invalid, "unexpected_answer", "%s cannot be imported from.", u.Host).Because(err)
		case err != nil:
			why = fmt.Sprintf("it cannot be reached (%v)", withoutAddress(err))
		case res.status == http.StatusTooManyRequests || res.status >= 500:
			why = fmt.Sprintf("it answers %d", res.status)
		default:
			return res, nil
		}
		if try == remoteTries {
			if err == nil {
				err = res.refused(u)
			}
			return res, fault.New(fault.Unavailable, "remote_unavailable", "%s: %s, %d times in a row. Go on later with --resume.", u.Host, why, try).Because(err)
		}
		wait := max(retryAfter(res.header), min(time.Second<<(try-1), time.Minute))
		r.Waiting(why, wait)
		if err := r.Sleep(ctx, wait); err != nil {
			return res, err
		}
	}
}

// withoutAddress is what went wrong in a request, without the address, which is told already.
func withoutAddress(err error) error {
	var asked *url.Error
	if errors.As(err, &asked) {
		return asked.Err
	}
	return err
}

var errTooLong = fmt.Errorf("an answer is longer than %d MB", remotePage>>20)

func (r *Remote) whole(ctx context.Context, u *url.URL) (response, error) {
	ctx, cancel := context.WithTimeout(ctx, remoteTimeout)
	defer cancel()
	res, err := r.do(ctx, u, "application/json")
	if err != nil {
		return response{}, err
	}
	return readAll(res)
}

// do sends one request.
func (r *Remote) do(ctx context.Context, u *url.URL, accept string) (*http.Response, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), nil)
	if err != nil {
		return nil, err
	}
	req.Header.Set("X-Experience-API-Version", r.line.String())
	req.Header.Set("Accept", accept)
	if r.User != "" || r.Password != "" {
		req.SetBasicAuth(r.User, r.Password)
	}
	return r.client.Do(req)
}

// readAll reads an answer to its end.
func readAll(res *http.Response) (response, error) {
	defer res.Body.Close()
	var body bytes.Buffer
	n, err := body.ReadFrom(io.LimitReader(res.Body, remotePage+1))
	if err == nil && n > remotePage {
		err = errTooLong
	}
	return response{status: res.StatusCode, header: res.Header, body: body.Bytes()}, err
}

// retryAfter is how long an answer asks to wait (RFC 9110, 10.2.3), within reason.
func retryAfter(h http.Header) time.Duration {
	text := h.Get("Retry-After")
	if n, err := strconv.Atoi(text); err == nil && n > 0 {
		return min(time.Duration(min(n, 3600))*time.Second, longestWait)
	}
	if at, err := http.ParseTime(text); err == nil {
		return min(max(time.Until(at), 0), longestWait)
	}
	return 0
}
