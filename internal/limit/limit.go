// Package limit is the one ledger of rates: every door and verb that counts tries counts them here, so that the same numbers
// hold whichever door is used.
//
// A [Rule] is either a set of sliding windows, which keep the exact times and so never let one more through than they say,
// or a [Rate], which keeps one number. A try that would exceed is refused and not counted. Subjects are kept only as keyed
// hashes; what no rule needs any more is swept.
package limit

import (
	"context"
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"time"

	"rollway/internal/db"
	"rollway/internal/fault"
)

// Rule is what is counted and how often it may be. One with neither Windows nor Rate allows everything.
type Rule struct {
	Name    string   // counts of rules of different names are apart
	Windows []Window // all of them hold at once
	Rate    *Rate    // instead of Windows
}

// Window allows Max tries in any stretch of time that is Per long: a try counts until Per after it.
type Window struct {
	Max int
	Per time.Duration
}

// Rate allows Burst tries at once, and one more each Per: GCRA, the generic cell rate algorithm of ITU-T I.371.
type Rate struct {
	Burst int
	Per   time.Duration
}

// Try is one more of something that a rule counts.
type Try struct {
	Rule    Rule
	Subject string // who or what it counts for, such as an address group
}

// Exceeded is the error of a refused try. It wraps a fault of kind TooMany with the code too_many_tries.
type Exceeded struct {
	Rule  string // the name of the rule that makes it wait longest
	after time.Duration
	fault error
}

// RetryAfter is how long it takes until the same tries would be allowed, if nobody else tries.
func (e *Exceeded) RetryAfter() time.Duration { return e.after }

func (e *Exceeded) Error() string { return e.fault.Error() }
func (e *Exceeded) Unwrap() error { return e.fault }

func exceeded(rule string, after time.Duration) *Exceeded {
	return &Exceeded{rule, after, fault.New(fault.TooMany, "too_many_tries", "Too many tries. Try again in %s.", inWords(after))}
}

// inWords rounds up, and names minutes and hours from two on.
func inWords(d time.Duration) string {
	in := func(unit time.Duration) int64 { return int64((d + unit - 1) / unit) }
	switch {
	case d >= 2*time.Hour:
		return fmt.Sprintf("%d hours", in(time.Hour))
	case d >= 2*time.Minute:
		return fmt.Sprintf("%d minutes", in(time.Minute))
	case d > time.Second:
		return fmt.Sprintf("%d seconds", in(time.Second))
	}
	return "a second"
}

// Ledger counts tries in a database, which may be that of several processes.
type Ledger struct {
	Now   func() time.Time // may be changed before the ledger is used
	Every time.Duration    // how often Run sweeps

	db   *db.DB
	hash func(text string) []byte
}

// New returns the ledger of a migrated database. hash is a keyed hash.
func New(d *db.DB, hash func(text string) []byte) *Ledger {
	return &Ledger{Now: time.Now, Every: 10 * time.Minute, db: d, hash: hash}
}

// Take counts the tries, all or none of them. The error of a refused try is an [*Exceeded].
func (l *Ledger) Take(ctx context.Context, tries ...Try) error {
	// Looking first keeps a flood of what is refused anyway off the writer.
	if err := l.Check(ctx, tries...); err != nil {
		return err
	}
	return l.db.Write(ctx, func(tx *db.Tx) error { return l.TakeTx(ctx, tx, tries...) })
}

// TakeTx is Take within a transaction: the tries count if it commits. Until it ends, whoever tries for one of the same
// subjects waits. Tries of one transaction belong in one call, since subjects are locked in the order of their hashes.
func (l *Ledger) TakeTx(ctx context.Context, tx *db.Tx, tries ...Try) error {
	asked := l.gather(tries)
	if err := tx.Lock(ctx, lockNames(asked)...); err != nil {
		return err
	}
	if err := read(ctx, tx, asked); err != nil {
		return err
	}
	if err := l.judge(asked); err != nil {
		return err
	}
	return write(ctx, tx, asked)
}

// Check tells whether Take would succeed, without counting.
func (l *Ledger) Check(ctx context.Context, tries ...Try) error {
	asked := l.gather(tries)
	err := l.db.Read(ctx, func(tx *db.Tx) error { return read(ctx, tx, asked) })
	if err != nil {
		return err
	}
	return l.judge(asked)
}

// count is what is known of one rule and subject, and how often it is tried at once.
type count struct {
	rule  Rule
	key   []byte
	tries int
	times times
}

// gather hashes the subjects and puts tries of the same rule and subject together, in the order of their hashes.
func (l *Ledger) gather(tries []Try) []*count {
	asked := make([]*count, 0, len(tries))
	for _, t := range tries {
		if t.Rule.free() {
			continue
		}
		key := l.hash(strconv.Quote(t.Rule.Name) + " " + t.Subject)
		at, found := slices.BinarySearchFunc(asked, key, func(c *count, key []byte) int { return slices.Compare(c.key, key) })
		if !found {
			asked = slices.Insert(asked, at, &count{rule: t.Rule, key: key})
		}
		asked[at].tries++
	}
	return asked
}

// judge adds the tries to the counts, unless one of them exceeds its rule.
func (l *Ledger) judge(asked []*count) error {
	now := l.Now().UnixMicro()
	var rule string
	var longest int64
	for _, c := range asked {
		for range c.tries {
			if wait := c.rule.wait(c.times, now); wait > longest {
				rule, longest = c.rule.Name, wait
			}
			c.times = c.rule.add(c.times, now)
		}
	}
	if longest > 0 {
		return exceeded(rule, time.Duration(longest)*time.Microsecond)
	}
	return nil
}

// AddressGroup is the subject that an address counts for: IPv4 addresses each, IPv6 by the 64 bits that name a network,
// since whoever has one has all addresses in it.
func AddressGroup(a netip.Addr) string {
	a = a.Unmap().WithZone("")
	if !a.Is6() {
		return a.String() // "invalid IP" for the zero Addr: whoever cannot be told apart counts as one
	}
	network, err := a.Prefix(64)
	if err != nil {
		return a.String()
	}
	return network.String()
}
