package main

import (
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync/atomic"
	"time"
)

// column is a column of a table with its type in PostgreSQL's words: uuid, bytea, bigint, boolean or text.
type column struct{ name, kind string }

// table is where some rows of an item go.
type table struct {
	name    string
	columns []column
	rows    int    // of one item
	as      string // the product's table that has a row for each of these; "" for one of the same name
}

// item is what one request leaves in the database: rows in some tables. fill makes one item's rows; its values are uuid,
// []byte, int64, bool, string or nil, one a column.
type item struct {
	name   string
	tables []table
	fill   func(m *maker, add func(table int, values ...any))
}

type uuid [16]byte

// maker makes the values of rows. It costs well under a microsecond a row and is not safe for use by several goroutines.
type maker struct {
	*rand.ChaCha8
	tick int64 // positions of statements
	step int64
	text []byte
}

func newMaker(seed, of int) *maker {
	var s [32]byte
	binary.LittleEndian.PutUint64(s[:], uint64(time.Now().UnixNano()))
	s[31] = byte(seed)
	return &maker{rand.NewChaCha8(s), time.Now().UnixMilli()<<20 + int64(seed), int64(of), nil}
}

func (m *maker) bytes(n int) []byte {
	b := make([]byte, n)
	m.Read(b)
	return b
}

// random is a UUID of version 4, ordered one of version 7: rows of ours that nobody outside names ascend.
func (m *maker) random() (u uuid) {
	m.Read(u[:])
	u[6], u[8] = u[6]&0x0f|0x40, u[8]&0x3f|0x80
	return u
}

func (m *maker) ordered() (u uuid) {
	u = m.random()
	now := time.Now()
	binary.BigEndian.PutUint64(u[:], uint64(now.UnixMilli())<<16|0x7000|uint64(now.Nanosecond()%1e6)*4096/1e6)
	return u
}

// person is one of the people that there are.
func (m *maker) person() (u uuid) {
	binary.BigEndian.PutUint64(u[:], 0x0190_0000_0000_7000)
	binary.BigEndian.PutUint64(u[8:], 0x8000_0000_0000_0000|m.Uint64()%people)
	return u
}

func (m *maker) pos() int64 {
	m.tick += m.step
	return m.tick
}

func (u uuid) String() string {
	x := hex.EncodeToString(u[:])
	return x[:8] + "-" + x[8:12] + "-" + x[12:16] + "-" + x[16:20] + "-" + x[20:]
}

// columns reads "name kind, name kind".
func columns(pairs ...string) []column {
	var cs []column
	for i := 0; i < len(pairs); i += 2 {
		cs = append(cs, column{pairs[i], pairs[i+1]})
	}
	return cs
}

var (
	credentialsTable = table{"credentials", columns("org_id", "bigint", "id", "uuid", "kind", "text", "username", "text", "person_id", "uuid",
		"agent", "text", "agent_name", "text", "registration_id", "uuid", "activity", "text", "parent_id", "uuid", "minted_by", "uuid",
		"scopes", "bigint", "created", "bigint", "expires", "bigint"), 1, ""}
	namesTable = table{"credential_names", columns("name_hash", "bytea", "org_id", "bigint", "credential_id", "uuid", "secret_hash", "bytea"), 1, ""}
	auditTable = table{"audit_entries", columns("org_id", "bigint", "id", "uuid", "at", "bigint", "caller", "text", "action", "text", "subject", "text", "detail", "text"), 1, ""}
)

const (
	agentKey  = "account:https://lms.example/ learner-00000000"
	agentName = "Learner 00000000"
	agentJSON = `{"objectType":"Agent","name":"Learner 00000000","account":{"homePage":"https://lms.example/","name":"learner-00000000"}}`
	activity  = "https://rollway.example/courses/knots"
	madeName  = "rwu_ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	clientID  = "bench-00-00-00000000"
)

// launchItem is a full launch: a registration, the launch's session, its credential with the name it is found by, and the
// line in the audit trail.
var launchItem = item{
	name: "launch",
	tables: []table{
		{"registrations", columns("org_id", "bigint", "id", "uuid", "person_id", "uuid", "activity", "text", "agent", "text", "created", "bigint"), 1, ""},
		{"launch_sessions", columns("org_id", "bigint", "id", "uuid", "registration_id", "uuid", "person_id", "uuid", "credential_id", "uuid",
			"parent_id", "uuid", "package_id", "uuid", "started", "bigint"), 1, ""},
		credentialsTable, namesTable, auditTable,
	},
	fill: func(m *maker, add func(int, ...any)) {
		now := time.Now().UnixMicro()
		person, reg, session, cred, parent := m.person(), m.random(), m.ordered(), m.ordered(), m.person()
		add(0, int64(1), reg, person, activity, agentJSON, now)
		add(1, int64(1), session, reg, person, cred, parent, parent, now)
		add(2, int64(1), cred, "launch", madeName, person, agentKey, agentName, reg, activity, parent, nil, int64(0x1ffff), now, now+86400e6)
		add(3, m.bytes(32), int64(1), cred, m.bytes(32))
		add(4, int64(1), m.ordered(), now, "credential "+clientID, "launch.start", "person "+person.String(),
			`{"activity":"`+activity+`","registration":"`+reg.String()+`","session":"`+session.String()+`"}`)
	},
}

// mintItem is a minted credential with the name it is found by, and the line in the audit trail.
var mintItem = item{
	name:   "mint",
	tables: []table{namesTable, credentialsTable, auditTable},
	fill: func(m *maker, add func(int, ...any)) {
		now := time.Now().UnixMicro()
		person, cred := m.person(), m.ordered()
		add(0, m.bytes(32), int64(1), cred, m.bytes(32))
		add(1, int64(1), cred, "minted", clientID, person, agentKey, agentName, nil, "", nil, person, int64(0x1ffff), now, now+3600e6)
		add(2, int64(1), m.ordered(), now, "service account bench", "credential.mint", "credential "+clientID,
			`{"agent":"`+agentKey+`","expires":"2026-01-01T00:00:00Z"}`)
	},
}

// floorStatements is a table of statements as the simplest store would have it: an index for the id and for each of what is
// asked for most, verb, actor, activity and registration, and none for what else the product finds statements by. Beside it
// is a narrow table of the agents that a statement names anywhere; only stores that are read from have rows there.
var floorStatements = []string{
	"CREATE TABLE floor_statements (pos bigint PRIMARY KEY, id uuid NOT NULL, verb bigint NOT NULL, actor bigint NOT NULL, activity bigint NOT NULL, registration bigint NOT NULL, body bytea NOT NULL)",
	"CREATE UNIQUE INDEX floor_statements_id ON floor_statements (id)",
	"CREATE INDEX floor_statements_verb ON floor_statements (verb, pos)",
	"CREATE INDEX floor_statements_actor ON floor_statements (actor, verb, pos)",
	"CREATE INDEX floor_statements_activity ON floor_statements (activity, pos)",
	"CREATE INDEX floor_statements_registration ON floor_statements (registration, pos)",
	"CREATE TABLE floor_related (agent bigint NOT NULL, pos bigint NOT NULL, PRIMARY KEY (agent, pos)) WITHOUT ROWID",
}

var (
	floorTable = table{"floor_statements", columns("pos", "bigint", "id", "uuid", "verb", "bigint", "actor", "bigint", "activity", "bigint",
		"registration", "bigint", "body", "bytea"), 1, "statements"}
	relatedTable = table{"floor_related", columns("agent", "bigint", "pos", "bigint"), 2, ""}
)

// statementItem is a statement, as it is served.
var statementItem = item{
	name:   "statement",
	tables: []table{floorTable},
	fill:   func(m *maker, add func(int, ...any)) { m.statement(draw(m.Uint64()), add) },
}

// storeItem is one statement after the other of those that a store holds, with who is found in it.
func storeItem(next *atomic.Uint64) item {
	return item{name: "store", tables: []table{floorTable, relatedTable}, fill: func(m *maker, add func(int, ...any)) {
		d := draw(next.Add(1) - 1)
		pos := m.statement(d, add)
		add(1, floorAgent(d.actor), pos)
		add(1, floorInstructor(d.instructor), pos)
	}}
}

// statement makes the row of a statement and returns its position.
func (m *maker) statement(d drawn, add func(int, ...any)) int64 {
	pos := m.pos()
	m.text = appendStatement(m.text[:0], d, time.Now())
	m.text = fmt.Appendf(m.text[:len(m.text)-1], `,"stored":"2026-01-01T00:00:00.000Z","authority":%s,"version":"1.0.0"}`, agentJSON)
	add(0, pos, d.id, floorVerb(d.verb), floorAgent(d.actor), floorActivity(d.activity), floorRegistration(d), append([]byte(nil), m.text...))
	return pos
}

// The keys of floor_statements are as far apart as hashes.
func floorKey(kind, n int) int64      { return int64(n*8+kind) * 0x5851_F42D_4C95_7F2D }
func floorVerb(n int) int64           { return floorKey(0, n) }
func floorAgent(n int) int64          { return floorKey(1, n) }
func floorInstructor(n int) int64     { return floorKey(2, n) }
func floorActivity(n int) int64       { return floorKey(3, n) }
func floorRegistration(d drawn) int64 { return floorKey(4, d.actor<<20|d.activity/perCourse) }

func (t table) list() string {
	names := make([]string, len(t.columns))
	for i, c := range t.columns {
		names[i] = c.name
	}
	return strings.Join(names, ", ")
}
