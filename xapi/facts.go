package xapi

import (
	"bytes"
	"time"
)

// Kind is what the object of a statement is, or an actor.
type Kind uint8

// The kinds, named as objectType names them.
const (
	KindActivity Kind = iota + 1
	KindAgent
	KindGroup
	KindStatementRef
	KindSubStatement
)

var kindNames = [...]string{
	KindActivity: "Activity", KindAgent: "Agent", KindGroup: "Group",
	KindStatementRef: "StatementRef", KindSubStatement: "SubStatement",
}

// String is the objectType, or "".
func (k Kind) String() string {
	if int(k) < len(kindNames) {
		return kindNames[k]
	}
	return ""
}

// Role is the place in a statement where an Agent, a Group or an Activity
// stands.
type Role uint8

// The roles: of agents, then of activities; RoleObject is for both.
const (
	RoleActor Role = iota + 1
	RoleObject
	RoleInstructor
	RoleTeam
	RoleContextAgent
	RoleContextGroup
	RoleAuthority // of agents; as sent, while [Facts.Serve] writes another one
	RoleParent
	RoleGrouping
	RoleCategory
	RoleOther
)

// AgentFacts is one mention of an Agent or an identified Group.
type AgentFacts struct {
	Key    []byte // as [IFI.Key]
	Name   []byte // nil if absent
	Role   Role   // for a member, the role of its group
	Group  bool   // an identified Group
	Member bool   // a member of a Group
	Sub    bool   // in the SubStatement
}

// Direct tells whether the mention counts for the query parameter agent, and
// not only with related_agents: the actor, the object, or a member of these.
func (a *AgentFacts) Direct() bool {
	return !a.Sub && (a.Role == RoleActor || a.Role == RoleObject)
}

// ActivityFacts is one mention of an Activity.
type ActivityFacts struct {
	ID         []byte
	Definition []byte // its JSON text, nil if absent
	Role       Role
	Sub        bool // in the SubStatement
}

// Direct tells whether the mention counts for the query parameter activity,
// and not only with related_activities: the object of the statement.
func (a *ActivityFacts) Direct() bool { return !a.Sub && a.Role == RoleObject }

// AttachmentFacts describes one attachment.
type AttachmentFacts struct {
	UsageType   []byte
	ContentType []byte
	SHA2        []byte // hexadecimal digits as sent
	FileURL     []byte // nil if absent
	Length      int64  // bytes
	Sub         bool   // of the SubStatement
}

// Facts is what a record store needs to know about one valid statement. Byte
// slices point into the text that was read or into memory of the reader: they
// are valid as long as the text is unchanged and, for facts that came from a
// [Reader], until its next use.
type Facts struct {
	Raw  []byte // the statement's own text, from { to }
	Line Version

	ID    UUID
	HasID bool

	Actor    Kind   // KindAgent or KindGroup
	ActorKey []byte // as [IFI.Key]; nil for an anonymous Group

	Verb        []byte // its id
	VerbDisplay []byte // JSON text of its language map, nil if absent

	Object    Kind
	ObjectID  []byte // of an Activity: its id
	ObjectKey []byte // of an Agent or identified Group: as [IFI.Key]
	Ref       UUID   // of a StatementRef: the statement it points at

	// Voids tells that the statement voids the statement Ref.
	Voids bool

	Registration    UUID
	HasRegistration bool

	Timestamp    time.Time // UTC
	HasTimestamp bool
	HasStored    bool      // sent by the client; never served
	Stored       time.Time // UTC
	HasAuthority bool      // sent by the client; never served
	Authority    []byte    // its JSON text
	Version      []byte    // the property as sent, nil if absent

	// Everybody and everything mentioned, in the order of the text, with
	// repetitions. Members stand before their group.
	Agents      []AgentFacts
	Activities  []ActivityFacts
	Attachments []AttachmentFacts

	edits []edit
}

// edit is a place in Raw where the served text differs from it.
type edit struct {
	start, end int
	what       editKind
	time       time.Time // of editTimestamp
}

type editKind uint8

const (
	editWrap      editKind = iota // make the value an array of one
	editTimestamp                 // write the timestamp in UTC with three decimals
	editStored
	editAuthority
)

func (f *Facts) reset(line Version) {
	*f = Facts{
		Line:        line,
		Agents:      f.Agents[:0],
		Activities:  f.Activities[:0],
		Attachments: f.Attachments[:0],
		edits:       f.edits[:0],
	}
}

// Serve appends the statement as it is to be kept and served, on one line: as
// it was sent, without white space between tokens, and with
//
//   - id, if it had none;
//   - timestamp, if it had none: that of stored. One that was not in UTC or had
//     less than three decimals is written so, a SubStatement's too;
//   - stored and authority, always these (authority is JSON text);
//   - version, if it had none: that of its line (see [Version.Statement]);
//   - arrays for contextActivities that were single objects (Data 2.4.6.2).
//
// Every other byte, and the order of members, is as it was sent.
func (f *Facts) Serve(dst []byte, id UUID, stored time.Time, authority []byte) []byte {
	text, _ := f.ServeAt(dst, id, stored, authority)
	return text
}

// ServeAt is [Facts.Serve] for those who learn the time later: at are the places in text where the time of stored stands, as
// [AppendTimestamp] writes it. The second is that of timestamp if the statement had none, else the same as the first.
func (f *Facts) ServeAt(dst []byte, id UUID, stored time.Time, authority []byte) (text []byte, at [2]int) {
	dst = append(dst, '{')
	if !f.HasID {
		dst = append(id.append(append(dst, `"id":"`...)), `",`...)
	}
	from := 1
	for _, e := range f.edits {
		dst = appendCompact(dst, f.Raw[from:e.start])
		from = e.end
		switch e.what {
		case editWrap:
			dst = append(appendCompact(append(dst, '['), f.Raw[e.start:e.end]), ']')
		case editTimestamp:
			dst = appendPreciseTimestamp(dst, e.time)
		case editStored:
			at[0] = len(dst) + 1
			dst = appendTimestampString(dst, stored)
		case editAuthority:
			dst = appendCompact(dst, authority)
		}
	}
	dst = appendCompact(dst, f.Raw[from:len(f.Raw)-1])
	if !f.HasTimestamp {
		dst = append(dst, `,"timestamp":`...)
		at[1] = len(dst) + 1
		dst = appendTimestampString(dst, stored)
	}
	if !f.HasStored {
		dst = append(dst, `,"stored":`...)
		at[0] = len(dst) + 1
		dst = appendTimestampString(dst, stored)
	}
	if f.HasTimestamp {
		at[1] = at[0]
	}
	if !f.HasAuthority {
		dst = appendCompact(append(dst, `,"authority":`...), authority)
	}
	if f.Version == nil {
		dst = append(append(append(dst, `,"version":"`...), f.Line.Statement()...), '"')
	}
	return append(dst, '}'), at
}

func appendTimestampString(dst []byte, t time.Time) []byte {
	return append(AppendTimestamp(append(dst, '"'), t), '"')
}

// appendPreciseTimestamp keeps what is finer than a millisecond.
func appendPreciseTimestamp(dst []byte, t time.Time) []byte {
	if t.Nanosecond()%int(time.Millisecond) == 0 {
		return appendTimestampString(dst, t)
	}
	return t.AppendFormat(dst, `"2006-01-02T15:04:05.000000000Z"`)
}

// appendCompact appends JSON tokens without the white space between them.
func appendCompact(dst, src []byte) []byte {
	kept := 0 // up to here it is in dst
	for i := 0; i < len(src); {
		switch src[i] {
		case ' ', '\t', '\n', '\r':
			dst = append(dst, src[kept:i]...)
			i++
			kept = i
		case '"':
			i = stringEnd(src, i)
		default:
			i++
		}
	}
	return append(dst, src[kept:]...)
}

// stringEnd is where the string that begins at i is over.
func stringEnd(src []byte, i int) int {
	i++
	if n := bytes.IndexByte(src[i:], '"'); n == 0 || src[i+n-1] != '\\' {
		return i + n + 1
	}
	for src[i] != '"' {
		if src[i] == '\\' {
			i++
		}
		i++
	}
	return i + 1
}
