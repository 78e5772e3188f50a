package directory

import (
	"context"
	"fmt"
	"math/bits"
	"slices"
	"strings"

	"rollway/internal/db"
	"rollway/internal/id"
	"rollway/xapi"
)

// lookup is the text that finds the owners of what a request submitted: n pairs of attribute and value, then the target,
// the link and the identifier. The numbers are those of byTarget, byLink, byAgent, byValue. Texts exist for powers of two
// of n, so that both engines keep few prepared statements.
var lookup = func() (texts [8]string) {
	for i := range texts {
		pairs := strings.TrimSuffix(strings.Repeat("(?, ?), ", 1<<i), ", ")
		texts[i] = `WITH keys(attribute, value) AS (VALUES ` + pairs + `), owners(by_what, key, person_id) AS (
			SELECT 0, '', id FROM people WHERE org_id = ? AND id = ?
			UNION ALL SELECT 1, '', person_id FROM links WHERE org_id = ? AND space = ? AND key = ?
			UNION ALL SELECT 2, '', person_id FROM agents WHERE org_id = ? AND ifi = ?
			UNION ALL SELECT 3, u.attribute, u.person_id FROM keys k JOIN unique_values u ON u.org_id = ? AND u.attribute = k.attribute AND u.value = k.value) `
	}
	return texts
}()

// lookup returns the text for the request and its arguments.
func (r *request) lookup() (string, []any) {
	n := max(len(r.attributes), 1)
	size := bits.Len(uint(n - 1))
	args := make([]any, 0, 2<<size+8)
	for i := range 1 << size {
		a := attribute{}
		if len(r.attributes) > 0 {
			a = r.attributes[min(i, len(r.attributes)-1)]
		}
		args = append(args, a.folded, a.norm)
	}
	org := r.caller.Org
	return lookup[size], append(args, org, r.Person, org, r.Link.Space, r.Link.Key, org, r.ifi, org)
}

// find reads everything a decision needs, in one round trip together with the locks that were handed over before.
func find(ctx context.Context, tx *db.Tx, r *request) (*found, error) {
	f := &found{declared: map[string]Attribute{}, people: map[id.PersonID]*record{}}
	with, args := r.lookup()
	org := r.caller.Org
	err := tx.Ask(ctx, with+`SELECT by_what, key, person_id FROM owners`, slices.Clone(args), func(rows *db.Rows) error {
		var o owner
		if err := rows.Scan(&o.by, &o.key, &o.person); err != nil {
			return err
		}
		if !slices.Contains(f.owners, o) {
			f.owners = append(f.owners, o)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	err = tx.Ask(ctx, with+`SELECT DISTINCT a.folded, a.name, a.is_unique FROM keys k JOIN attributes a ON a.org_id = ? AND a.folded = k.attribute`,
		append(slices.Clone(args), org), func(rows *db.Rows) error {
			var folded string
			var a Attribute
			if err := rows.Scan(&folded, &a.Name, &a.Unique); err != nil {
				return err
			}
			f.declared[folded] = a
			return nil
		})
	if err != nil {
		return nil, err
	}
	err = askPeople(ctx, tx, query{with: with, args: args, ids: "SELECT person_id FROM owners", org: org, attributes: true}, func(p *record) { f.people[p.ID] = p })
	if err != nil {
		return nil, err
	}
	return f, tx.Flush(ctx)
}

// query names people by a subquery ids, which may use the tables of with.
type query struct {
	with       string
	args       []any
	ids        string
	org        id.OrgID
	attributes bool // read those too
}

// askPeople hands over the questions that read people with their agents and, if wanted, attributes. got has each person,
// in the order of their ids; they are complete after the flush.
func askPeople(ctx context.Context, tx *db.Tx, q query, got func(*record)) error {
	args := func() []any { return append(slices.Clone(q.args), q.org) }
	by := map[id.PersonID]*record{}
	err := tx.Ask(ctx, q.with+`SELECT p.id, p.number, p.name, p.state, p.source, p.version, p.created, p.updated,
			EXISTS (SELECT 1 FROM grants g WHERE g.org_id = p.org_id AND g.person_id = p.id)
		FROM people p WHERE p.org_id = ? AND p.id IN (`+q.ids+`) ORDER BY p.id`, args(), func(rows *db.Rows) error {
		p := &record{Person: Person{Org: q.org}, trusted: map[string]bool{}}
		if q.attributes {
			p.Attributes = map[string]Value{}
		}
		if err := rows.Scan(&p.ID, &p.Number, &p.Name, &p.State, &p.Source, &p.version, &p.Created, &p.Updated, &p.Privileged); err != nil {
			return err
		}
		by[p.ID] = p
		got(p)
		return nil
	})
	if err != nil {
		return err
	}
	err = tx.Ask(ctx, q.with+`SELECT person_id, ifi, position FROM agents WHERE org_id = ? AND person_id IN (`+q.ids+`) ORDER BY person_id, position`,
		args(), func(rows *db.Rows) error {
			var who id.PersonID
			var key string
			var position int64
			if err := rows.Scan(&who, &key, &position); err != nil {
				return err
			}
			ifi, err := xapi.ParseKey(key)
			if err != nil {
				return fmt.Errorf("agents: %w", err)
			}
			if p := by[who]; p != nil { // nil when they arrived between the questions
				p.Agents = append(p.Agents, xapi.Agent{Name: p.Name, IFI: ifi})
				p.next = position + 1
			}
			return nil
		})
	if err != nil || !q.attributes {
		return err
	}
	return tx.Ask(ctx, q.with+`SELECT person_id, name, value, trusted FROM person_attributes WHERE org_id = ? AND person_id IN (`+q.ids+`)`,
		args(), func(rows *db.Rows) error {
			var who id.PersonID
			var name, text string
			var trusted bool
			if err := rows.Scan(&who, &name, &text, &trusted); err != nil {
				return err
			}
			value, err := ParseValue([]byte(text))
			if err != nil {
				return fmt.Errorf("attribute %q: %w", name, err)
			}
			if p := by[who]; p != nil {
				p.Attributes[name], p.trusted[name] = value, trusted
			}
			return nil
		})
}

var (
	attributeRows = db.NewBulk("person_attributes", `ON CONFLICT (org_id, person_id, name) DO UPDATE
			SET value = excluded.value, trusted = excluded.trusted, source = excluded.source, updated = excluded.updated`,
		db.Column{Name: "org_id", Type: "bigint"}, db.Column{Name: "person_id", Type: "uuid"}, db.Column{Name: "name", Type: "text"},
		db.Column{Name: "value", Type: "text"}, db.Column{Name: "trusted", Type: "boolean"}, db.Column{Name: "source", Type: "text"}, db.Column{Name: "updated", Type: "bigint"})
	uniqueRows = db.NewBulk("unique_values", "",
		db.Column{Name: "org_id", Type: "bigint"}, db.Column{Name: "attribute", Type: "text"}, db.Column{Name: "value", Type: "text"}, db.Column{Name: "person_id", Type: "uuid"})
)

// write hands over everything the plan changes, the person's own row first. It fills in the times of p and, at the flush,
// the number of a new person.
func (d *plan) write(ctx context.Context, tx *db.Tx, r *request, p *Person) error {
	org, who, now := r.caller.Org, p.ID, tx.Now()
	p.Updated = now
	position := int64(0)
	if d.before == nil {
		p.Created = now
		if err := insertPerson(ctx, tx, p); err != nil {
			return err
		}
	} else {
		position = d.before.next
		if err := tx.Defer(ctx, `UPDATE people SET name = ?, updated = ?, version = ? WHERE org_id = ? AND id = ?`, p.Name, now, d.before.version+1, org, who); err != nil {
			return err
		}
	}
	if !d.agent.IsZero() {
		if err := tx.Defer(ctx, `INSERT INTO agents (org_id, ifi, person_id, position, created) VALUES (?, ?, ?, ?, ?)`, org, d.agent.Key(), who, position, now); err != nil {
			return err
		}
	}
	if d.link {
		if err := tx.Defer(ctx, `INSERT INTO links (org_id, space, key, person_id, created) VALUES (?, ?, ?, ?, ?)`, org, r.Link.Space, r.Link.Key, who, now); err != nil {
			return err
		}
	}
	for _, name := range d.drop {
		if err := tx.Defer(ctx, `DELETE FROM person_attributes WHERE org_id = ? AND person_id = ? AND name = ?`, org, who, name); err != nil {
			return err
		}
	}
	rows := make([][]any, len(d.set))
	for i, a := range d.set {
		rows[i] = []any{int64(org), who, a.name, a.value.JSON(), a.trusted, string(r.Source), now}
	}
	if err := attributeRows.Insert(ctx, tx, rows); err != nil {
		return err
	}
	return rehold(ctx, tx, org, who, d.release, d.hold)
}

// insertPerson writes a new person's row and makes them a member of the default group.
func insertPerson(ctx context.Context, tx *db.Tx, p *Person) error {
	err := tx.Ask(ctx, `INSERT INTO people (org_id, id, name, state, source, version, created, updated) VALUES (?, ?, ?, ?, ?, 1, ?, ?) RETURNING number`,
		[]any{p.Org, p.ID, p.Name, string(p.State), string(p.Source), p.Created, p.Updated}, func(rows *db.Rows) error { return rows.Scan(&p.Number) })
	if err != nil {
		return err
	}
	return tx.Defer(ctx, `INSERT INTO group_members (org_id, group_id, person_id, created) SELECT org_id, id, ?, ? FROM groups WHERE org_id = ? AND is_default = ?`,
		p.ID, p.Created, p.Org, true)
}

// rehold gives up unique values and takes others, in the order of their keys so that no two transactions wait for each other.
func rehold(ctx context.Context, tx *db.Tx, org id.OrgID, who id.PersonID, release, hold []uniqueValue) error {
	for _, v := range release {
		if err := tx.Defer(ctx, `DELETE FROM unique_values WHERE org_id = ? AND attribute = ? AND value = ? AND person_id = ?`, org, v.attribute, v.value, who); err != nil {
			return err
		}
	}
	slices.SortFunc(hold, compareValues)
	rows := make([][]any, len(hold))
	for i, v := range hold {
		rows[i] = []any{int64(org), v.attribute, v.value, who}
	}
	return uniqueRows.Insert(ctx, tx, rows)
}

func compareValues(a, b uniqueValue) int {
	if c := strings.Compare(a.attribute, b.attribute); c != 0 {
		return c
	}
	return strings.Compare(a.value, b.value)
}
