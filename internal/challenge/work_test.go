package challenge

import (
	"crypto/pbkdf2"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"rollway/internal/fault"
	"rollway/internal/id"
)

// light is work that takes no time.
var light = Config{WorkCost: 2, WorkSteps: 20}

// solve does the work, as far as the protocol says how, and packs the solution as a widget does.
func solve(t *testing.T, task []byte) string {
	t.Helper()
	var q struct {
		Parameters struct {
			Nonce, Salt, KeyPrefix string
			Cost, KeyLength        int
		}
	}
	nonce, salt := []byte(nil), []byte(nil)
	err := json.Unmarshal(task, &q, json.MatchCaseInsensitiveNames(true))
	if err == nil {
		var err1, err2 error
		nonce, err1 = hex.DecodeString(q.Parameters.Nonce)
		salt, err2 = hex.DecodeString(q.Parameters.Salt)
		err = errors.Join(err1, err2)
	}
	if err != nil {
		t.Fatal(err)
	}
	for counter := uint32(0); counter < 1000; counter++ {
		key, err := pbkdf2.Key(sha256.New, string(binary.BigEndian.AppendUint32(nonce, counter)), salt, q.Parameters.Cost, q.Parameters.KeyLength)
		if err != nil {
			t.Fatal(err)
		}
		if text := hex.EncodeToString(key); strings.HasPrefix(text, q.Parameters.KeyPrefix) {
			solution := fmt.Sprintf(`{"counter":%d,"derivedKey":%q,"time":12.5}`, counter, text)
			whole, err := json.Marshal(map[string]jsontext.Value{"challenge": task, "solution": jsontext.Value(solution)})
			if err != nil {
				t.Fatal(err)
			}
			return base64.StdEncoding.EncodeToString(whole)
		}
	}
	t.Fatalf("no counter solves %s", task)
	return ""
}

// do asks for work and does it.
func (h *house) do(token string) string {
	h.t.Helper()
	task, err := h.Work(h.t.Context(), From{Org: id.DefaultOrg, Addr: ada, Token: token})
	if err != nil {
		h.t.Fatal(err)
	}
	return solve(h.t, task)
}

func TestWork(t *testing.T) {
	each(t, light, func(t *testing.T, h *house) {
		done := h.do("")
		for range 3 {
			want(t, "check", h.CheckWork(t.Context(), done, ""), 0, "")
		}
		want(t, "consume", h.consumeWork(done, ""), 0, "")
		want(t, "check again", h.CheckWork(t.Context(), done, ""), fault.Invalid, "challenge_unknown")
		want(t, "consume again", h.consumeWork(done, ""), fault.Invalid, "challenge_unknown")
		want(t, "nothing", h.CheckWork(t.Context(), "", ""), fault.Invalid, "challenge_missing")
		want(t, "nothing, consumed", h.consumeWork("", ""), fault.Invalid, "challenge_missing")
		want(t, "garbage", h.CheckWork(t.Context(), "garbage", ""), fault.Invalid, "challenge_failed")
		want(t, "garbage, consumed", h.consumeWork("garbage", ""), fault.Invalid, "challenge_failed")
	})
}

func TestWorkIsBoundAndExpires(t *testing.T) {
	each(t, light, func(t *testing.T, h *house) {
		done := h.do("token a")
		for _, other := range []string{"", "token b"} {
			want(t, "for another token", h.consumeWork(done, other), fault.Invalid, "challenge_failed")
		}
		stranger := newHouse(t, h.db, light)
		stranger.clock.Store(h.clock.Load())
		want(t, "under another key", stranger.consumeWork(done, "token a"), fault.Invalid, "challenge_failed")
		late := h.do("token a")
		h.advance(15*time.Minute - time.Second)
		want(t, "in time", h.consumeWork(done, "token a"), 0, "")
		if err := h.Sweep(t.Context()); err != nil {
			t.Fatal(err)
		}
		want(t, "again, after the sweep", h.consumeWork(done, "token a"), fault.Invalid, "challenge_unknown")
		h.advance(time.Second)
		want(t, "too late", h.consumeWork(late, "token a"), fault.Invalid, "challenge_unknown")
		h.advance(keep)
		if err := h.Sweep(t.Context()); err != nil {
			t.Fatal(err)
		}
		if n := h.count("challenge_works"); n != 0 {
			t.Errorf("%d are left after the sweep", n)
		}
		want(t, "again, after that sweep", h.consumeWork(done, "token a"), fault.Invalid, "challenge_unknown")
	})
}

func TestWorkIsLimited(t *testing.T) {
	each(t, light, func(t *testing.T, h *house) {
		for range 6 {
			h.do("")
		}
		_, err := h.Work(t.Context(), From{Org: id.DefaultOrg, Addr: ada})
		want(t, "a seventh", err, fault.TooMany, "too_many_tries")
		h.issue(From{}) // pictures count apart
	})
}

func TestThousandConsumesOfWork(t *testing.T) {
	each(t, light, func(t *testing.T, h *house) {
		done := h.do("")
		if won := parallel(t, 1000, func(int) error { return h.consumeWork(done, "") }); won != 1 {
			t.Errorf("%d of 1,000 parallel consumes of one solution succeeded", won)
		}
	})
}
