package lrs_test

import (
	"errors"
	"testing"
	"time"

	"rollway/internal/access"
	"rollway/internal/fault"
	"rollway/internal/id"
	"rollway/internal/lrs"
	"rollway/xapi"
)

// useAll sends a store each kind of request: statements of all kinds, queries with all combinations of filters, documents.
func useAll(t *testing.T, s *lrs.Store) {
	t.Helper()
	c := system()
	mine, learns := c, learner(c, "ann")
	mine.Scopes = access.StatementsWrite | access.StatementsReadMine
	registration := learns.Bound.Registration
	said := statement{id: newID(), actor: "ann", verb: "did", object: course, registration: registration.String(), parent: course + "/all", instructor: "bob", definition: `{"name":{"en":"Course"}}`}
	late := newID()
	pointing := statement{id: newID(), actor: "ann", verb: "did", ref: late, registration: registration.String()}
	before := time.Now()
	for _, sts := range [][]statement{
		{said}, {simple("")}, {said, simple("")}, {said, simple(newID()), simple(newID())}, {pointing}, {voids(newID(), said.id), voids("", late)}, {simple(late)},
	} {
		mustPost(t, s, c, sts...)
	}
	settle(t, s)
	must(t, s.Index(t.Context()))
	mustPost(t, s, mine, simple(""), simple(""))
	_, err := s.PutWith(t.Context(), c, xapi.V1, id.StatementID{}, []byte(with("", usage, "data").String()), parts("data"))
	must(t, err)
	useDocuments(t, s, c, learns)
	for bits := range 1 << 8 {
		q := lrs.Query{Limit: 1}
		for i, set := range []func(){
			func() { q.Agent = mbox("ann") }, func() { q.RelatedAgents = true }, func() { q.Verb = verbs + "did" }, func() { q.Activity = course },
			func() { q.RelatedActivities = true }, func() { q.Registration = registration }, func() { q.Since, q.Until = before, time.Now() }, func() { q.Ascending = true },
		} {
			if bits>>i&1 == 1 {
				set()
			}
		}
		for _, who := range []access.Caller{c, mine, learns} {
			page, err := s.Find(t.Context(), who, q)
			must(t, err)
			_, err = s.Attachments(t.Context(), who, page.Statements)
			must(t, err)
			if page.More != "" {
				_, err = s.More(t.Context(), who, page.More)
				must(t, err)
			}
		}
		found, _, err := s.After(t.Context(), c, q, 0, lrs.End)
		must(t, err)
		for _, err := range s.WithEarlier(t.Context(), c, q, found) {
			must(t, err)
		}
	}
	for _, who := range []access.Caller{c, mine, learns} {
		for _, voided := range []bool{false, true} {
			_, err := s.Get(t.Context(), who, parse(t, said.id), voided)
			must(t, err)
		}
	}
	_, err = s.Newest(t.Context(), c, []lrs.Trail{{Registration: registration, Agent: mbox("ann"), Activity: course}}, verbs+"did", verbs+"never")
	must(t, err)
	_, err = s.Activity(t.Context(), c, course)
	must(t, err)
	export(t, s, c, lrs.Extent{})
	verify(t, s, c, 0)
}

func useDocuments(t *testing.T, s *lrs.Store, c, learns access.Caller) {
	t.Helper()
	ctx := t.Context()
	for _, k := range keys() {
		must(t, s.PutDocument(ctx, c, xapi.V1, k, jsonDoc("{}"), lrs.Precondition{IfNoneMatch: "*"}))
		must(t, s.PostDocument(ctx, c, k, jsonDoc("{}"), none))
		_, err := s.Document(ctx, c, k)
		must(t, err)
		all := k
		all.ID = ""
		for _, since := range []time.Time{{}, time.Now()} {
			for _, who := range []access.Caller{c, learns} {
				_, err = s.DocumentIDs(ctx, who, all, since)
				must(t, err)
			}
		}
		must(t, s.DeleteDocument(ctx, c, k, none))
		if k.Kind == lrs.State {
			must(t, errors.Join(s.DeleteDocuments(ctx, c, all), s.DeleteDocuments(ctx, learns, all)))
		}
	}
}

// must fails for all errors but what a caller may not do or does not find.
func must(t *testing.T, err error) {
	t.Helper()
	if err != nil && !fault.Is(err, fault.Forbidden) && !fault.Is(err, fault.NotFound) {
		t.Fatal(err)
	}
}
