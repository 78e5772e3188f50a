package directory

import (
	"testing"

	"rollway/internal/access"
	"rollway/internal/db"
	"rollway/internal/db/dbtest"
	"rollway/internal/fault"
	"rollway/internal/fault/faulttest"
	"rollway/internal/id"
)

// server is the caller of what sign-up does in an organization.
func server(org id.OrgID) access.Caller {
	return access.Caller{Org: org, Kind: access.System, Name: "sign-up", Scopes: access.Signup}
}

// An organization that is founded for a sign-up has its group and its pending person; when that is discarded nothing is left
// but the audit trail, and neither number is ever given again.
func TestFoundAndDiscard(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		dir := newDirectory(d)
		var numbers []int64
		var orgs []id.OrgID
		make := func() (o Organization, p Person) {
			t.Helper()
			err := d.Write(t.Context(), func(tx *db.Tx) (err error) {
				if o, err = dir.FoundTx(t.Context(), tx, server(id.DefaultOrg), "s-"+id.NewRandom[id.PersonID]().String(), "ada@example.org", "not managed fleet"); err != nil {
					return err
				}
				res, err := dir.ProvisionTx(t.Context(), tx, server(o.ID), Claims{Source: BySignup, Pending: true, Name: "Ada", Attributes: map[string]Value{"Email": Text("ada@example.org")}})
				if err == nil {
					err = tx.Flush(t.Context())
				}
				if err == nil {
					p = res.Person
				}
				return err
			})
			if err != nil {
				t.Fatal(err)
			}
			return o, p
		}
		before := map[string]int{}
		tables := []string{"organizations", "people", "agents", "attributes", "person_attributes", "groups", "group_members", "decisions", "decision_subjects", "unique_values"}
		for _, table := range tables {
			before[table] = rows(t, d, table)
		}
		for range 3 {
			o, p := make()
			groups, err := dir.Groups(t.Context(), access.CommandLine(o.ID), p.ID)
			if err != nil || len(groups) != 1 || groups[0].Name != "not managed fleet" || !groups[0].Default {
				t.Errorf("groups %+v %v", groups, err)
			}
			if named, err := dir.OrganizationByID(t.Context(), o.ID); err != nil || named.Name != "ada@example.org" {
				t.Errorf("%+v %v", named, err)
			}
			numbers, orgs = append(numbers, p.Number), append(orgs, o.ID)
			err = d.Write(t.Context(), func(tx *db.Tx) error {
				dissolved, err := dir.DissolveTx(t.Context(), tx, server(o.ID))
				if dissolved || err != nil {
					t.Errorf("an organization with people is dissolved: %v", err)
				}
				if err := dir.DiscardTx(t.Context(), tx, server(o.ID), p.ID); err != nil {
					return err
				}
				if dissolved, err = dir.DissolveTx(t.Context(), tx, server(o.ID)); !dissolved {
					t.Errorf("it is not dissolved")
				}
				return err
			})
			if err != nil {
				t.Fatal(err)
			}
			err = d.Write(t.Context(), func(tx *db.Tx) error {
				n, err := dir.ReserveNumberTx(t.Context(), tx)
				numbers = append(numbers, n)
				return err
			})
			if err != nil {
				t.Fatal(err)
			}
		}
		for i := range numbers[1:] {
			if numbers[i+1] <= numbers[i] {
				t.Errorf("numbers %v", numbers)
			}
		}
		if orgs[0] == orgs[1] || orgs[1] == orgs[2] || orgs[0] == id.DefaultOrg {
			t.Errorf("organizations %v", orgs)
		}
		for _, table := range tables {
			if n := rows(t, d, table); n != before[table] {
				t.Errorf("%s has %d rows, not %d", table, n, before[table])
			}
		}
	})
}

// Nobody who is confirmed is discarded, and only sign-up discards.
func TestDiscardOnlyPending(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		dir := newDirectory(d)
		p := provision(t, dir, lms(), claims("ann")).Person
		discard := func(c access.Caller, who id.PersonID) error {
			return d.Write(t.Context(), func(tx *db.Tx) error { return dir.DiscardTx(t.Context(), tx, c, who) })
		}
		faulttest.Want(t, discard(server(id.DefaultOrg), p.ID), fault.Conflict, "person_not_pending")
		faulttest.Want(t, discard(lms(), p.ID), fault.Forbidden, "scope_missing")
		faulttest.Want(t, discard(server(id.DefaultOrg), id.New[id.PersonID]()), fault.NotFound, "person_unknown")
		err := d.Write(t.Context(), func(tx *db.Tx) error {
			_, err := dir.DissolveTx(t.Context(), tx, server(id.DefaultOrg))
			return err
		})
		faulttest.Want(t, err, fault.Forbidden, "organization_default")
		err = d.Write(t.Context(), func(tx *db.Tx) error {
			_, err := dir.FoundTx(t.Context(), tx, access.Caller{Org: id.DefaultOrg, Kind: access.ServiceAccount, Scopes: access.Admin}, "x", "X", "Y")
			return err
		})
		faulttest.Want(t, err, fault.Forbidden, "operator_only")
	})
}
