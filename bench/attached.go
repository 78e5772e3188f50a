package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"time"
)

// pagesOf is how many statements a reader takes that follows the links to more.
const pagesOf = 10_000

// Statements with attachments: a request stores attachedEach of them with attachedParts attachments, each of which as many
// statements share.
const (
	attachedEach  = 100
	attachedParts = 10
	attachedSize  = 100 << 10
	attachedTo    = 90_000_000 // the activity of all of them, which no other statement has
)

// pages reads 10,000 statements, newest first, in the largest pages that there are, without attachments and with: a page of
// 1,000 then has 10 MB of them.
func (s *site) pages(ctx context.Context) error {
	c, err := dial(ctx, s.world.address)
	if err != nil {
		return err
	}
	defer c.close() // nothing is pending on it then
	if err := s.follow(c, "without attachments", "/xapi/statements?limit=1000"); err != nil {
		return err
	}
	if err := s.attach(c); err != nil {
		return err
	}
	if err := s.peak("storing statements with attachments"); err != nil {
		return err
	}
	path := byActivity([]byte("/xapi/statements?limit=1000&attachments=true"), drawn{activity: attachedTo})
	return s.follow(c, fmt.Sprintf("with %d MB of attachments", pagesOf/attachedEach*attachedParts*attachedSize>>20), string(path))
}

// follow reads page after page.
func (s *site) follow(c *client, title, next string) error {
	tail := s.world.readTail()
	rows, pages := 0, 0
	start := time.Now()
	for rows < pagesOf && next != "" {
		r, err := c.do(append([]byte("GET "+next), tail...))
		if err == nil && r.status != 200 {
			err = fmt.Errorf("%.600s %.600s", r.head, r.body)
		}
		if err != nil {
			return fmt.Errorf("page %d %s: %w", pages+1, title, err)
		}
		rows += countStatements(r.body)
		pages++
		_, more, found := bytes.Cut(r.body, []byte(`],"more":"`))
		end := bytes.IndexByte(more, '"')
		if !found || end < 0 {
			return fmt.Errorf("page %d %s does not tell whether there are more", pages, title)
		}
		next = string(more[:end])
	}
	took := time.Since(start)
	if rows < pagesOf && s.store >= pagesOf {
		return fmt.Errorf("only %d statements %s", rows, title)
	}
	s.results = append(s.results, result{engine: s.engine, title: fmt.Sprintf("%s statements %s read in %d pages, one after the other", thousands(rows), title, pages), ours: perSecond(float64(rows) / took.Seconds())})
	return s.peak("reading page after page " + title)
}

// attach stores the statements with attachments.
func (s *site) attach(c *client) error {
	head := requestHead("POST", s.world.address, "/xapi/statements", "Authorization: "+s.world.service().basic(), "X-Experience-API-Version: 1.0.3", "Content-Type: multipart/mixed; boundary="+boundary)
	m := newMaker(0, 1)
	for range pagesOf / attachedEach {
		r, err := c.do(appendRequest(nil, head, mixed(m)))
		if err == nil && r.status != 200 {
			err = fmt.Errorf("%.600s %.600s", r.head, r.body)
		}
		if err != nil {
			return errors.Join(errors.New("statements with attachments"), err)
		}
	}
	return nil
}

const boundary = "bench-part"

// mixed is a body of statements with the data of their attachments (Communication 1.5.2).
func mixed(m *maker) []byte {
	data, names := make([][]byte, attachedParts), make([]string, attachedParts)
	for i := range data {
		data[i] = m.bytes(attachedSize)
		sum := sha256.Sum256(data[i])
		names[i] = hex.EncodeToString(sum[:])
	}
	b := []byte("--" + boundary + "\r\nContent-Type: application/json\r\n\r\n[")
	for n := range attachedEach {
		if n > 0 {
			b = append(b, ',')
		}
		d := usual(m)
		d.activity = attachedTo
		b = appendStatement(b, d, time.Now())
		b = fmt.Appendf(b[:len(b)-1], `,"attachments":[{"usageType":"https://courses.example/attachments/drawing","display":{"en-US":"A drawing"},`+
			`"contentType":"application/octet-stream","length":%d,"sha2":"%s"}]}`, attachedSize, names[n%attachedParts])
	}
	b = append(b, ']')
	for i := range data {
		b = fmt.Appendf(b, "\r\n--%s\r\nContent-Type: application/octet-stream\r\nContent-Transfer-Encoding: binary\r\nX-Experience-API-Hash: %s\r\n\r\n", boundary, names[i])
		b = append(b, data[i]...)
	}
	return append(b, "\r\n--"+boundary+"--\r\n"...)
}
