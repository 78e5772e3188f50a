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

	Person id.PersonID // of a Person, whose scopes are the rights granted to them
	Signin id.SigninID // the session they are signed in with

	Credential id.CredentialID // of a Credential
	Bound      *Bound          // the one agent it acts for; nil for all others
}

// Kind is the kind of a caller. Zero is none: nobody is the server itself by having been forgotten.
type Kind uint8

// The kinds of caller.
const (
	System         Kind = iota + 1 // the command line and the server itself
	ServiceAccount                 // another system
	Credential                     // a username and secret, usually bound to one agent
	Person                         // somebody who is signed in
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

// SignedIn is the caller who is a person with these rights; the session is zero while there is none.
func SignedIn(org id.OrgID, person id.PersonID, session id.SigninID, rights Scope) Caller {
	return Caller{Org: org, Kind: Person, Name: "person " + person.String(), Scopes: rights, Person: person, Signin: session}
}

// Require returns a Forbidden fault unless the caller, which is of some kind, has all the scopes.
func (c Caller) Require(s Scope) error {
	if c.Kind != 0 && c.Scopes.Has(s) {
		return nil
	}
	return fault.New(fault.Forbidden, "scope_missing", "This needs the scope %s, which %s does not have.", s, c.Name)
}

// RequireOperator returns a Forbidden fault unless the caller is whoever runs the installation. What is about all
// organizations, or has the server reach into its network, is no right that somebody could have in one of them.
func (c Caller) RequireOperator() error {
	if c.Kind != System {
		return fault.New(fault.Forbidden, "operator_only", "Only the operator of the installation may do this.")
	}
	return c.Require(Admin)
}
