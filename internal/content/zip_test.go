package content

import (
	"archive/zip"
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"

	"rollway/internal/fault"
)

func TestOpenZipAccepts(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("the same again ", 3000)
	unix := uint32(0o100644) << 16
	for name, z := range map[string]zipFile{
		"stored":                       files("a.html", "A", "b/c.js", "C", "empty", ""),
		"deflated":                     {entries: []zipEntry{{name: "a", content: long, deflate: true}, {name: "b", deflate: true}}},
		"nothing":                      {},
		"descriptors":                  {entries: []zipEntry{{name: "a", content: long, deflate: true, descriptor: "signed"}, {name: "b", content: "B", descriptor: "plain"}, {name: "c", descriptor: "signed"}}},
		"wide descriptors":             {entries: []zipEntry{{name: "a", content: long, deflate: true, descriptor: "signed64"}, {name: "b", content: "B", descriptor: "plain64"}}},
		"zip64":                        {entries: []zipEntry{{name: "a", content: long, deflate: true, zip64: true}, {name: "b", content: "B", zip64: true}}, zip64: true},
		"zip64 and descriptor":         {entries: []zipEntry{{name: "a", content: long, deflate: true, zip64: true, descriptor: "signed64"}}, zip64: true},
		"descriptor, sizes in front":   {entries: []zipEntry{{name: "a", content: "A", descriptor: "signed", local: put32(18, 1)}}},
		"comment":                      {entries: files("a", "A").entries, comment: strings.Repeat("c", max16)},
		"gap":                          {entries: files("a", "A").entries, gap: []byte("unused")},
		"regular by Unix":              {entries: []zipEntry{{name: "a", content: "A", attributes: unix}}},
		"extra fields":                 {entries: []zipEntry{{name: "a", content: "A", extra: []byte{0x55, 0x54, 1, 0, 9}}}},
		"padding in the extra field":   {entries: []zipEntry{{name: "a", content: "A", extra: []byte{0, 0, 0, 0, 0}}}},
		"folders":                      {entries: []zipEntry{{name: "d/"}, {name: "d/"}, {name: "D/"}, {name: "e/", attributes: 0o040755 << 16}, {name: "d/a", content: "A"}}},
		"folders without a slash":      {entries: []zipEntry{{name: "d", attributes: dosFolder}, {name: "e", attributes: 0o040755 << 16}}},
		"packed folder":                {entries: []zipEntry{{name: "d/", deflate: true}, {name: "d/a", content: "A"}}},
		"a zip inside":                 files("inner.zip", string(files("tincan.xml", "").bytes(t))),
		"small file that inflates far": {entries: []zipEntry{{name: "a", content: strings.Repeat("\x00", mib), deflate: true}}},
	} {
		b := z.bytes(t)
		got, err := OpenZip(bytes.NewReader(b), int64(len(b)), Limits{})
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		want := map[string]string{}
		for _, e := range z.entries {
			if !strings.HasSuffix(e.name, "/") && e.attributes&(dosFolder|0x4000<<16) == 0 {
				want[e.name] = e.content
			}
		}
		if len(got.Files) != len(want) {
			t.Errorf("%s: %d files, want %d", name, len(got.Files), len(want))
		}
		for _, f := range got.Files {
			content, err := io.ReadAll(f.Open())
			if err != nil || string(content) != want[f.Path] || f.Size != int64(len(content)) {
				t.Errorf("%s: %s has %d bytes, %v", name, f.Path, len(content), err)
			}
			if got.File(f.Path) != f {
				t.Errorf("%s: %s is not found by its path", name, f.Path)
			}
		}
		if got.File("missing") != nil {
			t.Errorf("%s: found a file that is not there", name)
		}
		checkAgainstArchiveZip(t, b, got)
	}
}

// checkAgainstArchiveZip checks that the standard library's reader finds the same files in a zip that OpenZip accepts.
func checkAgainstArchiveZip(t *testing.T, b []byte, z *Zip) {
	t.Helper()
	r, err := zip.NewReader(bytes.NewReader(b), int64(len(b)))
	if err != nil {
		t.Fatalf("archive/zip: %v", err)
	}
	theirs := map[string]*zip.File{}
	for _, f := range r.File {
		if path, err := NormalPath(nameOf([]byte(f.Name), 0)); err == nil {
			theirs[path] = f
		}
	}
	for _, f := range z.Files {
		ours, err := io.ReadAll(f.Open())
		other := theirs[f.Path]
		if other == nil {
			t.Fatalf("archive/zip does not find %q", f.Path)
		}
		if err != nil {
			continue
		}
		in, err := other.Open()
		if err != nil {
			t.Fatalf("archive/zip: %q: %v", f.Path, err)
		}
		content, err := io.ReadAll(in)
		if err != nil || !bytes.Equal(content, ours) {
			t.Fatalf("archive/zip reads %d bytes of %q, %v; we read %d", len(content), f.Path, err, len(ours))
		}
	}
}

func TestNames(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		raw   string
		flags uint16
		want  string
	}{
		{"\u00e9t\u00e9.png", flagUTF8, "\u00e9t\u00e9.png"},
		{"\u00e9t\u00e9.png", 0, "\u00e9t\u00e9.png"}, // UTF-8 without saying so
		{"e\u0301.png", flagUTF8, "\u00e9.png"},       // as macOS writes it
		{"\x82t\x82.png", 0, "\u00e9t\u00e9.png"},     // code page 437
		{"\x9a\x81\x94\x84.html", 0, "Üüöä.html"},     // code page 437
	} {
		z, err := zipFile{entries: []zipEntry{{name: c.raw, flags: c.flags, content: "A"}}}.open(t, Limits{})
		if err != nil || len(z.Files) != 1 || z.Files[0].Path != c.want {
			t.Errorf("%q: %v, %v", c.raw, z, err)
		}
	}
}

func TestOpenZipRefuses(t *testing.T) {
	t.Parallel()
	one := func(e zipEntry) zipFile {
		if e.name == "" {
			e.name = "a"
		}
		return zipFile{entries: []zipEntry{{name: "0", content: "zero"}, e}}
	}
	mode := func(kind uint32) zipFile {
		return one(zipEntry{name: "link", content: "/etc/passwd", attributes: kind << 16})
	}
	ab := files("a", "A", "b", "B").entries
	withEnd := func(f func([]byte)) zipFile { return zipFile{entries: ab, end: f} }
	with64 := func(f func([]byte)) zipFile { return zipFile{entries: ab, zip64: true, end64: f} }
	empty64 := []byte{1, 0, 0, 0}
	for _, c := range []struct {
		name, code string
		zip        zipFile
		limits     Limits
	}{
		{"zip slip", "path_dots", files("../../evil", "x"), Limits{}},
		{"absolute", "path_absolute", files("/abs", "x"), Limits{}},
		{"backslashes", "path_backslash", files(`a\..\..\evil`, "x"), Limits{}},
		{"drive", "path_drive", files("C:/evil", "x"), Limits{}},
		{"NUL", "path_control", files("a\x00.html", "x"), Limits{}},
		{"no name", "path_empty", files("", "x"), Limits{}},
		{"root as a folder", "path_empty", files("/", ""), Limits{}},
		{"folder outside", "path_dots", files("../", ""), Limits{}},
		{"bad UTF-8 that claims to be", "path_encoding", one(zipEntry{name: "\x82", flags: flagUTF8}), Limits{}},
		{"long path", "path_too_long", files(strings.Repeat("abc/", 300)+"x", "x"), Limits{}},

		{"duplicate", "path_duplicate", files("a", "1", "b", "2", "a", "3"), Limits{}},
		{"duplicate in normal form", "path_duplicate", files("\u00e9", "1", "e\u0301", "2"), Limits{}},
		{"case clash", "path_case_clash", files("Index.html", "1", "index.HTML", "2"), Limits{}},
		{"case clash beyond ASCII", "path_case_clash", files("STRASSE", "1", "straße", "2"), Limits{}},
		{"case clash in a folder", "path_case_clash", files("A/x", "1", "a/x", "2"), Limits{}},
		{"file and folder", "path_file_and_folder", files("a", "1", "a!", "2", "a/b", "3"), Limits{}},
		{"file and folder entry", "path_file_and_folder", files("a", "1", "a/", ""), Limits{}},
		{"file and folder by case", "path_file_and_folder", files("a", "1", "A/b", "2"), Limits{}},

		{"symbolic link", "zip_special_file", mode(0o120777), Limits{}},
		{"character device", "zip_special_file", mode(0o020666), Limits{}},
		{"block device", "zip_special_file", mode(0o060666), Limits{}},
		{"pipe", "zip_special_file", mode(0o010666), Limits{}},
		{"socket", "zip_special_file", mode(0o140666), Limits{}},
		{"link that ends in a slash", "zip_special_file", one(zipEntry{name: "l/", attributes: 0o120777 << 16}), Limits{}},
		{"folder with data", "zip_folder_with_data", files("d/", "data"), Limits{}},
		{"folder with data, no slash", "zip_folder_with_data", mode(0o040755), Limits{}},

		{"encrypted", "zip_encrypted", one(zipEntry{content: "A", flags: 1}), Limits{}},
		{"strongly encrypted", "zip_encrypted", one(zipEntry{content: "A", flags: 1 << 6}), Limits{}},
		{"masked headers", "zip_encrypted", one(zipEntry{content: "A", flags: 1 << 13}), Limits{}},
		{"patch data", "zip_method", one(zipEntry{content: "A", flags: 1 << 5}), Limits{}},
		{"bzip2", "zip_method", one(zipEntry{content: "A", central: put16(10, 12), local: put16(8, 12)}), Limits{}},
		{"zstd", "zip_method", one(zipEntry{content: "A", central: put16(10, 93), local: put16(8, 93)}), Limits{}},

		{"other local name", "zip_headers_differ", one(zipEntry{content: "A", lname: "b"}), Limits{}},
		{"other local method", "zip_headers_differ", one(zipEntry{content: "A", local: put16(8, deflated)}), Limits{}},
		{"encrypted by the local header", "zip_headers_differ", one(zipEntry{content: "A", local: put16(6, 1)}), Limits{}},
		{"descriptor by one header", "zip_headers_differ", one(zipEntry{content: "A", local: put16(6, flagDescriptor)}), Limits{}},
		{"other local checksum", "zip_headers_differ", one(zipEntry{content: "A", local: put32(14, 7)}), Limits{}},
		{"other local size", "zip_headers_differ", one(zipEntry{content: "A", local: put32(22, 7)}), Limits{}},
		{"other local packed size", "zip_headers_differ", one(zipEntry{content: "A", local: put32(18, 7)}), Limits{}},
		{"local size zero", "zip_headers_differ", one(zipEntry{content: "A", local: put32(22, 0)}), Limits{}},
		{"descriptor, but the front lies", "zip_headers_differ", one(zipEntry{content: "A", descriptor: "signed", local: put32(22, 7)}), Limits{}},
		{"descriptor missing", "zip_headers_differ", one(zipEntry{content: "A", flags: flagDescriptor}), Limits{}},
		{"descriptor elsewhere", "zip_headers_differ", one(zipEntry{content: "A", descriptor: "signed", trailer: []byte("?")}), Limits{}},
		{"no local header", "zip_inconsistent", one(zipEntry{content: "A", local: put32(0, 7)}), Limits{}},
		{"no central header", "zip_inconsistent", one(zipEntry{content: "A", central: put32(0, 7)}), Limits{}},
		{"stored with two sizes", "zip_size", one(zipEntry{content: "AA", packed: []byte("A")}), Limits{}},
		{"zip64 size missing", "zip_inconsistent", one(zipEntry{content: "A", central: put32(24, max32)}), Limits{}},
		{"zip64 size empty", "zip_inconsistent", one(zipEntry{content: "A", central: put32(24, max32), extra: empty64}), Limits{}},
		{"zip64 sizes twice", "zip_inconsistent", one(zipEntry{content: "A", zip64: true, extra: empty64}), Limits{}},
		{"on another disk", "zip_split", one(zipEntry{content: "A", central: put16(34, 1)}), Limits{}},
		{"name runs out of the directory", "zip_inconsistent", one(zipEntry{content: "A", central: put16(28, 999)}), Limits{}},

		{"same data twice", "zip_overlap", zipFile{entries: []zipEntry{{name: "a", content: "A"}, {name: "a", content: "A", central: put32(42, 0)}}}, Limits{}},
		{"data over the next entry", "zip_overlap", zipFile{entries: []zipEntry{
			{name: "a", content: "A", packed: []byte("A"), central: func(b []byte) { put32(20, 9)(b); put32(24, 9)(b) }, local: func(b []byte) { put32(18, 9)(b); put32(22, 9)(b) }},
			{name: "b", content: "B"}}}, Limits{}},
		{"data over the directory", "zip_inconsistent", one(zipEntry{content: "A", central: func(b []byte) { put32(20, 9)(b); put32(24, 9)(b) }}), Limits{}},
		{"data far beyond the end", "zip_inconsistent", one(zipEntry{content: "A", central: func(b []byte) { put32(20, 1e9)(b); put32(24, 1e9)(b) }}), Limits{}},
		{"header beyond the end", "zip_inconsistent", one(zipEntry{content: "A", central: put32(42, 1<<30)}), Limits{}},
		{"header in the directory", "zip_inconsistent", one(zipEntry{content: "A", central: put32(42, 80)}), Limits{}},

		{"bomb by ratio", "zip_ratio", one(zipEntry{content: strings.Repeat("\x00", 2*mib), deflate: true}), Limits{}},
		{"bomb by one size", "zip_inflates_too_far", one(zipEntry{content: "A", central: put32(24, 3<<30)}), Limits{}},
		{"bomb by all sizes", "zip_inflates_too_far", files("a", "12345", "b", "12345", "c", "12345"), Limits{Inflated: 14}},
		{"size beyond 63 bits", "zip_inflates_too_far", one(zipEntry{content: "A", central: put32(24, max32),
			extra: []byte{1, 0, 8, 0, 255, 255, 255, 255, 255, 255, 255, 255}}), Limits{}},
		{"too many entries", "zip_too_many_entries", files("a", "", "b", "", "c", ""), Limits{Entries: 2}},
		{"too many entries announced", "zip_too_many_entries", withEnd(func(b []byte) { put16(8, 20_001)(b); put16(10, 20_001)(b) }), Limits{}},
		{"too many entries announced by zip64", "zip_too_many_entries", with64(func(b []byte) { put64(24, 1<<62)(b); put64(32, 1<<62)(b) }), Limits{}},
		{"more entries than announced", "zip_inconsistent", withEnd(func(b []byte) { put16(8, 1)(b); put16(10, 1)(b) }), Limits{}},
		{"fewer entries than announced", "zip_inconsistent", withEnd(func(b []byte) { put16(8, 3)(b); put16(10, 3)(b) }), Limits{}},
		{"large directory", "zip_directory_too_large", files("a", "A", "b", "B"), Limits{Directory: 50}},
		{"large zip", "zip_too_large", files("a", "A"), Limits{Compressed: 50}},

		{"not a zip", "zip_not_a_zip", zipFile{end: put32(0, 0)}, Limits{}},
		{"end record in the comment", "zip_not_a_zip", zipFile{entries: ab, comment: "PK\x05\x06" + strings.Repeat("\x00", 18) + "!"}, Limits{}},
		{"directory elsewhere", "zip_inconsistent", withEnd(put32(16, 3)), Limits{}},
		{"directory beyond the end", "zip_inconsistent", withEnd(put32(16, 1<<30)), Limits{}},
		{"directory of another size", "zip_inconsistent", withEnd(put32(12, 3)), Limits{}},
		{"something in front", "zip_inconsistent", zipFile{entries: []zipEntry{{name: "a", content: "A", central: put32(42, 0)}}, prefix: []byte("MZ")}, Limits{}},
		{"something after the directory", "zip_inconsistent", zipFile{entries: ab, after: []byte("?")}, Limits{}},
		{"comment longer than the file", "zip_not_a_zip", withEnd(put16(20, 9)), Limits{}},
		{"second of two disks", "zip_split", withEnd(func(b []byte) { put16(4, 1)(b); put16(6, 1)(b) }), Limits{}},
		{"directory on another disk", "zip_split", withEnd(put16(6, 1)), Limits{}},
		{"zip64 on another disk", "zip_inconsistent", with64(put32(16, 1)), Limits{}},
		{"zip64 without a record", "zip_inconsistent", with64(put32(0, 7)), Limits{}},
		{"zip64 of another length", "zip_inconsistent", with64(put64(4, 1<<63)), Limits{}},
		{"zip64 of two counts", "zip_inconsistent", with64(put64(24, 9)), Limits{}},
		{"zip64 directory beyond the end", "zip_inconsistent", with64(put64(48, 1<<63)), Limits{}},
		{"zip64 against the small record", "zip_inconsistent", zipFile{entries: ab, zip64: true, end: func(b []byte) { put16(8, 9)(b); put16(10, 9)(b) }}, Limits{}},
		{"zip64 record beyond the end", "zip_inconsistent", zipFile{entries: ab, zip64: true, locator: put64(8, 1<<63)}, Limits{}},
	} {
		z, err := c.zip.open(t, c.limits)
		if code(err) != c.code || z != nil {
			t.Errorf("%s: %v, want %s", c.name, err, c.code)
		}
		if large := strings.Contains(c.code, "too_") || c.code == "zip_ratio"; err != nil && c.code != "path_too_long" && large != fault.Is(err, fault.TooLarge) {
			t.Errorf("%s: the fault is %s", c.name, fault.Of(err).Kind)
		}
	}
}

func TestZipCutShortAnywhere(t *testing.T) {
	t.Parallel()
	whole := files("a.html", "some content", "b/c.js", "more content").bytes(t)
	for n := range whole {
		if _, err := OpenZip(bytes.NewReader(whole[:n]), int64(n), Limits{}); code(err) != "zip_not_a_zip" {
			t.Errorf("the first %d bytes: %v", n, err)
		}
		// The size is right, but the bytes end early.
		if _, err := OpenZip(bytes.NewReader(whole[:n]), int64(len(whole)), Limits{}); code(err) != "zip_not_a_zip" {
			t.Errorf("the first %d bytes of %d: %v", n, len(whole), err)
		}
	}
}

func TestDamagedFiles(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("the same again ", 300)
	both := func(at int, v uint32) (func([]byte), func([]byte)) { return put32(at, v), put32(at-2, v) }
	declare := func(e zipEntry, size uint32) zipEntry {
		e.central, e.local = both(24, size)
		return e
	}
	wrongSum := zipEntry{content: long}
	wrongSum.central, wrongSum.local = both(16, 7)
	packed := deflate(t, long)
	for name, c := range map[string]struct {
		entry zipEntry
		code  string
		most  int // bytes it may give before the error
	}{
		"wrong checksum":             {wrongSum, "zip_checksum", len(long)},
		"inflates to more":           {declare(zipEntry{content: long, deflate: true}, 10), "zip_size", 10},
		"inflates to one more":       {declare(zipEntry{content: long, deflate: true}, uint32(len(long)-1)), "zip_size", len(long) - 1},
		"inflates to more than none": {declare(zipEntry{content: long, deflate: true}, 0), "zip_size", 0},
		"inflates to less":           {declare(zipEntry{content: long, deflate: true}, uint32(len(long)+1)), "zip_size", len(long)},
		"packed bytes left over":     {zipEntry{content: long, deflate: true, packed: append(bytes.Clone(packed), "junk"...)}, "zip_size", len(long)},
		"packed bytes missing":       {zipEntry{content: long, deflate: true, packed: packed[:len(packed)/2]}, "zip_damaged", len(long)},
		"no packed bytes":            {zipEntry{content: long, deflate: true, packed: []byte{}}, "zip_damaged", 0},
		"not deflated at all":        {zipEntry{content: long, deflate: true, packed: bytes.Repeat([]byte{0xff}, 50)}, "zip_damaged", 0},
	} {
		c.entry.name = "a"
		z, err := zipFile{entries: []zipEntry{c.entry, {name: "b", content: "B"}}}.open(t, Limits{})
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		for _, buffer := range []int{1, 7, 1 << 16} {
			var got bytes.Buffer
			r := z.File("a").Open()
			_, err := io.CopyBuffer(struct{ io.Writer }{&got}, r, make([]byte, buffer))
			if code(err) != c.code || got.Len() > c.most || !strings.HasPrefix(long, got.String()) {
				t.Errorf("%s: %d bytes, %v; want %s", name, got.Len(), err, c.code)
			}
			if n, again := r.Read(make([]byte, 8)); n != 0 || !errors.Is(again, err) {
				t.Errorf("%s: after the error %d, %v", name, n, again)
			}
		}
		if b, err := io.ReadAll(z.File("b").Open()); string(b) != "B" || err != nil {
			t.Errorf("%s: the sound file: %q, %v", name, b, err)
		}
	}
}

// brokenAfter is a zip on a disk that fails.
type brokenAfter struct {
	io.ReaderAt
	reads int
}

var errDisk = errors.New("the disk fails")

func (b *brokenAfter) ReadAt(p []byte, at int64) (int, error) {
	if b.reads--; b.reads < 0 {
		return 0, errDisk
	}
	return b.ReaderAt.ReadAt(p, at)
}

func TestDiskErrorsAreNotTheAuthors(t *testing.T) {
	t.Parallel()
	b := zipFile{entries: []zipEntry{{name: "a", content: "A", deflate: true, descriptor: "signed"}, {name: "b", content: "B"}}, zip64: true}.bytes(t)
	for reads := 0; ; reads++ {
		z, err := OpenZip(&brokenAfter{bytes.NewReader(b), reads}, int64(len(b)), Limits{})
		for i := 0; err == nil && i < len(z.Files); i++ {
			_, err = io.ReadAll(z.Files[i].Open())
		}
		if err == nil {
			if reads < 9 {
				t.Fatalf("everything was read in %d reads", reads)
			}
			return
		}
		if !errors.Is(err, errDisk) || fault.Of(err).Kind != fault.Internal {
			t.Fatalf("after %d reads: %v", reads, err)
		}
	}
}

func FuzzZip(f *testing.F) {
	f.Add(files("tincan.xml", "<tincan/>", "a/b", "B").bytes(f))
	f.Add(zipFile{entries: []zipEntry{{name: "a", content: "AAAA", deflate: true, zip64: true, descriptor: "signed64"}}, zip64: true}.bytes(f))
	f.Add(zipFile{entries: []zipEntry{{name: "a", content: "A", descriptor: "plain"}, {name: "d/"}}, comment: "c"}.bytes(f))
	f.Fuzz(func(t *testing.T, b []byte) {
		limits := Limits{Inflated: mib, Entries: 100}
		z, err := OpenZip(bytes.NewReader(b), int64(len(b)), limits)
		if err != nil {
			if fault.Of(err).Kind == fault.Internal {
				t.Fatal(err)
			}
			return
		}
		total := int64(0)
		for i, f := range z.Files {
			checkPath(t, f.Path)
			if i > 0 && z.Files[i-1].Path >= f.Path {
				t.Fatalf("%q stands before %q", z.Files[i-1].Path, f.Path)
			}
			n, err := io.Copy(io.Discard, f.Open())
			if total += n; n > f.Size || err == nil && n != f.Size {
				t.Fatalf("%q gave %d bytes of %d, %v", f.Path, n, f.Size, err)
			}
			if err != nil && fault.Of(err).Kind == fault.Internal {
				t.Fatal(err)
			}
		}
		if total > limits.Inflated {
			t.Fatalf("inflated to %d bytes", total)
		}
		checkAgainstArchiveZip(t, b, z)
	})
}
