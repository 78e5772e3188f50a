package access

import (
	"rollway/internal/fault"
	"rollway/internal/id"
	"rollway/xapi"
)

// Caller is who is asking. It is an argument of every domain verb.
type Caller struct {
	Org    id.OrgID
	Kind   Kind
	Name   string // as it stands in the audit trail, e.g. "service account lms"
	Scopes Scope

	ServiceAccount id.ServiceAccountID // of a ServiceAccount
	HomePages      []string            // prefixes of account home pages it may insert under; empty allows any
	Note           string              // what the caller said of itself (clear-account-source), ≤ 256 printable characters

	Person id.PersonID // of a Person

	Credential id.CredentialID // of a Credential
	Bound      *Bound          // the one agent it acts for; nil for all others
}

// Kind is the kind of a caller.
type Kind uint8

// The kinds of caller.
const (
	System         Kind = iota // the command line and the server itself
	ServiceAccount             // another system
	Credential                 // a username and secret, usually bound to one agent
	Person                     // a signed-in browser
)

// Bound is what a credential of one agent is limited to.
type Bound struct {
	Person       id.PersonID
	Agent        xapi.Agent
	Registration id.RegistrationID // a launch's; zero allows any
	Activity     string            // a launch's root activity; empty allows any
}

// CommandLine is the caller of the commands run by an operator on the machine itself.
func CommandLine(org id.OrgID) Caller {
	return Caller{Org: org, Kind: System, Name: "command line", Scopes: Admin}
}

// Require returns a Forbidden fault unless the caller has all the scopes.
func (c Caller) Require(s Scope) error {
	if c.Scopes.Has(s) {
		return nil
	}
	return fault.New(fault.Forbidden, "scope_missing", "This needs the scope %s, which %s does not have.", s, c.Name)
}
