package main

import (
	"fmt"
	"time"

	"rollway/internal/access"
	"rollway/internal/app"
	"rollway/internal/id"
)

// ServiceAccountCommand groups the commands on service accounts.
type ServiceAccountCommand struct {
	Create ServiceAccountCreate `cmd:"" makes:"house" help:"Make a service account; its secret is shown this once. Example: rollway service-account create --name lms --scope people:write,credentials:mint"`
	List   ServiceAccountList   `cmd:"" help:"List service accounts."`
	Rotate ServiceAccountRotate `cmd:"" help:"Give a service account a new key and secret; the old pair works for a day longer."`
	Revoke ServiceAccountRevoke `cmd:"" help:"End a service account at once."`
}

type issuedAccount struct {
	ID        string   `json:"id"`
	Name      string   `json:"name"`
	Key       string   `json:"key"`
	Secret    string   `json:"secret"`
	Token     string   `json:"token"`
	Scopes    []string `json:"scopes"`
	HomePages []string `json:"homePages"`
	ExpiresAt *string  `json:"expiresAt"`
}

func issued(i access.Issued) issuedAccount {
	return issuedAccount{i.ID.String(), i.Name, i.Key, i.Secret, i.Token, i.Scopes.Names(), list(i.HomePages), orNull(i.Expires)}
}

func list(s []string) []string {
	if s == nil {
		return []string{}
	}
	return s
}

func orNull(t time.Time) *string {
	if t.IsZero() {
		return nil
	}
	text := when(t)
	return &text
}

func (o Output) printIssued(s *surroundings, i access.Issued) error {
	fmt.Fprintln(s.err, "The secret and the token are shown this once.")
	return o.print(s, issued(i), []string{"id", "key", "secret", "token"}, [][]string{{i.ID.String(), i.Key, i.Secret, i.Token}})
}

// ServiceAccountCreate is `service-account create`.
type ServiceAccountCreate struct {
	Name     string      `required:"" help:"What it is for, e.g. the name of the other system."`
	Scope    []scopeFlag `required:"" help:"What it may do, e.g. people:write,credentials:mint." placeholder:"SCOPE"`
	HomePage []string    `help:"Account home pages it may create agents under; may be repeated. Default: any." placeholder:"PREFIX"`
	Expires  ageFlag     `help:"How long it lives, e.g. 90d or 12h. Default: until revoked." placeholder:"AGE"`
	Organization
	Output
}

// Run makes the account.
func (c *ServiceAccountCreate) Run(s *surroundings) error {
	var scopes access.Scope
	for _, scope := range c.Scope {
		scopes |= access.Scope(scope)
	}
	r := access.Request{Name: c.Name, Scopes: scopes, HomePages: c.HomePage, Expires: time.Duration(c.Expires)}
	if err := r.Check(); err != nil { // before a house is made
		return usage(err)
	}
	return s.houseOf(c.Organization, func(h *app.House, caller access.Caller) error {
		i, err := h.Accounts.Create(s, caller, r)
		if err != nil {
			return err
		}
		return c.printIssued(s, i)
	})
}

// ServiceAccountList is `service-account list`.
type ServiceAccountList struct {
	Organization
	Output
}

type listedAccount struct {
	ID         string   `json:"id"`
	Name       string   `json:"name"`
	Key        *string  `json:"key"` // null when revoked, and of pairs from before keys were kept
	Scopes     []string `json:"scopes"`
	HomePages  []string `json:"homePages"`
	CreatedAt  string   `json:"createdAt"`
	ExpiresAt  *string  `json:"expiresAt"`
	RevokedAt  *string  `json:"revokedAt"`
	LastUsedAt *string  `json:"lastUsedAt"`
}

// Run lists the accounts.
func (c *ServiceAccountList) Run(s *surroundings) error {
	return s.houseOf(c.Organization, func(h *app.House, caller access.Caller) error {
		accounts, err := h.Accounts.List(s, caller)
		if err != nil {
			return err
		}
		out, rows := []listedAccount{}, [][]string{}
		for _, a := range accounts {
			var key *string
			if a.Key != "" {
				key = &a.Key
			}
			out = append(out, listedAccount{a.ID.String(), a.Name, key, a.Scopes.Names(), list(a.HomePages), when(a.Created), orNull(a.Expires), orNull(a.Revoked), orNull(a.LastUsed)})
			rows = append(rows, []string{a.ID.String(), a.Name, a.Key, a.Scopes.String(), when(a.Expires), when(a.Revoked), when(a.LastUsed)})
		}
		return c.print(s, out, []string{"id", "name", "key", "scopes", "expires", "revoked", "last used"}, rows)
	})
}

// AccountReference names a service account of an organization.
type AccountReference struct {
	Account string `arg:"" help:"Its id, as rollway service-account list shows it, or its name if no other has the same." placeholder:"ID"`
	Organization
}

func (r AccountReference) account(s *surroundings, fn func(*app.House, access.Caller, id.ServiceAccountID) error) error {
	return s.houseOf(r.Organization, func(h *app.House, caller access.Caller) error {
		accounts, err := h.Accounts.List(s, caller)
		if err != nil {
			return err
		}
		all := make([]named[id.ServiceAccountID], len(accounts))
		for i, a := range accounts {
			all[i] = named[id.ServiceAccountID]{a.ID, a.Name, !a.Revoked.IsZero()}
		}
		found, err := which("service account", r.Account, all)
		if err != nil {
			return err
		}
		return fn(h, caller, found)
	})
}

// ServiceAccountRotate is `service-account rotate`.
type ServiceAccountRotate struct {
	AccountReference
	Output
}

// Run makes a second pair.
func (c *ServiceAccountRotate) Run(s *surroundings) error {
	return c.account(s, func(h *app.House, caller access.Caller, account id.ServiceAccountID) error {
		i, err := h.Accounts.Rotate(s, caller, account, access.Grace)
		if err != nil {
			return err
		}
		return c.printIssued(s, i)
	})
}

// ServiceAccountRevoke is `service-account revoke`.
type ServiceAccountRevoke struct{ AccountReference }

// Run ends the account.
func (c *ServiceAccountRevoke) Run(s *surroundings) error {
	return c.account(s, func(h *app.House, caller access.Caller, account id.ServiceAccountID) error {
		return h.Accounts.Revoke(s, caller, account)
	})
}
