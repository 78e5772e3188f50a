package forward

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
	"unicode"

	"rollway/internal/fault"
	"rollway/internal/id"
	"rollway/internal/lrs"
	"rollway/xapi"
)

const (
	answerSize = 500      // bytes of an answer that are kept
	readSize   = 64 << 10 // and read
	equalSize  = lrs.MaxBody
	askFor     = 75 * time.Second
	headerFor  = 60 * time.Second
	slowest    = 100 << 10      // bytes of a body that take a second more
	waitMost   = 24 * time.Hour // that a receiver may ask for
)

// sender speaks to receivers. Their addresses are checked when the connection is made, no redirect is followed and no proxy
// used.
type sender struct{ guarded, private *http.Client }

func newSender() sender {
	return sender{newClient(false), newClient(true)}
}

func newClient(allowPrivate bool) *http.Client {
	dialer := &net.Dialer{Timeout: 10 * time.Second, KeepAlive: 30 * time.Second, Control: control(allowPrivate)}
	return &http.Client{
		Transport: &http.Transport{
			DialContext: dialer.DialContext, TLSHandshakeTimeout: 10 * time.Second, ResponseHeaderTimeout: headerFor, ForceAttemptHTTP2: true,
			MaxIdleConnsPerHost: 2, IdleConnTimeout: 90 * time.Second, MaxResponseHeaderBytes: readSize,
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// receiver is a forward with its secret.
type receiver struct {
	Forward
	secret string
	client *http.Client
}

func (s sender) to(f Forward, secret string) receiver {
	client := s.guarded
	if f.AllowPrivate {
		client = s.private
	}
	return receiver{f, secret, client}
}

// answer is what a receiver said.
type answer struct {
	status int
	text   []byte
	after  time.Duration // that it asks to wait
}

// taken tells that the receiver has the statements now.
func (a answer) taken() bool { return a.status == http.StatusOK || a.status == http.StatusNoContent }

// final tells that it will not take them, whenever they are sent. (422 is what some answer instead of 400.)
func (a answer) final() bool {
	switch a.status {
	case http.StatusBadRequest, http.StatusConflict, http.StatusUnprocessableEntity:
		return true
	}
	return false
}

// doubtful tells that it is about the statements or about whoever sends them: 403 says that a statement needs more rights,
// and that there are none at all, 413 that it is too long, and that the receiver keeps no more of this sender. (What says how
// long to wait is about the sender.)
func (a answer) doubtful() bool {
	switch a.status {
	case http.StatusUnauthorized, http.StatusNotFound, http.StatusMethodNotAllowed, http.StatusProxyAuthRequired, http.StatusRequestTimeout, http.StatusTooEarly, http.StatusTooManyRequests:
		return false
	}
	return a.status >= 400 && a.status < 500 && !a.final() && a.after == 0
}

// said is the beginning of the answer for people.
func (a answer) said() string {
	text := strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(string(a.text[:min(len(a.text), answerSize)]), ""))
	return strings.TrimSpace(text)
}

// trouble is why nothing was settled: the statements are sent again. It may say to what in particular the answer is.
func (a answer) trouble(to string) error {
	hint := ""
	switch {
	case a.status == http.StatusUnauthorized || a.status == http.StatusForbidden:
		hint = " It does not accept the user and secret of this forward, or does not let them store these statements."
	case a.status == http.StatusNotFound || a.status == http.StatusMethodNotAllowed:
		hint = " The endpoint may be wrong."
	case a.status >= 300 && a.status < 400:
		hint = " Redirects are not followed; add the forward with the address itself."
	}
	return fault.New(fault.Unavailable, "receiver_answer", "The receiver answers %d %s%s.%s %s", a.status, http.StatusText(a.status), to, hint, a.said())
}

// errData is in the chain of the error when the data of an attachment cannot be read here.
var errData = errors.New("the data of its attachment cannot be read")

// post sends statements.
func (r receiver) post(ctx context.Context, b batch) (answer, error) {
	body := b.body()
	reader, wait := body.open()
	a, err := r.ask(ctx, http.MethodPost, "statements", b.line, content{body.contentType, body.length, reader}, readSize)
	wait()
	if body.failed != nil && (err != nil || !a.taken()) {
		return answer{}, fmt.Errorf("%w: %w", errData, body.failed)
	}
	return a, err
}

// content is the body of a request; the zero value is none.
type content struct {
	mediaType string
	length    int64
	reader    io.ReadCloser
}

// has asks for the statement that the receiver has under an id, voided or not.
func (r receiver) has(ctx context.Context, sid id.StatementID, line xapi.Version) (answer, error) {
	a, err := r.ask(ctx, http.MethodGet, "statements?statementId="+sid.String(), line, content{}, equalSize)
	if err == nil && a.status == http.StatusNotFound {
		a, err = r.ask(ctx, http.MethodGet, "statements?voidedStatementId="+sid.String(), line, content{}, equalSize)
	}
	return a, err
}

func (r receiver) ask(ctx context.Context, method, path string, line xapi.Version, c content, limit int64) (answer, error) {
	ctx, cancel := context.WithTimeout(ctx, askFor+time.Duration(c.length/slowest)*time.Second)
	defer cancel()
	q, err := http.NewRequestWithContext(ctx, method, r.Endpoint+path, nil)
	if err != nil {
		return answer{}, err
	}
	q.SetBasicAuth(r.Username, r.secret)
	q.Header.Set("X-Experience-API-Version", line.String())
	q.Header.Set("User-Agent", "Rollway")
	if c.reader != nil {
		q.Header.Set("Content-Type", c.mediaType)
		q.Body, q.ContentLength = c.reader, c.length
	}
	res, err := r.client.Do(q)
	if err != nil {
		return answer{}, unreachable(err)
	}
	defer res.Body.Close()
	a := answer{status: res.StatusCode, after: retryAfter(res.Header.Get("Retry-After"), time.Now())}
	// What was done is in the status: the rest of a long answer, or one that breaks off, does not matter.
	a.text, err = io.ReadAll(io.LimitReader(res.Body, limit))
	if err != nil && method == http.MethodGet {
		return answer{}, unreachable(err)
	}
	if !a.taken() {
		a.text = r.hide(a.text)
	}
	return a, nil
}

// hide takes what the receiver is asked with out of its answer, which is kept: some answer with the whole request.
func (r receiver) hide(text []byte) []byte {
	for _, secret := range []string{base64.StdEncoding.EncodeToString([]byte(r.Username + ":" + r.secret)), r.secret} {
		text = bytes.ReplaceAll(text, []byte(secret), []byte("[secret]"))
	}
	return text
}

// unreachable says in short why there is no answer.
func unreachable(err error) error {
	var refused *fault.Error
	if errors.As(err, &refused) {
		return refused
	}
	var in *url.Error
	if errors.As(err, &in) {
		err = in.Err
	}
	if errors.Is(err, context.DeadlineExceeded) {
		err = errors.New("no answer in time")
	}
	return fault.New(fault.Unavailable, "receiver_unreachable", "The receiver cannot be reached: %v.", err)
}

// retryAfter reads the header (RFC 9110, 10.2.3): seconds or a date.
func retryAfter(value string, now time.Time) time.Duration {
	if value == "" {
		return 0
	}
	if n, err := strconv.ParseUint(value, 10, 32); err == nil {
		return min(time.Duration(n)*time.Second, waitMost)
	}
	if at, err := http.ParseTime(value); err == nil {
		return min(max(at.Sub(now), 0), waitMost)
	}
	return 0
}

const (
	batchStatements = 100
	batchBytes      = 1 << 20
)

// batch is statements that are sent in one request.
type batch struct {
	line       xapi.Version // of the request: 2.0 when one needs it
	statements []lrs.Statement
	attached   bool // it is one statement with attachments
	data       []lrs.Attachment
}

// nextBatch takes as many statements off the front as go into one request. One with attachments goes alone, and so does
// one that cannot be sent, with the reason.
func nextBatch(found []lrs.Statement) (batch, error) {
	var b batch
	size := 0
	for i, st := range found {
		line, attached, err := needs(st.JSON)
		if i == 0 && (attached || err != nil) {
			return batch{line: line, statements: found[:1], attached: attached}, err
		}
		size += len(st.JSON) + 1
		if attached || err != nil || i == batchStatements || i > 0 && (size > batchBytes || line != b.line) {
			break
		}
		b.line, b.statements = line, found[:i+1]
	}
	return b, nil
}

// needs tells which version a request with the statement must be of and whether it has attachments, or why it cannot be sent.
func needs(text []byte) (line xapi.Version, attached bool, err error) {
	f, err := xapi.Read(text, xapi.V2) // what 1.0.3 takes, 2.0 takes too
	if err != nil {
		return 0, false, fmt.Errorf("it cannot be read: %w", err)
	}
	attached = len(f.Attachments) > 0
	if len(f.Version) > 0 && f.Version[0] == '2' {
		return xapi.V2, attached, nil
	}
	for i := range f.Agents {
		if role := f.Agents[i].Role; role == xapi.RoleContextAgent || role == xapi.RoleContextGroup {
			return xapi.V2, attached, nil
		}
	}
	return xapi.V1, attached, nil
}
