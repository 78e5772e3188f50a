package content

import (
	"bytes"
	"io"
	"slices"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding/charmap"
)

// Signatures and lengths of the fixed parts of an entry's headers.
const (
	sigCentral    = 0x02014b50
	sigLocal      = 0x04034b50
	sigDescriptor = 0x08074b50
	lenCentral    = 46
	lenLocal      = 30
	extraZip64    = 0x0001
)

// Bits of the flags field (APPNOTE 4.4.4).
const (
	flagEncrypted  = 1<<0 | 1<<6 | 1<<13
	flagDescriptor = 1 << 3
	flagPatch      = 1 << 5
	flagUTF8       = 1 << 11
)

// Methods of packing (APPNOTE 4.4.5).
const (
	stored   = 0
	deflated = 8
)

// header is an entry of the central directory that keeps the rules.
type header struct {
	raw    []byte // the name as it stands in the zip, to compare with the local header
	path   string // the name in normal form
	folder bool
	flags  uint16
	method uint16
	crc    uint32
	packed int64 // bytes in the zip
	size   int64 // bytes when inflated
	offset int64 // of the local header
}

// nextHeader takes one entry off the central directory and checks what can be checked without looking at its data.
func nextHeader(r *bytes.Buffer, limits Limits) (header, error) {
	b := r.Next(lenCentral)
	if len(b) < lenCentral || le.Uint32(b) != sigCentral {
		return header{}, refuse("zip_inconsistent", "The table of contents of the package is damaged.")
	}
	h := header{flags: le.Uint16(b[8:]), method: le.Uint16(b[10:]), crc: le.Uint32(b[16:])}
	packed, size, offset := uint64(le.Uint32(b[20:])), uint64(le.Uint32(b[24:])), uint64(le.Uint32(b[42:]))
	nameLen, extraLen, commentLen := int(le.Uint16(b[28:])), int(le.Uint16(b[30:])), int(le.Uint16(b[32:]))
	disk, attributes := le.Uint16(b[34:]), le.Uint32(b[38:])
	if r.Len() < nameLen+extraLen+commentLen {
		return header{}, refuse("zip_inconsistent", "The table of contents of the package is cut short.")
	}
	h.raw = r.Next(nameLen)
	extra := r.Next(extraLen)
	r.Next(commentLen)

	name, slash := strings.CutSuffix(nameOf(h.raw, h.flags), "/")
	var err error
	if h.path, err = NormalPath(name); err != nil {
		return header{}, err
	}
	if err := widen(extra, h.path, &size, &packed, &offset); err != nil {
		return header{}, err
	}
	if disk != 0 && disk != max16 {
		return header{}, refuse("zip_split", "The package is one part of a zip split into several. Upload it as one file.")
	}
	if err := checkKind(&h, slash, attributes); err != nil {
		return header{}, err
	}
	return h, checkSizes(&h, packed, size, offset, limits)
}

// nameOf decodes a name: UTF-8 if it is marked so or is so, which many tools forget to say, and else code page 437
// (APPNOTE appendix D).
func nameOf(raw []byte, flags uint16) string {
	if flags&flagUTF8 == 0 && !utf8.Valid(raw) {
		name := make([]rune, len(raw))
		for i, b := range raw {
			name[i] = charmap.CodePage437.DecodeByte(b)
		}
		return string(name)
	}
	return string(raw)
}

// widen replaces those of the fields that say "see the zip64 extra field" by what it says (APPNOTE 4.5.3).
func widen(extra []byte, path string, fields ...*uint64) error {
	var wide []byte
	found := false
	for len(extra) >= 4 {
		id, n := le.Uint16(extra), int(le.Uint16(extra[2:]))
		if n > len(extra)-4 {
			break // padding, which some tools add
		}
		if id == extraZip64 {
			if found {
				return refuse("zip_inconsistent", "The entry `{file}` states its size twice.", "file", shown(path))
			}
			wide, found = extra[4:4+n], true
		}
		extra = extra[4+n:]
	}
	for _, f := range fields {
		if *f != max32 {
			continue
		}
		if len(wide) < 8 {
			return refuse("zip_inconsistent", "The entry `{file}` does not state its size.", "file", shown(path))
		}
		*f, wide = le.Uint64(wide), wide[8:]
	}
	return nil
}

// Kinds of file in the upper half of the external attributes, as Unix writes them.
const (
	unixKind    = 0xf000
	unixRegular = 0x8000
	unixFolder  = 0x4000
	dosFolder   = 0x10
)

// checkKind refuses what is neither a regular file nor a folder, and what cannot be unpacked.
func checkKind(h *header, slash bool, attributes uint32) error {
	switch attributes >> 16 & unixKind {
	case 0:
		h.folder = slash || attributes&dosFolder != 0
	case unixRegular:
		h.folder = slash
	case unixFolder:
		h.folder = true
	default:
		return refuse("zip_special_file", "The entry `{file}` is a link or a device. Only files and folders may be in a package.", "file", shown(h.path))
	}
	if h.flags&flagEncrypted != 0 {
		return refuse("zip_encrypted", "The file `{file}` is encrypted. Make the zip without a password.", "file", shown(h.path))
	}
	if h.method != stored && h.method != deflated || h.flags&flagPatch != 0 {
		return refuse("zip_method", "The file `{file}` is packed in a way that is not supported. Make a plain zip (deflate).", "file", shown(h.path))
	}
	return nil
}

// checkSizes holds the declared sizes against the limits and against one another, and keeps them.
func checkSizes(h *header, packed, size, offset uint64, limits Limits) error {
	switch {
	case size > uint64(limits.Inflated):
		return tooLarge("zip_inflates_too_far", "The file `{file}` is larger than {n} MB.", "file", shown(h.path), "n", limits.Inflated/mib)
	case packed > uint64(limits.Compressed) || offset > uint64(limits.Compressed):
		return refuse("zip_inconsistent", "The file `{file}` would lie beyond the end of the package.", "file", shown(h.path))
	case size > uint64(limits.RatioFrom) && size > packed*uint64(limits.Ratio):
		return tooLarge("zip_ratio", "The file `{file}` inflates to more than {n} times its packed size.", "file", shown(h.path), "n", limits.Ratio)
	case h.method == stored && packed != size:
		return refuse("zip_size", "The file `{file}` is stored without packing, but its two sizes differ.", "file", shown(h.path))
	case h.folder && size != 0:
		return refuse("zip_folder_with_data", "The entry `{file}` is a folder, but has data.", "file", shown(h.path))
	}
	h.packed, h.size, h.offset = int64(packed), int64(size), int64(offset)
	return nil
}

// checkLocal compares the local header, which stands in front of the data, with the central one, and returns where the
// data begins. The data must end at most where the central directory begins.
func (h *header) checkLocal(in io.ReaderAt, directory int64) (int64, error) {
	if h.offset > directory-lenLocal {
		return 0, h.beyond()
	}
	b := make([]byte, lenLocal)
	if err := readAt(in, b, h.offset); err != nil {
		return 0, err
	}
	if le.Uint32(b) != sigLocal {
		return 0, refuse("zip_inconsistent", "The file `{file}` is not where the zip says it is.", "file", shown(h.path))
	}
	flags, method, crc := le.Uint16(b[6:]), le.Uint16(b[8:]), le.Uint32(b[14:])
	packed, size := uint64(le.Uint32(b[18:])), uint64(le.Uint32(b[22:]))
	nameLen, extraLen := int64(le.Uint16(b[26:])), int64(le.Uint16(b[28:]))
	data := h.offset + lenLocal + nameLen + extraLen
	if data+h.packed > directory {
		return 0, h.beyond()
	}
	rest := make([]byte, nameLen+extraLen)
	if err := readAt(in, rest, h.offset+lenLocal); err != nil {
		return 0, err
	}
	if err := widen(rest[nameLen:], h.path, &size, &packed); err != nil {
		return 0, err
	}
	const compared = flagEncrypted | flagDescriptor | flagPatch
	same := crc == h.crc && packed == uint64(h.packed) && size == uint64(h.size)
	later := flags&flagDescriptor != 0 && (crc == 0 || crc == h.crc) &&
		(packed == 0 || packed == uint64(h.packed)) && (size == 0 || size == uint64(h.size))
	if !bytes.Equal(rest[:nameLen], h.raw) || method != h.method || flags&compared != h.flags&compared || !same && !later {
		return 0, refuse("zip_headers_differ", "The two headers of the file `{file}` contradict each other.", "file", shown(h.path))
	}
	return data, nil
}

// checkDescriptor compares the descriptor that may follow the data, with or without a signature and with sizes of four or
// eight bytes (APPNOTE 4.3.9), and returns where the entry ends.
func (h *header) checkDescriptor(in io.ReaderAt, at, directory int64) (int64, error) {
	if h.flags&flagDescriptor == 0 {
		return at, nil
	}
	b := make([]byte, min(24, directory-at))
	if err := readAt(in, b, at); err != nil {
		return 0, err
	}
	signed := le.AppendUint32(nil, sigDescriptor)
	narrow := le.AppendUint32(le.AppendUint32(le.AppendUint32(nil, h.crc), uint32(h.packed)), uint32(h.size))
	wide := le.AppendUint64(le.AppendUint64(le.AppendUint32(nil, h.crc), uint64(h.packed)), uint64(h.size))
	for _, form := range [][]byte{slices.Concat(signed, narrow), slices.Concat(signed, wide), narrow, wide} {
		if bytes.HasPrefix(b, form) {
			return at + int64(len(form)), nil
		}
	}
	return 0, refuse("zip_headers_differ", "What follows the file `{file}` contradicts its header.", "file", shown(h.path))
}

func (h *header) beyond() error {
	return refuse("zip_inconsistent", "The file `{file}` would lie beyond the end of the package.", "file", shown(h.path))
}
