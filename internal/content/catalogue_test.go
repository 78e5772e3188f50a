package content

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"rollway/internal/access"
	"rollway/internal/blob"
	"rollway/internal/content/sample"
	"rollway/internal/db"
	"rollway/internal/db/dbtest"
	"rollway/internal/fault"
	"rollway/internal/id"
)

var operator = access.CommandLine(id.DefaultOrg)

// house is a catalogue with what is below it.
type house struct {
	*Catalogue
	db    *db.DB
	blobs string // directory
}

func open(t *testing.T, d *db.DB, dir string) *house {
	t.Helper()
	blobs, err := blob.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	return &house{NewCatalogue(d, blobs, access.NewChanges(d)), d, dir}
}

func eachEngine(t *testing.T, fn func(t *testing.T, h *house)) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) { fn(t, open(t, d, filepath.Join(t.TempDir(), "blobs"))) })
}

func (h *house) add(t *testing.T, caller access.Caller, z zipFile) (Content, error) {
	t.Helper()
	b := z.bytes(t)
	return h.Add(t.Context(), caller, bytes.NewReader(b), int64(len(b)))
}

func (h *house) mustAdd(t *testing.T, z zipFile) Content {
	t.Helper()
	c, err := h.add(t, operator, z)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func (h *house) read(t *testing.T, pkg id.PackageID, path string) (string, Served) {
	t.Helper()
	f, err := h.File(t.Context(), id.DefaultOrg, pkg, path)
	if err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	defer f.Body.Close()
	b, err := io.ReadAll(f.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(b), f
}

func (h *house) count(t *testing.T, table string) (n int) {
	t.Helper()
	if err := h.db.Read(t.Context(), func(tx *db.Tx) error {
		return tx.Row(t.Context(), "SELECT count(*) FROM "+table).Scan(&n)
	}); err != nil {
		t.Fatal(err)
	}
	return n
}

const courseID = "urn:example:course" // of course in tincan_test.go

func version(text string) zipFile {
	return files("tincan.xml", course(`<name lang="en">A course</name><launch lang="en">start here.html?a=b#top</launch>`),
		"start here.html", text, "js/a.js", "A", "js/b.js", "A", "data.bin", "\x00")
}

func TestAddAndServe(t *testing.T) {
	eachEngine(t, func(t *testing.T, h *house) {
		c := h.mustAdd(t, version("one"))
		want := Content{Activity: courseID, Kind: XAPI, Package: c.Package, Launch: "start%20here.html?a=b#top", Title: "A course", Created: c.Created}
		if c != want || c.Package.IsZero() || c.Created.IsZero() {
			t.Fatalf("%+v", c)
		}
		for range 2 {
			if found, err := h.Find(t.Context(), id.DefaultOrg, courseID); err != nil || found != c {
				t.Fatalf("%+v, %v", found, err)
			}
		}
		for range 2 {
			if text, f := h.read(t, c.Package, "start here.html"); text != "one" || f.MediaType != "text/html" || f.Download || f.Size != 3 {
				t.Fatalf("%q %+v", text, f)
			}
		}
		_, a := h.read(t, c.Package, "js/a.js")
		_, b := h.read(t, c.Package, "js/b.js")
		if a.SHA256 != b.SHA256 {
			t.Error("equal files have different hashes")
		}
		if _, f := h.read(t, c.Package, "data.bin"); !f.Download || f.MediaType != "application/octet-stream" {
			t.Errorf("%+v", f)
		}
		trail, err := access.Trail(t.Context(), h.db, operator, id.EntryID{}, 10)
		if err != nil || len(trail) != 1 || trail[0].Action != "content.add" || trail[0].Subject != "activity "+courseID || !strings.Contains(trail[0].Detail, c.Package.String()) {
			t.Fatalf("%+v, %v", trail, err)
		}
	})
}

func TestTheSampleCourse(t *testing.T) {
	eachEngine(t, func(t *testing.T, h *house) {
		z, err := sample.Zip()
		if err != nil {
			t.Fatal(err)
		}
		c, err := h.Add(t.Context(), operator, bytes.NewReader(z), int64(len(z)))
		if err != nil || c.Activity != sample.ActivityID || c.Title != sample.Title {
			t.Fatalf("%+v, %v", c, err)
		}
		if text, _ := h.read(t, c.Package, c.Launch); !strings.Contains(text, "<html") {
			t.Fatalf("%.100q", text)
		}
	})
}

func TestFileRefuses(t *testing.T) {
	eachEngine(t, func(t *testing.T, h *house) {
		c := h.mustAdd(t, version("one"))
		for _, path := range []string{"", "/", "nothing.html", "js", "js/", "js/../js/a.js", "./js/a.js", "js//a.js", "/js/a.js", "js\\a.js", "JS/a.js", "js/a.js\x00", "\xff",
			"start%20here.html", "../../../../etc/passwd"} {
			if _, err := h.File(t.Context(), id.DefaultOrg, c.Package, path); code(err) != "no_such_file" {
				t.Errorf("%q: %v", path, err)
			}
		}
		if _, err := h.File(t.Context(), 2, c.Package, "js/a.js"); code(err) != "no_such_file" {
			t.Errorf("another organization: %v", err)
		}
		if _, err := h.File(t.Context(), id.DefaultOrg, id.New[id.PackageID](), "js/a.js"); code(err) != "no_such_file" {
			t.Errorf("another package: %v", err)
		}
	})
}

func TestFileIsFoundInAnyUnicodeForm(t *testing.T) {
	eachEngine(t, func(t *testing.T, h *house) {
		c := h.mustAdd(t, files("tincan.xml", course(`<launch>index.html</launch>`), "index.html", "I", "u\u0308ber.html", "U"))
		for _, path := range []string{"u\u0308ber.html", "\u00fcber.html"} {
			if text, _ := h.read(t, c.Package, path); text != "U" {
				t.Errorf("%q: %q", path, text)
			}
		}
	})
}

func TestDamagedFilesAreNotServedAndAreRepaired(t *testing.T) {
	eachEngine(t, func(t *testing.T, h *house) {
		c := h.mustAdd(t, version("some text"))
		_, f := h.read(t, c.Package, "start here.html")
		name := fmt.Sprintf("%x", f.SHA256)
		place := filepath.Join(h.blobs, name[:2], name[2:])
		for damage, do := range map[string]func() error{
			"cut short": func() error { return os.Truncate(place, 4) },
			"gone":      func() error { return os.Remove(place) },
		} {
			if err := do(); err != nil {
				t.Fatal(err)
			}
			if _, err := h.File(t.Context(), id.DefaultOrg, c.Package, "start here.html"); err == nil || fault.Of(err).Kind != fault.Internal {
				t.Errorf("%s: %v", damage, err)
			}
			if again := h.mustAdd(t, version("some text")); again != c {
				t.Errorf("%s: added again as %+v", damage, again)
			}
			if text, _ := h.read(t, c.Package, "start here.html"); text != "some text" {
				t.Errorf("%s: %q", damage, text)
			}
		}
	})
}

func TestVersions(t *testing.T) {
	eachEngine(t, func(t *testing.T, h *house) {
		one := h.mustAdd(t, version("one"))
		if again := h.mustAdd(t, version("one")); again != one {
			t.Fatalf("the same again: %+v", again)
		}
		two := h.mustAdd(t, version("two"))
		if two.Package == one.Package || two.Created != one.Created {
			t.Fatalf("another version: %+v after %+v", two, one)
		}
		if found, err := h.Find(t.Context(), id.DefaultOrg, courseID); err != nil || found != two {
			t.Fatalf("%+v, %v", found, err)
		}
		for pkg, want := range map[id.PackageID]string{one.Package: "one", two.Package: "two"} {
			if text, _ := h.read(t, pkg, "start here.html"); text != want {
				t.Errorf("%q, want %q", text, want)
			}
		}
		if back := h.mustAdd(t, version("one")); back != one {
			t.Fatalf("the first again: %+v", back)
		}
		if found, err := h.Find(t.Context(), id.DefaultOrg, courseID); err != nil || found != one {
			t.Fatalf("%+v, %v", found, err)
		}
		if n := h.count(t, "packages"); n != 2 {
			t.Errorf("%d packages", n)
		}
		if n := h.count(t, "audit_entries"); n != 3 {
			t.Errorf("%d audit entries", n)
		}
	})
}

func TestOrganizationsDoNotShare(t *testing.T) {
	eachEngine(t, func(t *testing.T, h *house) {
		mine := h.mustAdd(t, version("one"))
		if _, err := h.Find(t.Context(), 2, courseID); code(err) != "activity_unknown" {
			t.Fatal(err)
		}
		theirs, err := h.add(t, access.CommandLine(2), version("one"))
		if err != nil || theirs.Package == mine.Package {
			t.Fatalf("%+v, %v", theirs, err)
		}
	})
}

func TestEqualAddsAtOnce(t *testing.T) {
	eachEngine(t, func(t *testing.T, h *house) {
		b := version("one").bytes(t)
		got := make([]Content, 8)
		var wg sync.WaitGroup
		for i := range got {
			wg.Go(func() {
				var err error
				if got[i], err = h.Add(t.Context(), operator, bytes.NewReader(b), int64(len(b))); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		for _, c := range got {
			if c != got[0] {
				t.Errorf("%+v and %+v", c, got[0])
			}
		}
		if n := h.count(t, "packages"); n != 1 {
			t.Errorf("%d packages", n)
		}
	})
}

// brokenReader fails, or does something else, when a file whose bytes begin at a place is unpacked.
type brokenReader struct {
	io.ReaderAt
	at int64
	do func() error
}

func (r brokenReader) ReadAt(p []byte, off int64) (int, error) {
	if off == r.at {
		if err := r.do(); err != nil {
			return 0, err
		}
	}
	return r.ReaderAt.ReadAt(p, off)
}

func TestHalfAnImportLeavesNothing(t *testing.T) {
	eachEngine(t, func(t *testing.T, h *house) {
		before := h.mustAdd(t, version("one"))
		good := version("two")
		good.entries = append(good.entries, zipEntry{name: "last.txt", content: "the last"})
		bad := version("two")
		bad.entries = append(bad.entries, zipEntry{name: "last.txt", content: "the last", central: put32(16, 7), local: put32(14, 7)})
		b := good.bytes(t)
		last := int64(bytes.Index(b, []byte("the last")))
		ctx, cancel := context.WithCancel(t.Context())
		upload := errors.New("the upload cannot be read")
		for name, broken := range map[string]struct {
			ctx  context.Context
			zip  io.ReaderAt
			want func(error) bool
		}{
			"damaged file":    {t.Context(), bytes.NewReader(bad.bytes(t)), func(err error) bool { return code(err) == "zip_checksum" }},
			"upload fails":    {t.Context(), brokenReader{bytes.NewReader(b), last, func() error { return upload }}, func(err error) bool { return errors.Is(err, upload) }},
			"caller is gone":  {ctx, brokenReader{bytes.NewReader(b), last, func() error { cancel(); return nil }}, func(err error) bool { return errors.Is(err, context.Canceled) }},
			"refused by rows": {t.Context(), bytes.NewReader(b), func(err error) bool { return err != nil }},
		} {
			if name == "refused by rows" { // the last write of the transaction fails, after the package and its files
				h.rename(t, "audit_entries", "hidden")
			}
			_, err := h.Add(broken.ctx, operator, broken.zip, int64(len(b)))
			if name == "refused by rows" {
				h.rename(t, "hidden", "audit_entries")
			}
			if !broken.want(err) {
				t.Errorf("%s: %v", name, err)
			}
			if n := h.count(t, "packages"); n != 1 {
				t.Errorf("%s: %d packages", name, n)
			}
			if n := h.count(t, "package_files"); n != 5 {
				t.Errorf("%s: %d files", name, n)
			}
			again := open(t, h.db, h.blobs) // which remembers nothing, as after a crash
			if found, err := again.Find(t.Context(), id.DefaultOrg, courseID); err != nil || found != before {
				t.Errorf("%s: %+v, %v", name, found, err)
			}
		}
		again := open(t, h.db, h.blobs)
		c := again.mustAdd(t, good)
		if text, _ := again.read(t, c.Package, "last.txt"); text != "the last" {
			t.Errorf("%q", text)
		}
	})
}

func TestTheDatabaseGoesAwayInTheMiddle(t *testing.T) {
	t.Parallel()
	dbtest.EachEngine(t, func(t *testing.T, e db.Engine) {
		address, dir := dbtest.URL(t, e), filepath.Join(t.TempDir(), "blobs")
		connect := func() *db.DB {
			d, err := db.Open(t.Context(), db.Options{URL: address})
			if err != nil {
				t.Fatal(err)
			}
			if _, err := d.Migrate(t.Context()); err != nil {
				t.Fatal(err)
			}
			return d
		}
		d := connect()
		b := version("one").bytes(t)
		var once sync.Once
		zip := brokenReader{bytes.NewReader(b), int64(bytes.Index(b, []byte("one"))), func() error {
			once.Do(func() {
				if err := d.Close(); err != nil {
					t.Error(err)
				}
			})
			return nil
		}}
		if c, err := open(t, d, dir).Add(t.Context(), operator, zip, int64(len(b))); err == nil {
			t.Fatalf("added %+v without a database", c)
		}
		d = connect()
		defer func() {
			if err := d.Close(); err != nil {
				t.Error(err)
			}
		}()
		h := open(t, d, dir)
		if _, err := h.Find(t.Context(), id.DefaultOrg, courseID); code(err) != "activity_unknown" {
			t.Errorf("%v", err)
		}
		c := h.mustAdd(t, version("one"))
		if text, _ := h.read(t, c.Package, "start here.html"); text != "one" {
			t.Errorf("%q", text)
		}
	})
}

func (h *house) rename(t *testing.T, from, to string) {
	t.Helper()
	if err := h.db.Write(t.Context(), func(tx *db.Tx) error {
		_, err := tx.Exec(t.Context(), "ALTER TABLE "+from+" RENAME TO "+to)
		return err
	}); err != nil {
		t.Fatal(err)
	}
}

func TestAddRefuses(t *testing.T) {
	eachEngine(t, func(t *testing.T, h *house) {
		learner := access.Caller{Org: id.DefaultOrg, Kind: access.Credential, Name: "credential", Scopes: access.Learner}
		if _, err := h.add(t, learner, version("one")); code(err) != "scope_missing" {
			t.Errorf("%v", err)
		}
		if _, err := h.AddLink(t.Context(), learner, courseID, "https://example.com", "T"); code(err) != "scope_missing" {
			t.Errorf("%v", err)
		}
		if _, err := h.List(t.Context(), learner, "", 10); code(err) != "scope_missing" {
			t.Errorf("%v", err)
		}
		if _, err := h.add(t, operator, files("index.html", "I")); code(err) != "package_no_manifest" {
			t.Errorf("%v", err)
		}
		h.Limits.Entries = 4
		if _, err := h.add(t, operator, version("one")); code(err) != "zip_too_many_entries" {
			t.Errorf("%v", err)
		}
		if n := h.count(t, "contents"); n != 0 {
			t.Errorf("%d contents", n)
		}
	})
}

func TestQuota(t *testing.T) {
	eachEngine(t, func(t *testing.T, h *house) {
		h.Quota = Quota{Packages: 2, Bytes: 10_000, Links: 1}
		first := h.mustAdd(t, version("one"))
		large := version(strings.Repeat("x", 10_000))
		if _, err := h.add(t, operator, large); code(err) != "quota_bytes" || !fault.Is(err, fault.TooLarge) {
			t.Errorf("%v", err)
		}
		if entries, err := filepath.Glob(filepath.Join(h.blobs, "??", "*")); err != nil || len(entries) != 4 {
			t.Errorf("the refused package left files: %v, %v", entries, err)
		}
		h.mustAdd(t, version("two"))
		if _, err := h.add(t, operator, version("three")); code(err) != "quota_packages" {
			t.Errorf("%v", err)
		}
		if text, _ := h.read(t, first.Package, "start here.html"); text != "one" {
			t.Errorf("%q", text)
		}
		h.Guests = Quota{Packages: 1, Bytes: 10_000, Links: 0}
		for i, want := range []string{"", "quota_packages"} {
			if _, err := h.add(t, access.CommandLine(2), version(fmt.Sprint("other", i))); code(err) != want {
				t.Errorf("another organization's package %d: %v", i, err)
			}
		}
		if _, err := h.AddLink(t.Context(), access.CommandLine(2), "https://example.com/0", "https://example.com", "T"); code(err) != "quota_links" {
			t.Errorf("another organization's link: %v", err)
		}
		for i, want := range []string{"", "quota_links"} {
			if _, err := h.AddLink(t.Context(), operator, fmt.Sprint("https://example.com/", i), "https://example.com", "T"); code(err) != want {
				t.Errorf("link %d: %v", i, err)
			}
		}
		if _, err := h.AddLink(t.Context(), operator, "https://example.com/0", "https://example.com/other", "T"); err != nil {
			t.Errorf("changing a link at the limit: %v", err)
		}
	})
}

func TestList(t *testing.T) {
	eachEngine(t, func(t *testing.T, h *house) {
		h.mustAdd(t, version("one"))
		want := []string{"http://example.com/B", "http://example.com/_", "http://example.com/a", "http://example.com/\u00e4", courseID}
		for _, a := range []string{want[3], want[0], want[2], want[1]} {
			if _, err := h.AddLink(t.Context(), operator, a, "https://example.com", "T"); err != nil {
				t.Fatal(err)
			}
		}
		for _, limit := range []int{-1, 1, 2, 3, 10_000} {
			var got []string
			for after := ""; ; {
				page, err := h.List(t.Context(), operator, after, limit)
				if err != nil {
					t.Fatal(err)
				}
				if len(page) == 0 {
					break
				}
				for _, c := range page {
					got = append(got, c.Activity)
				}
				after = got[len(got)-1]
			}
			if fmt.Sprint(got) != fmt.Sprint(want) {
				t.Errorf("by %d: %q", limit, got)
			}
		}
	})
}
