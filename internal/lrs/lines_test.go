package lrs_test

import (
	"bytes"
	"io"
	"slices"
	"strings"
	"testing"

	"rollway/internal/lrs"
)

// What the lines of a file are does not depend on where their reader was broken off.
func FuzzLines(f *testing.F) {
	f.Add([]byte("{\"id\":\"1\"}\n\n  {\"id\":2}\r\n\xff\n{\"id\":\"3\""))
	f.Add([]byte("\xEF\xBB\xBF{}\n{\"a\":1}"))
	f.Fuzz(func(t *testing.T, file []byte) {
		all := items(t, lrs.NewLines("f", bytes.NewReader(file)))
		for i, item := range all {
			if item.Cursor == "" {
				continue
			}
			l := lrs.NewLines("f", bytes.NewReader(file))
			if err := l.Resume(item.Cursor); err != nil {
				t.Fatal(err)
			}
			rest := all[i+1:]
			if !strings.Contains(item.Cursor, `"line":`+strings.TrimPrefix(item.Place, "line ")+`,`) {
				rest = all[i:] // the torn line comes again
			}
			if got := items(t, l); !slices.EqualFunc(got, rest, same) {
				t.Fatalf("behind %s come %v, not %v", item.Place, got, rest)
			}
		}
	})
}

func same(a, b lrs.Item) bool {
	return a.Place == b.Place && a.Cursor == b.Cursor && bytes.Equal(a.Text, b.Text) && (a.Err == nil) == (b.Err == nil)
}

func items(t *testing.T, l *lrs.Lines) (all []lrs.Item) {
	for {
		item, err := l.Next(t.Context())
		if err == io.EOF {
			return all
		}
		if err != nil {
			t.Fatal(err)
		}
		item.Text = bytes.Clone(item.Text)
		all = append(all, item)
	}
}
