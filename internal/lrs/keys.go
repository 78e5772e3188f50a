package lrs

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"slices"

	"rollway/internal/access"
	"rollway/internal/db"
	"rollway/internal/id"
	"rollway/xapi"
)

// A key is what statements are found by: 64 bits of a hash that is keyed by a secret of the installation, so that nobody
// can choose two values with one key. Its kind goes into the hash.
type keyKind byte

const (
	byAgent           keyKind = 'a' // actor or object, or a member of these
	byAgentAndVerb    keyKind = 'w'
	byRelatedAgent    keyKind = 'r' // anybody else, the authority too
	byVerb            keyKind = 'v'
	byActivity        keyKind = 'o' // the object
	byRelatedActivity keyKind = 'c' // of the context or the SubStatement
	byRegistration    keyKind = 'g'
)

func (s *Store) key(kind keyKind, value []byte) int64 { return s.key2(kind, value, nil) }

// key2 is the key of a pair. No identifier, IRI or UUID holds a line feed.
func (s *Store) key2(kind keyKind, a, b []byte) int64 {
	buf := make([]byte, 0, 512)
	buf = append(append(append(buf, s.secret...), byte(kind)), a...)
	if b != nil {
		buf = append(append(buf, '\n'), b...)
	}
	sum := sha256.Sum256(buf)
	return int64(binary.BigEndian.Uint64(sum[:8]))
}

// statementKeys are all keys of a statement. The authority is the one given, or, of a statement read back, its own.
func (s *Store) statementKeys(f *xapi.Facts, authority []byte) []int64 {
	keys := make([]int64, 0, 16)
	add := func(k int64) {
		if !slices.Contains(keys, k) {
			keys = append(keys, k)
		}
	}
	add(s.key(byVerb, f.Verb))
	for i := range f.Agents {
		switch a := &f.Agents[i]; {
		case len(a.Key) == 0:
		case a.Direct():
			add(s.key(byAgent, a.Key))
			add(s.key2(byAgentAndVerb, a.Key, f.Verb))
		case a.Role != xapi.RoleAuthority || authority == nil:
			add(s.key(byRelatedAgent, a.Key))
		}
	}
	if authority != nil {
		add(s.key(byRelatedAgent, authority))
	}
	for i := range f.Activities {
		if a := &f.Activities[i]; a.Direct() {
			add(s.key(byActivity, a.ID))
		} else {
			add(s.key(byRelatedActivity, a.ID))
		}
	}
	if f.HasRegistration {
		add(s.key(byRegistration, f.Registration[:]))
	}
	return keys
}

// actorKey and registrationKey stand beside the statement as well: what a learner may see is decided by them.
func (s *Store) actorKey(f *xapi.Facts) int64 {
	if f.Actor != xapi.KindAgent {
		return 0
	}
	return s.key(byAgent, f.ActorKey)
}

func (s *Store) registrationKey(r id.RegistrationID) int64 {
	if r.IsZero() {
		return 0
	}
	return s.key(byRegistration, r[:])
}

const secretSize = 32

// openSecret reads the installation's secret, or makes it.
func (s *Store) openSecret(ctx context.Context) error {
	fresh := make([]byte, secretSize)
	rand.Read(fresh)
	err := s.db.Write(ctx, func(tx *db.Tx) error {
		if err := tx.Defer(ctx, "INSERT INTO record_secrets (name, value) VALUES ('keys', ?) ON CONFLICT DO NOTHING", fresh); err != nil {
			return err
		}
		return tx.Row(ctx, "SELECT value FROM record_secrets WHERE name = 'keys'").Scan(&s.secret)
	})
	if err != nil {
		return err
	}
	s.sealer, err = access.Sealer(s.derive("page tokens"))
	return err
}

func (s *Store) derive(use string) []byte {
	h := hmac.New(sha256.New, s.secret)
	h.Write([]byte(use))
	return h.Sum(nil)
}
