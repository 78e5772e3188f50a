package access

import (
	"math/bits"
	"slices"
	"strings"

	"rollway/internal/fault"
)

// Scope is one right, or several: a set of bits.
type Scope uint64

// The scopes. Those on records use the words of the xAPI specification (1.0.3 part three, section 4.2). The bits are stored,
// so a new scope goes to the end.
const (
	PeopleRead         Scope = 1 << iota // see people
	PeopleWrite                          // create and change people
	PeopleMatch                          // reach an existing person by a unique attribute
	CredentialsMint                      // mint, list and revoke credentials for an agent
	CredentialsUnbound                   // mint credentials that act for no agent
	LaunchCreate                         // make launch links for others
	ContentWrite                         // add and withdraw content
	Import                               // run imports and feeds
	SCIM                                 // speak SCIM
	Signup                               // captcha, sign-up and validation
	Admin                                // everything
	StatementsWrite
	StatementsReadMine
	StatementsRead
	State
	Define
	Profile
	AllRead
	All
)

var scopeNames = []string{
	"people:read", "people:write", "people:match", "credentials:mint", "credentials:unbound", "launch:create", "content:write",
	"import", "scim", "signup", "admin",
	"statements/write", "statements/read/mine", "statements/read", "state", "define", "profile", "all/read", "all",
}

// implied are the rights that come with a wider one.
var implied = [...]struct{ wide, more Scope }{
	{StatementsRead, StatementsReadMine},
	{AllRead, StatementsRead | StatementsReadMine},
	{All, StatementsWrite | StatementsReadMine | StatementsRead | State | Define | Profile | AllRead},
	{Admin, All<<1 - 1},
}

// Learner is what a person's credential may do in the record store: write statements, read their own, keep state.
const Learner = StatementsWrite | StatementsReadMine | State | Define | Profile

// ParseScope reads a comma- or blank-separated list of scope names.
func ParseScope(list string) (Scope, error) {
	var s Scope
	for _, name := range strings.FieldsFunc(list, func(r rune) bool { return r == ',' || r == ' ' }) {
		i := slices.Index(scopeNames, name)
		if i < 0 {
			return 0, fault.New(fault.Invalid, "unknown_scope", "There is no scope %q. The scopes are: %s.", name, strings.Join(scopeNames, ", "))
		}
		s |= 1 << i
	}
	return s, nil
}

// Names lists the scopes in the set.
func (s Scope) Names() []string {
	names := make([]string, 0, bits.OnesCount64(uint64(s)))
	for i, n := range scopeNames {
		if s&(1<<i) != 0 {
			names = append(names, n)
		}
	}
	return names
}

func (s Scope) String() string { return strings.Join(s.Names(), ",") }

// Full returns the set with what its members imply.
func (s Scope) Full() Scope {
	for _, i := range implied {
		if s&i.wide != 0 {
			s |= i.more
		}
	}
	return s
}

// Has reports whether the set, with what its members imply, holds all of want.
func (s Scope) Has(want Scope) bool { return s.Full()&want == want }
