package directory

import (
	"fmt"
	"sync"
	"testing"

	"rollway/internal/db"
	"rollway/internal/db/dbtest"
	"rollway/internal/fault"
	"rollway/internal/fault/faulttest"
	"rollway/internal/id"
	"rollway/xapi"
)

const racers = 50

// race calls fn from many goroutines at once and returns what it answered.
func race(t *testing.T, fn func(i int) (Result, error)) (results [racers]Result, errs [racers]error) {
	t.Helper()
	var wg sync.WaitGroup
	start := make(chan struct{})
	for i := range racers {
		wg.Go(func() {
			<-start
			results[i], errs[i] = fn(i)
		})
	}
	close(start)
	wg.Wait()
	return results, errs
}

// consistent checks what must hold of any directory, whatever happened.
func consistent(t testing.TB, d *db.DB) {
	t.Helper()
	for what, query := range map[string]string{
		"people without a primary agent":        `SELECT count(*) FROM people p WHERE NOT EXISTS (SELECT 1 FROM agents a WHERE a.org_id = p.org_id AND a.person_id = p.id AND a.position = 0)`,
		"agents of nobody":                      `SELECT count(*) FROM agents a WHERE NOT EXISTS (SELECT 1 FROM people p WHERE p.org_id = a.org_id AND p.id = a.person_id)`,
		"values of nobody":                      `SELECT count(*) FROM unique_values a WHERE NOT EXISTS (SELECT 1 FROM people p WHERE p.org_id = a.org_id AND p.id = a.person_id AND p.state <> 'pending')`,
		"people with two values of one":         `SELECT count(*) FROM (SELECT 1 AS one FROM unique_values GROUP BY org_id, person_id, attribute HAVING count(*) > 1) AS many`,
		"people whose decisions are incomplete": `SELECT count(*) FROM people p WHERE p.version <> (SELECT count(*) FROM decisions d WHERE d.org_id = p.org_id AND d.person_id = p.id)`,
		"people in no group":                    `SELECT count(*) FROM people p WHERE NOT EXISTS (SELECT 1 FROM group_members m WHERE m.org_id = p.org_id AND m.person_id = p.id)`,
		"trusted unique values that are not held": `SELECT count(*) FROM person_attributes a JOIN attributes d ON d.org_id = a.org_id AND d.name = a.name AND d.is_unique = ` + yes(d) + `
			JOIN people p ON p.org_id = a.org_id AND p.id = a.person_id AND p.state <> 'pending'
			WHERE a.trusted = ` + yes(d) + ` AND NOT EXISTS (SELECT 1 FROM unique_values u WHERE u.org_id = a.org_id AND u.person_id = a.person_id AND u.attribute = d.folded)`,
	} {
		var n int
		if err := d.Read(t.Context(), func(tx *db.Tx) error { return tx.Row(t.Context(), query).Scan(&n) }); err != nil || n != 0 {
			t.Errorf("%s: %d, %v", what, n, err)
		}
	}
}

func yes(d *db.DB) string {
	if d.Engine() == db.PostgreSQL {
		return "true"
	}
	return "1"
}

func TestRacingUpsertsMakeOnePerson(t *testing.T) {
	t.Parallel()
	for name, claim := range map[string]func(i int) Claims{
		"by the agent":      func(int) Claims { return claims("same", "Country=AU") },
		"by a unique value": func(i int) Claims { return claims(fmt.Sprint("agent", i), "Email=same@example.com") },
		"by the link": func(i int) Claims {
			return Claims{Source: ByAPI, Link: Link{"hr", "7"}, Name: fmt.Sprint("Name ", i%3)}
		},
		"without an agent":    func(i int) Claims { return claims("", "Email=Same@example.com", fmt.Sprintf("N=%d", i%2)) },
		"by one or the other": func(i int) Claims { return claims([]string{"same", "other"}[i%2], "Email=same@example.com") },
	} {
		t.Run(name, func(t *testing.T) {
			dbtest.Each(t, func(t *testing.T, d *db.DB) {
				dir := newDirectory(d)
				results, errs := race(t, func(i int) (Result, error) { return dir.Provision(t.Context(), lms(), claim(i)) })
				created := 0
				for i, res := range results {
					if errs[i] != nil {
						t.Errorf("%d: %v", i, errs[i])
					}
					if res.Outcome == Created {
						created++
					}
					if res.Person.ID != results[0].Person.ID || res.Primary.IFI != results[0].Primary.IFI {
						t.Errorf("%d: %v is another person than %v", i, res.Person.ID, results[0].Person.ID)
					}
				}
				if created != 1 || rows(t, d, "people") != 1 {
					t.Errorf("%d created, %d people", created, rows(t, d, "people"))
				}
				consistent(t, d)
			})
		})
	}
}

func TestRacingEditsOfOnePerson(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		dir := newDirectory(d)
		agents := []xapi.Agent{account("https://example.com", "a"), account("https://example.com", "b")}
		who := provision(t, dir, lms(), claims("a", "Email=0@example.com"))
		provision(t, dir, lms(), claims("b", "Email=0@example.com"))
		_, errs := race(t, func(i int) (Result, error) {
			if i%10 == 9 {
				_, err := dir.Suspend(t.Context(), admin, who.Person.ID.String())
				return Result{}, err
			}
			return dir.Provision(t.Context(), lms(), Claims{Source: ByAPI, Agent: agents[i%2], Attributes: map[string]Value{"Email": Text(fmt.Sprintf("%d@example.com", i))}})
		})
		for i, err := range errs {
			if err != nil {
				t.Errorf("%d: %v", i, err)
			}
		}
		if n := rows(t, d, "unique_values"); n != 1 {
			t.Errorf("one person holds %d addresses", n)
		}
		consistent(t, d)
	})
}

func TestRacingForOneValue(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		dir := newDirectory(d)
		for i := range racers {
			provision(t, dir, lms(), claims(fmt.Sprint(i)))
		}
		_, errs := race(t, func(i int) (Result, error) {
			return dir.Provision(t.Context(), lms(), claims(fmt.Sprint(i), "Email=wanted@example.com"))
		})
		won := 0
		for _, err := range errs {
			if err == nil {
				won++
				continue
			}
			faulttest.Want(t, err, fault.Conflict, "identity_conflict")
		}
		if won != 1 {
			t.Errorf("%d hold the address", won)
		}
		consistent(t, d)
	})
}

func TestDeclaringWhilePeopleArrive(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		dir := newDirectory(d)
		_, errs := race(t, func(i int) (Result, error) {
			if i == racers/2 {
				_, err := dir.Declare(t.Context(), admin, "Badge", true)
				return Result{}, err
			}
			return dir.Provision(t.Context(), lms(), claims(fmt.Sprint(i), fmt.Sprintf("badge=%d", i)))
		})
		for i, err := range errs {
			if err != nil {
				t.Errorf("%d: %v", i, err)
			}
		}
		if n := rows(t, d, "unique_values"); n != racers-1 {
			t.Errorf("%d badges are held, want %d", n, racers-1)
		}
		consistent(t, d)
		if p, err := dir.List(t.Context(), admin, ListOptions{}); err != nil || len(p) != racers-1 || p[0].Attributes["Badge"] == Null {
			t.Errorf("%v", err)
		}
	})
}

func TestBulkTransactionsKeepRefusalsAndGoOn(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		dir := newDirectory(d)
		provision(t, dir, lms(), claims("a", "Email=a@example.com"))
		provision(t, dir, lms(), claims("b", "Email=b@example.com"))
		var last *Result
		err := d.Write(t.Context(), func(tx *db.Tx) error {
			for i := range 5 {
				c := claims(fmt.Sprint("row", i), fmt.Sprintf("Email=row%d@example.com", i))
				if i == 2 {
					c = claims("a", "Email=b@example.com")
				}
				c.Source = ByFeed
				res, err := dir.ProvisionTx(t.Context(), tx, admin, c)
				if (err != nil) != (i == 2) {
					return fmt.Errorf("row %d: %w", i, err)
				}
				last = res
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		if last.Person.Number == 0 || last.Person.ID == (id.PersonID{}) {
			t.Errorf("%+v", last)
		}
		trace, err := dir.Why(t.Context(), admin, "a@example.com")
		if err != nil || len(trace.Decisions) != 2 || rows(t, d, "people") != 6 {
			t.Errorf("%+v, %v", trace, err)
		}
		consistent(t, d)
	})
}
