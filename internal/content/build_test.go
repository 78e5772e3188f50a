package content

import (
	"bytes"
	"compress/flate"
	"errors"
	"hash/crc32"
	"testing"

	"rollway/internal/fault"
)

// zipEntry is an entry for a zip written byte by byte, so that each field can lie.
type zipEntry struct {
	name       string
	content    string
	deflate    bool
	packed     []byte // instead of the packed content
	flags      uint16
	attributes uint32
	descriptor string // "", "signed", "plain", "signed64" or "plain64"
	zip64      bool   // sizes and offset in the extra field
	extra      []byte // further extra fields, in both headers
	trailer    []byte // bytes between the data and the descriptor

	central func(fixed []byte) // changes the 46 bytes of the central header
	local   func(fixed []byte) // changes the 30 bytes of the local header
	lname   string             // another name in the local header
}

// zipFile is a zip of such entries.
type zipFile struct {
	entries []zipEntry
	prefix  []byte
	gap     []byte // between the last entry and the central directory
	after   []byte // between the central directory and its end record
	comment string
	zip64   bool
	end     func(fixed []byte) // changes the 22 bytes of the end record
	end64   func(fixed []byte) // changes the 56 bytes of the zip64 end record
	locator func(fixed []byte)
}

func deflate(t testing.TB, content string) []byte {
	t.Helper()
	var b bytes.Buffer
	w, err := flate.NewWriter(&b, flate.BestCompression)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write([]byte(content)); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func change(f func([]byte), b []byte) []byte {
	if f != nil {
		f(b)
	}
	return b
}

func (z zipFile) bytes(t testing.TB) []byte {
	t.Helper()
	out := bytes.Clone(z.prefix)
	var directory []byte
	for _, e := range z.entries {
		local, central := e.bytes(t, uint64(len(out)))
		out, directory = append(out, local...), append(directory, central...)
	}
	out = append(out, z.gap...)
	at, n := uint64(len(out)), uint64(len(z.entries))
	out = append(append(out, directory...), z.after...)

	if z.zip64 {
		at64 := uint64(len(out))
		b := le.AppendUint64(le.AppendUint32(nil, sigEnd64), lenEnd64-12)
		b = append(b, 45, 0, 45, 0, 0, 0, 0, 0, 0, 0, 0, 0)
		b = le.AppendUint64(le.AppendUint64(b, n), n)
		b = le.AppendUint64(le.AppendUint64(b, uint64(len(directory))), at)
		out = append(out, change(z.end64, b)...)
		loc := le.AppendUint32(le.AppendUint32(nil, sigLocator64), 0)
		loc = le.AppendUint32(le.AppendUint64(loc, at64), 1)
		out = append(out, change(z.locator, loc)...)
	}
	b := append(le.AppendUint32(nil, sigEnd), 0, 0, 0, 0)
	if z.zip64 {
		b = le.AppendUint16(le.AppendUint16(b, max16), max16)
		b = le.AppendUint32(le.AppendUint32(b, max32), max32)
	} else {
		b = le.AppendUint16(le.AppendUint16(b, uint16(n)), uint16(n))
		b = le.AppendUint32(le.AppendUint32(b, uint32(len(directory))), uint32(at))
	}
	b = le.AppendUint16(b, uint16(len(z.comment)))
	return append(append(out, change(z.end, b)...), z.comment...)
}

// bytes returns the local part of an entry, data included, and its central header.
func (e zipEntry) bytes(t testing.TB, offset uint64) (local, central []byte) {
	t.Helper()
	packed, method := []byte(e.content), uint16(stored)
	if e.deflate {
		packed, method = deflate(t, e.content), deflated
	}
	if e.packed != nil {
		packed = e.packed
	}
	crc, csize, size := crc32.ChecksumIEEE([]byte(e.content)), uint64(len(packed)), uint64(len(e.content))
	flags := e.flags
	if e.descriptor != "" {
		flags |= flagDescriptor
	}
	lname := e.lname
	if lname == "" {
		lname = e.name
	}

	common := func(b []byte, crc uint32, csize, size uint64) []byte {
		b = le.AppendUint16(le.AppendUint16(b, flags), method)
		b = le.AppendUint32(append(b, 0, 0, 0x21, 0x5c), crc)
		return le.AppendUint32(le.AppendUint32(b, uint32(csize)), uint32(size))
	}
	var lextra, cextra []byte
	lcrc, lcsize, lsize, ccsize, csize32, coffset := crc, csize, size, csize, size, offset
	if e.descriptor != "" {
		lcrc, lcsize, lsize = 0, 0, 0
	}
	if e.zip64 {
		lextra = le.AppendUint64(le.AppendUint64([]byte{1, 0, 16, 0}, lsize), lcsize)
		cextra = le.AppendUint64(le.AppendUint64(le.AppendUint64([]byte{1, 0, 24, 0}, size), csize), offset)
		lcsize, lsize, ccsize, csize32, coffset = max32, max32, max32, max32, max32
	}
	lextra, cextra = append(lextra, e.extra...), append(cextra, e.extra...)

	local = common(append(le.AppendUint32(nil, sigLocal), 20, 0), lcrc, lcsize, lsize)
	local = le.AppendUint16(le.AppendUint16(local, uint16(len(lname))), uint16(len(lextra)))
	local = append(append(append(append(change(e.local, local), lname...), lextra...), packed...), e.trailer...)
	if e.descriptor == "signed" || e.descriptor == "signed64" {
		local = le.AppendUint32(local, sigDescriptor)
	}
	switch e.descriptor {
	case "signed", "plain":
		local = le.AppendUint32(le.AppendUint32(le.AppendUint32(local, crc), uint32(csize)), uint32(size))
	case "signed64", "plain64":
		local = le.AppendUint64(le.AppendUint64(le.AppendUint32(local, crc), csize), size)
	}

	central = common(append(le.AppendUint32(nil, sigCentral), 20, 3, 20, 0), crc, ccsize, csize32)
	central = le.AppendUint16(le.AppendUint16(central, uint16(len(e.name))), uint16(len(cextra)))
	central = append(central, 0, 0, 0, 0, 0, 0)
	central = le.AppendUint32(le.AppendUint32(central, e.attributes), uint32(coffset))
	return local, append(append(change(e.central, central), e.name...), cextra...)
}

// files makes a zip of stored files from pairs of name and content.
func files(pairs ...string) zipFile {
	var z zipFile
	for i := 0; i < len(pairs); i += 2 {
		z.entries = append(z.entries, zipEntry{name: pairs[i], content: pairs[i+1]})
	}
	return z
}

func (z zipFile) open(t testing.TB, l Limits) (*Zip, error) {
	t.Helper()
	b := z.bytes(t)
	return OpenZip(bytes.NewReader(b), int64(len(b)), l)
}

// code returns the code of the fault in err, "" for no error.
func code(err error) string {
	if err == nil {
		return ""
	}
	var f *fault.Error
	if !errors.As(err, &f) {
		return "not a fault: " + err.Error()
	}
	return f.Code
}

func put16(at int, v uint16) func([]byte) { return func(b []byte) { le.PutUint16(b[at:], v) } }
func put32(at int, v uint32) func([]byte) { return func(b []byte) { le.PutUint32(b[at:], v) } }
func put64(at int, v uint64) func([]byte) { return func(b []byte) { le.PutUint64(b[at:], v) } }
