package directory

import (
	"context"
	"slices"
	"strings"
	"time"

	"rollway/internal/access"
	"rollway/internal/db"
	"rollway/internal/fault"
	"rollway/internal/id"
)

// Attribute is a declared attribute, or one that was seen on people.
type Attribute struct {
	Name     string
	Unique   bool
	Declared bool
	Kinds    []string // kinds of value seen: "string", "number", "boolean", in order
	People   int64    // how many people have it
}

// Declare makes an attribute known, and with unique one that people are recognized by: then each value belongs to one
// person. Declaring it again is no error; a unique attribute stays unique. It needs the scope admin.
//
// Errors: Forbidden; Invalid (invalid_attribute); Conflict (attribute_not_unique) when people share values already, naming
// how many, or when values are longer than a unique one may be.
func (d *Directory) Declare(ctx context.Context, caller access.Caller, name string, unique bool) (Attribute, error) {
	if err := caller.Require(access.Admin); err != nil {
		return Attribute{}, err
	}
	name, err := ParseAttributeName(name)
	if err != nil {
		return Attribute{}, err
	}
	var out Attribute
	err = d.retry(ctx, func(tx *db.Tx) (err error) {
		out, err = declare(ctx, tx, caller, name, unique)
		return err
	})
	return out, err
}

// ParseAttributeName returns a name as it is declared. Fault: Invalid (invalid_attribute).
func ParseAttributeName(name string) (string, error) {
	if name = clean(name); name == "" || longer(name, MaxKey) || !printable(name) {
		return "", fault.New(fault.Invalid, "invalid_attribute", "An attribute's name has 1 to 255 characters and no control characters.")
	}
	return name, nil
}

func declare(ctx context.Context, tx *db.Tx, caller access.Caller, name string, unique bool) (Attribute, error) {
	if err := tx.Lock(ctx, declareLock(caller.Org)); err != nil {
		return Attribute{}, err
	}
	folded := fold(name)
	was, known := Attribute{Name: name}, false
	err := tx.Ask(ctx, `SELECT name, is_unique FROM attributes WHERE org_id = ? AND folded = ?`, []any{caller.Org, folded}, func(r *db.Rows) error {
		known = true
		return r.Scan(&was.Name, &was.Unique)
	})
	if err == nil {
		err = tx.Flush(ctx)
	}
	if err != nil {
		return Attribute{}, err
	}
	was.Declared = true
	if known && (was.Unique || !unique) {
		return was, nil
	}
	if err := adopt(ctx, tx, caller.Org, was.Name, folded, unique); err != nil {
		return Attribute{}, err
	}
	was.Unique = unique
	if err := tx.Defer(ctx, `INSERT INTO attributes (org_id, folded, name, is_unique, created) VALUES (?, ?, ?, ?, ?)
			ON CONFLICT (org_id, folded) DO UPDATE SET is_unique = excluded.is_unique`, caller.Org, folded, was.Name, unique, tx.Now()); err != nil {
		return Attribute{}, err
	}
	return was, access.Audit(ctx, tx, caller, "attribute.declare", "attribute "+was.Name, map[string]any{"unique": unique})
}

// holding is one stored value of an attribute that is being declared.
type holding struct {
	person id.PersonID
	name   string // the spelling it is stored under
	text   string
	holds  bool // trusted, and of a person who is not pending
}

// adopt brings what is stored already under the declaration: one spelling, and, for a unique attribute, one owner for each
// value.
func adopt(ctx context.Context, tx *db.Tx, org id.OrgID, name, folded string, unique bool) error {
	all, err := holdings(ctx, tx, org, folded)
	if err != nil {
		return err
	}
	owners := map[string]id.PersonID{}
	people := map[id.PersonID]bool{}
	twiceNamed, shared, long := 0, map[string]bool{}, 0
	for _, h := range all {
		if people[h.person] {
			twiceNamed++
		}
		people[h.person] = true
		if !unique || !h.holds {
			continue
		}
		if longer(h.text, MaxUniqueValue) {
			long++
			continue
		}
		value := normalize(folded, h.text)
		if _, ok := owners[value]; ok {
			shared[value] = true
		}
		owners[value] = h.person
	}
	if twiceNamed+len(shared)+long > 0 {
		return fault.New(fault.Conflict, "attribute_not_unique", "%s cannot be declared so: %d values are shared by several people, %d are longer than %d characters, and %d people have it in two spellings.",
			name, len(shared), long, MaxUniqueValue, twiceNamed)
	}
	for _, h := range all {
		if h.name != name {
			if err := tx.Defer(ctx, `UPDATE person_attributes SET name = ? WHERE org_id = ? AND person_id = ? AND name = ?`, name, org, h.person, h.name); err != nil {
				return err
			}
		}
	}
	rows := make([][]any, 0, len(owners))
	for value, person := range owners {
		rows = append(rows, []any{int64(org), folded, value, person})
	}
	return uniqueRows.Insert(ctx, tx, rows)
}

// holdings reads the values stored under any spelling of the attribute.
func holdings(ctx context.Context, tx *db.Tx, org id.OrgID, folded string) ([]holding, error) {
	var spellings []string
	err := tx.Each(ctx, `SELECT DISTINCT name FROM person_attributes WHERE org_id = ?`, []any{org}, func(r *db.Rows) error {
		var name string
		err := r.Scan(&name)
		if fold(name) == folded {
			spellings = append(spellings, name)
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	var all []holding
	for _, name := range spellings {
		err := tx.Each(ctx, `SELECT a.person_id, a.value, a.trusted, p.state FROM person_attributes a JOIN people p ON p.org_id = a.org_id AND p.id = a.person_id
				WHERE a.org_id = ? AND a.name = ?`, []any{org, name}, func(r *db.Rows) error {
			h := holding{name: name}
			var text string
			var state State
			if err := r.Scan(&h.person, &text, &h.holds, &state); err != nil {
				return err
			}
			value, err := ParseValue([]byte(text))
			h.text, h.holds = value.text, h.holds && state != Pending
			all = append(all, h)
			return err
		})
		if err != nil {
			return nil, err
		}
	}
	return all, nil
}

// Attributes lists what is declared and what was seen, by name. It needs the scope people:read.
func (d *Directory) Attributes(ctx context.Context, caller access.Caller) ([]Attribute, error) {
	if err := caller.Require(access.PeopleRead); err != nil {
		return nil, err
	}
	by := map[string]*Attribute{}
	get := func(name string) *Attribute {
		if by[name] == nil {
			by[name] = &Attribute{Name: name}
		}
		return by[name]
	}
	err := d.db.Read(ctx, func(tx *db.Tx) error {
		clear(by)
		err := tx.Ask(ctx, `SELECT name, is_unique FROM attributes WHERE org_id = ?`, []any{caller.Org}, func(r *db.Rows) error {
			var name string
			var unique bool
			err := r.Scan(&name, &unique)
			a := get(name)
			a.Declared, a.Unique = true, unique
			return err
		})
		if err != nil {
			return err
		}
		err = tx.Ask(ctx, `SELECT name, CASE substr(value, 1, 1) WHEN '"' THEN 'string' WHEN 't' THEN 'boolean' WHEN 'f' THEN 'boolean' ELSE 'number' END AS kind, count(*)
				FROM person_attributes WHERE org_id = ? GROUP BY 1, 2 ORDER BY 1, 2`, []any{caller.Org}, func(r *db.Rows) error {
			var name, kind string
			var people int64
			err := r.Scan(&name, &kind, &people)
			a := get(name)
			a.Kinds, a.People = append(a.Kinds, kind), a.People+people
			return err
		})
		if err != nil {
			return err
		}
		return tx.Flush(ctx)
	})
	out := make([]Attribute, 0, len(by))
	for _, a := range by {
		out = append(out, *a)
	}
	slices.SortFunc(out, func(a, b Attribute) int { return strings.Compare(a.Name, b.Name) })
	return out, err
}

// declareDefault gives a new organization what every one starts with.
func declareDefault(ctx context.Context, tx *db.Tx, org id.OrgID, at time.Time) error {
	return tx.Defer(ctx, `INSERT INTO attributes (org_id, folded, name, is_unique, created) VALUES (?, ?, ?, ?, ?)`, org, "email", "Email", true, at)
}
