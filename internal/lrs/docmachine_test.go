package lrs_test

import (
	"bytes"
	"maps"
	"reflect"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-json-experiment/json"
	"pgregory.net/rapid"

	"rollway/internal/access"
	"rollway/internal/db"
	"rollway/internal/db/dbtest"
	"rollway/internal/fault"
	"rollway/internal/id"
	"rollway/internal/lrs"
	"rollway/xapi"
)

// cabinet is what documents there are as the standard tells it: a map.
type cabinet struct {
	*testing.T
	store *lrs.Store
	all   map[drawer]lrs.Document
	who   []access.Caller
	regs  []id.RegistrationID
	tags  []string // that documents have had
}

type drawer struct {
	org id.OrgID
	key lrs.DocumentKey
}

// reaches tells what a caller may read or change.
func reaches(c access.Caller, k lrs.DocumentKey, reading bool) bool {
	scope := map[bool]access.Scope{true: access.State, false: access.Profile}[k.Kind == lrs.State]
	if !c.Scopes.Has(scope) && !(reading && c.Scopes.Has(access.AllRead)) {
		return false
	}
	b := c.Bound
	if b == nil {
		return true
	}
	if k.Kind == lrs.ActivityProfile {
		return b.Activity == "" && reading || b.Activity != "" && (k.Activity == b.Activity || strings.HasPrefix(k.Activity, b.Activity+"/"))
	}
	return k.Agent == b.Agent.IFI && (k.Registration.IsZero() || b.Registration.IsZero() || k.Registration == b.Registration)
}

func (m *cabinet) drawKey(r *rapid.T) lrs.DocumentKey {
	k := lrs.DocumentKey{Kind: oneOf(r, "kind", lrs.State, lrs.State, lrs.AgentProfile, lrs.ActivityProfile), ID: oneOf(r, "id", "a", "ä b", "A")}
	if k.Kind != lrs.AgentProfile {
		k.Activity = oneOf(r, "activity", course, course+"/1", "https://example.org/other")
	}
	if k.Kind != lrs.ActivityProfile {
		k.Agent = mbox(oneOf(r, "agent", "ann", "bob"))
	}
	if k.Kind == lrs.State {
		k.Registration = oneOf(r, "registration", append(m.regs, id.RegistrationID{})...)
	}
	return k
}

func (m *cabinet) drawDocument(r *rapid.T) lrs.Document {
	return lrs.Document{ContentType: oneOf(r, "type", "application/json", "application/json", "application/json", "application/json; charset=utf-8", "text/plain"),
		Content: []byte(oneOf(r, "content", `{"a":1}`, `{"b":{"c":[1,{}]}}`, `{"a":null,"c":"ü"}`, `{}`, ` { "d" : 1.50 } `, `[1]`, "no JSON", ""))}
}

// drawCondition draws a precondition, often one that names the document there is.
func (m *cabinet) drawCondition(r *rapid.T, there string) lrs.Precondition {
	if there == "" {
		there = etag("nothing")
	}
	tags := []string{`"` + there + `"`, there, `"` + etag("other") + `"`, "*", `W/"` + there + `", "x"`}
	for _, tag := range m.tags[max(0, len(m.tags)-2):] {
		tags = append(tags, `"`+tag+`"`)
	}
	switch rapid.IntRange(0, 5).Draw(r, "condition") {
	case 0, 1:
		return lrs.Precondition{IfMatch: oneOf(r, "tag", tags...)}
	case 2:
		return lrs.Precondition{IfNoneMatch: oneOf(r, "tag", tags...)}
	}
	return lrs.Precondition{}
}

// meets is RFC 9110, 13.1, for a document that is there or not.
func meets(p lrs.Precondition, tag string) bool {
	in := func(list string) bool { return tag != "" && (list == "*" || strings.Contains(list, tag)) }
	return (p.IfMatch == "" || in(p.IfMatch)) && (p.IfNoneMatch == "" || !in(p.IfNoneMatch))
}

// objectOf reads a document that may be merged.
func objectOf(d lrs.Document) (m map[string]any, ok bool) {
	return m, strings.HasPrefix(d.ContentType, "application/json") && json.Unmarshal(d.Content, &m) == nil && m != nil
}

// change does one thing to a document.
func (m *cabinet) change(r *rapid.T) {
	c, k, line := oneOf(r, "caller", m.who...), m.drawKey(r), oneOf(r, "version", xapi.V1, xapi.V2)
	at := drawer{c.Org, k}
	there, exists := m.all[at]
	d, pre := m.drawDocument(r), m.drawCondition(r, there.ETag)
	ctx, verb := m.Context(), oneOf(r, "verb", "PUT", "PUT", "POST", "POST", "POST", "DELETE")
	posted, isObject := objectOf(d)
	was, wasObject := objectOf(there)
	isJSON := strings.HasPrefix(d.ContentType, "application/json")
	var want fault.Kind
	switch blind := pre == (lrs.Precondition{}); {
	case verb == "POST" && isJSON && !isObject:
		want = fault.Invalid
	case !reaches(c, k, false):
		want = fault.Forbidden
	case !meets(pre, there.ETag):
		want = fault.Precondition
	case verb == "PUT" && blind && exists && (line == xapi.V2 || k.Kind != lrs.State):
		want = fault.Conflict
	case verb == "PUT" && blind && !exists && line == xapi.V1 && k.Kind != lrs.State:
		want = fault.Invalid
	case verb == "POST" && exists && (!isObject || !wasObject):
		want = fault.Invalid
	}
	var err error
	switch verb {
	case "PUT":
		err = m.store.PutDocument(ctx, c, line, k, d, pre)
	case "POST":
		err = m.store.PostDocument(ctx, c, k, d, pre)
	default:
		err = m.store.DeleteDocument(ctx, c, k, pre)
	}
	if want == 0 && err != nil || want != 0 && !fault.Is(err, want) {
		r.Fatalf("%s: %s of %+v, %q %q, with %+v, there is %+v: got %v, want %v", c.Name, verb, k, d.ContentType, d.Content, pre, there, err, want)
	}
	switch {
	case want != 0:
	case verb == "DELETE":
		delete(m.all, at)
	case verb == "POST" && exists:
		maps.Copy(was, posted)
		got := m.keep(r, at)
		if now, ok := objectOf(got); !ok || !reflect.DeepEqual(now, was) || got.ContentType != d.ContentType {
			r.Fatalf("%s: POST of %q to %q gives %q (%s)", c.Name, d.Content, there.Content, got.Content, got.ContentType)
		}
	default:
		if got := m.keep(r, at); !bytes.Equal(got.Content, d.Content) || got.ContentType != d.ContentType {
			r.Fatalf("%s: %s of %q gives %q (%s)", c.Name, verb, d.Content, got.Content, got.ContentType)
		}
	}
}

// keep notes what is stored now.
func (m *cabinet) keep(r *rapid.T, at drawer) lrs.Document {
	i := slices.IndexFunc(m.who, func(c access.Caller) bool { return c.Org == at.org })
	got, err := m.store.Document(m.Context(), m.who[i], at.key)
	if err != nil || got.ETag != etag(string(got.Content)) || time.Since(got.Updated) > time.Minute || got.Updated.Before(m.all[at].Updated) {
		r.Fatalf("%+v: %+v, %v", at, got, err)
	}
	m.all[at] = got
	m.tags = append(m.tags, got.ETag)
	return got
}

// beside are the documents of a key's place that a caller reaches without naming them.
func (m *cabinet) beside(c access.Caller, k lrs.DocumentKey) (all []drawer) {
	for at := range m.all {
		is := at.key
		is.ID = k.ID
		if k.Registration.IsZero() {
			is.Registration = k.Registration
		}
		if at.org == c.Org && is == k && (c.Bound == nil || reaches(c, at.key, true)) {
			all = append(all, at)
		}
	}
	return all
}

// look reads a document and lists those beside it, as everybody.
func (m *cabinet) look(r *rapid.T) {
	k, since := m.drawKey(r), time.Time{}
	if len(m.all) > 0 && chance(r, "since", 3) {
		since = oneOf(r, "stored", slices.SortedFunc(maps.Values(m.all), func(a, b lrs.Document) int { return a.Updated.Compare(b.Updated) })...).Updated
	}
	for _, c := range m.who {
		got, err := m.store.Document(m.Context(), c, k)
		want, exists := m.all[drawer{c.Org, k}]
		switch {
		case !reaches(c, k, true):
			if !fault.Is(err, fault.Forbidden) {
				r.Fatalf("%s reads %+v: %v", c.Name, k, err)
			}
		case exists != (err == nil), err != nil && !fault.Is(err, fault.NotFound), exists && !reflect.DeepEqual(got, want):
			r.Fatalf("%s reads %+v: %+v %v, want %+v", c.Name, k, got, err, want)
		}
		place := k
		place.ID = ""
		ids, err := m.store.DocumentIDs(m.Context(), c, place, since)
		if !reaches(c, k, true) {
			if !fault.Is(err, fault.Forbidden) {
				r.Fatalf("%s lists %+v: %v", c.Name, place, err)
			}
			continue
		}
		listed := []string{}
		for _, at := range m.beside(c, k) {
			if since.IsZero() || m.all[at].Updated.After(since) {
				listed = append(listed, at.key.ID)
			}
		}
		slices.Sort(listed)
		if listed = slices.Compact(listed); err != nil || !slices.Equal(ids, listed) {
			r.Fatalf("%s lists %+v since %v: %v %v, want %v", c.Name, place, since, ids, err, listed)
		}
	}
}

// sweep deletes all documents of a place.
func (m *cabinet) sweep(r *rapid.T) {
	c, k := oneOf(r, "caller", m.who...), m.drawKey(r)
	place := k
	place.ID = ""
	err := m.store.DeleteDocuments(m.Context(), c, place)
	switch {
	case k.Kind != lrs.State:
		if !fault.Is(err, fault.Invalid) {
			r.Fatalf("%s deletes all of %+v: %v", c.Name, place, err)
		}
	case !reaches(c, k, false):
		if !fault.Is(err, fault.Forbidden) {
			r.Fatalf("%s deletes all of %+v: %v", c.Name, place, err)
		}
	case err != nil:
		r.Fatal(err)
	default:
		for _, at := range m.beside(c, k) {
			delete(m.all, at)
		}
	}
}

// Documents: stored, merged and deleted under preconditions, read, listed and swept, by callers of two organizations, bound
// and not: the store does what a map does.
func TestDocumentsAgainstModel(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := open(t, d)
		var sequences, steps atomic.Int64
		again := 1
		if long() {
			again = 20
		}
		for range again {
			rapid.Check(t, func(r *rapid.T) {
				m := newCabinet(t, s)
				n := rapid.IntRange(8, map[bool]int{false: 25, true: 100}[long()]).Draw(r, "steps")
				for range n {
					m.change(r)
					m.look(r)
					if chance(r, "sweep", 10) {
						m.sweep(r)
					}
				}
				sequences.Add(1)
				steps.Add(int64(n))
			})
		}
		if !t.Failed() {
			t.Logf("proof: %s: %d sequences of %d changes, each read and listed by 6 callers of 2 organizations: 0 differences", t.Name(), sequences.Load(), steps.Load())
		}
	})
}

func newCabinet(t *testing.T, s *lrs.Store) *cabinet {
	m := &cabinet{T: t, store: s, all: map[drawer]lrs.Document{}, regs: []id.RegistrationID{id.New[id.RegistrationID](), id.New[id.RegistrationID]()}}
	one, two := system(), system()
	one.Name, two.Name = "all of one", "all of two"
	reader, ann, bob, other := one, learner(one, "ann"), learner(one, "bob"), learner(two, "ann")
	reader.Name, reader.Scopes = "reader of one", access.AllRead
	ann.Bound.Registration, other.Bound.Registration = m.regs[0], m.regs[0]
	bob.Bound.Registration, bob.Bound.Activity = id.RegistrationID{}, "" // minted, not launched
	other.Name += " of two"
	m.who = []access.Caller{one, two, reader, ann, bob, other}
	return m
}
