package forward

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode"

	"rollway/internal/lrs"
	"rollway/xapi"
)

// errNoData is why a statement is not sent.
var errNoData = errors.New("it has an attachment without a fileUrl, whose data is not here")

// withData finds the data of a statement's attachments, which then goes with it (Communication 1.5.2).
func (a *attempt) withData(ctx context.Context, b *batch) error {
	list, err := a.Records.Attachments(ctx, reader(a.org, a.to.Forward), b.statements)
	if err != nil {
		return err
	}
	kept := map[string]bool{}
	for _, d := range list {
		kept[d.SHA2] = true
	}
	f, err := xapi.Read(b.statements[0].JSON, xapi.V2)
	if err != nil {
		return err
	}
	for i := range f.Attachments {
		if d := &f.Attachments[i]; d.FileURL == nil && !kept[string(d.SHA2)] {
			return errNoData
		}
	}
	b.data = list
	return nil
}

// body is what a request sends. Data is read from the disk while it is sent.
type body struct {
	contentType string
	length      int64
	heads       []string // what stands before the statements and before each piece of data
	tail        string
	statements  []byte
	data        []lrs.Attachment
	failed      error // of reading data
}

func (b batch) body() *body {
	text := []byte{'['}
	for i, st := range b.statements {
		if i > 0 {
			text = append(text, ',')
		}
		text = append(text, st.JSON...)
	}
	out := &body{contentType: "application/json", statements: append(text, ']'), data: b.data}
	out.length = int64(len(out.statements))
	if len(b.data) == 0 {
		return out
	}
	boundary := rand.Text()
	out.contentType = "multipart/mixed; boundary=" + boundary
	out.heads = []string{"--" + boundary + "\r\nContent-Type: application/json\r\n\r\n"}
	for _, d := range b.data {
		mediaType := d.ContentType
		if strings.ContainsFunc(mediaType, unicode.IsControl) {
			mediaType = "application/octet-stream"
		}
		out.heads = append(out.heads, fmt.Sprintf("\r\n--%s\r\nContent-Type: %s\r\nContent-Transfer-Encoding: binary\r\nX-Experience-API-Hash: %s\r\n\r\n", boundary, mediaType, d.SHA2))
		out.length += d.Size
	}
	out.tail = "\r\n--" + boundary + "--\r\n"
	for _, h := range append(out.heads, out.tail) {
		out.length += int64(len(h))
	}
	return out
}

// open yields the body's bytes; whoever reads them closes it. close waits until nothing reads data any more.
func (b *body) open() (r io.ReadCloser, wait func()) {
	if len(b.data) == 0 {
		return io.NopCloser(bytes.NewReader(b.statements)), func() {}
	}
	pr, pw := io.Pipe()
	done := make(chan struct{})
	go func() {
		defer close(done)
		err := b.write(pw)
		if err != nil && !errors.Is(err, io.ErrClosedPipe) {
			b.failed = err
		}
		pw.CloseWithError(err)
	}()
	return pr, func() {
		pr.Close()
		<-done
	}
}

func (b *body) write(w io.Writer) error {
	if _, err := io.WriteString(w, b.heads[0]); err != nil {
		return err
	}
	if _, err := w.Write(b.statements); err != nil {
		return err
	}
	for i, d := range b.data {
		if _, err := io.WriteString(w, b.heads[i+1]); err != nil {
			return err
		}
		if _, err := d.WriteTo(w); err != nil {
			return err
		}
	}
	_, err := io.WriteString(w, b.tail)
	return err
}
