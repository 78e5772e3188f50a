package lrs_test

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/go-json-experiment/json"

	"rollway/internal/db"
	"rollway/internal/db/dbtest"
	"rollway/internal/lrs"
)

// Nothing that is sent to the database when statements and documents are stored and asked for reads a table from end to end, or
// all that there is of an organization, and only rows that were looked up one by one are sorted.
func TestNothingScans(t *testing.T) {
	t.Parallel()
	dbtest.EachEngine(t, func(t *testing.T, e db.Engine) {
		d := dbtest.Connect(t, db.Options{URL: dbtest.URL(t, e), Conns: 1}) // which then has prepared all that is sent
		var stores []*lrs.Store
		for _, quota := range []int64{-1, lrs.GuestQuota} {
			s, _, _ := openKeeping(t, d, quota)
			stores = append(stores, s)
		}
		opened := plans(t, d, nil)
		for _, s := range stores {
			useAll(t, s)
		}
		fill(t, d, 1, 200)
		for text, p := range plans(t, d, opened) {
			for _, r := range p.readings { // which may become large before PostgreSQL looks at its size again
				if r.table == "activities" && !narrow(r.by) {
					t.Errorf("all of a small table of activities is read:\n%s\n%s", text, p.shown)
				}
			}
		}
		fill(t, d, 201, 4000)
		found := plans(t, d, opened)
		for text, p := range found {
			for _, wrong := range p.wrong() {
				t.Errorf("%s:\n%s\n%s", wrong, text, p.shown)
			}
		}
		if len(found) < 50 {
			t.Errorf("only %d queries were looked at: %v", len(found), slices.Sorted(maps.Keys(found)))
		}
	})
}

// fill adds rows from and to these numbers to the tables of PostgreSQL, so that one organization is much larger than the others,
// which are many: its planner counts on what is usual. SQLite's does not look.
func fill(t *testing.T, d *db.DB, from, to int) {
	t.Helper()
	if d.Engine() == db.SQLite {
		return
	}
	exec := func(text string) {
		t.Helper()
		must(t, d.Write(t.Context(), func(tx *db.Tx) error { return tx.Defer(t.Context(), text) }))
	}
	for table, values := range map[string]string{
		"statements (pos, id, actor, authority, registration, voids, voided, hash, index_keys, body":  "i, gen_random_uuid(), i, i, i, false, false, '', '', ''",
		"statement_postings (key, first, more":                                                        "i % 100, i, ''",
		"statement_inherited (key, pos, src":                                                          "i % 100, i, i",
		"statement_refs (target, pos":                                                                 "gen_random_uuid(), i",
		"activities (key, iri, definition":                                                            "i, '', convert_to(repeat('x', 1000), 'UTF8')",
		"attachments (pos, sha2, content_type, sha256, size":                                          "i, '', '', '', 0",
		"documents (space, registration, name, activity, agent, content_type, content, etag, updated": "int8send(i % 100), '', i, '', '', '', '', '', 0",
	} {
		exec(fmt.Sprintf("INSERT INTO %s, org_id) SELECT %s, CASE WHEN i %% 2 = 0 THEN 1000000 ELSE 1000000 + i END FROM generate_series(%d::bigint, %d) i", table, values, from, to))
	}
	exec("ANALYZE")
}

// plan is how an engine goes about a query.
type plan struct {
	shown    string
	readings []reading
	sorted   []string // by what the rows that are sorted were found
}

// reading is a table that is read.
type reading struct {
	table string
	by    string // conditions on an index that lead to the rows; none when all are read
}

// few are the tables that stay small, however much is stored.
var few = []string{"statement_index", "statement_guests", "record_usage", "pg_database"}

func (p *plan) wrong() (all []string) {
	for _, r := range p.readings {
		if !slices.Contains(few, r.table) && !narrow(r.by) {
			all = append(all, "all of "+r.table+" is read")
		}
	}
	for _, by := range p.sorted {
		if strings.ContainsAny(by, "<>") {
			all = append(all, "what is found by "+by+" is sorted")
		}
	}
	return all
}

// narrow tells whether conditions leave more out than what is another organization's.
func narrow(by string) bool {
	for one := range strings.SplitSeq(by, " AND ") {
		if one = strings.TrimLeft(one, "("); one != "" && !strings.HasPrefix(one, "org_id") {
			return true
		}
	}
	return false
}

var planned = regexp.MustCompile(`^\s*(SELECT|WITH|INSERT|UPDATE|DELETE)\b`)

// plans are those of all queries that were sent, but for known ones.
func plans(t *testing.T, d *db.DB, known map[string]*plan) map[string]*plan {
	t.Helper()
	found, show := map[string]*plan{}, postgresPlan
	look := func(tx *db.Tx) error {
		texts, err := tx.Prepared(t.Context())
		for _, text := range texts {
			if known[text] == nil && planned.MatchString(text) {
				found[text] = show(t, tx, text)
			}
		}
		return err
	}
	if d.Engine() == db.SQLite { // whose writer has a connection of its own
		show = litePlan
		must(t, d.Write(t.Context(), look))
	}
	must(t, d.Read(t.Context(), look))
	return found
}

var (
	liteReading = regexp.MustCompile(`^(?:SCAN|SEARCH) (\S+)(?:.* \((.*)\))?`)
	liteMade    = regexp.MustCompile(`^(?:CO-ROUTINE|MATERIALIZE|SCAN [0-9]+-ROW) (\S+)`) // what a query makes by itself, or brings
)

func litePlan(t *testing.T, tx *db.Tx, text string) *plan {
	t.Helper()
	var p plan
	made := []string{"CONSTANT", "n"} // what a Lookup is about
	err := tx.Each(t.Context(), "EXPLAIN QUERY PLAN "+text, make([]any, strings.Count(text, "?")), func(r *db.Rows) error {
		var id, parent, unused int
		var line string
		err := r.Scan(&id, &parent, &unused, &line)
		p.shown += line + "\n"
		if m := liteMade.FindStringSubmatch(line); m != nil {
			made = append(made, m[1])
		} else if m := liteReading.FindStringSubmatch(line); m != nil && !slices.Contains(made, m[1]) && line != "SEARCH "+m[1] { // max()
			p.readings = append(p.readings, reading{m[1], m[2]})
		} else if strings.HasPrefix(line, "USE TEMP B-TREE FOR") && strings.HasSuffix(line, "ORDER BY") {
			for _, r := range p.readings {
				p.sorted = append(p.sorted, r.by)
			}
		}
		return err
	})
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return &p
}

// node is a part of a plan of PostgreSQL's.
type node struct {
	Type    string `json:"Node Type"`
	Table   string `json:"Relation Name"`
	Index   string `json:"Index Cond"`
	Recheck string `json:"Recheck Cond"`
	Plans   []node
}

var parameter = regexp.MustCompile(`\$(\d+)`)

func postgresPlan(t *testing.T, tx *db.Tx, text string) *plan {
	t.Helper()
	most := 0
	for _, m := range parameter.FindAllStringSubmatch(text, -1) {
		n, _ := strconv.Atoi(m[1])
		most = max(most, n)
	}
	none := ""
	if most > 0 {
		none = "(NULL" + strings.Repeat(", NULL", most-1) + ")"
	}
	var shown []byte
	if _, err := tx.Exec(t.Context(), "PREPARE planned AS "+text); err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	if err := tx.Row(t.Context(), "EXPLAIN (FORMAT JSON) EXECUTE planned"+none).Scan(&shown); err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	if _, err := tx.Exec(t.Context(), "DEALLOCATE planned"); err != nil {
		t.Fatal(err)
	}
	var top []struct{ Plan node }
	if err := json.Unmarshal(shown, &top); err != nil {
		t.Fatalf("%s: %v", shown, err)
	}
	p := &plan{shown: string(shown)}
	for _, one := range top {
		p.add(one.Plan, false)
	}
	return p
}

func (p *plan) add(n node, sorted bool) {
	switch n.Type {
	case "Sort", "Incremental Sort":
		sorted = true
	case "Limit":
		sorted = false
	}
	if by := n.Index + n.Recheck; n.Table != "" && n.Type != "ModifyTable" {
		p.readings = append(p.readings, reading{n.Table, by})
		if sorted {
			p.sorted = append(p.sorted, by)
		}
	}
	for _, part := range n.Plans {
		p.add(part, sorted)
	}
}
