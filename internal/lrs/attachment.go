package lrs

import (
	"context"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/hex"
	"errors"
	"hash"
	"io"
	"io/fs"
	"mime"
	"strings"
	"time"

	"rollway/internal/blob"
	"rollway/internal/db"
	"rollway/internal/fault"
	"rollway/xapi"
)

// Part is the data of an attachment as it comes after the statements of a request (Communication 1.5.2).
type Part struct {
	Hash        string    // hexadecimal SHA-2 of the data, as in the sha2 of an attachment
	ContentType string    // empty if not said
	Length      int64     // bytes, -1 if not said
	Data        io.Reader // to be read before the next part is asked for
}

// Parts yields the parts of a request, then io.EOF.
type Parts func() (Part, error)

// noParts are those of a request that has none.
func noParts() (Part, error) { return Part{}, io.EOF }

// held is an attachment whose data is a blob.
type held struct {
	sha2, contentType string
	sum               [32]byte
	size              int64
}

// declared is what the statements of a request say of one piece of data.
type declared struct {
	facts  []*xapi.AttachmentFacts
	came   time.Time // zero while it has not
	blob   blob.Ref
	signed bool // it is the signature of a statement
}

// receive stores the data of attachments and notes at each entry what it holds. The statements were checked before, so that
// little is stored for nothing. Without an error, the put's arrival is to be left in the end.
func (s *Store) receive(ctx context.Context, p *put, next Parts) (err error) {
	var wanted map[string]*declared
	for _, e := range p.entries {
		for i := range e.facts.Attachments {
			a := &e.facts.Attachments[i]
			if err := admitAttachment(a); err != nil {
				return err
			}
			if wanted == nil {
				wanted = map[string]*declared{}
			}
			key := strings.ToLower(string(a.SHA2))
			if wanted[key] == nil {
				wanted[key] = &declared{}
			}
			d := wanted[key]
			d.facts = append(d.facts, a)
			d.signed = d.signed || signs(a)
		}
	}
	if wanted != nil {
		if p.arrival, err = s.arriving(ctx, p.org); err != nil {
			return err
		}
	}
	p.arrival.wanted = wanted
	defer func() {
		if err != nil {
			err = errors.Join(err, s.drop(wanted, nil))
			p.arrival.leave()
		}
	}()
	if err := s.receiveParts(ctx, &p.arrival, next); err != nil {
		return err
	}
	for _, e := range p.entries {
		if err := s.attach(e, wanted); err != nil {
			return err
		}
	}
	return s.renew(wanted)
}

var findNamed = db.NewLookup("SELECT n.sha256 FROM @ n WHERE EXISTS (SELECT 1 FROM attachments a WHERE a.org_id = n.org_id AND a.sha256 = n.sha256)",
	db.Column{Name: "org_id", Type: "bigint"}, db.Column{Name: "sha256", Type: "bytea"})

// dropUnused removes the data that came with a put of which it is certain that nothing names it: neither what the put stored
// nor what was there already and had lost it.
func (s *Store) dropUnused(ctx context.Context, p *put) error {
	if p.arrival.wanted == nil {
		return nil
	}
	named := map[[32]byte]bool{}
	var asked [][]any
	for _, e := range p.entries {
		for _, a := range e.attachments {
			if p.err == nil && !e.known {
				named[a.sum] = true
			} else {
				asked = append(asked, []any{int64(p.org), a.sum[:]})
			}
		}
	}
	if len(asked) == 0 { // as nearly always
		return s.drop(p.arrival.wanted, named)
	}
	err := s.db.Read(ctx, func(tx *db.Tx) error {
		err := findNamed.Ask(ctx, tx, asked, func(r *db.Rows) error {
			var sum []byte
			err := r.Scan(&sum)
			if len(sum) == 32 {
				named[[32]byte(sum)] = true
			}
			return err
		})
		if err != nil {
			return err
		}
		return tx.Flush(ctx)
	})
	if err != nil {
		return err // and the collector of blobs takes what is left
	}
	return s.drop(p.arrival.wanted, named)
}

// drop removes what came but for what is named. The collector of blobs takes what a killed process could not drop.
func (s *Store) drop(wanted map[string]*declared, named map[[32]byte]bool) error {
	var errs []error
	for _, d := range wanted {
		if !d.came.IsZero() && !named[d.blob.SHA256] {
			errs = append(errs, s.blobs.Drop(d.blob))
		}
	}
	return errors.Join(errs...)
}

// signs tells whether an attachment is the signature of its statement.
func signs(a *xapi.AttachmentFacts) bool {
	return !a.Sub && string(a.UsageType) == string(xapi.SignatureUsage)
}

func admitAttachment(a *xapi.AttachmentFacts) error {
	if signs(a) && mediaType(string(a.ContentType)) != "application/octet-stream" {
		return badSignature("The contentType of a signature must be application/octet-stream (Data 2.6).")
	}
	return nil
}

func (s *Store) receiveParts(ctx context.Context, a *arrival, next Parts) error {
	total := int64(0)
	for n := 0; ; n++ {
		part, err := next()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		if n == MaxParts {
			return fault.New(fault.TooLarge, "too_many_attachments", "One request takes the data of at most %d attachments.", MaxParts)
		}
		d := a.wanted[strings.ToLower(part.Hash)]
		if err := d.admit(part); err != nil {
			return err
		}
		check := &checking{r: part.Data, hash: hashes[len(part.Hash)](), part: part, declared: d, arrival: a, left: min(MaxAttachment, MaxAttachments-total)}
		ref, err := s.blobs.Put(ctx, check)
		if err != nil {
			return err
		}
		d.came, d.blob = time.Now(), ref
		total += ref.Size
	}
}

// admit checks what a part says of itself against what the statements say of it. Types are compared without parameters.
func (d *declared) admit(part Part) error {
	switch {
	case d == nil:
		return badAttachment("surplus_attachment", "The request has a part with data that no attachment of its statements has as sha2.", part.Hash)
	case !d.came.IsZero():
		return badAttachment("attachment_twice", "The request has two parts with the same data; one is enough for all attachments.", part.Hash)
	}
	typed, sized := part.ContentType == "", part.Length < 0
	for _, a := range d.facts {
		typed = typed || mediaType(part.ContentType) == mediaType(string(a.ContentType))
		sized = sized || part.Length == a.Length
	}
	if !typed {
		return badAttachment("attachment_type", "The Content-Type of a part is not the contentType of its attachment.", part.Hash)
	}
	if !sized {
		return badAttachment("attachment_length", "The Content-Length of a part is not the length of its attachment.", part.Hash)
	}
	return nil
}

func mediaType(s string) string {
	media, _, _ := mime.ParseMediaType(s)
	if media == "" {
		media, _, _ = strings.Cut(s, ";")
	}
	return strings.ToLower(strings.TrimSpace(media))
}

// hashes are the SHA-2 by the number of their hexadecimal digits.
var hashes = map[int]func() hash.Hash{56: sha256.New224, 64: sha256.New, 96: sha512.New384, 128: sha512.New}

// checking reads a part, and fails instead of ending when it is not the data that its header promises. The length that a
// statement gives is not compared: ADL's conformance suite sends a wrong one and demands that it be taken.
type checking struct {
	r        io.Reader
	hash     hash.Hash
	part     Part
	declared *declared
	arrival  *arrival
	n, left  int64
}

func (c *checking) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.n += int64(n)
	c.hash.Write(p[:n])
	if err := c.arrival.take(n); err != nil {
		return n, err
	}
	switch {
	case c.n > c.left:
		return n, fault.New(fault.TooLarge, "attachment_too_large", "One attachment has at most %d MB, and those of one request %d MB.", MaxAttachment>>20, MaxAttachments>>20)
	case c.declared.signed && c.n > MaxSignature:
		return n, fault.New(fault.TooLarge, "signature_too_large", "A signature has at most %d MB.", MaxSignature>>20)
	case err != io.EOF:
		return n, err
	case c.part.Length >= 0 && c.part.Length != c.n:
		return n, badAttachment("attachment_length", "The data of a part is not as long as its Content-Length says.", c.part.Hash)
	case !strings.EqualFold(hex.EncodeToString(c.hash.Sum(nil)), c.part.Hash):
		return n, badAttachment("attachment_hash", "The data of a part does not have the SHA-2 that its X-Experience-API-Hash says.", c.part.Hash)
	}
	return n, io.EOF
}

// attach notes what an entry holds, and checks its signatures.
func (s *Store) attach(e *entry, wanted map[string]*declared) error {
	var seen map[string]bool
	var checked map[*declared]bool // a statement may name one signature any number of times
	for i := range e.facts.Attachments {
		a := &e.facts.Attachments[i]
		sha2 := string(a.SHA2)
		d := wanted[strings.ToLower(sha2)]
		switch {
		case d.came.IsZero() && a.FileURL == nil:
			return badAttachment("attachment_missing", "An attachment has no fileUrl, and its data did not come with the statement.", sha2)
		case d.came.IsZero():
			continue
		case signs(a) && !checked[d]:
			if err := s.checkSignature(e, d); err != nil {
				return err
			}
			if checked == nil {
				checked = map[*declared]bool{}
			}
			checked[d] = true
		}
		if !seen[sha2] {
			if seen == nil {
				seen = map[string]bool{}
			}
			seen[sha2] = true
			e.attachments = append(e.attachments, held{sha2, string(a.ContentType), d.blob.SHA256, d.blob.Size})
		}
	}
	return nil
}

func (s *Store) checkSignature(e *entry, d *declared) error {
	f, _, err := s.blobs.Open(d.blob.SHA256)
	if err != nil {
		return err
	}
	text, err := io.ReadAll(f)
	if err := errors.Join(err, f.Close()); err != nil {
		return err
	}
	signature, err := xapi.ParseSignature(text)
	if err == nil {
		err = signature.Check(e.facts.Raw, e.facts.Line)
	}
	var broken *xapi.Error
	if errors.As(err, &broken) {
		return badSignature("The rule: " + broken.Error() + ".")
	}
	return err
}

func badSignature(message string) error {
	return fault.New(fault.Invalid, "bad_signature", "The signature of a statement is not well formed.").With(fault.Field{Name: "/attachments", Message: message})
}

func badAttachment(code, message, sha2 string) error {
	sha2 = sha2[:min(len(sha2), 128)]
	return fault.New(fault.Invalid, code, "%s", message).With(fault.Field{Name: "/attachments", Message: "Its SHA-2 is " + sha2 + ".", Value: sha2})
}

// renewAfter is much less than the age at which the collector takes a blob.
const renewAfter = time.Hour

// renew keeps the collector away until the rows are committed: the first part may have come hours before the last.
func (s *Store) renew(wanted map[string]*declared) error {
	for _, d := range wanted {
		if d.came.IsZero() || time.Since(d.came) < renewAfter {
			continue
		}
		err := s.blobs.Renew(d.blob.SHA256)
		if errors.Is(err, fs.ErrNotExist) {
			return fault.New(fault.Unavailable, "attachment_lost", "The data took too long to arrive. Send the request again.").Because(err)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

var insertAttachments = db.NewBulk("attachments", "",
	db.Column{Name: "org_id", Type: "bigint"}, db.Column{Name: "pos", Type: "bigint"}, db.Column{Name: "sha2", Type: "text"},
	db.Column{Name: "content_type", Type: "text"}, db.Column{Name: "sha256", Type: "bytea"}, db.Column{Name: "size", Type: "bigint"})

func (w *writing) insertAttachments(ctx context.Context) error {
	var rows [][]any
	for i, e := range w.new {
		for _, a := range e.attachments {
			rows = append(rows, []any{int64(w.orgs[i]), e.pos, a.sha2, a.contentType, a.sum[:], a.size})
		}
	}
	return insertAttachments.Insert(ctx, w.tx, rows)
}
