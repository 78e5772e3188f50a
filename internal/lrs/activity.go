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
const MaxDefinition = 256 << 10

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

var findActivities = db.NewLookup("SELECT n.org_id, n.key, a.definition FROM @ n JOIN activities a ON a.org_id = n.org_id AND a.key = n.key", activityName...)

// askDefinitions asks what is known of the activities that requests define. Transactions that define any wait for each
// other, and so neither lose a merge nor wait crosswise.
func (w *writing) askDefinitions(ctx context.Context) error {
	for _, p := range w.items {
		w.defines = append(w.defines, p.defines...)
	}
	if len(w.defines) == 0 {
		return nil
	}
	if err := w.tx.Lock(ctx, "activity definitions"); err != nil {
		return err
	}
	w.defined = map[activity][]byte{}
	var asked [][]any
	for _, d := range w.defines {
		if _, twice := w.defined[d.activity]; !twice {
			w.defined[d.activity] = nil
			asked = append(asked, []any{int64(d.org), d.key})
		}
	}
	return findActivities.Ask(ctx, w.tx, asked, func(r *db.Rows) error {
		var a activity
		var text []byte
		if err := r.Scan(&a.org, &a.key, &text); err != nil {
			return err
		}
		w.defined[a] = text
		return nil
	})
}

var putActivities = db.NewBulk("activities", "ON CONFLICT (org_id, key) DO UPDATE SET definition = excluded.definition",
	db.Column{Name: "org_id", Type: "bigint"}, db.Column{Name: "key", Type: "bigint"}, db.Column{Name: "iri", Type: "text"}, db.Column{Name: "definition", Type: "bytea"})

// mergeDefinitions writes what the requests that are stored change about activities.
func (w *writing) mergeDefinitions(ctx context.Context) error {
	changed := map[activity][]any{}
	var learnt []definition
	for _, p := range w.items {
		if p.err != nil {
			continue
		}
		for _, d := range p.defines {
			if d.by.known || d.by.differs {
				continue
			}
			there, more := w.defined[d.activity], d.json
			if d.adds && there != nil {
				there, more = more, there
			}
			merged, err := xapi.MergeDefinition(there, more)
			if err != nil {
				return err
			}
			if len(merged) <= MaxDefinition && string(merged) != string(w.defined[d.activity]) {
				w.defined[d.activity] = merged
				changed[d.activity] = []any{int64(d.org), d.key, string(d.iri), merged}
			}
			learnt = append(learnt, d)
		}
	}
	if len(learnt) > 0 {
		w.tx.AfterCommit(func() { w.Store.known.learn(learnt, w.Store.now()) })
	}
	rows := make([][]any, 0, len(changed))
	for _, row := range changed {
		rows = append(rows, row)
	}
	slices.SortFunc(rows, func(a, b []any) int {
		return cmp.Or(cmp.Compare(a[0].(int64), b[0].(int64)), cmp.Compare(a[1].(int64), b[1].(int64)))
	})
	return putActivities.Insert(ctx, w.tx, rows)
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
