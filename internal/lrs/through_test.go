package lrs_test

import (
	"testing"

	"rollway/internal/id"
	"rollway/internal/lrs"
	"rollway/xapi"
)

// What walks to the end of the store sees what was stored just before, however recently the end was looked for.
func TestExportSeesWhatWasJustStored(t *testing.T) {
	each(t, func(t *testing.T, s *lrs.Store) {
		c := operator()
		for i := range 200 {
			if _, err := s.ConsistentThrough(t.Context()); err != nil {
				t.Fatal(err)
			}
			if _, err := s.Put(t.Context(), c, xapi.V1, id.StatementID{}, []byte(simple(newID()).String())); err != nil {
				t.Fatal(err)
			}
			if got := len(export(t, s, c, lrs.Extent{})); got != i+1 {
				t.Fatalf("an export had %d statements after %d were stored", got, i+1)
			}
		}
	})
}
