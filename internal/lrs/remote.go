package lrs

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"rollway/internal/fault"
	"rollway/internal/id"
	"rollway/xapi"
)

// RemoteConfig says which record store to read from, and how.
type RemoteConfig struct {
	Endpoint       string // absolute, to what statements is appended: https://lrs.example/xapi
	User, Password string // for Basic authentication
	PlainHTTP      bool   // sends the password over http to other machines too
	Limit          int    // statements a page to ask for; 500 when 0
	// Waiting is told why and how long it waits for a store that cannot answer; nil tells nobody.
	Waiting func(why string, d time.Duration)
	// Sleep waits; nil really does.
	Sleep func(ctx context.Context, d time.Duration) error
}

const (
	remotePage    = 64 << 20 // bytes of one answer
	remoteTimeout = 2 * time.Minute
	remoteTries   = 8
	longestWait   = 5 * time.Minute
)

// Remote is a Source: the statements of another record store, oldest first, by its statements resource (Communication
// 2.1.3). Of a statement that is voided there it asks by its id, since no query yields it, and of the data of attachments
// statement by statement, so that no page holds more than statements.
type Remote struct {
	RemoteConfig
	endpoint *url.URL
	client   *http.Client

	next    *url.URL // page to ask for; nil at the end
	queue   []Item
	last    time.Time // stored of the last item
	ordered bool      // stored has not gone back, so there is going on from any item
	line    xapi.Version
	agreed  bool // the store has answered by it
}

// NewRemote makes a Source of another record store. Nothing is asked yet.
func NewRemote(cfg RemoteConfig) (*Remote, error) {
	u, err := url.Parse(strings.TrimSuffix(strings.TrimRight(cfg.Endpoint, "/"), "/statements"))
	if err != nil || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Scheme != "https" && u.Scheme != "http" {
		return nil, fault.New(fault.Invalid, "invalid_endpoint", "The address of a record store looks like https://lrs.example/xapi, without user, password and query.")
	}
	if u.Scheme == "http" && !cfg.PlainHTTP && !loopback(u.Hostname()) {
		return nil, fault.New(fault.Invalid, "plain_http", "Over http everybody on the way reads the password. Use https, or say --plain-http if you must.")
	}
	if cfg.Sleep == nil {
		cfg.Sleep = sleep
	}
	if cfg.Waiting == nil {
		cfg.Waiting = func(string, time.Duration) {}
	}
	if cfg.Limit == 0 {
		cfg.Limit = 500
	}
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.ResponseHeaderTimeout = remoteTimeout
	r := &Remote{RemoteConfig: cfg, endpoint: u, ordered: true, line: xapi.V1}
	r.client = &http.Client{Transport: transport, CheckRedirect: func(next *http.Request, via []*http.Request) error {
		if !r.own(next.URL) || len(via) > 5 {
			return fmt.Errorf("%w: it redirects to %s", errStranger, next.URL.Redacted())
		}
		return nil
	}}
	r.next = r.first(time.Time{})
	return r, nil
}

var errStranger = errors.New("another address than the one the password is for")

func loopback(host string) bool {
	addr, err := netip.ParseAddr(host)
	return host == "localhost" || strings.HasSuffix(host, ".localhost") || err == nil && addr.IsLoopback()
}

// own tells whether an address may be sent the password.
func (r *Remote) own(u *url.URL) bool {
	return u.Scheme == r.endpoint.Scheme && strings.EqualFold(u.Host, r.endpoint.Host)
}

// first is the address of the first page of what was stored after a time.
func (r *Remote) first(since time.Time) *url.URL {
	q := url.Values{"ascending": {"true"}, "limit": {strconv.Itoa(r.Limit)}}
	if !since.IsZero() {
		q.Set("since", since.UTC().Format(time.RFC3339Nano))
	}
	return r.ask(q)
}

func (r *Remote) ask(q url.Values) *url.URL {
	u := r.endpoint.JoinPath("statements")
	u.RawQuery = q.Encode()
	return u
}

// Name implements [Source].
func (r *Remote) Name() string { return r.endpoint.String() + " as " + r.User }

// Resume implements [Source]: the cursor is when the item was stored there. It asks again for those of that millisecond.
func (r *Remote) Resume(cursor string) error {
	at, err := time.Parse(time.RFC3339Nano, cursor)
	if err != nil {
		return err
	}
	r.next = r.first(at.Add(-time.Millisecond))
	return nil
}

// Next implements [Source].
func (r *Remote) Next(ctx context.Context) (Item, error) {
	for len(r.queue) == 0 {
		if r.next == nil {
			return Item{}, io.EOF
		}
		if err := r.page(ctx); err != nil {
			return Item{}, err
		}
	}
	item := r.queue[0]
	r.queue = r.queue[1:]
	return item, nil
}

// page reads the next page into the queue.
func (r *Remote) page(ctx context.Context) error {
	res, err := r.get(ctx, r.next)
	if err != nil {
		return err
	}
	if res.status != http.StatusOK {
		return res.refused(r.next)
	}
	texts, more, err := statementResult(res.body)
	if err != nil {
		return fault.New(fault.Invalid, "no_statement_result", "%s does not answer with statements. Is this the address of a record store?", r.next.Redacted()).Because(err)
	}
	through, err := xapi.ParseTimestamp(res.header.Get("X-Experience-API-Consistent-Through"))
	if err != nil {
		through = time.Time{} // it does not say
	}
	asked := r.next
	r.next = nil
	if more != "" {
		if r.next, err = asked.Parse(more); err != nil {
			return fault.New(fault.Invalid, "bad_more", "Its link to more statements is no address.").Because(err)
		}
		r.next.Scheme = asked.Scheme // behind a proxy some do not know their own
		if !r.own(r.next) {
			return fault.New(fault.Invalid, "foreign_more", "Its link to more statements leads to %s, %v.", r.next.Host, errStranger)
		}
		if r.next.String() == asked.String() {
			return fault.New(fault.Invalid, "endless_more", "Its link to more statements leads to the same ones again.")
		}
	}
	for _, text := range texts {
		if err := r.add(ctx, text, through); err != nil {
			return err
		}
	}
	return nil
}

// add queues a statement, and before one that voids another the other one.
func (r *Remote) add(ctx context.Context, text []byte, through time.Time) error {
	o := outlineOf(text)
	if o.verb == string(xapi.VerbVoided) {
		target, err := id.Parse[id.StatementID](o.object)
		if err == nil {
			if err := r.addVoided(ctx, target); err != nil {
				return err
			}
		}
	}
	stored, err := xapi.ParseTimestamp(o.stored)
	if err != nil { // the statement is no good; its place is that of the one before
		stored = r.last
	}
	r.ordered = r.ordered && !stored.Before(r.last)
	r.last = stored
	if !through.IsZero() && through.Before(stored) { // others stored before it may not be there yet
		stored = through
	}
	item := Item{Text: text, Data: r.dataOf("statementId", o.id)}
	if r.ordered && !stored.IsZero() {
		item.Cursor = stored.Format(time.RFC3339Nano)
	}
	r.queue = append(r.queue, item)
	return nil
}

// addVoided queues a statement that is voided there, unless it is not there.
func (r *Remote) addVoided(ctx context.Context, target id.StatementID) error {
	u := r.ask(url.Values{"voidedStatementId": {target.String()}})
	res, err := r.get(ctx, u)
	if err != nil {
		return err
	}
	item := Item{Text: res.body, Place: "voided statement " + target.String(), Data: r.dataOf("voidedStatementId", target.String())}
	if r.ordered && !r.last.IsZero() {
		item.Cursor = r.last.Format(time.RFC3339Nano)
	}
	switch res.status {
	case http.StatusOK:
	case http.StatusNotFound:
		return nil
	default:
		item.Err = res.refused(u)
	}
	r.queue = append(r.queue, item)
	return nil
}

// statementResult reads a StatementResult (Data 2.5), whatever its statements are.
func statementResult(body []byte) (texts [][]byte, more string, err error) {
	var result struct {
		Statements *[]jsontext.Value `json:"statements"`
		More       string            `json:"more"`
	}
	if err := json.Unmarshal(body, &result, loose); err != nil {
		return nil, "", err
	}
	if result.Statements == nil {
		return nil, "", errors.New("there is no property statements")
	}
	for _, v := range *result.Statements {
		texts = append(texts, v)
	}
	return texts, result.More, nil
}
