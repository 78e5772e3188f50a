package main

import (
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-json-experiment/json"

	"rollway/internal/db"
)

// TestForwardKilled kills a sender again and again while statements come in and are sent on to another house, which is down
// now and then. In the end the receiver has every statement of the filter once, in the sender's order.
func TestForwardKilled(t *testing.T) {
	rounds := roundsOf(2, 3, 20) // in the second the receiver is killed too
	eachEngine(t, func(t *testing.T, e db.Engine) {
		receiver := newHouse(t, db.SQLite)
		account := receiver.run("service-account", "create", "--name", "sender", "--scope", "all", "-o", "json")
		f := newNemesis(t, newHouse(t, e))
		f.env = append(f.env, "ROLLWAY_PASSWORD="+pick(t, account, "/secret"))
		f.run("statements", "forward", "add", "archive", "--endpoint", receiver.url+"/xapi/", "--user", pick(t, account, "/key"), "--allow-private")
		for i := range rounds {
			f.round(i, func() {
				f.must(f.kill())
				if i == 1 {
					f.must(receiver.kill())
				}
			}, func() {
				f.must(f.start())
				if i == 1 {
					time.Sleep(2 * time.Second)
					f.must(receiver.start())
				}
			})
		}
		f.run("statements", "forward", "retry", "archive")
		began := time.Now()
		for pick(t, f.run("statements", "forward", "show", "archive", "-o", "json"), "/state") != "idle" {
			if time.Since(began) > time.Minute {
				t.Fatalf("not all was sent within a minute: %s\n%s", f.run("statements", "forward", "show", "archive", "-o", "json"), f.log)
			}
			time.Sleep(100 * time.Millisecond)
		}
		took := time.Since(began)
		reader := bearer(receiver.token("all/read"))
		want, got := ascending(f.house, f.reader), ascending(receiver, reader)
		if !slices.Equal(want, got) {
			t.Fatalf("the receiver has %d statements, the sender %d, or their order differs", len(got), len(want))
		}
		shown := f.run("statements", "forward", "show", "archive", "-o", "json")
		if pick(t, shown, "/refused") != "0" {
			t.Errorf("%s", shown)
		}
		t.Logf("proof: %v: %d × kill -9 of a sender under writes (and of the receiver): %d statements are with the receiver, each once, in order; the last %v after the restart", e, rounds, len(got), took.Round(time.Millisecond))
	})
}

// A house does not send to itself, by whichever of its addresses, and is not told of a flag that would not help.
func TestForwardToItself(t *testing.T) {
	h := newHouse(t, db.SQLite)
	for _, host := range []string{"localhost", "127.0.0.1", "[::1]"} {
		for _, more := range [][]string{nil, {"--allow-private"}} {
			path, err := program()
			h.must(err)
			_, port, _ := strings.Cut(h.args[2], ":")
			cmd := exec.Command(path, append([]string{"statements", "forward", "add", "self", "--endpoint", "http://" + host + ":" + port + "/xapi/", "--user", "u"}, more...)...)
			cmd.Env = append(h.env, "ROLLWAY_PASSWORD=secret")
			if out, err := cmd.CombinedOutput(); err == nil || !strings.Contains(string(out), "this installation itself") {
				t.Errorf("%s %v: %v\n%s", host, more, err, out)
			}
		}
	}
}

// statementsPage is what is read of an answer to GET statements.
type statementsPage struct {
	Statements []struct {
		ID string `json:"id"`
	} `json:"statements"`
	More string `json:"more"`
}

// ascending lists the ids of all statements of a house in order.
func ascending(h *house, headers []string) (ids []string) {
	h.Helper()
	path := "/xapi/statements?ascending=true&limit=1000"
	for path != "" {
		a := h.want(200, "GET", path, headers, "")
		var page statementsPage
		h.must(json.Unmarshal([]byte(a.body), &page))
		for _, st := range page.Statements {
			ids = append(ids, st.ID)
		}
		path = strings.TrimPrefix(page.More, h.url)
	}
	return ids
}
