package main

import (
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"pgregory.net/rapid"

	"rollway/xapi"
)

func TestPercentile(t *testing.T) {
	hundred := make([]time.Duration, 100)
	for i := range hundred {
		hundred[i] = time.Duration(i + 1)
	}
	for _, c := range []struct {
		sorted []time.Duration
		p      int
		want   time.Duration
	}{
		{nil, 50, 0}, {hundred[:1], 99, 1}, {hundred[:2], 50, 1}, {hundred[:3], 50, 2},
		{hundred, 50, 50}, {hundred, 99, 99}, {hundred, 100, 100}, {hundred, 0, 1},
	} {
		if got := percentile(c.sorted, c.p); got != c.want {
			t.Errorf("percentile %d of %d values is %d, want %d", c.p, len(c.sorted), got, c.want)
		}
	}
}

// Nearest rank: p percent of the values do not exceed it, and with any smaller value fewer would not.
func TestPercentileCovers(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		values := rapid.SliceOfN(rapid.Map(rapid.IntRange(0, 1000), func(n int) time.Duration { return time.Duration(n) }), 1, 300).Draw(t, "values")
		p := rapid.IntRange(1, 100).Draw(t, "p")
		slices.Sort(values)
		got := percentile(values, p)
		upTo := func(limit time.Duration) (n int) {
			for _, v := range values {
				if v <= limit {
					n++
				}
			}
			return n
		}
		if upTo(got)*100 < p*len(values) || upTo(got-1)*100 >= p*len(values) {
			t.Fatalf("percentile %d of %v is %d", p, values, got)
		}
	})
}

func TestMedian(t *testing.T) {
	if got := median([]int{5, 1, 3}); got != 3 {
		t.Errorf("of three: %d", got)
	}
	if got := median([]int{4, 1, 3, 2}); got != 2 {
		t.Errorf("of four: %d", got)
	}
	if got := median[int](nil); got != 0 {
		t.Errorf("of none: %d", got)
	}
}

func TestParseReply(t *testing.T) {
	const head = "HTTP/1.1 303 See Other\r\nLocation: /x\r\nContent-Length: 0\r\n\r\n"
	const chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
	for _, c := range []struct {
		text   string
		whole  bool
		status int
		body   string
		bad    bool
	}{
		{text: "", whole: false},
		{text: head[:len(head)-1], whole: false},
		{text: head, whole: true, status: 303},
		{text: "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nab", whole: false, status: 200},
		{text: "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nabcd", whole: true, status: 200, body: "abcd"},
		{text: "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nabcde", bad: true},
		{text: "HTTP/1.1 204 No Content\r\n\r\n", whole: true, status: 204},
		{text: chunked + "4\r\nabcd\r\n1", whole: false, status: 200},
		{text: chunked + "4\r\nabcd\r\n0\r\n\r\n", whole: true, status: 200, body: "abcd"},
		{text: chunked + "4\r\nabcd\r\nA\r\nefghijklmn\r\n0\r\n\r\n", whole: true, status: 200, body: "abcdefghijklmn"},
		{text: chunked + "4\r\nabcd\r\n0\r\n\r\nHTTP", bad: true},
		{text: chunked + "x\r\n", bad: true},
		{text: "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n", bad: true},
		{text: "HTTP/1.1 x00 OK\r\n\r\n", bad: true},
		{text: "nonsense\r\n\r\n", bad: true},
	} {
		r, whole, err := parseReply([]byte(c.text))
		if (err != nil) != c.bad {
			t.Errorf("%q: error %v", c.text, err)
		}
		if err == nil && (whole != c.whole || whole && (r.status != c.status || string(r.body) != c.body)) {
			t.Errorf("%q: %v, %d, %q", c.text, whole, r.status, r.body)
		}
	}
}

func TestParseProcess(t *testing.T) {
	stat := "4242 (a (strange) name) S 1 4242 4242 0 -1 4194560 1 2 3 4 150 25 6 7 20 0 9 0 12345 1 2"
	if got, err := parseStat([]byte(stat)); err != nil || got != 1750*time.Millisecond {
		t.Errorf("processor time %v, %v", got, err)
	}
	if _, err := parseStat([]byte("4242 (short) S 1")); err == nil {
		t.Error("a short status was read")
	}
	if got, err := parseResident("Name:\tx\nVmRSS:\t   2048 kB\nThreads:\t1\n", "VmRSS"); err != nil || got != 2<<20 {
		t.Errorf("resident %d, %v", got, err)
	}
	if _, err := parseResident("Name:\tx\n", "VmRSS"); err == nil {
		t.Error("memory was read where there is none")
	}
	if got, err := parseBusy("cpu  100 20 30 4000 500 6 7 8 0 0\ncpu0 1 2 3 4\n"); err != nil || got != 1710*time.Millisecond {
		t.Errorf("busy %v, %v", got, err)
	}
}

func TestParseTotal(t *testing.T) {
	const text = "Duration: 3s, Total samples = 1.05s (35%)\nShowing nodes accounting for 140ms, 13.33% of 1050ms total\n      flat  flat%\n"
	if got, err := parseTotal(text, true); err != nil || got != 140*time.Millisecond {
		t.Errorf("in focus %v, %v", got, err)
	}
	if got, err := parseTotal(text, false); err != nil || got != 1050*time.Millisecond {
		t.Errorf("in all %v, %v", got, err)
	}
	if got, err := parseTotal("Showing nodes accounting for 0, 0% of 1050ms total\n", true); err != nil || got != 0 {
		t.Errorf("of nothing %v, %v", got, err)
	}
	if _, err := parseTotal("no such file", false); err == nil {
		t.Error("nonsense was read")
	}
}

// The load's statements are valid and as long as they are said to be.
func TestStatement(t *testing.T) {
	m := newMaker(0, 1)
	for name, of := range map[string]func(*maker) drawn{"usual": usual, "sharing": sharing, "narrow": narrow, "wide": wide, "team": team} {
		text := appendStatement(nil, of(m), time.Now())
		if _, err := new(xapi.Reader).Read(text, xapi.V1); err != nil {
			t.Fatalf("%s: %v: %s", name, err, text)
		}
		if name != "team" && (len(text) < 1150 || len(text) > 1350) {
			t.Errorf("%s: it has %d bytes", name, len(text))
		}
	}
}

// A store's statements are what the measures' descriptions say: a fifth about a hundredth of the people, half with one of
// three verbs, and each has an id of its own.
func TestDraw(t *testing.T) {
	const n = 100_000
	ids := map[uuid]bool{}
	var few, often int
	for i := range uint64(n) {
		d := draw(i)
		ids[d.id] = true
		if d.actor < eager {
			few++
		}
		if d.verb < common {
			often++
		}
	}
	if len(ids) != n || few < n/5 || few > n/4 || often < n/2 || often > n*3/5 {
		t.Errorf("%d ids, %d about the eager, %d with a common verb", len(ids), few, often)
	}
}

// A request that was due while the last one was being answered counts from when it was due.
func TestSchedule(t *testing.T) {
	now := time.Now()
	s := schedule{pace: time.Hour, offered: true, due: now.Add(-time.Millisecond)}
	if from := s.wait(); from != now.Add(-time.Millisecond) || s.due != from.Add(time.Hour) {
		t.Errorf("late: from %v, next %v", from, s.due)
	}
	s.due = now.Add(-time.Minute)
	if from := s.wait(); from.Before(now) || s.due.Before(now.Add(time.Hour)) {
		t.Errorf("much too late: from %v, next %v", from, s.due)
	}
	due := time.Now().Add(5 * time.Millisecond)
	s.due = due
	if from := s.wait(); from.Before(due) {
		t.Errorf("early: %v before %v", from, due)
	}
	s = schedule{pace: time.Hour, due: now}
	if from := s.wait(); !from.After(now) {
		t.Errorf("not offered: from %v, when it was due", from)
	}
}

// The floor's items fill every column with its kind.
func TestItems(t *testing.T) {
	for _, it := range []item{launchItem, mintItem, statementItem, storeItem(new(atomic.Uint64))} {
		m := newMaker(0, 1)
		rows := make([]int, len(it.tables))
		it.fill(m, func(n int, values ...any) {
			rows[n]++
			columns := it.tables[n].columns
			if len(values) != len(columns) {
				t.Fatalf("%s: %d values for %d columns of %s", it.name, len(values), len(columns), it.tables[n].name)
			}
			for i, v := range values {
				newArray(columns[i].kind, 1).add(v) // panics for a value of another kind
			}
		})
		for n, table := range it.tables {
			if rows[n] != table.rows {
				t.Errorf("%s: %d rows of %s, not %d", it.name, rows[n], table.name, table.rows)
			}
		}
	}
}

func TestThousands(t *testing.T) {
	for n, want := range map[int]string{0: "0", 999: "999", 1000: "1,000", 1234567: "1,234,567"} {
		if got := thousands(n); got != want {
			t.Errorf("%d is %s", n, got)
		}
	}
}

func TestOptions(t *testing.T) {
	for _, bad := range []string{"-engines=mysql", "-measures=speed", "-conns=0", "-rounds=0", "-engines=postgres -postgres=", "-sizes=100", "-sizes=2000,1000", "-sizes=1000,1000"} {
		if _, err := readOptions(strings.Fields(bad)); err == nil {
			t.Errorf("%s was taken", bad)
		}
	}
}
