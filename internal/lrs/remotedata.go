package lrs

import (
	"context"
	"errors"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"net/url"
	"strings"
	"time"

	"rollway/internal/fault"
)

const (
	dataTries = 3                // when the data of one statement breaks off
	dataQuiet = 30 * time.Second // without a byte, after which it has broken off
)

// dataOf reads the data of a statement's attachments, of which the store is asked with the statement once more
// (Communication 1.5.2). A store that answers without data has none.
func (r *Remote) dataOf(parameter, sid string) func(context.Context, func(Parts) error) error {
	u := r.ask(url.Values{parameter: {sid}, "attachments": {"true"}})
	return func(ctx context.Context, take func(Parts) error) error {
		for try := 1; ; try++ {
			broken, err := r.handOver(ctx, u, take)
			if broken == nil || ctx.Err() != nil {
				return err
			}
			if try == dataTries {
				return fault.New(fault.Invalid, "attachments_broken", "The data of its attachments breaks off, %d times in a row (%v).", try, broken)
			}
			wait := time.Second << try
			r.Waiting("the data of an attachment breaks off", wait)
			if err := r.Sleep(ctx, wait); err != nil {
				return err
			}
		}
	}
}

// handOver gives take what the store answers; broken is why that ended before its end.
func (r *Remote) handOver(ctx context.Context, u *url.URL, take func(Parts) error) (broken, err error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	quiet := time.AfterFunc(remoteTimeout, cancel)
	defer quiet.Stop()
	res, err := r.insist(ctx, u, func(ctx context.Context, u *url.URL) (response, error) {
		quiet.Reset(remoteTimeout)
		defer quiet.Stop() // it may wait for another try as long as it has to
		return r.streamed(ctx, u)
	})
	switch {
	case err != nil:
		return nil, err
	case res.status == http.StatusNotFound:
		return nil, take(noParts)
	case res.status != http.StatusOK:
		return nil, res.refused(u)
	}
	media, parameters, err := mime.ParseMediaType(res.header.Get("Content-Type"))
	if err != nil || !strings.HasPrefix(media, "multipart/") {
		return nil, errors.Join(take(noParts), res.stream.Close())
	}
	quiet.Reset(dataQuiet)
	m := &mixedParts{r: multipart.NewReader(res.stream, parameters["boundary"]), heard: func() { quiet.Reset(dataQuiet) }}
	err = take(m.next)
	res.stream.Close() // what is wrong with it was met in reading
	return m.broken, err
}

// streamed opens an answer; only one without data is read here.
func (r *Remote) streamed(ctx context.Context, u *url.URL) (response, error) {
	res, err := r.do(ctx, u, "multipart/mixed, application/json")
	if err != nil {
		return response{}, err
	}
	if res.StatusCode != http.StatusOK {
		return readAll(res)
	}
	return response{status: res.StatusCode, header: res.Header, stream: res.Body}, nil
}

// mixedParts are the parts of an answer with data.
type mixedParts struct {
	r       *multipart.Reader
	heard   func()
	begun   bool
	reading *multipart.Part
	broken  error
}

// next is a [Parts].
func (m *mixedParts) next() (Part, error) {
	if !m.begun { // the statement, which is here already
		m.begun = true
		if _, err := m.r.NextRawPart(); err != nil {
			return Part{}, m.breaks(err)
		}
	}
	part, err := m.r.NextRawPart()
	if err == io.EOF {
		return Part{}, io.EOF
	}
	if err != nil {
		return Part{}, m.breaks(err)
	}
	m.reading = part
	return Part{Hash: part.Header.Get("X-Experience-API-Hash"), Length: -1, Data: m}, nil
}

// Read reads the part that next returned last.
func (m *mixedParts) Read(p []byte) (int, error) {
	n, err := m.reading.Read(p)
	if n > 0 {
		m.heard()
	}
	if err != nil && err != io.EOF {
		err = m.breaks(err)
	}
	return n, err
}

func (m *mixedParts) breaks(err error) error {
	if err == io.EOF { // an answer without a single part
		err = io.ErrUnexpectedEOF
	}
	m.broken = err
	return err
}
