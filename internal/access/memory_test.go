package access

import (
	"fmt"
	"testing"

	"rollway/internal/id"
)

func TestMemoryIsBounded(t *testing.T) {
	t.Parallel()
	m := NewMemory[*int](shardCount*2, CredentialChanged)
	for i := range 10_000 {
		m.Keep(m.Fingerprint('h', fmt.Sprint(i)), &i, m.Moment(), id.New[id.CredentialID]())
		m.Refuse(m.Fingerprint('h', fmt.Sprint("bad", i)), Unverified(), m.Moment(), 0)
	}
	for i := range m.shards {
		if s := &m.shards[i]; len(s.good) > 2 || len(s.bad) > 2 {
			t.Fatalf("shard %d holds %d and %d", i, len(s.good), len(s.bad))
		}
	}
}

// TestAnswerFromBeforeAChangeIsNotKept goes through each point at which a change can be heard.
func TestAnswerFromBeforeAChangeIsNotKept(t *testing.T) {
	t.Parallel()
	subject := id.New[id.CredentialID]()
	for _, kind := range []ChangeKind{CredentialChanged, ContentChanged} { // of the second it does not want to hear
		for point := range 4 {
			m := NewMemory[*int](100, PersonChanged, CredentialChanged)
			f := m.Fingerprint('h', "x")
			hear := func(at int) {
				if at == point {
					m.Hear(Change{Kind: kind, Subject: subject})
				}
			}
			hear(0)
			before := m.Moment()
			hear(1) // while the database is asked
			m.Keep(f, new(int), before, subject)
			hear(2)
			if kept := m.Find(f) != nil; kept != (point == 0 || point == 3 || kind == ContentChanged) {
				t.Errorf("%s at point %d: kept %v", kind, point, kept)
			}
		}
	}
}
