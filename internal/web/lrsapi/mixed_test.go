package lrsapi

import (
	"bytes"
	"errors"
	"io"
	"maps"
	"mime/multipart"
	"slices"
	"strings"
	"testing"
	"testing/iotest"

	"pgregory.net/rapid"

	"rollway/internal/fault"
)

type readPart struct {
	head map[string]string
	data string
}

func readMixed(r io.Reader, boundary string) (parts []readPart, err error) {
	m := newMixedReader(r, boundary)
	for {
		p, err := m.next()
		if err == io.EOF {
			return parts, nil
		}
		if err != nil {
			return nil, err
		}
		data, err := io.ReadAll(p.data)
		if err != nil {
			return nil, err
		}
		parts = append(parts, readPart{p.head, string(data)})
	}
}

func TestMixedReader(t *testing.T) {
	t.Parallel()
	head := map[string]string{"content-type": "text/plain"}
	for name, c := range map[string]struct {
		body string
		want []readPart
	}{
		"one part":                  {"--b\r\nContent-Type: text/plain\r\n\r\nhello\r\n--b--\r\n", []readPart{{head, "hello"}}},
		"nothing after the last":    {"--b\r\nContent-Type:text/plain\r\n\r\nhello\r\n--b--", []readPart{{head, "hello"}}},
		"text around":               {"before\r\n--b\r\nCONTENT-TYPE: \ttext/plain \r\n\r\nhello\r\n--b--\r\nafter --b", []readPart{{head, "hello"}}},
		"an empty line before":      {"\r\n--b\r\n\r\nhello\r\n--b--", []readPart{{nil, "hello"}}},
		"white space after":         {"--b \t\r\n\r\nhello\r\n--b-- \r\n", []readPart{{nil, "hello"}}},
		"nothing in a part":         {"--b\r\n\r\n\r\n--b\r\n\r\n--b--", []readPart{{nil, ""}, {nil, ""}}},
		"line ends that are data":   {"--b\r\n\r\n\r\n\n\r\r\n\r\n--b--", []readPart{{nil, "\r\n\n\r\r\n"}}},
		"a boundary inside a line":  {"--b\r\n\r\nx--b\n--b\r--b--\r\n--b--", []readPart{{nil, "x--b\n--b\r--b--"}}},
		"the beginning of boundary": {"--b\r\n\r\n\r\n-\r\n--\r\r\n--c\r\n--b--", []readPart{{nil, "\r\n-\r\n--\r\r\n--c"}}},
		"no parts":                  {"--b--", nil},
	} {
		for _, r := range []io.Reader{strings.NewReader(c.body), iotest.OneByteReader(strings.NewReader(c.body)), iotest.DataErrReader(strings.NewReader(c.body))} {
			got, err := readMixed(r, "b")
			if err != nil || !slices.EqualFunc(got, c.want, func(a, b readPart) bool { return a.data == b.data && maps.Equal(a.head, b.head) }) {
				t.Errorf("%s: %q, %v", name, got, err)
			}
		}
	}
	for name, body := range map[string]string{
		"nothing":                    "",
		"no boundary":                "Content-Type: text/plain\r\n\r\nhello",
		"another boundary":           "--c\r\n\r\nhello\r\n--c--",
		"not the last boundary":      "--b\r\n\r\nhello\r\n--b\r\n",
		"no end of the boundary":     "--b\r\n\r\nhello\r\n--b",
		"one hyphen":                 "--b\r\n\r\nhello\r\n--b-",
		"no last boundary":           "--b\r\n\r\nhello",
		"the end in the head":        "--b\r\nContent-Type: text/plain",
		"more after the boundary":    "--b\r\n\r\nhello\r\n--bc\r\n\r\n--b--",
		"more after the last":        "--b\r\n\r\nhello\r\n--b--c\r\n",
		"line feeds alone":           "--b\n\nhello\n--b--",
		"a line feed alone":          "--b\r\nContent-Type: text/plain\n\r\nhello\r\n--b--",
		"a line that is no header":   "--b\r\nhello\r\n\r\nhello\r\n--b--",
		"a header without a name":    "--b\r\n: x\r\n\r\nhello\r\n--b--",
		"a folded header":            "--b\r\nA: x\r\n y: z\r\n\r\nhello\r\n--b--",
		"a space before the colon":   "--b\r\nContent-Type : text/plain\r\n\r\nhello\r\n--b--",
		"a header twice":             "--b\r\nA: x\r\na: x\r\n\r\nhello\r\n--b--",
		"a return in a header":       "--b\r\nA: x\ry\r\n\r\nhello\r\n--b--",
		"a long line":                "--b\r\nA: " + strings.Repeat("x", maxHeadLine) + "\r\n\r\nhello\r\n--b--",
		"a line longer than buffers": "--b\r\nA: " + strings.Repeat("x", 1<<20) + "\r\n\r\nhello\r\n--b--",
		"a boundary's long line":     "--b" + strings.Repeat(" ", 1<<20) + "\r\n\r\nhello\r\n--b--",
		"many headers":               "--b\r\n" + strings.Repeat("A: x\r\n", maxHeadLines+1) + "\r\nhello\r\n--b--",
	} {
		if got, err := readMixed(strings.NewReader(body), "b"); !fault.Is(err, fault.Invalid) {
			t.Errorf("%s: %q, %v", name, got, err)
		}
	}
	broke := errors.New("the client left")
	for _, body := range []string{"", "--b", "--b\r\nA:", "--b\r\n\r\nhel", "--b\r\n\r\nhello\r\n--b", "--b\r\n\r\nhello\r\n--b--\r\n"} {
		if _, err := readMixed(io.MultiReader(strings.NewReader(body), iotest.ErrReader(broke)), "b"); !errors.Is(err, broke) {
			t.Errorf("broken off after %q: %v", body, err)
		}
	}
}

// A long boundary ends a part inside a line too, as two libraries in the field write it; what only looks like it is data.
func TestLongBoundaries(t *testing.T) {
	t.Parallel()
	const b = "0123456789abcdef"
	for data, want := range map[string]string{
		"one": "one", "": "", "one\r": "one\r", "one\r\n": "one", "one\r\n\r\n": "one\r\n",
		"one--" + b: "one--" + b, "x--" + b + "x": "x--" + b + "x", "x--" + b + "-": "x--" + b + "-", "--" + b[:15]: "--" + b[:15], "----" + b + "\r": "----" + b + "\r",
	} {
		body := "--" + b + "\r\n\r\n{}\r\n--" + b + "\r\nN: 1\r\n\r\n" + data + "--" + b + "\r\nN: 2\r\n\r\ntwo\r\n--" + b + "--\r\n"
		for _, r := range []io.Reader{strings.NewReader(body), iotest.OneByteReader(strings.NewReader(body))} {
			parts, err := readMixed(r, b)
			if err != nil || len(parts) != 3 || parts[0].data != "{}" || parts[1].data != want || parts[2].data != "two" {
				t.Errorf("%q: %q %v", data, parts, err)
			}
		}
	}
	short := "--b\r\n\r\none--b\r\ntwo\r\n--b--"
	if parts, err := readMixed(strings.NewReader(short), "b"); err != nil || len(parts) != 1 || parts[0].data != "one--b\r\ntwo" {
		t.Errorf("a short boundary inside a line: %q %v", parts, err)
	}
}

// A part that nobody read does not stand in the way of the next.
func TestMixedReaderPassesOver(t *testing.T) {
	t.Parallel()
	m := newMixedReader(strings.NewReader("--b\r\n\r\n"+strings.Repeat("long ", 100_000)+"\r\n--b\r\nN: 2\r\n\r\nhello\r\n--b--"), "b")
	for range 2 {
		if _, err := m.next(); err != nil {
			t.Fatal(err)
		}
	}
	if b, err := io.ReadAll(m); err != nil || string(b) != "hello" {
		t.Fatalf("%q %v", b, err)
	}
	for range 2 {
		if _, err := m.next(); err != io.EOF {
			t.Fatal(err)
		}
	}
}

func TestBoundary(t *testing.T) {
	t.Parallel()
	for s, want := range map[string]bool{
		"b": true, "abcABC0123'()+_,-./:=?": true, "a b": true, strings.Repeat("x", 70): true,
		"": false, "a ": false, strings.Repeat("x", 71): false, "a\"": false, "a\r\n": false, "ä": false, "a;b": false,
	} {
		if validBoundary(s) != want {
			t.Errorf("%q", s)
		}
	}
}

// Whatever parts are written come out byte for byte, however the bytes arrive.
func TestMixedReaderGivesWhatWasWritten(t *testing.T) {
	t.Parallel()
	// Data made of pieces of boundaries is the hard case.
	piece := rapid.SampledFrom([]string{"\r", "\n", "\r\n", "-", "--", "b", "\r\n--", "\r\n-", "\r\n--a", "\x00", "\xff", "long text without anything"})
	rapid.Check(t, func(r *rapid.T) {
		boundary := rapid.SampledFrom([]string{"b", "bb", "b-", "-b", "---", "boundary", "boundary-with-more-than-sixteen"}).Draw(r, "boundary")
		var body bytes.Buffer
		var want []string
		for range rapid.IntRange(0, 4).Draw(r, "parts") {
			data := strings.Join(rapid.SliceOfN(piece, 0, 40).Draw(r, "data"), "")
			if strings.Contains("\r\n"+data+"\r\n--", "\r\n--"+boundary) {
				continue
			}
			want = append(want, data)
			body.WriteString("\r\n--" + boundary + "\r\nContent-Type: x/y\r\n\r\n" + data)
		}
		body.WriteString("\r\n--" + boundary + "--")
		in := []io.Reader{&body, iotest.OneByteReader(&body), iotest.HalfReader(&body), iotest.DataErrReader(&body)}[rapid.IntRange(0, 3).Draw(r, "arrival")]
		parts, err := readMixed(in, boundary)
		if err != nil || len(parts) != len(want) {
			r.Fatalf("%d parts of %d: %v", len(parts), len(want), err)
		}
		for i, p := range parts {
			if p.data != want[i] {
				r.Fatalf("part %d is %q, not %q", i, p.data, want[i])
			}
		}
	})
}

// What this reader takes, Go's own takes as well, and reads the same.
func FuzzMixedReader(f *testing.F) {
	f.Add("b", []byte("--b\r\nContent-Type: application/json\r\n\r\n{}\r\n--b\r\nX: y\r\n\r\ndata\r\n--b--\r\n"))
	f.Add("b", []byte("x\r\n--b \r\n\r\n\r\n--b\r\n\r\n--b--"))
	f.Add("b", []byte("--b\r\n0:\x7f\r\n\r\n--b--"))
	f.Add("-", []byte("---\r\n\r\n\r\n-----"))
	f.Fuzz(func(t *testing.T, boundary string, body []byte) {
		if !validBoundary(boundary) {
			return
		}
		parts, err := readMixed(bytes.NewReader(body), boundary)
		if err != nil {
			if !fault.Is(err, fault.Invalid) {
				t.Errorf("%v", err)
			}
			return
		}
		again, err := readMixed(iotest.OneByteReader(bytes.NewReader(body)), boundary)
		if err != nil || len(again) != len(parts) {
			t.Fatalf("byte by byte %d parts instead of %d: %v", len(again), len(parts), err)
		}
		if bytes.Contains(bytes.ReplaceAll(body, []byte("\r\n"), nil), []byte("\n")) || strings.ContainsAny(boundary, " -") || len(boundary) >= longBoundary {
			return // Go's reader takes lines that end in LF alone, and white space, in its own way
		}
		other := multipart.NewReader(bytes.NewReader(body), boundary)
		for i, p := range parts {
			theirs, err := other.NextRawPart()
			if err != nil {
				t.Fatalf("part %d: %v", i, err)
			}
			data, err := io.ReadAll(theirs)
			if err != nil || string(data) != p.data {
				t.Fatalf("part %d is %q, and %q to Go: %v", i, p.data, data, err)
			}
		}
		if _, err := other.NextRawPart(); err != io.EOF {
			t.Fatalf("there are more parts: %v", err)
		}
	})
}
