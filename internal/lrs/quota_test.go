package lrs_test

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"rollway/internal/access"
	"rollway/internal/db"
	"rollway/internal/db/dbtest"
	"rollway/internal/fault"
	"rollway/internal/id"
	"rollway/internal/lrs"
	"rollway/xapi"
)

// guest calls for an organization that somebody made by signing up.
func guest() access.Caller {
	return access.Caller{Org: 2, Kind: access.ServiceAccount, Name: "service account test", Scopes: access.All}
}

// quotaStore is a store where guests may keep so many bytes.
type quotaStore struct {
	*lrs.Store
	*testing.T
	db  *db.DB
	dir string
}

func eachQuota(t *testing.T, quota int64, test func(q quotaStore)) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s, _, dir := openKeeping(t, d, quota)
		test(quotaStore{s, t, d, dir})
	})
}

// usage is what is counted, and what there is when everything is added up.
func (q quotaStore) usage() (counted, there int64) {
	q.Helper()
	err := q.db.Read(q.Context(), func(tx *db.Tx) error {
		if err := tx.Row(q.Context(), "SELECT coalesce(max(bytes), 0) FROM record_usage WHERE org_id = 2").Scan(&counted); err != nil {
			return err
		}
		return tx.Row(q.Context(), `SELECT CAST((SELECT coalesce(sum(length(body)), 0) FROM statements WHERE org_id = 2)
			+ (SELECT coalesce(sum(size), 0) FROM attachments WHERE org_id = 2) + (SELECT 32 * count(*) FROM statement_inherited WHERE org_id = 2)
			+ (SELECT coalesce(sum(length(content) + octet_length(activity) + octet_length(agent) + 1000), 0) FROM documents WHERE org_id = 2) AS bigint)`).Scan(&there)
	})
	if err != nil {
		q.Fatal(err)
	}
	return counted, there
}

func (q quotaStore) files() (n int) {
	q.Helper()
	err := filepath.WalkDir(q.dir, func(_ string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			n++
		}
		return err
	})
	if err != nil {
		q.Fatal(err)
	}
	return n
}

// attach stores a statement with data.
func (q quotaStore) attach(c access.Caller, sid, data string) error {
	_, err := q.PutWith(q.Context(), c, xapi.V1, id.StatementID{}, []byte(with(sid, usage, data).String()), parts(data))
	return err
}

// store stores a statement of the guests.
func (q quotaStore) store(st statement) error {
	_, err := q.Put(q.Context(), guest(), xapi.V1, id.StatementID{}, []byte(st.String()))
	return err
}

func (q quotaStore) refused(err error) bool {
	q.Helper()
	if err != nil && (!fault.Is(err, fault.TooLarge) || fault.Of(err).Code != "quota_records") {
		q.Error(err)
	}
	return err != nil
}

// An organization of guests keeps no more than its quota, of statements, data and documents together; what is refused leaves
// nothing, what is deleted makes room, and the first organization is not bounded.
func TestQuota(t *testing.T) {
	const quota = 100_000
	eachQuota(t, quota, func(q quotaStore) {
		data := strings.Repeat("d", 40_000)
		for i := range 3 {
			if got := q.refused(q.attach(guest(), newID(), fmt.Sprint(i)+data)); got != (i == 2) {
				q.Fatalf("attachment %d: refused %v", i, got)
			}
		}
		if n := q.files(); n != 2 {
			q.Errorf("%d files are kept", n)
		}
		key := lrs.DocumentKey{Kind: lrs.AgentProfile, Agent: mbox("ann"), ID: "big"}
		document := lrs.Document{ContentType: "text/plain", Content: []byte(data[:15_000])}
		put := func() error { return q.PutDocument(q.Context(), guest(), xapi.V2, key, document, lrs.Precondition{}) }
		if err := put(); err != nil {
			q.Fatal(err)
		}
		key.ID = "bigger"
		if !q.refused(put()) {
			q.Error("a document beyond the quota is taken")
		}
		key.ID = "big"
		if err := q.DeleteDocument(q.Context(), guest(), key, lrs.Precondition{}); err != nil {
			q.Fatal(err)
		}
		if err := put(); err != nil {
			q.Error(err)
		}
		long := lrs.DocumentKey{Kind: lrs.ActivityProfile, Activity: "https://example.org/" + data, ID: "small"}
		small := lrs.Document{ContentType: "text/plain", Content: []byte("x")}
		if !q.refused(q.PutDocument(q.Context(), guest(), xapi.V2, long, small, lrs.Precondition{})) {
			q.Error("a document is taken whose activity takes more than the quota")
		}
		stored := 0
		for !q.refused(q.store(simple(newID()))) && stored < 1000 {
			stored++
		}
		if stored < 2 || stored == 1000 {
			q.Errorf("%d statements fit", stored)
		}
		counted, there := q.usage()
		if counted != there || counted > quota {
			q.Errorf("%d bytes are counted, %d are there, %d may be", counted, there, quota)
		}
		if err := q.attach(access.CommandLine(id.DefaultOrg), newID(), strings.Repeat("x", 2*quota)); err != nil {
			q.Error(err)
		}
		_, err := q.Import(q.Context(), access.CommandLine(2), lrs.NewLines("more", strings.NewReader(simple(newID()).String()+"\n")), lrs.ImportOptions{})
		if !q.refused(err) {
			q.Error("an import goes on beyond the quota")
		}
	})
}

// Many uploads at once do not pass the quota together, and what was refused is not on the disk any more.
func TestQuotaOfManyAtOnce(t *testing.T) {
	const quota, size, senders = 300_000, 50_000, 24
	eachQuota(t, quota, func(q quotaStore) {
		var group sync.WaitGroup
		var taken atomic.Int64
		for i := range senders {
			group.Go(func() {
				data := strings.Repeat(string(rune('a'+i)), size)
				if !q.refused(q.attach(guest(), newID(), data)) {
					taken.Add(1)
				}
			})
		}
		group.Wait()
		counted, there := q.usage()
		if counted != there || counted > quota || taken.Load() != 5 {
			q.Errorf("%d are taken; %d bytes are counted, %d are there, %d may be", taken.Load(), counted, there, quota)
		}
		if n := q.files(); int64(n) != taken.Load() {
			q.Errorf("%d files are kept of %d attachments", n, taken.Load())
		}
	})
}

// What a statement inherits, what is known already and what is deleted in bulk is counted as it is there.
func TestQuotaCountsWhatIsThere(t *testing.T) {
	eachQuota(t, 1<<20, func(q quotaStore) {
		one, two, three := newID(), newID(), newID()
		refers := statement{id: two, actor: "ann", verb: "did", ref: one}
		for _, st := range []statement{refers, simple(one), simple(three), simple(three), voids(newID(), three)} {
			if err := q.store(st); err != nil {
				q.Fatal(err)
			}
		}
		if err := q.attach(guest(), three, "other data"); !fault.Is(err, fault.Conflict) {
			q.Error(err)
		}
		different := simple(three)
		different.actor = "bob"
		if err := q.store(different); !fault.Is(err, fault.Conflict) {
			q.Error(err)
		}
		key := lrs.DocumentKey{Kind: lrs.State, Activity: "https://example.org/course", Agent: mbox("ann")}
		for i := range 5 {
			key.ID = fmt.Sprint(i % 3)
			d := lrs.Document{ContentType: "application/json", Content: fmt.Appendf(nil, `{"%d":%d}`, i, i)}
			if err := q.PostDocument(q.Context(), guest(), key, d, lrs.Precondition{}); err != nil {
				q.Fatal(err)
			}
		}
		same := func(when string) {
			if counted, there := q.usage(); counted != there || counted == 0 {
				q.Errorf("%s: %d bytes are counted, %d are there", when, counted, there)
			}
		}
		same("after storing")
		key.ID = ""
		if err := q.DeleteDocuments(q.Context(), guest(), key); err != nil {
			q.Fatal(err)
		}
		same("after deleting")
		if n := q.files(); n != 0 {
			q.Errorf("%d files are kept that no statement names", n)
		}
	})
}

// A request that is refused after its data came leaves none of it; what another request has put meanwhile stays.
func TestRefusedDataIsDropped(t *testing.T) {
	eachQuota(t, lrs.GuestQuota, func(q quotaStore) {
		sid, data := newID(), "what came with it"
		first := access.CommandLine(id.DefaultOrg)
		mustPost(q.T, q.Store, first, simple(sid))
		other := with(sid, usage, data)
		other.actor = "bob"
		send := func(end error) error {
			next := parts(data)
			_, err := q.PutWith(q.Context(), first, xapi.V1, id.StatementID{}, []byte(other.String()), func() (lrs.Part, error) {
				part, err := next()
				if err == io.EOF {
					err = end
				}
				return part, err
			})
			return err
		}
		if err := send(io.EOF); !fault.Is(err, fault.Conflict) || q.files() != 0 {
			q.Errorf("%v; %d files are kept", err, q.files())
		}
		writer := access.Caller{Org: id.DefaultOrg, Kind: access.ServiceAccount, Name: "writer", ServiceAccount: id.New[id.ServiceAccountID](), Scopes: access.StatementsWrite}
		foreign := voids(newID(), sid)
		foreign.extra = with("", usage, data).extra
		if _, err := q.PutWith(q.Context(), writer, xapi.V1, id.StatementID{}, []byte(foreign.String()), parts(data)); !fault.Is(err, fault.Forbidden) || q.files() != 0 {
			q.Errorf("%v; %d files are kept", err, q.files())
		}
		broken := errors.New("the line broke")
		if err := send(broken); !errors.Is(err, broken) || q.files() != 0 {
			q.Errorf("%v; %d files are kept", err, q.files())
		}
		if err := q.attach(first, newID(), data); err != nil {
			q.Fatal(err)
		}
		if err := send(io.EOF); !fault.Is(err, fault.Conflict) || q.files() != 1 {
			q.Errorf("%v; %d files are kept", err, q.files())
		}
	})
}

// Of several requests that send the same data at once some are refused: the others have it all the same.
func TestDroppedBesideTheSameData(t *testing.T) {
	eachQuota(t, lrs.GuestQuota, func(q quotaStore) {
		const rounds = 40
		c := access.CommandLine(id.DefaultOrg)
		taken := simple(newID())
		mustPost(q.T, q.Store, c, taken)
		for round := range rounds {
			var group sync.WaitGroup
			for i := range 4 {
				group.Go(func() {
					sid := newID()
					if i%2 == 0 {
						sid = taken.id
					}
					if err := q.attach(c, sid, fmt.Sprint("data ", round)); fault.Is(err, fault.Conflict) != (i%2 == 0) {
						q.Error(err)
					}
				})
			}
			group.Wait()
		}
		if got := kept(q.T, q.Store, c, lrs.Query{Limit: 1000}); len(got) != rounds || q.files() != rounds {
			q.Errorf("%d are kept of %d, in %d files", len(got), rounds, q.files())
		}
	})
}

// Documents that are stored, merged and deleted at once, one by one and all together, beside statements, are counted as they
// are in the end.
func TestQuotaOfDocumentsAtOnce(t *testing.T) {
	eachQuota(t, 1<<20, func(q quotaStore) {
		var group sync.WaitGroup
		for worker := range 8 {
			group.Go(func() {
				for i := range 15 {
					key := lrs.DocumentKey{Kind: lrs.State, Activity: "https://example.org/course", Agent: mbox("ann"), ID: fmt.Sprint((worker + i) % 3)}
					d := lrs.Document{ContentType: "application/json", Content: fmt.Appendf(nil, `{"%d":%q}`, worker, strings.Repeat("x", i))}
					var err error
					switch (worker + i) % 5 {
					case 0:
						key.ID = ""
						err = q.DeleteDocuments(q.Context(), guest(), key)
					case 1:
						err = q.DeleteDocument(q.Context(), guest(), key, lrs.Precondition{})
					case 2:
						err = q.store(simple(newID()))
					case 3:
						err = q.PutDocument(q.Context(), guest(), xapi.V1, key, d, lrs.Precondition{})
					default:
						err = q.PostDocument(q.Context(), guest(), key, d, lrs.Precondition{})
					}
					if err != nil {
						q.Error(err)
					}
				}
			})
		}
		group.Wait()
		if counted, there := q.usage(); counted != there || counted == 0 {
			q.Errorf("%d bytes are counted, %d are there", counted, there)
		}
	})
}
