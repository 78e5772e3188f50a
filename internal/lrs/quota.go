package lrs

import (
	"context"
	"maps"
	"slices"
	"sync"

	"rollway/internal/db"
	"rollway/internal/fault"
	"rollway/internal/id"
)

// GuestQuota is how many bytes of records an organization may keep that is not the one every installation starts with:
// whoever signs up gets one.
const GuestQuota = 1 << 30

// What a record takes besides its bytes.
const (
	inheritedBytes = 32   // a key that a statement is found by because it points at another
	documentBytes  = 1000 // a document, but for the activity and the agent that it belongs to
)

// quotaCode tells that an organization is full, which no other statement would change.
const quotaCode = "quota_records"

// quota is how many bytes of records an organization may keep; 0 is no bound.
func (s *Store) quota(org id.OrgID) int64 {
	if org == id.DefaultOrg {
		return 0
	}
	return max(s.guests, 0)
}

func full(most int64) error {
	return fault.New(fault.TooLarge, quotaCode, "With this, the statements, attachments and documents of the organization would exceed the %d MB that may be kept.", most>>20)
}

// addUsage adds to what an organization keeps and answers the sum. Until the transaction ends, others of that organization
// wait.
const addUsage = `INSERT INTO record_usage (org_id, bytes) VALUES (?, ?)
	ON CONFLICT (org_id) DO UPDATE SET bytes = record_usage.bytes + excluded.bytes RETURNING bytes`

// claim makes all else that an organization with a quota stores and deletes wait until the transaction ends, so that what is
// counted is what there was. It comes before rows of documents are touched.
func (s *Store) claim(ctx context.Context, tx *db.Tx, org id.OrgID) error {
	if s.quota(org) == 0 {
		return nil
	}
	return tx.Ask(ctx, addUsage, []any{int64(org), int64(0)}, func(*db.Rows) error { return nil })
}

// charge counts bytes in the transaction that writes or, below zero, deletes them. The error is TooLarge when the organization
// would have too many then.
func (s *Store) charge(ctx context.Context, tx *db.Tx, org id.OrgID, bytes int64) error {
	most := s.quota(org)
	if most == 0 || bytes == 0 {
		return nil
	}
	var sum int64
	if err := tx.Row(ctx, addUsage, int64(org), bytes).Scan(&sum); err != nil {
		return err
	}
	if bytes > 0 && sum > most {
		return full(most)
	}
	return nil
}

// askUsage asks what the organizations with a quota keep, each of which is this transaction's until it ends.
func (w *writing) askUsage(ctx context.Context) error {
	for _, p := range w.items {
		if w.quota(p.org) > 0 {
			if w.kept == nil {
				w.kept = map[id.OrgID]int64{}
			}
			w.kept[p.org] = 0
		}
	}
	for _, org := range slices.Sorted(maps.Keys(w.kept)) { // so that two transactions do not wait for each other crosswise
		err := w.tx.Ask(ctx, addUsage, []any{int64(org), int64(0)}, func(r *db.Rows) error {
			var sum int64
			err := r.Scan(&sum)
			w.kept[org] = sum
			return err
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// fits checks that a request's new statements and data may be kept.
func (w *writing) fits(p *put) error {
	most := w.quota(p.org)
	if most == 0 {
		return nil
	}
	bytes := int64(0)
	for _, e := range p.entries {
		if !e.known && !e.differs {
			bytes += int64(cap(e.body)) + e.data()
		}
	}
	if bytes > 0 && w.kept[p.org]+bytes > most {
		return full(most)
	}
	w.kept[p.org] += bytes
	return nil
}

// data is how many bytes of attachments came with an entry.
func (e *entry) data() (bytes int64) {
	for _, a := range e.attachments {
		bytes += a.size
	}
	return bytes
}

// charge counts what the transaction stores.
func (w *writing) charge(ctx context.Context) error {
	if w.kept == nil {
		return nil
	}
	added := map[id.OrgID]int64{}
	for i, e := range w.new {
		added[w.orgs[i]] += int64(len(e.body)) + e.data()
	}
	for _, row := range w.inherited {
		added[id.OrgID(row[0].(int64))] += inheritedBytes
	}
	for org, bytes := range added { // whose rows are this transaction's already
		if w.quota(org) == 0 {
			continue
		}
		if err := w.tx.Ask(ctx, addUsage, []any{int64(org), bytes}, func(*db.Rows) error { return nil }); err != nil {
			return err
		}
	}
	return nil
}

// arrivals counts the data of attachments that this process holds and has not stored yet, of each organization with a quota:
// so that many uploads at once cannot take more of the disk than one.
type arrivals struct {
	mu    sync.Mutex
	bytes map[id.OrgID]int64
}

func (a *arrivals) add(org id.OrgID, n int64) int64 {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.bytes == nil {
		a.bytes = map[id.OrgID]int64{}
	}
	sum := a.bytes[org] + n
	if a.bytes[org] = sum; sum == 0 {
		delete(a.bytes, org)
	}
	return sum
}

// arrival is the data of one request. The zero value bounds nothing.
type arrival struct {
	*arrivals
	org     id.OrgID
	most    int64 // bytes that the organization may keep; 0 is no bound
	left, n int64 // bytes that may come, that came
	wanted  map[string]*declared
}

// arriving begins an arrival, which ends with leave. What counts in the end is the transaction: the data of one request more
// than there is room for may come, as it may be here already, sent again.
func (s *Store) arriving(ctx context.Context, org id.OrgID) (arrival, error) {
	a := arrival{arrivals: &s.arrivals, org: org, most: s.quota(org)}
	if a.most == 0 {
		return a, nil
	}
	err := s.db.Read(ctx, func(tx *db.Tx) error {
		var kept int64
		err := tx.Each(ctx, "SELECT bytes FROM record_usage WHERE org_id = ?", []any{int64(org)}, func(r *db.Rows) error { return r.Scan(&kept) })
		a.left = max(a.most-kept, 0) + MaxAttachments
		return err
	})
	return a, err
}

// take counts more data.
func (a *arrival) take(n int) error {
	if a.most == 0 {
		return nil
	}
	a.n += int64(n)
	if a.add(a.org, int64(n)) > a.left {
		return full(a.most)
	}
	return nil
}

// leave ends the arrival once its data is stored or dropped.
func (a *arrival) leave() {
	if a.most > 0 {
		a.add(a.org, -a.n)
	}
}
