package lrs

import (
	"bytes"
	"cmp"
	"context"
	"slices"

	"rollway/internal/db"
	"rollway/internal/fault"
	"rollway/internal/id"
	"rollway/xapi"
)

// ref names a statement of an organization.
type ref struct {
	org id.OrgID
	id  id.StatementID
}

// stored is what a transaction must know of a statement that is there already.
type stored struct {
	pos   int64
	voids bool
	by    int64 // hash of the authority
	body  []byte
}

// writing is one transaction that stores what several requests want.
type writing struct {
	*Store
	tx    *db.Tx
	items []*put
	stamp stamp
	last  int64 // SQLite: the greatest position there is

	kept    map[id.OrgID]int64 // bytes, of organizations with a quota
	known   map[ref]*stored    // statements there already, of those asked about
	waiting []ref              // statements that are not there though others point at them
	fresh   map[ref]*entry
	new     []*entry // to be stored, in order
	orgs    []id.OrgID
	by      []*authority

	defining []*defining // what requests define

	inherited [][]any // keys of what they point at
}

// write stores what the requests want. What is wrong with one of them is set in it and stops no other; it may run again.
func (s *Store) write(ctx context.Context, tx *db.Tx, items []*put) error {
	ctx = context.WithoutCancel(ctx) // what one sender breaks off others share; and watching a context costs at each statement
	if tx.Engine == db.PostgreSQL {
		if columns := s.straightColumns(items); columns != nil {
			return s.storeStraight(ctx, tx, items, columns)
		}
	}
	w := &writing{Store: s, tx: tx, items: items}
	if err := w.look(ctx); err != nil {
		return err
	}
	for _, p := range items {
		if err := w.decide(p); err != nil {
			return err
		}
	}
	if err := w.mergeDefinitions(ctx); err != nil || len(w.new) == 0 {
		return err
	}
	w.place()
	if err := w.follow(ctx); err != nil {
		return err
	}
	return w.insert(ctx)
}

const refsLock = "statement references"

// A row without a position says that statements point at one which is not there. Scalar subqueries leave a planner that has
// no statistics yet nothing to choose but the indexes.
var findStatements = db.NewLookup(`SELECT org_id, id, pos FROM (SELECT n.org_id, n.id,
	(SELECT s.pos FROM statements s WHERE s.org_id = n.org_id AND s.id = n.id) AS pos,
	(SELECT r.pos FROM statement_refs r WHERE r.org_id = n.org_id AND r.target = n.id ORDER BY r.org_id, r.target, r.pos LIMIT 1) AS waiting FROM @ n) found
	WHERE pos IS NOT NULL OR waiting IS NOT NULL`, statementName...)

var statementName = []db.Column{{Name: "org_id", Type: "bigint"}, {Name: "id", Type: "uuid"}}

// look asks, in one round trip on PostgreSQL, for everything the decisions need. A statement that points at another and
// the other one itself must not pass each other unseen in two transactions, so those that point take a lock alone which
// all others share.
func (w *writing) look(ctx context.Context) error {
	var asked [][]any
	lock := func(ctx context.Context, key string) error { return w.tx.Share(ctx, key) }
	for _, p := range w.items {
		for _, e := range p.entries {
			if e.given {
				asked = append(asked, []any{int64(p.org), e.id})
			}
			if e.facts.Object == xapi.KindStatementRef {
				asked = append(asked, []any{int64(p.org), id.StatementID(e.facts.Ref)})
				lock = func(ctx context.Context, key string) error { return w.tx.Lock(ctx, key) }
			}
		}
	}
	if err := lock(ctx, refsLock); err != nil {
		return err
	}
	if err := w.askDefinitions(ctx); err != nil {
		return err
	}
	if err := w.askUsage(ctx); err != nil {
		return err
	}
	if w.tx.Engine == db.PostgreSQL {
		if err := w.tx.Defer(ctx, "SELECT "+lockStamp); err != nil {
			return err
		}
		if err := w.order.askStamp(ctx, w.tx, &w.stamp); err != nil {
			return err
		}
	} else if err := w.askLast(ctx); err != nil {
		return err
	}
	if err := w.ask(ctx, asked); err != nil {
		return err
	}
	return w.answers(ctx)
}

// ask asks about statements by their names.
func (w *writing) ask(ctx context.Context, asked [][]any) error {
	return findStatements.Ask(ctx, w.tx, asked, func(r *db.Rows) error {
		var name ref
		var pos *int64
		if err := r.Scan(&name.org, &name.id, &pos); err != nil {
			return err
		}
		if pos == nil {
			if !slices.Contains(w.waiting, name) { // one that points at itself is asked about twice
				w.waiting = append(w.waiting, name)
			}
			return nil
		}
		if w.known == nil {
			w.known = map[ref]*stored{}
		}
		w.known[name] = &stored{pos: *pos}
		return nil
	})
}

// answers waits for what ask asked and reads the statements that are there: seldom any.
func (w *writing) answers(ctx context.Context) error {
	if err := w.tx.Flush(ctx); err != nil {
		return err
	}
	for name, k := range w.known {
		if k.body != nil {
			continue
		}
		err := w.tx.Ask(ctx, "SELECT voids, authority, body FROM statements WHERE org_id = ? AND pos = ?", []any{int64(name.org), k.pos}, func(r *db.Rows) error {
			return r.Scan(&k.voids, &k.by, &k.body)
		})
		if err != nil {
			return err
		}
	}
	return w.tx.Flush(ctx)
}

var errDiffers = fault.New(fault.Conflict, "statement_exists", "There is another statement with this id. Statements never change; send this one under a new id.")

// decide finds out what of a request is new. A request with a statement that differs from the known one of its id stores
// nothing.
func (w *writing) decide(p *put) error {
	p.again, p.err = false, nil
	for _, e := range p.entries {
		e.put, e.known, e.differs, e.voided = p, false, false, false
		there := ref{p.org, e.id}
		var text []byte
		if k := w.known[there]; k != nil {
			text = k.body
		} else if f := w.fresh[there]; f != nil { // sent twice at the same time
			text = f.facts.Raw
		} else {
			continue
		}
		equal, err := xapi.Equal(e.facts.Raw, text)
		if err != nil {
			return err
		}
		if !equal && p.lenient {
			e.differs = true
			continue
		}
		if !equal {
			p.err = errDiffers.With(fault.Field{Name: "id", Message: "This id is taken.", Value: e.id.String()})
			return nil
		}
		e.known = true
	}
	if p.err = w.fits(p); p.err != nil {
		return nil
	}
	if w.fresh == nil {
		w.fresh = make(map[ref]*entry, len(p.entries))
	}
	for _, e := range p.entries {
		if !e.known && !e.differs {
			w.fresh[ref{p.org, e.id}] = e
			w.new, w.orgs, w.by = append(w.new, e), append(w.orgs, p.org), append(w.by, cmp.Or(e.authority, &p.authority))
		}
	}
	return nil
}

// place gives each new statement its position and its text.
func (w *writing) place() {
	if w.tx.Engine == db.SQLite {
		w.stamp = w.order.stampLite(w.now(), w.last, len(w.new), w.items[0])
	}
	for i, e := range w.new {
		e.pos = w.stamp.at(i)
		e.body = e.facts.Serve(e.body[:0], xapi.UUID(e.id), storedAt(e.pos), w.by[i].json)
		e.hash = hashOf(e.body)
	}
}

var (
	insertStatements = db.NewBulk("statements", "",
		db.Column{Name: "org_id", Type: "bigint"}, db.Column{Name: "pos", Type: "bigint"}, db.Column{Name: "id", Type: "uuid"},
		db.Column{Name: "actor", Type: "bigint"}, db.Column{Name: "authority", Type: "bigint"}, db.Column{Name: "registration", Type: "bigint"},
		db.Column{Name: "voids", Type: "boolean"}, db.Column{Name: "voided", Type: "boolean"}, db.Column{Name: "hash", Type: "bytea"},
		db.Column{Name: "index_keys", Type: "bytea"}, db.Column{Name: "body", Type: "bytea"})
	// In a circle of statements one may have inherited a key before the circle was closed.
	insertInherited = db.NewBulk("statement_inherited", "ON CONFLICT DO NOTHING",
		db.Column{Name: "org_id", Type: "bigint"}, db.Column{Name: "key", Type: "bigint"}, db.Column{Name: "pos", Type: "bigint"}, db.Column{Name: "src", Type: "bigint"})
	insertRefs = db.NewBulk("statement_refs", "",
		db.Column{Name: "org_id", Type: "bigint"}, db.Column{Name: "target", Type: "uuid"}, db.Column{Name: "pos", Type: "bigint"})
)

// insert writes the rows. Ids are in order so that two transactions with the same ids do not wait for each other crosswise.
func (w *writing) insert(ctx context.Context) error {
	rows, refs := make([][]any, 0, len(w.new)), [][]any(nil)
	for i, e := range w.new {
		org := int64(w.orgs[i])
		rows = append(rows, []any{org, e.pos, e.id, e.actor, w.by[i].hash, e.registration, e.facts.Voids, e.voided, e.hash, packKeys(e.keys), e.body})
		if e.facts.Object == xapi.KindStatementRef {
			refs = append(refs, []any{org, id.StatementID(e.facts.Ref), e.pos})
		}
	}
	slices.SortFunc(rows, func(a, b []any) int {
		x, y := a[2].(id.StatementID), b[2].(id.StatementID)
		return cmp.Or(cmp.Compare(a[0].(int64), b[0].(int64)), bytes.Compare(x[:], y[:]))
	})
	if err := insertStatements.Insert(ctx, w.tx, rows); err != nil {
		return err
	}
	if err := w.insertOrigins(ctx); err != nil {
		return err
	}
	if err := w.insertAttachments(ctx); err != nil {
		return err
	}
	if err := w.charge(ctx); err != nil {
		return err
	}
	if err := insertInherited.Insert(ctx, w.tx, w.inherited); err != nil {
		return err
	}
	return insertRefs.Insert(ctx, w.tx, refs)
}
