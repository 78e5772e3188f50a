package main

import (
	"context"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"net/url"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"rollway/internal/db"
	"rollway/internal/db/dbtest/pgcluster"
)

const (
	killActivity = "https://content.example/course"
	killWriters  = 8
)

// roundsOf is how often something is done: with -short (under the race detector, which takes several times as long), by
// default, and with ROLLWAY_LONG=1.
func roundsOf(short, usual, long int) int {
	switch {
	case os.Getenv("ROLLWAY_LONG") != "":
		return long
	case testing.Short():
		return short
	}
	return usual
}

// TestKilled kills the program with SIGKILL under mixed writes, again and again, and reads everything back each time.
func TestKilled(t *testing.T) {
	rounds := roundsOf(1, 3, 20)
	eachEngine(t, func(t *testing.T, e db.Engine) {
		f := newNemesis(t, newHouse(t, e))
		slowest := time.Duration(0)
		for i := range rounds {
			f.round(i, func() {
				f.must(f.kill())
			}, func() {
				f.must(f.start())
				slowest = max(slowest, f.readyIn)
			})
		}
		f.run("doctor") // integrity, among others
		f.report(fmt.Sprintf("%v: %d × kill -9 of the program, ready again within %v", e, rounds, slowest.Round(time.Millisecond)))
	})
}

// TestDatabaseKilled kills PostgreSQL itself under the same writes; the program lives on and needs no help.
func TestDatabaseKilled(t *testing.T) {
	t.Parallel()
	rounds := roundsOf(1, 1, 6)
	cluster, err := pgcluster.Start()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := cluster.Stop(); err != nil {
			t.Error(err)
		}
	})
	f := newNemesis(t, houseAt(t, cluster.URL()))
	slowest := time.Duration(0)
	for i := range rounds {
		f.round(i, func() {
			f.must(cluster.Kill())
		}, func() {
			f.must(cluster.Restart())
			began := time.Now()
			for f.ask("GET", "/readyz", nil, "").status != 200 {
				if time.Since(began) > 10*time.Second {
					t.Fatalf("the program has not recovered\n%s", f.log)
				}
				time.Sleep(5 * time.Millisecond)
			}
			slowest = max(slowest, time.Since(began))
		})
	}
	f.report(fmt.Sprintf("%d × kill -9 of PostgreSQL, ready %v after it is back", rounds, slowest.Round(time.Millisecond)))
}

// nemesis is a house under writes that something happens to.
type nemesis struct {
	*oracle
	seed    uint64
	manager []string // headers of a service account that provisions, mints and launches
}

func newNemesis(t testing.TB, h *house) *nemesis {
	t.Helper()
	f := &nemesis{seed: rand.Uint64(), oracle: &oracle{house: h, ledger: newLedger()}}
	if given := os.Getenv("ROLLWAY_SEED"); given != "" {
		if _, err := fmt.Sscan(given, &f.seed); err != nil {
			t.Fatal(err)
		}
	}
	t.Logf("proof: %s: seed %d (ROLLWAY_SEED repeats it)", t.Name(), f.seed)
	f.reader = bearer(h.token("all"))
	f.manager = bearer(h.token("people:write,credentials:mint,launch:create"))
	h.run("content", "add", "--activity", killActivity, "--url", "https://content.example/start", "--title", "Course")
	h.want(200, "PUT", "/api/actors/agents", f.manager, personJSON("writer", 1))
	f.people["writer"] = &register{1, 1}
	return f
}

// round writes, lets the fault happen in the midst, mends it and verifies.
func (f *nemesis) round(i int, happen, mend func()) {
	f.Helper()
	r := newRand(f.seed, i)
	pause := 200*time.Millisecond + time.Duration(r.Int64N(int64(1800*time.Millisecond)))
	ctx, stop := context.WithCancel(context.Background())
	var group sync.WaitGroup
	for n := range killWriters {
		w := &writer{nemesis: f, name: fmt.Sprintf("%d-%d", i, n), r: newRand(f.seed, 1000*(i+1)+n)}
		group.Go(func() {
			for ctx.Err() == nil {
				w.write()
			}
		})
	}
	time.Sleep(pause)
	happen()
	stop()
	group.Wait()
	client.CloseIdleConnections()
	mend()
	if errs := f.verify(); len(errs) > 0 {
		f.Fatalf("round %d, after %v: %d findings, the first ones: %v", i, pause, len(errs), errs[:min(len(errs), 5)])
	}
}

func newRand(seed uint64, stream int) *rand.Rand { return rand.New(rand.NewPCG(seed, uint64(stream))) }

func (f *nemesis) report(what string) {
	statements, data := 0, 0
	for _, b := range f.batches {
		statements += len(b.ids)
		if b.data {
			data++
		}
	}
	f.Logf("proof: %s: %d writes acknowledged, %d unanswered; %d statements, %d of them with data, %d people, %d documents, %d credentials, %d launches: 0 lost, 0 partial, 0 duplicated, 0 phantom, 0 corrupt",
		what, f.counts[acknowledged], f.counts[maybe], statements, data, len(f.people), len(f.documents), len(f.credentials), len(f.children))
}

func personJSON(name string, count int) string {
	return fmt.Sprintf(`{"name":%q,"account":{"homePage":"https://lms.example","name":%q},"extensions":{"http://clearlrs.com/api/ext/agent/attributes":{"Count":%d}}}`, name, name, count)
}

// writer does one thing after another, as drawn.
type writer struct {
	*nemesis
	name string
	n    int
	r    *rand.Rand
}

func (w *writer) write() {
	w.n++
	switch p := w.r.IntN(100); {
	case p < 20:
		w.person(fmt.Sprintf("p%s-%d", w.name, w.n))
	case p < 30:
		w.person("p" + w.name)
	case p < 45:
		w.statements(1)
	case p < 65:
		w.statements(2 + w.r.IntN(19))
	case p < 67:
		w.invalidBatch()
	case p < 70:
		w.attached(p == 69)
	case p < 85:
		w.document(fmt.Sprintf("d%s-%d", w.name, w.r.IntN(3)))
	case p < 95:
		w.credential()
	default:
		w.launch()
	}
}

func (w *writer) send(what, method, path string, headers []string, body string) (answer, fate) {
	a, err := ask(context.Background(), method, w.url+path, headers, body)
	f := fateOf(a, err)
	w.note(what, a, f)
	return a, f
}

func (w *writer) person(name string) {
	reg, value := w.raise(w.people, name)
	if _, f := w.send("upsert", "PUT", "/api/actors/agents", w.manager, personJSON(name, value)); f == acknowledged {
		w.Lock()
		defer w.Unlock()
		reg.acknowledged = value
	}
}

func (w *writer) document(key string) {
	reg, value := w.raise(w.documents, key)
	if _, f := w.send("document", "PUT", statePath(key), w.reader, fmt.Sprintf(`{"count":%d,"text":"%s"}`, value, padding(value))); f == acknowledged {
		w.Lock()
		defer w.Unlock()
		reg.acknowledged = value
	}
}

// uuid is a random one (RFC 9562, version 4).
func (w *writer) uuid() string {
	var b [16]byte
	binary.BigEndian.PutUint64(b[:8], w.r.Uint64())
	binary.BigEndian.PutUint64(b[8:], w.r.Uint64())
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}

func (w *writer) draw(n int) *batch {
	b := &batch{}
	for range n {
		key := w.uuid()
		b.ids = append(b.ids, key)
		b.bodies = append(b.bodies, fmt.Sprintf(`{"id":%q,"actor":%s,"verb":{"id":"http://adlnet.gov/expapi/verbs/experienced"},"object":{"id":"%s/%d"},"result":{"extensions":{"https://content.example/check":"%x"}},"timestamp":"2026-01-02T03:04:05.678Z"}`,
			key, agentJSON("writer"), killActivity, w.r.IntN(50), w.r.Uint64()))
	}
	w.Lock()
	defer w.Unlock()
	w.batches = append(w.batches, b)
	return b
}

func (w *writer) statements(n int) {
	b := w.draw(n)
	var f fate
	if n == 1 {
		_, f = w.send("statement", "PUT", "/xapi/statements?statementId="+b.ids[0], w.reader, b.bodies[0])
	} else {
		_, f = w.send("batch", "POST", "/xapi/statements", w.reader, "["+strings.Join(b.bodies, ",")+"]")
	}
	w.Lock()
	defer w.Unlock()
	b.fate = f
}

// invalidBatch is refused for its last statement, and nothing of it may stay.
func (w *writer) invalidBatch() {
	b := w.draw(2 + w.r.IntN(9))
	broken := `{"actor":{"name":"nobody"},"verb":{"id":"http://adlnet.gov/expapi/verbs/experienced"},"object":{"id":"https://content.example/x"}}`
	a, err := ask(context.Background(), "POST", w.url+"/xapi/statements", w.reader, "["+strings.Join(b.bodies, ",")+","+broken+"]")
	w.Lock()
	defer w.Unlock()
	if err == nil && a.status < 400 {
		w.unexpected = append(w.unexpected, fmt.Sprintf("an invalid batch is answered with %d", a.status))
	}
	b.fate = refused // whether this was said or not: it can never be stored
}

func (w *writer) credential() {
	c := &minted{user: "user-" + w.uuid(), secret: w.uuid()}
	w.Lock()
	w.credentials = append(w.credentials, c)
	w.Unlock()
	_, f := w.send("mint", "POST", "/api/auth/basic", w.manager, mintJSON(c.user, c.secret, "writer"))
	w.Lock()
	c.mint = f
	w.Unlock()
	if f != acknowledged || w.r.IntN(3) > 0 {
		return
	}
	w.Lock()
	c.revocationTried = true
	w.Unlock()
	_, f = w.send("revocation", "DELETE", "/api/auth/basic/"+c.user, w.manager, "")
	w.Lock()
	defer w.Unlock()
	c.revoke = f
}

func (w *writer) launch() {
	user, secret := "user-"+w.uuid(), w.uuid()
	if _, f := w.send("mint", "POST", "/api/auth/basic", w.manager, mintJSON(user, secret, "writer")); f != acknowledged {
		return
	}
	a, f := w.send("launch", "GET", "/api/activities/launch?activityId="+url.QueryEscape(killActivity), basicAuth(user, secret), "")
	if f != acknowledged {
		return
	}
	to, err := url.Parse(a.header.Get("Location"))
	w.Lock()
	defer w.Unlock()
	if err != nil || to.Query().Get("auth") == "" {
		w.unexpected = append(w.unexpected, fmt.Sprintf("a launch leads to %q: %v", a.header.Get("Location"), err))
		return
	}
	w.children = append(w.children, to.Query().Get("auth"))
}
