package content

import (
	"cmp"
	"context"
	"crypto/sha256"
	"io"
	"net/url"
	"strings"

	"golang.org/x/sync/errgroup"

	"rollway/internal/access"
	"rollway/internal/db"
	"rollway/internal/id"
	"rollway/xapi"
)

// upload is a package on its way into the catalogue.
type upload struct {
	id       id.PackageID
	activity string
	files    []PackageFile
	sums     [][32]byte // SHA-256 of each file
	bytes    int64
	digest   []byte
}

// Add takes a package in: a zip of the given size in bytes. Its activity then launches it, whatever that launched before;
// launches of a version that it replaces go on with the files they began with. A zip with the files of a package that is
// there already adds none, but repairs files that were damaged meanwhile.
//
// The files are stored first and named by rows in one transaction at the end, so that an import which breaks off at any
// point leaves nothing that can be seen, and may be repeated.
//
// Faults: Forbidden without the scope content:write, those of OpenZip and ReadPackage, TooLarge (quota_packages,
// quota_bytes).
func (c *Catalogue) Add(ctx context.Context, caller access.Caller, zip io.ReaderAt, size int64) (Content, error) {
	if err := caller.Require(access.ContentWrite); err != nil {
		return Content{}, err
	}
	z, err := OpenZip(zip, size, c.Limits)
	if err != nil {
		return Content{}, err
	}
	p, err := ReadPackage(z, Options{})
	if err != nil {
		return Content{}, err
	}
	u := &upload{id: id.New[id.PackageID](), activity: string(p.Manifest.Activity.ID), files: p.Files, sums: make([][32]byte, len(p.Files))}
	for _, f := range p.Files {
		u.bytes += f.Size
	}
	// Before anything is stored, so that refused uploads cannot fill the disk.
	if err := c.db.Read(ctx, func(tx *db.Tx) error { return c.checkQuota(ctx, tx, caller.Org, u) }); err != nil {
		return Content{}, err
	}
	if err := c.store(ctx, u); err != nil {
		return Content{}, err
	}
	var added Content
	err = c.db.Write(ctx, func(tx *db.Tx) (err error) {
		added, err = c.record(ctx, tx, caller, u, content(p.Manifest), len(p.Dropped))
		return err
	})
	return added, err
}

// content makes of a manifest what its activity launches, but for the package. Of several languages it takes the one that
// the manifest leaves undetermined, or else the first.
func content(m *Manifest) Content {
	tags := make([]string, len(m.Launches))
	for i, l := range m.Launches {
		tags[i] = l.Lang
	}
	l := m.Launches[xapi.Languages(nil).Pick(tags)]
	title := m.Activity.Name.Pick(xapi.Languages{l.Lang})
	return Content{Activity: string(m.Activity.ID), Kind: XAPI, Launch: l.address(), Title: clip(cmp.Or(title, string(m.Activity.ID)), maxTitle)}
}

// address is the launch address of a file of the package as it stands in a URL.
func (l Launch) address() string {
	parts := strings.Split(l.Path, "/")
	for i, p := range parts {
		parts[i] = url.PathEscape(p)
	}
	address := strings.Join(parts, "/")
	if l.Query != "" {
		address += "?" + l.Query
	}
	if l.Fragment != "" {
		address += "#" + l.Fragment
	}
	return address
}

// putsAtOnce is how many files are stored at the same time: while one waits for the disk, others inflate.
const putsAtOnce = 4

// store puts the files into the blob store and notes what they hash to. Small packages often hold thousands of files.
func (c *Catalogue) store(ctx context.Context, u *upload) error {
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(putsAtOnce)
	for i, f := range u.files {
		if ctx.Err() != nil {
			break
		}
		group.Go(func() error {
			ref, err := c.blobs.Put(ctx, f.Open())
			u.sums[i] = ref.SHA256
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return err
	}
	h := sha256.New()
	for i, f := range u.files {
		h.Write(append(append([]byte(f.Path), 0), u.sums[i][:]...))
	}
	u.digest = h.Sum(nil)
	return nil
}

func (c *Catalogue) checkQuota(ctx context.Context, tx *db.Tx, org id.OrgID, u *upload) error {
	packages, bytes, err := usage(ctx, tx, org)
	most := c.quota(org)
	switch {
	case err != nil:
		return err
	case packages >= most.Packages:
		return tooLarge("quota_packages", "There are already {n} packages, which is as many as may be kept.", "n", packages)
	case u.bytes > most.Bytes-bytes:
		return tooLarge("quota_bytes", "With this package, the files of all packages would exceed the {n} MB that may be kept.", "n", most.Bytes/mib)
	}
	return nil
}

// record writes the rows that make the stored files a package and the package the activity's content.
func (c *Catalogue) record(ctx context.Context, tx *db.Tx, caller access.Caller, u *upload, wanted Content, dropped int) (Content, error) {
	if err := lockOrg(ctx, tx, caller.Org); err != nil {
		return Content{}, err
	}
	there, err := findPackage(ctx, tx, caller.Org, u.digest)
	if err != nil {
		return Content{}, err
	}
	if wanted.Package = there; there.IsZero() {
		wanted.Package = u.id
		if err := c.checkQuota(ctx, tx, caller.Org, u); err != nil {
			return Content{}, err
		}
		if err := insertPackage(ctx, tx, caller.Org, u); err != nil {
			return Content{}, err
		}
	}
	return c.put(ctx, tx, caller, wanted, map[string]any{"files": len(u.files), "bytes": u.bytes, "dropped": dropped})
}
