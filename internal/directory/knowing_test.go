package directory

import (
	"slices"
	"testing"

	"rollway/internal/access"
	"rollway/internal/db"
	"rollway/internal/db/dbtest"
	"rollway/internal/fault"
	"rollway/internal/fault/faulttest"
)

// Organizations are found by whom they know, and by what they decided about somebody they do not know.
func TestKnowing(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		dir := newDirectory(d)
		acme, err := dir.CreateOrganization(t.Context(), admin, "acme", "Acme")
		if err != nil {
			t.Fatal(err)
		}
		there := access.CommandLine(acme.ID)
		bob := provision(t, dir, there, claims("bob", "Email=bob@example.com")).Person.ID.String()
		provision(t, dir, admin, claims("ada", "Email=ada@example.com"))
		provision(t, dir, there, claims("ada", "Email=ada@example.com"))
		if _, err := dir.Provision(t.Context(), access.Caller{Org: acme.ID, Kind: access.ServiceAccount, Name: "weak", Scopes: access.PeopleWrite}, claims("eve", "Email=bob@example.com")); err == nil {
			t.Error("a caller that may match nobody matched somebody")
		}
		slugs := func(list []Organization, err error) (out []string) {
			if err != nil {
				t.Error(err)
			}
			for _, o := range list {
				out = append(out, o.Slug)
			}
			return out
		}
		for _, c := range []struct {
			ref             string
			knows, decision []string
		}{
			{bob, []string{"acme"}, []string{"acme"}},
			{"bob@example.com", []string{"acme"}, []string{"acme"}},
			{"https://example.com|bob", []string{"acme"}, []string{"acme"}},
			{"ADA@example.com", []string{"default", "acme"}, []string{"default", "acme"}},
			{"https://example.com|eve", nil, []string{"acme"}},
			{"nobody@example.com", nil, nil},
		} {
			if got := slugs(dir.Knowing(t.Context(), admin, c.ref)); !slices.Equal(got, c.knows) {
				t.Errorf("%s is known in %v, not %v", c.ref, got, c.knows)
			}
			if got := slugs(dir.Deciding(t.Context(), admin, c.ref)); !slices.Equal(got, c.decision) {
				t.Errorf("%s was decided about in %v, not %v", c.ref, got, c.decision)
			}
		}
		all, err := dir.Organizations(t.Context(), admin)
		if got := slugs(all, err); !slices.Equal(got, []string{"default", "acme"}) || all[0].People != 1 || all[1].People != 2 || all[1].Name != "Acme" || all[1].Created.IsZero() {
			t.Errorf("%+v", all)
		}
		_, err = dir.Knowing(t.Context(), admin, "nonsense")
		faulttest.Want(t, err, fault.Invalid, "unknown_reference")
		_, err = dir.Deciding(t.Context(), lms(), bob)
		faulttest.Want(t, err, fault.Forbidden, "operator_only")
	})
}
