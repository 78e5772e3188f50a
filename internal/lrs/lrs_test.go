package lrs_test

import (
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-json-experiment/json"

	"rollway/internal/access"
	"rollway/internal/db"
	"rollway/internal/db/dbtest"
	"rollway/internal/fault"
	"rollway/internal/id"
	"rollway/internal/lrs"
	"rollway/xapi"
)

// each runs a test with a store of its own on every engine.
func each(t *testing.T, fn func(t *testing.T, s *lrs.Store)) {
	t.Helper()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		if !testing.Short() {
			t.Run("remembered", func(t *testing.T) { fn(t, openQuota(t, d, lrs.GuestQuota)) })
		}
		t.Run("indexed", func(t *testing.T) {
			s := open(t, d)
			go indexing(t, s)
			fn(t, s)
		})
	})
}

// indexing writes the index all the time.
func indexing(t *testing.T, s *lrs.Store) {
	for t.Context().Err() == nil {
		if err := s.Index(t.Context()); err != nil && t.Context().Err() == nil {
			t.Errorf("writing the index: %v", err)
		}
		time.Sleep(time.Millisecond)
	}
}

func open(t testing.TB, d *db.DB) *lrs.Store { return openQuota(t, d, -1) }

func openQuota(t testing.TB, d *db.DB, quota int64) *lrs.Store {
	t.Helper()
	s, err := lrs.Open(t.Context(), lrs.Config{DB: d, HomePage: "https://rollway.example/", Quota: quota})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s
}

// openNodes opens a store, and on PostgreSQL a second one on the same database.
func openNodes(t testing.TB, d *db.DB) []*lrs.Store {
	t.Helper()
	nodes := []*lrs.Store{open(t, d)}
	if d.Engine() == db.PostgreSQL {
		nodes = append(nodes, open(t, d))
	}
	return nodes
}

// settle waits until nothing can come any more before what is stored by now.
func settle(t testing.TB, s *lrs.Store) {
	t.Helper()
	for began := time.Now(); ; time.Sleep(time.Millisecond) {
		through, err := s.ConsistentThrough(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if through.After(began) {
			return
		}
	}
}

var orgs atomic.Int64

// system is a caller with every right on records, in an organization of its own.
func system() access.Caller {
	return access.Caller{Org: id.OrgID(orgs.Add(1)), Kind: access.ServiceAccount, Name: "service account test", ServiceAccount: id.New[id.ServiceAccountID](), Scopes: access.All}
}

// learner is a launched credential in the same organization.
func learner(c access.Caller, agent string) access.Caller {
	return access.Caller{
		Org: c.Org, Kind: access.Credential, Name: "credential of " + agent, Scopes: access.Learner, Credential: id.New[id.CredentialID](),
		Bound: &access.Bound{Person: id.New[id.PersonID](), Agent: xapi.Agent{IFI: mbox(agent)}, Registration: id.New[id.RegistrationID](), Activity: "https://example.org/course"},
	}
}

func mbox(name string) xapi.IFI {
	i, err := xapi.ParseMbox("mailto:" + name + "@example.org")
	if err != nil {
		panic(err)
	}
	return i
}

const verbs = "https://example.org/verbs/"

// statement is a statement as its sender writes it; fields left empty are absent.
type statement struct {
	id, actor, verb, object, registration, parent, instructor, ref string
	definition, extra                                              string
}

func (st statement) String() string {
	var b strings.Builder
	b.WriteString(`{`)
	if st.id != "" {
		fmt.Fprintf(&b, `"id":%q,`, st.id)
	}
	verb := st.verb
	if !strings.Contains(verb, ":") {
		verb = verbs + verb
	}
	fmt.Fprintf(&b, `"actor":{"mbox":"mailto:%s@example.org"},"verb":{"id":%q},`, st.actor, verb)
	switch {
	case st.ref != "":
		fmt.Fprintf(&b, `"object":{"objectType":"StatementRef","id":%q}`, st.ref)
	case st.definition != "":
		fmt.Fprintf(&b, `"object":{"id":%q,"definition":%s}`, st.object, st.definition)
	default:
		fmt.Fprintf(&b, `"object":{"id":%q}`, st.object)
	}
	var context []string
	if st.registration != "" {
		context = append(context, fmt.Sprintf(`"registration":%q`, st.registration))
	}
	if st.instructor != "" {
		context = append(context, fmt.Sprintf(`"instructor":{"mbox":"mailto:%s@example.org"}`, st.instructor))
	}
	if st.parent != "" {
		context = append(context, fmt.Sprintf(`"contextActivities":{"parent":[{"id":%q}]}`, st.parent))
	}
	if len(context) > 0 {
		fmt.Fprintf(&b, `,"context":{%s}`, strings.Join(context, ","))
	}
	return b.String() + st.extra + `}`
}

func simple(sid string) statement {
	return statement{id: sid, actor: "ann", verb: "did", object: "https://example.org/course"}
}

func voids(sid, target string) statement {
	return statement{id: sid, actor: "admin", verb: string(xapi.VerbVoided), ref: target}
}

func newID() string { return id.NewRandom[id.StatementID]().String() }

func parse(t testing.TB, s string) id.StatementID {
	t.Helper()
	u, err := id.Parse[id.StatementID](s)
	if err != nil {
		t.Fatal(err)
	}
	return u
}

func batch(sts ...statement) string {
	texts := make([]string, len(sts))
	for i, st := range sts {
		texts[i] = st.String()
	}
	return "[" + strings.Join(texts, ",") + "]"
}

func mustPost(t testing.TB, s *lrs.Store, c access.Caller, sts ...statement) []id.StatementID {
	t.Helper()
	ids, err := s.Put(t.Context(), c, xapi.V1, id.StatementID{}, []byte(batch(sts...)))
	if err != nil {
		t.Fatalf("post of %d statements, the first %s: %v", len(sts), sts[0], err)
	}
	return ids
}

func wantFault(t testing.TB, err error, kind fault.Kind) {
	t.Helper()
	if !fault.Is(err, kind) {
		t.Fatalf("got error %v, want a fault of the kind %v", err, kind)
	}
}

func find(t testing.TB, s *lrs.Store, c access.Caller, q lrs.Query) []id.StatementID {
	t.Helper()
	var ids []id.StatementID
	page, err := s.Find(t.Context(), c, q)
	for {
		if err != nil {
			t.Fatal(err)
		}
		for _, st := range page.Statements {
			ids = append(ids, st.ID)
		}
		if page.More == "" {
			return ids
		}
		page, err = s.More(t.Context(), c, page.More)
	}
}

type served struct {
	ID        string    `json:"id"`
	Stored    time.Time `json:"stored"`
	Timestamp time.Time `json:"timestamp"`
	Version   string    `json:"version"`
	Authority struct {
		Account xapi.Account `json:"account"`
	} `json:"authority"`
}

func decode(t testing.TB, text []byte) (v served) {
	t.Helper()
	if err := json.Unmarshal(text, &v); err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return v
}
