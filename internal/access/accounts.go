package access

import (
	"context"
	"crypto/rand"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"rollway/internal/db"
	"rollway/internal/fault"
	"rollway/internal/id"
)

// Accounts keeps the service accounts: other systems' identities.
type Accounts struct {
	db      *db.DB
	key     Key
	changes *Changes
}

// NewAccounts returns the service accounts of a database whose secrets are hashed under the key.
func NewAccounts(d *db.DB, key Key, changes *Changes) *Accounts {
	return &Accounts{d, key, changes}
}

// Account is a service account as it is shown.
type Account struct {
	ID        id.ServiceAccountID
	Name      string
	Scopes    Scope
	HomePages []string // prefixes of account home pages it may insert under; empty allows any
	Created   time.Time
	Expires   time.Time // zero: never
	Revoked   time.Time // zero while it is not
	LastUsed  time.Time // to the minute; zero when never
	// Key is the user name of Basic, that of the newest pair; empty when the account is revoked, and of a pair from before keys
	// were kept to be shown.
	Key string
}

// Issued is an account with a new pair of key and secret, which is shown this once.
type Issued struct {
	Account
	Secret string // password of Basic
	Token  string // the pair in one word, for Bearer
}

// Request is what a service account shall be.
type Request struct {
	Name      string
	Scopes    Scope
	HomePages []string
	Expires   time.Duration // from now; zero: never
}

const (
	maxName      = 100
	maxHomePages = 100
)

// Check says what is wrong with a request, as [Accounts.Create] does.
func (r Request) Check() error {
	switch {
	case strings.TrimSpace(r.Name) == "" || len(r.Name) > maxName || !utf8.ValidString(r.Name) || strings.ContainsFunc(r.Name, unicode.IsControl):
		return fault.New(fault.Invalid, "account_name", "A service account needs a name of 1 to %d bytes without control characters.", maxName)
	case r.Scopes == 0:
		return fault.New(fault.Invalid, "account_scopes", "A service account needs at least one scope. The scopes are: %s.", strings.Join(scopeNames, ", "))
	case r.Expires < 0:
		return fault.New(fault.Invalid, "account_expiry", "A service account cannot expire in the past.")
	case len(r.HomePages) > maxHomePages:
		return fault.New(fault.Invalid, "account_home_pages", "A service account has at most %d home page prefixes.", maxHomePages)
	}
	for _, p := range r.HomePages {
		if !validPrefix(p) {
			return fault.New(fault.Invalid, "account_home_pages", "The home page prefix %.200q is not an address with a scheme, a host and perhaps a path, such as https://lms.example/.", p)
		}
	}
	return nil
}

// validPrefix asks for what the rule for home pages can compare: a scheme, a host and perhaps a path.
func validPrefix(p string) bool {
	u, err := url.Parse(p)
	return err == nil && u.Scheme != "" && u.Host != "" && u.User == nil && u.RawQuery == "" && u.Fragment == "" && len(p) <= 2048
}

// Create makes a service account. Faults: Forbidden without the scope admin, Invalid.
func (a *Accounts) Create(ctx context.Context, c Caller, r Request) (Issued, error) {
	if err := c.Require(Admin); err != nil {
		return Issued{}, err
	}
	if err := r.Check(); err != nil {
		return Issued{}, err
	}
	out := newPair()
	out.Account = Account{ID: id.New[id.ServiceAccountID](), Name: strings.TrimSpace(r.Name), Scopes: r.Scopes, HomePages: slices.Clone(r.HomePages), Key: out.Key}
	err := a.db.Write(ctx, func(tx *db.Tx) error {
		out.Created, out.Expires = tx.Now(), time.Time{}
		if r.Expires > 0 {
			out.Expires = out.Created.Add(r.Expires)
		}
		if err := insertAccount(ctx, tx, c.Org, out.Account); err != nil {
			return err
		}
		if err := a.insertPair(ctx, tx, c.Org, out); err != nil {
			return err
		}
		return Audit(ctx, tx, c, "service_account.create", "service account "+out.ID.String(), map[string]any{
			"name": out.Name, "scopes": r.Scopes.Names(), "homePages": out.HomePages,
		})
	})
	return out, err
}

// List returns the organization's service accounts, oldest first. Fault: Forbidden without the scope admin.
func (a *Accounts) List(ctx context.Context, c Caller) (list []Account, err error) {
	if err := c.Require(Admin); err != nil {
		return nil, err
	}
	err = a.db.Read(ctx, func(tx *db.Tx) error {
		list, err = readAccounts(ctx, tx, "WHERE a.org_id = ? ORDER BY a.id", c.Org)
		return err
	})
	return list, err
}

// Grace is how long the pair that Rotate replaces goes on working, unless told otherwise.
const Grace = 24 * time.Hour

// Rotate gives the account a new pair of key and secret. The one before goes on working for the grace, so that both can be
// in use while the other system changes over; any older one ends at once. Faults: Forbidden without the scope admin,
// NotFound, Conflict for a revoked or expired account.
func (a *Accounts) Rotate(ctx context.Context, c Caller, account id.ServiceAccountID, grace time.Duration) (Issued, error) {
	if err := c.Require(Admin); err != nil {
		return Issued{}, err
	}
	if grace < 0 {
		return Issued{}, fault.New(fault.Invalid, "rotate_grace", "The time for which the old secret stays valid cannot be negative.")
	}
	pair := newPair()
	out := pair
	err := a.db.Write(ctx, func(tx *db.Tx) (err error) {
		if out.Account, err = a.lock(ctx, tx, c.Org, account); err != nil {
			return err
		}
		out.Key = pair.Key
		now := tx.Now()
		if !out.Revoked.IsZero() || (!out.Expires.IsZero() && !out.Expires.After(now)) {
			return fault.New(fault.Conflict, "account_over", "The service account %s is revoked or expired. Create a new one.", out.Name)
		}
		if err := retirePairs(ctx, tx, c.Org, account, now.Add(grace)); err != nil {
			return err
		}
		out.Created = now
		if err := a.insertPair(ctx, tx, c.Org, out); err != nil {
			return err
		}
		return a.changed(ctx, tx, c, account, "service_account.rotate", map[string]any{"grace": grace.String()})
	})
	return out, err
}

// Revoke ends the account and all its secrets at once and for ever, and with it the credentials it minted and the launches
// opened with those or with its tickets. Revoking it again does nothing. Faults: Forbidden
// without the scope admin, NotFound.
func (a *Accounts) Revoke(ctx context.Context, c Caller, account id.ServiceAccountID) error {
	if err := c.Require(Admin); err != nil {
		return err
	}
	return a.db.Write(ctx, func(tx *db.Tx) error {
		had, err := a.lock(ctx, tx, c.Org, account)
		if err != nil || !had.Revoked.IsZero() {
			return err
		}
		if err := revokeAccount(ctx, tx, c.Org, account); err != nil {
			return err
		}
		return a.changed(ctx, tx, c, account, "service_account.revoke", nil)
	})
}

// lock reads an account that this transaction is going to change.
func (a *Accounts) lock(ctx context.Context, tx *db.Tx, org id.OrgID, account id.ServiceAccountID) (Account, error) {
	if err := tx.Lock(ctx, "service account "+account.String()); err != nil {
		return Account{}, err
	}
	found, err := readAccounts(ctx, tx, "WHERE a.org_id = ? AND a.id = ?", org, account)
	if err != nil {
		return Account{}, err
	}
	if len(found) == 0 {
		return Account{}, fault.New(fault.NotFound, "account_unknown", "There is no service account %v.", account)
	}
	return found[0], nil
}

func (a *Accounts) changed(ctx context.Context, tx *db.Tx, c Caller, account id.ServiceAccountID, action string, detail map[string]any) error {
	if err := a.changes.Announce(ctx, tx, Change{c.Org, ServiceAccountChanged, account}); err != nil {
		return err
	}
	return Audit(ctx, tx, c, action, "service account "+account.String(), detail)
}

// Keys, secrets and tokens are tagged, so that scanners for leaked secrets and people can tell what they are.
const (
	keyTag    = "rwk_"
	secretTag = "rws_"
	tokenTag  = "rwt_"
	keyLen    = 26 // characters after the tag: 130 random bits
	secretLen = 52 // 260
)

func newPair() Issued {
	key, secret := rand.Text(), rand.Text()+rand.Text()
	return Issued{Account: Account{Key: keyTag + key}, Secret: secretTag + secret, Token: tokenTag + key + secret}
}

// IsKey reports whether a user name is the key of a service account. No other user name may have this form.
func IsKey(user string) bool { return strings.HasPrefix(user, keyTag) }

// SplitToken divides a token into the key and the secret it stands for.
func SplitToken(token string) (key, secret string, ok bool) {
	text, ok := strings.CutPrefix(token, tokenTag)
	if !ok || len(text) != keyLen+secretLen {
		return "", "", false
	}
	return keyTag + text[:keyLen], secretTag + text[keyLen:], true
}

// Verified is what a valid pair stands for.
type Verified struct {
	Caller  Caller
	Expires time.Time // when the pair or the account ends; zero: never
}

// Verify finds the account a key and secret belong to. Fault: Unauthenticated, the same for an unknown key, a wrong secret
// and an account that is over.
func (a *Accounts) Verify(ctx context.Context, key, secret string) (v Verified, err error) {
	keyHash := a.key.Hash("service account key", key)
	secretHash := a.secretHash(key, secret)
	err = a.db.Read(ctx, func(tx *db.Tx) error {
		v, err = readPair(ctx, tx, keyHash, secretHash)
		return err
	})
	return v, err
}

func (a *Accounts) secretHash(key, secret string) []byte {
	return a.key.Hash("service account secret", key, secret)
}

// Unverified is the fault for every user name and secret that does not verify; it never says which of the two is wrong.
func Unverified() error {
	return fault.New(fault.Unauthenticated, "credential_invalid", "The user name and secret are not valid: they are wrong, expired or revoked.")
}

func caller(org id.OrgID, a Account) Caller {
	return Caller{Org: org, Kind: ServiceAccount, Name: fmt.Sprintf("service account %s", a.Name), Scopes: a.Scopes, ServiceAccount: a.ID, HomePages: a.HomePages}
}
