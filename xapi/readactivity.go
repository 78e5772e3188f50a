package xapi

import "slices"

// activity reads an Activity in a context and adds it to the facts.
func (c *cursor) activity(f *Facts, role Role, sub bool) bool {
	if !c.is('{', &ruleActivity) {
		return false
	}
	a := ActivityFacts{Role: role, Sub: sub}
	for c.more() {
		ok := true
		switch string(c.name) {
		case "objectType":
			ok = c.constant("Activity", &ruleActivityType)
		case "id":
			ok = c.iri(&a.ID)
		case "definition":
			start := c.start
			ok = c.definition()
			a.Definition = c.src[start:c.end]
		default:
			return c.unknown(&ruleNotInActivity)
		}
		if !ok {
			return false
		}
	}
	if c.err != nil || a.ID == nil {
		return c.err == nil && c.fail(&ruleActivityID)
	}
	f.Activities = append(f.Activities, a)
	return true
}

func (c *cursor) constant(want string, r *rule) bool {
	s, ok := c.string(r)
	return ok && (string(s) == want || c.fail(r))
}

var interactionTypes = []string{
	"true-false", "choice", "fill-in", "long-fill-in", "matching",
	"performance", "sequencing", "likert", "numeric", "other",
}

func (c *cursor) definition() bool {
	if !c.is('{', &ruleDefinition) {
		return false
	}
	var iri []byte
	typed, needsType := false, false
	for c.more() {
		ok := true
		switch string(c.name) {
		case "name", "description":
			ok = c.languageMap()
		case "type", "moreInfo":
			ok = c.iri(&iri)
		case "extensions":
			ok = c.extensions()
		case "interactionType":
			var s []byte
			s, ok = c.string(&ruleInteraction)
			typed = true
			ok = ok && (slices.Contains(interactionTypes, string(s)) || c.fail(&ruleInteraction))
		case "correctResponsesPattern":
			needsType = true
			ok = c.pattern()
		case "choices", "scale", "source", "target", "steps":
			needsType = true
			ok = c.components()
		default:
			return c.unknown(&ruleUnknown)
		}
		if !ok {
			return false
		}
	}
	if c.err == nil && needsType && !typed {
		return c.fail(&ruleNeedsType)
	}
	return c.err == nil
}

func (c *cursor) pattern() bool {
	if !c.is('[', &rulePattern) {
		return false
	}
	for c.elem() {
		if _, ok := c.string(&rulePattern); !ok {
			return false
		}
	}
	return c.err == nil
}

func (c *cursor) components() bool {
	if !c.is('[', &ruleComponents) {
		return false
	}
	var few [16][]byte
	ids := few[:0]
	var many map[string]bool
	for c.elem() {
		id, ok := c.component()
		if !ok {
			return false
		}
		twice := false
		if many == nil {
			for _, other := range ids {
				twice = twice || string(other) == string(id)
			}
			ids = append(ids, id)
		} else {
			twice = many[string(id)]
			many[string(id)] = true
		}
		if twice {
			return c.failAt("/id", shortened(string(id)), &ruleComponentTwice)
		}
		if many == nil && len(ids) == len(few) {
			many = make(map[string]bool)
			for _, other := range ids {
				many[string(other)] = true
			}
		}
	}
	return c.err == nil
}

func (c *cursor) component() (id []byte, ok bool) {
	if !c.is('{', &ruleComponents) {
		return nil, false
	}
	for c.more() {
		switch string(c.name) {
		case "id":
			if id, ok = c.string(&ruleComponentID); !ok {
				return nil, false
			}
		case "description":
			if !c.languageMap() {
				return nil, false
			}
		default:
			return nil, c.unknown(&ruleUnknown)
		}
	}
	if c.err != nil || id == nil {
		return nil, c.err == nil && c.fail(&ruleComponentID)
	}
	return id, true
}
