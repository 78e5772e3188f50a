package main

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/go-json-experiment/json"

	"rollway/internal/access"
	"rollway/internal/app"
	"rollway/internal/blob"
	"rollway/internal/id"
	"rollway/internal/lrs"
)

// StatementsExport is `statements export`.
type StatementsExport struct {
	Since       timeFlag `help:"Only what was stored after this time (RFC 3339)." placeholder:"TIME"`
	Until       timeFlag `help:"Only what was stored at this time or before." placeholder:"TIME"`
	Out         string   `help:"File to write; a new one. Default: standard output." placeholder:"FILE"`
	Resume      bool     `help:"Go on behind the last whole line of the file: what was broken off, or what has come since."`
	Attachments string   `help:"Directory to write the data of attachments to, each as a file named by its sha2." placeholder:"DIR"`
	Organization
	Output
}

// Run writes the statements.
func (c *StatementsExport) Run(s *surroundings) error {
	if c.Resume && c.Out == "" {
		return misuse("Only an export into a file can be resumed: --resume needs --out.")
	}
	return s.houseOf(c.Organization, func(h *app.House, caller access.Caller) (err error) {
		extent := lrs.Extent{Since: c.Since.Time, Until: c.Until.Time}
		if c.Attachments != "" {
			if err := os.MkdirAll(c.Attachments, 0o700); err != nil {
				return err
			}
			extent.Data = func(a lrs.Attachment) error { return writeAttachment(c.Attachments, a) }
		}
		if err := c.tellOfOthers(s, h, caller); err != nil {
			return err
		}
		if c.Out == "" {
			_, err := export(s, h, caller, extent, s.out, func() error { return nil })
			return err
		}
		f, cut, err := c.open(&extent)
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, f.Close()) }()
		done, err := export(s, h, caller, extent, f, cut)
		if err != nil {
			return err
		}
		if err := f.Sync(); err != nil {
			return err
		}
		return c.print(s, done, []string{"statements", "through"}, [][]string{{strconv.FormatInt(done.Statements, 10), done.Through.Format(time.RFC3339Nano)}})
	})
}

// tellOfOthers tells who named no organization of those that the export leaves out.
func (o Organization) tellOfOthers(s *surroundings, h *app.House, caller access.Caller) error {
	if o.Org != "" {
		return nil
	}
	n, err := h.Records.Elsewhere(s, caller)
	if n > 0 {
		fmt.Fprintf(s.err, "This is the organization default alone. Others that have statements: %d. An export each: --org SLUG; rollway org list shows the slugs.\n", n)
	}
	return err
}

// export writes the statements, after a call of ready once it is known that there is no reason not to.
func export(s *surroundings, h *app.House, c access.Caller, e lrs.Extent, w io.Writer, ready func() error) (lrs.Exported, error) {
	b := bufio.NewWriterSize(w, 256<<10)
	done, err := h.Records.Export(s, c, e, func(st lrs.Statement) error {
		if err := ready(); err != nil {
			return err
		}
		_, err := b.Write(append(st.JSON, '\n'))
		return err
	})
	if err == nil {
		err = ready()
	}
	if err = errors.Join(err, b.Flush()); err == nil {
		fmt.Fprintf(s.err, "%s written, stored up to %s.\n", count(done.Statements, "statement"), done.Through.Format(time.RFC3339Nano))
	}
	return done, err
}

// writeAttachment writes the data under its name, whole or not at all.
func writeAttachment(dir string, a lrs.Attachment) error {
	path := filepath.Join(dir, strings.ToLower(a.SHA2))
	if info, err := os.Stat(path); err == nil && info.Size() == a.Size {
		return nil
	}
	return blob.WriteFile(path, func(w io.Writer) error {
		_, err := a.WriteTo(w)
		return err
	})
}

// open opens the file, and when resuming finds the statement to go on behind. What it returns beside the file makes it ready
// to be written to: it cuts a torn last line.
func (c *StatementsExport) open(e *lrs.Extent) (f *os.File, ready func() error, err error) {
	if !c.Resume {
		f, err := os.OpenFile(c.Out, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
		if errors.Is(err, os.ErrExist) {
			err = fmt.Errorf("%s is there already; go on with it by --resume, or name another file", c.Out)
		}
		return f, func() error { return nil }, err
	}
	if f, err = os.OpenFile(c.Out, os.O_RDWR|os.O_CREATE, 0o600); err != nil {
		return nil, nil, err
	}
	line, end, err := lastLine(f)
	if err == nil {
		e.After, err = c.last(f, line, end)
	}
	if err != nil {
		return nil, nil, errors.Join(err, f.Close())
	}
	return f, sync.OnceValue(func() error {
		if err := f.Truncate(end); err != nil {
			return err
		}
		_, err := f.Seek(end, io.SeekStart)
		return err
	}), nil
}

// last is the statement of the last whole line, the zero value when there is none. A file that cannot be an export is
// refused: nothing of it may be cut.
func (c *StatementsExport) last(f *os.File, line []byte, end int64) (id.StatementID, error) {
	if end == 0 {
		var first [1]byte
		if _, err := f.ReadAt(first[:], 0); errors.Is(err, io.EOF) {
			return id.StatementID{}, nil
		} else if err != nil || first[0] != '{' {
			return id.StatementID{}, errors.Join(err, fmt.Errorf("%s is no export: it does not begin with a statement", c.Out))
		}
		return id.StatementID{}, nil
	}
	var last struct {
		ID id.StatementID `json:"id"`
	}
	if err := json.Unmarshal(line, &last); err != nil || last.ID.IsZero() {
		return id.StatementID{}, fmt.Errorf("%s is no export: its last line is no statement", c.Out)
	}
	return last.ID, nil
}

// lastLine reads a file backwards for its last line that is whole, and tells where it ends.
func lastLine(f *os.File) (line []byte, end int64, err error) {
	at, err := f.Seek(0, io.SeekEnd)
	if err != nil {
		return nil, 0, err
	}
	var tail []byte
	for {
		last := bytes.LastIndexByte(tail, '\n')
		first := bytes.LastIndexByte(tail[:max(last, 0)], '\n')
		if first >= 0 || last >= 0 && at == 0 {
			return tail[first+1 : last], at + int64(last) + 1, nil
		}
		if at == 0 {
			return nil, 0, nil
		}
		size := min(at, int64(max(64<<10, len(tail))))
		at -= size
		tail = append(make([]byte, size), tail...)
		if _, err := f.ReadAt(tail[:size], at); err != nil {
			return nil, 0, err
		}
	}
}
