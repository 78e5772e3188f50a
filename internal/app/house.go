package app

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"net"
	"os"
	"path/filepath"

	"rollway/internal/access"
	"rollway/internal/blob"
	"rollway/internal/challenge"
	"rollway/internal/content"
	"rollway/internal/credential"
	"rollway/internal/db"
	"rollway/internal/directory"
	"rollway/internal/fault"
	"rollway/internal/forward"
	"rollway/internal/launch"
	"rollway/internal/limit"
	"rollway/internal/lrs"
	"rollway/internal/mail"
	"rollway/internal/outbox"
	"rollway/internal/signin"
	"rollway/internal/signup"
)

// House is the rooms of one installation over an open database. The commands use it directly; serving it is Serve.
type House struct {
	Config      Config
	DB          *db.DB
	Changes     *access.Changes
	Accounts    *access.Accounts
	Directory   *directory.Directory
	Credentials *credential.Vault
	Content     *content.Catalogue
	Launcher    *launch.Launcher
	Records     *lrs.Store
	Blobs       *blob.Store
	Outbox      *outbox.Queue
	Forwards    *forward.Forwards
	Mail        *mail.Office
	Limits      *limit.Ledger
	Challenges  *challenge.Challenger
	Signin      *signin.Signin
	Signup      *signup.Signup
}

// Open opens an installation, making what a new one lacks: the data directory, the key file, the schema. Fault: NotFound
// (no_house) when nothing is there and the Config asks for an Existing one.
func Open(ctx context.Context, given Config) (*House, error) {
	c, err := given.WithDefaults()
	if err != nil {
		return nil, err
	}
	d, err := OpenDB(ctx, c)
	if err != nil {
		return nil, err
	}
	h, err := furnish(ctx, c, given, d)
	if err != nil {
		return nil, errors.Join(err, d.Close())
	}
	return h, nil
}

// OpenDB opens only the database, as it is: for commands about the schema itself.
func OpenDB(ctx context.Context, c Config) (*db.DB, error) {
	c, err := c.WithDefaults()
	if err != nil {
		return nil, err
	}
	if c.Existing {
		err = c.hasDatabase()
	} else if err = os.MkdirAll(c.Data, 0o700); err != nil {
		err = fmt.Errorf("make the data directory: %w", err)
	}
	if err != nil {
		return nil, err
	}
	return db.Open(ctx, db.Options{URL: c.DB})
}

// hasDatabase says that there is no SQLite database where one should be: whoever mistook the directory would be told that nothing
// is there, by a new and empty house.
func (c Config) hasDatabase() error {
	if db.EngineOf(c.DB) != db.SQLite {
		return nil
	}
	_, err := os.Stat(db.File(c.DB))
	switch {
	case !errors.Is(err, os.ErrNotExist):
		return err
	case c.DB == filepath.Join(c.Data, database):
		return c.noHouse()
	}
	return fault.New(fault.NotFound, "no_house", "There is no house at %s; is --db right? rollway serve makes one.", c.DB)
}

// hasData says that there is no data directory where one should be, with the key file and the blobs of a database elsewhere.
func (c Config) hasData() error {
	_, err := os.Stat(c.Data)
	if errors.Is(err, os.ErrNotExist) {
		err = c.noHouse()
	}
	return err
}

func (c Config) noHouse() error {
	return fault.New(fault.NotFound, "no_house", "There is no house in %s; is --data right? rollway serve makes one.", c.Data)
}

// inhabited says that a database holds no house where one should be: it may well be another program's.
func inhabited(ctx context.Context, d *db.DB) error {
	steps, err := d.MigrationStatus(ctx)
	if err == nil && steps[0].Applied.IsZero() {
		err = fault.New(fault.NotFound, "no_house", "There is no house in this database; is --db right? rollway serve makes one.")
	}
	return err
}

func furnish(ctx context.Context, c, given Config, d *db.DB) (*House, error) {
	if c.Existing {
		if err := cmp.Or(inhabited(ctx, d), c.hasData()); err != nil {
			return nil, err
		}
	}
	if _, err := d.Migrate(ctx); err != nil {
		return nil, err
	}
	c, err := c.addressesOf(ctx, d, given)
	if err != nil {
		return nil, err
	}
	key, err := access.OpenKey(ctx, d, filepath.Join(c.Data, keyFile))
	if err != nil {
		return nil, err
	}
	blobs, err := blob.Open(filepath.Join(c.Data, "blobs"))
	if err != nil {
		return nil, err
	}
	h := &House{Config: c, DB: d, Blobs: blobs, Changes: access.NewChanges(d)}
	h.Accounts = access.NewAccounts(d, key, h.Changes)
	h.Directory = directory.New(d, h.Changes, c.PublicURL)
	h.Credentials = credential.New(d, key, h.Accounts, h.Changes)
	h.Content = content.NewCatalogue(d, blobs, h.Changes)
	if h.Content.Guests.Bytes = c.guestQuota(); h.Content.Guests.Bytes < 0 {
		h.Content.Guests.Bytes = math.MaxInt64
	}
	h.Launcher = launch.New(d, key, h.Content, h.Credentials, launch.Addresses{Public: c.PublicURL, Courseware: c.CoursewareURL, SingleHost: c.CoursewareSingleHost})
	if h.Records, err = lrs.Open(ctx, lrs.Config{DB: d, Blobs: blobs, HomePage: c.PublicURL, Guest: true, Quota: c.guestQuota()}); err != nil {
		return nil, err
	}
	h.Launcher.Records = h.Records
	h.Outbox = outbox.New(d)
	if h.Mail, err = mail.New(d, h.Outbox, key, c.mail()); err != nil {
		return nil, err
	}
	if err := h.welcome(key); err != nil {
		return nil, err
	}
	if h.Forwards, err = forward.New(forward.Config{DB: d, Key: key, Records: h.Records, Outbox: h.Outbox, Own: ownAddresses(c)}); err != nil {
		return nil, err
	}
	return h, h.admit(ctx, key)
}

// mail says how mail leaves.
func (c Config) mail() mail.Config {
	return mail.Config{URL: c.Mail, From: c.MailFrom, FromName: c.MailFromName, PublicURL: c.PublicURL}
}

// ownAddresses are those that the first origin answers to, as far as the Config tells.
func ownAddresses(c Config) []string {
	own := []string{c.PublicURL, "http://" + c.HTTP}
	if _, port, err := net.SplitHostPort(c.HTTP); err == nil {
		for _, host := range []string{"localhost", "127.0.0.1", "::1"} {
			own = append(own, "http://"+net.JoinHostPort(host, port))
		}
	}
	return own
}

// Close ends the house's work and closes the database.
func (h *House) Close() error {
	h.Launcher.Close()
	h.Credentials.Close()
	h.Records.Close()
	return h.DB.Close()
}

// Names in the data directory: of the key and of the SQLite database.
const (
	keyFile  = "rollway.key"
	database = "rollway.db"
)
