package lrs_test

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"pgregory.net/rapid"

	"rollway/internal/access"
	"rollway/internal/db"
	"rollway/internal/db/dbtest"
	"rollway/internal/fault"
	"rollway/internal/id"
	"rollway/internal/lrs"
	"rollway/xapi"
)

// long tells whether to run the full counts.
func long() bool { return os.Getenv("ROLLWAY_LONG") != "" }

// told is a statement as the model knows it: what it says, taken apart by hand.
type told struct {
	org              id.OrgID
	id, text         string
	actor            string // of an Agent; empty for a Group
	verb, ref        string
	registration     string
	agents, related  []xapi.IFI
	activities, more []string // more and related are found with the filters related_ alone
	by               string   // name of the caller
	stored           time.Time
}

func (s *told) voiding() bool { return s.verb == string(xapi.VerbVoided) }

// shelf is the record store as the standard tells it: statements in the order in which they came, and a scan.
type shelf struct {
	*testing.T
	nodes []*lrs.Store // of one database
	all   []*told
	ids   []string
	regs  []string
	who   []access.Caller
}

func (m *shelf) at(org id.OrgID, sid string) *told {
	for _, s := range m.all {
		if s.org == org && s.id == sid {
			return s
		}
	}
	return nil
}

func (m *shelf) voided(s *told) bool {
	return !s.voiding() && slices.ContainsFunc(m.all, func(v *told) bool { return v.org == s.org && v.voiding() && v.ref == s.id })
}

// sees is what a caller may be told of.
func sees(c access.Caller, s *told) bool {
	switch {
	case c.Org != s.org:
		return false
	case c.Bound != nil:
		own := s.actor != "" && mbox(s.actor) == c.Bound.Agent.IFI
		return own && (s.registration == "" || c.Bound.Registration.IsZero() || s.registration == c.Bound.Registration.String())
	case c.Scopes.Has(access.StatementsRead):
		return true
	}
	return s.by == c.Name
}

// says tells whether a statement by itself meets all filters but those of time.
func (s *told) says(q lrs.Query) bool {
	agent := slices.Contains(s.agents, q.Agent) || q.RelatedAgents && slices.Contains(s.related, q.Agent)
	activity := slices.Contains(s.activities, q.Activity) || q.RelatedActivities && slices.Contains(s.more, q.Activity)
	return (q.Agent.IsZero() || agent) && (q.Activity == "" || activity) && (q.Verb == "" || q.Verb == s.verb) &&
		(q.Registration.IsZero() || q.Registration.String() == s.registration)
}

// found tells whether a statement, or one that it leads to, meets all filters.
func (m *shelf) found(s *told, q lrs.Query) bool {
	if !q.Since.IsZero() && !s.stored.After(q.Since) || !q.Until.IsZero() && s.stored.After(q.Until) || m.voided(s) {
		return false
	}
	seen := []*told{}
	for s != nil && !slices.Contains(seen, s) {
		if s.says(q) {
			return true
		}
		seen = append(seen, s)
		s = m.at(s.org, s.ref)
	}
	return false
}

func (m *shelf) find(c access.Caller, q lrs.Query) (ids []string) {
	for _, s := range m.all {
		if sees(c, s) && m.found(s, q) {
			ids = append(ids, s.id)
		}
	}
	if !q.Ascending {
		slices.Reverse(ids)
	}
	return ids
}

var (
	machineNames      = []string{"ann", "bob", "cid"}
	machineActivities = []string{"https://example.org/course", "https://example.org/course/1", "https://example.org/other"}
)

func oneOf[T any](r *rapid.T, what string, of ...T) T { return rapid.SampledFrom(of).Draw(r, what) }

func chance(r *rapid.T, what string, in int) bool { return rapid.IntRange(1, in).Draw(r, what) == 1 }

func agentText(name string) string { return fmt.Sprintf(`{"mbox":"mailto:%s@example.org"}`, name) }

// draw makes up a statement.
func (m *shelf) draw(r *rapid.T, c access.Caller, sid string) *told {
	s := &told{org: c.Org, id: sid, by: c.Name, verb: verbs + oneOf(r, "verb", "did", "saw")}
	name := oneOf(r, "actor", machineNames...)
	s.agents = append(s.agents, mbox(name))
	actor := agentText(name)
	if c.Bound == nil && chance(r, "group", 6) {
		second := oneOf(r, "member", machineNames...)
		s.agents = append(s.agents, mbox(second))
		// In one order only: the members in another are the same Group.
		actor = `{"objectType":"Group","member":[` + agentText(min(name, second)) + "," + agentText(max(name, second)) + `]}`
	} else {
		s.actor = name
	}
	object := m.drawObject(r, s)
	var context []string
	if s.registration = oneOf(r, "registration", append(m.regs, "", "")...); s.registration != "" {
		context = append(context, fmt.Sprintf(`"registration":%q`, s.registration))
	}
	context = append(context, drawContext(r, s)...)
	s.text = fmt.Sprintf(`{"id":%q,"actor":%s,"verb":{"id":%q},"object":%s,"context":{%s}}`, sid, actor, s.verb, object, strings.Join(context, ","))
	return s
}

func (m *shelf) drawObject(r *rapid.T, s *told) string {
	refer := func() string {
		s.ref = oneOf(r, "target", m.ids...)
		return fmt.Sprintf(`{"objectType":"StatementRef","id":%q}`, s.ref)
	}
	switch rapid.IntRange(0, 9).Draw(r, "object") {
	case 0, 1:
		s.verb = string(xapi.VerbVoided)
		return refer()
	case 2, 3, 4:
		return refer()
	case 5:
		name := oneOf(r, "about", machineNames...)
		s.agents = append(s.agents, mbox(name))
		return fmt.Sprintf(`{"objectType":"Agent","mbox":"mailto:%s@example.org"}`, name)
	case 6:
		name, activity := oneOf(r, "inner actor", machineNames...), oneOf(r, "inner activity", machineActivities...)
		s.related, s.more = append(s.related, mbox(name)), append(s.more, activity)
		return fmt.Sprintf(`{"objectType":"SubStatement","actor":%s,"verb":{"id":%q},"object":{"id":%q},"context":{%s}}`,
			agentText(name), verbs+"saw", activity, strings.Join(drawContext(r, s), ","))
	}
	activity := oneOf(r, "activity", machineActivities...)
	s.activities = append(s.activities, activity)
	return fmt.Sprintf(`{"id":%q}`, activity)
}

func drawContext(r *rapid.T, s *told) (context []string) {
	if chance(r, "instructor", 5) {
		name := oneOf(r, "instructor is", machineNames...)
		s.related = append(s.related, mbox(name))
		context = append(context, `"instructor":`+agentText(name))
	}
	if chance(r, "team", 6) {
		name := oneOf(r, "team has", machineNames...)
		s.related = append(s.related, mbox(name), mbox("team"))
		context = append(context, `"team":{"objectType":"Group","mbox":"mailto:team@example.org","member":[`+agentText(name)+`]}`)
	}
	if chance(r, "context agent", 6) {
		name := oneOf(r, "context agent is", machineNames...)
		s.related = append(s.related, mbox(name))
		context = append(context, `"contextAgents":[{"objectType":"contextAgent","agent":`+agentText(name)+`,"relevantTypes":["https://example.org/tutor"]}]`)
	}
	if chance(r, "context group", 6) {
		name := oneOf(r, "context group has", machineNames...)
		s.related = append(s.related, mbox(name), mbox("crew"))
		context = append(context, `"contextGroups":[{"objectType":"contextGroup","group":{"objectType":"Group","mbox":"mailto:crew@example.org","member":[`+agentText(name)+`]}}]`)
	}
	if chance(r, "parent", 4) {
		activity := oneOf(r, "parent is", machineActivities...)
		s.more = append(s.more, activity)
		context = append(context, fmt.Sprintf(`"contextActivities":{%q:[{"id":%q}]}`, oneOf(r, "kind", "parent", "grouping", "category", "other"), activity))
	}
	return context
}

// verdict is what becomes of statements that a caller sends together.
func (m *shelf) verdict(c access.Caller, sent []*told) fault.Kind {
	var kind fault.Kind
	for i, s := range sent {
		if slices.ContainsFunc(sent[:i], func(o *told) bool { return o.id == s.id }) {
			return fault.Invalid
		}
	}
	for _, s := range sent {
		if c.Bound != nil && (!sees(c, s) || s.voiding()) {
			return fault.Forbidden
		}
		if there := m.at(c.Org, s.id); there != nil && there.text != s.text {
			kind = fault.Conflict
		}
	}
	if kind != 0 || c.Scopes.Has(access.All) {
		return kind
	}
	for _, s := range sent {
		if m.at(c.Org, s.id) != nil || !s.voiding() {
			continue
		}
		target := m.at(c.Org, s.ref)
		own := target != nil && target.by == c.Name || slices.ContainsFunc(sent, func(o *told) bool { return o.id == s.ref && m.at(c.Org, o.id) == nil })
		if !own {
			return fault.Forbidden
		}
	}
	return 0
}

// free are the ids that an organization has not used.
func (m *shelf) free(org id.OrgID, sent []*told) []string {
	return slices.DeleteFunc(slices.Clone(m.ids), func(sid string) bool {
		return m.at(org, sid) != nil || slices.ContainsFunc(sent, func(s *told) bool { return s.id == sid })
	})
}

// put sends new statements and known ones, as they were or changed.
func (m *shelf) put(r *rapid.T) {
	c := oneOf(r, "caller", m.who...)
	var sent []*told
	for range rapid.IntRange(1, 4).Draw(r, "batch") {
		sid := oneOf(r, "id", m.ids...)
		if free := m.free(c.Org, sent); len(free) > 0 && !chance(r, "any", 6) {
			sid = oneOf(r, "free id", free...)
		}
		if there := m.at(c.Org, sid); there != nil && chance(r, "as it was", 2) {
			again := *there
			sent = append(sent, &again)
			continue
		}
		sent = append(sent, m.draw(r, c, sid))
	}
	texts := []string{}
	for _, s := range sent {
		texts = append(texts, s.text)
	}
	want := m.verdict(c, sent)
	var err error
	node := oneOf(r, "node", m.nodes...)
	if len(sent) == 1 && chance(r, "PUT", 2) {
		line := xapi.V1
		if strings.Contains(texts[0], `"contextAgents"`) || strings.Contains(texts[0], `"contextGroups"`) {
			line = xapi.V2
		}
		_, err = node.Put(m.Context(), c, line, parse(m, sent[0].id), []byte(texts[0]))
	} else {
		_, err = node.Put(m.Context(), c, xapi.V2, id.StatementID{}, []byte("["+strings.Join(texts, ",")+"]"))
	}
	if want == 0 && err != nil || want != 0 && !fault.Is(err, want) {
		r.Fatalf("%s sends %v: got %v, want %v", c.Name, texts, err, want)
	}
	if want != 0 {
		return
	}
	for _, s := range sent {
		if m.at(c.Org, s.id) == nil {
			s.by = c.Name
			m.all = append(m.all, s)
		}
	}
	for _, s := range m.all[max(0, len(m.all)-len(sent)):] {
		m.read(r, s)
	}
}

// read asks for a statement as everybody: voided or not, each is told just what may be.
func (m *shelf) read(r *rapid.T, s *told) {
	for _, c := range m.who {
		for _, voided := range []bool{false, true} {
			got, err := oneOf(r, "node", m.nodes...).Get(m.Context(), c, parse(m, s.id), voided)
			there := m.at(c.Org, s.id)
			switch want := there != nil && sees(c, there) && m.voided(there) == voided; {
			case want != (err == nil), err != nil && !fault.Is(err, fault.NotFound):
				r.Fatalf("%s asks for %s (voided %v): %v, want it %v", c.Name, s.id, voided, err, want)
			case want && there.stored.IsZero():
				there.stored = got.Stored
			case want && !there.stored.Equal(got.Stored):
				r.Fatalf("%s was stored at %v, now at %v", s.id, there.stored, got.Stored)
			}
		}
	}
}

// query asks the same as everybody, page by page.
func (m *shelf) query(r *rapid.T) {
	q := lrs.Query{Ascending: rapid.Bool().Draw(r, "ascending"), Limit: rapid.IntRange(1, 7).Draw(r, "limit"), RelatedAgents: rapid.Bool().Draw(r, "related agents"), RelatedActivities: rapid.Bool().Draw(r, "related activities")}
	if chance(r, "by agent", 2) {
		q.Agent = mbox(oneOf(r, "agent", append(machineNames, "team", "crew", "nobody")...))
	}
	if chance(r, "by verb", 2) {
		q.Verb = oneOf(r, "verb", verbs+"did", verbs+"saw", string(xapi.VerbVoided))
	}
	if chance(r, "by activity", 2) {
		q.Activity = oneOf(r, "activity", machineActivities...)
	}
	if chance(r, "by registration", 4) {
		q.Registration = id.RegistrationID(parse(m, oneOf(r, "registration", m.regs...)))
	}
	if len(m.all) > 0 && chance(r, "since", 4) {
		q.Since = oneOf(r, "since", m.all...).stored
	}
	if len(m.all) > 0 && chance(r, "until", 4) {
		q.Until = oneOf(r, "until", m.all...).stored
	}
	for _, c := range m.who {
		got, want := texts(find(m, oneOf(r, "node", m.nodes...), c, q)), m.find(c, q)
		if !slices.Equal(got, want) {
			r.Fatalf("%s asks %+v: got %v, want %v", c.Name, q, got, want)
		}
	}
}

// Statements, voiding in either order, references and chains, resending, all filters together, two organizations and all
// kinds of caller: the store does what a slice of statements and a scan do.
func TestStatementsAgainstModel(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		nodes := openNodes(t, d)
		var sequences, steps, stored atomic.Int64
		again := 1
		if long() {
			again = 10
		}
		for range again {
			rapid.Check(t, func(r *rapid.T) {
				m := newShelf(t, nodes)
				n := rapid.IntRange(8, map[bool]int{false: 16, true: 100}[long()]).Draw(r, "steps")
				for range n {
					m.put(r)
					m.query(r)
				}
				sequences.Add(1)
				steps.Add(int64(n))
				stored.Add(int64(len(m.all)))
			})
		}
		if !t.Failed() {
			t.Logf("proof: %s: %d sequences of %d writes and as many queries by 7 callers of 2 organizations on %d nodes, %d statements stored: 0 differences", t.Name(), sequences.Load(), steps.Load(), len(nodes), stored.Load())
		}
	})
}

func newShelf(t *testing.T, nodes []*lrs.Store) *shelf {
	m := &shelf{T: t, nodes: nodes, regs: []string{newID(), newID()}}
	for range map[bool]int{false: 16, true: 60}[long()] {
		m.ids = append(m.ids, newID())
	}
	for _, org := range []string{"one", "two"} {
		all := system()
		all.Name = "all of " + org
		writer, ann := all, learner(all, "ann")
		writer.Name, writer.ServiceAccount, writer.Scopes = "writer of "+org, id.New[id.ServiceAccountID](), access.StatementsWrite|access.StatementsReadMine
		ann.Name += " of " + org
		ann.Bound.Registration = id.RegistrationID(parse(t, m.regs[0]))
		m.who = append(m.who, all, writer, ann)
	}
	bob := learner(m.who[0], "bob") // minted, not launched
	bob.Bound.Registration, bob.Bound.Activity = id.RegistrationID{}, ""
	m.who = append(m.who, bob)
	return m
}
