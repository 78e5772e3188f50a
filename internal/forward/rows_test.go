package forward

import (
	"fmt"
	"strings"
	"testing"

	"rollway/internal/db"
	"rollway/internal/db/dbtest"
	"rollway/internal/id"
)

// A forward that was refused much is looked at once a second without any of that.
func TestPollingReadsNoRefusals(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		fw := id.New[id.ForwardID]()
		p := progress{refused: make([]Refusal, 3000)}
		for i := range p.refused {
			p.refused[i] = Refusal{Statement: id.New[id.StatementID](), Status: 400, Answer: strings.Repeat("no", 100)}
		}
		must(t, d.Write(t.Context(), func(tx *db.Tx) error { return p.write(t.Context(), tx, id.DefaultOrg, fw) }))
		if plan := planOf(t, d, oneText, int64(id.DefaultOrg), fw); strings.Contains(plan, "refusals") {
			t.Error(plan)
		}
		if plan := planOf(t, d, againText, int64(id.DefaultOrg), fw, 1); !strings.Contains(plan, "forward_refusals_again") {
			t.Error(plan)
		}
		again := p.refused[1234]
		again.Again = true
		p = progress{refused: []Refusal{again}}
		must(t, d.Write(t.Context(), func(tx *db.Tx) error { return p.write(t.Context(), tx, id.DefaultOrg, fw) }))
		must(t, d.Read(t.Context(), func(tx *db.Tx) error {
			list, err := refusals(t.Context(), tx, id.DefaultOrg, fw, againText, 10)
			if len(list) != 1 || list[0].Statement != again.Statement {
				t.Errorf("%+v", list)
			}
			return err
		}))
	})
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// planOf is how the engine goes about a query.
func planOf(t *testing.T, d *db.DB, query string, args ...any) (plan string) {
	t.Helper()
	explain := "EXPLAIN "
	if d.Engine() == db.SQLite {
		explain = "EXPLAIN QUERY PLAN "
	}
	must(t, d.Read(t.Context(), func(tx *db.Tx) error {
		return tx.Each(t.Context(), explain+query, args, func(r *db.Rows) error {
			var line string
			into := []any{&line}
			if d.Engine() == db.SQLite {
				var n int64
				into = []any{&n, &n, &n, &line}
			}
			err := r.Scan(into...)
			plan += fmt.Sprintln(line)
			return err
		})
	}))
	return plan
}
