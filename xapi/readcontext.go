package xapi

import (
	"bytes"
	"strconv"
)

func (c *cursor) context(f *Facts, p *part, sub bool) bool {
	if !c.is('{', &ruleContext) {
		return false
	}
	for c.more() {
		ok := true
		switch string(c.name) {
		case "registration":
			var id UUID
			ok = c.uuid(&id)
			if !sub {
				f.Registration, f.HasRegistration = id, true
			}
		case "instructor":
			_, ok = c.actor(f, RoleInstructor, sub)
		case "team":
			ok = c.only(KindGroup, &ruleGroupType, f, RoleTeam, sub)
		case "contextActivities":
			ok = c.contextActivities(f, sub)
		case "revision":
			p.revision, ok = true, c.anyString()
		case "platform":
			p.platform, ok = true, c.anyString()
		case "language":
			ok = c.language()
		case "statement":
			ok = c.statementRef()
		case "extensions":
			ok = c.extensions()
		case "contextAgents":
			ok = c.line >= V2 || c.unknown(&ruleUnknown)
			ok = ok && c.contextAgents(f, sub)
		case "contextGroups":
			ok = c.line >= V2 || c.unknown(&ruleUnknown)
			ok = ok && c.contextGroups(f, sub)
		default:
			return c.unknown(&ruleUnknown)
		}
		if !ok {
			return false
		}
	}
	return c.err == nil
}

func (c *cursor) contextActivities(f *Facts, sub bool) bool {
	if !c.is('{', &ruleContextActs) {
		return false
	}
	for c.more() {
		var role Role
		switch string(c.name) {
		case "parent":
			role = RoleParent
		case "grouping":
			role = RoleGrouping
		case "category":
			role = RoleCategory
		case "other":
			role = RoleOther
		default:
			return c.unknown(&ruleContextActs)
		}
		if c.kind == '{' {
			start := c.start
			if !c.activity(f, role, sub) {
				return false
			}
			f.edits = append(f.edits, edit{start: start, end: c.end, what: editWrap})
			continue
		}
		if !c.is('[', &ruleContextAct) {
			return false
		}
		for c.elem() {
			if !c.activity(f, role, sub) {
				return false
			}
		}
		if c.err != nil {
			return false
		}
	}
	return c.err == nil
}

// statementRef reads a StatementRef that is not an object.
func (c *cursor) statementRef() bool {
	if !c.is('{', &ruleRef) {
		return false
	}
	var id UUID
	typed, hasID := false, false
	for c.more() {
		ok := true
		switch string(c.name) {
		case "objectType":
			typed, ok = true, c.constant("StatementRef", &ruleRefType)
		case "id":
			hasID, ok = true, c.uuid(&id)
		default:
			return c.unknown(&ruleNotInRef)
		}
		if !ok {
			return false
		}
	}
	if c.err == nil && !(typed && hasID) {
		return c.fail(&ruleRef)
	}
	return c.err == nil
}

func (c *cursor) contextAgents(f *Facts, sub bool) bool {
	return c.contextActors(&ruleContextAgent, "contextAgent", "agent", func() bool {
		return c.only(KindAgent, &ruleAgentType, f, RoleContextAgent, sub)
	})
}

func (c *cursor) contextGroups(f *Facts, sub bool) bool {
	return c.contextActors(&ruleContextGroup, "contextGroup", "group", func() bool {
		return c.only(KindGroup, &ruleGroupType, f, RoleContextGroup, sub)
	})
}

// contextActors reads a list of contextAgent or contextGroup objects.
func (c *cursor) contextActors(r *rule, objectType, member string, actor func() bool) bool {
	if !c.is('[', r) {
		return false
	}
	for c.elem() {
		if !c.is('{', r) {
			return false
		}
		typed, hasActor := false, false
		for c.more() {
			ok := true
			switch string(c.name) {
			case "objectType":
				typed, ok = true, c.constant(objectType, r)
			case member:
				hasActor, ok = true, actor()
			case "relevantTypes":
				ok = c.relevantTypes()
			default:
				return c.unknown(r)
			}
			if !ok {
				return false
			}
		}
		if c.err != nil {
			return false
		}
		if !typed || !hasActor {
			return c.fail(r)
		}
	}
	return c.err == nil
}

func (c *cursor) relevantTypes() bool {
	if !c.is('[', &ruleRelevant) {
		return false
	}
	var iri []byte
	for c.elem() {
		if !c.iri(&iri) {
			return false
		}
	}
	if c.err == nil && iri == nil {
		return c.fail(&ruleRelevant)
	}
	return c.err == nil
}

func (c *cursor) result() bool {
	if !c.is('{', &ruleResult) {
		return false
	}
	for c.more() {
		ok := true
		switch string(c.name) {
		case "score":
			ok = c.score()
		case "success", "completion":
			ok = c.bool()
		case "response":
			ok = c.anyString()
		case "duration":
			var s []byte
			s, ok = c.string(&ruleDuration)
			ok = ok && (validDuration(s) || c.fail(&ruleDuration))
		case "extensions":
			ok = c.extensions()
		default:
			return c.unknown(&ruleUnknown)
		}
		if !ok {
			return false
		}
	}
	return c.err == nil
}

func (c *cursor) score() bool {
	if !c.is('{', &ruleScore) {
		return false
	}
	var scaled, raw, low, high []byte
	for c.more() {
		var dst *[]byte
		switch string(c.name) {
		case "scaled":
			dst = &scaled
		case "raw":
			dst = &raw
		case "min":
			dst = &low
		case "max":
			dst = &high
		default:
			return c.unknown(&ruleUnknown)
		}
		if !c.is('0', &ruleNumber) {
			return false
		}
		*dst = c.src[c.start:c.end]
	}
	if c.err != nil {
		return false
	}
	switch {
	case scaled != nil && (compareNumbers(scaled, []byte("-1")) < 0 || compareNumbers(scaled, []byte("1")) > 0):
		return c.failAt("/scaled", shortened(string(scaled)), &ruleScaled)
	case low != nil && high != nil && compareNumbers(low, high) >= 0:
		return c.failAt("", "min "+shortened(string(low))+" and max "+shortened(string(high)), &ruleMinMax)
	case raw != nil && low != nil && compareNumbers(raw, low) < 0:
		return c.failAt("/raw", shortened(string(raw)), &ruleRawMin)
	case raw != nil && high != nil && compareNumbers(raw, high) > 0:
		return c.failAt("/raw", shortened(string(raw)), &ruleRawMax)
	}
	return true
}

// compareNumbers compares the values of two JSON numbers, exactly. Short
// numbers without exponent, which is nearly all, are exact as float64.
func compareNumbers(a, b []byte) int {
	x, okX := shortNumber(a)
	y, okY := shortNumber(b)
	switch {
	case !okX || !okY:
		return decimalOf(a).compare(decimalOf(b))
	case x < y:
		return -1
	case x > y:
		return 1
	}
	return 0
}

// shortNumber parses up to 15 characters without an exponent.
func shortNumber(s []byte) (float64, bool) {
	if len(s) > 15 || bytes.ContainsAny(s, "eE") {
		return 0, false
	}
	f, err := strconv.ParseFloat(string(s), 64)
	return f, err == nil
}
