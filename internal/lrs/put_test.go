package lrs_test

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"rollway/internal/access"
	"rollway/internal/db"
	"rollway/internal/db/dbtest"
	"rollway/internal/fault"
	"rollway/internal/id"
	"rollway/internal/lrs"
	"rollway/xapi"
)

func TestPutAndGet(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s *lrs.Store) {
		c := system()
		given := newID()
		ids := mustPost(t, s, c, simple(""), simple(given), simple(""))
		if len(ids) != 3 || ids[1].String() != given || ids[0].IsZero() || ids[0] == ids[2] {
			t.Fatalf("ids %v", ids)
		}
		for _, sid := range ids {
			st, err := s.Get(t.Context(), c, sid, false)
			if err != nil {
				t.Fatal(err)
			}
			v := decode(t, st.JSON)
			if v.ID != sid.String() || v.Version != "1.0.0" || !v.Stored.Equal(st.Stored) || !v.Timestamp.Equal(v.Stored) || bytes.ContainsRune(st.JSON, '\n') {
				t.Errorf("served %s, stored %v", st.JSON, st.Stored)
			}
			if a := v.Authority.Account; a.HomePage != "https://rollway.example" || a.Name != "service-account:"+c.ServiceAccount.String() {
				t.Errorf("authority %+v", a)
			}
		}
		if got := find(t, s, c, lrs.Query{Ascending: true}); !slices.Equal(got, ids) {
			t.Errorf("in order: %v, want %v", got, ids)
		}
		_, err := s.Get(t.Context(), c, id.New[id.StatementID](), false)
		wantFault(t, err, fault.NotFound)
		_, err = s.Get(t.Context(), system(), ids[0], false) // of another organization
		wantFault(t, err, fault.NotFound)
	})
}

func TestPutSingle(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s *lrs.Store) {
		c, sid := system(), newID()
		put := func(wanted string, st string) error {
			_, err := s.Put(t.Context(), c, xapi.V2, parse(t, wanted), []byte(st))
			return err
		}
		if err := put(sid, simple("").String()); err != nil { // takes the id of the request
			t.Fatal(err)
		}
		if err := put(sid, simple(strings.ToUpper(sid)).String()); err != nil { // the same again
			t.Fatal(err)
		}
		wantFault(t, put(sid, simple(newID()).String()), fault.Invalid)
		wantFault(t, put(newID(), batch(simple(""))), fault.Invalid)
		wantFault(t, put(sid, statement{actor: "bob", verb: "did", object: "https://example.org/course"}.String()), fault.Conflict)
		wantFault(t, put(newID(), `{"actor":1}`), fault.Invalid)
	})
}

func TestPutRefuses(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s *lrs.Store) {
		c := system()
		zeros := "00000000-0000-0000-0000-000000000000"
		attachment := `,"attachments":[{"usageType":"https://example.org/u","display":{"en":"x"},"contentType":"text/plain","length":1,"sha2":"` + strings.Repeat("a", 64) + `"%s}]`
		with := func(extra string) statement { st := simple(""); st.extra = extra; return st }
		if _, err := s.Put(t.Context(), c, xapi.V1, id.StatementID{}, []byte(batch(with(fmt.Sprintf(attachment, `,"fileUrl":"https://example.org/f"`))))); err != nil {
			t.Errorf("attachment with fileUrl: %v", err)
		}
		for name, body := range map[string]string{
			"no JSON":          `{`,
			"null":             `null`,
			"twice in a batch": batch(simple("6ba7b810-9dad-11d1-80b4-00c04fd430c8"), simple("6ba7b810-9dad-11d1-80b4-00c04fd430c8")),
			"one of the batch": batch(simple(""), with(`,"nonsense":1`)),
			"nil id":           simple(zeros).String(),
			"nil reference":    voids("", zeros).String(),
			"attachment":       with(fmt.Sprintf(attachment, "")).String(),
		} {
			_, err := s.Put(t.Context(), c, xapi.V1, id.StatementID{}, []byte(body))
			if !fault.Is(err, fault.Invalid) {
				t.Errorf("%s: %v", name, err)
			}
		}
		_, err := s.Put(t.Context(), c, xapi.V1, id.StatementID{}, make([]byte, lrs.MaxBody+1))
		wantFault(t, err, fault.TooLarge)
		many := make([]statement, lrs.MaxStatements+1)
		for i := range many {
			many[i] = simple("")
		}
		_, err = s.Put(t.Context(), c, xapi.V1, id.StatementID{}, []byte(batch(many...)))
		wantFault(t, err, fault.TooLarge)
		mustPost(t, s, c, many[1:]...)
		if n := len(find(t, s, c, lrs.Query{Limit: 1000})); n != 1+lrs.MaxStatements {
			t.Errorf("%d statements", n)
		}
	})
}

func TestResending(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s *lrs.Store) {
		c, a, b := system(), newID(), newID()
		first := mustPost(t, s, c, simple(a))
		before, err := s.Get(t.Context(), c, first[0], false)
		if err != nil {
			t.Fatal(err)
		}
		if again := mustPost(t, s, c, simple(a), simple(b)); again[0] != first[0] || again[1].String() != b {
			t.Errorf("ids %v", again)
		}
		changed := simple(a)
		changed.verb = "did not"
		changed.verb = "undid"
		_, err = s.Put(t.Context(), c, xapi.V1, id.StatementID{}, []byte(batch(simple(""), changed)))
		wantFault(t, err, fault.Conflict)
		after, err := s.Get(t.Context(), c, first[0], false)
		if err != nil || !bytes.Equal(before.JSON, after.JSON) {
			t.Errorf("changed: %s (%v)", after.JSON, err)
		}
		if got := find(t, s, c, lrs.Query{}); len(got) != 2 {
			t.Errorf("%d statements, want 2", len(got))
		}
	})
}

// Many senders at once: equal statements under one id, or different ones of which exactly one is stored; two nodes.
func TestSameIDAtOnce(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		nodes := openNodes(t, d)
		c := system()
		for round := range 5 {
			same, contested := newID(), newID()
			var wg sync.WaitGroup
			errs := make([]error, 40)
			for i := range errs {
				wg.Go(func() {
					st := simple(same)
					if i%2 == 0 {
						st = statement{id: contested, actor: fmt.Sprintf("a%d", i), verb: "did", object: "https://example.org/course"}
					}
					_, errs[i] = nodes[i%4/2%len(nodes)].Put(t.Context(), c, xapi.V1, id.StatementID{}, []byte(batch(simple(""), st)))
				})
			}
			wg.Wait()
			won := 0
			for i, err := range errs {
				switch {
				case err == nil && i%2 == 0:
					won++
				case err != nil && (i%2 == 1 || !fault.Is(err, fault.Conflict)):
					t.Errorf("sender %d: %v", i, err)
				}
			}
			if won != 1 {
				t.Errorf("%d senders won one id", won)
			}
			if n, want := len(find(t, nodes[0], c, lrs.Query{})), (round+1)*(20+1+1+1); n != want {
				t.Errorf("%d statements, want %d", n, want)
			}
		}
	})
}

func TestScopesOfStatements(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s *lrs.Store) {
		all := system()
		with := func(scopes access.Scope) access.Caller {
			c := all
			c.ServiceAccount, c.Scopes = id.New[id.ServiceAccountID](), scopes
			return c
		}
		theirs := mustPost(t, s, all, simple(""))[0]
		_, err := s.Put(t.Context(), with(access.AllRead|access.State), xapi.V1, id.StatementID{}, []byte(simple("").String()))
		wantFault(t, err, fault.Forbidden)
		for _, c := range []access.Caller{with(access.StatementsWrite), with(access.State)} {
			_, err = s.Get(t.Context(), c, theirs, false)
			wantFault(t, err, fault.Forbidden)
			_, err = s.Find(t.Context(), c, lrs.Query{})
			wantFault(t, err, fault.Forbidden)
		}
		if _, err := s.Get(t.Context(), with(access.AllRead), theirs, false); err != nil {
			t.Error(err)
		}
		me := with(access.StatementsWrite | access.StatementsReadMine)
		mine := mustPost(t, s, me, simple(""))[0]
		if got := find(t, s, me, lrs.Query{}); !slices.Equal(got, []id.StatementID{mine}) {
			t.Errorf("mine: %v", got)
		}
		if got := find(t, s, me, lrs.Query{Verb: verbs + "did"}); !slices.Equal(got, []id.StatementID{mine}) {
			t.Errorf("mine by verb: %v", got)
		}
		_, err = s.Get(t.Context(), me, theirs, false)
		wantFault(t, err, fault.NotFound)
	})
}

func TestBoundCaller(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s *lrs.Store) {
		c := system()
		ann := learner(c, "ann")
		own, other := ann.Bound.Registration.String(), id.New[id.RegistrationID]().String()
		st := func(actor, registration string) statement {
			return statement{actor: actor, verb: "did", object: "https://example.org/course", registration: registration}
		}
		mine := mustPost(t, s, ann, st("ann", own), st("ann", ""))
		earlier := mustPost(t, s, c, st("ann", other), st("bob", own), st("ann", own))
		for name, body := range map[string]string{
			"foreign actor":        st("bob", own).String(),
			"foreign registration": st("ann", other).String(),
			"one of a batch":       batch(st("ann", own), st("bob", own)),
			"group":                `{"actor":{"objectType":"Group","mbox":"mailto:ann@example.org"},"verb":{"id":"https://example.org/v"},"object":{"id":"https://example.org/o"}}`,
			"anonymous group":      `{"actor":{"objectType":"Group","member":[{"mbox":"mailto:ann@example.org"}]},"verb":{"id":"https://example.org/v"},"object":{"id":"https://example.org/o"}}`,
			"voiding":              strings.Replace(voids("", mine[0].String()).String(), "admin@", "ann@", 1),
		} {
			_, err := s.Put(t.Context(), ann, xapi.V1, id.StatementID{}, []byte(body))
			if !fault.Is(err, fault.Forbidden) {
				t.Errorf("%s: %v", name, err)
			}
		}
		got, err := s.Get(t.Context(), ann, mine[0], false)
		if err != nil {
			t.Fatal(err)
		}
		if a := decode(t, got.JSON).Authority.Account.Name; a != "person:"+ann.Bound.Person.String() {
			t.Errorf("authority %s", a)
		}
		for _, sid := range earlier[:2] {
			_, err = s.Get(t.Context(), ann, sid, false)
			wantFault(t, err, fault.NotFound)
		}
		visible := []id.StatementID{mine[0], mine[1], earlier[2]}
		for name, q := range map[string]lrs.Query{
			"all":             {},
			"by agent":        {Agent: mbox("ann")},
			"related agent":   {Agent: mbox("ann"), RelatedAgents: true},
			"by agent, verb":  {Agent: mbox("ann"), Verb: verbs + "did"},
			"by verb":         {Verb: verbs + "did"},
			"by activity":     {Activity: "https://example.org/course"},
			"verb + activity": {Activity: "https://example.org/course", RelatedActivities: true, Verb: verbs + "did"},
		} {
			q.Ascending = true
			if got := find(t, s, ann, q); !slices.Equal(got, visible) {
				t.Errorf("%s: %v, want %v", name, got, visible)
			}
		}
		if got := find(t, s, ann, lrs.Query{Agent: mbox("bob")}); len(got) != 0 {
			t.Errorf("bob's: %v", got)
		}
		ann.Scopes |= access.All // a wider scope widens nothing
		if got := find(t, s, ann, lrs.Query{Ascending: true}); !slices.Equal(got, visible) {
			t.Errorf("with all scopes: %v", got)
		}
	})
}
