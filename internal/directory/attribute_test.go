package directory

import (
	"slices"
	"strings"
	"testing"

	"rollway/internal/db"
	"rollway/internal/db/dbtest"
	"rollway/internal/fault"
	"rollway/internal/fault/faulttest"
)

func TestDeclaringAttributes(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		dir := newDirectory(d)
		a := provision(t, dir, lms(), claims("a", "badge=007", "Team=x"))
		b := provision(t, dir, lms(), claims("b", "badge= 007", "Team=y"))
		_, err := dir.Declare(t.Context(), admin, "Badge", true)
		if f := faulttest.Want(t, err, fault.Conflict, "attribute_not_unique"); !strings.Contains(f.Message, "1 values are shared") || strings.Contains(f.Message, "007") {
			t.Errorf("%v", f)
		}
		provision(t, dir, lms(), claims("b", "badge=008"))
		for range 2 {
			if got, err := dir.Declare(t.Context(), admin, "Badge", true); err != nil || !got.Unique || got.Name != "Badge" {
				t.Fatalf("%+v, %v", got, err)
			}
		}
		if got, err := dir.Declare(t.Context(), admin, "BADGE", false); err != nil || !got.Unique || got.Name != "Badge" {
			t.Errorf("a unique attribute stays unique: %+v, %v", got, err)
		}
		// What was stored is found by it now, under the declared name; zeros in front count.
		if res := provision(t, dir, lms(), claims("c", "bADGE=007")); res.Outcome != Matched || res.Person.ID != a.Person.ID || res.Person.Attributes["Badge"] != Text("007") {
			t.Errorf("%+v", res)
		}
		if res := provision(t, dir, lms(), claims("d", "Badge=7")); res.Outcome != Created {
			t.Errorf("%+v", res)
		}
		number := claims("e")
		number.Attributes["Badge"] = Value{'0', "8"}
		if res := provision(t, dir, lms(), number); res.Outcome != Created || res.Person.ID == b.Person.ID {
			t.Errorf("%+v", res)
		}
		if _, err := dir.Declare(t.Context(), admin, "Team", false); err != nil {
			t.Fatal(err)
		}
		if res := provision(t, dir, lms(), claims("a", "TEAM=z")); res.Person.Attributes["Team"] != Text("z") || len(res.Person.Attributes) != 2 {
			t.Errorf("%+v", res)
		}
		_, err = dir.Provision(t.Context(), lms(), claims("a", "TEAM=z", "team=y"))
		faulttest.Want(t, err, fault.Invalid, "attribute_twice")
		_, err = dir.Provision(t.Context(), lms(), claims("a", "Badge="+strings.Repeat("x", MaxUniqueValue+1)))
		faulttest.Want(t, err, fault.Invalid, "unique_value_too_long")
		_, err = dir.Provision(t.Context(), lms(), claims("", "Team=z"))
		faulttest.Want(t, err, fault.Invalid, "no_identifier")
		byHand := claims("", "Team=z")
		byHand.Source = ByAdmin
		if res := provision(t, dir, admin, byHand); res.Outcome != Created {
			t.Errorf("%+v", res)
		}
		_, err = dir.Declare(t.Context(), lms(), "Other", false)
		faulttest.Want(t, err, fault.Forbidden, "scope_missing")
		_, err = dir.Declare(t.Context(), admin, " ", false)
		faulttest.Want(t, err, fault.Invalid, "invalid_attribute")

		list, err := dir.Attributes(t.Context(), lms())
		want := []Attribute{
			{Name: "Badge", Unique: true, Declared: true, Kinds: []string{"number", "string"}, People: 4},
			{Name: "Email", Unique: true, Declared: true},
			{Name: "Team", Declared: true, Kinds: []string{"string"}, People: 3},
		}
		if err != nil || !slices.EqualFunc(list, want, func(a, b Attribute) bool {
			return a.Name == b.Name && a.Unique == b.Unique && a.Declared == b.Declared && a.People == b.People && slices.Equal(a.Kinds, b.Kinds)
		}) {
			t.Errorf("%+v, %v", list, err)
		}
		consistent(t, d)
	})
}

func TestDeclaringRefusesTwoSpellingsOfOnePerson(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		dir := newDirectory(d)
		provision(t, dir, lms(), claims("a", "team=x", "Team=y"))
		_, err := dir.Declare(t.Context(), admin, "Team", false)
		if f := faulttest.Want(t, err, fault.Conflict, "attribute_not_unique"); !strings.Contains(f.Message, "1 people have it in two spellings") {
			t.Errorf("%v", f)
		}
	})
}

func TestLimitsOfAPerson(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		dir := newDirectory(d)
		full := claims("a", "Email=a@example.com")
		for i := range MaxAttributes - 1 {
			full.Attributes[string(rune('a'+i%26))+strings.Repeat("x", i/26)] = Text("v")
		}
		provision(t, dir, lms(), full)
		_, err := dir.Provision(t.Context(), lms(), claims("a", "One more=x"))
		faulttest.Want(t, err, fault.Invalid, "too_many_attributes")
		for i := range MaxAgents - 1 {
			provision(t, dir, lms(), claims("a"+strings.Repeat("x", i+1), "Email=a@example.com"))
		}
		_, err = dir.Provision(t.Context(), lms(), claims("b", "Email=a@example.com"))
		faulttest.Want(t, err, fault.Invalid, "too_many_agents")
		consistent(t, d)
	})
}
