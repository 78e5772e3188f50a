package lrsapi

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"

	"rollway/internal/fault"
)

// Limits of the head of a part.
const (
	maxHeadLine  = 8 << 10
	maxHeadLines = 32
)

// mixedReader reads multipart/mixed (RFC 2046 section 5.1) as a stream, strictly but for longBoundary: lines end in CR LF,
// every part has its head, and the last boundary is there. Text before the first boundary and after the last is passed over.
type mixedReader struct {
	r     *bufio.Reader
	delim []byte // CR LF "--" boundary
	left  bool   // of the part at hand, which ends before delim; of the text before the first boundary at the beginning
	fresh bool   // nothing of it was read: its delimiter may come without CR LF, which then is the one before
	done  bool
}

// mixedPart is one part; it is read before the next is asked for.
type mixedPart struct {
	head map[string]string // by name in lower case
	data io.Reader
}

func newMixedReader(r io.Reader, boundary string) *mixedReader {
	return &mixedReader{r: bufio.NewReaderSize(r, 64<<10), delim: []byte("\r\n--" + boundary), left: true, fresh: true}
}

// validBoundary tells whether a boundary is one (RFC 2046 section 5.1.1).
func validBoundary(s string) bool {
	for i := range len(s) {
		c := s[i]
		if (c < '0' || c > '9') && (c < 'A' || c > 'Z') && (c < 'a' || c > 'z') && !strings.ContainsRune("'()+_,-./:=? ", rune(c)) {
			return false
		}
	}
	return 0 < len(s) && len(s) <= 70 && !strings.HasSuffix(s, " ")
}

// next passes over the rest of the part at hand and returns the next one; io.EOF when there is none.
func (m *mixedReader) next() (mixedPart, error) {
	if m.done {
		return mixedPart{}, io.EOF
	}
	if _, err := io.Copy(io.Discard, m); err != nil {
		return mixedPart{}, err
	}
	last, err := m.boundary()
	if err != nil {
		return mixedPart{}, err
	}
	if last {
		m.done = true
		if _, err := io.Copy(io.Discard, m.r); err != nil {
			return mixedPart{}, err
		}
		return mixedPart{}, io.EOF
	}
	part := mixedPart{head: map[string]string{}, data: m}
	if err := m.readHead(part.head); err != nil {
		return mixedPart{}, err
	}
	m.left, m.fresh = true, true
	return part, nil
}

// Read reads the part at hand. What it gives is safe to give: no part of a boundary.
func (m *mixedReader) Read(p []byte) (int, error) {
	if !m.left {
		return 0, io.EOF
	}
	if len(p) == 0 {
		return 0, nil
	}
	ahead := len(m.delim) + 2
	window, err := m.r.Peek(max(ahead, m.r.Buffered()))
	n, size := m.find(window)
	m.fresh = false
	switch {
	case n == 0:
		return 0, m.end(size)
	case n > 0:
	case err == nil:
		n = len(window) - ahead + 1 // what follows may begin a delimiter
	default:
		return 0, broken(err, fmt.Sprintf("It ends without the last boundary, a line %q.", string(m.delim[2:])+"--"))
	}
	n = copy(p, window[:n])
	return n, m.skip(n)
}

// longBoundary is the length from which a boundary ends a part inside a line too: TinCanJS and @xapi/xapi leave out the CR LF
// before all boundaries but the second and the last. The hashes of attachments tell if such a boundary was data after all.
const longBoundary = 16

// find returns where the first delimiter begins, -1 if there is none, and how long it is.
func (m *mixedReader) find(window []byte) (at, size int) {
	mark := m.delim[2:]
	for from := 0; ; {
		i := bytes.Index(window[from:], mark)
		if i < 0 {
			return -1, 0
		}
		i += from
		after := window[i+len(mark):]
		switch {
		case i >= 2 && window[i-2] == '\r' && window[i-1] == '\n':
			return i - 2, len(m.delim)
		case i == 0 && m.fresh, len(mark) >= 2+longBoundary && bytes.HasPrefix(after, []byte("\r\n")):
			return i, len(mark)
		}
		from = i + 1
	}
}

// end passes over the delimiter.
func (m *mixedReader) end(n int) error {
	m.left = false
	if err := m.skip(n); err != nil {
		return err
	}
	return io.EOF
}

// skip passes over bytes that were peeked at.
func (m *mixedReader) skip(n int) error {
	_, err := m.r.Discard(n)
	return err
}

// boundary reads what follows a delimiter: two hyphens after the last, or only white space to the end of the line.
func (m *mixedReader) boundary() (last bool, err error) {
	line, err := m.r.ReadSlice('\n')
	if err != nil && err != io.EOF && !errors.Is(err, bufio.ErrBufferFull) {
		return false, err
	}
	rest, last := bytes.CutPrefix(line, []byte("--"))
	rest, whole := bytes.CutSuffix(rest, []byte("\r\n"))
	switch {
	case len(bytes.Trim(rest, " \t")) > 0 || err != nil && err != io.EOF:
		return false, badMixed("A boundary is followed by something else on its line.")
	case !whole && !last:
		return false, badMixed("It ends at a boundary that is not the last.")
	}
	return last, nil
}

// readHead reads the lines up to the empty one. A name that comes twice would have two meanings.
func (m *mixedReader) readHead(head map[string]string) error {
	for range maxHeadLines {
		line, err := m.line()
		if err != nil {
			return err
		}
		if len(line) == 0 {
			return nil
		}
		name, value, ok := bytes.Cut(line, []byte{':'})
		key := strings.ToLower(string(name))
		if _, twice := head[key]; !ok || twice || key == "" || strings.Trim(key, "abcdefghijklmnopqrstuvwxyz0123456789-_") != "" {
			return badMixed("The head of a part has a line that is no header, or a header twice.")
		}
		head[key] = string(bytes.Trim(value, " \t"))
	}
	return badMixed("The head of a part has too many lines.")
}

// line reads a line and leaves its end out.
func (m *mixedReader) line() ([]byte, error) {
	line, err := m.r.ReadSlice('\n')
	if len(line) > maxHeadLine || errors.Is(err, bufio.ErrBufferFull) {
		return nil, badMixed("The head of a part has a line that is too long.")
	}
	if err != nil {
		return nil, broken(err, "It ends in the head of a part.")
	}
	line, ok := bytes.CutSuffix(line, []byte("\r\n"))
	if !ok {
		return nil, badMixed("Lines end in CR LF.")
	}
	if bytes.ContainsFunc(line, func(r rune) bool { return r < ' ' && r != '\t' || r == 0x7F }) {
		return nil, badMixed("The head of a part has a control character.")
	}
	return line, nil
}

// broken is what is wrong when the body ends too early; another error is the body's own.
func broken(err error, message string) error {
	if err != io.EOF {
		return err
	}
	return badMixed(message)
}

func badMixed(message string) error {
	return fault.New(fault.Invalid, "bad_multipart", "The body cannot be read as multipart/mixed. %s", message)
}
