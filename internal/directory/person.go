package directory

import (
	"time"

	"rollway/internal/id"
	"rollway/xapi"
)

// State is what a person may do.
type State string

// The states of people.
const (
	Active    State = "active"
	Pending   State = "pending"   // signed up and not confirmed: matched by nobody, may do nothing
	Suspended State = "suspended" // known, may do nothing
)

// Person is a human we know.
type Person struct {
	ID         id.PersonID
	Org        id.OrgID
	Number     int64 // for dialects whose ids are numbers; unique per installation
	Name       string
	State      State
	Source     Source // where the first word of them came from
	Privileged bool   // holds an admin right
	Created    time.Time
	Updated    time.Time
	Agents     []xapi.Agent     // the primary one first; each carries the person's name
	Attributes map[string]Value // nil where they were not asked for
}

// Primary is the agent that answers carry.
func (p Person) Primary() xapi.Agent {
	if len(p.Agents) == 0 {
		return xapi.Agent{}
	}
	return p.Agents[0]
}

// record is a person as stored, with what only the gate needs.
type record struct {
	Person
	version int64
	trusted map[string]bool // attributes whose writer vouched for the value
	next    int64           // position of the next agent
}

func (r *record) owns(i xapi.IFI) bool {
	for _, a := range r.Agents {
		if a.IFI == i {
			return true
		}
	}
	return false
}
