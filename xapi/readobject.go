package xapi

import (
	"math/bits"
	"time"
)

// objectParts is what has been seen of the object of a statement. Its members
// can come in any order, so objectType, which says what they have to be, may
// come last: each is checked by its name as it comes, and whether it belongs
// there at the end.
type objectParts struct {
	kind       Kind
	seen       uint // bits by place in objectMembers
	id         []byte
	idFound    []byte // the token, for errors
	definition []byte
	actor      actorParts
	inner      part // of a SubStatement
}

// objectMembers are the members that objects of one or another kind have.
var objectMembers = [...]string{
	"id", "definition",
	"name", "mbox", "mbox_sha1sum", "openid", "account", "member",
	"actor", "verb", "object", "result", "context", "timestamp", "attachments",
}

// The places of some of them.
const (
	memberID         = 1 << 0
	memberDefinition = 1 << 1
	membersOfAgent   = 0b111110 << 1
	memberMember     = 1 << 7
	membersOfSub     = 0b1111111 << 8
)

// objectKinds tells, by kind, which members belong and what to say otherwise.
var objectKinds = [...]struct {
	members uint
	rule    *rule
}{
	KindActivity:     {memberID | memberDefinition, &ruleNotInActivity},
	KindAgent:        {membersOfAgent, &ruleNotInAgent},
	KindGroup:        {membersOfAgent | memberMember, &ruleNotInGroup},
	KindStatementRef: {memberID, &ruleNotInRef},
	KindSubStatement: {membersOfSub, &ruleNotInSub},
}

func (c *cursor) object(f *Facts, p *part, sub bool) bool {
	if !c.is('{', &ruleObject) {
		return false
	}
	o := objectParts{kind: KindActivity}
	for c.more() {
		if !c.objectMember(f, &o, sub) {
			return false
		}
	}
	if c.err != nil {
		return false
	}
	p.kind = o.kind
	if strange := o.seen &^ objectKinds[o.kind].members; strange != 0 {
		name := objectMembers[bits.TrailingZeros(strange)]
		return c.failAt("/"+name, "the name "+quoted(name), objectKinds[o.kind].rule)
	}
	ok := true
	switch o.kind {
	case KindActivity:
		ok = c.objectActivity(f, &o, sub)
	case KindAgent, KindGroup:
		o.actor.kind = o.kind
		ok = c.actorDone(&o.actor, f, RoleObject, sub)
	case KindStatementRef:
		ok = c.objectRef(f, &o, sub)
	case KindSubStatement:
		ok = c.partDone(&o.inner)
	}
	if ok && !sub {
		f.Object = o.kind
		f.ObjectKey = o.actor.key
	}
	return ok
}

func (c *cursor) objectMember(f *Facts, o *objectParts, sub bool) (ok bool) {
	place := uint(0)
	switch string(c.name) {
	case "objectType":
		return c.objectType(o, sub)
	case "id":
		o.seen |= memberID
		o.idFound = c.src[c.start:c.end]
		o.id, ok = c.string(&ruleString)
		return ok
	case "definition":
		o.seen |= memberDefinition
		start := c.start
		ok = c.definition()
		o.definition = c.src[start:c.end]
		return ok
	case "stored", "version", "authority":
		return c.unknown(&ruleSubMembers)
	default:
		for place = 2; ; place++ {
			if place == uint(len(objectMembers)) {
				return c.unknown(&ruleUnknown)
			}
			if objectMembers[place] == string(c.name) {
				break
			}
		}
	}
	o.seen |= 1 << place
	if 1<<place&membersOfSub == 0 {
		_, ok = c.actorMember(&o.actor, f, RoleObject, sub)
		return ok
	}
	if string(c.name) == "timestamp" {
		var t time.Time
		return c.happened(f, &t)
	}
	if sub {
		return c.unknown(&ruleSubOnly)
	}
	return c.partMember(f, &o.inner, true)
}

func (c *cursor) objectType(o *objectParts, sub bool) bool {
	s, ok := c.string(&ruleObjectType)
	if !ok {
		return false
	}
	for kind, name := range kindNames {
		if kind > 0 && string(s) == name {
			o.kind = Kind(kind)
			if sub && o.kind == KindSubStatement {
				return c.fail(&ruleSubOnly)
			}
			return true
		}
	}
	return c.fail(&ruleObjectType)
}

func (c *cursor) objectActivity(f *Facts, o *objectParts, sub bool) bool {
	if o.id == nil {
		return c.fail(&ruleActivityID)
	}
	if !validIRI(o.id) {
		return c.failAt("/id", shortened(string(o.idFound)), &ruleIRI)
	}
	if !sub {
		f.ObjectID = o.id
	}
	f.Activities = append(f.Activities, ActivityFacts{ID: o.id, Definition: o.definition, Role: RoleObject, Sub: sub})
	return true
}

func (c *cursor) objectRef(f *Facts, o *objectParts, sub bool) bool {
	if o.id == nil {
		return c.fail(&ruleRefID)
	}
	id, ok := parseUUID(o.id)
	if !ok {
		return c.failAt("/id", shortened(string(o.idFound)), &ruleUUID)
	}
	if !sub {
		f.Ref = id
	}
	return true
}
