package xapi

import (
	"bytes"
	"time"
)

// VerbVoided is the verb of statements that void another (Data 2.3.2).
const VerbVoided IRI = "http://adlnet.gov/expapi/verbs/voided"

// part is what must be known at the end of a statement or SubStatement to
// check the rules that tie its members together.
type part struct {
	actor, verb, object, voids bool
	kind                       Kind
	revision, platform         bool // of the context
}

func (c *cursor) statement(f *Facts) bool {
	if !c.is('{', &ruleStatement) {
		return false
	}
	base := c.start
	var p part
	for c.more() {
		start, ok := c.start, true
		switch string(c.name) {
		case "id":
			ok, f.HasID = c.uuid(&f.ID), true
		case "timestamp":
			ok, f.HasTimestamp = c.happened(f, &f.Timestamp), true
		case "stored":
			ok, f.HasStored = c.timestamp(&f.Stored), true
			f.edits = append(f.edits, edit{start: start, end: c.end, what: editStored})
		case "authority":
			ok, f.HasAuthority = c.authority(f), true
			f.edits = append(f.edits, edit{start: start, end: c.end, what: editAuthority})
			f.Authority = c.src[start:c.end]
		case "version":
			f.Version, ok = c.statementVersion()
		default:
			ok = c.partMember(f, &p, false)
		}
		if !ok {
			return false
		}
	}
	if c.err != nil || !c.partDone(&p) {
		return false
	}
	f.Raw = c.src[base:c.end]
	f.Voids = p.voids
	for i := range f.edits {
		f.edits[i].start -= base
		f.edits[i].end -= base
	}
	return true
}

// partMember reads a member that statements and SubStatements have.
func (c *cursor) partMember(f *Facts, p *part, sub bool) bool {
	switch string(c.name) {
	case "actor":
		p.actor = true
		a, ok := c.actor(f, RoleActor, sub)
		if ok && !sub {
			f.Actor, f.ActorKey = a.kind, a.key
		}
		return ok
	case "verb":
		p.verb = true
		return c.verb(f, p, sub)
	case "object":
		p.object = true
		return c.object(f, p, sub)
	case "result":
		return c.result()
	case "context":
		return c.context(f, p, sub)
	case "attachments":
		return c.attachments(f, sub)
	}
	return c.unknown(&ruleUnknown)
}

// partDone checks a statement or SubStatement that has just ended.
func (c *cursor) partDone(p *part) bool {
	switch {
	case !p.actor:
		return c.fail(&ruleNeedsActor)
	case !p.verb:
		return c.fail(&ruleNeedsVerb)
	case !p.object:
		return c.fail(&ruleNeedsObject)
	case p.voids && p.kind != KindStatementRef:
		return c.failAt("/object", "an "+p.kind.String(), &ruleVoiding)
	case p.revision && p.kind != KindActivity:
		return c.failAt("/context/revision", "a "+p.kind.String()+" as object", &ruleRevision)
	case p.platform && p.kind != KindActivity:
		return c.failAt("/context/platform", "a "+p.kind.String()+" as object", &ruleRevision)
	}
	return true
}

func (c *cursor) verb(f *Facts, p *part, sub bool) bool {
	if !c.is('{', &ruleVerb) {
		return false
	}
	var id []byte
	for c.more() {
		switch string(c.name) {
		case "id":
			if !c.iri(&id) {
				return false
			}
		case "display":
			start := c.start
			if !c.languageMap() {
				return false
			}
			if !sub {
				f.VerbDisplay = c.src[start:c.end]
			}
		default:
			return c.unknown(&ruleUnknown)
		}
	}
	if c.err != nil || id == nil {
		return c.err == nil && c.fail(&ruleNeedsVerbID)
	}
	p.voids = string(id) == string(VerbVoided)
	if !sub {
		f.Verb = id
	}
	return true
}

// happened reads the timestamp of a statement or SubStatement.
func (c *cursor) happened(f *Facts, dst *time.Time) bool {
	if !c.timestamp(dst) {
		return false
	}
	if !servedTimestamp(c.src[c.start+1 : c.end-1]) {
		f.edits = append(f.edits, edit{c.start, c.end, editTimestamp, *dst})
	}
	return true
}

func (c *cursor) timestamp(dst *time.Time) bool {
	s, ok := c.string(&ruleTimestamp)
	if !ok {
		return false
	}
	*dst, ok = parseTimestamp(s)
	return ok || c.fail(&ruleTimestamp)
}

func (c *cursor) statementVersion() ([]byte, bool) {
	r := &ruleVersionV1
	if c.line == V2 {
		r = &ruleVersionV2
	}
	s, ok := c.string(r)
	return s, ok && (c.line.accepts(s) || c.fail(r))
}

func (c *cursor) attachments(f *Facts, sub bool) bool {
	if !c.is('[', &ruleAttachments) {
		return false
	}
	for c.elem() {
		if !c.attachment(f, sub) {
			return false
		}
	}
	return c.err == nil
}

func (c *cursor) attachment(f *Facts, sub bool) bool {
	if !c.is('{', &ruleAttachments) {
		return false
	}
	a := AttachmentFacts{Length: -1, Sub: sub}
	display := false
	for c.more() {
		ok := true
		switch string(c.name) {
		case "usageType":
			ok = c.iri(&a.UsageType)
		case "display":
			ok, display = c.languageMap(), true
		case "description":
			ok = c.languageMap()
		case "contentType":
			a.ContentType, ok = c.string(&ruleContentType)
			ok = ok && (validMediaType(a.ContentType) || c.fail(&ruleContentType))
		case "length":
			ok = c.length(&a.Length)
		case "sha2":
			a.SHA2, ok = c.string(&ruleSHA2)
			ok = ok && (validSHA2(a.SHA2) || c.fail(&ruleSHA2))
		case "fileUrl":
			ok = c.iri(&a.FileURL)
		default:
			return c.unknown(&ruleUnknown)
		}
		if !ok {
			return false
		}
	}
	if c.err != nil {
		return false
	}
	if a.UsageType == nil || !display || a.ContentType == nil || a.Length < 0 || a.SHA2 == nil {
		return c.fail(&ruleAttachment)
	}
	f.Attachments = append(f.Attachments, a)
	return true
}

func (c *cursor) length(dst *int64) bool {
	if !c.is('0', &ruleLength) {
		return false
	}
	digits := c.src[c.start:c.end]
	if len(digits) > 18 {
		return c.fail(&ruleLength)
	}
	n := int64(0)
	for _, d := range digits {
		if !isDigit(d) {
			return c.fail(&ruleLength)
		}
		n = n*10 + int64(d-'0')
	}
	*dst = n
	return true
}

// validMediaType checks for type/subtype and leaves parameters alone.
func validMediaType(s []byte) bool {
	s, params, _ := bytes.Cut(s, []byte(";"))
	for _, c := range params {
		if c < ' ' || c == 0x7f {
			return false
		}
	}
	kind, sub, _ := bytes.Cut(bytes.TrimRight(s, " "), []byte("/"))
	return isToken(kind) && isToken(sub)
}

// isToken tells whether s is a token as in RFC 9110, 5.6.2.
func isToken(s []byte) bool {
	for _, c := range s {
		if !isAlpha(c) && !isDigit(c) && bytes.IndexByte([]byte("!#$%&'*+-.^_`|~"), c) < 0 {
			return false
		}
	}
	return len(s) > 0
}

// validSHA2 checks for the digits of SHA-224, -256, -384 or -512.
func validSHA2(s []byte) bool {
	switch len(s) {
	case 56, 64, 96, 128:
		return isHex(s)
	}
	return false
}
