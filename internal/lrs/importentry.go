package lrs

import (
	"bytes"
	"context"
	"errors"
	"io"
	"io/fs"
	"maps"
	"slices"
	"strings"

	"rollway/internal/fault"
	"rollway/internal/id"
	"rollway/xapi"
)

var errLong = fault.New(fault.TooLarge, "too_large", "It is longer than %d MB.", MaxBody>>20)

// entry makes of an item what is stored.
func (im *importing) entry(ctx context.Context, item Item) (*entry, error) {
	if len(item.Text) > MaxBody {
		return nil, errLong
	}
	f, err := readImported(bytes.Clone(item.Text))
	if err != nil {
		return nil, err
	}
	if !f.HasID {
		return nil, fault.New(fault.Invalid, "id_missing", "It has no id. Imported twice it would be there twice; give it one.")
	}
	if err := admit(im.caller, f); err != nil {
		return nil, err
	}
	e := &entry{facts: f, id: id.StatementID(f.ID), given: true, actor: im.actorKey(f), stored: f.Stored}
	if f.HasRegistration {
		e.registration = im.registrationKey(id.RegistrationID(f.Registration))
	}
	if e.authority = im.authorityOf(f); e.authority != nil {
		e.keys = im.statementKeys(f, nil)
	} else {
		e.keys = im.statementKeys(f, im.own.key)
	}
	e.body = make([]byte, 0, len(f.Raw)+len(im.own.json)+servedMore)
	return e, im.attachments(ctx, e, item)
}

// attachments stores the data of an entry's attachments.
func (im *importing) attachments(ctx context.Context, e *entry, item Item) error {
	if len(e.facts.Attachments) == 0 {
		return nil
	}
	wanted := map[string]bool{}
	for i := range e.facts.Attachments {
		wanted[strings.ToLower(string(e.facts.Attachments[i].SHA2))] = true
	}
	take := func(next Parts) error {
		e.attachments = nil
		p := &put{org: im.caller.Org, entries: []*entry{e}}
		if err := im.receive(ctx, p, next); err != nil {
			return err
		}
		p.arrival.leave()
		return nil
	}
	switch {
	case im.options.Data != nil:
		return im.fromFiles(wanted, take)
	case item.Data != nil:
		return item.Data(ctx, func(next Parts) error { return take(only(maps.Clone(wanted), next)) })
	}
	return take(noParts)
}

// fromFiles takes the data that there is a file of.
func (im *importing) fromFiles(wanted map[string]bool, take func(Parts) error) error {
	left := slices.Sorted(maps.Keys(wanted))
	var data io.ReadCloser
	done := func() error { // with the one before
		if data == nil {
			return nil
		}
		defer func() { data = nil }()
		return data.Close()
	}
	err := take(func() (Part, error) {
		if err := done(); err != nil {
			return Part{}, err
		}
		for len(left) > 0 {
			sha2 := left[0]
			left = left[1:]
			f, err := im.options.Data(sha2)
			if errors.Is(err, fs.ErrNotExist) {
				continue
			}
			data = f
			return Part{Hash: sha2, Length: -1, Data: f}, err
		}
		return Part{}, io.EOF
	})
	return errors.Join(err, done())
}

// only passes each wanted part on, once: what another store sends besides is no fault of the statement. What that store
// says of type and length is not compared, since the hash is.
func only(wanted map[string]bool, next Parts) Parts {
	return func() (Part, error) {
		for {
			part, err := next()
			if err != nil {
				return Part{}, err
			}
			if sha2 := strings.ToLower(part.Hash); wanted[sha2] {
				delete(wanted, sha2)
				return Part{Hash: sha2, Length: -1, Data: part.Data}, nil
			}
		}
	}
}

// readAny checks a statement of which nobody says how it was sent: by the older line if it keeps to that.
func readAny(text []byte) (*xapi.Facts, error) {
	f, err := xapi.Read(text, xapi.V1)
	if err != nil {
		f, err = xapi.Read(text, xapi.V2)
	}
	return &f, err
}

// readImported checks a statement. One that has no timestamp happened, for all that is known, when it was first stored.
func readImported(text []byte) (*xapi.Facts, error) {
	f, err := readAny(text)
	if err != nil {
		return nil, invalid(err)
	}
	if !f.HasTimestamp && f.HasStored {
		dated := append(bytes.Clone(f.Raw[:len(f.Raw)-1]), `,"timestamp":"`...)
		return readImported(append(xapi.AppendTimestamp(dated, f.Stored), `"}`...))
	}
	return f, nil
}

// authorityOf is the authority that a statement says it has, or nil. Two agents that vouch together (Data 2.4.9) are found
// by each of them, and are nobody's own.
func (s *Store) authorityOf(f *xapi.Facts) *authority {
	if !f.HasAuthority {
		return nil
	}
	var names [][]byte // of one agent, or of the two
	for _, g := range f.Agents {
		if g.Role == xapi.RoleAuthority && len(g.Key) > 0 {
			names = append(names, g.Key)
		}
	}
	return &authority{json: f.Authority, hash: s.key(byRelatedAgent, bytes.Join(names, []byte{'\n'}))}
}
