package signin

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"runtime"
	"unicode"
	"unicode/utf8"

	"golang.org/x/crypto/argon2"
	"golang.org/x/text/unicode/norm"

	"rollway/internal/access"
	"rollway/internal/fault"
)

// Cost is what one argon2id hash costs (RFC 9106 section 3.1).
type Cost struct {
	Memory  uint32 // KiB
	Passes  uint32
	Threads uint8
}

// usual is the cost of new hashes: 19 MiB and two passes, on one thread, so that a hash is the same on every machine.
var usual = Cost{Memory: 19 << 10, Passes: 2, Threads: 1}

const (
	saltSize = 16
	hashSize = 32
	maxQueue = 64 // who waits for a core; more are turned away
)

// Passwords hashes and checks passwords, as many at a time as there are cores: each takes a core and its memory for some
// 50 ms. Its exported field may be changed before it is used.
type Passwords struct {
	Cost Cost

	key   access.Key
	keyID string
	cores chan struct{}
	queue chan struct{}
}

// NewPasswords returns a hasher whose hashes are worth nothing without the key.
func NewPasswords(key access.Key) *Passwords {
	cores := runtime.GOMAXPROCS(0)
	return &Passwords{Cost: usual, key: key, keyID: string(key.Hash("password key id")[:6]), cores: make(chan struct{}, cores), queue: make(chan struct{}, cores+maxQueue)}
}

// Hash returns what is stored of a password: argon2id in the PHC string format. It is not called within a transaction: whoever
// has a core may be waiting for the database. Fault: Unavailable (sign_in_busy) when too many wait.
func (p *Passwords) Hash(ctx context.Context, password string) (string, error) {
	var phc string
	err := p.turn(ctx, func() error {
		phc = p.renew(password)
		return nil
	})
	return phc, err
}

// Fits reports whether a password is the one that [Passwords.Hash] returned this of. Like that it is not called within a
// transaction. Fault: Unavailable (sign_in_busy) when too many wait.
func (p *Passwords) Fits(ctx context.Context, phc, password string) (fits bool, err error) {
	if len(password) > 4*Longest || !readable(password) {
		return false, nil
	}
	err = p.turn(ctx, func() (err error) {
		fits, _, err = p.verify(phc, password)
		return err
	})
	return fits, err
}

// renew is Hash when it is called in a turn.
func (p *Passwords) renew(password string) string {
	h := stored{Cost: p.Cost, keyID: p.keyID, salt: make([]byte, saltSize)}
	rand.Read(h.salt)
	h.hash = p.derive(h, password, hashSize)
	return h.String()
}

// turn runs fn when it is its turn on a core.
func (p *Passwords) turn(ctx context.Context, fn func() error) error {
	select {
	case p.queue <- struct{}{}:
	default:
		return fault.New(fault.Unavailable, "sign_in_busy", "Many people are signing in at this moment. Try again in a few seconds.")
	}
	defer func() { <-p.queue }()
	select {
	case p.cores <- struct{}{}:
	case <-ctx.Done():
		return ctx.Err()
	}
	defer func() { <-p.cores }()
	if err := ctx.Err(); err != nil { // whoever asked has gone
		return err
	}
	return fn()
}

// verify reports whether the password is the one stored, and whether what is stored is to be replaced by a new hash of it.
// It is called in a turn.
func (p *Passwords) verify(phc, password string) (right, stale bool, err error) {
	h, err := parseStored(phc)
	if err != nil {
		return false, false, err
	}
	got := p.derive(h, password, uint32(len(h.hash)))
	right = subtle.ConstantTimeCompare(got, h.hash) == 1
	return right, right && (h.Cost != p.Cost || h.keyID != p.keyID || len(h.hash) != hashSize), nil
}

// same reports whether two passwords are one, however their characters are composed.
func same(a, b string) bool { return norm.NFC.String(a) == norm.NFC.String(b) }

// derive hashes the password as the stored one was. One from another key, or from none, is taken in from elsewhere and was
// hashed as it is.
func (p *Passwords) derive(h stored, password string, size uint32) []byte {
	secret := []byte(norm.NFC.String(password))
	if h.keyID == p.keyID {
		secret = p.key.Hash("password", string(secret))
	}
	return argon2.IDKey(secret, h.salt, h.Passes, h.Memory, h.Threads, size)
}

// dummy is stored for nobody: no password fits, and checking one takes as long as for anybody.
func (p *Passwords) dummy() string {
	h := stored{Cost: p.Cost, keyID: p.keyID, salt: make([]byte, saltSize), hash: make([]byte, hashSize)}
	rand.Read(h.salt)
	rand.Read(h.hash)
	return h.String()
}

// readable reports whether a password can be hashed: text without control characters.
func readable(password string) bool {
	return utf8.ValidString(password) && !containsControl(password)
}

func containsControl(s string) bool {
	for _, r := range s {
		if unicode.IsControl(r) {
			return true
		}
	}
	return false
}
