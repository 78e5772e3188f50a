package challenge

import (
	"context"
	"net/netip"
	"sync/atomic"
	"testing"
	"time"

	"rollway/internal/access"
	"rollway/internal/db"
	"rollway/internal/db/dbtest"
	"rollway/internal/fault"
	"rollway/internal/id"
	"rollway/internal/limit"
)

// house is a challenger over a database, with a clock that only the test moves, and the answers it was told.
type house struct {
	*Challenger
	t       *testing.T
	clock   atomic.Int64
	answers map[int64]string
}

var (
	ada   = netip.MustParseAddr("192.0.2.1")
	brian = netip.MustParseAddr("192.0.2.2")
)

func newHouse(t *testing.T, d *db.DB, cfg Config) *house {
	h := &house{t: t, answers: map[int64]string{}}
	h.clock.Store(time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC).UnixMicro())
	now := func() time.Time { return time.UnixMicro(h.clock.Load()) }
	key := access.NewKey()
	ledger := limit.New(d, func(text string) []byte { return key.Hash("limit", text) })
	ledger.Now = now
	cfg.Dev = func(number int64, answer string) { h.answers[number] = answer }
	h.Challenger = New(d, key, ledger, cfg)
	h.Now = now
	return h
}

func (h *house) advance(d time.Duration) { h.clock.Add(d.Microseconds()) }

// issue makes a challenge that must be allowed, and returns it with its answer.
func (h *house) issue(from From) (Challenge, string) {
	h.t.Helper()
	if !from.Addr.IsValid() {
		from.Addr = ada
	}
	from.Org = id.DefaultOrg
	ch, err := h.Issue(h.t.Context(), from)
	if err != nil {
		h.t.Fatal(err)
	}
	return ch, h.answers[ch.Number]
}

// consume uses an answer up in a transaction that does nothing else.
func (h *house) consume(number int64, answer, token string) error {
	return h.db.Write(context.Background(), func(tx *db.Tx) error {
		return h.ConsumeTx(context.Background(), tx, number, answer, token)
	})
}

func (h *house) consumeWork(solution, token string) error {
	return h.db.Write(context.Background(), func(tx *db.Tx) error {
		return h.ConsumeWorkTx(context.Background(), tx, solution, token)
	})
}

// want fails the test unless err is a fault with the code; "" wants no error.
func want(t *testing.T, what string, err error, kind fault.Kind, code string) {
	t.Helper()
	switch {
	case code == "" && err != nil:
		t.Errorf("%s: %v", what, err)
	case code != "" && (!fault.Is(err, kind) || fault.Of(err).Code != code):
		t.Errorf("%s: %v, not %s", what, err, code)
	}
}

// each runs a test on every engine.
func each(t *testing.T, cfg Config, fn func(t *testing.T, h *house)) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) { fn(t, newHouse(t, d, cfg)) })
}

// unlimited lets one address have as many challenges as a test needs.
var unlimited = Config{PerAddress: []limit.Window{}, PerToken: []limit.Window{}}
