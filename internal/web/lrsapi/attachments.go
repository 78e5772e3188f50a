package lrsapi

import (
	"bufio"
	"crypto/rand"
	"io"
	"mime"
	"net/http"
	"strconv"
	"strings"

	"rollway/internal/fault"
	"rollway/internal/id"
	"rollway/internal/lrs"
	"rollway/internal/web"
)

// Names of the headers of a part (Communication 1.5.2). Clients look the hash up in these letters.
const (
	writtenHash     = "X-Experience-API-Hash"
	writtenEncoding = "Content-Transfer-Encoding"
)

// maxMixed bounds a body with attachments, in bytes: what the store takes, and 4 KB for the head of each part.
const maxMixed = lrs.MaxBody + lrs.MaxAttachments + lrs.MaxParts<<12

// isMixed tells bodies with attachments, of which only the statements are held in memory.
func isMixed(r *http.Request) bool {
	media, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	return err == nil && media == "multipart/mixed"
}

// put stores the statements of a request: JSON, or multipart/mixed with JSON and then the data of attachments. The
// specification asks for 400 where HTTP has 415 (Communication 1.5).
func (d *door) put(r *http.Request, a asked, wanted id.StatementID) ([]id.StatementID, error) {
	sent := r.Header.Get("Content-Type")
	switch {
	case isJSON(sent):
		body, err := web.Body(r, lrs.MaxBody)
		if err != nil {
			return nil, err
		}
		return d.store.Put(r.Context(), a.caller, a.line, wanted, body)
	case isMixed(r):
		return d.putMixed(r, a, wanted)
	}
	return nil, badType("Statements are sent as application/json in UTF-8, or as multipart/mixed with the data of their attachments.")
}

func (d *door) putMixed(r *http.Request, a asked, wanted id.StatementID) ([]id.StatementID, error) {
	_, values, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil || !validBoundary(values["boundary"]) {
		return nil, badType("The header Content-Type of multipart/mixed needs a boundary of 1 to 70 characters (RFC 2046).")
	}
	m := newMixedReader(web.Limited(r, maxMixed), values["boundary"])
	first, err := m.next()
	switch {
	case err == io.EOF:
		return nil, badMixed("It has no parts; the first has the statements.")
	case err != nil:
		return nil, err
	case !isJSON(first.head["content-type"]):
		return nil, badMixed("The first part has the statements, with Content-Type: application/json.")
	}
	body, err := io.ReadAll(io.LimitReader(first.data, lrs.MaxBody+1))
	if err != nil {
		return nil, err
	}
	if len(body) <= lrs.MaxBody { // others are refused
		a.room.holdsOnly(int64(len(body)))
	}
	return d.store.PutWith(r.Context(), a.caller, a.line, wanted, body, func() (lrs.Part, error) { return nextAttachment(m) })
}

// nextAttachment is the part after the one at hand.
func nextAttachment(m *mixedReader) (lrs.Part, error) {
	p, err := m.next()
	if err != nil {
		return lrs.Part{}, err
	}
	part := lrs.Part{Hash: p.head[strings.ToLower(writtenHash)], ContentType: p.head["content-type"], Length: -1, Data: p.data}
	if part.Hash == "" {
		return lrs.Part{}, badMixed("Each part after the first needs " + writtenHash + ", the sha2 of an attachment.")
	}
	if !strings.EqualFold(p.head[strings.ToLower(writtenEncoding)], "binary") {
		return lrs.Part{}, badMixed("Each part after the first needs " + writtenEncoding + ": binary.")
	}
	if length, said := p.head["content-length"]; said {
		n, err := strconv.ParseUint(length, 10, 62)
		if err != nil {
			return lrs.Part{}, badMixed("The Content-Length of a part is no number of bytes.")
		}
		part.Length = int64(n)
	}
	return part, nil
}

func isJSON(contentType string) bool {
	media, values, err := mime.ParseMediaType(contentType)
	charset, said := values["charset"]
	return err == nil && media == "application/json" && (!said || strings.EqualFold(charset, "utf-8"))
}

func badType(message string) error {
	return fault.New(fault.Invalid, "bad_content_type", "%s", message).With(fault.Field{Name: "Content-Type"})
}

// attached is the data that goes with statements, if it is asked for.
func (d *door) attached(r *http.Request, a asked, s shape, statements []lrs.Statement) ([]lrs.Attachment, error) {
	if !s.attachments {
		return nil, nil
	}
	return d.store.Attachments(r.Context(), a.caller, statements)
}

// writeMixed writes statements and the data of their attachments, which goes from the files to the connection. In the
// field clients split the Content-Type at "boundary=" and the body at the boundary, and want nothing before it.
func writeMixed(w http.ResponseWriter, r *http.Request, attached []lrs.Attachment, statements func(*bufio.Writer)) error {
	boundary := rand.Text() + rand.Text()
	w.Header().Set("Content-Type", "multipart/mixed; boundary="+boundary)
	if r.Method == http.MethodHead {
		return nil
	}
	b := bufio.NewWriterSize(w, 32<<10)
	_, _ = b.WriteString("--" + boundary + "\r\nContent-Type: application/json\r\n\r\n") // b keeps its first error for Flush
	statements(b)
	for _, a := range attached {
		_, _ = b.WriteString("\r\n--" + boundary + "\r\nContent-Type: " + a.ContentType + "\r\n" + writtenEncoding + ": binary\r\n" + writtenHash + ": " + a.SHA2 + "\r\n\r\n")
		if _, err := a.WriteTo(b); err != nil {
			return err
		}
	}
	_, _ = b.WriteString("\r\n--" + boundary + "--\r\n")
	return b.Flush()
}
