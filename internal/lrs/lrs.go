package lrs

import (
	"cmp"
	"context"
	"crypto/cipher"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"rollway/internal/blob"
	"rollway/internal/db"
	"rollway/internal/fault"
	"rollway/internal/id"
	"rollway/xapi"
)

// Limits. A request beyond them is refused with [fault.TooLarge].
const (
	MaxBody = 16 << 20 // bytes of statements in one request

	MaxAttachment  = 100 << 20 // bytes of data of one attachment
	MaxAttachments = 200 << 20 // bytes of data of attachments in one request
	MaxParts       = 1000      // attachments with data in one request
	MaxSignature   = 1 << 20   // bytes of the data of a signature, which is read whole

	MaxStatements = 1000     // statements in one request
	MaxNames      = 1000     // mentions of agents and activities in one statement
	MaxInherited  = 20_000   // names that statements of one request are found by because they point at others
	MaxDocument   = 10 << 20 // bytes of a document
	MaxMerged     = 1 << 20  // bytes of a document that is merged into or with
	MaxName       = 1000     // bytes of a stateId or profileId
	DefaultLimit  = 100      // statements in a page when the query does not say
	MaxLimit      = 1000     // statements in a page
	MaxPage       = 4 << 20  // bytes after which a page ends before its limit
)

// Config says what a Store stands on. DB, Blobs and HomePage are required.
type Config struct {
	DB    *db.DB
	Blobs *blob.Store // the data of attachments
	// HomePage is the account home page of the authorities that statements are stored under: the public address of this
	// installation, an absolute IRI.
	HomePage string
	// Now is the clock of SQLite's stored order and of the lifetime of [Page.More]; time.Now when nil. On PostgreSQL the
	// database's clock stamps.
	Now func() time.Time
	// Guest says that another process may serve the same SQLite database, or come to; see [Store.Lead].
	Guest bool
	// Quota is how many bytes of records an organization may keep that is not [id.DefaultOrg]; [GuestQuota] when 0, any number
	// when less.
	Quota int64
}

// Store is the record store. It is safe for use by many goroutines. Of the Stores on one SQLite database all but one are
// guests.
type Store struct {
	db       *db.DB
	blobs    *blob.Store
	homePage string
	now      func() time.Time

	secret   []byte // of the installation, keeps keys from being guessed
	sealer   cipher.AEAD
	puts     *db.Group[*put]
	order    order
	guest    atomic.Bool
	entering sync.Mutex
	name     atomic.Pointer[guestName] // of a guest, once it has entered
	tail     tail
	known    known
	readers  sync.Pool // *xapi.Reader

	mergedMost int // bytes of definitions that one transaction looks at

	guests   int64 // bytes of records that an organization may keep which is not the first
	arrivals arrivals
}

// Open makes a Store on a migrated database.
func Open(ctx context.Context, cfg Config) (*Store, error) {
	if _, err := xapi.ParseIRI(cfg.HomePage); err != nil {
		return nil, fault.New(fault.Invalid, "home_page", "The record store needs the public address of the installation, an absolute IRI, not %q.", cfg.HomePage)
	}
	s := &Store{db: cfg.DB, blobs: cfg.Blobs, homePage: strings.TrimSuffix(cfg.HomePage, "/"), now: cfg.Now, guests: cmp.Or(cfg.Quota, GuestQuota), mergedMost: mergedMost}
	if s.now == nil {
		s.now = time.Now
	}
	s.guest.Store(cfg.Guest && cfg.DB.Engine() == db.SQLite)
	s.readers.New = func() any { return new(xapi.Reader) }
	if err := s.openSecret(ctx); err != nil {
		return nil, err
	}
	if err := s.openOrder(ctx); err != nil {
		return nil, err
	}
	s.puts = db.NewGathered(cfg.DB, (*put).rows, s.write)
	return s, nil
}

// Close ends the Store's writers. The database stays open.
func (s *Store) Close() { s.puts.Close() }

// Statement is one statement as it is served.
type Statement struct {
	ID     id.StatementID
	Stored time.Time // to the millisecond, UTC, as in JSON
	JSON   []byte    // one line

	pos int64
}
