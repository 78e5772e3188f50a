package xapi

import "strconv"

// actorParts is what has been seen of an Agent or Group.
type actorParts struct {
	kind Kind   // 0 until objectType was seen
	key  []byte // as IFI.Key, nil without identifier
	name []byte

	ifis      int  // how many identifiers
	hasMember bool // whether there is a list of members
	members   int  // how long it is
}

// actor reads an Agent or a Group and adds it to the facts.
func (c *cursor) actor(f *Facts, role Role, sub bool) (actorParts, bool) {
	var a actorParts
	if !c.is('{', &ruleActor) {
		return a, false
	}
	for c.more() {
		if string(c.name) == "objectType" {
			s, ok := c.string(&ruleActorType)
			if !ok {
				return a, false
			}
			switch string(s) {
			case "Agent":
				a.kind = KindAgent
			case "Group":
				a.kind = KindGroup
			default:
				return a, c.fail(&ruleActorType)
			}
			continue
		}
		known, ok := c.actorMember(&a, f, role, sub)
		if !known {
			return a, c.unknown(&ruleUnknown)
		}
		if !ok {
			return a, false
		}
	}
	if c.err != nil {
		return a, false
	}
	if a.kind == 0 {
		a.kind = KindAgent
	}
	return a, c.actorDone(&a, f, role, sub)
}

// only reads an actor of one kind.
func (c *cursor) only(kind Kind, r *rule, f *Facts, role Role, sub bool) bool {
	if !c.is('{', r) {
		return false
	}
	a, ok := c.actor(f, role, sub)
	if ok && a.kind != kind {
		return c.failAt("/objectType", a.kind.String(), r)
	}
	return ok
}

// actorMember reads a member that Agents or Groups have, other than objectType.
func (c *cursor) actorMember(a *actorParts, f *Facts, role Role, sub bool) (known, ok bool) {
	switch string(c.name) {
	case "name":
		a.name, ok = c.string(&ruleString)
	case "member":
		a.hasMember = true
		ok = c.groupMembers(a, f, role, sub)
	case "mbox":
		s, isString := c.string(&ruleMbox)
		if ok = isString && (validMbox(s) || c.fail(&ruleMbox)); ok {
			from := c.key(a, "mbox:")
			c.text = appendMbox(c.text, s)
			a.key = c.since(from)
		}
	case "mbox_sha1sum":
		s, isString := c.string(&ruleSHA1)
		if ok = isString && (validSHA1(s) || c.fail(&ruleSHA1)); ok {
			from := c.key(a, "mbox_sha1sum:")
			c.text = appendLower(c.text, s)
			a.key = c.since(from)
		}
	case "openid":
		var s []byte
		if ok = c.iri(&s); ok {
			from := c.key(a, "openid:")
			c.text = append(c.text, s...)
			a.key = c.since(from)
		}
	case "account":
		ok = c.account(a)
	default:
		return false, false
	}
	return true, ok
}

// key begins the key of an identifier; since ends it.
func (c *cursor) key(a *actorParts, prefix string) (from int) {
	a.ifis++
	from = len(c.text)
	c.text = append(c.text, prefix...)
	return from
}

func (c *cursor) since(from int) []byte { return c.text[from:len(c.text):len(c.text)] }

func (c *cursor) account(a *actorParts) bool {
	if !c.is('{', &ruleAccount) {
		return false
	}
	var homePage, name []byte
	for c.more() {
		switch string(c.name) {
		case "homePage":
			if !c.iri(&homePage) {
				return false
			}
		case "name":
			s, ok := c.string(&ruleString)
			if !ok {
				return false
			}
			if !validAccountName(s) {
				return c.fail(&ruleAccountName)
			}
			name = s
		default:
			return c.unknown(&ruleAccount)
		}
	}
	switch {
	case c.err != nil:
		return false
	case homePage == nil:
		return c.fail(&ruleAccountHome)
	case name == nil:
		return c.fail(&ruleAccountName)
	}
	from := c.key(a, "account:")
	c.text = append(c.text, homePage...)
	c.text = append(c.text, ' ')
	c.text = append(c.text, name...)
	a.key = c.since(from)
	return true
}

func (c *cursor) groupMembers(a *actorParts, f *Facts, role Role, sub bool) bool {
	if !c.is('[', &ruleMember) {
		return false
	}
	for c.elem() {
		if !c.is('{', &ruleMember) {
			return false
		}
		if !c.memberAgent(f, role, sub) {
			return false
		}
		f.Agents[len(f.Agents)-1].Member = true
		a.members++
	}
	return c.err == nil
}

// memberAgent reads an actor that must not have members of its own, so that
// groups cannot be nested.
func (c *cursor) memberAgent(f *Facts, role Role, sub bool) bool {
	a := actorParts{kind: KindAgent}
	for c.more() {
		switch string(c.name) {
		case "objectType":
			s, ok := c.string(&ruleAgentType)
			if !ok {
				return false
			}
			if string(s) != "Agent" {
				return c.fail(&ruleMember)
			}
		case "member":
			return c.unknown(&ruleMember)
		default:
			known, ok := c.actorMember(&a, f, role, sub)
			if !known {
				return c.unknown(&ruleUnknown)
			}
			if !ok {
				return false
			}
		}
	}
	return c.err == nil && c.actorDone(&a, f, role, sub)
}

// actorDone checks an actor that has just ended and adds it to the facts.
func (c *cursor) actorDone(a *actorParts, f *Facts, role Role, sub bool) bool {
	switch {
	case a.ifis > 1:
		return c.failAt("", strconv.Itoa(a.ifis)+" identifiers", &ruleManyIFIs)
	case a.kind == KindAgent && a.hasMember:
		return c.failAt("/member", "the name \"member\"", &ruleNotInAgent)
	case a.kind == KindAgent && a.ifis == 0:
		return c.fail(&ruleNoIFI)
	case a.kind == KindGroup && a.ifis == 0 && a.members == 0:
		return c.fail(&ruleNeedsMember)
	}
	if a.ifis > 0 {
		f.Agents = append(f.Agents, AgentFacts{
			Key: a.key, Name: a.name, Role: role, Group: a.kind == KindGroup, Sub: sub,
		})
	}
	return true
}

// authority reads who vouches for the statement, as the client says.
func (c *cursor) authority(f *Facts) bool {
	a, ok := c.actor(f, RoleAuthority, false)
	if ok && a.kind == KindGroup && (a.ifis > 0 || a.members != 2) {
		return c.fail(&ruleAuthority)
	}
	return ok
}
