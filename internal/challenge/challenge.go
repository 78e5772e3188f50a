// Package challenge tells people from programs: it shows five characters as a picture that programs misread, says the same
// characters aloud, or gives the computer of whoever can use neither some work to do.
//
// A challenge lives a quarter of an hour, is used up by the deed its answer is for ([Challenger.ConsumeTx], in the deed's own
// transaction), and ends after three wrong answers. It belongs to no session. It is known by a number drawn by lot, so that
// nobody spoils or collects those of others. Nothing about its characters is kept but a keyed hash of the answer: characters,
// picture and sound follow from its identifier and the key file, and are the same whenever they are asked for.
package challenge

import (
	"context"
	"crypto/rand"
	"errors"
	"math/big"
	mathrand "math/rand/v2"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"rollway/internal/access"
	"rollway/internal/challenge/speech"
	"rollway/internal/challenge/work"
	"rollway/internal/db"
	"rollway/internal/fault"
	"rollway/internal/id"
	"rollway/internal/limit"
)

// Config is how challenges are given out. The zero value is the default of each field.
type Config struct {
	Lifetime   time.Duration  // 15 minutes
	Tries      int            // wrong answers that end a challenge: 3
	Downloads  int            // of one picture by one address group: 3
	Listens    int            // to one challenge in one language by one address group, since players ask in pieces: 12
	PerAddress []limit.Window // challenges for one address group, pictures and work apart: 6/5m,15/15m,20/60m
	PerToken   []limit.Window // for one service token, which is in everybody's hands: 300/5m,1000/60m
	WorkCost   int            // rounds of PBKDF2 of one step of work: 5,000
	WorkSteps  int            // the most steps that work takes; the least are a fifth of it: 500

	// Dev, unless nil, is told each challenge and its answer: for trying things out only.
	Dev func(number int64, answer string)
}

func (c Config) withDefaults() Config {
	setDefault(&c.Lifetime, 15*time.Minute)
	setDefault(&c.Tries, 3)
	setDefault(&c.Downloads, 3)
	setDefault(&c.Listens, 12)
	setDefault(&c.WorkCost, 5000)
	setDefault(&c.WorkSteps, 500)
	if c.PerAddress == nil {
		c.PerAddress = []limit.Window{{Max: 6, Per: 5 * time.Minute}, {Max: 15, Per: 15 * time.Minute}, {Max: 20, Per: time.Hour}}
	}
	if c.PerToken == nil {
		c.PerToken = []limit.Window{{Max: 300, Per: 5 * time.Minute}, {Max: 1000, Per: time.Hour}}
	}
	return c
}

func setDefault[T comparable](field *T, value T) {
	var zero T
	if *field == zero {
		*field = value
	}
}

// Challenger gives out challenges and judges answers.
type Challenger struct {
	Now   func() time.Time // may be changed before it is used
	Every time.Duration    // how often Run sweeps

	db     *db.DB
	key    access.Key
	limits *limit.Ledger
	work   work.Maker
	cfg    Config
}

// New returns the challenger of a migrated database.
func New(d *db.DB, key access.Key, l *limit.Ledger, cfg Config) *Challenger {
	cfg = cfg.withDefaults()
	secret := func(purpose string) string { return string(key.Hash(purpose)) }
	return &Challenger{
		Now: time.Now, Every: 10 * time.Minute,
		db: d, key: key, limits: l, cfg: cfg,
		work: work.Maker{
			Cost: cfg.WorkCost, Least: cfg.WorkSteps / 5, Most: cfg.WorkSteps,
			Signature: secret("challenge work"), Key: secret("challenge work key"),
		},
	}
}

// From says for whom a challenge is.
type From struct {
	Org   id.OrgID
	Token string     // identifier of the service token that asks; "" for our own page
	Addr  netip.Addr // of who will see it
}

// Challenge is what is known of one before it is answered.
type Challenge struct {
	ID      id.ChallengeID
	Number  int64 // what it is known by, per installation: drawn by lot from 1 to 2³¹-1
	Created time.Time
	Expires time.Time
}

const (
	length    = 5
	maxNumber = 1<<31 - 1 // clients keep identifiers in 32 bits
)

// Issue makes a challenge. Only an answer for the same service token will be right.
//
// Faults: TooMany too_many_tries, a [limit.Exceeded].
func (c *Challenger) Issue(ctx context.Context, from From) (Challenge, error) {
	tries := c.tries("challenge", from)
	// Looking first keeps a flood of what is refused anyway off the writer.
	if err := c.limits.Check(ctx, tries...); err != nil {
		return Challenge{}, err
	}
	now := c.now()
	ch := Challenge{ID: id.NewRandom[id.ChallengeID](), Created: now, Expires: now.Add(c.cfg.Lifetime)}
	answer := c.answerOf(ch.ID)
	for {
		n, err := rand.Int(rand.Reader, big.NewInt(maxNumber))
		if err != nil {
			return Challenge{}, err
		}
		ch.Number = n.Int64() + 1
		err = c.db.Write(ctx, func(tx *db.Tx) error {
			if err := c.limits.TakeTx(ctx, tx, tries...); err != nil {
				return err
			}
			return c.insert(ctx, tx, ch, from, answer)
		})
		if errors.Is(err, db.ErrUnique) { // the number is another's
			continue
		}
		if err == nil && c.cfg.Dev != nil {
			c.cfg.Dev(ch.Number, answer)
		}
		return ch, err
	}
}

// tries are what one more challenge counts for.
func (c *Challenger) tries(kind string, from From) []limit.Try {
	tries := []limit.Try{{Rule: limit.Rule{Name: kind + " by address", Windows: c.cfg.PerAddress}, Subject: limit.AddressGroup(from.Addr)}}
	if from.Token != "" {
		tries = append(tries, limit.Try{Rule: limit.Rule{Name: kind + " by token", Windows: c.cfg.PerToken}, Subject: from.Token})
	}
	return tries
}

// now is the time to the microsecond, as the database keeps it.
func (c *Challenger) now() time.Time { return c.Now().UTC().Truncate(time.Microsecond) }

// seed is where everything about a challenge comes from that looks like chance.
func (c *Challenger) seed(challenge id.ChallengeID, of string) [32]byte {
	return [32]byte(c.key.Hash("challenge seed", challenge.String(), of))
}

// answerOf is the characters that the challenge shows.
func (c *Challenger) answerOf(challenge id.ChallengeID) string {
	rng := mathrand.New(mathrand.NewChaCha8(c.seed(challenge, "answer")))
	answer := make([]byte, length)
	for i := range answer {
		answer[i] = speech.Alphabet[rng.IntN(len(speech.Alphabet))]
	}
	return string(answer)
}

// normal is an answer as it is compared: small letters without blanks; 0 is o and 1 is l.
func normal(answer string) string {
	answer = strings.ToLower(strings.Join(strings.Fields(answer), ""))
	return strings.NewReplacer("0", "o", "1", "l").Replace(answer)
}

func (c *Challenger) hashAnswer(number int64, answer string) []byte {
	return c.key.Hash("challenge answer", strconv.FormatInt(number, 10), normal(answer))
}

func (c *Challenger) hashToken(token string) []byte { return c.key.Hash("challenge token", token) }

func (c *Challenger) hashAddress(a netip.Addr) []byte {
	return c.key.Hash("challenge address", limit.AddressGroup(a))
}

// The faults of answers. The codes are stable; doors have words of their own for them.
func missing() error {
	return fault.New(fault.Invalid, "challenge_missing", "Type the characters of the picture.")
}

func unknown() error {
	return fault.New(fault.Invalid, "challenge_unknown", "This picture has expired or was used already. Ask for a new one.")
}

func failed() error {
	return fault.New(fault.Invalid, "challenge_failed", "These are not the characters of the picture.")
}
