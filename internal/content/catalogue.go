package content

import (
	"context"
	"errors"
	"time"

	"rollway/internal/access"
	"rollway/internal/blob"
	"rollway/internal/db"
	"rollway/internal/fault"
	"rollway/internal/id"
)

// Kind is how a content is launched.
type Kind string

// The kinds of content. The words are stored.
const (
	XAPI Kind = "xapi" // a package with a tincan.xml
	Link Kind = "link" // an address elsewhere
)

// Content is something launchable.
type Content struct {
	Activity string // IRI, unique in its organization
	Kind     Kind
	Package  id.PackageID // of XAPI
	Launch   string       // of XAPI: where it starts inside its package, relative, fit for a URL, with its own query and fragment
	URL      string       // of a Link: absolute, http or https, fit for a Location header
	Title    string       // never empty
	Created  time.Time    // when the activity was first added
}

// Quota is what one organization may keep. A replaced package counts, for it is still there.
type Quota struct {
	Packages int64 // 1,000; of others 20
	Bytes    int64 // of all packages' files: 50 GiB; of others 1 GiB
	Links    int64 // 10,000; of others 200
}

// Catalogue knows what each organization can launch and keeps the files of packages. The fields may be set before it is
// used.
type Catalogue struct {
	Limits Limits // on an upload
	Quota  Quota  // of the organization that every installation starts with
	Guests Quota  // of each other one: whoever signs up gets one

	db      *db.DB
	blobs   *blob.Store
	changes *access.Changes
	known   recent[contentKey, Content]
	rows    recent[fileKey, fileRow]
}

type contentKey struct {
	org      id.OrgID
	activity string
}

// NewCatalogue returns the catalogue kept in d, with the packages' files in blobs.
func NewCatalogue(d *db.DB, blobs *blob.Store, changes *access.Changes) *Catalogue {
	c := &Catalogue{Quota: Quota{Packages: 1000, Bytes: 50 << 30, Links: 10_000}, Guests: Quota{Packages: 20, Bytes: 1 << 30, Links: 200}, db: d, blobs: blobs, changes: changes}
	changes.Listen(func(ch access.Change) {
		if ch.Kind == access.ContentChanged { // seldom, so that forgetting everything costs nothing
			c.known.forget()
		}
	})
	return c
}

func (c *Catalogue) quota(org id.OrgID) Quota {
	if org == id.DefaultOrg {
		return c.Quota
	}
	return c.Guests
}

// Find returns what an activity launches. It is asked at every launch and answers from memory where it can; changes are
// seen as access.Changes tells of them. Fault: NotFound (activity_unknown).
func (c *Catalogue) Find(ctx context.Context, org id.OrgID, activity string) (Content, error) {
	key := contentKey{org, activity}
	found, ok := c.known.get(key)
	if ok {
		return found, nil
	}
	round := c.known.round()
	err := c.db.Read(ctx, func(tx *db.Tx) (err error) {
		found, err = readContent(ctx, tx, org, activity)
		return err
	})
	if errors.Is(err, db.ErrNoRows) {
		return Content{}, unknown(activity)
	}
	if err != nil {
		return Content{}, err
	}
	c.known.put(round, key, found)
	return found, nil
}

func unknown(activity string) error {
	return fault.New(fault.NotFound, "activity_unknown", "There is no content `%s` here that could be launched.", shown(activity))
}

// maxPage is the most that List returns.
const maxPage = 1000

// List returns the organization's content in the order of the activities' bytes: at most limit (1 to 1,000) of those that
// follow the activity given, or from the beginning for an empty one. Fault: Forbidden without the scope content:write.
func (c *Catalogue) List(ctx context.Context, caller access.Caller, after string, limit int) (list []Content, err error) {
	if err := caller.Require(access.ContentWrite); err != nil {
		return nil, err
	}
	return c.Available(ctx, caller.Org, after, limit)
}

// Available is List for rooms that have decided who sees it: whoever is signed in sees what they can launch.
func (c *Catalogue) Available(ctx context.Context, org id.OrgID, after string, limit int) (list []Content, err error) {
	err = c.db.Read(ctx, func(tx *db.Tx) error {
		list, err = readContents(ctx, tx, org, after, min(max(limit, 1), maxPage))
		return err
	})
	return list, err
}

// put makes an activity launch something, whatever it launched before, unless that is the same already. The caller has
// taken lockOrg.
func (c *Catalogue) put(ctx context.Context, tx *db.Tx, caller access.Caller, wanted Content, detail map[string]any) (Content, error) {
	before, err := readContent(ctx, tx, caller.Org, wanted.Activity)
	switch {
	case errors.Is(err, db.ErrNoRows):
		wanted.Created = tx.Now()
	case err != nil:
		return Content{}, err
	default:
		wanted.Created = before.Created
		detail["before"] = before.target()
	}
	if wanted == before {
		return before, nil
	}
	if wanted.Kind == Link && before.Kind != Link {
		if err := c.checkLinks(ctx, tx, caller.Org); err != nil {
			return Content{}, err
		}
	}
	detail["kind"], detail["target"], detail["title"] = string(wanted.Kind), wanted.target(), wanted.Title
	if err := writeContent(ctx, tx, caller.Org, wanted); err != nil {
		return Content{}, err
	}
	if err := access.Audit(ctx, tx, caller, "content.add", "activity "+wanted.Activity, detail); err != nil {
		return Content{}, err
	}
	return wanted, c.changes.Announce(ctx, tx, access.Change{Org: caller.Org, Kind: access.ContentChanged, Subject: wanted.Package})
}

// Remove takes an activity out of the catalogue and returns what it launched: from now on nobody can launch it or sees it among
// their courses. Launches that are going on, registrations and records stay, and so do the files of a package, which count as
// those of a replaced one do; when the activity is added again, people go on where they were.
//
// Faults: Forbidden without the scope content:write, NotFound (activity_unknown).
func (c *Catalogue) Remove(ctx context.Context, caller access.Caller, activity string) (was Content, err error) {
	if err := caller.Require(access.ContentWrite); err != nil {
		return Content{}, err
	}
	err = c.db.Write(ctx, func(tx *db.Tx) error {
		if err := lockOrg(ctx, tx, caller.Org); err != nil {
			return err
		}
		was, err = readContent(ctx, tx, caller.Org, activity)
		if errors.Is(err, db.ErrNoRows) {
			return unknown(activity)
		}
		if err != nil {
			return err
		}
		if err := deleteContent(ctx, tx, caller.Org, activity); err != nil {
			return err
		}
		detail := map[string]any{"kind": string(was.Kind), "target": was.target(), "title": was.Title}
		if err := access.Audit(ctx, tx, caller, "content.remove", "activity "+activity, detail); err != nil {
			return err
		}
		return c.changes.Announce(ctx, tx, access.Change{Org: caller.Org, Kind: access.ContentChanged, Subject: was.Package})
	})
	return was, err
}

// target says for the audit trail what is launched.
func (c Content) target() string {
	if c.Kind == Link {
		return c.URL
	}
	return "package " + c.Package.String()
}
