package challenge

import (
	"bytes"
	"context"
	"errors"
	"net/netip"
	"slices"

	"rollway/internal/challenge/picture"
	"rollway/internal/challenge/speech"
	"rollway/internal/db"
	"rollway/internal/fault"
	"rollway/internal/limit"
)

// Form is how large a picture is.
type Form = picture.Size

// The forms of the picture, in pixels: 150×40 as dashboards show it, and 300×80.
var (
	Small = picture.Small
	Large = picture.Large
)

// Access says who asks to see a challenge: only somebody of the address group it was made for, unless Anywhere says that
// the caller is known otherwise.
type Access struct {
	Addr     netip.Addr
	Anywhere bool
	Token    string // of the caller's session; a challenge made for another token is then not shown
}

// Get returns a challenge that may be answered. It does not count as looking at it.
//
// Faults: NotFound challenge_unknown, also for one that is expired, used up or ended, or not for who asks.
func (c *Challenger) Get(ctx context.Context, number int64, ask Access) (Challenge, error) {
	ch := Challenge{Number: number}
	var address, token []byte
	err := c.db.Read(ctx, func(tx *db.Tx) error {
		return tx.Row(ctx, "SELECT id, address, token, created, expires FROM challenges WHERE number = ? AND used IS NULL AND tries < ? AND expires > ?",
			number, int64(c.cfg.Tries), c.now()).Scan(&ch.ID, &address, &token, &ch.Created, &ch.Expires)
	})
	hidden := !ask.Anywhere && !bytes.Equal(address, c.hashAddress(ask.Addr)) ||
		ask.Token != "" && !bytes.Equal(token, c.hashToken(ask.Token))
	if errors.Is(err, db.ErrNoRows) || err == nil && hidden {
		return Challenge{}, fault.New(fault.NotFound, "challenge_unknown", "There is no such picture, or it has expired.")
	}
	return ch, err
}

// Picture returns the challenge as a JPEG, the same each time.
//
// Faults: as Get; TooMany too_many_tries, a [limit.Exceeded].
func (c *Challenger) Picture(ctx context.Context, number int64, form Form, ask Access) ([]byte, error) {
	ch, err := c.show(ctx, number, ask, "picture", c.cfg.Downloads)
	if err != nil {
		return nil, err
	}
	return picture.JPEG(c.answerOf(ch.ID), c.seed(ch.ID, "picture"), form)
}

// Audio returns the challenge spoken, as a WAV, the same each time; in English when it cannot speak the language, one of
// en, fr, de and es.
//
// Faults: as Picture.
func (c *Challenger) Audio(ctx context.Context, number int64, lang string, ask Access) ([]byte, error) {
	if !slices.Contains(speech.Languages, lang) {
		lang = speech.Languages[0]
	}
	ch, err := c.show(ctx, number, ask, "audio "+lang, c.cfg.Listens)
	if err != nil {
		return nil, err
	}
	return speech.WAV(c.answerOf(ch.ID), lang, c.seed(ch.ID, "audio "+lang))
}

// show gets a challenge and counts that it is looked at.
func (c *Challenger) show(ctx context.Context, number int64, ask Access, as string, most int) (Challenge, error) {
	ch, err := c.Get(ctx, number, ask)
	if err != nil {
		return ch, err
	}
	rule := limit.Rule{Name: "challenge " + as, Windows: []limit.Window{{Max: most, Per: c.cfg.Lifetime}}}
	return ch, c.limits.Take(ctx, limit.Try{Rule: rule, Subject: ch.ID.String() + " " + limit.AddressGroup(ask.Addr)})
}
