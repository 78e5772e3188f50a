package content

import (
	"bufio"
	"compress/flate"
	"errors"
	"fmt"
	"hash"
	"hash/crc32"
	"io"
)

// Open returns a reader of the file's bytes. It never gives more bytes than the zip declares for the file, and io.EOF comes
// only after exactly that many bytes with the declared checksum, out of exactly the declared packed bytes; otherwise the
// last read fails. So whoever copies must not use what was copied before the copy has ended without an error. Several files
// may be read at once.
func (f *File) Open() io.Reader {
	section := io.NewSectionReader(f.in, f.data, f.head.packed)
	r := &fileReader{file: f, packed: bufio.NewReader(section), left: f.Size, sum: crc32.NewIEEE()}
	r.bytes = r.packed
	if f.head.method == deflated {
		r.bytes = flate.NewReader(r.packed)
	}
	return r
}

type fileReader struct {
	file   *File
	packed *bufio.Reader // the packed bytes; flate takes no more of them than it needs
	bytes  io.Reader     // the inflated bytes
	left   int64         // inflated bytes still to come
	sum    hash.Hash32
	err    error // how it ended
}

func (r *fileReader) Read(p []byte) (int, error) {
	if r.err != nil {
		return 0, r.err
	}
	if len(p) == 0 {
		return 0, nil
	}
	if r.left == 0 {
		r.err = r.finish()
		return 0, r.err
	}
	n, err := r.bytes.Read(p[:min(int64(len(p)), r.left)])
	r.sum.Write(p[:n])
	r.left -= int64(n)
	switch {
	case err == nil:
	case errors.Is(err, io.EOF) && r.left == 0:
		r.err = r.finish()
	default:
		r.err = r.broken(err)
	}
	return n, r.err
}

// finish checks that there is nothing more, neither inflated nor packed, and that the checksum is right.
func (r *fileReader) finish() error {
	name := shown(r.file.Path)
	n, err := io.ReadFull(r.bytes, make([]byte, 1))
	switch {
	case n > 0:
		return refuse("zip_size", "The file `{file}` is larger than the zip says.", "file", name)
	case !errors.Is(err, io.EOF):
		return r.broken(err)
	}
	if _, err := r.packed.ReadByte(); err == nil {
		return refuse("zip_size", "The file `{file}` is smaller when packed than the zip says.", "file", name)
	} else if !errors.Is(err, io.EOF) {
		return r.broken(err)
	}
	if r.sum.Sum32() != r.file.head.crc {
		return refuse("zip_checksum", "The file `{file}` is damaged: its checksum is wrong.", "file", name)
	}
	return io.EOF
}

// broken tells a file that is at fault from an upload that cannot be read.
func (r *fileReader) broken(err error) error {
	var corrupt flate.CorruptInputError
	switch {
	case errors.Is(err, io.EOF):
		return refuse("zip_size", "The file `{file}` is smaller than the zip says.", "file", shown(r.file.Path))
	case errors.As(err, &corrupt), errors.Is(err, io.ErrUnexpectedEOF):
		return refuse("zip_damaged", "The file `{file}` is damaged and cannot be unpacked.", "file", shown(r.file.Path))
	}
	return fmt.Errorf("read the package: %w", err)
}
