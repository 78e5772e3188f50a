package app

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"rollway/internal/db"
	"rollway/internal/db/dbtest"
	"rollway/internal/fault"
	"rollway/internal/lrs"
)

// Whoever mistook the address of a database makes no house in it, of which another program may be the owner.
func TestNoHouseInADatabase(t *testing.T) {
	eachEngine(t, func(t *testing.T, e db.Engine) {
		c := Config{Data: filepath.Join(t.TempDir(), "data"), DB: dbtest.URL(t, e), Existing: true}
		if e == db.SQLite {
			if err := os.WriteFile(c.DB, nil, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		d, err := db.Open(t.Context(), db.Options{URL: c.DB})
		if err != nil {
			t.Fatal(err)
		}
		defer d.Close()
		if e == db.PostgreSQL {
			for _, text := range []string{"DROP SCHEMA public CASCADE", "CREATE SCHEMA public"} {
				err := d.Write(t.Context(), func(tx *db.Tx) error {
					_, err := tx.Exec(t.Context(), text)
					return err
				})
				if err != nil {
					t.Fatal(err)
				}
			}
		}
		if h, err := Open(t.Context(), c); fault.Of(err).Code != "no_house" {
			t.Errorf("%v, %v", h, err)
		}
		if _, err := os.Stat(c.Data); !errors.Is(err, fs.ErrNotExist) {
			t.Error(err)
		}
		steps, err := d.MigrationStatus(t.Context())
		if err != nil || !steps[0].Applied.IsZero() {
			t.Errorf("%+v, %v", steps, err)
		}
	})
}

// A quota of however many MB is no smaller one.
func TestGuestQuota(t *testing.T) {
	t.Parallel()
	for mb, want := range map[int]int64{-1: -1, 0: lrs.GuestQuota, 1: 1 << 20, 1 << 43: -1, 1 << 44: -1, 1<<63 - 1: -1} {
		if got := (Config{SignupConfig: SignupConfig{Quota: mb}}).guestQuota(); got != want {
			t.Errorf("%d MB are %d bytes, not %d", mb, got, want)
		}
	}
}
