package main

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"rollway/internal/access"
	"rollway/internal/app"
	"rollway/internal/fault"
	"rollway/internal/id"
)

// ServiceAccountCommand groups the commands on service accounts.
type ServiceAccountCommand struct {
	Create ServiceAccountCreate `cmd:"" help:"Make a service account; its secret is shown this once. Example: rollway service-account create --name lms --scope people:write,credentials:mint"`
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
	Name     string   `required:"" help:"What it is for, e.g. the name of the other system."`
	Scope    []string `required:"" help:"What it may do, e.g. people:write,credentials:mint."`
	HomePage []string `help:"Account home pages it may create agents under; may be repeated. Default: any." placeholder:"PREFIX"`
	Expires  string   `help:"How long it lives, e.g. 90d or 12h. Default: until revoked."`
	Organization
	Output
}

// Run makes the account.
func (c *ServiceAccountCreate) Run(s *surroundings) error {
	scopes, err := access.ParseScope(strings.Join(c.Scope, ","))
	if err != nil {
		return err
	}
	expires, err := parseAge(c.Expires)
	if err != nil {
		return err
	}
	return s.houseOf(c.Organization, func(h *app.House, caller access.Caller) error {
		i, err := h.Accounts.Create(s, caller, access.Request{Name: c.Name, Scopes: scopes, HomePages: c.HomePage, Expires: expires})
		if err != nil {
			return err
		}
		return c.printIssued(s, i)
	})
}

// parseAge reads a duration of Go's form, or days: "90d".
func parseAge(text string) (time.Duration, error) {
	if text == "" {
		return 0, nil
	}
	bad := fault.New(fault.Invalid, "invalid_duration", "%q is no length of time; write 90d, 12h or 30m.", text)
	if days, ok := strings.CutSuffix(text, "d"); ok {
		n, err := strconv.Atoi(days)
		if err != nil || n < 1 || n > 36500 {
			return 0, bad
		}
		return time.Duration(n) * 24 * time.Hour, nil
	}
	d, err := time.ParseDuration(text)
	if err != nil || d <= 0 {
		return 0, bad
	}
	return d, nil
}

// ServiceAccountList is `service-account list`.
type ServiceAccountList struct {
	Organization
	Output
}

type listedAccount struct {
	ID         string   `json:"id"`
	Name       string   `json:"name"`
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
			out = append(out, listedAccount{a.ID.String(), a.Name, a.Scopes.Names(), list(a.HomePages), when(a.Created), orNull(a.Expires), orNull(a.Revoked), orNull(a.LastUsed)})
			rows = append(rows, []string{a.ID.String(), a.Name, a.Scopes.String(), when(a.Expires), when(a.Revoked), when(a.LastUsed)})
		}
		return c.print(s, out, []string{"id", "name", "scopes", "expires", "revoked", "last used"}, rows)
	})
}

// ServiceAccountRotate is `service-account rotate`.
type ServiceAccountRotate struct {
	ID string `arg:""`
	Organization
	Output
}

// Run makes a second pair.
func (c *ServiceAccountRotate) Run(s *surroundings) error {
	return c.on(s, c.ID, func(h *app.House, caller access.Caller, account id.ServiceAccountID) error {
		i, err := h.Accounts.Rotate(s, caller, account, access.Grace)
		if err != nil {
			return err
		}
		return c.printIssued(s, i)
	})
}

// ServiceAccountRevoke is `service-account revoke`.
type ServiceAccountRevoke struct {
	ID string `arg:""`
	Organization
}

// Run ends the account.
func (c *ServiceAccountRevoke) Run(s *surroundings) error {
	return c.on(s, c.ID, func(h *app.House, caller access.Caller, account id.ServiceAccountID) error {
		return h.Accounts.Revoke(s, caller, account)
	})
}

func (o Organization) on(s *surroundings, text string, fn func(*app.House, access.Caller, id.ServiceAccountID) error) error {
	account, err := id.Parse[id.ServiceAccountID](text)
	if err != nil {
		return fault.New(fault.Invalid, "invalid_id", "A service account is named by its id, as `rollway service-account list` shows it: %v.", err)
	}
	return s.houseOf(o, func(h *app.House, caller access.Caller) error { return fn(h, caller, account) })
}
