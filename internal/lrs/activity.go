package lrs

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"rollway/internal/access"
	"rollway/internal/db"
	"rollway/internal/fault"
	"rollway/internal/id"
	"rollway/xapi"
)

// activity names an activity of an organization by its key.
type activity struct {
	org id.OrgID
	key int64
}

// definition is what a statement says of an activity.
type definition struct {
	activity
	iri  []byte
	json []byte
	sum  int64
	adds bool // what is known stays as it is

	by *entry // who says so: it counts only if it is new here
}

// MaxDefinition is the most bytes of what is known of an activity. What would make it longer is not added.
const MaxDefinition = 64 << 10

const (
	mergedAtOnce = 64       // activities whose definitions are held at a time
	mergedMost   = 32 << 20 // bytes of definitions that one transaction looks at, while others wait for it
)

// known remembers the definition that came last for an activity, so that what everybody repeats is not written again. It
// forgets after a while, since it does not hear of what came last on another node.
type known struct {
	mu   sync.RWMutex
	last map[activity]lastDefined
}

type lastDefined struct {
	sum int64
	at  time.Time
}

const (
	knownActivities = 1 << 16
	knownFor        = time.Minute
)

func (k *known) is(d definition, now time.Time) bool {
	k.mu.RLock()
	defer k.mu.RUnlock()
	last, ok := k.last[d.activity]
	return ok && last.sum == d.sum && now.Sub(last.at) < knownFor
}

func (k *known) learn(defines []definition, now time.Time) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.last == nil || len(k.last) > knownActivities {
		k.last = make(map[activity]lastDefined)
	}
	for _, d := range defines {
		k.last[d.activity] = lastDefined{d.sum, now}
	}
}

// collectDefinitions adds the definitions in a statement that are not the last ones known.
func (s *Store) collectDefinitions(defines []definition, c access.Caller, e *entry) []definition {
	now := s.now()
	for i := range e.facts.Activities {
		a := &e.facts.Activities[i]
		if a.Definition == nil || len(a.Definition) > MaxDefinition || c.Bound != nil && (c.Bound.Activity == "" || !within(c.Bound.Activity, string(a.ID))) {
			continue
		}
		d := definition{activity: activity{c.Org, s.key(byActivity, a.ID)}, iri: a.ID, json: a.Definition, sum: s.key('d', a.Definition), adds: c.Bound != nil, by: e}
		if d.adds {
			d.sum = s.key('D', a.Definition)
		}
		if !s.known.is(d, now) {
			defines = append(defines, d)
		}
	}
	return defines
}

var activityName = []db.Column{{Name: "org_id", Type: "bigint"}, {Name: "key", Type: "bigint"}}

// A scalar subquery, as in findStatements: PostgreSQL would join a table that it knows as small by reading all of it, and go on
// with that for the minute in which it may have become large.
var findActivities = db.NewLookup("SELECT n.org_id, n.key, (SELECT a.definition FROM activities a WHERE a.org_id = n.org_id AND a.key = n.key) FROM @ n", activityName...)

// defining is an activity that requests define.
type defining struct {
	activity
	iri  []byte
	text []byte // what is known of it
	said []said
}

type said struct {
	*definition
	in *put
}

// askDefinitions asks what is known of the first activities that requests define. Transactions that define any wait for each
// other, and so neither lose a merge nor wait crosswise.
func (w *writing) askDefinitions(ctx context.Context) error {
	at := map[activity]*defining{}
	for _, p := range w.items {
		for i := range p.defines {
			d := &p.defines[i]
			if at[d.activity] == nil {
				at[d.activity] = &defining{activity: d.activity, iri: d.iri}
				w.defining = append(w.defining, at[d.activity])
			}
			at[d.activity].said = append(at[d.activity].said, said{d, p})
		}
	}
	if len(w.defining) == 0 {
		return nil
	}
	if err := w.tx.Lock(ctx, "activity definitions"); err != nil {
		return err
	}
	return w.askKnown(ctx, w.defining[:min(len(w.defining), mergedAtOnce)])
}

// askKnown asks what is known of activities.
func (w *writing) askKnown(ctx context.Context, list []*defining) error {
	at, asked := make(map[activity]*defining, len(list)), make([][]any, len(list))
	for i, a := range list {
		at[a.activity], asked[i] = a, []any{int64(a.org), a.key}
	}
	return findActivities.Ask(ctx, w.tx, asked, func(r *db.Rows) error {
		var a activity
		var text []byte
		if err := r.Scan(&a.org, &a.key, &text); err != nil {
			return err
		}
		at[a].text = text
		return nil
	})
}

var putActivities = db.NewBulk("activities", "ON CONFLICT (org_id, key) DO UPDATE SET definition = excluded.definition",
	db.Column{Name: "org_id", Type: "bigint"}, db.Column{Name: "key", Type: "bigint"}, db.Column{Name: "iri", Type: "text"}, db.Column{Name: "definition", Type: "bytea"})

// mergeDefinitions writes what the requests that are stored change about activities. Of very many long ones the last are
// left as they are, until they are defined again.
func (w *writing) mergeDefinitions(ctx context.Context) error {
	var rows [][]any
	var learnt []definition
	for i, left := 0, w.mergedMost; i < len(w.defining) && left > 0; i += mergedAtOnce {
		list := w.defining[i:min(len(w.defining), i+mergedAtOnce)]
		if i > 0 {
			if err := w.askKnown(ctx, list); err != nil {
				return err
			}
			if err := w.tx.Flush(ctx); err != nil {
				return err
			}
		}
		for _, a := range list {
			left -= len(a.text)
			text, taken, err := a.merge()
			if err != nil {
				return err
			}
			if text != nil {
				rows = append(rows, []any{int64(a.org), a.key, string(a.iri), text})
			}
			a.text, learnt = nil, append(learnt, taken...)
			left -= len(text)
		}
	}
	if len(learnt) > 0 {
		w.tx.AfterCommit(func() { w.Store.known.learn(learnt, w.Store.now()) })
	}
	slices.SortFunc(rows, func(a, b []any) int {
		return cmp.Or(cmp.Compare(a[0].(int64), b[0].(int64)), cmp.Compare(a[1].(int64), b[1].(int64)))
	})
	return putActivities.Insert(ctx, w.tx, rows)
}

// merge returns what is known of an activity with what is stored now, nil if that changes nothing, and what of that was looked
// at.
func (a *defining) merge() (text []byte, taken []definition, err error) {
	var all *xapi.MergedDefinition
	changed := false
	for _, d := range a.said {
		if d.in.err != nil || d.by.known || d.by.differs {
			continue
		}
		if all == nil {
			if all, err = xapi.ParseMergedDefinition(a.text); err != nil {
				return nil, nil, err
			}
		}
		take := all.Update
		if d.adds {
			take = all.Complete
		}
		more, err := take(d.json, MaxDefinition)
		if err != nil {
			return nil, nil, err
		}
		changed, taken = changed || more, append(taken, *d.definition)
	}
	if !changed {
		return nil, taken, nil
	}
	return all.Text(), taken, nil
}

// Activity returns the Activity as JSON with everything that statements have said of it, or with its id alone if none has
// (Communication 2.5). It needs any right to read records.
func (s *Store) Activity(ctx context.Context, c access.Caller, iri string) ([]byte, error) {
	if !c.Scopes.Has(access.StatementsReadMine) && !c.Scopes.Has(access.State) && !c.Scopes.Has(access.Profile) && !c.Scopes.Has(access.Define) {
		return nil, c.Require(access.StatementsReadMine)
	}
	if _, err := xapi.ParseIRI(iri); err != nil {
		return nil, parameter("activityId", err)
	}
	var merged []byte
	err := s.db.Read(ctx, func(tx *db.Tx) error {
		return tx.Row(ctx, "SELECT definition FROM activities WHERE org_id = ? AND key = ?", int64(c.Org), s.key(byActivity, []byte(iri))).Scan(&merged)
	})
	if err != nil && !errors.Is(err, db.ErrNoRows) {
		return nil, err
	}
	return json.Marshal(struct {
		ObjectType string         `json:"objectType"`
		ID         string         `json:"id"`
		Definition jsontext.Value `json:"definition,omitzero"`
	}{"Activity", iri, merged})
}

// parameter is the fault of a request parameter that the data model does not take.
func parameter(name string, err error) error {
	return fault.New(fault.Invalid, "invalid_parameter", "The parameter %s is not right: %s.", name, err).With(fault.Field{Name: name, Message: err.Error() + "."})
}
