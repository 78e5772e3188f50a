package main

import (
	"strings"

	"rollway/internal/fault"
	"rollway/internal/id"
)

type identifier interface {
	~[16]byte
	String() string
}

// named is something that a command may be told by its id or by its name.
type named[ID identifier] struct {
	id   ID
	name string
	over bool // revoked: only its id means it still
}

// which finds what ref means among all: an id is taken as it is, a name must be that of one. what says what is looked for.
//
// Faults: NotFound (name_unknown), and Conflict (name_unclear) when several have the name.
func which[ID identifier](what, ref string, all []named[ID]) (found ID, err error) {
	if found, err = id.Parse[ID](ref); err == nil {
		return found, nil
	}
	var ids []string
	for _, one := range all {
		if one.name == ref && !one.over {
			found, ids = one.id, append(ids, one.id.String())
		}
	}
	switch len(ids) {
	case 0:
		return found, fault.New(fault.NotFound, "name_unknown", "There is no %s with the id or the name %q.", what, ref)
	case 1:
		return found, nil
	}
	return found, fault.New(fault.Conflict, "name_unclear", "Several have the name %q. Say which %s you mean by its id: %s.", ref, what, strings.Join(ids, ", "))
}
