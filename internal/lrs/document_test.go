package lrs_test

import (
	"crypto/sha1"
	"encoding/hex"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/go-json-experiment/json"

	"rollway/internal/access"
	"rollway/internal/fault"
	"rollway/internal/id"
	"rollway/internal/lrs"
	"rollway/xapi"
)

const course = "https://example.org/course"

func jsonDoc(text string) lrs.Document {
	return lrs.Document{ContentType: "application/json", Content: []byte(text)}
}

func etag(content string) string {
	sum := sha1.Sum([]byte(content))
	return hex.EncodeToString(sum[:])
}

var none lrs.Precondition

func keys() map[string]lrs.DocumentKey {
	return map[string]lrs.DocumentKey{
		"state":              {Kind: lrs.State, Activity: course, Agent: mbox("ann"), ID: "bookmark"},
		"state registration": {Kind: lrs.State, Activity: course, Agent: mbox("ann"), Registration: id.New[id.RegistrationID](), ID: "bookmark"},
		"agent profile":      {Kind: lrs.AgentProfile, Agent: mbox("ann"), ID: "bookmark"},
		"activity profile":   {Kind: lrs.ActivityProfile, Activity: course, ID: "bookmark"},
	}
}

func TestDocuments(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s *lrs.Store) {
		ctx, c := t.Context(), system()
		for name, k := range keys() {
			_, err := s.Document(ctx, c, k)
			wantFault(t, err, fault.NotFound)
			content := name + "\x00\xff" // any bytes
			d := lrs.Document{ContentType: "application/octet-stream", Content: []byte(content)}
			if err := s.PutDocument(ctx, c, xapi.V1, k, d, lrs.Precondition{IfNoneMatch: "*"}); err != nil {
				t.Fatal(name, err)
			}
			got, err := s.Document(ctx, c, k)
			if err != nil || string(got.Content) != content || got.ContentType != d.ContentType || got.ETag != etag(content) || time.Since(got.Updated) > time.Minute {
				t.Fatalf("%s: %+v, %v", name, got, err)
			}
		}
		for name, k := range keys() {
			if name == "state registration" {
				continue
			}
			if got, err := s.Document(ctx, c, k); err != nil || string(got.Content) != name+"\x00\xff" {
				t.Errorf("%s: %q, %v", name, got.Content, err)
			}
			other := c
			other.Org = system().Org
			_, err := s.Document(ctx, other, k)
			wantFault(t, err, fault.NotFound)
			if err := s.DeleteDocument(ctx, c, k, lrs.Precondition{IfMatch: `"` + etag("x") + `"`}); !fault.Is(err, fault.Precondition) {
				t.Errorf("%s: delete with another tag: %v", name, err)
			}
			for range 2 {
				if err := s.DeleteDocument(ctx, c, k, none); err != nil {
					t.Error(name, err)
				}
			}
			_, err = s.Document(ctx, c, k)
			wantFault(t, err, fault.NotFound)
		}
	})
}

// What a PUT does, by version, resource, whether there is a document, and the headers.
func TestPreconditions(t *testing.T) {
	t.Parallel()
	here, elsewhere := `"`+etag("here")+`"`, `"`+etag("elsewhere")+`"`
	ok := fault.Kind(0)
	for _, test := range []struct {
		line                 xapi.Version
		state, exists        bool
		ifMatch, ifNoneMatch string
		want                 fault.Kind
	}{
		{xapi.V1, true, false, "", "", ok},
		{xapi.V1, true, true, "", "", ok},
		{xapi.V1, false, false, "", "", fault.Invalid},
		{xapi.V1, false, true, "", "", fault.Conflict},
		{xapi.V2, true, false, "", "", ok},
		{xapi.V2, true, true, "", "", fault.Conflict},
		{xapi.V2, false, false, "", "", ok},
		{xapi.V2, false, true, "", "", fault.Conflict},
		{xapi.V1, false, true, here, "", ok},
		{xapi.V1, false, true, etag("here"), "", ok}, // some libraries leave out the quotes
		{xapi.V1, false, true, elsewhere + ", " + here, "", ok},
		{xapi.V1, false, true, "*", "", ok},
		{xapi.V1, false, true, elsewhere, "", fault.Precondition},
		{xapi.V1, false, false, elsewhere, "", fault.Precondition},
		{xapi.V1, false, false, "*", "", fault.Precondition},
		{xapi.V1, false, false, "", "*", ok},
		{xapi.V1, false, true, "", "*", fault.Precondition},
		{xapi.V1, true, true, "", "*", fault.Precondition},
		{xapi.V2, true, true, "", here, fault.Precondition},
		{xapi.V2, true, true, "", elsewhere, ok},
	} {
		t.Run(fmt.Sprint(test), func(t *testing.T) {
			t.Parallel()
			each(t, func(t *testing.T, s *lrs.Store) {
				c, k := system(), keys()["agent profile"]
				if test.state {
					k = keys()["state"]
				}
				if test.exists {
					if err := s.PutDocument(t.Context(), c, test.line, k, jsonDoc("here"), lrs.Precondition{IfNoneMatch: "*"}); err != nil {
						t.Fatal(err)
					}
				}
				err := s.PutDocument(t.Context(), c, test.line, k, jsonDoc("new"), lrs.Precondition{IfMatch: test.ifMatch, IfNoneMatch: test.ifNoneMatch})
				if test.want != ok {
					wantFault(t, err, test.want)
				} else if err != nil {
					t.Fatal(err)
				}
				got, err := s.Document(t.Context(), c, k)
				want := "here"
				if test.want == ok {
					want = "new"
				}
				if test.want != ok && !test.exists {
					wantFault(t, err, fault.NotFound)
				} else if err != nil || string(got.Content) != want {
					t.Errorf("%q, %v", got.Content, err)
				}
			})
		})
	}
}

func TestPostMerges(t *testing.T) {
	t.Parallel()
	text := lrs.Document{ContentType: "text/plain", Content: []byte("{}")}
	for _, test := range []struct {
		name          string
		there, posted lrs.Document
		want          string // "" is Invalid
	}{
		{"new", lrs.Document{}, jsonDoc(`{"a": 1}`), `{"a": 1}`},
		{"new text", lrs.Document{}, text, `{}`},
		{"new array", lrs.Document{}, jsonDoc(`[1]`), ``},
		{"one level", jsonDoc(`{"a":1,"b":{"x":1,"y":2},"c":1.0}`), jsonDoc(`{"b":{"z":3},"d":null}`), `{"a":1,"b":{"z":3},"c":1.0,"d":null}`},
		{"charset", jsonDoc(`{"a":1}`), lrs.Document{ContentType: "application/json; charset=UTF-8", Content: []byte(`{"b":2}`)}, `{"a":1,"b":2}`},
		{"escaped name", jsonDoc(`{"a\u0062":1}`), jsonDoc(`{"ab":2}`), `{"ab":2}`},
		{"into text", text, jsonDoc(`{"a":1}`), ``},
		{"of text", jsonDoc(`{"a":1}`), text, ``},
		{"into array", jsonDoc(`[1]`), jsonDoc(`{"a":1}`), ``},
		{"of array", jsonDoc(`{"a":1}`), jsonDoc(`[1]`), ``},
		{"twice", jsonDoc(`{"a":1}`), jsonDoc(`{"b":1,"b":2}`), ``},
		{"more", jsonDoc(`{"a":1}`), jsonDoc(`{"b":1} x`), ``},
		{"broken", jsonDoc(`{"a":1}`), jsonDoc(`{"b":`), ``},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			each(t, func(t *testing.T, s *lrs.Store) {
				c, k := system(), keys()["activity profile"]
				if test.there.ContentType != "" {
					if err := s.PutDocument(t.Context(), c, xapi.V2, k, test.there, none); err != nil {
						t.Fatal(err)
					}
				}
				err := s.PostDocument(t.Context(), c, k, test.posted, none)
				if test.want == "" {
					wantFault(t, err, fault.Invalid)
					return
				}
				got, err2 := s.Document(t.Context(), c, k)
				if err != nil || err2 != nil || string(got.Content) != test.want || got.ETag != etag(test.want) {
					t.Errorf("%s, %v, %v", got.Content, err, err2)
				}
				wantFault(t, s.PostDocument(t.Context(), c, k, test.posted, lrs.Precondition{IfMatch: `"0"`}), fault.Precondition)
			})
		})
	}
}

func TestConcurrentMerges(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s *lrs.Store) {
		c, k := system(), keys()["state"]
		var wg sync.WaitGroup
		for i := range 200 {
			wg.Go(func() {
				if err := s.PostDocument(t.Context(), c, k, jsonDoc(fmt.Sprintf(`{"key%d":%d}`, i, i)), none); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		got, err := s.Document(t.Context(), c, k)
		if err != nil {
			t.Fatal(err)
		}
		var all map[string]int
		if err := json.Unmarshal(got.Content, &all); err != nil || len(all) != 200 {
			t.Errorf("%d keys, %v", len(all), err)
		}
	})
}

func TestOneETagManyPuts(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s *lrs.Store) {
		c, k := system(), keys()["agent profile"]
		for _, pre := range []lrs.Precondition{{IfNoneMatch: "*"}, {IfMatch: ""}} {
			if pre == none {
				d, err := s.Document(t.Context(), c, k)
				if err != nil {
					t.Fatal(err)
				}
				pre.IfMatch = `"` + d.ETag + `"`
			}
			var wg sync.WaitGroup
			errs := make([]error, 50)
			for i := range errs {
				wg.Go(func() {
					errs[i] = s.PutDocument(t.Context(), c, xapi.V1, k, jsonDoc(fmt.Sprintf("%v %d", pre, i)), pre)
				})
			}
			wg.Wait()
			won := 0
			for _, err := range errs {
				if err == nil {
					won++
				} else if !fault.Is(err, fault.Precondition) {
					t.Error(err)
				}
			}
			if won != 1 {
				t.Errorf("%d of 50 won with %+v", won, pre)
			}
		}
	})
}

func TestManyDocuments(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s *lrs.Store) {
		ctx, c := t.Context(), system()
		k := lrs.DocumentKey{Kind: lrs.State, Activity: course, Agent: mbox("ann")}
		first, second := k, k
		first.Registration, second.Registration = id.New[id.RegistrationID](), id.New[id.RegistrationID]()
		put := func(k lrs.DocumentKey, name string) time.Time {
			k.ID = name
			if err := s.PutDocument(ctx, c, xapi.V1, k, jsonDoc("{}"), none); err != nil {
				t.Fatal(err)
			}
			d, err := s.Document(ctx, c, k)
			if err != nil {
				t.Fatal(err)
			}
			time.Sleep(time.Millisecond)
			return d.Updated
		}
		put(first, "b")
		put(second, "ä")
		middle := put(k, "c")
		put(k, "a")
		put(first, "a")
		bob := k
		bob.Agent = mbox("bob")
		put(bob, "z")
		ids := func(c access.Caller, k lrs.DocumentKey, since time.Time, want ...string) {
			t.Helper()
			got, err := s.DocumentIDs(ctx, c, k, since)
			if err != nil || !slices.Equal(got, want) {
				t.Errorf("ids %q (%v), want %q", got, err, want)
			}
		}
		ids(c, k, time.Time{}, "a", "b", "c", "ä")
		ids(c, first, time.Time{}, "a", "b")
		ids(c, k, middle, "a")
		ids(c, k, time.Now().Add(time.Hour))
		ann := learner(c, "ann")
		ann.Bound.Registration = first.Registration
		ids(ann, k, time.Time{}, "a", "b", "c")
		wantFault(t, s.DeleteDocuments(ctx, c, lrs.DocumentKey{Kind: lrs.AgentProfile, Agent: mbox("ann")}), fault.Invalid)
		if err := s.DeleteDocuments(ctx, ann, k); err != nil {
			t.Fatal(err)
		}
		ids(c, k, time.Time{}, "ä")
		if err := s.DeleteDocuments(ctx, c, second); err != nil {
			t.Fatal(err)
		}
		ids(c, k, time.Time{})
		ids(c, bob, time.Time{}, "z")
	})
}

func TestDocumentRights(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s *lrs.Store) {
		ctx, c := t.Context(), system()
		ann := learner(c, "ann")
		try := func(c access.Caller, k lrs.DocumentKey) (read, write error) {
			_, read = s.Document(ctx, c, k)
			if fault.Is(read, fault.NotFound) {
				read = nil
			}
			return read, s.PostDocument(ctx, c, k, jsonDoc("{}"), none)
		}
		own := keys()["state registration"]
		own.Registration = ann.Bound.Registration
		below := keys()["activity profile"]
		below.Activity = course + "/page/1"
		for _, k := range []lrs.DocumentKey{keys()["state"], own, keys()["agent profile"], keys()["activity profile"], below} {
			if read, write := try(ann, k); read != nil || write != nil {
				t.Errorf("%+v: %v, %v", k, read, write)
			}
		}
		foreign := []lrs.DocumentKey{keys()["state"], keys()["agent profile"], keys()["activity profile"], keys()["state registration"]}
		foreign[0].Agent, foreign[1].Agent, foreign[2].Activity = mbox("bob"), mbox("bob"), course+"2"
		for _, k := range foreign {
			read, write := try(ann, k)
			wantFault(t, read, fault.Forbidden)
			wantFault(t, write, fault.Forbidden)
		}
		reader := c
		reader.Scopes = access.AllRead
		for _, k := range keys() {
			read, write := try(reader, k)
			if read != nil {
				t.Error(read)
			}
			wantFault(t, write, fault.Forbidden)
			reader := reader
			reader.Scopes = access.StatementsRead | access.StatementsWrite
			read, _ = try(reader, k)
			wantFault(t, read, fault.Forbidden)
		}
		for _, k := range []lrs.DocumentKey{
			{Kind: lrs.State, Activity: course, ID: "x"}, {Kind: lrs.State, Agent: mbox("ann"), ID: "x"}, {Kind: lrs.State, Activity: "no iri", Agent: mbox("ann"), ID: "x"},
			{Kind: lrs.State, Activity: course, Agent: mbox("ann")}, {Kind: lrs.AgentProfile, Activity: course, Agent: mbox("ann"), ID: "x"},
			{Kind: lrs.ActivityProfile, Activity: course, Registration: id.New[id.RegistrationID](), ID: "x"}, {Kind: lrs.AgentProfile, Agent: mbox("ann"), ID: "x\x00"},
		} {
			read, write := try(c, k)
			wantFault(t, read, fault.Invalid)
			wantFault(t, write, fault.Invalid)
		}
	})
}
