// Package id holds the identifiers of the house as types of their own, so that handing a person where an organization is
// wanted does not compile. It makes, parses and prints them and does nothing else.
package id

import (
	"crypto/rand"
	"database/sql/driver"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"sync"
	"time"
)

// OrgID names an organization. It is a small number because it stands first in every key and index; numbers start at 1,
// and 1 is the organization `default`. The same number serves dialects whose ids are numbers.
type OrgID int64

// DefaultOrg is the organization every installation starts with.
const DefaultOrg OrgID = 1

// The kinds of things that have a UUID.
type (
	personKind         struct{}
	registrationKind   struct{}
	credentialKind     struct{}
	serviceAccountKind struct{}
	sessionKind        struct{}
	signinKind         struct{}
	packageKind        struct{}
	statementKind      struct{}
	groupKind          struct{}
	entryKind          struct{}
	requestKind        struct{}
	forwardKind        struct{}
	tokenKind          struct{}
	challengeKind      struct{}
)

// Identifiers, each a UUID. The zero value means none and is NULL in the database.
type (
	PersonID         = Of[personKind]
	RegistrationID   = Of[registrationKind]
	CredentialID     = Of[credentialKind]
	ServiceAccountID = Of[serviceAccountKind]
	SessionID        = Of[sessionKind] // of a launch
	SigninID         = Of[signinKind]  // of a signed-in browser
	PackageID        = Of[packageKind]
	StatementID      = Of[statementKind]
	GroupID          = Of[groupKind]
	EntryID          = Of[entryKind]
	RequestID        = Of[requestKind]
	ForwardID        = Of[forwardKind]
	TokenID          = Of[tokenKind]
	ChallengeID      = Of[challengeKind]
)

// Of is a UUID that identifies a thing of kind K.
type Of[K any] [16]byte

// New returns a UUID of version 7 (RFC 9562 section 5.7): time-ordered, so that new rows land at the end of an index.
// Within one process each is greater than the one before.
func New[T ~[16]byte]() T { return T(v7()) }

// NewRandom returns a UUID of version 4 (RFC 9562 section 5.4), for identifiers that strangers see and must not date.
func NewRandom[T ~[16]byte]() T {
	var u [16]byte
	rand.Read(u[:])
	u[6] = u[6]&0x0f | 0x40
	u[8] = u[8]&0x3f | 0x80
	return T(u)
}

// Parse reads the text form of RFC 9562 section 4 (36 characters, hyphens, any case of the digits).
func Parse[T ~[16]byte](s string) (T, error) {
	var u [16]byte
	if len(s) != 36 || s[8] != '-' || s[13] != '-' || s[18] != '-' || s[23] != '-' {
		return T(u), fmt.Errorf("%q is not a UUID", clip(s))
	}
	var digits [32]byte
	n := 0
	for i := range 36 {
		if i == 8 || i == 13 || i == 18 || i == 23 {
			continue
		}
		digits[n] = s[i]
		n++
	}
	if _, err := hex.Decode(u[:], digits[:]); err != nil {
		return T{}, fmt.Errorf("%q is not a UUID", clip(s))
	}
	return T(u), nil
}

func clip(s string) string {
	if len(s) > 64 {
		return s[:64] + "…"
	}
	return s
}

// IsZero reports whether no thing is named.
func (u Of[K]) IsZero() bool { return u == Of[K]{} }

// UUID returns the 16 bytes.
func (u Of[K]) UUID() [16]byte { return u }

// String returns the text form in lower case.
func (u Of[K]) String() string {
	var b [36]byte
	hex.Encode(b[0:8], u[0:4])
	b[8] = '-'
	hex.Encode(b[9:13], u[4:6])
	b[13] = '-'
	hex.Encode(b[14:18], u[6:8])
	b[18] = '-'
	hex.Encode(b[19:23], u[8:10])
	b[23] = '-'
	hex.Encode(b[24:36], u[10:16])
	return string(b[:])
}

// MarshalText prints the text form.
func (u Of[K]) MarshalText() ([]byte, error) { return []byte(u.String()), nil }

// UnmarshalText reads the text form.
func (u *Of[K]) UnmarshalText(b []byte) (err error) {
	*u, err = Parse[Of[K]](string(b))
	return err
}

// Value gives the 16 bytes to database/sql; the zero value is NULL.
func (u Of[K]) Value() (driver.Value, error) {
	if u.IsZero() {
		return nil, nil
	}
	return u[:], nil
}

// Scan reads 16 bytes, the text form or NULL (the zero value).
func (u *Of[K]) Scan(src any) error {
	switch v := src.(type) {
	case nil:
		*u = Of[K]{}
		return nil
	case []byte:
		if len(v) == 16 {
			copy(u[:], v)
			return nil
		}
		return fmt.Errorf("id: %d bytes are not a UUID", len(v))
	case string:
		return u.UnmarshalText([]byte(v))
	}
	return fmt.Errorf("id: cannot read a UUID from %T", src)
}

var clock struct {
	sync.Mutex
	last uint64 // milliseconds << 12 | counter
}

// v7 keeps 12 bits below the millisecond as a counter (RFC 9562 section 6.2, method 3), so that ids made in one
// millisecond still ascend.
func v7() (u [16]byte) {
	rand.Read(u[8:])
	now := time.Now()
	ms := uint64(now.UnixMilli())
	tick := ms<<12 | uint64(now.Nanosecond()%1e6)*4096/1e6
	clock.Lock()
	if tick <= clock.last {
		tick = clock.last + 1
	}
	clock.last = tick
	clock.Unlock()
	binary.BigEndian.PutUint64(u[:8], tick>>12<<16|0x7000|tick&0x0fff)
	u[8] = u[8]&0x3f | 0x80
	return u
}
