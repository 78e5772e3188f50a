package directory

import (
	"strings"
	"testing"

	"rollway/internal/access"
	"rollway/internal/db"
	"rollway/internal/fault"
	"rollway/internal/id"
	"rollway/xapi"
)

const publicURL = "https://learn.example.org"

var admin = access.CommandLine(id.DefaultOrg)

// lms is a service account that may write and match people.
func lms(homePages ...string) access.Caller {
	return access.Caller{Org: id.DefaultOrg, Kind: access.ServiceAccount, Name: "service account lms",
		Scopes: access.PeopleRead | access.PeopleWrite | access.PeopleMatch, HomePages: homePages}
}

func newDirectory(d *db.DB) *Directory { return New(d, access.NewChanges(d), publicURL) }

func account(homePage, name string) xapi.Agent {
	i, err := xapi.ParseAccount(homePage, name)
	if err != nil {
		panic(err)
	}
	return xapi.Agent{IFI: i}
}

func mbox(address string) xapi.Agent {
	i, err := xapi.ParseMbox("mailto:" + address)
	if err != nil {
		panic(err)
	}
	return xapi.Agent{IFI: i}
}

func claims(name string, attributes ...string) Claims {
	c := Claims{Source: ByAPI, Attributes: map[string]Value{}}
	if name != "" {
		c.Agent = account("https://example.com", name)
	}
	for _, a := range attributes {
		key, value, _ := strings.Cut(a, "=")
		c.Attributes[key] = Text(value)
	}
	return c
}

func provision(t testing.TB, dir *Directory, caller access.Caller, c Claims) Result {
	t.Helper()
	res, err := dir.Provision(t.Context(), caller, c)
	if err != nil {
		t.Fatalf("provision: %v", err)
	}
	return res
}

func rows(t testing.TB, d *db.DB, table string) (n int) {
	t.Helper()
	err := d.Read(t.Context(), func(tx *db.Tx) error { return tx.Row(t.Context(), "SELECT count(*) FROM "+table).Scan(&n) })
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// contents counts the rows of everything the gate writes but the trace.
func contents(t testing.TB, d *db.DB) (out [6]int) {
	t.Helper()
	err := d.Read(t.Context(), func(tx *db.Tx) error {
		return tx.Row(t.Context(), `SELECT (SELECT count(*) FROM people), (SELECT count(*) FROM agents), (SELECT count(*) FROM links),
			(SELECT count(*) FROM person_attributes), (SELECT count(*) FROM unique_values), (SELECT count(*) FROM audit_entries)`).
			Scan(&out[0], &out[1], &out[2], &out[3], &out[4], &out[5])
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func grant(t testing.TB, d *db.DB, p id.PersonID) {
	t.Helper()
	err := d.Write(t.Context(), func(tx *db.Tx) error {
		return tx.Defer(t.Context(), "INSERT INTO grants (org_id, person_id, scope, created) VALUES (?, ?, 'admin', 0)", id.DefaultOrg, p)
	})
	if err != nil {
		t.Fatal(err)
	}
}

func fieldNames(f *fault.Error) string {
	var names []string
	for _, x := range f.Fields {
		names = append(names, x.Name)
	}
	return strings.Join(names, " ")
}
