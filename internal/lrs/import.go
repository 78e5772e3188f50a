package lrs

import (
	"cmp"
	"context"
	"errors"
	"io"
	"time"

	"rollway/internal/access"
	"rollway/internal/fault"
	"rollway/internal/id"
)

// Source yields the statements of an import, each after those it was stored after.
type Source interface {
	// Name is the same for the same source another time.
	Name() string
	// Resume goes on behind the item that had the cursor; before the first Next only.
	Resume(cursor string) error
	// Next returns io.EOF at the end.
	Next(ctx context.Context) (Item, error)
}

// Item is what a source yields.
type Item struct {
	Text   []byte // one statement, JSON
	Place  string // where it stands, for people: "line 7"; empty if its id must do
	Cursor string // for [Source.Resume]; empty when there is no going on from here
	Err    error  // why there is no Text
	// Data hands the data of the statement's attachments to take, again from the start if the way it comes breaks off; nil
	// has none.
	Data func(ctx context.Context, take func(Parts) error) error
}

// Problem is something of a source that was not stored.
type Problem struct {
	Place   string `json:"place,omitzero"`
	ID      string `json:"id,omitzero"`
	Message string `json:"message"`
}

// Imported tells how far an import has come, over all times it was resumed.
type Imported struct {
	Number   int64     `json:"import"`
	Source   string    `json:"source"`
	Stored   int64     `json:"stored"`      // new here
	Known    int64     `json:"alreadyHere"` // and the same
	Problems int64     `json:"problems"`
	Begun    time.Time `json:"begun"`
	Ended    time.Time `json:"ended,omitzero"` // zero until the source is read to its end

	cursor string
}

// ImportOptions say how to import. The functions may be nil.
type ImportOptions struct {
	Resume   bool           // go on with the last import of this source
	Problem  func(Problem)  // is told of each
	Progress func(Imported) // is told after each batch
	Batch    int            // statements in a transaction; 500 when 0
	// Data opens the data of an attachment by its sha2 in small letters, or returns fs.ErrNotExist; nil takes what the source
	// has. An attachment that has neither data nor a fileUrl makes its statement a Problem.
	Data func(sha2 string) (io.ReadCloser, error)

	indexFrom int // statements
}

const (
	importBatch = 500
	importBytes = 4 << 20 // after which a batch ends before its number
	importTries = 6       // of a batch when the database cannot be written to
)

// Import stores the statements of a source. Ids, timestamps and authorities stay as they are, since importing is an
// operator's act; a statement without an authority gets the caller's. Stored is the time of the import, as the order of
// the store demands; what the statement said is kept beside it. A statement that is here already is counted; a different
// one under the same id, one without id and one that breaks a rule (of 2.0 if its version says so, else of 1.0.3) is a
// Problem and stops nothing.
//
// How far it has come is kept after each batch, so that another call with Resume goes on there. Only the operator may.
func (s *Store) Import(ctx context.Context, c access.Caller, src Source, o ImportOptions) (_ Imported, err error) {
	if err := c.RequireOperator(); err != nil {
		return Imported{}, err
	}
	im := &importing{Store: s, caller: c, own: s.authority(c), options: o, ids: map[id.StatementID]bool{}}
	im.options.Batch, im.options.indexFrom = cmp.Or(o.Batch, importBatch), cmp.Or(o.indexFrom, indexBehind)
	if im.run, err = s.beginImport(ctx, c.Org, src, o.Resume); err != nil {
		return im.run, err
	}
	defer func() { err = errors.Join(err, s.leave(context.WithoutCancel(ctx))) }()
	for {
		item, err := src.Next(ctx)
		if err != nil { // what was read is stored, whatever ends the reading
			if err == io.EOF { // itself: a connection that broke off has one inside
				im.run.Ended, err = s.now().UTC(), nil
			}
			return im.run, errors.Join(err, im.flush(context.WithoutCancel(ctx)))
		}
		if err := im.take(ctx, item); err != nil {
			return im.run, err
		}
	}
}

// importing is an import under way.
type importing struct {
	*Store
	caller  access.Caller
	own     authority
	options ImportOptions
	run     Imported

	batch []*entry
	place []string // of each
	ids   map[id.StatementID]bool
	bytes int
}

// take adds an item to the batch, and stores the batch when it is full.
func (im *importing) take(ctx context.Context, item Item) error {
	if item.Err != nil {
		im.problem(item.Place, "", item.Err)
	} else if e, err := im.entry(ctx, item); stops(err) {
		return err
	} else if err != nil {
		im.problem(item.Place, idOf(item.Text), err)
	} else {
		if im.ids[e.id] { // two of one id are told apart by the second transaction
			if err := im.flush(ctx); err != nil {
				return err
			}
		}
		im.ids[e.id] = true
		im.batch, im.place = append(im.batch, e), append(im.place, item.Place)
		im.bytes += len(item.Text)
	}
	im.run.cursor = item.Cursor
	if len(im.batch) >= im.options.Batch || im.bytes > importBytes {
		return im.flush(ctx)
	}
	return nil
}

// stops tells whether an error is not about a statement but about this store.
func stops(err error) bool {
	kind := fault.Of(err).Kind
	return err != nil && (kind == fault.Internal || kind == fault.Unavailable || fault.Of(err).Code == quotaCode)
}

// flush stores the batch and keeps how far the import has come.
func (im *importing) flush(ctx context.Context) error {
	began := time.Now()
	if err := im.keep(ctx, im.batch, im.place); err != nil {
		return err
	}
	im.batch, im.place, im.bytes = nil, nil, 0
	clear(im.ids)
	if err := im.saveImport(ctx, im.caller.Org, im.run); err != nil {
		return err
	}
	// A server that runs writes the index long before. Without one, the next to start would have to remember all of the import.
	if err := im.index(ctx, im.options.indexFrom); err != nil && !fault.Is(err, fault.Unavailable) && !errors.Is(err, errOutlived) {
		return err
	}
	if im.options.Progress != nil {
		im.options.Progress(im.run)
	}
	if im.guest.Load() { // the server stores too, and gets the file's one lock only while others leave it alone
		return sleep(ctx, min(time.Since(began), time.Second/4))
	}
	return nil
}

// keep stores the entries, in halves when all together cannot be.
func (im *importing) keep(ctx context.Context, entries []*entry, places []string) error {
	if len(entries) == 0 {
		return nil
	}
	p := &put{org: im.caller.Org, authority: im.own, entries: entries, voidsAny: true, lenient: true, run: im.run.Number}
	for _, e := range entries {
		p.defines = im.collectDefinitions(p.defines, im.caller, e)
	}
	err := im.store(ctx, p)
	for try := 1; fault.Is(err, fault.Unavailable) && try < importTries; try++ {
		if err := sleep(ctx, time.Second<<try); err != nil {
			return err
		}
		err = im.store(ctx, p)
	}
	if err == nil {
		err = p.err
	}
	switch {
	case err == nil:
		for i, e := range entries {
			im.count(e, places[i])
		}
		return nil
	case stops(err):
		return err
	case len(entries) == 1:
		im.problem(places[0], entries[0].id.String(), err)
		return nil
	}
	half := len(entries) / 2
	if err := im.keep(ctx, entries[:half], places[:half]); err != nil {
		return err
	}
	return im.keep(ctx, entries[half:], places[half:])
}

func (im *importing) count(e *entry, place string) {
	switch {
	case e.differs:
		im.problem(place, e.id.String(), fault.New(fault.Conflict, "statement_exists", "There is another statement with this id here."))
	case e.known:
		im.run.Known++
	default:
		im.run.Stored++
	}
}

func (im *importing) problem(place, sid string, err error) {
	im.run.Problems++
	if im.options.Problem != nil {
		im.options.Problem(Problem{place, sid, fault.Of(err).Message})
	}
}

// sleep waits, or returns the context's error.
func sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
