package content

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
)

const (
	kib = 1 << 10
	mib = 1 << 20
)

// Limits bound what a zip may cost. A zero field means its default.
type Limits struct {
	Compressed int64 // bytes of the zip itself; 500 MiB
	Inflated   int64 // bytes of all files together when inflated; 2 GiB
	Entries    int   // files and folders; 20,000
	Directory  int64 // bytes of the central directory, where names and sizes stand; 32 MiB
	Ratio      int64 // how many times its packed size a file may inflate to; 100
	RatioFrom  int64 // inflated size in bytes up to which Ratio is not looked at; 1 MiB
}

func (l Limits) withDefaults() Limits {
	return Limits{
		Compressed: cmp.Or(l.Compressed, 500*mib),
		Inflated:   cmp.Or(l.Inflated, 2048*mib),
		Entries:    cmp.Or(l.Entries, 20_000),
		Directory:  cmp.Or(l.Directory, 32*mib),
		Ratio:      cmp.Or(l.Ratio, 100),
		RatioFrom:  cmp.Or(l.RatioFrom, mib),
	}
}

// Zip is the outline of a zip that keeps the rules: its regular files, in the order of their paths.
type Zip struct {
	Files []*File
}

// File is one regular file of a zip.
type File struct {
	Path string // normal, unique within the zip
	Size int64  // bytes when inflated

	in   io.ReaderAt
	head header
	data int64 // where the packed bytes begin
}

// OpenZip reads the outline of a zip of the given size in bytes and checks it by the rules in the package comment. It reads
// headers only; File.Open reads and checks the bytes of a file. Zip format: PKWARE APPNOTE 6.3, sections 4.3 to 4.5.
func OpenZip(in io.ReaderAt, size int64, limits Limits) (*Zip, error) {
	limits = limits.withDefaults()
	if size > limits.Compressed {
		return nil, tooLarge("zip_too_large", "The package is larger than {n} MB.", "n", limits.Compressed/mib)
	}
	end, err := findEnd(in, size)
	if err != nil {
		return nil, err
	}
	if end.entries > uint64(limits.Entries) {
		return nil, tooLarge("zip_too_many_entries", "The package has more than {n} entries.", "n", limits.Entries)
	}
	if end.size > uint64(limits.Directory) {
		return nil, tooLarge("zip_directory_too_large", "The table of contents of the package is larger than {n} MB.", "n", limits.Directory/mib)
	}
	heads, err := readDirectory(in, end, limits)
	if err != nil {
		return nil, err
	}
	return locate(in, heads, int64(end.offset))
}

// locate finds the data of each entry, checks that no two entries share bytes and that all lie before the central
// directory, and returns the files.
func locate(in io.ReaderAt, heads []header, directory int64) (*Zip, error) {
	slices.SortStableFunc(heads, func(a, b header) int { return cmp.Compare(a.offset, b.offset) })
	z := &Zip{}
	free := int64(0) // the first byte that no entry has used yet
	for _, h := range heads {
		if h.offset < free {
			return nil, refuse("zip_overlap", "The entry `{file}` overlaps another one.", "file", shown(h.path))
		}
		data, err := h.checkLocal(in, directory)
		if err != nil {
			return nil, err
		}
		if free, err = h.checkDescriptor(in, data+h.packed, directory); err != nil {
			return nil, err
		}
		if !h.folder {
			z.Files = append(z.Files, &File{Path: h.path, Size: h.size, in: in, head: h, data: data})
		}
	}
	if err := checkClashes(heads); err != nil {
		return nil, err
	}
	slices.SortFunc(z.Files, func(a, b *File) int { return strings.Compare(a.Path, b.Path) })
	return z, nil
}

// checkClashes refuses two files of one path, paths that differ only by case, and files that are also folders.
func checkClashes(heads []header) error {
	type key struct {
		folded string
		head   *header
	}
	keys := make([]key, len(heads))
	for i := range heads {
		keys[i] = key{foldedPath(heads[i].path), &heads[i]}
	}
	slices.SortStableFunc(keys, func(a, b key) int { return strings.Compare(a.folded, b.folded) })
	for i := 1; i < len(keys); i++ {
		a, b := keys[i-1].head, keys[i].head
		switch {
		case a.folder && b.folder:
		case a.path == b.path && a.folder == b.folder:
			return refuse("path_duplicate", "The file `{file}` is in the package twice.", "file", shown(b.path))
		case keys[i-1].folded == keys[i].folded && a.folder == b.folder:
			return refuse("path_case_clash", "The files `{file}` and `{other}` differ only by upper and lower case.", "file", shown(a.path), "other", shown(b.path))
		case keys[i-1].folded == keys[i].folded,
			!a.folder && strings.HasPrefix(keys[i].folded, keys[i-1].folded+"\x00"):
			return refuse("path_file_and_folder", "`{file}` is both a file and a folder.", "file", shown(a.path))
		}
	}
	return nil
}

// File returns the file of a normal path, or nil if there is none.
func (z *Zip) File(path string) *File {
	i, ok := slices.BinarySearchFunc(z.Files, path, func(f *File, p string) int { return strings.Compare(f.Path, p) })
	if !ok {
		return nil
	}
	return z.Files[i]
}

// Signatures and lengths of the fixed parts of the end records.
const (
	sigEnd       = 0x06054b50
	sigEnd64     = 0x06064b50
	sigLocator64 = 0x07064b50
	lenEnd       = 22
	lenEnd64     = 56
	lenLocator64 = 20
	max16        = 1<<16 - 1
	max32        = 1<<32 - 1
)

var le = binary.LittleEndian

// end is what the end of a zip says about its central directory.
type end struct {
	entries, size, offset uint64
}

// findEnd finds the record that ends the zip, and the larger one in front of it if there is one (zip64). The central
// directory must end exactly where they begin.
func findEnd(in io.ReaderAt, size int64) (end, error) {
	notZip := refuse("zip_not_a_zip", "The file is not a zip, or it is cut short.")
	tail := min(size, lenEnd+max16)
	buf := make([]byte, tail)
	if err := readAt(in, buf, size-tail); err != nil {
		return end{}, err
	}
	at := int64(-1)
	for i := tail - lenEnd; i >= 0; i-- {
		if le.Uint32(buf[i:]) == sigEnd && i+lenEnd+int64(le.Uint16(buf[i+20:])) == tail {
			at = i
			break
		}
	}
	if at < 0 || bytes.Contains(buf[at+4:], le.AppendUint32(nil, sigEnd)) {
		return end{}, notZip // with a second end record in the comment, readers would not agree on what the zip holds
	}
	b := buf[at:]
	e := end{entries: uint64(le.Uint16(b[10:])), size: uint64(le.Uint32(b[12:])), offset: uint64(le.Uint32(b[16:]))}
	start := uint64(size - tail + at)
	split := le.Uint16(b[4:]) != le.Uint16(b[6:]) || le.Uint16(b[8:]) != le.Uint16(b[10:]) ||
		le.Uint16(b[4:]) != 0 && le.Uint16(b[4:]) != max16

	if start >= lenLocator64+lenEnd64 {
		loc := make([]byte, lenLocator64)
		if err := readAt(in, loc, int64(start)-lenLocator64); err != nil {
			return end{}, err
		}
		if le.Uint32(loc) == sigLocator64 {
			var err error
			if e, start, err = findEnd64(in, e, loc, start-lenLocator64); err != nil {
				return end{}, err
			}
		}
	}
	if split {
		return end{}, refuse("zip_split", "The package is one part of a zip split into several. Upload it as one file.")
	}
	if e.offset > start || e.size != start-e.offset {
		return end{}, refuse("zip_inconsistent", "The table of contents of the package is not where the zip says it is. The file may be cut short or changed.")
	}
	return e, nil
}

// findEnd64 reads the zip64 end record that a locator points at. It must fill the space up to the locator and agree with
// the small record wherever that one has a value.
func findEnd64(in io.ReaderAt, small end, loc []byte, locAt uint64) (end, uint64, error) {
	bad := refuse("zip_inconsistent", "The zip64 end of the package contradicts itself.")
	at := le.Uint64(loc[8:])
	if at > locAt || locAt-at < lenEnd64 || le.Uint32(loc[4:]) != 0 || le.Uint32(loc[16:]) > 1 {
		return end{}, 0, bad
	}
	b := make([]byte, lenEnd64)
	if err := readAt(in, b, int64(at)); err != nil {
		return end{}, 0, err
	}
	e := end{entries: le.Uint64(b[32:]), size: le.Uint64(b[40:]), offset: le.Uint64(b[48:])}
	agrees := func(small, large, most uint64) bool { return small == most || small == large }
	if le.Uint32(b) != sigEnd64 || le.Uint64(b[4:]) != locAt-at-12 || le.Uint32(b[16:]) != 0 || le.Uint32(b[20:]) != 0 ||
		le.Uint64(b[24:]) != e.entries || !agrees(small.entries, e.entries, max16) ||
		!agrees(small.size, e.size, max32) || !agrees(small.offset, e.offset, max32) {
		return end{}, 0, bad
	}
	return e, at, nil
}

// readDirectory reads the central directory: as many entries as announced, filling it exactly.
func readDirectory(in io.ReaderAt, e end, limits Limits) ([]header, error) {
	b := make([]byte, e.size)
	if err := readAt(in, b, int64(e.offset)); err != nil {
		return nil, err
	}
	var heads []header
	total := int64(0)
	for r := bytes.NewBuffer(b); r.Len() > 0; {
		if uint64(len(heads)) == e.entries {
			return nil, errCount
		}
		h, err := nextHeader(r, limits)
		if err != nil {
			return nil, err
		}
		if total += h.size; total > limits.Inflated { // each is at most Inflated, so this cannot overflow
			return nil, tooLarge("zip_inflates_too_far", "The files of the package are larger than {n} MB together.", "n", limits.Inflated/mib)
		}
		heads = append(heads, h)
	}
	if uint64(len(heads)) != e.entries {
		return nil, errCount
	}
	return heads, nil
}

var errCount = refuse("zip_inconsistent", "The package does not have as many entries as it says. The file may be cut short or changed.")

// readAt fills b from a place in the zip. To end early is a fault of the zip; any other error is that of the reader.
func readAt(in io.ReaderAt, b []byte, at int64) error {
	n, err := in.ReadAt(b, at)
	switch {
	case n == len(b):
		return nil
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return errCutShort
	}
	return fmt.Errorf("read the package: %w", err)
}

var errCutShort = refuse("zip_not_a_zip", "The file is not a zip, or it is cut short.")
