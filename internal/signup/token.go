package signup

import (
	"context"
	"crypto/rand"
	"net/url"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/go-json-experiment/json"

	"rollway/internal/access"
	"rollway/internal/db"
	"rollway/internal/fault"
	"rollway/internal/id"
)

// Token is a service token of GLPI's dialect as it is shown. It stands in a dashboard's public script, so that its
// sessions may do challenges, sign-ups and validations and nothing else.
type Token struct {
	ID       id.TokenID
	Name     string
	Origins  []string // web origins it may be used from; empty allows any
	Created  time.Time
	Expires  time.Time // zero: never
	Revoked  time.Time // zero while it is not
	LastUsed time.Time // to the minute; zero when never
}

// Issued is a token with its secret, which is shown this once.
type Issued struct {
	Token
	Secret string
}

// TokenRequest is what a token shall be.
type TokenRequest struct {
	Name    string
	Origins []string
	Expires time.Duration // from now; zero: never
}

const maxTokenName = 100

// Check says what is wrong with the request. Fault: Invalid.
func (r TokenRequest) Check() error {
	if strings.TrimSpace(r.Name) == "" || len(r.Name) > maxTokenName || !utf8.ValidString(r.Name) || strings.ContainsFunc(r.Name, unicode.IsControl) {
		return fault.New(fault.Invalid, "token_name", "A token needs a name of 1 to %d bytes without control characters.", maxTokenName)
	}
	if r.Expires < 0 {
		return fault.New(fault.Invalid, "token_expiry", "A token cannot expire in the past.")
	}
	for _, o := range r.Origins {
		u, err := url.Parse(o)
		if err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" || u.String() != u.Scheme+"://"+strings.ToLower(u.Host) {
			return fault.New(fault.Invalid, "token_origin", "%.200q is no web origin; one looks like https://dashboard.example.", o)
		}
	}
	return nil
}

// newSecret is 40 letters and digits, as long as GLPI's own tokens and without anything that a URL escapes.
func newSecret() string { return (rand.Text() + rand.Text())[:40] }

// CreateToken makes a token. Faults: Forbidden for anybody but the operator, since what a token begins is the installation's;
// Invalid.
func (s *Signup) CreateToken(ctx context.Context, c access.Caller, r TokenRequest) (Issued, error) {
	if err := c.RequireOperator(); err != nil {
		return Issued{}, err
	}
	if err := r.Check(); err != nil {
		return Issued{}, err
	}
	origins, err := json.Marshal(r.Origins)
	if err != nil {
		return Issued{}, err
	}
	out := Issued{Token: Token{ID: id.New[id.TokenID](), Name: strings.TrimSpace(r.Name), Origins: slices.Clone(r.Origins)}, Secret: newSecret()}
	err = s.db.Write(ctx, func(tx *db.Tx) error {
		out.Created, out.Expires = tx.Now(), time.Time{}
		if r.Expires > 0 {
			out.Expires = out.Created.Add(r.Expires)
		}
		if err := tx.Defer(ctx, "INSERT INTO signup_tokens (org_id, id, name, origins, created, expires) VALUES (?, ?, ?, ?, ?, ?)",
			c.Org, out.ID, out.Name, string(origins), out.Created, out.Expires); err != nil {
			return err
		}
		if err := s.insertSecret(ctx, tx, c.Org, out); err != nil {
			return err
		}
		return access.Audit(ctx, tx, c, "signup_token.create", "signup token "+out.ID.String(), map[string]any{"name": out.Name, "origins": out.Origins})
	})
	return out, err
}

func (s *Signup) insertSecret(ctx context.Context, tx *db.Tx, org id.OrgID, i Issued) error {
	return tx.Defer(ctx, "INSERT INTO signup_token_secrets (token_hash, org_id, token_id, created) VALUES (?, ?, ?, ?)", s.secretHash(i.Secret), org, i.ID, tx.Now())
}

func (s *Signup) secretHash(secret string) []byte { return s.key.Hash("signup token", secret) }

const tokenColumns = "SELECT id, name, origins, created, expires, revoked, last_used FROM signup_tokens WHERE org_id = ?"

func scanToken(r *db.Rows) (t Token, err error) {
	var origins string
	if err := r.Scan(&t.ID, &t.Name, &origins, &t.Created, &t.Expires, &t.Revoked, &t.LastUsed); err != nil {
		return t, err
	}
	return t, json.Unmarshal([]byte(origins), &t.Origins)
}

// Tokens lists the organization's tokens, oldest first. Fault: Forbidden for anybody but the operator.
func (s *Signup) Tokens(ctx context.Context, c access.Caller) (list []Token, err error) {
	if err := c.RequireOperator(); err != nil {
		return nil, err
	}
	err = s.db.Read(ctx, func(tx *db.Tx) error {
		list = nil
		return tx.Each(ctx, tokenColumns+" ORDER BY id", []any{c.Org}, func(r *db.Rows) error {
			t, err := scanToken(r)
			list = append(list, t)
			return err
		})
	})
	return list, err
}

// RotateToken gives a token a new secret. The one before goes on working for the grace, so that dashboards can be changed
// one after another; any older one ends at once. Faults: Forbidden, NotFound, Conflict for one that is over.
func (s *Signup) RotateToken(ctx context.Context, c access.Caller, token id.TokenID, grace time.Duration) (Issued, error) {
	if grace < 0 {
		return Issued{}, fault.New(fault.Invalid, "rotate_grace", "The time for which the old secret stays valid cannot be negative.")
	}
	out := Issued{Secret: newSecret()}
	err := s.changeToken(ctx, c, token, "signup_token.rotate", map[string]any{"grace": grace.String()}, func(tx *db.Tx, t Token) error {
		out.Token = t
		now := tx.Now()
		if over(t, now) {
			return fault.New(fault.Conflict, "token_over", "The token %s is revoked or expired. Create a new one.", t.Name)
		}
		if err := tx.Defer(ctx, "DELETE FROM signup_token_secrets WHERE org_id = ? AND token_id = ? AND expires IS NOT NULL", c.Org, token); err != nil {
			return err
		}
		if err := tx.Defer(ctx, "UPDATE signup_token_secrets SET expires = ? WHERE org_id = ? AND token_id = ?", now.Add(grace), c.Org, token); err != nil {
			return err
		}
		return s.insertSecret(ctx, tx, c.Org, out)
	})
	return out, err
}

// RevokeToken ends a token with its secrets and sessions, at once and for ever. Revoking it again does nothing. Faults:
// Forbidden for anybody but the operator, NotFound.
func (s *Signup) RevokeToken(ctx context.Context, c access.Caller, token id.TokenID) error {
	return s.changeToken(ctx, c, token, "signup_token.revoke", nil, func(tx *db.Tx, t Token) error {
		for _, table := range []string{"signup_token_secrets", "signup_sessions"} {
			if err := tx.Defer(ctx, "DELETE FROM "+table+" WHERE org_id = ? AND token_id = ?", c.Org, token); err != nil {
				return err
			}
		}
		return tx.Defer(ctx, "UPDATE signup_tokens SET revoked = coalesce(revoked, ?) WHERE org_id = ? AND id = ?", tx.Now(), c.Org, token)
	})
}

func over(t Token, now time.Time) bool {
	return !t.Revoked.IsZero() || !t.Expires.IsZero() && !t.Expires.After(now)
}

func (s *Signup) changeToken(ctx context.Context, c access.Caller, token id.TokenID, action string, detail map[string]any, change func(*db.Tx, Token) error) error {
	if err := c.RequireOperator(); err != nil {
		return err
	}
	return s.db.Write(ctx, func(tx *db.Tx) error {
		if err := tx.Lock(ctx, "signup token "+token.String()); err != nil {
			return err
		}
		var t Token
		err := tx.Each(ctx, tokenColumns+" AND id = ?", []any{c.Org, token}, func(r *db.Rows) (err error) {
			t, err = scanToken(r)
			return err
		})
		if err != nil {
			return err
		}
		if t.ID.IsZero() {
			return fault.New(fault.NotFound, "token_unknown", "There is no token %v.", token)
		}
		if err := change(tx, t); err != nil {
			return err
		}
		return access.Audit(ctx, tx, c, action, "signup token "+token.String(), detail)
	})
}
