package access

import (
	"context"
	"crypto/hmac"
	"fmt"
	"time"

	"github.com/go-json-experiment/json"

	"rollway/internal/db"
	"rollway/internal/id"
)

func insertAccount(ctx context.Context, tx *db.Tx, org id.OrgID, a Account) error {
	pages, err := json.Marshal(a.HomePages)
	if err != nil {
		return fmt.Errorf("home pages: %w", err)
	}
	return tx.Defer(ctx, "INSERT INTO service_accounts (org_id, id, name, scopes, home_pages, created, expires) VALUES (?, ?, ?, ?, ?, ?, ?)",
		org, a.ID, a.Name, int64(a.Scopes), string(pages), a.Created, a.Expires)
}

func (a *Accounts) insertPair(ctx context.Context, tx *db.Tx, org id.OrgID, i Issued) error {
	return tx.Defer(ctx, "INSERT INTO service_account_secrets (key_hash, secret_hash, org_id, service_account_id, created, shown_key) VALUES (?, ?, ?, ?, ?, ?)",
		a.key.Hash("service account key", i.Key), a.secretHash(i.Key, i.Secret), org, i.ID, i.Created, i.Key)
}

// retirePairs lets the newest pair live until the time given and deletes those that were on their way out before.
func retirePairs(ctx context.Context, tx *db.Tx, org id.OrgID, account id.ServiceAccountID, until time.Time) error {
	if err := tx.Defer(ctx, "DELETE FROM service_account_secrets WHERE org_id = ? AND service_account_id = ? AND expires IS NOT NULL", org, account); err != nil {
		return err
	}
	return tx.Defer(ctx, "UPDATE service_account_secrets SET expires = ? WHERE org_id = ? AND service_account_id = ?", until, org, account)
}

func revokeAccount(ctx context.Context, tx *db.Tx, org id.OrgID, account id.ServiceAccountID) error {
	if err := tx.Defer(ctx, "DELETE FROM service_account_secrets WHERE org_id = ? AND service_account_id = ?", org, account); err != nil {
		return err
	}
	return tx.Defer(ctx, "UPDATE service_accounts SET revoked = ? WHERE org_id = ? AND id = ?", tx.Now(), org, account)
}

const accountColumns = "a.org_id, a.id, a.name, a.scopes, a.home_pages, a.created, a.expires, a.revoked, a.last_used"

func scanAccount(r *db.Rows, more ...any) (org id.OrgID, a Account, err error) {
	var scopes int64
	var pages string
	if err := r.Scan(append([]any{&org, &a.ID, &a.Name, &scopes, &pages, &a.Created, &a.Expires, &a.Revoked, &a.LastUsed}, more...)...); err != nil {
		return 0, a, err
	}
	a.Scopes = Scope(scopes)
	if err := json.Unmarshal([]byte(pages), &a.HomePages); err != nil {
		return 0, a, fmt.Errorf("home pages of service account %v: %w", a.ID, err)
	}
	return org, a, nil
}

func readAccounts(ctx context.Context, tx *db.Tx, where string, args ...any) (list []Account, err error) {
	const key = ", coalesce((SELECT s.shown_key FROM service_account_secrets s WHERE s.org_id = a.org_id AND s.service_account_id = a.id AND s.expires IS NULL), '')"
	err = tx.Each(ctx, "SELECT "+accountColumns+key+" FROM service_accounts a "+where, args, func(r *db.Rows) error {
		var key string
		_, a, err := scanAccount(r, &key)
		a.Key = key
		list = append(list, a)
		return err
	})
	return list, err
}

// readPair compares the secret even when there is no such key, so that both take the same time.
func readPair(ctx context.Context, tx *db.Tx, keyHash, secretHash []byte) (v Verified, err error) {
	var org id.OrgID
	var a Account
	var until time.Time
	stored := make([]byte, len(secretHash))
	err = tx.Each(ctx, "SELECT "+accountColumns+", s.expires, s.secret_hash FROM service_account_secrets s JOIN service_accounts a ON a.org_id = s.org_id AND a.id = s.service_account_id WHERE s.key_hash = ?",
		[]any{keyHash}, func(r *db.Rows) error {
			org, a, err = scanAccount(r, &until, &stored)
			return err
		})
	if err != nil {
		return v, err
	}
	if until.IsZero() || (!a.Expires.IsZero() && a.Expires.Before(until)) {
		until = a.Expires
	}
	equal := hmac.Equal(stored, secretHash)
	if !equal || org == 0 || !a.Revoked.IsZero() || (!until.IsZero() && !until.After(tx.Now())) {
		return v, Unverified()
	}
	return Verified{caller(org, a), until}, nil
}

// Use is a service account and when it was last seen.
type Use struct {
	Org     id.OrgID
	Account id.ServiceAccountID
	At      time.Time
}

// NoteUse keeps when accounts were last used, for people to see. It is called now and then, not for every request.
func (a *Accounts) NoteUse(ctx context.Context, uses []Use) error {
	return a.db.Write(ctx, func(tx *db.Tx) error {
		for _, u := range uses {
			if err := tx.Defer(ctx, "UPDATE service_accounts SET last_used = ? WHERE org_id = ? AND id = ? AND (last_used IS NULL OR last_used < ?)", u.At, u.Org, u.Account, u.At); err != nil {
				return err
			}
		}
		return nil
	})
}
