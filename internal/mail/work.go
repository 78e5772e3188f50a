package mail

import (
	"context"
	"regexp"
	"strings"
	"sync"
	"time"

	"rollway/internal/chore"
	"rollway/internal/fault"
	"rollway/internal/outbox"
)

// Attempts come after half a minute, then each time later up to an hour: about a day in all.
const (
	firstWait     = 30 * time.Second
	longestWait   = time.Hour
	attempts      = 39
	keepDead      = 30 * 24 * time.Hour // strangers make dead letters too: they are not kept for ever
	buryEvery     = time.Hour
	lettersAtOnce = 4
)

// Work sends until ctx ends; without a way out (--mail none) it does nothing. What goes wrong with a message is kept with it;
// report gets what is wrong here.
func (o *Office) Work(ctx context.Context, report func(error)) {
	if o.out == nil {
		return
	}
	var burial sync.WaitGroup
	defer burial.Wait()
	burial.Go(func() {
		chore.Every(ctx, buryEvery, func(ctx context.Context) error { return o.queue.Bury(ctx, kind, keepDead) }, report)
	})
	o.queue.Work(ctx, outbox.Kind{Name: kind, Handle: o.attempt, Limit: attempts, At: lettersAtOnce, First: o.first, Cap: o.cap}, report)
}

// attempt tries to send one letter.
func (o *Office) attempt(ctx context.Context, j outbox.Job) (outbox.Result, error) {
	l, err := o.open(j.Org, j.Payload)
	if err != nil {
		return outbox.Result{}, err
	}
	if end := l.Data.Expires; !end.IsZero() && time.Now().After(end) {
		return outbox.Result{Final: true}, fault.New(fault.Gone, "mail_expired", "It was not sent in time: its link was good until %s.", end.UTC().Format(time.RFC3339))
	}
	_, err = o.send(ctx, l)
	return outbox.Result{Final: fault.Is(err, fault.Invalid)}, err
}

// send words a letter and hands it over. What a server says of it is returned without what was in it.
func (o *Office) send(ctx context.Context, l letter) (string, error) {
	m, err := o.sender.compose(l)
	if err != nil {
		return "", err
	}
	said, err := o.out.send(ctx, m)
	if err != nil {
		f := fault.Of(err)
		return "", fault.New(f.Kind, f.Code, "%s", l.silence(f.Message))
	}
	return l.silence(said), nil
}

var (
	inText = regexp.MustCompile(`(?i)https?://[^\s"'<>]+`)
	atText = regexp.MustCompile(`[^\s"'<>()\[\],;:=]+@[^\s"'<>()\[\],;]+`)
)

// silence takes out of a server's words what it repeats of the letter, and any address.
func (l letter) silence(text string) string {
	d := l.Data
	for _, secret := range []string{d.Link, d.Reset, d.Unsubscribe, l.To, d.Code, l.ID} {
		if secret != "" {
			text = regexp.MustCompile(`(?i)`+regexp.QuoteMeta(secret)).ReplaceAllLiteralString(text, "[…]")
		}
	}
	for _, link := range []string{d.Link, d.Reset, d.Unsubscribe} {
		for _, part := range strings.FieldsFunc(link, func(r rune) bool { return strings.ContainsRune("/?#&=:.", r) }) {
			if len(part) >= 16 { // a token
				text = strings.ReplaceAll(text, part, "[…]")
			}
		}
	}
	text = atText.ReplaceAllString(inText.ReplaceAllString(text, "[link]"), "[address]")
	local, _, _ := strings.Cut(l.To, "@")
	return regexp.MustCompile(`(?i)(^|[^\pL\d])`+regexp.QuoteMeta(local)+`($|[^\pL\d])`).ReplaceAllString(text, "${1}[…]${2}")
}
