package lrs

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"

	"github.com/go-json-experiment/json"

	"rollway/internal/fault"
)

// Lines is a Source of one statement a line (NDJSON).
type Lines struct {
	name string
	in   io.Reader
	r    *bufio.Reader
	at   lineMark
}

// lineMark is where a line ends, and what it was, so that another file under the same name is not taken for this one.
type lineMark struct {
	Line int64  `json:"line"`
	From int64  `json:"from"` // bytes before the line
	To   int64  `json:"to"`   // bytes before the next one
	Sum  string `json:"sum"`  // of the line, hexadecimal
}

// NewLines reads statements from a file or anything else; only a file can be resumed. The name tells it from others.
func NewLines(name string, in io.Reader) *Lines {
	return &Lines{name: name, in: in, r: bufio.NewReaderSize(in, 64<<10)}
}

// Name implements [Source].
func (l *Lines) Name() string { return l.name }

// Resume implements [Source]. It refuses a file whose line at the cursor is another one now.
func (l *Lines) Resume(cursor string) error {
	file, ok := l.in.(io.Seeker)
	if !ok {
		return fault.New(fault.Invalid, "no_resume", "What comes from a pipe cannot be resumed. Send all of it again without --resume: what is here already is only counted.")
	}
	var at lineMark
	if err := json.Unmarshal([]byte(cursor), &at); err != nil {
		return err
	}
	if _, err := file.Seek(at.From, io.SeekStart); err != nil {
		return err
	}
	l.r.Reset(l.in)
	l.at = lineMark{Line: at.Line - 1, To: at.From}
	text, _, err := l.line()
	if err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	if hashLine(text) != at.Sum {
		return fault.New(fault.Conflict, "file_changed", "%s is not the file that was imported before: line %d is another one. Import it without --resume.", l.name, at.Line)
	}
	l.at = at
	return nil
}

// Next implements [Source]. A last line without its line feed is read, but not gone past: the file may not be whole yet.
func (l *Lines) Next(context.Context) (Item, error) {
	for {
		before := l.at
		text, long, err := l.line()
		whole := err == nil
		if err != nil && (!errors.Is(err, io.EOF) || len(text) == 0 && !long) {
			return Item{}, err
		}
		l.at.Sum = hashLine(text)
		item := Item{Text: bytes.TrimSpace(text), Place: fmt.Sprintf("line %d", l.at.Line)}
		at := l.at
		if !whole {
			at = before
		}
		if at.Line > 0 {
			cursor, err := json.Marshal(at)
			if err != nil {
				return Item{}, err
			}
			item.Cursor = string(cursor)
		}
		switch {
		case long:
			item.Err = errLong
		case len(item.Text) == 0:
			continue
		case !whole && idOf(item.Text) == "":
			item.Err = fault.New(fault.Invalid, "torn_line", "The file ends in the middle of this line.")
		}
		return item, nil
	}
}

// line reads a line, without its byte order mark; of one that is too long, only where it ends.
func (l *Lines) line() (text []byte, long bool, err error) {
	l.at.Line++
	l.at.From = l.at.To
	for {
		part, err := l.r.ReadSlice('\n')
		l.at.To += int64(len(part))
		if long = long || len(text)+len(part) > MaxBody; long {
			text = nil
		} else {
			text = append(text, part...)
		}
		if !errors.Is(err, bufio.ErrBufferFull) {
			if l.at.Line == 1 {
				text = bytes.TrimPrefix(text, []byte("\xEF\xBB\xBF"))
			}
			return text, long, err
		}
	}
}

func hashLine(text []byte) string {
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:8])
}
