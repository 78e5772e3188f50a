package blob

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"rollway/internal/db"
)

// Names calls add with the hashes in a table that begin with a byte, for [Store.Collect]. The table has the columns org_id
// and sha256, and an index on these two.
func Names(ctx context.Context, d *db.DB, table string, first byte, add func(sum [32]byte)) error {
	// A few hashes of each organization: its number is looked up after the one before it.
	const query = `WITH RECURSIVE orgs(org_id) AS (
		SELECT min(org_id) FROM @ UNION ALL
		SELECT (SELECT min(t.org_id) FROM @ t WHERE t.org_id > orgs.org_id) FROM orgs WHERE orgs.org_id IS NOT NULL)
		SELECT t.sha256 FROM orgs JOIN @ t ON t.org_id = orgs.org_id WHERE t.sha256 >= ? AND t.sha256 <= ?`
	from := append([]byte{first}, make([]byte, 31)...)
	to := append([]byte{first}, slices.Repeat([]byte{0xff}, 31)...)
	return d.Read(ctx, func(tx *db.Tx) error {
		return tx.Each(ctx, strings.ReplaceAll(query, "@", table), []any{from, to}, func(r *db.Rows) error {
			var sum []byte
			if err := r.Scan(&sum); err != nil {
				return err
			}
			if len(sum) != 32 {
				return fmt.Errorf("a hash in %s has %d bytes", table, len(sum))
			}
			add([32]byte(sum))
			return nil
		})
	})
}
