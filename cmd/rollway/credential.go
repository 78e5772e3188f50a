package main

import (
	"rollway/internal/access"
	"rollway/internal/app"
)

// CredentialCommand groups the commands on credentials.
type CredentialCommand struct {
	List   CredentialList   `cmd:"" help:"List the credentials of a person, without secrets."`
	Revoke CredentialRevoke `cmd:"" help:"End a credential and the launches it opened, at once."`
}

// CredentialList is `credential list`.
type CredentialList struct {
	Person string `required:"" help:"Id, e-mail address, or homePage|name."`
	OrganizationOrAll
	Output
}

type listedCredential struct {
	Username   string  `json:"username"`
	Kind       string  `json:"kind"`
	Agent      string  `json:"agent"`
	CreatedAt  string  `json:"createdAt"`
	ExpiresAt  string  `json:"expiresAt"`
	RevokedAt  *string `json:"revokedAt"`
	LastUsedAt *string `json:"lastUsedAt"`
}

// Run lists the credentials.
func (c *CredentialList) Run(s *surroundings) error {
	return s.houseOfPerson(c.OrganizationOrAll, c.Person, func(h *app.House, caller access.Caller) error {
		person, err := h.Directory.Get(s, caller, c.Person)
		if err != nil {
			return err
		}
		held, err := h.Credentials.ListOfPerson(s, caller, person.ID)
		if err != nil {
			return err
		}
		out, rows := []listedCredential{}, [][]string{}
		for _, k := range held {
			out = append(out, listedCredential{k.Username, string(k.Kind), k.Agent.IFI.Key(), when(k.Created), when(k.Expires), orNull(k.Revoked), orNull(k.LastUsed)})
			rows = append(rows, []string{k.Username, string(k.Kind), when(k.Created), when(k.Expires), when(k.Revoked), when(k.LastUsed)})
		}
		return c.print(s, out, []string{"username", "kind", "created", "expires", "revoked", "last used"}, rows)
	})
}

// CredentialRevoke is `credential revoke`.
type CredentialRevoke struct {
	Username string `arg:""`
	OrganizationOrAll
}

// Run ends the credential.
func (c *CredentialRevoke) Run(s *surroundings) error {
	if c.Username == "" {
		return misuse("Say which credential, as `rollway credential list` shows it.")
	}
	return s.houseOfAny(c.OrganizationOrAll, func(h *app.House, caller access.Caller) error {
		return s.done(h.Credentials.Revoke(s, caller, c.Username), "%s is revoked; it and the launches it opened are ended within two seconds.", c.Username)
	})
}
