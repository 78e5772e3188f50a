package content

import (
	"context"
	"errors"
	"fmt"

	"rollway/internal/blob"
	"rollway/internal/db"
	"rollway/internal/id"
)

// lockOrg makes the writers of an organization's content take turns.
func lockOrg(ctx context.Context, tx *db.Tx, org id.OrgID) error {
	return tx.Lock(ctx, fmt.Sprintf("content %d", org))
}

const contentColumns = "activity, kind, package_id, launch, url, title, created"

func (c *Content) columns() []any {
	return []any{&c.Activity, &c.Kind, &c.Package, &c.Launch, &c.URL, &c.Title, &c.Created}
}

func readContent(ctx context.Context, tx *db.Tx, org id.OrgID, activity string) (c Content, err error) {
	err = tx.Row(ctx, "SELECT "+contentColumns+" FROM contents WHERE org_id = ? AND activity = ?", org, activity).Scan(c.columns()...)
	return c, err
}

func readContents(ctx context.Context, tx *db.Tx, org id.OrgID, after string, limit int) (list []Content, err error) {
	err = tx.Each(ctx, "SELECT "+contentColumns+" FROM contents WHERE org_id = ? AND activity > ? ORDER BY activity LIMIT ?", []any{org, after, limit}, func(r *db.Rows) error {
		var c Content
		err := r.Scan(c.columns()...)
		list = append(list, c)
		return err
	})
	return list, err
}

func writeContent(ctx context.Context, tx *db.Tx, org id.OrgID, c Content) error {
	return tx.Defer(ctx, "INSERT INTO contents (org_id, "+contentColumns+") VALUES (?, ?, ?, ?, ?, ?, ?, ?) "+
		"ON CONFLICT (org_id, activity) DO UPDATE SET kind = excluded.kind, package_id = excluded.package_id, launch = excluded.launch, url = excluded.url, title = excluded.title",
		org, c.Activity, string(c.Kind), c.Package, c.Launch, c.URL, c.Title, c.Created)
}

func deleteContent(ctx context.Context, tx *db.Tx, org id.OrgID, activity string) error {
	return tx.Defer(ctx, "DELETE FROM contents WHERE org_id = ? AND activity = ?", org, activity)
}

func countLinks(ctx context.Context, tx *db.Tx, org id.OrgID) (n int64, err error) {
	err = tx.Row(ctx, "SELECT count(*) FROM contents WHERE org_id = ? AND kind = 'link'", org).Scan(&n)
	return n, err
}

// usage is how much of its quota an organization's packages take.
func usage(ctx context.Context, tx *db.Tx, org id.OrgID) (packages, bytes int64, err error) {
	err = tx.Row(ctx, "SELECT count(*), CAST(coalesce(sum(bytes), 0) AS bigint) FROM packages WHERE org_id = ?", org).Scan(&packages, &bytes)
	return packages, bytes, err
}

// findPackage returns the package with these very files; zero if there is none.
func findPackage(ctx context.Context, tx *db.Tx, org id.OrgID, digest []byte) (pkg id.PackageID, err error) {
	err = tx.Row(ctx, "SELECT id FROM packages WHERE org_id = ? AND digest = ?", org, digest).Scan(&pkg)
	if errors.Is(err, db.ErrNoRows) {
		return pkg, nil
	}
	return pkg, err
}

var insertFiles = db.NewBulk("package_files", "",
	db.Column{Name: "org_id", Type: "bigint"}, db.Column{Name: "package_id", Type: "uuid"}, db.Column{Name: "path", Type: "text"},
	db.Column{Name: "sha256", Type: "bytea"}, db.Column{Name: "size", Type: "bigint"})

func insertPackage(ctx context.Context, tx *db.Tx, org id.OrgID, u *upload) error {
	if err := tx.Defer(ctx, "INSERT INTO packages (org_id, id, activity, digest, files, bytes, created) VALUES (?, ?, ?, ?, ?, ?, ?)",
		org, u.id, u.activity, u.digest, len(u.files), u.bytes, tx.Now()); err != nil {
		return err
	}
	rows := make([][]any, len(u.files))
	for i, f := range u.files {
		rows[i] = []any{int64(org), u.id, f.Path, u.sums[i][:], f.Size}
	}
	return insertFiles.Insert(ctx, tx, rows)
}

// NamedBlobs calls add with the hash of each blob that a package's file names and that begins with a byte.
func (c *Catalogue) NamedBlobs(ctx context.Context, first byte, add func(sum [32]byte)) error {
	return blob.Names(ctx, c.db, "package_files", first, add)
}

func readFileRow(ctx context.Context, tx *db.Tx, k fileKey) (f fileRow, err error) {
	var sum []byte
	if err := tx.Row(ctx, "SELECT sha256, size FROM package_files WHERE org_id = ? AND package_id = ? AND path = ?", k.org, k.pkg, k.path).Scan(&sum, &f.size); err != nil {
		return f, err
	}
	if copy(f.sum[:], sum) != len(f.sum) {
		return f, fmt.Errorf("the hash of %q in package %v has %d bytes", k.path, k.pkg, len(sum))
	}
	return f, nil
}
