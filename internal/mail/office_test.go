package mail

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/emersion/go-smtp"

	"rollway/internal/access"
	"rollway/internal/db"
	"rollway/internal/db/dbtest"
	"rollway/internal/fault"
	"rollway/internal/id"
	"rollway/internal/mail/mailtest"
	"rollway/internal/outbox"
)

// desk is an office whose mail goes to a postbox.
type desk struct {
	*testing.T
	*Office
	db     *db.DB
	box    *mailtest.Postbox
	caller access.Caller
}

func eachDesk(t *testing.T, fn func(d *desk)) {
	t.Helper()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		b := mailtest.New(t, 0)
		fn(&desk{t, newOffice(t, d, access.NewKey(), "smtp://"+b.Address), d, b, access.CommandLine(id.DefaultOrg)})
	})
}

func newOffice(t *testing.T, d *db.DB, key access.Key, url string) *Office {
	t.Helper()
	q := outbox.New(d)
	q.Poll = 20 * time.Millisecond
	o, err := New(d, q, key, Config{URL: url, From: "office@learn.example", FromName: "Lernhaus Süd", PublicURL: "https://learn.example"})
	if err != nil {
		t.Fatal(err)
	}
	o.first, o.cap = 10*time.Millisecond, 20*time.Millisecond
	return o
}

// work has the office send until the test ends, or stop is called.
func (d *desk) work() (stop func()) {
	d.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	var group sync.WaitGroup
	office := d.Office
	group.Go(func() { office.Work(ctx, func(err error) { d.Error(err) }) })
	stop = func() { cancel(); group.Wait() }
	d.Cleanup(stop)
	return stop
}

func (d *desk) put(messages ...Message) {
	d.Helper()
	err := d.db.Write(d.Context(), func(tx *db.Tx) error {
		for _, m := range messages {
			if err := d.PutTx(d.Context(), tx, m); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		d.Fatal(err)
	}
}

func (d *desk) list() []Listed {
	d.Helper()
	list, err := d.List(d.Context(), d.caller, 0, 100)
	if err != nil {
		d.Fatal(err)
	}
	return list
}

func (d *desk) until(what string, ok func() bool) {
	d.Helper()
	for end := time.Now().Add(30 * time.Second); !ok(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			d.Fatalf("not within 30 s: %s; %+v", what, d.list())
		}
	}
}

// message is a confirmation that is good for a day.
func message() Message {
	m := full(Confirm, "de").Message
	m.Org, m.Data.Expires = id.DefaultOrg, time.Now().Add(24*time.Hour)
	return m
}

// What was put arrives, sealed until then; what was rolled back does not.
func TestMailArrives(t *testing.T) {
	t.Parallel()
	eachDesk(t, func(d *desk) {
		t := d.T
		undone := errors.New("undone")
		err := d.db.Write(t.Context(), func(tx *db.Tx) error {
			return errors.Join(d.PutTx(t.Context(), tx, message()), undone)
		})
		if !errors.Is(err, undone) {
			t.Fatal(err)
		}
		d.put(message())
		l := d.list()
		if len(l) != 1 || l[0].To != "a…@example.com" || l[0].Kind != Confirm || l[0].Lang != "de" || l[0].Attempts != 0 || l[0].Dead || l[0].Due.IsZero() {
			t.Fatalf("%+v", l)
		}
		d.sealed()
		d.work()
		d.until("it is sent", func() bool { return len(d.list()) == 0 })
		got := d.box.All()
		if len(got) != 1 || got[0].From != "office@learn.example" || got[0].To != "ada@example.com" {
			t.Fatalf("%+v", got)
		}
		r := receive(t, got[0].Raw)
		if !strings.Contains(r.text, token) || !strings.Contains(r.text, "482913") || !strings.Contains(r.html, token) || !strings.Contains(r.text, "24\u00a0Stunden") || r.decoded(t, "From") != "Lernhaus Süd <office@learn.example>" {
			t.Errorf("%s\n%s", r.decoded(t, "From"), r.text)
		}
	})
}

// sealed makes sure that nothing of a message stands in the database.
func (d *desk) sealed() {
	d.Helper()
	err := d.db.Read(d.Context(), func(tx *db.Tx) error {
		return tx.Each(d.Context(), "SELECT payload, error, lane FROM outbox_jobs", nil, func(r *db.Rows) error {
			var payload []byte
			var text, lane string
			err := r.Scan(&payload, &text, &lane)
			all := string(payload) + text + lane
			for _, secret := range []string{token, token[:16], "482913", "ada", "Ada", "confirm", "learn.example/"} {
				if strings.Contains(all, secret) {
					d.Errorf("%q stands in the outbox: %s %s", secret, text, lane)
				}
			}
			return err
		})
	})
	if err != nil {
		d.Fatal(err)
	}
}

// repeats tells of a message everything that every attempt must have in common.
func repeats(t testing.TB, p mailtest.Parcel) string {
	r := receive(t, p.Raw)
	return fmt.Sprint(p.To, r.Get("Message-Id"), r.Get("Date"), r.Get("Subject"), r.text, r.html)
}

// Servers that are greylisting, full, silent or that hang up get the same message again until one takes it.
func TestMailIsTriedAgain(t *testing.T) {
	t.Parallel()
	eachDesk(t, func(d *desk) {
		t := d.T
		d.Office.out.(*server).last = time.Second
		n := 0
		var mu sync.Mutex
		d.box.By(func(step string, hangUp func()) error {
			mu.Lock()
			defer mu.Unlock()
			switch {
			case step == "RCPT" && n < 2:
				n++
				return &smtp.SMTPError{Code: 450, EnhancedCode: smtp.EnhancedCode{4, 7, 1}, Message: "<ada@example.com>: Recipient address rejected: Greylisted, see https://help.example/?code=482913&t=" + token + " for ada"}
			case step == "TAKEN" && n == 2: // taken, and nobody told so
				n++
				hangUp()
			case step == "TAKEN" && n == 3:
				n++
				mu.Unlock()
				time.Sleep(2 * time.Second)
				mu.Lock()
			case step == "TAKEN" && n == 4:
				n++
				return &smtp.SMTPError{Code: 451, EnhancedCode: smtp.EnhancedCode{4, 3, 0}, Message: "later " + token}
			}
			return nil
		})
		d.put(message())
		d.work()
		seen := map[string]bool{}
		d.until("it is sent", func() bool {
			l := d.list()
			if len(l) == 1 && l[0].Error != "" {
				seen[l[0].Error] = true
				d.sealed()
			}
			return len(l) == 0
		})
		d.until("all came in", func() bool { return len(d.box.All()) >= 4 }) // more on a machine that stood still
		got := d.box.All()
		if !slices.ContainsFunc(got, func(p mailtest.Parcel) bool { return p.Acknowledged }) {
			t.Error("none was acknowledged")
		}
		for _, p := range got {
			if repeats(t, p) != repeats(t, got[0]) {
				t.Errorf("an attempt differs:\n%s\n%s", p.Raw, got[0].Raw)
			}
		}
		for text := range seen {
			if regexp.MustCompile(`(?i)@|\bada\b|482913|` + token[:8]).MatchString(text) {
				t.Errorf("the error holds too much: %s", text)
			}
		}
		if !regexp.MustCompile(`answers 450 to RCPT: .*Greylisted`).MatchString(fmt.Sprint(seen)) {
			t.Errorf("the errors were %v", seen)
		}
	})
}

// A server that is down costs nothing but time. A refusal for good is a dead letter at once, which an operator can have sent again.
func TestDeadLetters(t *testing.T) {
	t.Parallel()
	eachDesk(t, func(d *desk) {
		t := d.T
		d.box.Down()
		d.put(message())
		d.work()
		d.until("it failed twice", func() bool { return d.list()[0].Attempts > 2 })
		if l := d.list()[0]; !strings.Contains(l.Error, "refused") || l.Dead {
			t.Errorf("%+v", l)
		}
		d.box.By(func(string, func()) error {
			return &smtp.SMTPError{Code: 550, EnhancedCode: smtp.EnhancedCode{5, 1, 1}, Message: "No such user ada@example.com here"}
		})
		d.box.Listen(d.box.Address, 0)
		d.until("it is dead", func() bool { return d.list()[0].Dead })
		l := d.list()[0]
		if !strings.HasSuffix(l.Error, "answers 550 to MAIL: 5.1.1 No such user […] here") || !l.Due.IsZero() {
			t.Errorf("%+v", l)
		}
		d.sealed()
		d.box.By(nil)
		if err := d.Retry(t.Context(), access.Caller{Org: id.DefaultOrg, Name: "nobody"}, l.Number); !fault.Is(err, fault.Forbidden) {
			t.Error(err)
		}
		elsewhere := d.caller
		elsewhere.Org = 2
		for _, err := range []error{d.Retry(t.Context(), d.caller, l.Number+1), d.Retry(t.Context(), elsewhere, l.Number)} {
			if !fault.Is(err, fault.NotFound) {
				t.Error(err)
			}
		}
		if list, err := d.List(t.Context(), elsewhere, 0, 10); err != nil || len(list) != 0 {
			t.Error(list, err)
		}
		operator, nobody := access.CommandLine(0), access.Caller{Kind: access.ServiceAccount, Name: "somebody", Scopes: access.Admin}
		if list, err := d.List(t.Context(), operator, 0, 10); err != nil || len(list) != 1 || list[0].Org != id.DefaultOrg || list[0].Kind != Confirm {
			t.Error(list, err)
		}
		if _, err := d.List(t.Context(), nobody, 0, 10); !fault.Is(err, fault.Forbidden) || !fault.Is(d.Retry(t.Context(), nobody, l.Number), fault.Forbidden) {
			t.Error(err)
		}
		if n, err := Dead(t.Context(), d.db); n != 1 || err != nil {
			t.Error(n, err)
		}
		if err := d.Retry(t.Context(), operator, l.Number); err != nil {
			t.Fatal(err)
		}
		d.until("it is sent", func() bool { return len(d.list()) == 0 && len(d.box.All()) == 1 })
		lines, err := access.Trail(t.Context(), d.db, d.caller, id.EntryID{}, 10)
		if err != nil || len(lines) != 1 || lines[0].Action != "mail.retry" || lines[0].Subject != fmt.Sprint("mail ", l.Number) {
			t.Errorf("%+v %v", lines, err)
		}
	})
}

// All dead letters can be sent again at once, also those behind many that wait, and by nobody but their operator.
func TestRetryDead(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, base *db.DB) {
		d := &desk{t, newOffice(t, base, access.NewKey(), "none"), base, nil, access.CommandLine(id.DefaultOrg)}
		const waiting = pageSize + 1
		d.put(slices.Repeat([]Message{message()}, waiting+2)...)
		first := d.list()[0].Number
		if err := base.Write(t.Context(), func(tx *db.Tx) error {
			return tx.Defer(t.Context(), "UPDATE outbox_jobs SET due = NULL WHERE number >= ?", first+waiting)
		}); err != nil {
			t.Fatal(err)
		}
		if n, err := Dead(t.Context(), base); n != 2 || err != nil {
			t.Errorf("%d dead letters, %v", n, err)
		}
		elsewhere := d.caller
		elsewhere.Org = 2
		for _, c := range []struct {
			access.Caller
			n int
			fault.Kind
		}{{access.Caller{Org: id.DefaultOrg, Name: "nobody"}, 0, fault.Forbidden}, {elsewhere, 0, 0}, {access.CommandLine(0), 2, 0}, {d.caller, 0, 0}} {
			if n, err := d.RetryDead(t.Context(), c.Caller); n != c.n || c.Kind == 0 && err != nil || c.Kind != 0 && !fault.Is(err, c.Kind) {
				t.Errorf("%+v: %d, %v", c, n, err)
			}
		}
		if n, err := Dead(t.Context(), base); n != 0 || err != nil {
			t.Errorf("%d dead letters, %v", n, err)
		}
		lines, err := access.Trail(t.Context(), base, d.caller, id.EntryID{}, 10)
		if err != nil || len(lines) != 2 || lines[0].Action != "mail.retry" {
			t.Errorf("%+v %v", lines, err)
		}
	})
}

// A process that dies after it has handed a message over, before it heard that it was taken, leaves it to the next, which
// sends the very same.
func TestKilledSender(t *testing.T) {
	t.Parallel()
	dbtest.EachEngine(t, func(t *testing.T, e db.Engine) {
		url, key, box := dbtest.URL(t, e), access.NewKey(), mailtest.New(t, 0)
		open := func() *db.DB {
			d, err := db.Open(t.Context(), db.Options{URL: url, Conns: 8})
			if err != nil {
				t.Fatal(err)
			}
			if _, err := d.Migrate(t.Context()); err != nil {
				t.Fatal(err)
			}
			return d
		}
		first := open()
		d := &desk{t, newOffice(t, first, key, "smtp://"+box.Address), first, box, access.CommandLine(id.DefaultOrg)}
		d.queue.Lease = 3 * time.Second
		handed, dead := make(chan bool), make(chan bool)
		box.By(func(step string, hangUp func()) error {
			if step == "TAKEN" {
				handed <- true
				<-dead
				hangUp()
			}
			return nil
		})
		d.put(message())
		ctx, cancel := context.WithCancel(context.Background())
		var group sync.WaitGroup
		group.Go(func() { d.Work(ctx, func(error) {}) }) // it will complain about the database
		<-handed
		closed := make(chan error)
		go func() { closed <- first.Close() }() // from now on it writes nothing
		if err := <-closed; err != nil {
			t.Fatal(err)
		}
		close(dead)
		cancel()
		group.Wait()

		box.By(nil)
		second := open()
		t.Cleanup(func() {
			if err := second.Close(); err != nil {
				t.Error(err)
			}
		})
		d = &desk{t, newOffice(t, second, key, "smtp://"+box.Address), second, box, d.caller}
		if l := d.list(); len(l) != 1 || l[0].Attempts != 1 || !l[0].Sending {
			t.Fatalf("%+v", l)
		}
		d.work()
		d.until("the next sends it", func() bool { return len(d.list()) == 0 })
		got := box.All()
		if len(got) < 2 || repeats(t, got[0]) != repeats(t, got[1]) || !strings.Contains(receive(t, got[1].Raw).text, token) {
			t.Errorf("%d came: %+v", len(got), got)
		}
	})
}

// Without --mail messages wait and are listed; another key opens none; what has expired is not sent.
func TestMailWaits(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, base *db.DB) {
		key, box := access.NewKey(), mailtest.New(t, 0)
		d := &desk{t, newOffice(t, base, key, "none"), base, box, access.CommandLine(id.DefaultOrg)}
		late, kept := message(), message()
		late.Data.Expires = time.Now().Add(-time.Second)
		kept.Kind, kept.Lang, kept.Data.Code = Welcome, "it", ""
		d.put(late, kept)
		d.work()
		if l := d.list(); d.Sends() || len(l) != 2 || l[0].Kind != Confirm || l[1].Kind != Welcome || l[1].Lang != "en" || l[1].Attempts != 0 {
			t.Fatalf("%+v", l)
		}
		if l, err := d.List(t.Context(), d.caller, d.list()[0].Number, 1); err != nil || len(l) != 1 || l[0].Kind != Welcome {
			t.Errorf("%+v, %v", l, err)
		}
		if _, err := d.Test(t.Context(), d.caller, "ada@example.com", "en"); !fault.Is(err, fault.Unavailable) {
			t.Error(err)
		}
		stranger := *d
		stranger.Office = newOffice(t, base, access.NewKey(), "none")
		if l := stranger.list(); len(l) != 2 || l[0].To != "" || !strings.Contains(l[0].Error, "cannot be opened") {
			t.Errorf("%+v", l)
		}
		d.Office = newOffice(t, base, key, "smtp://"+box.Address)
		d.work()
		d.until("the one is sent and the other dead", func() bool { return len(d.list()) == 1 && d.list()[0].Dead })
		if l := d.list()[0]; l.Kind != Confirm || !strings.Contains(l.Error, "not sent in time") {
			t.Errorf("%+v", l)
		}
		said, err := d.Test(t.Context(), d.caller, "Bob@example.com", "fr")
		got := box.All()
		if err != nil || said == "" || len(got) != 2 || got[1].To != "Bob@example.com" || !strings.Contains(receive(t, got[1].Raw).text, "Bonjour,") {
			t.Errorf("%q, %v, %d", said, err, len(got))
		}
		for _, to := range []string{"bob", "a@b@c.de"} {
			if _, err := d.Test(t.Context(), d.caller, to, ""); !fault.Is(err, fault.Invalid) {
				t.Error(err)
			}
		}
		owner := access.SignedIn(id.DefaultOrg, id.New[id.PersonID](), id.SigninID{}, access.Admin)
		if _, err := d.Test(t.Context(), owner, "ada@example.com", ""); fault.Of(err).Code != "operator_only" || len(box.All()) != 2 {
			t.Errorf("an owner has the server write to anybody: %v", err)
		}
		if _, err := d.List(t.Context(), access.Caller{Org: id.DefaultOrg, Name: "nobody"}, 0, 1); !fault.Is(err, fault.Forbidden) {
			t.Error(err)
		}
	})
}

// A message that lacks what it is for, or that could say something else, is not put.
func TestPutRefuses(t *testing.T) {
	t.Parallel()
	d := dbtest.Open(t, db.SQLite)
	o := newOffice(t, d, access.NewKey(), "")
	for name, spoil := range map[string]func(*Message){
		"no link":             func(m *Message) { m.Data.Link = "" },
		"no end":              func(m *Message) { m.Data.Expires = time.Time{} },
		"no such kind":        func(m *Message) { m.Kind = "party" },
		"a script":            func(m *Message) { m.Data.Link = "javascript:alert(1)" },
		"a header":            func(m *Message) { m.Data.Unsubscribe = "https://learn.example/\r\nBcc: b@c.de" },
		"a link for a reset":  func(m *Message) { m.Kind, m.Data.Code, m.Data.Reset = Known, "", "data:x" },
		"a reset for a kind":  func(m *Message) { m.Data.Reset = "https://learn.example/" },
		"words as code":       func(m *Message) { m.Data.Code = "1 2 3" },
		"a code for a kind":   func(m *Message) { m.Kind = Known },
		"no days":             func(m *Message) { m.Kind, m.Data.Code, m.Data.Days = Remind, "", 0 },
		"two recipients":      func(m *Message) { m.To = "a@b.de,c@d.de" },
		"a recipient's name":  func(m *Message) { m.To = "A <a@b.de>" },
		"a recipient's lines": func(m *Message) { m.To = "a@b.de\nBcc: c@d.de" },
	} {
		m := message()
		spoil(&m)
		err := d.Write(t.Context(), func(tx *db.Tx) error { return o.PutTx(t.Context(), tx, m) })
		if err == nil || strings.Contains(name, "recipient") != fault.Is(err, fault.Invalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
	sealed, err := o.seal(letter{Message: message()})
	if err != nil {
		t.Fatal(err)
	}
	if l, err := o.open(id.DefaultOrg, sealed); err != nil || l.Data.Code != "482913" {
		t.Error(l, err)
	}
	if _, err := o.open(2, sealed); err == nil {
		t.Error("another organization opens it")
	}
	for _, broken := range [][]byte{nil, sealed[:12], sealed[:len(sealed)-1]} {
		if _, err := o.open(id.DefaultOrg, broken); err == nil {
			t.Error("a broken one opens")
		}
	}
}
