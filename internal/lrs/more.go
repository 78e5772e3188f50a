package lrs

import (
	"context"
	"encoding/base64"
	"fmt"
	"strings"
	"time"

	"github.com/go-json-experiment/json"

	"rollway/internal/access"
	"rollway/internal/fault"
)

// MoreFor is how long a page's More may be used.
const MoreFor = 24 * time.Hour

// token is what a page's More says, sealed: nobody can read or make one, and it works for the caller it was given to only.
type token struct {
	Query   Query `json:"q"`
	After   int64 `json:"a"`
	Expires int64 `json:"e"` // seconds since 1970
}

func (s *Store) seal(c access.Caller, q Query, after int64) (string, error) {
	plain, err := json.Marshal(token{q, after, s.now().Add(MoreFor).Unix()})
	if err != nil {
		return "", err
	}
	return base64.RawURLEncoding.EncodeToString(s.sealer.Seal(nil, nil, plain, boundTo(c))), nil
}

// boundTo names a caller, so that a token given to one is refused from another.
func boundTo(c access.Caller) []byte {
	text := fmt.Sprintf("%d %d %s %s %s", c.Org, c.Kind, c.ServiceAccount, c.Credential, c.Name)
	if c.Bound != nil {
		text = fmt.Sprintf("%s\n%s %s\n%s", text, c.Bound.Person, c.Bound.Registration, c.Bound.Agent.IFI.Key())
	}
	return []byte(text)
}

// More returns the page after the one whose More this is. One that was changed, has expired or was given to another caller
// is Invalid. What the caller may see is decided anew.
func (s *Store) More(ctx context.Context, c access.Caller, more string) (Page, error) {
	refused := fault.New(fault.Invalid, "invalid_more", "This link to more statements is not valid: it has expired, was changed, or was given to another credential. Send the query again.")
	sealed, err := base64.RawURLEncoding.Strict().DecodeString(more)
	if err != nil || strings.ContainsAny(more, "\r\n") { // which the decoder overlooks
		return Page{}, refused
	}
	plain, err := s.sealer.Open(nil, nil, sealed, boundTo(c))
	if err != nil {
		return Page{}, refused
	}
	var t token
	if err := json.Unmarshal(plain, &t); err != nil {
		return Page{}, err
	}
	if s.now().Unix() > t.Expires {
		return Page{}, refused
	}
	return s.find(ctx, c, t.Query, t.After)
}
