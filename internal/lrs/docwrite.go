package lrs

import (
	"context"
	"crypto/sha1"
	"encoding/hex"
	"mime"
	"strings"

	"rollway/internal/access"
	"rollway/internal/db"
	"rollway/internal/fault"
	"rollway/internal/id"
	"rollway/xapi"
)

// Precondition holds what a request says of the document it means to change: the values of its headers If-Match and
// If-None-Match, empty if absent (RFC 9110, 13.1). Entity tags are compared with or without quotes.
type Precondition struct {
	IfMatch     string
	IfNoneMatch string
}

// PutDocument stores a document in the place of the one there is. Without a precondition it does not overwrite blindly
// (Communication 3.1): a profile that exists is a Conflict, in 2.0 a state too; in 1.0.3 a profile that does not exist needs
// If-None-Match or If-Match as well, else it is Invalid.
func (s *Store) PutDocument(ctx context.Context, c access.Caller, line xapi.Version, k DocumentKey, d Document, pre Precondition) error {
	return s.change(ctx, c, k, d, func(p *place, there *Document) (Document, error) {
		if pre == (Precondition{}) {
			return d, blind(line, p, there)
		}
		return d, pre.check(there)
	})
}

func blind(line xapi.Version, p *place, there *Document) error {
	switch {
	case p.Kind == State && (line == xapi.V1 || there == nil):
		return nil
	case there != nil:
		return fault.New(fault.Conflict, "document_exists", "A document of the kind %s has this id already. Read it, then send If-Match with its ETag, or If-None-Match: * if it must not exist.", p.Kind)
	case line == xapi.V1:
		return fault.New(fault.Invalid, "precondition_missing", "Storing a document of the kind %s needs If-Match or If-None-Match.", p.Kind)
	}
	return nil
}

// PostDocument merges a JSON object into the one there is: its members replace those of the same name, the others stay.
// With no document there, it stores. Both must be JSON objects of the type application/json, else it is Invalid
// (Communication 2.2).
func (s *Store) PostDocument(ctx context.Context, c access.Caller, k DocumentKey, d Document, pre Precondition) error {
	posted, err := object(d)
	if err != nil && isJSON(d.ContentType) {
		return err
	}
	return s.change(ctx, c, k, d, func(_ *place, there *Document) (Document, error) {
		if err := pre.check(there); err != nil || there == nil {
			return d, err
		}
		if err != nil {
			return d, err
		}
		if len(d.Content)+len(there.Content) > MaxMerged {
			return d, fault.New(fault.TooLarge, "too_large", "Documents of together more than %d MB are not merged. Replace the whole with PUT.", MaxMerged>>20)
		}
		old, err := object(*there)
		if err != nil {
			return d, fault.New(fault.Invalid, "not_mergeable", "The document that is there is not a JSON object of the type application/json, so nothing can be merged into it. Replace it with PUT.")
		}
		return Document{ContentType: d.ContentType, Content: merge(old, posted)}, nil
	})
}

// DeleteDocument removes a document. It is no error if there is none.
func (s *Store) DeleteDocument(ctx context.Context, c access.Caller, k DocumentKey, pre Precondition) error {
	p, err := s.locate(c, k, true, false)
	if err != nil {
		return err
	}
	return s.db.Write(ctx, func(tx *db.Tx) error {
		if err := p.lock(ctx, tx); err != nil {
			return err
		}
		there, err := load(ctx, tx, &p)
		if err != nil {
			return err
		}
		if err := pre.check(there); err != nil || there == nil {
			return err
		}
		return s.remove(ctx, tx, p.org, one, p.one())
	})
}

// DeleteDocuments removes all State documents of an activity and agent, of one registration or, without it, of all (for a
// caller bound to one, its own and none).
func (s *Store) DeleteDocuments(ctx context.Context, c access.Caller, k DocumentKey) error {
	if k.Kind != State {
		return fault.New(fault.Invalid, "invalid_parameter", "The profileId is missing.").With(fault.Field{Name: "profileId"})
	}
	p, err := s.locate(c, k, false, false)
	if err != nil {
		return err
	}
	where, args := p.many(c)
	return s.db.Write(ctx, func(tx *db.Tx) error { return s.remove(ctx, tx, p.org, " FROM documents"+where, args) })
}

// remove deletes documents.
func (s *Store) remove(ctx context.Context, tx *db.Tx, org id.OrgID, which string, args []any) error {
	if s.quota(org) == 0 {
		return tx.Defer(ctx, "DELETE"+which, args...)
	}
	if err := s.claim(ctx, tx, org); err != nil {
		return err
	}
	freed := int64(0)
	err := tx.Each(ctx, "DELETE"+which+" RETURNING length(content) + octet_length(activity) + octet_length(agent)", args, func(r *db.Rows) error {
		var n int64
		err := r.Scan(&n)
		freed += documentBytes + n
		return err
	})
	if err != nil {
		return err
	}
	return s.charge(ctx, tx, org, -freed)
}

// lock makes changes of one document wait for each other, also while it does not exist.
func (p *place) lock(ctx context.Context, tx *db.Tx) error {
	return tx.Lock(ctx, "document "+hex.EncodeToString(p.space)+hex.EncodeToString(p.registration)+p.ID)
}

// change stores what decide makes of the document there is, nil if none. It decides inside the transaction, while nobody
// else can change it.
func (s *Store) change(ctx context.Context, c access.Caller, k DocumentKey, d Document, decide func(*place, *Document) (Document, error)) error {
	p, err := s.locate(c, k, true, false)
	if err != nil {
		return err
	}
	if _, _, err := mime.ParseMediaType(d.ContentType); err != nil || len(d.ContentType) > 255 {
		return fault.New(fault.Invalid, "content_type", "A document needs a Content-Type such as application/json.").With(fault.Field{Name: "Content-Type", Value: clip(d.ContentType)})
	}
	return s.db.Write(ctx, func(tx *db.Tx) error {
		if err := p.lock(ctx, tx); err != nil {
			return err
		}
		if err := s.claim(ctx, tx, p.org); err != nil {
			return err
		}
		there, err := load(ctx, tx, &p)
		if err != nil {
			return err
		}
		next, err := decide(&p, there)
		if err != nil {
			return err
		}
		if len(next.Content) > MaxDocument {
			return fault.New(fault.TooLarge, "too_large", "A document has at most %d MB.", MaxDocument>>20)
		}
		if next.Content == nil {
			next.Content = []byte{}
		}
		grown := int64(len(next.Content))
		if there == nil {
			grown += documentBytes + int64(len(p.Activity)+len(p.Agent.Key()))
		} else {
			grown -= int64(len(there.Content))
		}
		sum := sha1.Sum(next.Content)
		if err := s.charge(ctx, tx, p.org, grown); err != nil {
			return err
		}
		return tx.Defer(ctx, `INSERT INTO documents (org_id, space, registration, name, activity, agent, content_type, content, etag, updated)
			VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (org_id, space, registration, name)
			DO UPDATE SET content_type = excluded.content_type, content = excluded.content, etag = excluded.etag, updated = excluded.updated`,
			int64(p.org), p.space, p.registration, p.ID, p.Activity, p.Agent.Key(), next.ContentType, next.Content, hex.EncodeToString(sum[:]), tx.Now())
	})
}

func clip(s string) string { return strings.ToValidUTF8(s[:min(len(s), 64)], "") }

// check compares with the document there is, nil if none.
func (pre Precondition) check(there *Document) error {
	etag := ""
	if there != nil {
		etag = there.ETag
	}
	if pre.IfMatch != "" && !names(pre.IfMatch, etag) {
		return fault.New(fault.Precondition, "etag_differs", "The document is not the one that If-Match names: somebody changed it, or it does not exist. Read it again.").With(fault.Field{Name: "If-Match", Value: clip(pre.IfMatch)})
	}
	if pre.IfNoneMatch != "" && names(pre.IfNoneMatch, etag) {
		return fault.New(fault.Precondition, "etag_matches", "The document exists already, and If-None-Match forbids that.").With(fault.Field{Name: "If-None-Match", Value: clip(pre.IfNoneMatch)})
	}
	return nil
}

// names tells whether a list of entity tags, or *, names the one there is; "" is no document.
func names(list, etag string) bool {
	if etag == "" {
		return false
	}
	for tag := range strings.SplitSeq(list, ",") {
		tag = strings.TrimPrefix(strings.TrimSpace(tag), "W/")
		if tag == "*" || strings.EqualFold(strings.Trim(tag, `"`), etag) {
			return true
		}
	}
	return false
}
